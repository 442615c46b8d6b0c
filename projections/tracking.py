"""How far a projection has come: moved together with its rows, in one transaction, or not at all."""

from __future__ import annotations

from typing import NamedTuple, Self

import sqlalchemy as sa
from eventsourcing.persistence import IntegrityError, Tracking, TrackingRecorder

from ledger.database import Database, Driver, Location, open_database
from ledger.stores import NOTHING, Mark

metadata = sa.MetaData()

tracking = sa.Table(
    "tracking",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), comment="of the entry at that position"),
    sa.Column("ledger", sa.Text),
    sa.Column("epoch", sa.Text),
)

_MOVED = (
    "UPDATE tracking SET position = ?, hash = ?, ledger = ?, epoch = ? "
    "WHERE name = ? AND position = ? AND hash = ? AND ledger = ? AND epoch = ?"
)
_BEGUN = (
    "INSERT INTO tracking (name, position, hash, ledger, epoch) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING"
)


class Source(NamedTuple):
    """A ledger by its id, in one of its epochs."""

    ledger: str
    epoch: str


UNNAMED = Source("", "")


class Standing(NamedTuple):
    """How far a projection has come in which log."""

    mark: Mark
    source: Source


def standing_of(driver: Driver, name: str) -> Standing | None:
    """Where a projection stands; None before its first, or where an older program did not say it."""
    found = driver.execute("SELECT position, hash, ledger, epoch FROM tracking WHERE name = ?", (name,)).fetchone()
    if found is None or found[1] is None:
        return None
    position, entry_hash, ledger, epoch = found
    return Standing(Mark(position, bytes(entry_hash)), Source(ledger, epoch))


def position_of(driver: Driver, name: str) -> int:
    """The position a projection has come to; 0 before its first."""
    found = driver.execute("SELECT position FROM tracking WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else 0


def advance(driver: Driver, name: str, old: Mark, new: Mark, source: Source) -> None:
    """Move from `old` to `new` inside the transaction that writes the rows, or raise IntegrityError.

    Compare-and-set, by position and by content: when two workers have folded the same entries, one of them fails
    here and its rows are rolled back with it. A name never seen stands at NOTHING.
    """
    if new.position <= old.position:
        raise IntegrityError(f"{name}: tracking goes forward, not from {old.position} to {new.position}")
    if old == NOTHING:
        moved = driver.execute(_BEGUN, (name, *new, *source))
    else:
        moved = driver.execute(_MOVED, (*new, *source, name, *old, *source))
    if moved.rowcount != 1:
        raise IntegrityError(f"{name} is not at {old.position} any more: another worker came first")


class TrackingTable(TrackingRecorder):
    """Tracking positions in a database of their own, behind eventsourcing's interface."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, location: Location) -> Self:
        """The table in an SQLite file, both made when absent, or in the schema `streams` of a database."""
        return cls(open_database(location, "streams", metadata))

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def insert_tracking(self, tracking: Tracking) -> None:
        """Move a name forward. IntegrityError when it has been there or beyond."""
        with self._database.writing() as driver:
            old = position_of(driver, tracking.application_name)
            advance(driver, tracking.application_name, Mark(old, b""), Mark(tracking.notification_id, b""), UNNAMED)

    def max_tracking_id(self, application_name: str) -> int | None:
        """The position a name has come to, None for a name never seen."""
        with self._database.reading() as driver:
            row = driver.execute("SELECT position FROM tracking WHERE name = ?", (application_name,)).fetchone()
        return None if row is None else int(row[0])
