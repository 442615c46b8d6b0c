"""The ceremony of `correct`: which stop is taken back and what the answers become, before anything is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import msgspec

from adapters.wiring import House
from ledger import events as e
from ledger.commands import CommandRefusedError, Correct, Second, Signature, decide, standing_requests
from ledger.contact import Contact, Entry, extend
from ledger.policy.judge import Bench, segments
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Question
from ledger.spelling import forms
from ledger.terms import BEGINNING
from projections.cells import cells_of

SAME_ACT = timedelta(minutes=5)
"""An address is suppressed just before its erasure request is recorded; much earlier is another's request."""


class Change(NamedTuple):
    """One answer, before and after: `None` where it is allowed, else the reason why not."""

    purpose: str
    channel: str
    before: str | None
    after: str | None


class Correction(NamedTuple):
    """A correction that may be carried out.

    lifted      the stop, and with an erasure request's those that the ledger added for its address; none where
                all of it is recorded already and only the suppression is left
    email       the address it is about, as it was written; None: unknown, or the whole contact
    suppressed  the address whose suppression ends with it
    changes     every answer of the contact
    """

    command: Correct
    contact: Contact
    lifted: tuple[Entry, ...]
    email: str | None
    suppressed: str | None
    changes: tuple[Change, ...]


def plan_correction(
    house: House, position: int, signed: Signature, second: Second | None, files: Sequence[bytes], at: datetime
) -> Correction:
    """What a correction would take back and change at a moment. Raises CommandRefusedError."""
    contact = _contact_at(house, position)
    command = Correct(
        position=position,
        signed=msgspec.structs.replace(signed, evidence=tuple(sha256(file).hexdigest() for file in files)),
        second=second,
        two_needed=house.two_needed,
        used=frozenset(file for entry in house.corrections() for file in entry.event.evidence),
        erased=bool(contact.erasures) or house.ledger.vault.is_erased(contact.contact),
    )
    if (left := _left(house, contact, position)) is not None:
        return Correction(command, contact, (), left, left, ())
    events = decide(command, [contact])
    undone = {event.undoes for event in events if isinstance(event, e.Corrected)}
    lifted = tuple(entry for entry in (*contact.stops, *contact.reviews) if entry.position in undone)
    stop = next(entry for entry in lifted if entry.position == position)
    return Correction(
        command,
        contact,
        lifted,
        _written(house, stop.event.address),
        _suppressed(house, contact, stop),
        tuple(_changes(house, contact, events, at)),
    )


def carry_out(house: House, planned: Correction, files: Sequence[bytes], at: datetime) -> list[int]:
    """Keep the evidence, record a correction, then end the suppression that came with it; the positions.

    In that order: a crash between the two leaves a person too well protected, never too little.
    """
    for file in files:
        house.ledger.log.put_document(file)
    positions = house.carry_out(planned.command, [planned.contact]) if planned.lifted else []
    if planned.suppressed is not None:
        house.ledger.vault.lift_suppression(planned.suppressed, at)
    return positions


def _contact_at(house: House, position: int) -> Contact:
    entries = house.ledger.log.read(position - 1, 1) if position > 0 else []
    if not entries or entries[0][0] != position:
        raise CommandRefusedError(f"there is no position {position} in this ledger")
    owner = house.stream_of(entries[0][2])
    return house.contacts([owner])[owner]


def _written(house: House, address: str | None) -> str | None:
    written = house.ledger.vault.address_text(address) if address else None
    return written if isinstance(written, str) else None


def _left(house: House, contact: Contact, position: int) -> str | None:
    """The address that a correction recorded earlier left suppressed, as it was cut short."""
    stop = next((entry for entry in contact.stops if entry.position == position), None)
    return _suppressed(house, contact, stop) if stop is not None and position in contact.undone else None


def _suppressed(house: House, contact: Contact, stop: Entry) -> str | None:
    """The address whose suppression ends with a stop: it came with that request, and no other one stands."""
    if not isinstance(stop.event, e.ErasureRequested):
        return None
    email = _written(house, stop.event.address)
    since = house.ledger.vault.suppressed_since([email]).get(email) if email else None
    if email is None or since is None or _others(contact, stop) or _is_asked_by_kin(house, contact, email):
        return None
    if not _came_with(house, contact, stop.event.address, since):
        raise CommandRefusedError(
            f"this address is suppressed since {since:%Y-%m-%d}, by another request than the one at "
            f"{stop.position}: that one stands, and only a new opt-in of the person counts"
        )
    return email


def _others(contact: Contact, stop: Entry) -> bool:
    """Whether another erasure request about the same address stands."""
    return any(entry.position != stop.position for entry in standing_requests(contact, stop.event.address))


def _is_asked_by_kin(house: House, contact: Contact, email: str) -> bool:
    """Whether a linked contact asks for the same of an address that shares a form with this one, or may."""
    for other in house.group(contact)[1:]:
        for request in standing_requests(other, None):
            written = _written(house, request.event.address)
            if written is None or not set(forms(email)).isdisjoint(forms(written)):
                return True
    return False


def _came_with(house: House, contact: Contact, address: str | None, since: datetime) -> bool:
    """Whether a suppression came with a request for the address: of the day that it claims, or just before it."""
    for _, _, event in house.ledger.contact_entries(contact.contact):
        if isinstance(event, e.ErasureRequested) and event.address == address:
            recorded = event.recorded_at or BEGINNING
            if since == event.occurred_from or recorded - SAME_ACT <= since <= recorded:
                return True
    return False


def _changes(house: House, contact: Contact, events: Sequence[e.Event], at: datetime) -> Iterator[Change]:
    """Every answer of the contact at a moment, before and after."""
    position = house.ledger.log.last_position()
    coming = [
        Entry(position + place, contact.version + place, msgspec.structs.replace(event, recorded_at=at))
        for place, event in enumerate(events, start=1)
    ]
    group = house.group(contact)
    before = _answers(house, group, at)
    after = _answers(house, [extend(group[0], coming), *group[1:]], at)
    for cell in sorted(before.keys() | after.keys()):
        yield Change(cell[0], cell[1], before.get(cell, "nothing_known"), after.get(cell, "nothing_known"))


def _answers(house: House, group: Sequence[Contact], at: datetime) -> dict[tuple[str, str, str], str | None]:
    """(purpose, channel, address) -> None where it is allowed, else the reason why not."""
    catalogue = house.catalogue
    bench = Bench(group, house.policy, catalogue)
    laws = candidates(bench.dossier.country_entries(), catalogue)
    found: dict[tuple[str, str, str], str | None] = {}
    for purpose, channel, address in cells_of(bench.dossier.owner):
        question = Question(purpose=purpose, channel=channel, at=at, address=address or None, jurisdictions=laws)
        decision = segments(bench, question, at)[0].decision
        found[purpose, channel, address] = None if decision.allowed else decision.reason
    return found
