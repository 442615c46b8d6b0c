"""Facts about people, known or new, into the ledger: who is meant, then what was said, each source id once.

A source id seen before makes nobody known: whom it was said of is compared with the entry that holds it.
So what is delivered again after an erasure brings no erased person back, and an id that a source uses for two
people is a conflict, not a repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from adapters import wide_stops
from adapters.wide_stops import WideStop, domain_named
from ledger import codec
from ledger.application import Fact, Ledger, Status
from ledger.events import AnyEvent, DomainStopped, ErasureRequested, Event, Stop
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration

CROWDED = (
    "More than three addresses come together in one record or at one address. Contacts are not linked there, and all "
    "of them are held for review: merge those that are one person, then release them."
)
"""The finding of an import that made such a meeting."""


class Saying(NamedTuple):
    """One fact before it is known who is meant: until then `event` stands in the ledger-wide stream."""

    who: Registration
    event: Event
    source_id: str | None
    payload: Mapping[str, object] | None = None


class Recorded(NamedTuple):
    """What became of it. `conflict`: the source id stands at `position` with other content, or of another person."""

    status: Status
    position: int
    contact: str


def record_all(ledger: Ledger, sayings: Sequence[Saying]) -> list[Recorded]:
    """Record facts in few transactions, in their order; returns when they are durable.

    Raises codec.EntryError, before anything is recorded, for a fact that may not become an entry.
    """
    for one in sayings:
        codec.check(one.event)
    sids = [None if one.source_id is None else ledger.sid(one.event.source, one.source_id) for one in sayings]
    found = ledger.log.find({sid for sid in sids if sid is not None})
    held = [codec.decode(found[sid].entry) if sid in found else None for sid in sids]
    recorded: list[Recorded] = []
    for door, pairs in groupby(zip(sayings, held, strict=True), key=_door):
        run = list(pairs)
        if door is _record:
            recorded += _record(ledger, run)
        else:
            recorded += [door(ledger, one) for one, _ in run]
    return recorded


def stands(ledger: Ledger, one: Saying, recorded: Recorded) -> bool:
    """Whether a fact stands in the ledger: not a stop whose id stands for another person, or for another fact."""
    if recorded.status != "conflict" or not isinstance(one.event, Stop):
        return True
    ((_, _, state),) = ledger.log.read(recorded.position - 1, 1)
    return isinstance(codec.decode(state), Stop) and recorded.contact in _contacts(ledger, one.who)


def _contacts(ledger: Ledger, who: Registration) -> set[str]:
    """The contacts that an address and a record are known by; stops reach from each to the other."""
    address = None if who.email is None else ledger.vault.find_address(who.email)
    record = None if who.record_id is None else ledger.vault.find_record(who.system, who.record_id)
    return ({address[0]} if address else set()) | ({record.contact} if record else set())


def _door(pair: tuple[Saying, AnyEvent | None]) -> Callable[..., Any]:
    """What records a fact: stops of a domain and erasure requests go by doors of their own."""
    one, held = pair
    if domain_named(one.who.email):
        return _stop_domain
    return _erase if isinstance(one.event, ErasureRequested) and held is None else _record


def _stop_domain(ledger: Ledger, one: Saying) -> Recorded:
    """A stop of everybody at a domain. Raises codec.EntryError for what is nobody's to stop as a whole."""
    wide, event = domain_named(one.who.email), one.event
    if wide is None or not isinstance(event, Stop):
        raise codec.EntryError("only a stop may be of a whole domain")
    known = ledger.log.find([ledger.sid(event.source, one.source_id)]) if one.source_id is not None else {}
    for entry in known.values():
        held = codec.decode(entry.entry)
        same = isinstance(held, DomainStopped) and held.domain == ledger.vault.standing_reference(wide)
        return Recorded("unchanged" if same else "conflict", entry.position, held.stream)
    taken = wide_stops.take(ledger, [WideStop(wide, event, one.source_id, one.payload)])
    if taken.unusable:
        raise codec.EntryError(taken.unusable[0][1])
    return Recorded("recorded", taken.outcome.positions[-1], LEDGER_STREAM)


def _erase(ledger: Ledger, one: Saying) -> Recorded:
    """An erasure request suppresses the address before it is recorded, so it goes by a door of its own.

    One of a record without an address has nothing to suppress, and is recorded as any stop is.
    """
    event, email = one.event, one.who.email or _address_of_record(ledger, one.who)
    if not email:
        return _record(ledger, [(one, None)])[0]
    receipt = ledger.erasure_request(
        email,
        source=event.source,
        source_id=one.source_id,
        occurred_from=event.occurred_from,
        precision=event.precision,
        by=event.by,
        via=event.via,
        payload=one.payload,
    )
    return _told(ledger, one, receipt.status, receipt.position, None)


def _address_of_record(ledger: Ledger, who: Registration) -> str | None:
    """The address in clear of the record that a fact names; None: it has none, or is not known."""
    known = ledger.vault.find_record(who.system, who.record_id) if who.record_id is not None else None
    text = ledger.vault.address_text(known.address) if known is not None and known.address is not None else None
    return text if isinstance(text, str) else None


def _record(ledger: Ledger, run: Sequence[tuple[Saying, AnyEvent | None]]) -> list[Recorded]:
    people = iter(ledger.register_many([one.who for one, held in run if held is None]))
    facts = []
    for one, held in run:
        if held is None:
            who = next(people)
            stream, address, record = who.contact, who.address, who.record
        else:
            stream, address, record = held.stream, held.address, held.record
        event = msgspec.structs.replace(one.event, stream=stream, address=address, record=record)
        facts.append(Fact(event, one.source_id, one.payload))
    receipts = ledger.record_each(facts)
    return [
        _told(ledger, one, receipt.status, receipt.position, held if receipt.status != "recorded" else fact.event)
        for (one, held), fact, receipt in zip(run, facts, receipts, strict=True)
    ]


def _told(ledger: Ledger, one: Saying, status: Status, position: int, entry: Event | None) -> Recorded:
    """What became of a fact; `entry` None: what stands at the position is read."""
    if entry is None:
        ((_, _, state),) = ledger.log.read(position - 1, 1)
        entry = codec.decode(state)
    if status == "unchanged" and not _same_person(ledger, one.who, entry):
        status = "conflict"
    return Recorded(status, position, entry.stream)


def _same_person(ledger: Ledger, who: Registration, entry: Event) -> bool:
    """Whether an entry is about the address, else the record, that is named; an erased one contradicts nothing."""
    if who.email is not None:
        address = ledger.vault.find_address(who.email)
        known = address is not None and address[1] == entry.address
    else:
        record = ledger.vault.find_record(who.system, who.record_id or "")
        known = record is not None and record.record == entry.record
    return known or ledger.vault.is_erased(entry.stream)
