"""Many processes at once: versions without a gap, positions without a gap, each acknowledged fact exactly once."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import pytest

from ledger import codec
from ledger.database import Location
from ledger.events import Clicked
from ledger.log import Draft, Log
from tests.contract.conftest import now
from tests.stores import Place
from tests.waiting import join

PROCESSES, THREADS = 4, 3
OPERATIONS, MANY = 1_000, int(os.environ.get("CONSENT_LEDGER_RACE", "4000"))
"""Facts sent in, each counted once however often it is sent; `make soak` sends 50,000."""


def facts(operations: int) -> list[Draft]:
    """The same facts in every process: a few hot streams, many cold ones, each fact with its own sid."""
    dice = random.Random(7)
    drafts: list[Draft] = []
    for number in range(operations):
        hot = dice.random() < 0.5
        stream = str(UUID(int=dice.randrange(5) if hot else 1_000 + dice.randrange(operations), version=4))
        sid = number.to_bytes(16, "big")
        event = Clicked(stream=stream, source="race")
        drafts.append(Draft(stream, codec.topic_of(event), codec.encode(event, sid=sid.hex()), sid))
    return drafts


def race(location: Location, operations: int, seed: int, line: Any) -> None:
    """Send a share of the facts, some of them twice, by ones and by batches, from several threads."""
    dice = random.Random(seed)
    mine = [one for one in facts(operations) if dice.random() < 2 / PROCESSES]
    acknowledged: list[tuple[bytes, int, int]] = []

    def send(part: list[Draft]) -> None:
        own = random.Random(len(part))
        while part:
            size = own.choice((1, 1, 2, 25))
            places = log.append(part[:size])
            acknowledged.extend((one.sid or b"", p.position, p.version) for one, p in zip(part, places, strict=False))
            del part[:size]

    with Log.make(location, now) as log, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, [mine[n::THREADS] for n in range(THREADS)]))
    line.send(acknowledged)


@pytest.mark.parametrize("operations", [OPERATIONS, pytest.param(MANY, marks=pytest.mark.slow)], ids=["some", "many"])
def test_racing_processes_lose_and_double_nothing(place: Place, operations: int) -> None:
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    lines, racers = [], []
    for seed in range(PROCESSES):
        ours, theirs = context.Pipe(duplex=False)
        racer = context.Process(target=race, args=(place("log"), operations, seed, theirs))
        racer.start()
        theirs.close()
        lines.append(ours)
        racers.append(racer)
    told = [one for line in lines for one in line.recv()]
    for racer in racers:
        join(racer)
        assert racer.exitcode == 0
    with Log.make(place("log"), now) as log:
        rows = [(position, version, codec.decode(state)) for position, version, state in log.entries()]
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    held = {bytes.fromhex(event.sid or ""): (position, version) for position, version, event in rows}
    assert len(held) == len(rows)
    assert {sid: place for sid, *place in told} == {sid: [*held[sid]] for sid in held}
    assert all(held[sid] == (position, version) for sid, position, version in told)
    versions: dict[str, list[int]] = {}
    for _, version, event in rows:
        versions.setdefault(event.stream, []).append(version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())
    moments = [event.recorded_at for _, _, event in rows if event.recorded_at]
    assert moments == sorted(moments)


def test_the_race_is_one() -> None:
    """Most facts are sent by more than one process."""
    shares = [random.Random(seed) for seed in range(PROCESSES)]
    senders = [sum(share.random() < 2 / PROCESSES for share in shares) for _ in range(1_000)]
    assert sum(count > 1 for count in senders) > 500
    assert pytest.approx(sum(senders) / 1_000, rel=0.2) == 2
