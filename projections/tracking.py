"""How far a projection has come: moved together with its rows, in one transaction, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import sqlalchemy as sa
from eventsourcing.persistence import IntegrityError, Tracking, TrackingRecorder

from ledger.database import Database

metadata = sa.MetaData()

tracking = sa.Table(
    "tracking",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
)


def position_of(connection: sa.Connection, name: str) -> int:
    """The position a projection has come to; 0 before its first."""
    found = connection.execute(sa.select(tracking.c.position).where(tracking.c.name == name)).scalar()
    return int(found or 0)


def advance(connection: sa.Connection, name: str, old: int, new: int) -> None:
    """Move from `old` to `new` inside the transaction that writes the rows, or raise IntegrityError.

    Compare-and-set: when two workers have folded the same entries, one of them fails here and its
    rows are rolled back with it. A name never seen stands at 0.
    """
    if new <= old:
        raise IntegrityError(f"{name}: tracking goes forward, not from {old} to {new}")
    moved = connection.execute(
        sa.update(tracking).where(tracking.c.name == name, tracking.c.position == old).values(position=new)
    ).rowcount
    if moved == 1:
        return
    if old == 0 and position_of(connection, name) == 0:
        try:
            connection.execute(sa.insert(tracking).values(name=name, position=new))
        except sa.exc.IntegrityError as error:
            raise IntegrityError(f"{name}: another worker came first") from error
        return
    raise IntegrityError(f"{name} is not at {old} any more: another worker came first")


class TrackingTable(TrackingRecorder):
    """Tracking positions in the views' own file, behind eventsourcing's interface."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The table in an SQLite file, both made when absent."""
        return cls(Database(Path(path), metadata))

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def insert_tracking(self, tracking: Tracking) -> None:
        """Move a name forward. IntegrityError when it has been there or beyond."""
        with self._database.transaction() as connection:
            old = position_of(connection, tracking.application_name)
            advance(connection, tracking.application_name, old, tracking.notification_id)

    def max_tracking_id(self, application_name: str) -> int | None:
        """The position a name has come to, None for a name never seen."""
        with self._database.reading() as driver:
            row = driver.execute("SELECT position FROM tracking WHERE name = ?", (application_name,)).fetchone()
        return None if row is None else int(row[0])
