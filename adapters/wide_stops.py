"""Stops that reach more than an address: of a domain (`*@example.com`), or of an address given as a digest alone.

A domain that a public mail provider gives to anybody, or that many contacts share, is no company's to stop: such a
stop is an alarm, which a person has to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from adapters.wiring import now
from ledger import events as e
from ledger.application import Fact, Ledger, Outcome
from ledger.plausibility import bounded
from ledger.policy.judge import OF_OTHERS, stop_reason
from ledger.standing import VIA, Wide, domain_of
from ledger.terms import BEGINNING, LEDGER_STREAM

MOST_CONTACTS, MOST_SHARE, FEW = 100, 0.05, 5
"""More contacts at one domain than `MOST_CONTACTS`, or than `MOST_SHARE` of all and `FEW`, are no one company."""
_PROVIDERS = Path(__file__).with_name("public_domains.txt")


class WideStop(NamedTuple):
    """A stop of whoever is, or will be, at a domain or behind a digest. `row`: as a spreadsheet counts."""

    wide: Wide
    event: e.Stop
    source_id: str | None
    payload: Mapping[str, object] | None = None
    row: int = 0


class Taken(NamedTuple):
    """What became of such stops.

    unusable  those that cannot be used, with the reason
    unknown   those of a domain at which, or a digest behind which, nobody is known yet
    """

    unusable: Sequence[tuple[WideStop, str]]
    unknown: Sequence[WideStop]
    outcome: Outcome


def take(ledger: Ledger, stops: Iterable[WideStop]) -> Taken:
    """Let stops stand for whoever arrives, and stop whoever is known; the same again records nothing twice."""
    vault = ledger.vault
    said = list(stops)
    reasons = unusable(ledger, {stop.wide for stop in said if stop.wide.kind == "domain"})
    usable = [stop for stop in said if stop.wide not in reasons]
    # first what stands: whoever arrives meanwhile is reached by that, or known below
    vault.keep_standing((stop.wide, _since(stop.event)) for stop in usable)
    known = vault.reached({stop.wide for stop in usable}) if usable else {}
    facts = [
        Fact(
            _of_contact(stop, contact, address),
            f"{stop.source_id}:{address}" if stop.source_id is not None else None,
            stop.payload,
        )
        for stop in usable
        for contact, address in known[stop.wide]
    ]
    facts += [
        Fact(_of_domain(ledger, stop, len({contact for contact, _ in known[stop.wide]})), stop.source_id)
        for stop in usable
        if stop.wide.kind == "domain" and not _is_recorded(ledger, stop)
    ]
    outcome = ledger.record_many(facts)
    alarms = [(stop, reasons[stop.wide]) for stop in said if stop.wide in reasons]
    unknown = [stop for stop in usable if not known[stop.wide]]
    return Taken(alarms, unknown, outcome)


def unusable(ledger: Ledger, domains: Collection[Wide]) -> dict[Wide, str]:
    """Why stops of these domains cannot be used, of those that cannot."""
    if not domains:
        return {}
    found = ledger.vault.reached(domains)
    people = {wide: len({contact for contact, _ in known}) for wide, known in found.items()}
    contacts = ledger.vault.count_addressed()
    reasons: dict[Wide, str] = {}
    for wide, known in people.items():
        if wide.text in public_domains():
            reasons[wide] = f"{wide.text} is a public mail provider's domain, so it is nobody's to stop as a whole"
        elif known > MOST_CONTACTS or (known >= FEW and known > MOST_SHARE * contacts):
            reasons[wide] = f"{known} of {contacts} contacts share {wide.text}, too many to stop by one line"
    return reasons


def _is_recorded(ledger: Ledger, stop: WideStop) -> bool:
    return stop.source_id is not None and bool(ledger.log.find([ledger.sid(stop.event.source, stop.source_id)]))


def _since(event: e.Stop) -> datetime:
    """From when on a stop counts for whoever arrives."""
    return bounded(msgspec.structs.replace(event, recorded_at=now())).occurred_from or BEGINNING


def _of_contact(stop: WideStop, contact: str, address: str) -> e.Stop:
    # who was at a domain reads that everybody there was taken off, not that they opted out
    is_persons_own = stop_reason(stop.event) not in OF_OTHERS
    via = VIA["domain"] if stop.wide.kind == "domain" and is_persons_own else stop.event.via or VIA[stop.wide.kind]
    return msgspec.structs.replace(stop.event, stream=contact, address=address, via=via)


def _of_domain(ledger: Ledger, stop: WideStop, reached: int) -> e.Event:
    said = stop.event
    return e.DomainStopped(
        stream=LEDGER_STREAM,
        source=said.source,
        by=said.by,
        via=said.via,
        occurred_from=said.occurred_from,
        occurred_to=said.occurred_to,
        precision=said.precision,
        domain=ledger.vault.standing_reference(stop.wide),
        reached=reached,
    )


def domain_named(email: str | None) -> Wide | None:
    """The domain that a fact over an API names in place of an address, as `@example.com`."""
    return Wide("domain", email[1:]) if email and email.startswith("@") else None


def is_anybody_at(ledger: Ledger, domain: Wide) -> bool:
    """Whether anybody is known at a domain."""
    return bool(ledger.vault.reached([domain])[domain])


def refused(event: e.Event, record_id: str | None = None) -> str | None:
    """Why a fact cannot be about a whole domain."""
    if not isinstance(event, e.Stop) or isinstance(event, e.ErasureRequested):
        return "is a domain: only a stop may be of everybody there"
    if record_id:
        return "is a domain: a stop of it is of no single record"
    return None


@cache
def public_domains() -> frozenset[str]:
    """Domains that public mail providers give addresses of to anybody."""
    lines = _PROVIDERS.read_text("utf-8").splitlines()
    return frozenset(domain_of(line.strip()) for line in lines if line.strip() and not line.startswith("#"))
