"""From an explanation to an answer in words: the one page a question about one person comes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from adapters.report.masking import mask_email
from adapters.report.why import (
    Note,
    VerdictSentence,
    Why,
    WhyClaim,
    WhyCondition,
    WhyJurisdiction,
    WhyQuestion,
    WhyRow,
    WhyRule,
)
from adapters.wiring import House
from ledger import events as e
from ledger.contact import Entry, fold
from ledger.policy.dossier import CONTEMPORANEOUS
from ledger.policy.judge import STOP_REASONS, liability_date
from ledger.policy.question import Candidate, Decision, Question, Trial
from ledger.policy.rules import Policy
from projections.explain import Explanation, explain

STOPS = frozenset(STOP_REASONS.values())
WHAT: dict[type[e.Event], str] = {
    e.OptedIn: "opted in",
    e.OptInRequested: "double opt-in mail sent",
    e.DoubleOptInConfirmed: "double opt-in confirmed",
    e.FormSubmitted: "form submitted",
    e.BoxAnswered: "answered a box of a form",
    e.OptedOut: "opted out",
    e.TypeOptedOut: "left a subscription type",
    e.Objected: "objected to marketing",
    e.OptOutObstructed: "tried to opt out, did not get through",
    e.Complained: "reported as spam",
    e.ErasureRequested: "asked to be erased",
    e.ErasureCompleted: "erased",
    e.AccessRequested: "asked what is held",
    e.AccessAnswered: "was told what is held",
    e.NoteAdded: "note added",
    e.ContractStarted: "contract began",
    e.ContractEnded: "contract ended",
    e.Enquired: "enquired",
    e.Donated: "supported the cause",
    e.AddressPublished: "address found published",
    e.EmailSent: "e-mail sent",
    e.CampaignMailSent: "campaign e-mail sent",
    e.LetterSent: "letter sent",
    e.Clicked: "clicked a link",
    e.Opened: "opened an e-mail",
    e.Bounced: "address did not take mail",
    e.MarketingStatusObserved: "CRM marketing mark",
    e.BasisClaimed: "CRM claims a basis",
    e.OptOutShown: "CRM shows opted out of all",
    e.DealWon: "CRM shows a deal won",
    e.CountryEvidenced: "signs of the country",
    e.RecipientDescribed: "recipient described",
    e.AddressLinked: "address linked",
    e.AddressUnlinked: "address unlinked",
    e.AddressVerified: "address verified",
    e.ContactsLinked: "merged with another contact",
    e.ContactsUnlinked: "merge taken back",
    e.SystemMigrated: "moved to another system",
    e.ReviewDecided: "reviewed",
    e.Corrected: "a stop taken back",
    e.ImportFinished: "imported",
}
DETAILS = (
    "act",
    "form",
    "box",
    "ticked",
    "subscription_type",
    "pipeline",
    "campaign",
    "purposes",
    "kind",
    "marketing",
    "claims",
    "field",
    "opted_out",
    "outcome",
    "undoes",
    "via",
)
MISSING: dict[str, str] = {
    "act_is_affirmative": "evidence of an act of the person's own (a box ticked, a sign-up, a reply)",
    "informed": "evidence that the person was informed",
    "specific": "evidence that what was agreed to was specific",
    "sender_named": "evidence that the sender was named",
    "purpose_covered": "evidence that the wording covers this purpose",
    "channel_covered": "evidence that the wording covers this channel",
    "proof_individual": "that person's own record, not a form or a habit",
    "by_data_subject": "evidence that the person acted, and nobody else",
    "address_verified": "a double opt-in confirmation",
    "sale_or_negotiation": "evidence of a sale, or of negotiations where the rule knows them",
    "seller_is_sender": "evidence that the seller is the sender",
    "collected_from_person": "evidence that the address came from the person",
    "opt_out_offered_at_collection": "evidence that refusal was offered when the address was collected",
    "not_refused": "evidence that the person did not refuse",
    "country_declared": "evidence of the recipient's country, not a guess from an IP address",
}


def answer(house: House, whom: str, question: Question, asked_at: datetime) -> Why:
    """The whole answer for an address, or for a reference from a report. Raises UnknownAddressError."""
    contact, address, email = house.whom(whom)
    catalogue = house.catalogue_at(question.known_at)
    asked = msgspec.structs.replace(question, address=address)
    found = explain(house.ledger.log, house.policy, catalogue, contact, asked)
    decision, adopted = found.decision, house.adopted
    grounds = _grounds(found)
    return Why(
        email_masked=mask_email(email),
        reference=f"CL-{contact[:8]}-{decision.evidence[0] if decision.evidence else _last(found)}",
        question=WhyQuestion(
            purpose=question.purpose,
            channel=question.channel,
            on=question.at,
            known_at=question.known_at or asked_at,
            law_at=question.law_at or asked_at,
        ),
        verdict=_verdict(decision),
        sentence=_sentence(decision),
        basis=decision.basis,
        rule=_rule(house.policy, decision, grounds),
        conditions=_conditions(grounds, decision),
        timeline=tuple(_timeline(found)),
        spoke_against=tuple(_against(decision)),
        obligations=tuple(fact.replace("_", " ") for fact in decision.obligations),
        would_change=tuple(_would_change(decision)),
        changes_at=decision.changes_at.date() if decision.changes_at else None,
        jurisdictions=tuple(_law(candidate, found) for candidate in found.candidates),
        policy_hash=decision.policy,
        adopted_by=f"{adopted.name}, {adopted.role}" if adopted else None,
        claimed=_claim(decision),
        liabilities=tuple(_liabilities(house.policy, found)),
    )


def _last(found: Explanation) -> int:
    return found.entries[-1].position if found.entries else 0


def _verdict(decision: Decision) -> VerdictSentence:
    if decision.allowed:
        return "allowed by the rules applied"
    if decision.claimed is not None or decision.uncertain:
        return "cannot be shown"
    return "not allowed by the rules applied"


def _sentence(decision: Decision) -> str:
    if decision.allowed:
        rules = " and ".join(decision.rules)
        return f"Every need of {rules} is evidenced, and nothing that stops it came later."
    if decision.uncertain:
        return "A stop and an opt-in overlap in time, or lack one; the stop wins until it is settled."
    if decision.reason in STOPS:
        return "A stop covers this, and no later opt-in by the person lifts it."
    if decision.claimed is not None:
        return "A basis is asserted; what it would need is not on record."
    return "Nothing on record could carry a basis for this."


def _grounds(found: Explanation) -> Trial | None:
    """The trial to show: the one the answer rests on, else the nearest miss."""
    wanted = set(found.decision.rules)
    if found.decision.claimed and found.decision.claimed.rule:
        wanted = {found.decision.claimed.rule}
    trials = [t for t in found.trials if t.rule in wanted] or found.trials
    if not trials:
        return None
    return min(trials, key=lambda t: (len(t.blocked_by), sum(c.met is not True for c in t.conditions)))


def _rule(policy: Policy, decision: Decision, grounds: Trial | None) -> WhyRule | None:
    names = [*decision.rules, *([decision.claimed.rule] if decision.claimed else [])]
    if not names and grounds is not None:
        names = [grounds.rule]
    rule = next((policy.rules[name] for name in names if name in policy.rules), None)
    if rule is None:
        return None
    return WhyRule(
        id=rule.id,
        text=" ".join(rule.text.split()),
        source=rule.source,
        confidence=rule.confidence,
        checked_by=rule.checked_by or None,
    )


def _conditions(grounds: Trial | None, decision: Decision) -> tuple[WhyCondition, ...]:
    if grounds is None or decision.reason in STOPS:
        return ()  # a stop has no needs: it holds
    return tuple(
        WhyCondition(name=c.name.replace("_", " "), met=c.met, positions=grounds.evidence) for c in grounds.conditions
    )


def _timeline(found: Explanation) -> Iterator[WhyRow]:
    undone = {n.event.undoes for n in found.entries if isinstance(n.event, e.Corrected)}
    for entry in found.entries:
        event = entry.event
        if event.recorded_at is None:
            continue
        held = event.captured_at if event.captured_by in CONTEMPORANEOUS else None
        yield WhyRow(
            position=entry.position,
            what=_what(event),
            recorded_at=event.recorded_at,
            happened_from=event.occurred_from,
            happened_to=event.occurred_to,
            precision=event.precision,
            held_since=held,
            note=_note(entry, found.decision, undone),
        )


def _what(event: e.Event) -> str:
    said = []
    for name in DETAILS:
        value = getattr(event, name, None)
        if value is not None and value != ():
            said.append(", ".join(value) if isinstance(value, tuple) else str(value).lower())
    if isinstance(event, e.CountryEvidenced):
        said += [f"{hint.country} {hint.kind}" for hint in event.hints]
    return WHAT[type(event)] + (f" ({'; '.join(said)})" if said else "")


def _note(entry: Entry, decision: Decision, undone: set[int]) -> Note | None:
    if entry.position in undone:
        return "corrected"
    if type(entry.event) in STOP_REASONS:
        return "stop"
    if decision.allowed and entry.position in decision.evidence:
        return "counts"
    return "grants nothing" if isinstance(entry.event, GRANT_NOTHING) else None


GRANT_NOTHING = (
    e.MarketingStatusObserved,
    e.BasisClaimed,
    e.Opened,
    e.Clicked,
    e.ContactsLinked,
    e.SystemMigrated,
    e.ImportFinished,
)


def _against(decision: Decision) -> Iterator[str]:
    for against in decision.against:
        where = f" (position {against.position})" if against.position else ""
        yield f"{against.what.replace('_', ' ')}{where}, rule {against.rule}"


def _would_change(decision: Decision) -> Iterator[str]:
    if decision.allowed:
        yield "an opt-out, objection or complaint would end it at once"
        return
    if decision.reason in STOPS:
        yield "only the person's own later opt-in; or, if the stop was recorded by mistake, `correct`"
        return
    if decision.claimed is not None:
        for need in decision.claimed.missing:
            yield MISSING.get(need, f"evidence: {need.replace('_', ' ')}")
        if decision.claimed.rule is None:
            yield "no rule of these countries accepts what is claimed; the person's own opt-in would"
        return
    yield "the person's own opt-in, evidenced (asking for it by e-mail is itself marketing)"


def _law(candidate: Candidate, found: Explanation) -> WhyJurisdiction:
    shown = [
        f"{hint.kind} (position {n.position})"
        for n in found.entries
        if isinstance(n.event, e.CountryEvidenced)
        for hint in n.event.hints
        if hint.country == candidate.code
    ]
    if not shown:
        shown = ["not known: the strictest rules"] if candidate.code == "XX" else ["sender or assumption"]
    return WhyJurisdiction(code=candidate.code, evidence=tuple(shown))


def _claim(decision: Decision) -> WhyClaim | None:
    claim = decision.claimed
    if claim is None:
        return None
    missing = tuple(need.replace("_", " ") for need in claim.missing)
    return WhyClaim(rule=claim.rule or "none that could accept it", missing=missing, basis=claim.basis)


def _liabilities(policy: Policy, found: Explanation) -> Iterator[str]:
    owner = fold("", found.entries)
    for candidate in found.candidates:
        regime = policy.regime(candidate.code)
        for stop in owner.stops:
            until = liability_date(stop, regime)
            if until is not None and stop.event.occurred_from is not None and regime.stop is not None:
                yield (
                    f"{candidate.code}: the law's own grace for the stop at position {stop.position} "
                    f"ended on {until:%Y-%m-%d} ({regime.stop.id}); here it holds from the first moment"
                )
