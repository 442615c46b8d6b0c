"""Where the answers live: apart from the facts, to be deleted, rebuilt beside themselves and swapped.

A generation is one set of answers; `projections.generations` says where it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import NamedTuple, Self

import sqlalchemy as sa

from ledger.database import Database, Driver, Location, chunks, marks, uuid_bytes, uuid_text
from ledger.stores import Mark
from projections import outbox_schema, tracking
from projections.binding import CHECK_BYTES, Binding, Kept
from projections.generations import INSERT, Generations, generations_at
from projections.groups import Pair, neighbours, reach
from projections.tracking import UNNAMED, Source

NAME = "status"
FORM = "status/6"
"""Changes when rows are made or packed differently: an older generation is then built anew."""

_Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text in the order of its bytes, as Python and SQLite have it."""

metadata = sa.MetaData()
tracking.tracking.to_metadata(metadata)
for _table in outbox_schema.metadata.sorted_tables:
    _table.to_metadata(metadata)
status = sa.Table(
    "status",
    metadata,
    sa.Column("contact", sa.LargeBinary(16), primary_key=True),
    sa.Column("purpose", _Name, primary_key=True),
    sa.Column("channel", _Name, primary_key=True),
    sa.Column("address", sa.LargeBinary(16), primary_key=True),
    sa.Column("segments", sa.LargeBinary, nullable=False),
    sa.Column("next_change", _Name),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("mac", sa.LargeBinary(CHECK_BYTES), comment="keyed check of all of it; see projections.binding"),
    sqlite_with_rowid=False,
)
_changing = status.c.next_change.is_not(None)
sa.Index("status_next_change", status.c.next_change, sqlite_where=_changing, postgresql_where=_changing)
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

_ROWS = "SELECT contact, purpose, channel, address, segments, next_change, revision, mac FROM status"
_LATER = (status.c.mac, *(metadata.tables["tracking"].c[name] for name in ("hash", "ledger", "epoch")))
"""Columns that generations of older programs do not have."""


class Held(NamedTuple):
    """What a generation says of itself: how far it has come in which log, and by which rule set.

    policy  None: not begun, or written by another form of this program; then nothing of it is used
    """

    mark: Mark
    policy: str | None
    source: Source

    @property
    def position(self) -> int:
        """How far it has come; 0: not begun."""
        return self.mark.position


class Views:
    """The generation in use. Thread-safe; several processes may hold it open while another swaps it."""

    def __init__(self, generations: Generations, binding: Binding, fixed: str | None = None) -> None:
        self.generations = generations
        self.binding = binding
        self._fixed = fixed
        self._open: tuple[str, Database] | None = None
        self._retired: list[Database] = []
        self._opening = Lock()

    @classmethod
    def open(cls, location: Location, binding: Binding) -> Self:
        """The views at a location, of the ledger that `binding` names; an empty generation when there are none."""
        views = cls(generations_at(location, metadata), binding)
        views._database()
        return views

    def at(self, generation: str) -> Views:
        """One generation by its own name, in use or not."""
        return Views(self.generations, self.binding, generation)

    @property
    def are_in_use(self) -> bool:
        """Whether these are the answers in use. What is built beside them is only followed up, never built anew."""
        return self._fixed is None

    def close(self) -> None:
        """Close every connection. Idempotent."""
        if self._open is not None:
            self._retired.append(self._open[1])
            self._open = None
        while self._retired:
            self._retired.pop().close()
        if self._fixed is None:
            self.generations.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _database(self) -> Database:
        """The database of the generation in use now."""
        with self._opening:  # of two threads that notice a swap, one opens what both then use
            target = self._target()
            held = self._open
            if held is None or held[0] != target:
                if held is not None:
                    while self._retired:  # whoever read what was left a swap earlier has ended
                        self._retired.pop().close()
                    self._retired.append(held[1])  # another thread may still read it
                held = self._open = (target, _widened(self.generations.open(target)))
            return held[1]

    def _target(self) -> str:
        return self._fixed or self.generations.current()

    @contextmanager
    def transaction(self) -> Iterator[Driver]:
        """One write transaction."""
        with self._database().writing() as driver:
            yield driver

    @contextmanager
    def snapshot(self) -> Iterator[Driver]:
        """A connection whose reads all see the same moment."""
        with self._database().snapshot() as driver:
            yield driver

    def swap(self, built: str, position: int, stands: Callable[[Held], bool]) -> bool:
        """Put a built generation in place, unless the one in use stands beyond its position.

        Where that one does not stand in the log at all, by `stands`, its position says nothing. Its write lock is
        held meanwhile, so it does not go on unseen.
        """
        old = self._target()
        with self._database().writing() as driver:
            now = held(driver)
            if self._target() != old or (now.position > position and stands(now)):
                return False
            self.generations.point(built)
            driver.execute("DELETE FROM generation")  # who still reads it sees that it answers no more
        self.generations.discard(old)
        return True


def _widened(database: Database) -> Database:
    """A generation with the columns that an older program did not make, empty: its form says that it is outdated."""
    try:
        if not _is_wide(database):
            with suppress(database.dbapi.DatabaseError), database.writing() as driver:  # another may be first
                for column in _LATER:
                    kind = column.type.compile(database.engine.dialect)
                    driver.execute(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}")
    except BaseException:
        database.close()
        raise
    return database


def _is_wide(database: Database) -> bool:
    with database.reading() as driver:
        try:
            driver.execute("SELECT mac, hash FROM status, tracking LIMIT 0").fetchall()
        except database.dbapi.DatabaseError:
            return False
    return True


def held(driver: Driver) -> Held:
    """What the generation says of itself."""
    standing = tracking.standing_of(driver, NAME)
    policy = driver.execute("SELECT policy FROM generation WHERE form = ?", (FORM,)).fetchone()
    if standing is None:
        return Held(Mark(tracking.position_of(driver, NAME), b""), None, UNNAMED)
    return Held(standing.mark, policy[0] if policy else None, standing.source)


def rows_of_contact(driver: Driver, contact: str) -> list[Kept]:
    """One contact's rows, in their order."""
    return driver.execute(
        f"{_ROWS} WHERE contact = ? ORDER BY purpose, channel, address", (uuid_bytes(contact),)
    ).fetchall()


def revisions_of(driver: Driver, contacts: Iterable[str]) -> set[int]:
    """The positions of the entries of which the newest rows of these contacts were made."""
    found: set[int] = set()
    for part in chunks([uuid_bytes(contact) for contact in contacts]):
        query = f"SELECT DISTINCT revision FROM status WHERE contact IN ({marks(part)})"  # noqa: S608 - marks only
        found.update(revision for (revision,) in driver.execute(query, part))
    return found


def all_rows(driver: Driver) -> Iterator[Kept]:
    """Every row, in the order of the key."""
    return iter(driver.execute(f"{_ROWS} ORDER BY contact, purpose, channel, address"))


def all_changing(driver: Driver) -> Iterator[Kept]:
    """The rows whose answer changes by itself at some moment, or did."""
    return iter(driver.execute(f"{_ROWS} WHERE next_change IS NOT NULL"))


def contact_of(row: Kept) -> str:
    """Whose row it is."""
    return uuid_text(row[0])


def contacts_held(driver: Driver) -> list[str]:
    """Every contact that has a row."""
    return [uuid_text(row[0]) for row in driver.execute("SELECT DISTINCT contact FROM status")]


def kin_of(driver: Driver, contacts: Iterable[str], fresh: Iterable[Pair] = ()) -> set[str]:
    """Everybody ever linked with one of these, by the table and by pairs it does not hold yet."""
    beside = neighbours(fresh)

    def partners(contact: str) -> set[str]:
        rows = driver.execute("SELECT other FROM kin WHERE contact = ?", (uuid_bytes(contact),))
        return {uuid_text(other) for (other,) in rows} | beside.get(contact, set())

    return reach(contacts, partners)


def put_kin(driver: Driver, pairs: Iterable[Pair]) -> None:
    """Remember who was linked, both ways, for good."""
    both = [(uuid_bytes(a), uuid_bytes(b)) for one, other in pairs for a, b in ((one, other), (other, one))]
    driver.executemany("INSERT INTO kin (contact, other) VALUES (?, ?) ON CONFLICT (contact, other) DO NOTHING", both)


def put_rows(driver: Driver, contacts: Sequence[str], rows: Iterable[Kept]) -> None:
    """Replace every row of these contacts."""
    for part in chunks([uuid_bytes(contact) for contact in contacts]):
        driver.execute(f"DELETE FROM status WHERE contact IN ({marks(part)})", part)  # noqa: S608 - marks only
    driver.executemany(INSERT, rows)


def put_generation(driver: Driver, policy: str) -> None:
    """Say by which rule set the rows are judged."""
    driver.execute("DELETE FROM generation")
    driver.execute("INSERT INTO generation VALUES (?, ?)", (FORM, policy))


def all_kin(driver: Driver) -> list[tuple[bytes, bytes]]:
    """Everybody ever linked, both ways."""
    return driver.execute("SELECT contact, other FROM kin ORDER BY contact, other").fetchall()
