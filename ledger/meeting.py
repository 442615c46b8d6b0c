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
"""Contacts that may meet in one record, address or spelling; more of them are a crowd."""

_MEETINGS = (
    "SELECT m.record_ref, r.contact, m.address_id, a.contact FROM meeting m "
    "JOIN record r ON r.record_ref = m.record_ref JOIN address a ON a.address_id = m.address_id"
)


class Tie(NamedTuple):
    """Two contacts and what ties them: a record of `one` and an address of `other`, or an address of each."""

    one: str
    other: str
    record: str | None
    address: str
    alike: str | None = None


class Crowd(NamedTuple):
    """Contacts that are too many to be tied, and the id of what they meet in."""

    key: str
    contacts: tuple[str, ...]


class Met(NamedTuple):
    """Ties that hold, ties that a crowd undoes, and the crowds."""

    ties: tuple[Tie, ...] = ()
    undone: tuple[Tie, ...] = ()
    crowds: tuple[Crowd, ...] = ()


def met_in_records(driver: Driver, pairs: Collection[tuple[str, str]]) -> Met:
    """What records and addresses, by their ids, come to that met in two contacts."""
    ends = {uuid_bytes(one) for pair in pairs for one in pair}
    rows = {*select_in(driver, _MEETINGS, "m.record_ref", ends), *select_in(driver, _MEETINGS, "m.address_id", ends)}
    known = [Tie(uuid_text(c), uuid_text(o), uuid_text(r), uuid_text(a)) for r, c, a, o in sorted(rows)]
    contacts: dict[str, set[str]] = {}
    for tie in known:
        for end in (tie.record or "", tie.address):
            contacts.setdefault(end, set()).update((tie.one, tie.other))
    asked = {end for pair in pairs for end in pair}
    crowds = {end for end in asked if len(contacts.get(end, ())) > MOST}
    undone = tuple(tie for tie in known if crowds & {tie.record, tie.address})
    ties = tuple(tie for tie in known if tie not in undone and (tie.record, tie.address) in pairs)
    return Met(ties, undone, tuple(Crowd(end, tuple(sorted(contacts[end]))) for end in sorted(crowds)))


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
        members = {contact, *(tie.other for tie in made)}
        if len(members) > MOST:
            crowds.append(Crowd(form.hex(), tuple(sorted(members))))
        (undone if len(members) > MOST else ties).extend(made)
    return Met(tuple(ties), tuple(undone), tuple(crowds))
