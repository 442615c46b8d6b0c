"""What was written to HubSpot, what somebody approved, and how far the sync without Kafka has come.

Beside the views, since those are thrown away and built anew. A record stands here by a keyed hash of its id, an
approver sealed. Statements hold on SQLite and on PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Self

import msgspec
import sqlalchemy as sa

from adapters.hubspot.sync.again import LookAgain, metadata
from adapters.hubspot.sync.plan import Call
from adapters.wiring import House
from ledger.codec import instant
from ledger.database import Database, Driver, chunks, marks
from ledger.store_table import put_mark

PART = "crm"
ANEW = ("DELETE FROM cursor",)
"""Of a log that was restored nobody has looked at an entry yet; what was written to HubSpot was written."""
Status = Literal["done", "unchanged", "refused", "gone"]

sa.Table(
    "written",
    metadata,
    sa.Column("record", sa.LargeBinary(16), primary_key=True),
    sa.Column("contact", sa.Text, primary_key=True),
    sa.Column("call", sa.Text, primary_key=True),
    sa.Column("about", sa.Text, primary_key=True, comment="id of the subscription type; empty: none"),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("code", sa.BigInteger, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
)
sa.Table(
    "approval",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("raises", sa.BigInteger, nullable=False),
    sa.Column("marketing", sa.BigInteger, nullable=False, comment="marketing contacts in HubSpot when it was given"),
    sa.Column("signed", sa.LargeBinary, nullable=False),
)
sa.Table(
    "raised",
    metadata,
    sa.Column("record", sa.LargeBinary(16), primary_key=True),
    sa.Column("at", sa.Text, primary_key=True),
    sa.Column("approval", sa.BigInteger, nullable=False),
    sa.Column("until", sa.Text, comment="when it was to be no marketing contact any more"),
)
sa.Table(
    "cursor",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

_WRITTEN = (
    'INSERT INTO written (record, contact, "call", about, at, status, code, reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?) '
    'ON CONFLICT (record, contact, "call", about) DO UPDATE SET at = excluded.at, status = excluded.status, '
    "code = excluded.code, reference = excluded.reference"
)
_USED = "SELECT a.number, a.raises, a.marketing, (SELECT count(*) FROM raised r WHERE r.approval = a.number) "
_CURSOR = (
    "INSERT INTO cursor (name, position, at) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
    "position = excluded.position, at = excluded.at"
)


class Result(NamedTuple):
    """What became of one thing that was to be written. `about`: the subscription type, by its id.

    detail  HubSpot's words about a refusal; no address in them
    """

    contact: str
    record: str
    call: Call
    about: str
    status: Status
    code: int
    at: datetime
    reference: str
    detail: str = ""


class Last(NamedTuple):
    """What was written of a record last, by a call."""

    call: str
    about: str
    at: datetime
    status: str


class Approval(NamedTuple):
    """So many raises, approved by somebody; `used` of them were made. `marketing`: as many there were then."""

    number: int
    at: datetime
    raises: int
    used: int
    marketing: int
    name: str
    role: str
    reason: str

    @property
    def left(self) -> int:
        """How many of it may still be made."""
        return self.raises - self.used


class Book(LookAgain):
    """The store of one ledger. Thread-safe; several processes may hold it open."""

    def __init__(self, database: Database, house: House) -> None:
        super().__init__(database, house.ledger)

    @classmethod
    def open(cls, house: House) -> Self:
        """A file beside the ledger's, made when absent, or the schema `crm` of its database."""
        return cls(house.beside(PART, metadata, anew=ANEW), house)

    # --- what was written -----------------------------------------------------------------------

    def keep(self, results: Iterable[Result]) -> None:
        """The last answer to each call about a record takes the place of the one before."""
        rows = [
            (self.key(r.record), r.contact, r.call, r.about, instant(r.at), r.status, r.code, r.reference)
            for r in results
        ]
        with self._database.writing() as driver:
            driver.executemany(_WRITTEN, rows)

    def last(self, record: str) -> list[Last]:
        """What was written of a record, the newest first."""
        with self._database.reading() as driver:
            rows = driver.execute(
                'SELECT "call", about, at, status FROM written WHERE record = ? ORDER BY at DESC', (self.key(record),)
            ).fetchall()
        return [Last(call, about, datetime.fromisoformat(at), status) for call, about, at, status in rows]

    # --- approvals ------------------------------------------------------------------------------

    def approve(self, raises: int, marketing: int, signed: tuple[str, str, str], at: datetime) -> int:
        """Keep that somebody (name, role, reason) approved so many raises; its number."""
        with self._database.writing() as driver:
            (last,) = driver.execute("SELECT coalesce(max(number), 0) FROM approval").fetchone()
            number = int(last) + 1
            sealed = self._ledger.seal(msgspec.json.encode(signed), _about(number))
            driver.execute(
                "INSERT INTO approval (number, at, raises, marketing, signed) VALUES (?, ?, ?, ?, ?)",
                (number, instant(at), raises, marketing, sealed),
            )
        return number

    def approvals(self) -> list[Approval]:
        """All of them, the oldest first."""
        with self._database.reading() as driver:
            rows = driver.execute(f"{_USED}, a.at, a.signed FROM approval a ORDER BY a.number").fetchall()
        return [
            Approval(number, datetime.fromisoformat(at), raises, used, marketing, *self._signed(number, sealed))
            for number, raises, marketing, used, at, sealed in rows
        ]

    def _signed(self, number: int, sealed: bytes) -> tuple[str, str, str]:
        plain = self._ledger.unseal(bytes(sealed), _about(number))
        return msgspec.json.decode(plain, type=tuple[str, str, str]) if isinstance(plain, bytes) else ("?", "?", "?")

    def left(self, cap: int | None) -> int:
        """How many raises may still be made: approved, and within the cap."""
        with self._database.reading() as driver:
            return sum(left for _, left in _open(driver, cap))

    def raised(self, records: Sequence[str]) -> frozenset[str]:
        """Those of the records whose raise is approved and counted already."""
        with self._database.reading() as driver:
            return self._raised(driver, records)

    def _raised(self, driver: Driver, records: Sequence[str]) -> frozenset[str]:
        keys = {self.key(record): record for record in records}
        found: set[str] = set()
        for part in chunks(list(keys)):
            statement = f"SELECT record FROM raised WHERE until IS NULL AND record IN ({marks(part)})"  # noqa: S608
            found.update(keys[bytes(record)] for (record,) in driver.execute(statement, part))
        return frozenset(found)

    def take(self, records: Sequence[str], cap: int | None, at: datetime) -> frozenset[str]:
        """Count these raises before they are made; those that may be. One that is counted is not counted again."""
        with self._database.writing() as driver:
            held = self._raised(driver, records)
            taken = set(held)
            waiting = [record for record in dict.fromkeys(records) if record not in held]
            for number, left in _open(driver, cap):
                now, waiting = waiting[:left], waiting[left:]
                driver.executemany(
                    "INSERT INTO raised (record, at, approval) VALUES (?, ?, ?)",
                    [(self.key(record), instant(at), number) for record in now],
                )
                taken.update(now)
        return frozenset(taken)

    def give_back(self, records: Sequence[str], at: datetime) -> None:
        """These are to be no marketing contacts any more: to raise them again needs another approval."""
        with self._database.writing() as driver:
            driver.executemany(
                "UPDATE raised SET until = ? WHERE record = ? AND until IS NULL",
                [(instant(at), self.key(record)) for record in records],
            )

    # --- how far it has come --------------------------------------------------------------------

    def cursor(self, name: str) -> tuple[int, datetime | None]:
        """The position up to which, and the moment at which, it was last brought in step; 0 before the first."""
        with self._database.reading() as driver:
            row = driver.execute("SELECT position, at FROM cursor WHERE name = ?", (name,)).fetchone()
        return (0, None) if row is None else (int(row[0]), datetime.fromisoformat(row[1]))

    def advance(self, name: str, position: int, at: datetime) -> None:
        """It was brought in step."""
        newest = self._ledger.log.mark()
        with self._database.writing() as driver:
            put_mark(driver, newest)
            driver.execute(_CURSOR, (name, position, instant(at)))


def _about(number: int) -> bytes:
    return b"crm approval %d" % number


def _open(driver: Driver, cap: int | None) -> list[tuple[int, int]]:
    """Approvals not used up, the oldest first, and how many of each may be made within the cap.

    Counted from the last approval on: how many there were then, and every raise that was made since.
    """
    rows = driver.execute(f"{_USED} FROM approval a ORDER BY a.number").fetchall()
    found = [(int(number), int(raises) - int(used)) for number, raises, _, used in rows if raises > used]
    if cap is None or not rows:
        return found
    number, _, marketing, _ = rows[-1]
    (since,) = driver.execute(
        "SELECT count(*) FROM raised WHERE at >= (SELECT at FROM approval WHERE number = ?)", (number,)
    ).fetchone()
    room = max(0, cap - int(marketing) - int(since))
    within = []
    for one, left in found:
        within.append((one, min(left, room)))
        room -= min(left, room)
    return within
