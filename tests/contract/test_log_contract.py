"""What every store of the log promises: order, density, each fact once, nothing overwritten, nothing lost."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger import codec
from ledger.database import Location
from ledger.events import Clicked
from ledger.log import Draft, Log
from tests.contract.conftest import Store, now
from tests.stores import Place
from tests.waiting import join, until


def draft(stream: str | None = None, sid: bytes | None = None) -> Draft:
    stream = stream or str(uuid4())
    event = Clicked(stream=stream, source="test")
    return Draft(stream, codec.topic_of(event), codec.encode(event, sid=sid.hex() if sid else None), sid)


def test_positions_are_dense_and_versions_count_per_stream(log: Log) -> None:
    one, other = str(uuid4()), str(uuid4())
    places = log.append([draft(one), draft(other), draft(one)])
    assert [(place.position, place.version) for place in places] == [(1, 1), (2, 1), (3, 2)]
    (place,) = log.append([draft(other)])
    assert (place.position, place.version) == (4, 2)
    assert len({place.recorded_at for place in places}) == 1
    assert [row[:2] for row in log.entries()] == [(1, 1), (2, 1), (3, 2), (4, 2)]
    assert log.append([]) == []


def test_what_is_read_is_canonical_and_stamped(log: Log) -> None:
    (place,) = log.append([draft()])
    ((_, _, entry),) = log.read(0, 10)
    event = codec.decode_strict(entry)
    assert event.recorded_at is not None
    assert codec.instant(event.recorded_at) == place.recorded_at == codec.recorded_at(entry)


def test_a_sid_is_taken_once_whoever_brings_it_again(log: Log, store: Store) -> None:
    sids = [os.urandom(16) for _ in range(3)]
    first = log.append([draft(sid=sids[0]), draft(sid=sids[1]), draft(sid=sids[0])])
    assert [(place.position, place.fresh) for place in first] == [(1, True), (2, True), (1, False)]
    again = store().append([draft(sid=sids[1]), draft(sid=sids[2]), draft()])
    assert [(place.position, place.fresh) for place in again] == [(2, False), (3, True), (4, True)]
    assert log.append([draft(sid=sids[2])])[0][:2] == (3, 1)
    assert log.last_position() == 4
    assert {sid: known.position for sid, known in log.find([*sids, os.urandom(16)]).items()} == dict(
        zip(sids, (1, 2, 3), strict=True)
    )


def test_a_clock_set_back_is_written_beside_the_moment_of_the_log(place: Place) -> None:
    """One by one and many at once: the log's moment never goes back, and what the clock showed is kept."""
    clock = [datetime(2028, 1, 1, tzinfo=UTC)]
    with Log.make(place("log"), lambda: clock[0]) as log:
        log.append([draft()])
        clock[0] = datetime(2026, 12, 1, tzinfo=UTC)
        log.append([draft()])
        log.append([draft(), draft()])
        clock[0] = datetime(2029, 1, 1, tzinfo=UTC)
        log.append([draft()])
        events = [codec.decode_strict(entry) for _, _, entry in log.read(0, 10)]
    assert [n.recorded_at and n.recorded_at.year for n in events] == [2028, 2028, 2028, 2028, 2029]
    assert [n.recorded_clock and n.recorded_clock.year for n in events] == [None, 2026, 2026, 2026, None]


def test_a_malformed_draft_stops_its_caller_alone(log: Log) -> None:
    stream = str(uuid4())
    stamped = codec.stamp(draft(stream).entry, codec.instant(now()))
    with pytest.raises(codec.EntryError, match="set by the log alone"):
        log.append([draft(), Draft(stream, "contact.clicked.v1", stamped)])
    with pytest.raises(codec.EntryError, match="not a UUID"):
        log.append([draft()._replace(stream="anna")])
    assert log.last_position() == 0
    assert log.append([draft(stream)])[0][:2] == (1, 1)


def test_errors_in_a_shared_commit_reach_only_who_caused_them(log: Log) -> None:
    stamped = Draft(str(uuid4()), "contact.clicked.v1", codec.stamp(draft().entry, codec.instant(now())))

    def one(number: int) -> bool:
        try:
            log.append([stamped if number % 5 == 0 else draft()])
        except codec.EntryError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(one, range(200)))
    assert accepted == [number % 5 != 0 for number in range(200)]
    assert [row[0] for row in log.entries()] == list(range(1, 161))


def test_eight_threads_get_dense_positions_and_every_fact_once(log: Log) -> None:
    streams = [str(uuid4()) for _ in range(5)]
    sids = [os.urandom(16) for _ in range(100)]  # each brought by two threads

    def work(number: int) -> list[tuple[int, bool]]:
        return [
            (place.position, place.fresh)
            for sid in sids[25 * (number // 2) : 25 * (number // 2) + 25]
            for place in log.append([draft(streams[number % 5], sid), draft(streams[number % 5])])
        ]

    with ThreadPoolExecutor(8) as pool:
        placed = [place for places in pool.map(work, range(8)) for place in places]
    assert sorted(position for position, fresh in placed if fresh) == list(range(1, 301))
    assert log.last_position() == 300
    for stream in streams:
        assert [row[1] for row in log.stream(stream)] == list(range(1, len(log.stream(stream)) + 1))


_STREAM = "5a3a5f3c-4f05-4d0d-9f65-0a3f3f6a6d10"


def _append_some(path: Location, number: int) -> None:
    with Log.make(path, now) as log:
        for _ in range(number):
            log.append([draft(_STREAM), draft()])


def _append_for_ever(path: Location, acknowledged: Connection) -> None:
    with Log.make(path, now) as log:
        while True:
            acknowledged.send(log.append([draft() for _ in range(7)])[-1].position)


@pytest.fixture(scope="module")
def processes() -> Any:
    """Processes of their own, started from one that has everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def test_two_processes_share_one_log(place: Place, processes: Any) -> None:
    path = place("log")
    writers = [processes.Process(target=_append_some, args=(path, 60)) for _ in range(2)]
    for writer in writers:
        writer.start()
    join(*writers)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with Log.make(path, now) as log:
        rows = list(log.entries())
        assert [row[0] for row in rows] == list(range(1, 241))
        assert [row[1] for row in log.stream(_STREAM)] == list(range(1, 121))
    moments = [codec.recorded_at(row[2]) or "" for row in rows]
    assert moments == sorted(moments)


def test_a_killed_writer_loses_nothing_it_acknowledged(place: Place, processes: Any) -> None:
    path = place("log")
    for cycle in range(10):
        ours, theirs = processes.Pipe(duplex=False)
        writer = processes.Process(target=_append_for_ever, args=(path, theirs))
        writer.start()
        theirs.close()
        acknowledged = ours.recv()
        time.sleep(0.003 * cycle)
        writer.kill()
        writer.join()
        while ours.poll():
            try:
                acknowledged = ours.recv()
            except (EOFError, OSError):
                break
        with Log.make(path, now) as log:
            head = log.last_position()
            assert head >= acknowledged
            assert head % 7 == 0
            assert [row[0] for row in log.entries()] == list(range(1, head + 1))
    if place.url is None:
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET topic = 'x' WHERE position = 1",
        "UPDATE OR REPLACE entry SET position = 2 WHERE position = 1",
        "DELETE FROM entry WHERE position = 3",
        "DELETE FROM entry",
        "INSERT INTO entry SELECT 3, x'00', 1, topic, state, NULL FROM entry WHERE position = 1",
        "INSERT INTO entry SELECT 5, x'00', 1, topic, state, NULL FROM entry WHERE position = 1",
        "INSERT INTO entry (stream, version, topic, state) SELECT x'00', 1, topic, state FROM entry",
        "INSERT OR REPLACE INTO entry SELECT position, stream, version, 'x', state, sid FROM entry",
        "INSERT OR REPLACE INTO entry SELECT 4, stream, version, topic, state, NULL FROM entry",
        "INSERT OR REPLACE INTO entry SELECT 4, x'00', 1, topic, state, sid FROM entry WHERE position = 1",
        "REPLACE INTO entry SELECT 4, x'00', 1, topic, state, sid FROM entry WHERE position = 2",
        "INSERT INTO entry SELECT position, stream, version, 'x', state, sid FROM entry WHERE position = 1 "
        "ON CONFLICT (position) DO UPDATE SET topic = 'x'",
        "UPDATE document SET bytes = x'00'",
        "DELETE FROM document",
        "INSERT OR REPLACE INTO document SELECT sha256, x'00' FROM document",
    ],
)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_the_database_itself_refuses(tmp_path: Path, statement: str, recursive: str) -> None:
    """Through any client: a plain connection that knows nothing of us."""
    with Log.make(tmp_path / "log.db", now) as log:
        log.append([draft(sid=os.urandom(16)) for _ in range(3)])
        log.put_document(b"Yes, send me news.")
        before = list(log.entries()), list(log.documents())
        client = sqlite3.connect(tmp_path / "log.db")
        client.execute(f"PRAGMA recursive_triggers = {recursive}")
        with pytest.raises(sqlite3.DatabaseError):
            client.execute(statement)
        client.commit()
        client.close()
        assert (list(log.entries()), list(log.documents())) == before


def test_the_moment_of_recording_never_goes_back(place: Place) -> None:
    moments = iter([2030, 2020, 2025, 2020])
    clock = lambda: now().replace(year=next(moments))  # noqa: E731
    path = place("log")
    with Log.make(path, clock) as log:
        first, second = log.append([draft()])[0], log.append([draft()])[0]
        log.insert_events([StoredEvent(uuid4(), 1, "foreign", b"no moment in here")])
        assert second.recorded_at == first.recorded_at
    with Log.make(path, clock) as log:
        assert log.append([draft()])[0].recorded_at == first.recorded_at


def test_both_doors_lead_into_one_log(log: Log) -> None:
    stream = uuid4()
    log.append([draft(str(stream))])
    assert log.insert_events([StoredEvent(stream, 2, "foreign", b"state")]) == [2]
    with pytest.raises(IntegrityError):
        log.insert_events([StoredEvent(stream, 3, "foreign", b""), StoredEvent(stream, 2, "foreign", b"")])
    (place,) = log.append([draft(str(stream))])
    assert place[:2] == (3, 3)
    assert [event.originator_version for event in log.select_events(str(stream), gt=1)] == [2, 3]


def test_reading_in_ranges_and_by_stream(log: Log) -> None:
    streams = [str(uuid4()) for _ in range(3)]
    log.append([draft(streams[number % 3]) for number in range(30)])
    assert [row[0] for row in log.entries(after=5, stop=9)] == [6, 7, 8, 9]
    assert [row[0] for row in log.entries(streams=streams[:2], after=3, stop=9)] == [4, 5, 7, 8]
    assert [row[:2] for row in log.stream(streams[1], upto_position=8)] == [(2, 1), (5, 2), (8, 3)]
    assert [row[0] for row in log.read(28, 100)] == [29, 30]
    assert log.stream(str(uuid4())) == []


def test_documents_are_kept_once(log: Log) -> None:
    sha256 = log.put_document(b"notice")
    assert log.put_document(b"notice") == sha256
    assert log.document(sha256) == b"notice"
    assert log.document("00" * 32) is None
    assert dict(log.documents()) == {sha256: b"notice"}


def test_a_subscription_follows_this_process_and_others_and_stops(log: Log, store: Store) -> None:
    subscription = log.subscribe(gt=0)
    seen: list[int] = []

    def follow() -> None:
        seen.extend(notification.id for notification in subscription)

    follower = Thread(target=follow)
    follower.start()
    log.append([draft()])
    store().append([draft()])  # another recorder, as in another process: found by polling
    until(lambda: len(seen) == 2)
    subscription.stop()
    join(follower)
    assert seen == [1, 2]


def test_closing_the_log_ends_subscriptions(log: Log) -> None:
    subscription = log.subscribe()
    log.close()
    assert list(subscription) == []
