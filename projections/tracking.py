"""How far a projection has come: moved together with its rows, in one transaction, or not at all."""

from __future__ import annotations

from typing import Self

import sqlalchemy as sa
from eventsourcing.persistence import IntegrityError, Tracking, TrackingRecorder

from ledger.database import Database, Driver, Location, open_database

metadata = sa.MetaData()

tracking = sa.Table(
    "tracking",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)


def position_of(driver: Driver, name: str) -> int:
    """The position a projection has come to; 0 before its first."""
    found = driver.execute("SELECT position FROM tracking WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else 0


def advance(driver: Driver, name: str, old: int, new: int) -> None:
    """Move from `old` to `new` inside the transaction that writes the rows, or raise IntegrityError.

    Compare-and-set: when two workers have folded the same entries, one of them fails here and its
    rows are rolled back with it. A name never seen stands at 0.
    """
    if new <= old:
        raise IntegrityError(f"{name}: tracking goes forward, not from {old} to {new}")
    moved = driver.execute("UPDATE tracking SET position = ? WHERE name = ? AND position = ?", (new, name, old))
    if moved.rowcount == 1:
        return
    if old == 0:
        begun = driver.execute(
            "INSERT INTO tracking (name, position) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, new)
        )
        if begun.rowcount == 1:
            return
    raise IntegrityError(f"{name} is not at {old} any more: another worker came first")


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
            advance(driver, tracking.application_name, old, tracking.notification_id)

    def max_tracking_id(self, application_name: str) -> int | None:
        """The position a name has come to, None for a name never seen."""
        with self._database.reading() as driver:
            row = driver.execute("SELECT position FROM tracking WHERE name = ?", (application_name,)).fetchone()
        return None if row is None else int(row[0])
