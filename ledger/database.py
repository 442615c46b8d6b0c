"""What a database is to the rest: one writer at a time, readers that never wait, and how it is opened.

A location is the path of an SQLite file or the URL of a PostgreSQL database. The SQL that both speak is
written once, with `?` for a value; what a dialect decides stands in `ledger.sqlite` and `ledger.postgres`,
or in the DDL beside a table.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, Self, TypeVar

import sqlalchemy as sa

CHUNK = 500
"""Values in one IN list: far below every limit, and above it nothing gets faster."""

_MIGRATED = ("log", "vault")
"""Parts that live long: on a server their tables come by `ledger.migrations` alone."""

Location = str | Path
"""A path, `sqlite:///` and a path, or `postgresql://...`."""


class DurabilityError(RuntimeError):
    """The database would acknowledge what a power cut can take away; we do not start on that."""


class SetupError(RuntimeError):
    """The database is not set up for this program, or lets it do more than it may."""


class NoStoreError(SetupError):
    """A store is not where it must be; opening makes none."""


class Rows(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Driver(Protocol):
    """A connection, as `sqlite3` has it: `?` stands for a value, bytes are bytes."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Run one statement for each row."""
        ...


class Database(ABC):
    """One database: a single writing transaction at a time, and readers that never block it.

    `dbapi` is the PEP 249 module whose errors its drivers raise; `begin_reading` begins a transaction
    all of whose reads see one moment.
    """

    dbapi: ModuleType
    engine: sa.Engine
    begin_reading = "BEGIN"
    closed: bool

    @abstractmethod
    def writing(self) -> AbstractContextManager[Driver]:
        """One write transaction, alone: committed at the end, rolled back on any error."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Driver]:
        """A connection for one thread's reads; each statement sees what is committed."""

    @abstractmethod
    def close(self) -> None:
        """Close every connection. Idempotent."""

    @abstractmethod
    def wait_at_most(self, seconds: float) -> None:
        """From now on a writer waits so long for others in this process, and as long again for other processes.

        Then the driver's OperationalError is raised: the database counts as away.
        """

    @abstractmethod
    def is_busy(self, error: BaseException) -> bool:
        """Whether an error says that others were writing for too long."""

    @abstractmethod
    def forget(self) -> None:
        """Make deleted rows unreadable, as far as the database lets us."""

    @contextmanager
    def snapshot(self) -> Iterator[Driver]:
        """A connection whose reads all see the same moment."""
        with self.reading() as driver:
            driver.execute(self.begin_reading)
            try:
                yield driver
            finally:
                driver.execute("COMMIT")


class Store:
    """What keeps something in one database. Close it, or use it as a context manager."""

    _database: Database

    def wait_at_most(self, seconds: float) -> None:
        """See `Database.wait_at_most`."""
        self._database.wait_at_most(seconds)

    def assert_writable(self) -> None:
        """Raises what `ledger.recorder.away` names while nothing can be written."""
        with self._database.writing():
            pass

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def is_server(location: Location) -> bool:
    """Whether a location is a PostgreSQL database rather than a file."""
    return str(location).startswith(("postgresql://", "postgres://"))


def dbapi_of(location: Location) -> ModuleType:
    """The PEP 249 module that speaks to a location."""
    return importlib.import_module("psycopg" if is_server(location) else "sqlite3")


def open_database(
    location: Location, part: str, metadata: sa.MetaData, pragmas: Iterable[str] = (), *, make: bool = True
) -> Database:
    """The database of one part (`log`, `vault`, ...) of a ledger: a file, made when absent if `make`, or a schema.

    Raises DurabilityError, NoStoreError, SetupError (PostgreSQL not set up), and the driver's own errors.
    """
    if is_server(location):
        from ledger.postgres import PostgresDatabase

        return PostgresDatabase(str(location), part, None if part in _MIGRATED else metadata)
    from ledger.sqlite import SqliteDatabase

    path = file_of(location)
    if not make and not path.exists():
        raise NoStoreError(f"{path} is missing, and opening a ledger makes none: bring it back from where it is kept")
    return SqliteDatabase(path, metadata, pragmas)


def file_of(location: Location) -> Path:
    """The path of a file."""
    return Path(str(location).removeprefix("sqlite:///"))


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


def chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """The values in slices of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def marks(values: Sequence[object]) -> str:
    """Question marks for an IN list."""
    return ",".join("?" * len(values))
