"""One contact explained among a million entries, against a raw indexed SELECT that only decodes.

Both sides read by the same kind of connection, contact by contact in turn, in shuffled order.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ledger.codec import decode
from ledger.database import uuid_bytes, uuid_text
from ledger.log import Log
from ledger.policy.question import Question
from ledger.policy.shipped import policy
from ledger.scanning import scanning
from projections import bulk
from projections.explain import explain
from tests.bench.mix import kept_log

SMALL, LARGE = 100_000, 1_000_000
CONTACTS = 1_500
ROUNDS = 3
WITHIN = 2.0
FLAT = 1.5
_SELECT = "SELECT position, version, state FROM entry WHERE stream = ? ORDER BY version"
_AT = datetime(2026, 6, 1, 9, tzinfo=UTC)


class _Times(NamedTuple):
    ours: float
    raw: float


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Every figure of this module, in microseconds."""
    sizes = (2_000, 10_000) if quick else (SMALL, LARGE)
    paths = [kept_log(size) for size in sizes]
    contacts = 200 if quick else CONTACTS
    rounds = [[_measure(path, contacts, seed) for path in paths] for seed in range(ROUNDS)]
    small, large = (
        _Times(*(statistics.median(column) for column in zip(*(one[side] for one in rounds), strict=True)))
        for side in (0, 1)
    )
    within, flat = large.ours / large.raw, large.ours / small.ours
    return [
        {
            "name": f"explain one contact of {sizes[1]:,} entries, p50 us, against SELECT and decode",
            "ours": large.ours,
            "reference": large.raw,
            "ratio": within,
            "bar": f"<= {WITHIN}",
            "holds": within <= WITHIN,
        },
        {
            "name": f"explain p50 us at {sizes[1]:,} entries against the same at {sizes[0]:,}",
            "ours": large.ours,
            "reference": small.ours,
            "ratio": flat,
            "bar": f"<= {FLAT}",
            "holds": flat <= FLAT,
        },
    ]


def _measure(path: Path, contacts: int, seed: int) -> _Times:
    """p50 of both sides over the same contacts, each after a warm look at it."""
    rules = policy()
    with Log.make(path, lambda: _AT) as log, scanning(path) as source:
        setting = bulk.setting_at(source, 2**40, lambda _: rules)
        with log._database.reading() as driver:
            names = _sample(driver, contacts, seed)

            def raw(contact: str) -> None:
                for row in driver.execute(_SELECT, (uuid_bytes(contact),)).fetchall():
                    decode(row[2])

            def ours(contact: str) -> None:
                question = Question(purpose="marketing.similar", channel="email", at=_AT, address=addresses[contact])
                explain(log, rules, setting.catalogue, contact, question)

            addresses = {name: _address(log, name) for name in names}
            return _in_turn(names, ours, raw, seed)


def _in_turn(names: list[str], ours: Callable[[str], None], raw: Callable[[str], None], seed: int) -> _Times:
    dice = random.Random(seed)
    taken: dict[bool, list[float]] = {True: [], False: []}
    for name in names:
        ours(name)
        for mine in dice.sample((True, False), 2):
            started = time.perf_counter()
            (ours if mine else raw)(name)
            taken[mine].append(time.perf_counter() - started)
    return _Times(statistics.median(taken[True]) * 1e6, statistics.median(taken[False]) * 1e6)


def _sample(driver: Any, contacts: int, seed: int) -> list[str]:
    (head,) = driver.execute("SELECT max(position) FROM entry").fetchone()
    chosen = random.Random(seed).sample(range(2, head + 1), contacts)
    rows = (driver.execute("SELECT stream FROM entry WHERE position = ?", (one,)).fetchone() for one in chosen)
    return [uuid_text(row[0]) for row in rows]


def _address(log: Log, contact: str) -> str | None:
    return next((event.address for event in (decode(row[2]) for row in log.stream(contact)) if event.address), None)
