"""Every address of whoever must not be mailed: those of the person, and of who shares the stops by a stop link.

A record shows one address. Its person may have more, and a list that leaves one out lets it be written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from adapters.intake import SYSTEM
from adapters.unread import Named
from adapters.wiring import House
from ledger import events as e
from ledger.contact import Contact
from ledger.policy.dossier import Dossier
from projections.audit import Auditor, Record
from projections.verdicts import Verdict


class Owned(NamedTuple):
    """An address that can be read, and the contact that it belongs to."""

    contact: str
    address: str
    text: str


def with_others(house: House, auditor: Auditor, group: Sequence[Contact], record: Record, verdict: Verdict) -> Verdict:
    """The verdict with the other addresses to be kept out with its record: all but those that are free themselves."""
    owner = group[0]
    if not verdict.kept_out or (len(group) == 1 and len(owner.addresses) < 2):
        return verdict
    others = []
    for contact, address, text in addresses_of(house, group):
        if contact == owner.contact:
            about, theirs = record._replace(address=address, email=text), group
        else:
            about = Record(contact, None, address, None, text)
            theirs = house.group_of(house.contacts([contact]), contact)
        if address != record.address and not auditor.is_free(theirs, about):
            others.append(text)
    return msgspec.structs.replace(verdict, others=tuple(others)) if others else verdict


def with_theirs(house: House, named: Sequence[Named]) -> list[Named]:
    """Whom rows name that could not be read; after each who is held because of it, the other addresses of theirs."""
    vault = house.ledger.vault
    owners = vault.find_addresses({who.email for who in named if who.email})
    known = vault.known_records(SYSTEM, [who.record_id for who in named if who.record_id])
    found: list[Named] = []
    for who in named:
        found.append(who)
        row = known.get(who.record_id or "")
        contact = owners[who.email][0] if who.email in owners else row.contact if row else None
        if contact is not None:
            group = house.group_of(house.contacts([contact]), contact)
            if Dossier(group).held is not None:
                found += [Named(text, None) for _, _, text in addresses_of(house, group)]
    return list(dict.fromkeys(found))


def addresses_of(house: House, group: Sequence[Contact]) -> Iterator[Owned]:
    """Every address of a group that can be read, each once: those of erased people cannot."""
    for contact in group:
        own = {n.event.address: isinstance(n.event, e.AddressLinked) for n in contact.addresses if n.event.address}
        for address in (one for one, linked in own.items() if linked):
            text = house.ledger.vault.address_text(address)
            if isinstance(text, str):
                yield Owned(contact.contact, address, text)
