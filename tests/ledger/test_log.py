"""The SQLite file under the log: durable or refused, private, and never blocked by a reader."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from eventsourcing.persistence import ProgrammingError, StoredEvent

from ledger import sqlite
from ledger.damage import DamagedError
from ledger.database import DurabilityError, uuid_bytes, uuid_text
from ledger.log import Log
from ledger.shared_commit import SharedCommit
from ledger.sqlite import SqliteDatabase
from tests.waiting import join


def now() -> datetime:
    return datetime.now(UTC)


def test_less_than_full_durability_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_PRAGMAS", (*sqlite._PRAGMAS, "synchronous = NORMAL"))
    with pytest.raises(DurabilityError, match="synchronous=1"):
        Log.make(tmp_path / "log.db", now)


def test_a_journal_other_than_wal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_use_wal", lambda driver: driver.execute("PRAGMA journal_mode = DELETE"))
    with pytest.raises(DurabilityError, match="journal_mode=delete"):
        Log.make(tmp_path / "log.db", now)


def test_the_files_are_private(tmp_path: Path) -> None:
    with Log.make(f"sqlite:///{tmp_path}/log.db", now) as log:
        log.insert_events([StoredEvent(str(_uuid()), 1, "topic", b"state")])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("log.db", "log.db-wal", "log.db-shm"), 0o600)


def _uuid() -> str:
    return uuid_text(os.urandom(16))


def test_a_reader_in_the_middle_does_not_block_the_writer(tmp_path: Path) -> None:
    with Log.make(tmp_path / "log.db", now) as log:
        for version in range(10):
            log.insert_events([StoredEvent(_uuid(), version, "topic", b"state")])
        entries = log.entries()
        next(entries)
        log.insert_events([StoredEvent(_uuid(), 1, "topic", b"state")])
        with log._database.reading() as driver, pytest.raises(sqlite3.OperationalError):
            driver.execute("DELETE FROM document")  # a reading connection cannot write at all


def test_errors_are_the_librarys(tmp_path: Path) -> None:
    log = Log.make(tmp_path / "log.db", now)
    with pytest.raises(ProgrammingError):
        log.insert_events([StoredEvent(_uuid(), 1, "topic", b"state")], tracking=1)
    log.close()
    log.close()
    with pytest.raises(ProgrammingError):
        log.insert_events([StoredEvent(_uuid(), 1, "topic", b"state")])
    (tmp_path / "no.db").write_bytes(b"this is not a database, and it is longer than a header of one " * 20)
    with pytest.raises(DamagedError, match=r"no\.db is damaged"):
        Log.make(tmp_path / "no.db", now)


def test_uuid_bytes_and_back() -> None:
    raw = os.urandom(16)
    assert uuid_bytes(uuid_text(raw)) == raw
    for text in ("", "0" * 30, "g" * 32):
        with pytest.raises(ValueError):
            uuid_bytes(text)


def test_a_failed_transaction_leaves_no_trace(tmp_path: Path) -> None:
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("a", sa.Integer, primary_key=True))
    store = SqliteDatabase(tmp_path / "t.db", metadata)
    with suppress(RuntimeError), store.writing() as driver:
        driver.execute("INSERT INTO t VALUES (1)")
        raise RuntimeError
    with store.writing() as driver:
        driver.execute("INSERT INTO t VALUES (2)")
    with store.reading() as driver:
        assert driver.execute("SELECT a FROM t").fetchall() == [(2,)]
    store.close()


def test_an_interrupt_of_the_leader_is_not_the_followers() -> None:
    tried: list[Any] = []

    def write(items: Any) -> list[Any]:
        tried.append(list(items))
        if "stop" in items:
            raise KeyboardInterrupt
        return [item.upper() for item in items]

    shared: SharedCommit[str, str] = SharedCommit(write)
    results: dict[str, Any] = {}

    def submit(item: str) -> None:
        try:
            results[item] = shared.submit([item])
        except KeyboardInterrupt as error:
            results[item] = error

    threads = [Thread(target=submit, args=(item,)) for item in ("a", "stop", "b", "c")]
    for thread in threads:
        thread.start()
    join(*threads)
    assert isinstance(results.pop("stop"), KeyboardInterrupt)
    assert results == {"a": ["A"], "b": ["B"], "c": ["C"]}


def test_what_is_nobodys_fault_is_not_tried_once_more_for_each() -> None:
    """A lock that is held for long is met once by all who wait together, not by one after the other."""
    first, tried = Event(), list[int]()

    def write(items: Sequence[str]) -> list[str]:
        tried.append(len(items))
        if len(tried) == 1:
            first.set()
            waiting.wait()
        raise OSError("busy")

    shared: SharedCommit[str, str] = SharedCommit(write, is_nobodys=lambda error: isinstance(error, OSError))
    waiting, errors = Event(), list[BaseException]()

    def submit(item: str) -> None:
        try:
            shared.submit([item])
        except OSError as error:
            errors.append(error)

    threads = [Thread(target=submit, args=(item,)) for item in "abcdef"]
    threads[0].start()
    first.wait()
    for thread in threads[1:]:
        thread.start()
    while len(shared._waiting) < len(threads) - 1:
        time.sleep(0.001)
    waiting.set()
    for thread in threads:
        thread.join()
    assert tried == [1, 5]
    assert len(errors) == 6
