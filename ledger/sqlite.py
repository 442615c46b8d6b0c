"""SQLite files: how they are opened, locked and read.

SQLAlchemy Core holds the tables and the connections; hot paths run on its driver connection.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from ledger.damage import damage_of, naming_damage
from ledger.database import Database, DurabilityError, SetupError

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

_Reader = tuple[sqlite3.Connection, sa.Connection]
"""A connection as it is used, and as it is closed."""


class SqliteDatabase(Database):
    """One SQLite file: a single writing connection under a lock, and reading ones that never block it.

    Readers also see the files `beside` it, each under its name.

    Raises DurabilityError when the file cannot be had in WAL mode with `synchronous=FULL`, and here as in every
    transaction DamagedError when it is no whole database.
    """

    dbapi = sqlite3

    def __init__(
        self,
        path: Path,
        metadata: sa.MetaData,
        pragmas: Iterable[str] = (),
        beside: Mapping[str, Path] | None = None,
    ) -> None:
        self._beside = beside or {}
        self.path = path
        self.read_only = cannot_be_written(path)
        if not self.read_only:
            _create_private(path)
        with naming_damage(path):
            self._open(path, metadata, () if self.read_only else tuple(pragmas))

    def _open(self, path: Path, metadata: sa.MetaData, extra: tuple[str, ...]) -> None:
        self.engine = sa.create_engine(
            f"sqlite+pysqlite:///{f'{uri_of(path)}&uri=true' if self.read_only else path}",
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "isolation_level": None, "cached_statements": 256},
        )
        wal = not self.read_only
        sa.event.listen(self.engine, "connect", lambda driver, _: _prepare(driver, extra, wal=wal))
        self._lock = Lock()
        self._patience = -1.0
        self._writer = self.engine.connect()
        self.driver = _driver(self._writer)
        self._idle: deque[_Reader] = deque()
        self.closed = False
        try:
            if not self.read_only:
                _assert_durable(self.driver)
                with self.writing():
                    metadata.create_all(self._writer)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end, rolled back on any error. SetupError where nobody may write."""
        if self.read_only:
            raise SetupError(f"{self.path} cannot be written here: it can be read, and nothing can be recorded")
        if not self._lock.acquire(timeout=self._patience):
            raise _busy()
        try:
            with naming_damage(self.path):
                self.driver.execute("BEGIN IMMEDIATE")
                try:
                    yield self.driver
                    self.driver.execute("COMMIT")
                except BaseException:
                    if self.driver.in_transaction:
                        self.driver.execute("ROLLBACK")
                    raise
        finally:
            self._lock.release()

    def wait_at_most(self, seconds: float) -> None:
        """Bound what a writer waits; SQLite's own wait is for other processes."""
        with self._lock:
            self._patience = seconds
            self.driver.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}").close()

    def is_busy(self, error: BaseException) -> bool:
        """Whether others were writing for too long."""
        code = getattr(error, "sqlite_errorcode", None) or 0  # none where Python itself raised it
        return isinstance(error, sqlite3.OperationalError) and code & 0xFF == sqlite3.SQLITE_BUSY

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for one thread's reads; it cannot write and does not wait for the writer."""
        return _Lent(self)

    def take(self) -> _Reader:
        """A connection that only reads: an idle one, else a new one."""
        try:
            return self._idle.pop()
        except IndexError:
            connection = self.engine.connect()
        driver = _driver(connection)
        for pragma in _READER_PRAGMAS:
            driver.execute(f"PRAGMA {pragma}")
        for name, path in self._beside.items():
            driver.execute(f"ATTACH ? AS {name}", (str(path),))
        return driver, connection

    def give_back(self, reader: _Reader) -> None:
        """It is idle again."""
        if self.closed:
            reader[1].close()
        else:
            self._idle.append(reader)

    def forget(self) -> None:
        """Move the WAL into the file and truncate it; readers in between may leave that to a later call."""
        with self._lock:
            self.driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def close(self) -> None:
        """Close every idle connection and the writer. Idempotent."""
        with self._lock:
            self.closed = True
            while self._idle:
                self._idle.pop()[1].close()
            self._writer.close()
            self.engine.dispose()


class _Lent:
    """A reader lent to one thread. A generator would take longer than the read."""

    __slots__ = ("_database", "_reader")

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        self._reader = self._database.take()
        return self._reader[0]

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._database.give_back(self._reader)
        if error is not None and (damage := damage_of(self._database.path, error)) is not None:
            raise damage from error


def _busy() -> sqlite3.OperationalError:
    """What SQLite raises of other processes, of another thread of this one."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_BUSY, "SQLITE_BUSY"
    return error


def cannot_be_written(path: Path) -> bool:
    """Whether a file is there and may only be read: on media that cannot be written, or by the rights on it."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def uri_of(path: Path) -> str:
    """A file as SQLite reads it; where it cannot be written, as one that nobody changes.

    Raises SetupError where its WAL still holds something: it would be left out, and a stop may be in it.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    if not cannot_be_written(path):
        return uri
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise SetupError(
            f"{wal} holds what is not in {path.name} yet, and cannot be taken in where nobody may write: "
            "copy both to where it may be written, and read the ledger there"
        )
    return f"{uri}&immutable=1"


def _create_private(path: Path) -> None:
    """The file, readable by its owner alone; SQLite gives its WAL the same mode."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _prepare(driver: Any, extra: tuple[str, ...], *, wal: bool) -> None:
    for pragma in (*_PRAGMAS, *extra):
        driver.execute(f"PRAGMA {pragma}").close()
    if wal:
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
