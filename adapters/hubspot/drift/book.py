"""Which differences were found, since when, and which of them somebody said to leave for a while.

A difference stands here by its reference, whoever said to leave it sealed. Statements hold on SQLite and on
PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Self

import msgspec
import sqlalchemy as sa

from adapters.hubspot.sync.again import metadata
from adapters.hubspot.sync.store import ANEW, PART
from adapters.wiring import House
from ledger.codec import instant
from ledger.database import Database, Store, chunks, marks

sa.Table(
    "drift",
    metadata,
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("found_at", sa.Text, nullable=False),
)
sa.Table(
    "drift_ignored",
    metadata,
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("until", sa.Text, nullable=False),
    sa.Column("signed", sa.LargeBinary, nullable=False),
)
_FOUND = "INSERT INTO drift (ref, contact, found_at) VALUES (?, ?, ?) ON CONFLICT (ref) DO NOTHING"
_IGNORE = (
    "INSERT INTO drift_ignored (ref, until, signed) VALUES (?, ?, ?) "
    "ON CONFLICT (ref) DO UPDATE SET until = excluded.until, signed = excluded.signed"
)


class Ignored(NamedTuple):
    """Left as it is until a moment, by somebody, for a reason."""

    until: datetime
    name: str
    reason: str


class DriftBook(Store):
    """The store of one ledger. Thread-safe."""

    def __init__(self, database: Database, house: House) -> None:
        self._database = database
        self._ledger = house.ledger

    @classmethod
    def open(cls, house: House) -> Self:
        """Beside what the sync keeps."""
        return cls(house.beside(PART, metadata, anew=ANEW), house)

    def reference(self, *parts: str) -> str:
        """What a difference is called: always the same, and nothing can be read from it."""
        return f"D-{self._ledger.sid('hubspot.drift', chr(0).join(parts)).hex()[:12]}"

    def found(self, looked_at: Sequence[str], refs: Mapping[str, str], at: datetime) -> dict[str, datetime]:
        """Keep what differs (ref -> contact), and forget of those looked at what differs no more; since when each."""
        with self._database.writing() as driver:
            held: dict[str, datetime] = {}
            gone: list[str] = []
            for part in chunks(list({*looked_at, *refs.values()})):
                rows = driver.execute(
                    f"SELECT ref, contact, found_at FROM drift WHERE contact IN ({marks(part)})",  # noqa: S608 - marks
                    part,
                )
                for ref, contact, since in rows.fetchall():
                    held[ref] = datetime.fromisoformat(since)
                    if ref not in refs and contact in looked_at:
                        gone.append(ref)
            for table in ("drift", "drift_ignored"):
                driver.executemany(f"DELETE FROM {table} WHERE ref = ?", [(ref,) for ref in gone])  # noqa: S608
            new = [(ref, contact, instant(at)) for ref, contact in refs.items() if ref not in held]
            driver.executemany(_FOUND, new)
        return {ref: held.get(ref, at) for ref in refs}

    def contact_of(self, ref: str) -> str | None:
        """Whom a difference that was found is about."""
        with self._database.reading() as driver:
            row = driver.execute("SELECT contact FROM drift WHERE ref = ?", (ref,)).fetchone()
        return None if row is None else str(row[0])

    def ignore(self, ref: str, left: Ignored) -> None:
        """Leave a difference alone for a while."""
        sealed = self._ledger.seal(msgspec.json.encode((left.name, left.reason)), _about(ref))
        with self._database.writing() as driver:
            driver.execute(_IGNORE, (ref, instant(left.until), sealed))

    def ignored(self, at: datetime) -> dict[str, Ignored]:
        """Those that are to be left alone at a moment."""
        with self._database.reading() as driver:
            rows = driver.execute(
                "SELECT ref, until, signed FROM drift_ignored WHERE until > ?", (instant(at),)
            ).fetchall()
        return {ref: Ignored(datetime.fromisoformat(until), *self._signed(ref, signed)) for ref, until, signed in rows}

    def _signed(self, ref: str, sealed: bytes) -> tuple[str, str]:
        plain = self._ledger.unseal(bytes(sealed), _about(ref))
        return msgspec.json.decode(plain, type=tuple[str, str]) if isinstance(plain, bytes) else ("?", "?")


def _about(ref: str) -> bytes:
    return b"crm drift ignored " + ref.encode()
