"""What stands around an answer: whose law and why, the platform's terms, other records, open requests, sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta

from adapters.kinds import KINDS
from adapters.looked import imported_of, imports_of
from adapters.report import wording
from adapters.report.masking import mask_email
from adapters.report.why import (
    WhyJurisdiction,
    WhyLinked,
    WhyLooked,
    WhyMissing,
    WhyNote,
    WhyPlatform,
    WhyRequest,
)
from adapters.why_causes import unknown_countries
from adapters.why_history import Held, signed
from adapters.why_words import SIGNS
from ledger import events as e
from ledger.contact import Contact, fold
from ledger.policy.calendar import add, local_date, period
from ledger.policy.dossier import Dossier
from ledger.policy.judge import STOPPED, liability_date
from ledger.policy.jurisdictions import UNKNOWN
from ledger.policy.question import Candidate, Decision
from ledger.policy.rules import Policy

PLATFORM, PLATFORM_NAME = "hubspot", "HubSpot"
STOPS = STOPPED
TO_ANSWER = period("P1M")
"""One month from receipt (GDPR 12(3)), not prolonged here."""
_COULD_STOP = frozenset({"unsubscribes", "events", "subscriptions", "opt_outs", "stops", "audience"})
_COULD_GRANT = frozenset({"forms", "deals", "subscriptions", "audience", "mapped"})
_COULD_REVIVE = frozenset({"forms", "subscriptions", "audience"})


def law(held: Held, policy: Policy, candidate: Candidate) -> WhyJurisdiction:
    """A country whose rules were asked, and what points to it."""
    code, catalogue = candidate.code, held.catalogue
    signs = [
        (hint.kind, position)
        for position in candidate.evidence
        for hint in getattr(held.by_position[position].event, "hints", ())
        if hint.country == code
    ]
    shown = [f"{SIGNS[kind]} [{position}]" for kind, position in signs]
    if code == UNKNOWN:
        shown.append(f"{unknown_countries(held)}: the strictest rules are asked too")
    elif code == catalogue.country:
        shown.append("the sender's own country")
    elif not candidate.strong and len({kind for kind, _ in signs}) > 1:
        shown.append("so two signs agree on it")
    elif not shown:
        shown.append("assumed by the sender of recipients about whom nothing is known")
    return WhyJurisdiction(code=code, name=policy.regime(code).title, evidence=tuple(dict.fromkeys(shown)))


def platform(policy: Policy, decision: Decision) -> WhyPlatform | None:
    """Whether the platform's own terms would be met as well."""
    rules = policy.platform_rules(PLATFORM)
    if not rules:
        return None
    accepts = tuple(map(str, policy.accepted_by(PLATFORM)))
    shown = decision.allowed and decision.basis in accepts
    return WhyPlatform(platform=PLATFORM_NAME, shown=shown, accepts=accepts, source=rules[0].source)


def liabilities(policy: Policy, held: Held, candidates: Sequence[Candidate]) -> Iterator[str]:
    """Where the law itself would have left more time after a stop: told, never used."""
    owner = fold("", held.entries)
    for candidate in candidates:
        regime = policy.regime(candidate.code)
        for stop in owner.stops:
            until = liability_date(stop, regime)
            if until is None or stop.event.occurred_from is None or regime.stop is None:
                continue
            last = local_date(until, regime.zone) - timedelta(days=1)
            if last > local_date(stop.event.earliest, regime.zone):  # else the law leaves no time, or no law is known
                yield (
                    f"{regime.title}: the law's own grace for the stop at position {stop.position} "
                    f"runs to the end of {last:%Y-%m-%d} ({regime.stop.id}); here the stop holds from the first moment"
                )


# --- other records -------------------------------------------------------------------------------


def other_addresses(held: Held) -> tuple[str, ...]:
    """The contact's addresses beside the one asked about, masked."""
    return _addresses(held, held.contact)


def _addresses(held: Held, contact: str) -> tuple[str, ...]:
    vault = held.house.ledger.vault
    written = [vault.address_text(one) for one in vault.addresses_of(contact) if one != held.address]
    return tuple(mask_email(text) for text in written if isinstance(text, str))


def records(held: Held) -> tuple[str, ...]:
    """The CRM's own ids of the contact's records."""
    vault = held.house.ledger.vault
    opened = [vault.record_text(one) for one in vault.records_of(held.contact)]
    return tuple(f"{wording.source(one[0])} record {one[1]}" for one in opened if isinstance(one, tuple))


def linked(held: Held) -> Iterator[WhyLinked]:
    """Whoever is merged with the contact, and who merged them; and of whom only what forbids counts here too."""
    for member in held.group[1:]:
        reference = f"CL-{member.contact[:8]}-{member.position}"
        if member.contact in held.joined:
            yield WhyLinked(reference=reference, stops_only=True)
            continue
        links = [n.event for n in (*held.group[0].links, *member.links) if _between(n.event, held.contact, member)]
        merged = "{}, {}, on {}".format(*signed(held.house, links[-1])) if links else "through another record"
        yield WhyLinked(
            reference=reference,
            addresses=_addresses(held, member.contact),
            merged=merged,
        )


def _between(event: e.Event, contact: str, member: Contact) -> bool:
    return isinstance(event, e.ContactsLinked) and {event.stream, event.other} == {contact, member.contact}


# --- requests, notes, sources --------------------------------------------------------------------


def requests(held: Held, policy: Policy) -> Iterator[WhyRequest]:
    """Erasure and access requests nobody answered yet; a request counts from the first moment it may have come."""
    zone = policy.regime(held.catalogue.country or UNKNOWN).zone
    undone = Dossier(held.group).undone
    answered = {
        e.ErasureRequested: [n.position for n in held.entries if isinstance(n.event, e.ErasureCompleted)],
        e.AccessRequested: [n.position for n in held.entries if isinstance(n.event, e.AccessAnswered)],
    }
    for entry in held.entries:
        event = entry.event
        if not isinstance(event, e.ErasureRequested | e.AccessRequested) or entry.position in undone:
            continue
        if event.stream in held.joined:
            continue  # a stop here, and a request there
        if any(position > entry.position for position in answered[type(event)]):
            continue
        came = event.occurred_from or event.captured_at or event.recorded_at
        assert came is not None  # noqa: S101 - it stands in the log
        received = local_date(came, zone)
        yield WhyRequest(
            kind="erasure" if isinstance(event, e.ErasureRequested) else "access",
            received=received,
            due=add(received, TO_ANSWER),
            position=entry.position,
        )


def notes(held: Held) -> Iterator[WhyNote]:
    """Notes on this person, in the order they were recorded."""
    for entry in held.entries:
        event = entry.event
        if isinstance(event, e.NoteAdded) and event.recorded_at is not None:
            name, role, _ = signed(held.house, event)
            text = held.house.payload(event).get("text")
            yield WhyNote(
                by=name,
                role=role,
                text=str(text) if text else "its words are erased",
                recorded=event.recorded_at,
                position=entry.position,
            )


def looked_at(held: Held) -> Iterator[WhyLooked]:
    """Each kind of source that was taken in by then: how many files, taken when, over which days."""
    for kind, about in KINDS.items():
        imported = imported_of(held.house, held.catalogue, kind)
        if imported.files:
            yield WhyLooked(
                name=about.name,
                files=imported.files,
                taken_on=imported.taken_on.astimezone(UTC).date() if imported.taken_on else None,
                first=imported.first,
                last=imported.last,
            )


def not_looked_at(held: Held, decision: Decision) -> Iterator[WhyMissing]:
    """Each kind of source nobody brought; `could_change`: what it can show speaks to this answer."""
    telling = _COULD_STOP if decision.allowed else _COULD_REVIVE if decision.reason in STOPS else _COULD_GRANT
    for kind, about in KINDS.items():
        if not imports_of(held.catalogue, kind):
            yield WhyMissing(name=about.name, settles=about.settles, get=about.get, could_change=kind in telling)
