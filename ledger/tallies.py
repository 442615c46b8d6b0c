"""Tallies of a vault: of each table, how many rows it has and a keyed digest of them all, whatever their order.

A row that was changed, removed or added without the keys no longer fits the tally of its table. A tally is kept
in the transaction that changes the rows, so it always fits what is committed.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ledger.database import Driver
from ledger.sealing import Keyed

_MODULUS = 1 << 256
COUNTED = {
    "contact_key": ("contact", "wrapped"),
    "address": ("address_id", "contact", "lookup"),
    "record": ("record_ref", "contact", "address", "lookup"),
    "suppression": ("hmac", "kind", "since"),
}
"""The tables, and of each the columns that bind a row. What is sealed is bound by its own tag."""
_READ = "SELECT rows, digest, mac FROM tally WHERE name = ?"
_PUT = (
    "INSERT INTO tally (name, rows, digest, mac) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, digest = excluded.digest, mac = excluded.mac"
)

Value = bytes | str | None


def add_tally(metadata: sa.MetaData) -> None:
    """Add the table to those of a vault."""
    sa.Table(
        "tally",
        metadata,
        sa.Column("name", sa.Text, primary_key=True, comment="of the table"),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, comment="sum of the keyed hashes of its rows"),
        sa.Column("mac", sa.LargeBinary(32), nullable=False, comment="of name, rows and digest"),
    )


class Tally(NamedTuple):
    """How many rows a table has, and the sum of their keyed hashes."""

    rows: int = 0
    digest: int = 0

    def after(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.rows + other.rows, (self.digest + other.digest) % _MODULUS)


class Tallies:
    """The tallies of one vault."""

    def __init__(self, key: bytes) -> None:
        self._keyed = Keyed(key)

    def hashed(self, table: str, row: Sequence[Value]) -> int:
        """The keyed hash of a row's binding columns."""
        return int.from_bytes(self._keyed(b"row", table.encode(), *map(_framed, row)), "big")

    def read(self, driver: Driver, table: str) -> Tally | None:
        """The tally of a table; None: there is none, or it was changed without the keys."""
        found = driver.execute(_READ, (table,)).fetchone()
        if found is None:
            return None
        tally = Tally(int(found[0]), int.from_bytes(bytes(found[1]), "big"))
        return tally if hmac.compare_digest(self._mac(table, tally), bytes(found[2])) else None

    def put(self, driver: Driver, table: str, tally: Tally) -> None:
        """Keep the tally of a table, within a transaction."""
        driver.execute(_PUT, (table, tally.rows, tally.digest.to_bytes(32, "big"), self._mac(table, tally)))

    def begin(self, driver: Driver) -> None:
        """Count what is there, table by table, where no tally was kept yet. Within a transaction."""
        for table in COUNTED:
            if driver.execute(_READ, (table,)).fetchone() is None:
                self.put(driver, table, self.counted(table, rows_of(driver, table)))

    def count_again(self, driver: Driver, tables: Iterable[str]) -> None:
        """Count these tables anew where their tallies hold, after a change of many rows. Within its transaction."""
        for table in tables:
            if self.read(driver, table) is not None:
                self.put(driver, table, self.counted(table, rows_of(driver, table)))

    def counted(self, table: str, rows: Iterator[Sequence[Value]]) -> Tally:
        """The tally of these rows."""
        count, digest = 0, 0
        for row in rows:
            count, digest = count + 1, digest + self.hashed(table, row)
        return Tally(count, digest % _MODULUS)

    def _mac(self, table: str, tally: Tally) -> bytes:
        rows = tally.rows.to_bytes(8, "big", signed=True)  # whoever wrote it may have written anything
        return self._keyed(b"tally", table.encode(), rows, tally.digest.to_bytes(32, "big"))


def rows_of(driver: Driver, table: str) -> Iterator[Sequence[Value]]:
    """The binding columns of every row of a table."""
    yield from driver.execute(f"SELECT {', '.join(COUNTED[table])} FROM {table}")  # noqa: S608 - our names


class Change:
    """What one transaction adds to tables and takes from them."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies
        self._changed: defaultdict[str, Tally] = defaultdict(Tally)

    def add(self, table: str, *row: Value) -> None:
        """A row, by its binding columns."""
        self._changed[table] = self._changed[table].after(Tally(1, self._tallies.hashed(table, row)))

    def take(self, table: str, *row: Value) -> None:
        """A row as it was before."""
        self._changed[table] = self._changed[table].after(Tally(-1, -self._tallies.hashed(table, row)))

    def keep(self, driver: Driver) -> None:
        """Keep the tallies after it, within its transaction.

        A tally that does not hold any more is left as it is: a check names it, and nothing that is right is refused.
        """
        for table, changed in self._changed.items():
            tally = self._tallies.read(driver, table)
            if tally is not None:
                self._tallies.put(driver, table, tally.after(changed))


def _framed(value: Value) -> bytes:
    if value is None:
        return b"\0"
    return b"\1" + (value.encode() if isinstance(value, str) else bytes(value))
