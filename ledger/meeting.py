"""What meets in more than one contact: a record and an address, or addresses that are written alike.

A few contacts that meet may be one person who is there twice: their stops are to hold for all of them. Where many
meet, the record or address is nobody's own, and says nothing of who is who.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ledger.database import Driver, uuid_bytes, uuid_text
from ledger.resolving import select_in

MOST = 3
"""Addresses that may come together in one record, address or spelling; more of them are a crowd.

Addresses are counted, and not contacts: how many contacts they are hangs on which of them was known first.
"""

_MEETINGS = (
    "SELECT m.record_ref, r.contact, m.address_id, a.contact FROM meeting m "
    "JOIN record r ON r.record_ref = m.record_ref JOIN address a ON a.address_id = m.address_id"
)


class _Together(NamedTuple):
    """A record and an address that were seen together, and whose each is."""

    record: str
    of_record: str
    address: str
    of_address: str

    @property
    def is_apart(self) -> bool:
        return self.of_record != self.of_address


class Tie(NamedTuple):
    """Two contacts and what ties them: a record of `one` and an address of `other`, or an address of each."""

    one: str
    other: str
    record: str | None
    address: str
    alike: str | None = None


class Crowd(NamedTuple):
    """Contacts of which too many addresses come together, and the id of what those meet in."""

    key: str
    contacts: tuple[str, ...]


class Met(NamedTuple):
    """Ties that hold, ties that a crowd undoes, and the crowds."""

    ties: tuple[Tie, ...] = ()
    undone: tuple[Tie, ...] = ()
    crowds: tuple[Crowd, ...] = ()


def met_in_records(driver: Driver, pairs: Collection[tuple[str, str]]) -> Met:
    """What records and addresses, by their ids, come to that were seen together, each in other company as well."""
    near = _seen_together(driver, "m.record_ref", {record for record, _ in pairs})
    near = _seen_together(driver, "m.address_id", {one.address for one in near} | {address for _, address in pairs})
    near = _seen_together(driver, "m.record_ref", {one.record for one in near})
    of_record, of_address = _gathered(near, "record"), _gathered(near, "address")
    crowds = {record: seen for record, seen in of_record.items() if len(seen) > MOST}
    for address, seen in of_address.items():
        company = {one for met in seen for one in of_record[met.record]}
        if len({one.address for one in company}) > MOST:
            crowds[address] = company
    within = {one for company in crowds.values() for one in company}
    apart = {one: Tie(one.of_record, one.of_address, one.record, one.address) for one in sorted(near) if one.is_apart}
    ties = tuple(tie for one, tie in apart.items() if one not in within and (one.record, one.address) in pairs)
    found = (Crowd(key, _contacts(company)) for key, company in sorted(crowds.items()))
    return Met(ties, tuple(tie for one, tie in apart.items() if one in within), tuple(found))


def _seen_together(driver: Driver, column: str, ends: Collection[str]) -> set[_Together]:
    return {
        _Together(*map(uuid_text, row))
        for row in select_in(driver, _MEETINGS, column, {uuid_bytes(end) for end in ends})
    }


def _gathered(together: Iterable[_Together], end: str) -> dict[str, set[_Together]]:
    found: dict[str, set[_Together]] = {}
    for one in together:
        found.setdefault(getattr(one, end), set()).add(one)
    return found


def _contacts(company: Iterable[_Together]) -> tuple[str, ...]:
    return tuple(sorted({contact for one in company for contact in (one.of_record, one.of_address)}))


def met_in_spellings(driver: Driver, broad: Iterable[bytes] | None = None) -> Met:
    """What addresses come to that share one of these widest forms; None: any form that is not everybody's own."""
    if driver.execute("SELECT 1 FROM alike LIMIT 1").fetchone() is None:
        return Met()
    query = (
        "SELECT l.broad, a.address_id, a.contact, a.rowid FROM alike l JOIN address a ON a.address_id = l.address_id"
    )
    rows = set(driver.execute(query) if broad is None else select_in(driver, query, "l.broad", set(broad)))
    own = "SELECT lookup, address_id, contact, rowid FROM address"
    rows |= set(select_in(driver, own, "lookup", {row[0] for row in rows}))
    written: dict[bytes, list[tuple[int, str, str]]] = {}
    for form, address, contact, number in rows:
        written.setdefault(form, []).append((number, uuid_text(address), uuid_text(contact)))
    ties, undone, crowds = list[Tie](), list[Tie](), list[Crowd]()
    for form in sorted(written):
        (_, first, contact), *others = sorted(written[form])
        made = [Tie(contact, other, None, first, address) for _, address, other in others]
        if len(written[form]) > MOST:
            crowds.append(Crowd(form.hex(), tuple(sorted({contact, *(tie.other for tie in made)}))))
        (undone if len(written[form]) > MOST else ties).extend(made)
    return Met(tuple(ties), tuple(undone), tuple(crowds))
