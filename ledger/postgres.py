"""PostgreSQL: how a part of a ledger (a schema of its own) is opened, locked and read, by psycopg 3.

One database holds one ledger. Who runs the program is a role that may add to the log and never change it;
who owns the tables is another, used only to set the database up (`ledger.migrations`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from threading import Lock
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg.pq import PipelineStatus, TransactionStatus
from sqlalchemy.pool import NullPool

from ledger import log_schema, vault_schema
from ledger.database import Database, Driver, DurabilityError, Rows, SetupError
from ledger.migrations import HEAD, VERSION_TABLE

ARRIVED = "consent_ledger_log"
"""The channel on which the log says that something was appended: a hint, never relied on."""

_TABLES = [
    "log.head",
    *(f"log.{name}" for name in log_schema.metadata.tables),
    *(f"vault.{name}" for name in vault_schema.metadata.tables),
]
"""The tables that migrations make."""
_numbers = count(1)
_LOCK_OF_PART = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))"
_LOCKS = {"log": "SELECT lock_head()"}
_DURABLE = {"fsync": {"on"}, "full_page_writes": {"on"}, "synchronous_commit": {"on", "remote_apply", "remote_write"}}


class PostgresDriver:
    """A psycopg connection that speaks as `sqlite3` does: `?` for a value; answers come in binary."""

    __slots__ = ("connection",)

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""
        return self.connection.execute(_marked(statement), values or None, binary=True)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Run one statement for each row, sent together."""
        cursor = self.connection.cursor()
        cursor.executemany(_marked(statement), rows)
        return cursor

    def stream(self, statement: str, values: Sequence[Any] = (), size: int = 5_000) -> Iterator[Any]:
        """The rows of a statement too many to hold, fetched by the thousand. Within a transaction."""
        with self.connection.cursor(f"rows_{next(_numbers)}", binary=True) as cursor:
            cursor.itersize = size
            yield from cursor.execute(_marked(statement), values or None)


@lru_cache(maxsize=1_024)
def _marked(statement: str) -> bytes:
    """`?` as psycopg writes it. None of our statements holds a percent sign or a question mark for itself."""
    return statement.replace("?", "%s").encode()


class PostgresDatabase(Database):
    """One schema of a PostgreSQL database; tables in `made_here` are made when absent.

    Raises DurabilityError when the server may lose what it acknowledges, SetupError when the database is
    not set up or the role may change the log.
    """

    dbapi = psycopg
    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, url: str, part: str, made_here: sa.MetaData | None = None) -> None:
        self.part = part
        self.engine = engine_of(url, part)
        self._begin = f"BEGIN; {_LOCKS.get(part, _LOCK_OF_PART)}".encode()
        self._lock = Lock()
        self._patience = -1.0
        self._writer: PostgresDriver | None = None
        self._idle: deque[PostgresDriver] = deque()
        self.closed = False
        try:
            with self.reading() as driver:
                _assert_durable(driver)
                _assert_set_up(driver)
            if made_here is not None:
                self._make(made_here)
        except BaseException:
            self.close()
            raise

    def _make(self, tables: sa.MetaData) -> None:
        """Schema and tables of a part that no migration makes. SetupError where the role may not."""
        try:
            self._make_schema()
            with self.writing(), self.engine.connect() as connection:
                tables.create_all(connection)
        except (psycopg.errors.InsufficientPrivilege, sa.exc.ProgrammingError) as error:
            if not isinstance(getattr(error, "orig", error), psycopg.errors.InsufficientPrivilege):
                raise
            raise SetupError(
                f"this role may not make the schema {self.part} and its tables: run `consent-ledger database upgrade "
                "--writer ROLE`, as the role that owns the database"
            ) from error

    def _make_schema(self) -> None:
        """A schema that no migration makes: of a part that may be lost, it is the writer's own."""
        with self.reading() as driver:
            (known,) = driver.execute("SELECT to_regnamespace(?) IS NOT NULL", (self.part,)).fetchone()
        if not known:
            with self.writing() as driver:
                driver.execute(f"CREATE SCHEMA IF NOT EXISTS {self.part}")

    @contextmanager
    def writing(self) -> Iterator[PostgresDriver]:
        """One write transaction, alone in its schema: committed at the end, rolled back on any error.

        A connection that broke is left; the next transaction makes a new one.
        """
        with self._turn():
            driver = self._connected()
            try:
                # Both in one trip. Never prepared: two statements cannot be. It begins also when the lock is not had.
                driver.connection.execute(self._begin, prepare=False)
                yield driver
                driver.connection.execute(b"COMMIT")
            except BaseException:
                with suppress(psycopg.Error):  # whatever it is, the connection is left then
                    driver.connection.execute(b"ROLLBACK")
                raise

    @contextmanager
    def calling(self) -> Iterator[PostgresDriver]:
        """The writing connection for one statement that is a transaction of its own."""
        with self._turn():
            yield self._connected()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The writing connection for one thread. psycopg's LockNotAvailable when others have it for too long."""
        if not self._lock.acquire(timeout=self._patience):
            raise psycopg.errors.LockNotAvailable("others in this process are writing")
        try:
            yield
        finally:
            if self._writer is not None and not _is_at_rest(self._writer.connection):
                self._writer.connection.close()
            self._lock.release()

    def wait_at_most(self, seconds: float) -> None:
        """Bound what a writer waits; the server's own wait is for other processes."""
        with self._lock:
            self._patience = seconds
            if self._writer is not None:
                self._bound(self._writer)

    def _bound(self, driver: PostgresDriver) -> None:
        if self._patience > 0:
            driver.connection.execute(f"SET lock_timeout = {max(1, int(self._patience * 1000))}".encode())

    def is_busy(self, error: BaseException) -> bool:
        """Whether others were writing for too long."""
        return isinstance(error, psycopg.errors.LockNotAvailable)

    @contextmanager
    def reading(self) -> Iterator[PostgresDriver]:
        """A connection for one thread's reads."""
        try:
            driver = self._idle.pop()
        except IndexError:
            driver = self._connect()
        try:
            yield driver
        finally:
            if self.closed or not _is_at_rest(driver.connection):
                driver.connection.close()
            else:
                self._idle.append(driver)

    def forget(self) -> None:
        """Vacuum does that in its time: deleted rows, and the WAL and backups they stand in, are the operator's."""

    @staticmethod
    def rows_of(driver: Driver) -> Callable[[str, Sequence[Any]], Iterator[Any]]:
        """How a connection of this database fetches rows too many to hold."""
        return cast("PostgresDriver", driver).stream

    def close(self) -> None:
        """Close every idle connection and the writer. Idempotent."""
        with self._lock:
            self.closed = True
            while self._idle:
                self._idle.pop().connection.close()
            if self._writer is not None:
                self._writer.connection.close()
            self.engine.dispose()

    def _connected(self) -> PostgresDriver:
        writer = self._writer
        if writer is None or writer.connection.closed:
            writer = self._connect()
            self._bound(writer)
            self._writer = writer
        return writer

    def _connect(self) -> PostgresDriver:
        return PostgresDriver(connected(self.engine))


def _assert_whole(driver: PostgresDriver) -> None:
    """That no table is missing which migrations made: what it held is gone, and nothing is answered without it."""
    found = driver.execute("SELECT name FROM unnest(?::text[]) name WHERE to_regclass(name) IS NULL", (_TABLES,))
    missing = [name for (name,) in found]
    if missing:
        raise SetupError(
            f"tables of this database are missing: {', '.join(missing)}. Bring the database back from its backup; "
            "see docs/how-to/run-on-postgresql.md"
        )


def _is_at_rest(connection: psycopg.Connection[Any]) -> bool:
    """Whether a connection can be used again. One that ended between statements sent together does not say it broke."""
    status = connection.pgconn
    return status.transaction_status == TransactionStatus.IDLE and status.pipeline_status == PipelineStatus.OFF


def engine_of(url: str, part: str) -> sa.Engine:
    """An engine whose connections see one schema, and end no transaction by themselves."""
    return sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        connect_args={
            "options": f"-c search_path={part},public",
            "application_name": f"consent-ledger {part}",
            "connect_timeout": 10,
            # A server that no longer answers at all is given up after seconds, not after the system's two hours.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )


def connected(engine: sa.Engine) -> psycopg.Connection[Any]:
    """A connection of one's own: SQLAlchemy made it, the driver is used."""
    made = engine.raw_connection()
    connection = cast("psycopg.Connection[Any]", made.driver_connection)
    made.detach()
    return connection


def _assert_durable(driver: PostgresDriver) -> None:
    for name, enough in _DURABLE.items():
        (value,) = driver.execute("SELECT current_setting(?)", (name,)).fetchone()
        if value not in enough:
            raise DurabilityError(
                f"PostgreSQL runs with {name}={value}: what it acknowledges could be lost. "
                f"Set {name} to {' or '.join(sorted(enough))}."
            )


def _assert_set_up(driver: PostgresDriver) -> None:
    """That the tables are those of this program, and that this role can add to the log and no more."""
    advice = "run `consent-ledger database upgrade --writer ROLE`, as the role that owns the tables"
    (there,) = driver.execute("SELECT to_regclass(?) IS NOT NULL", (f"public.{VERSION_TABLE}",)).fetchone()
    if not there:
        raise SetupError(f"this database is not set up: {advice}")
    found = driver.execute(f"SELECT version_num FROM public.{VERSION_TABLE}").fetchone()  # noqa: S608 - our name
    version = found[0] if found else None
    if version != HEAD:
        raise SetupError(f"this database is at version {version}, the program needs {HEAD}: {advice}")
    _assert_whole(driver)
    (too_much,) = driver.execute(
        "SELECT bool_or(has_table_privilege(t, p)) FROM unnest(ARRAY['log.entry', 'log.document']) t, "
        "unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p"
    ).fetchone()
    if too_much:
        raise SetupError(
            "this role may change the log: connect as the writer that `consent-ledger database upgrade` named, "
            "never as the owner or a superuser"
        )
