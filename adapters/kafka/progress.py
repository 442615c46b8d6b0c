"""How far a publisher has come, and which one of several is at work: small, long-lived, beside the views.

Not in the views: those are thrown away and built anew, and a publisher must not begin again for that.
Statements hold on SQLite and on PostgreSQL alike. Moments are passed in, as texts whose order is that of time.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

import sqlalchemy as sa

from ledger.codec import instant
from ledger.database import Database

metadata = sa.MetaData()
sa.Table(
    "published",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)
sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Text, nullable=False),
)

_HOLD = (
    "INSERT INTO lease (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
    "holder = excluded.holder, until = excluded.until WHERE lease.holder = excluded.holder OR lease.until <= ?"
)
_KEPT = "SELECT 1 FROM lease WHERE name = ? AND holder = ? AND until > ?"
_ADVANCE = (
    "INSERT INTO published (name, position) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
    "position = excluded.position WHERE published.position < excluded.position"
)


class Store(Protocol):
    """A database that gives one transaction at a time."""

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """A write transaction."""

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection for reads."""

    def close(self) -> None:
        """Close every connection."""


class Progress:
    """Tracking positions and leases, by name. Thread-safe; several processes may hold it open."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The store in an SQLite file, made when absent."""
        return cls(Database(Path(path), metadata))

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._store.close()

    def position(self, name: str) -> int:
        """How far it has come; 0 before its first."""
        with self._store.reading() as driver:
            row = driver.execute("SELECT position FROM published WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def advance(self, name: str, position: int, holder: str, now: datetime) -> bool:
        """Store a position, if the lease of this name is still the holder's; it never goes back."""
        with self._store.writing() as driver:
            if driver.execute(_KEPT, (name, holder, instant(now))).fetchone() is None:
                return False
            driver.execute(_ADVANCE, (name, position))
        return True

    def lease(self, name: str, holder: str, now: datetime, seconds: float) -> bool:
        """Take the lease, or renew it, for so long; False: another has it and it has not lapsed."""
        until = instant(now + timedelta(seconds=seconds))
        with self._store.writing() as driver:
            return driver.execute(_HOLD, (name, holder, until, instant(now))).rowcount == 1

    def release(self, name: str, holder: str) -> None:
        """Give the lease up, so that another need not wait for it to lapse."""
        with self._store.writing() as driver:
            driver.execute("DELETE FROM lease WHERE name = ? AND holder = ?", (name, holder))
