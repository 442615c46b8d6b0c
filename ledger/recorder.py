"""The library's door to the log: eventsourcing's ApplicationRecorder over our table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition
from types import ModuleType
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from eventsourcing.persistence import (
    ApplicationRecorder,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    Notification,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Subscription,
)

from ledger.database import Database, Driver, Location, dbapi_of, marks, uuid_bytes
from ledger.log_schema import HEAD
from ledger.log_writing import NewEntries
from ledger.subscription import Followed, PollingSubscription

NO_STOP = 2**62
"""Stands for "to the end" in a range of positions or versions."""


class Recorder(Followed):
    """Stores the topics, versions and bytes it is given, and reads them back; strictness is the codec's."""

    def __init__(self, database: Database, new_entries: NewEntries, poll_seconds: float) -> None:
        self._database = database
        self._new_entries = new_entries
        self.poll_seconds = poll_seconds
        self.arrived = Condition()
        self.closed = False

    @contextmanager
    def _reading(self) -> Iterator[Driver]:
        with translated(self._database.dbapi), self._database.reading() as driver:
            yield driver

    def wait_at_most(self, seconds: float) -> None:
        """See `Database.wait_at_most`."""
        with translated(self._database.dbapi):
            self._database.wait_at_most(seconds)

    def assert_writable(self) -> None:
        """Raises what `away` names while nothing can be appended."""
        with translated(self._database.dbapi), self._database.writing():
            pass

    def last_position(self) -> int:
        """The position of the last entry; 0 when there is none."""
        with self._reading() as driver:
            (head,) = driver.execute(HEAD).fetchone()
        return int(head)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """Store events with the versions and bytes they bring; returns their positions.

        Raises IntegrityError, and stores none, when a version of a stream is taken.
        """
        if kwargs:
            raise ProgrammingError(f"insert_events takes no {', '.join(kwargs)} here")
        if not stored_events:
            return []
        with translated(self._database.dbapi), self._database.writing() as driver:
            (head,) = driver.execute(HEAD).fetchone()
            positions = range(head + 1, head + 1 + len(stored_events))
            self._new_entries.insert(
                driver,
                positions,
                [_raw(event.originator_id) for event in stored_events],
                [event.originator_version for event in stored_events],
                [event.topic for event in stored_events],
                [event.state for event in stored_events],
                [None] * len(stored_events),
            )
        self.announce()
        return list(positions)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """A stream's events by version, as the library asks for them."""
        with self._reading() as driver:
            rows = driver.execute(
                "SELECT version, topic, state FROM entry WHERE stream = ? AND version > ? AND version <= ? "  # noqa: S608
                f"ORDER BY version {'DESC' if desc else 'ASC'} LIMIT ?",
                (
                    _raw(originator_id),
                    -NO_STOP if gt is None else gt,
                    NO_STOP if lte is None else lte,
                    NO_STOP if limit is None else limit,
                ),
            )
            return [StoredEvent(originator_id, version, topic, state) for version, topic, state in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in the order of their positions, as the library's notification log asks for them."""
        first = 0 if start is None else start if inclusive_of_start else start + 1
        chosen = f"AND topic IN ({marks(topics)}) " if topics else ""
        with self._reading() as driver:
            rows = driver.execute(
                "SELECT position, stream, version, topic, state FROM entry "  # noqa: S608 - marks only
                f"WHERE position >= ? AND position <= ? {chosen}ORDER BY position LIMIT ?",
                (first, NO_STOP if stop is None else stop, *topics, limit),
            )
            return [
                Notification(UUID(bytes=stream), version, topic, state, position)
                for position, stream, version, topic, state in rows
            ]

    def max_notification_id(self) -> int | None:
        """The last position, None for an empty log."""
        return self.last_position() or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Events after `gt`, then new ones: this process's at once, other processes' by polling."""
        return PollingSubscription(self, gt, topics)


def _raw(stream: UUID | str) -> bytes:
    return stream.bytes if isinstance(stream, UUID) else uuid_bytes(stream)


def away(location: Location) -> tuple[type[Exception], ...]:
    """What is raised while a database is away or busy for a while, whoever asked it: waited out, or told as such.

    On PostgreSQL also that a table is gone: answers were swapped while they were read.
    """
    dbapi = dbapi_of(location)
    gone = (dbapi.errors.UndefinedTable,) if hasattr(dbapi, "errors") else ()
    of_libraries = (OperationalError, InterfaceError, sa.exc.OperationalError, sa.exc.InterfaceError)
    return (*of_libraries, dbapi.OperationalError, dbapi.InterfaceError, *gone)


@contextmanager
def translated(dbapi: ModuleType) -> Iterator[None]:
    """The errors of a PEP 249 module as eventsourcing's, whose callers know those."""
    try:
        yield
    except dbapi.DatabaseError as error:
        raise _as_the_librarys(dbapi, error) from error
    except sa.exc.DBAPIError as error:
        raise _as_the_librarys(dbapi, error.orig) from error


def _as_the_librarys(dbapi: ModuleType, error: BaseException | None) -> DatabaseError:
    for theirs, ours in (
        (dbapi.IntegrityError, IntegrityError),
        (dbapi.OperationalError, OperationalError),
        (dbapi.ProgrammingError, ProgrammingError),
    ):
        if isinstance(error, theirs):
            return ours(str(error))
    return DatabaseError(str(error))
