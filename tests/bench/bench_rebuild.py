"""The status rebuilt from a million entries, against eventsourcing's own loop over its own recorder.

Ours folds, judges and packs about three cells a contact. The stock loop gets the easier work: pages of
`select_notifications`, the default Mapper and JSONTranscoder, a last-one-wins dict, one bulk write; it
judges nothing. It runs over a prefix (STOCK entries) and is compared by its rate. Every measurement is
a process of its own, so that memory is that of the work alone.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import (
    DatetimeAsISO,
    EventStore,
    JSONTranscoder,
    Mapper,
    UUIDAsHex,
)
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from ledger.codec import decode
from ledger.policy.rules import Policy
from ledger.policy.shipped import policy
from ledger.scanning import scanning
from projections import bulk, views
from projections.binding import Binding
from projections.generations import Files
from projections.tracking import Source
from tests.bench.mix import CACHE, FIRST, PER_CONTACT, history, kept_log

EVENTS, STOCK = 1_000_000, 100_000
ROUNDS = 3
BINDING = Binding(Source("bench", ""), bytes(32))
TIMES = 4.0
MEGABYTES = 400
PAGE = 5_000


@dataclass(frozen=True)
class Recorded(DomainEvent):
    """A fact as a stock application would hold it."""

    kind: str
    occurred_from: datetime
    address: str | None
    purposes: list[str]
    channels: list[str]
    detail: dict[str, str]


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Every figure of this module."""
    events, stock = (10_000, 5_000) if quick else (EVENTS, STOCK)
    kept_log(events)
    _stock_log(stock)
    ours: list[dict[str, float]] = []
    single: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for _ in range(1 if quick else ROUNDS):
        theirs.append(_apart("stock", stock))
        single.append(_apart("ours", events, 1))
        ours.append(_apart("ours", events, 2))
    rate, alone, reference = (_median(side, "rate") for side in (ours, single, theirs))
    megabytes = max(one["megabytes"] for one in ours + single)
    return [
        _at_least(f"rebuild of {events:,} entries, entries/s, 2 workers, against the stock loop", rate, reference),
        _at_least("the same, 1 worker", alone, reference, None),
        {
            "name": "the same, peak memory in MB, all processes together",
            "ours": megabytes,
            "reference": MEGABYTES,
            "ratio": megabytes / MEGABYTES,
            "bar": "<= 1.0",
            "holds": megabytes <= MEGABYTES,
        },
        *(
            _at_least(f"of one worker: {name}, us an entry", each, None, None)
            for name, each in _apart("phases", events).items()
        ),
    ]


def _at_least(name: str, ours: float, reference: float | None, bar: float | None = TIMES) -> dict[str, Any]:
    ratio = ours / reference if reference else None
    return {
        "name": name,
        "ours": ours,
        "reference": reference,
        "ratio": ratio,
        "bar": bar,
        "holds": None if bar is None or ratio is None else ratio >= bar,
    }


def _median(rounds: list[dict[str, float]], name: str) -> float:
    return statistics.median(one[name] for one in rounds)


# --- each in a process of its own ------------------------------------------------------------------


def _apart(what: str, *numbers: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.bench_rebuild", what, *map(str, numbers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=CACHE.parents[1])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ours(events: int, workers: int) -> dict[str, float]:
    rules = policy()
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        started = time.perf_counter()
        position = _build(kept_log(events), Path(folder), rules, workers)
        taken = time.perf_counter() - started
    return {"rate": position / taken, "megabytes": _megabytes()}


def _build(log: Path, folder: Path, rules: Policy, workers: int = 1) -> int:
    generations = Files(folder / "views.db", views.metadata)
    return bulk.build(log, generations, generations.new(), lambda _: rules, BINDING, workers)


def _megabytes() -> float:
    """Peak of this process and of the largest it waited for: with two workers there is one."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in whose) / 1024


def _phases(events: int) -> dict[str, float]:
    """What each step costs, as the difference a pass makes that goes one step further."""
    rules = policy()
    log = kept_log(events)
    with scanning(log) as source, tempfile.TemporaryDirectory(dir=CACHE) as folder:
        work = bulk.Work(log, events + 1, bulk.setting_at(source, events + 1, lambda _: rules), BINDING, ())
        scope = (work.first, work.last, work.stop)

        def fetched() -> None:
            for _ in source.rows(bulk.STREAMS, scope):
                pass

        def decoded() -> None:
            for row in source.rows(bulk.STREAMS, scope):
                decode(row[3])

        def evolved() -> None:
            for _ in bulk.folded(source, work):
                pass

        def judged() -> None:
            for _ in bulk.judged(work):
                pass

        def written() -> None:
            _build(log, Path(folder), rules)

        gc.disable()
        passes = {"fetch": fetched, "decode": decoded, "evolve": evolved, "judge": judged, "write": written}
        before, found = 0.0, {}
        for name, step in passes.items():
            taken = _seconds(step)
            found[name] = max(0.0, taken - before) * 1e6 / events
            before = taken
    return found


def _seconds(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


# --- the stock loop --------------------------------------------------------------------------------


def _mapper() -> Mapper[UUID]:
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    transcoder.register(DatetimeAsISO())
    return Mapper(transcoder)


def _stock_log(events: int) -> Path:
    """The first entries of the same history in the library's own SQLite recorder."""
    path = CACHE / f"stock-{events}.db"
    if not path.exists():
        building = path.with_suffix(".building")
        for left in CACHE.glob(f"{building.name}*"):
            left.unlink()
        recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(building)))
        recorder.create_table()
        store = EventStore(_mapper(), recorder)
        versions: dict[str, int] = {}
        facts = islice(history(EVENTS // PER_CONTACT), events)
        while page := list(islice(facts, PAGE)):
            store.put([_recorded(event, versions) for event in page])
        recorder.datastore.close()
        building.replace(path)
    return path


def _recorded(event: Any, versions: dict[str, int]) -> Recorded:
    versions[event.stream] = version = versions.get(event.stream, 0) + 1
    return Recorded(
        originator_id=UUID(event.stream),
        originator_version=version,
        timestamp=FIRST,
        kind=type(event).__name__,
        occurred_from=event.occurred_from,
        address=event.address,
        purposes=list(getattr(event, "purposes", ())),
        channels=list(getattr(event, "channels", ())),
        detail={"source": event.source, "by": event.by},
    )


def _stock(events: int) -> dict[str, float]:
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(_stock_log(events))))
    mapper = _mapper()
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        started = time.perf_counter()
        status: dict[tuple[UUID, str], tuple[str, int]] = {}
        last = 0
        while page := recorder.select_notifications(last, PAGE, inclusive_of_start=False):
            for notification in page:
                event: Any = mapper.to_domain_event(notification)
                for purpose in event.purposes or ("marketing.similar",):
                    status[event.originator_id, purpose] = (event.kind, notification.id)
            last = page[-1].id
        with closing(sqlite3.connect(Path(folder) / "views.db")) as driver:
            driver.execute("CREATE TABLE status (contact, purpose, basis, position, PRIMARY KEY (contact, purpose))")
            rows = [(key[0].hex, key[1], *value) for key, value in status.items()]
            driver.executemany("INSERT INTO status VALUES (?, ?, ?, ?)", rows)
            driver.commit()
        taken = time.perf_counter() - started
    return {"rate": events / taken, "megabytes": _megabytes()}


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    steps: dict[str, Callable[..., dict[str, float]]] = {"ours": _ours, "stock": _stock, "phases": _phases}
    print(json.dumps(steps[sys.argv[1]](*map(int, sys.argv[2:]))))
