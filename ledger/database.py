"""SQLite files: how they are opened, locked and read; commits shared by many threads.

Everything a dialect decides stands here or in the DDL beside a table, so that PostgreSQL
can follow without the log or the vault being written again. SQLAlchemy Core holds the tables
and the connections; hot paths run on its driver connection.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

CHUNK = 500
"""Values in one IN list: far below every limit of SQLite's, and above it nothing gets faster."""

_PRAGMAS = (
    "busy_timeout = 30000",
    "synchronous = FULL",
    "wal_autocheckpoint = 16000",
    "cache_size = -24576",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
    "foreign_keys = ON",
)
_READER_PRAGMAS = ("query_only = ON", "cache_size = -16384", "mmap_size = 33554432")


class DurabilityError(RuntimeError):
    """The database would acknowledge what a power cut can take away; we do not start on that."""


def uuid_bytes(text: str) -> bytes:
    """UUID text to its 16 bytes. ValueError when it is none."""
    raw = bytes.fromhex(text.replace("-", ""))
    if len(raw) != 16:
        raise ValueError("not a UUID")
    return raw


def uuid_text(raw: bytes) -> str:
    """16 bytes to UUID text; three times as fast as going through `uuid.UUID`."""
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


T = TypeVar("T")
R = TypeVar("R")


def chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """The values in slices of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class Database:
    """One SQLite file: a single writing connection under a lock, and reading ones that never block it.

    Raises DurabilityError when the file cannot be had in WAL mode with `synchronous=FULL`.
    """

    def __init__(self, path: Path, metadata: sa.MetaData, pragmas: Iterable[str] = ()) -> None:
        self.path = path
        _create_private(path)
        self.engine = sa.create_engine(
            f"sqlite+pysqlite:///{path}",
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "isolation_level": None, "cached_statements": 256},
        )
        extra = tuple(pragmas)
        sa.event.listen(self.engine, "connect", lambda driver, _: _prepare(driver, extra))
        self._lock = Lock()
        self._writer = self.engine.connect()
        self.driver = _driver(self._writer)
        self._idle: deque[sa.Connection] = deque()
        self.closed = False
        try:
            _assert_durable(self.driver)
            with self.writing():
                metadata.create_all(self._writer)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end, rolled back on any error."""
        with self._lock:
            self.driver.execute("BEGIN IMMEDIATE")
            try:
                yield self.driver
                self.driver.execute("COMMIT")
            except BaseException:
                if self.driver.in_transaction:
                    self.driver.execute("ROLLBACK")
                raise

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """`writing`, for those who speak SQLAlchemy."""
        with self.writing():
            yield self._writer

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread's reads; it cannot write and does not wait for the writer."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.engine.connect()
            for pragma in _READER_PRAGMAS:
                _driver(connection).execute(f"PRAGMA {pragma}")
        try:
            yield _driver(connection)
        finally:
            if self.closed:
                connection.close()
            else:
                self._idle.append(connection)

    def empty_wal(self) -> None:
        """Move the WAL into the file and truncate it; readers in between may leave that to a later call."""
        with self._lock:
            self.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        """Close every idle connection and the writer. Idempotent."""
        with self._lock:
            self.closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()
            self.engine.dispose()


def _create_private(path: Path) -> None:
    """The file, readable by its owner alone; SQLite gives its WAL the same mode."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _prepare(driver: Any, extra: tuple[str, ...]) -> None:
    for pragma in (*_PRAGMAS, *extra):
        driver.execute(f"PRAGMA {pragma}").close()
    _use_wal(driver)


def _use_wal(driver: Any, attempts: int = 100) -> None:
    """WAL is a property of the file. The change itself ignores busy_timeout, hence the loop."""
    for attempt in range(attempts):
        try:
            driver.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.02)
        else:
            return


def _assert_durable(driver: sqlite3.Connection) -> None:
    (mode,) = driver.execute("PRAGMA journal_mode").fetchone()
    (level,) = driver.execute("PRAGMA synchronous").fetchone()
    if mode != "wal" or level < 2:
        raise DurabilityError(
            f"SQLite runs with journal_mode={mode}, synchronous={level}; the ledger needs wal and FULL (2): "
            "keep the file on a local disk and use a build that allows both"
        )


_PAUSE_SECONDS = 0.00005
_MOST_PAUSES = 5


class _Ticket(Generic[T, R]):
    """One caller's items on their way into a shared commit."""

    __slots__ = ("error", "items", "leads", "results", "wake")

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items
        self.results: list[R] = []
        self.error: BaseException | None = None
        self.leads = False
        self.wake = Lock()
        self.wake.acquire()


class SharedCommit(Generic[T, R]):
    """Callers in many threads, one transaction: the first leads and commits for all who queued meanwhile.

    `write(items) -> results` is one transaction. When a shared one fails, every caller's items are
    written again on their own, so that an error reaches the caller who caused it and nobody else.
    """

    def __init__(self, write: Callable[[Sequence[T]], list[R]], most: int = 20_000) -> None:
        self._write = write
        self._most = most
        self._mutex = Lock()
        self._waiting: deque[_Ticket[T, R]] = deque()
        self._busy = False
        self._usual = 1

    def submit(self, items: Sequence[T]) -> list[R]:
        """Results of these items, returned only after the commit that holds them."""
        ticket: _Ticket[T, R] = _Ticket(items)
        with self._mutex:
            self._waiting.append(ticket)
            if not self._busy:
                self._busy = ticket.leads = True
        if not ticket.leads:
            ticket.wake.acquire()
        if ticket.leads:
            self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.results

    def _lead(self, own: _Ticket[T, R]) -> None:
        """Commit what waits, own ticket first in line, then hand the lead to the next in line."""
        self._gather()
        group = self._take()
        self._usual = len(group)
        try:
            self._commit(group)
        finally:
            with self._mutex:
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].wake.release()
                else:
                    self._busy = False
            for ticket in group:
                if ticket is not own:
                    ticket.wake.release()

    def _gather(self) -> None:
        """Let the callers of the last group come back first, as long as they keep coming.

        Without it commits alternate between one early caller and all the others. A lone caller never waits.
        """
        for _ in range(_MOST_PAUSES):
            before = len(self._waiting)
            if before >= self._usual:
                return
            time.sleep(_PAUSE_SECONDS)
            if len(self._waiting) == before:
                return

    def _take(self) -> list[_Ticket[T, R]]:
        with self._mutex:
            group = [self._waiting.popleft()]
            size = len(group[0].items)
            while self._waiting and size + len(self._waiting[0].items) <= self._most:
                group.append(self._waiting.popleft())
                size += len(group[-1].items)
        return group

    def _commit(self, group: list[_Ticket[T, R]]) -> None:
        try:
            results = self._write(_all_items(group))
        except BaseException as error:  # noqa: BLE001 - whoever waits must be woken, whatever went wrong
            if len(group) == 1:
                group[0].error = error
            elif isinstance(error, Exception):
                for ticket in group:
                    self._commit([ticket])
            else:  # an interrupt is meant for this thread, not for those it commits for
                group[0].error = error
                self._commit(group[1:])
            return
        start = 0
        for ticket in group:
            ticket.results = results[start : start + len(ticket.items)]
            start += len(ticket.items)


def _all_items(group: list[_Ticket[T, R]]) -> Sequence[T]:
    if len(group) == 1:
        return group[0].items
    return [item for ticket in group for item in ticket.items]
