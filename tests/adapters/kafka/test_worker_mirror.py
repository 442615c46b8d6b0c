"""The mirror as a process on real Kafka: poison, lost workers, rebalances, locked databases."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from adapters.cli.options import EXIT
from adapters.kafka.dead_letters import Letter
from adapters.kafka.messages import Message
from adapters.kafka.topics import STATUS, STATUS_DLQ
from tests.adapters.kafka.stream_world import Worker, World, contact, lag, status, told, world
from tests.services.kafka import Broker, free_port
from tests.waiting import BUDGET, until

pytestmark = pytest.mark.service


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Topics and workers of this test."""
    with world(tmp_path) as made:
        yield made


def mirrored(here: World) -> dict[str, tuple[int, int, list[str]]]:
    """Of each contact: revision, gone, and the reasons of its cells in order."""
    connection = sqlite3.connect(here.folder / "mirror.db", timeout=BUDGET)
    try:
        contacts = connection.execute("SELECT contact, revision, gone FROM mirror_contact").fetchall()
        cells = connection.execute("SELECT contact, reason FROM mirror_cell ORDER BY contact, purpose").fetchall()
    finally:
        connection.close()
    held: dict[str, tuple[int, int, list[str]]] = {name: (revision, gone, []) for name, revision, gone in contacts}
    for name, reason in cells:
        held[name][2].append(reason)
    return held


def expected(revisions: dict[int, int], gone: Iterable[int] = ()) -> dict[str, tuple[int, int, list[str]]]:
    """What must be held when these are the highest revisions."""
    lost = set(gone)
    return {
        contact(n): (r, int(n in lost), [] if n in lost else [f"revision {r}" for _ in status(n, r).cells])
        for n, r in revisions.items()
    }


def letters(here: World) -> dict[str, Letter]:
    """Every letter, by place; a later value takes the place of an earlier one."""
    read = [msgspec.json.decode(value or b"", type=Letter) for _, value, _ in here.read(STATUS_DLQ)]
    return {letter.place: letter for letter in read}


def mixed(here: World, chance: random.Random, contacts: int, revisions: int) -> list[Message]:
    """Values of many contacts, reordered and doubled across and within keys."""
    once = [told(here, number, revision) for number in range(contacts) for revision in range(1, revisions + 1)]
    sent = once + chance.choices(once, k=len(once) // 3)
    chance.shuffle(sent)
    return sent


def test_one_in_a_hundred_is_poison(here: World) -> None:
    """Dead letters are counted exactly, with their places; all else is applied, and nothing is asked twice."""
    chance = random.Random(4)
    sent = mixed(here, chance, contacts=300, revisions=5)
    bad = [
        Message(here.topic(STATUS), contact(n).encode(), b"planted-marker %d" % n, []) for n in range(len(sent) // 100)
    ]
    for message in bad:
        sent.insert(chance.randrange(len(sent)), message)
    sent += [told(here, number, 5, gone=True) for number in range(10)]
    here.send(sent)
    worker = here.worker("mirror")
    here.drained("mirror", STATUS)
    assert mirrored(here) == expected(dict.fromkeys(range(300), 5), gone=range(10))
    held = letters(here)
    assert len(held) == len(bad) == 20
    assert {one.raw.value for one in held.values() if one.raw} == {one.value for one in bad}
    assert all(one.place.startswith(here.topic(STATUS) + "/") and "marker" not in one.error for one in held.values())
    until(worker.ready)
    metrics = worker.get("/metrics")[1]
    assert f"consent_ledger_worker_dead_letters_total {len(bad)}.0" in metrics
    assert f"consent_ledger_worker_records_total {len(sent)}.0" in metrics
    until(lambda: "consent_ledger_worker_lag 0.0" in worker.get("/metrics")[1])
    assert worker.stop() == 0
    assert "planted-marker" not in worker.said()


def test_killed_in_the_middle_of_a_batch(here: World) -> None:
    """What was not committed comes again, to whoever takes over; what waits in a transaction is not acknowledged."""
    here.send(told(here, number, 1) for number in range(50))
    first = here.worker("mirror")
    here.drained("mirror", STATUS)
    lock = sqlite3.connect(here.folder / "mirror.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    here.send(told(here, number, 2) for number in range(50))
    until(lambda: "consent_ledger_worker_records_total 50.0" in first.get("/metrics")[1])
    time.sleep(1.0)  # long enough for the batch to be read, and for offsets to be committed wrongly
    first.kill()
    lock.rollback()
    lock.close()
    assert mirrored(here) == expected(dict.fromkeys(range(50), 1))
    here.worker("mirror")
    here.drained("mirror", STATUS)
    assert mirrored(here) == expected(dict.fromkeys(range(50), 2))


def test_workers_come_and_go(here: World) -> None:
    """Joined, killed and stopped while records flow: the end is what was told last, nothing is lost."""
    chance = random.Random(11)
    sent = mixed(here, chance, contacts=400, revisions=20)
    running = [here.worker("mirror")]
    rounds = 8
    for number in range(rounds):
        here.send(sent[number::rounds])
        until(lambda: all(worker.joined() for worker in running))
        if number in (1, 4):
            running.pop(0).kill()
        if number == 5:
            assert running.pop(0).stop() == 0
        if number in (0, 1, 3, 4):
            running.append(here.worker("mirror"))
        time.sleep(chance.random())
    here.drained("mirror", STATUS)
    assert mirrored(here) == expected(dict.fromkeys(range(400), 20))
    assert letters(here) == {}
    for worker in running:
        assert worker.stop() == 0


def test_not_ready_while_the_database_is_locked(here: World) -> None:
    """It waits, says so, and goes on by itself."""
    here.send([told(here, 0, 1)])
    worker = here.worker("mirror", CONSENT_LEDGER_MIRROR_URL=f"sqlite:///{here.folder / 'mirror.db'}?timeout=0.1")
    here.drained("mirror", STATUS)
    until(worker.ready)
    lock = sqlite3.connect(here.folder / "mirror.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    here.send([told(here, 0, 2)])
    until(lambda: worker.get("/readyz")[0] == 503)
    assert "no offset committed while records wait, partition" in worker.get("/readyz")[1]
    assert worker.get("/livez")[0] == 200
    lock.rollback()
    lock.close()
    until(worker.ready)
    assert mirrored(here) == expected({0: 2})
    assert letters(here) == {}


def test_ended_while_the_database_is_locked(here: World) -> None:
    """SIGTERM ends it in its time even so, and nothing is acknowledged."""
    here.send([told(here, 0, 1)])
    worker = here.worker("mirror", CONSENT_LEDGER_MIRROR_URL=f"sqlite:///{here.folder / 'mirror.db'}?timeout=60")
    here.drained("mirror", STATUS)
    lock = sqlite3.connect(here.folder / "mirror.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    here.send([told(here, 0, 2)])
    time.sleep(1.0)  # the batch is at the lock by then; were it not, the test would only be easier
    assert worker.stop() == EXIT.TEMPORARY
    lock.rollback()
    lock.close()
    here.worker("mirror")
    here.drained("mirror", STATUS)
    assert mirrored(here) == expected({0: 2})


def test_the_broker_is_away_for_longer_than_a_session(tmp_path: Path) -> None:
    """The worker lives, says that it is not ready, and goes on by itself where it was."""
    broker = Broker(tmp_path / "kafka")
    broker.start()
    try:
        with world(tmp_path, broker.url) as here:
            worker = here.worker("mirror")
            until(worker.ready)
            here.send(told(here, number, 1) for number in range(50))
            here.drained("mirror", STATUS)
            broker.kill()
            until(lambda: worker.get("/readyz")[0] == 503)
            assert worker.get("/livez")[0] == 200
            broker.start()
            here.send(told(here, number, 2) for number in range(50))
            here.drained("mirror", STATUS)
            until(worker.ready)
            assert mirrored(here) == expected(dict.fromkeys(range(50), 2))
            assert worker.stop() == 0
    finally:
        broker.stop()


def test_begun_while_the_broker_is_away(tmp_path: Path) -> None:
    """It says so, and that it may be started again; a broker that goes away later is waited for."""
    env = {
        "PATH": os.environ["PATH"],
        "CONSENT_LEDGER_KAFKA": f"127.0.0.1:{free_port()}",
        "CONSENT_LEDGER_MIRROR_URL": f"sqlite:///{tmp_path / 'mirror.db'}",
    }
    worker = Worker("mirror", env, tmp_path / "mirror.log")
    assert worker.ended() == EXIT.TEMPORARY
    assert "the broker does not answer" in worker.said()
    assert "Traceback" not in worker.said()


FAULTY = """
import sys
from adapters import logs
from adapters.kafka.worker import Member, Work, run
from adapters.wiring import now

def handle(records):
    raise KeyError("planted-marker")

logs.take_over(logs.to_stdout(now))
servers, topic = sys.argv[1:]
sys.exit(run(Work("faulty", topic, handle, ()), Member("me", servers, "127.0.0.1", None, 3.0, 4.0), lambda port: None))
"""


def test_a_handler_at_fault_ends_the_worker(here: World) -> None:
    """It does not go on behind the batch: nothing is acknowledged, and nothing of the value is told."""
    here.send([told(here, 0, 1)])
    arguments = [sys.executable, "-c", FAULTY, here.servers, here.topic(STATUS)]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=BUDGET, check=False)
    assert ended.returncode == EXIT.ERROR
    assert '"error":"KeyError"' in ended.stdout
    assert "planted-marker" not in ended.stdout + ended.stderr
    with lag(here.servers, "faulty", here.topic(STATUS)) as left:
        assert left() == 1
