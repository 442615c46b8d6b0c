"""The mirror worker on real Kafka against a bare Faust agent that keeps the same tables.

Both read the same topic of six partitions from its beginning, by the same settings of Faust, into SQLite of the
same settings, in transactions of up to 500 records, and send one small message for each record that cannot be
read (one in a hundred) and wait for it. Otherwise neither sends anything: a mirror has nothing to say. Ours is the
whole worker: its watchdog, its dead letters, no record counted as done before its transaction, a batch tried again
while the database is away, and contacts taken by revision. The bare agent has none of it, and writes by the plain
driver. Each round is a process of its own, with a group and a database of its own; the sides take turns.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from adapters.kafka.admin import setup
from adapters.kafka.messages import status_message
from adapters.kafka.topics import STATUS, named
from tests.adapters.kafka.stream_world import AT, LEDGER, contact, status
from tests.bench import mirror_side
from tests.bench.figures import line
from tests.services.kafka import Broker

RECORDS, ROUNDS = 40_000, 5
SINGLES = 2_000
REFUSED_EVERY = 100
BAR = 0.5


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Records a second."""
    records, singles, rounds = (3_000, 300, 1) if quick else (RECORDS, SINGLES, ROUNDS)
    paces: dict[str, list[float]] = {"ours": [], "bare": [], "single": []}
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder) / "kafka")
        broker.start()
        try:
            prefix = "bench."
            setup(broker.url, prefix)
            _fill(broker.url, prefix, records)
            for number in range(rounds):
                for side, found in paces.items():
                    count = singles if side == "single" else records
                    found.append(_pace(side, broker.url, prefix, Path(folder) / f"{side}-{number}.db", count))
                assert _held(Path(folder) / f"ours-{number}.db") == _held(Path(folder) / f"bare-{number}.db")
        finally:
            broker.stop()
    ours, bare, single = (statistics.median(found) for found in paces.values())
    return [
        line("mirror: records/s, against a bare Faust agent with the same SQL", ours, bare, BAR),
        line("the same, against the bare agent with a transaction for each record", ours, single, None),
    ]


def _fill(servers: str, prefix: str, records: int) -> None:
    """Two values of each contact, the later one higher; now and then one that is no status."""
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 20})
    contacts = records // 2
    for number in range(records):
        turn, who = divmod(number, contacts)
        revision = (number + 1) * 1_000_000 + turn
        value = mirror_side.encode(status(who, revision))
        topic, key, _, headers = status_message(LEDGER, contact(who), revision, value, AT.isoformat(), prefix)
        told = b"{" if number % REFUSED_EVERY == 0 else value
        producer.produce(topic, told, key, headers=list(headers))
        if number % 1_000 == 0:
            producer.flush()
    assert producer.flush(60) == 0, named(STATUS, prefix)


def _held(database: Path) -> list[Any]:
    """Both tables."""
    with closing(sqlite3.connect(database)) as driver:
        return [
            driver.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4").fetchall()  # noqa: S608 - our names
            for table in ("mirror_contact", "mirror_cell")
        ]


def _pace(side: str, servers: str, prefix: str, database: Path, count: int) -> float:
    command = [sys.executable, "-m", mirror_side.__name__, side, servers, prefix, uuid.uuid4().hex]
    command += [str(database), str(count)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.stdout, done.stderr
    return float(done.stdout.split()[-1])
