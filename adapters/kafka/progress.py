"""How far a publisher has come, and which one of several is at work: small, long-lived, beside the views.

Not in the views: those are thrown away and built anew, and a publisher must not begin again for that.
Statements hold on SQLite and on PostgreSQL alike. Moments are passed in, as texts whose order is that of time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

import sqlalchemy as sa

from adapters.wiring import House
from ledger.codec import instant
from ledger.database import Database, Location, Store, open_database
from ledger.recorder import away
from ledger.store_table import add_store

metadata = sa.MetaData()
add_store(metadata)
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


class Progress(Store):
    """Tracking positions and leases, by name. Thread-safe; several processes may hold it open.

    `away`: what is raised while the database is; see `ledger.recorder.away`.
    """

    def __init__(self, database: Database, away: tuple[type[Exception], ...]) -> None:
        self._database = database
        self.away = away

    @classmethod
    def open(cls, house: House) -> Self:
        """The store of a ledger, in an SQLite file, made when absent, or in the schema `streams` of its database."""
        return cls(house.beside("streams", metadata, anew=("DELETE FROM published",)), house.away)

    @classmethod
    def at(cls, location: Location) -> Self:
        """A store that is of no ledger."""
        return cls(open_database(location, "streams", metadata), away(location))

    def position(self, name: str) -> int:
        """How far it has come; 0 before its first."""
        with self._database.reading() as driver:
            row = driver.execute("SELECT position FROM published WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def advance(self, name: str, position: int, holder: str, now: datetime) -> bool:
        """Store a position, if the lease of this name is still the holder's; it never goes back."""
        with self._database.writing() as driver:
            if driver.execute(_KEPT, (name, holder, instant(now))).fetchone() is None:
                return False
            driver.execute(_ADVANCE, (name, position))
        return True

    def lease(self, name: str, holder: str, now: datetime, seconds: float) -> bool:
        """Take the lease, or renew it, for so long; False: another has it and it has not lapsed."""
        until = instant(now + timedelta(seconds=seconds))
        with self._database.writing() as driver:
            return driver.execute(_HOLD, (name, holder, until, instant(now))).rowcount == 1

    def holds(self, name: str, holder: str, now: datetime) -> bool:
        """Whether the lease of this name is the holder's."""
        with self._database.reading() as driver:
            return driver.execute(_KEPT, (name, holder, instant(now))).fetchone() is not None

    def release(self, name: str, holder: str) -> None:
        """Give the lease up, so that another need not wait for it to lapse."""
        with self._database.writing() as driver:
            driver.execute("DELETE FROM lease WHERE name = ? AND holder = ?", (name, holder))
