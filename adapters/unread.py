"""Rows that may be somebody's stop and could not be read: whoever they name is held, the others are counted.

A no that cannot be read is no reject: it may be that of anybody who is named in its row. So everybody whose address
or record id can be read there is put under review until somebody has looked; and a row that names nobody is lost,
which is said before all else. See docs/reference/doors.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adapters.addresses import addresses_in
from adapters.reading import digest
from adapters.tabular import Rejected
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.spelling import normal
from ledger.terms import UNREAD_ROW
from ledger.vault import Registration

SOURCE = "unread.row"
_HELD = "; it may be an opt-out, so whoever it names is held until somebody has looked"
_LOST = "; a stop that reaches nobody: find out whose it is, and record it by hand"


class Named(NamedTuple):
    """Whom a row names: one of the two."""

    email: str | None
    record_id: str | None


class Row(NamedTuple):
    """A row that could not be read: whom it names, and how many rows that it may stand for name nobody."""

    rejected: Rejected
    named: tuple[Named, ...]
    lost: int

    @property
    def places(self) -> range:
        """Where it stands: a row that swallowed others takes up the places of them all."""
        return range(self.rejected.row, self.rejected.row + max(1, len(self.rejected.lines)))


@dataclass(slots=True)
class Unread:
    """What could not be read of one file."""

    rows: list[Row] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """How many rows name nobody."""
        return sum(row.lost for row in self.rows)

    @property
    def named(self) -> list[Named]:
        """Everybody who is named, once."""
        return list(dict.fromkeys(who for row in self.rows for who in row.named))


def unread_of(rejected: Iterable[Rejected]) -> Unread:
    """Of the rejected rows those that may be stops, and whom they name."""
    return Unread([_looked_through(one) for one in rejected if one.may_stop])


def hold(house: House, system: str, unread: Unread) -> None:
    """Put everybody named under review. A row that a later file holds as well is the same row, and holds once.

    A record id beside an address is looked up and not taken in: what could not be read ties nobody to a record.
    """
    ids = [who.record_id for who in unread.named if who.record_id]
    known = house.ledger.vault.known_records(system, ids) if ids else {}
    about = [
        (row.rejected, who)
        for row in unread.rows
        for who in row.named
        if who.email or who.record_id in known or not any(other.email for other in row.named)
    ]
    people = house.ledger.register_many([Registration(who.email, system, who.record_id, False) for _, who in about])
    facts = []
    for (row, who), person in zip(about, people, strict=True):
        event = e.ReviewDecided(
            stream=person.contact,
            address=person.address,
            record=person.record,
            source=SOURCE,
            by="system",
            precision="recorded",
            outcome="hold",
            question=UNREAD_ROW,
        )
        key = digest(repr(row.lines), who.email or "", who.record_id or "")
        facts.append(Fact(event, key, {"file": row.file, "row": row.row, "reason": row.reason}))
    house.ledger.record_many(facts)


def explained(rejected: Sequence[Rejected], unread: Unread) -> list[Rejected]:
    """The rejected rows, each that may be a stop with what becomes of it."""
    lost = {id(row.rejected): bool(row.lost) for row in unread.rows}
    return [
        replace(one, reason=one.reason + (_LOST if lost[id(one)] else _HELD)) if id(one) in lost else one
        for one in rejected
    ]


def _looked_through(rejected: Rejected) -> Row:
    found = [_named(line, rejected.record_at) for line in rejected.lines or ((),)]
    named = dict.fromkeys(who for line in found for who in line)
    return Row(rejected, tuple(named), sum(not line for line in found))


def _named(cells: Sequence[str], record_at: int | None) -> list[Named]:
    addresses = {normal(address): address for cell in cells for address in addresses_in(cell)}
    found = [Named(address, None) for address in addresses.values()]
    record = cells[record_at].strip() if record_at is not None and record_at < len(cells) else ""
    if record.isascii() and record.isdigit() and len(record) <= 20:
        found.append(Named(None, record))
    return found
