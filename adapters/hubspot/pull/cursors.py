"""How far each kind was pulled: small, beside the log. Nothing personal is in it.

A cursor is stored after the facts of its page are durable. Whoever is killed in between pulls that page again,
and finds its facts recorded.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

import msgspec
import sqlalchemy as sa

from adapters.wiring import House
from ledger.application import Ledger
from ledger.database import Database, Store
from ledger.store_table import add_store, put_mark

metadata = sa.MetaData()
add_store(metadata)
sa.Table(
    "cursor",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
)

_FORGET = "DELETE FROM cursor"
_STORE = "INSERT INTO cursor (kind, state) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET state = excluded.state"


class Counts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the pull under way has come to, over all the times it was begun again."""

    pages: int = 0
    rows: int = 0
    facts: int = 0
    added: int = 0
    unchanged: int = 0
    stops: int = 0
    rejected: int = 0
    lost: int = 0
    first: date | None = None
    last: date | None = None


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one kind.

    since    everything before was pulled; None: no pull has ended yet
    started  when the pull under way began; None: there is none
    after    the page it goes on with; `through`: the last change it has seen
    """

    since: datetime | None = None
    started: datetime | None = None
    after: str | None = None
    through: datetime | None = None
    counts: Counts = Counts()


_decode = msgspec.json.Decoder(Cursor).decode
_encode = msgspec.json.Encoder().encode


class Cursors(Store):
    """All cursors of a ledger."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database, self._ledger = database, ledger

    @classmethod
    def open(cls, house: House) -> Self:
        """The store in an SQLite file, made when absent, or in the schema `hubspot` of a database."""
        return cls(house.beside("hubspot", metadata, anew=(_FORGET,)), house.ledger)

    def get(self, kind: str) -> Cursor:
        """How far a kind is; an empty cursor before its first page."""
        with self._database.reading() as driver:
            row = driver.execute("SELECT state FROM cursor WHERE kind = ?", (kind,)).fetchone()
        return Cursor() if row is None else _decode(row[0])

    def put(self, kind: str, cursor: Cursor) -> None:
        """Keep how far a kind is."""
        newest = self._ledger.log.mark()
        with self._database.writing() as driver:
            put_mark(driver, newest)
            driver.execute(_STORE, (kind, _encode(cursor).decode()))

    def forget(self) -> None:
        """Begin everything again; what is in the ledger stays, and is found unchanged."""
        with self._database.writing() as driver:
            driver.execute(_FORGET)
