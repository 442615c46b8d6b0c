"""Where the answers live: a file of its own that can be deleted, rebuilt beside itself and swapped.

`views.db` is a link to the generation in use. A new generation is built in a file of its own name (so
that no file ever meets another's WAL) and the link is replaced in one step; whoever has the old file
open notices at the next look.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self, cast

import sqlalchemy as sa

from ledger.database import Database, chunks, uuid_bytes, uuid_text
from projections import outbox_schema, tracking
from projections.groups import Pair, neighbours, reach
from projections.status import Row

NAME = "status"
FORM = "status/2"
"""Changes when rows are made or packed differently: an older generation is then built anew."""

metadata = sa.MetaData()
tracking.tracking.to_metadata(metadata)
for _table in outbox_schema.metadata.sorted_tables:
    _table.to_metadata(metadata)
status = sa.Table(
    "status",
    metadata,
    sa.Column("contact", sa.LargeBinary(16), primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("address", sa.LargeBinary(16), primary_key=True),
    sa.Column("segments", sa.LargeBinary, nullable=False),
    sa.Column("next_change", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
sa.Index("status_next_change", status.c.next_change, sqlite_where=status.c.next_change.is_not(None))
kin = sa.Table(
    "kin",
    metadata,
    sa.Column("contact", sa.LargeBinary(16), primary_key=True),
    sa.Column("other", sa.LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)
generation = sa.Table(
    "generation",
    metadata,
    sa.Column("form", sa.Text, primary_key=True),
    sa.Column("policy", sa.Text, nullable=False),
)

INSERT = "INSERT INTO status VALUES (?, ?, ?, ?, ?, ?, ?)"
_ROWS = "SELECT contact, purpose, channel, address, segments, next_change, revision FROM status"


class Held(NamedTuple):
    """What a generation says of itself: how far it has come, and by which rule set (None: not begun)."""

    position: int
    policy: str | None


class Views:
    """The generation in use. Thread-safe; several processes may hold it open while another swaps it."""

    def __init__(self, path: Path, linked: bool = True) -> None:
        self.path = path
        self._linked = linked
        self._open: tuple[Path, Database] | None = None
        self._retired: list[Database] = []

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The views at a path; an empty generation when there are none."""
        views = cls(Path(path))
        views._database()
        return views

    @classmethod
    def at(cls, generation: Path) -> Self:
        """One generation by its own name, in use or not."""
        return cls(generation, linked=False)

    def close(self) -> None:
        """Close every connection. Idempotent."""
        if self._open is not None:
            self._retired.append(self._open[1])
            self._open = None
        while self._retired:
            self._retired.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _database(self) -> Database:
        """The database the link names now."""
        target = self._target()
        held = self._open
        if held is None or held[0] != target:
            if held is not None:
                self._retired.append(held[1])  # another thread may still read it
            held = self._open = (target, Database(target, metadata))
        return held[1]

    def _target(self) -> Path:
        if not self._linked:
            return self.path
        while True:
            with suppress(FileNotFoundError):
                return self.path.parent / self.path.readlink()
            with suppress(FileExistsError):
                self.path.symlink_to(new_generation(self.path).name)

    @contextmanager
    def transaction(self) -> Iterator[tuple[sa.Connection, sqlite3.Connection]]:
        """One write transaction, as SQLAlchemy and as the driver see it."""
        with self._database().transaction() as connection:
            yield connection, cast("sqlite3.Connection", connection.connection.driver_connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose reads all see the same moment."""
        with self._database().reading() as driver:
            driver.execute("BEGIN")
            try:
                yield driver
            finally:
                driver.execute("COMMIT")

    def swap(self, built: Path, position: int) -> bool:
        """Put a built generation in place, unless the one in use stands beyond its position.

        The old file's write lock is held meanwhile, so it does not go on unseen.
        """
        old = self._target()
        with self._database().writing() as driver:
            if held(driver).position > position or self._target() != old:
                return False
            link = built.with_name(f"{built.name}.link")
            link.symlink_to(built.name)
            link.replace(self.path)
        discard(old)
        return True


def discard(generation: Path) -> None:
    """Take a generation's files away; who still has them open reads on."""
    for left in generation.parent.glob(f"{generation.name}*"):
        left.unlink(missing_ok=True)


def new_generation(path: Path) -> Path:
    """A name nobody uses, beside the link."""
    return path.with_name(f"{path.name}.{os.urandom(8).hex()}")


def held(driver: sqlite3.Connection) -> Held:
    """What the generation says of itself."""
    position = driver.execute("SELECT position FROM tracking WHERE name = ?", (NAME,)).fetchone()
    policy = driver.execute("SELECT policy FROM generation WHERE form = ?", (FORM,)).fetchone()
    return Held(position[0] if position else 0, policy[0] if policy else None)


def rows_of_contact(driver: sqlite3.Connection, contact: str) -> list[Row]:
    """One contact's rows, in their order."""
    return driver.execute(
        f"{_ROWS} WHERE contact = ? ORDER BY purpose, channel, address", (uuid_bytes(contact),)
    ).fetchall()


def all_rows(driver: sqlite3.Connection) -> Iterator[Row]:
    """Every row, in the order of the key."""
    return iter(driver.execute(f"{_ROWS} ORDER BY contact, purpose, channel, address"))


def contacts_held(driver: sqlite3.Connection) -> list[str]:
    """Every contact that has a row."""
    return [uuid_text(row[0]) for row in driver.execute("SELECT DISTINCT contact FROM status")]


def kin_of(driver: sqlite3.Connection, contacts: Iterable[str], fresh: Iterable[Pair] = ()) -> set[str]:
    """Everybody ever linked with one of these, by the table and by pairs it does not hold yet."""
    beside = neighbours(fresh)

    def partners(contact: str) -> set[str]:
        rows = driver.execute("SELECT other FROM kin WHERE contact = ?", (uuid_bytes(contact),))
        return {uuid_text(other) for (other,) in rows} | beside.get(contact, set())

    return reach(contacts, partners)


def put_kin(driver: sqlite3.Connection, pairs: Iterable[Pair]) -> None:
    """Remember who was linked, both ways, for good."""
    both = [(uuid_bytes(a), uuid_bytes(b)) for one, other in pairs for a, b in ((one, other), (other, one))]
    driver.executemany("INSERT OR IGNORE INTO kin VALUES (?, ?)", both)


def put_rows(driver: sqlite3.Connection, contacts: Sequence[str], rows: Iterable[Row]) -> None:
    """Replace every row of these contacts."""
    for part in chunks([uuid_bytes(contact) for contact in contacts]):
        marks = ",".join("?" * len(part))
        driver.execute(f"DELETE FROM status WHERE contact IN ({marks})", part)  # noqa: S608 - marks only
    driver.executemany(INSERT, rows)


def put_generation(driver: sqlite3.Connection, policy: str) -> None:
    """Say by which rule set the rows are judged."""
    driver.execute("DELETE FROM generation")
    driver.execute("INSERT INTO generation VALUES (?, ?)", (FORM, policy))


def all_kin(driver: sqlite3.Connection) -> list[tuple[bytes, bytes]]:
    """Everybody ever linked, both ways."""
    return driver.execute("SELECT contact, other FROM kin ORDER BY contact, other").fetchall()
