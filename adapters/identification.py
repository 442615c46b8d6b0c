"""Who is meant by what somebody typed or sent: an address, a reference of a page or list, or a record id of a CRM."""

from __future__ import annotations

import re
from typing import NamedTuple

from adapters.addresses import address_of
from adapters.near import near_addresses
from ledger.application import Ledger
from ledger.codec import decode
from ledger.terms import LEDGER_STREAM

HUBSPOT = "hubspot"
"""Whose record a bare number is."""
_reference = re.compile(r"CL-([0-9a-f]{8})-([0-9]{1,15})\Z").match
_record = re.compile(r"(?:([a-z][a-z0-9_.-]*):)?([0-9]{1,20})\Z").match


class UnknownPersonError(LookupError):
    """An address, reference or record id that the ledger holds nothing about."""


class Person(NamedTuple):
    """A contact, and the address of it that is meant.

    contact    the contact's id
    address    the address's id; None: the contact has none
    email      the address as written; None: it has none, or it is erased
    reference  the reference that was given, if one was
    position   the fact that the reference names
    record     the record that was given, if one was: its system, and its id there
    """

    contact: str
    address: str | None
    email: str | None
    reference: str | None = None
    position: int | None = None
    record: tuple[str, str] | None = None


def names_known(text: str) -> bool:
    """True for a reference or a record id: it can only name somebody whom the ledger knows."""
    return is_reference(text) or _record(text) is not None


def is_reference(text: str) -> bool:
    """True for what is written like a reference; an address may begin in the same way."""
    return text.strip().startswith("CL-") and "@" not in text


def identify(ledger: Ledger, text: str) -> Person:
    """The person meant by an address, a reference (`CL-xxxxxxxx-N`) or a record id (`1002`, `hubspot:1002`).

    Raises UnknownPersonError.
    """
    text = text.strip()
    if is_reference(text):
        return _by_reference(ledger, text)
    record = _record(text)
    if record is not None:
        return _by_record(ledger, record[1] or HUBSPOT, record[2])
    found = ledger.vault.find_address(address_of(text) or text)
    if found is None:
        near = near_addresses(ledger.vault, text)
        meant = f". Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownPersonError(f"{text}: this ledger holds nothing about that address{meant}")
    return Person(*found, text)


def _by_reference(ledger: Ledger, text: str) -> Person:
    found = _reference(text)
    entries = ledger.log.read(int(found[2]) - 1, 1) if found is not None and int(found[2]) > 0 else []
    event = decode(entries[0][2]) if entries else None
    if found is None or event is None or event.stream == LEDGER_STREAM or not event.stream.startswith(found[1]):
        raise UnknownPersonError(f"{text}: this ledger has no such reference; references look like CL-0a1b2c3d-42")
    return Person(*_written(ledger, event.stream, event.address), reference=text, position=int(found[2]))


def _by_record(ledger: Ledger, system: str, record_id: str) -> Person:
    row = ledger.vault.find_record(system, record_id)
    if row is None:
        raise UnknownPersonError(f"{record_id}: this ledger knows no {system} record with that id")
    return Person(*_written(ledger, row.contact, row.address), record=(system, record_id))


def _written(ledger: Ledger, contact: str, address: str | None) -> tuple[str, str | None, str | None]:
    address = address or next(iter(ledger.vault.addresses_of(contact)), None)
    written = ledger.vault.address_text(address) if address else None
    return contact, address, written if isinstance(written, str) else None


def reference_to(ledger: Ledger, person: Person) -> str:
    """The reference of a person's address: the one that was given, else that of the first fact about the address.

    It never changes: the log is only added to.
    """
    if person.reference is not None:
        return person.reference
    first = None
    for position, _, state in ledger.log.stream(person.contact):
        first = first or position
        if decode(state).address == person.address:
            return reference_of(person.contact, position)
    return reference_of(person.contact, first or 0)


def reference_of(contact: str, position: int) -> str:
    """What a fact of a contact is called in pages and lists."""
    return f"CL-{contact[:8]}-{position}"
