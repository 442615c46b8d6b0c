"""The mechanisms of law as functions: a rule tried on the facts of a person gives trials.

A `Trial` says when the rule would hold and which needs are met, not met, or unknown.
Whether a stop stands against it is decided in `ledger.policy.judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.contact import Entries, Entry
from ledger.policy.calendar import end_of_window
from ledger.policy.dossier import Dossier, Recipient, reaches, usable_from
from ledger.policy.question import Candidate, Question
from ledger.policy.rules import Regime, Rule, midnight, span
from ledger.terms import BEGINNING, END, OWN


class Case(NamedTuple):
    """What a rule is tried on: the person, the question, the purpose the message really has, the law."""

    dossier: Dossier
    question: Question
    purpose: str
    regime: Regime
    candidate: Candidate
    recipient: Recipient
    charity: bool | None
    minor: bool


class Tried(msgspec.Struct, frozen=True, gc=False):
    """A rule tried on facts: it would hold in [start, until); `needs` in the order of `names_of_needs`.

    given, given_by  the earliest and the latest moment at which the fact may have happened
    possible         whether the fact's claimed time can be; one that cannot is no evidence
    """

    rule: Rule
    evidence: tuple[int, ...]
    start: datetime
    until: datetime
    needs: tuple[bool | None, ...]
    given: datetime = BEGINNING
    given_by: datetime = BEGINNING
    possible: bool = True

    @property
    def proven(self) -> bool:
        """Every need evidenced, by a fact that can have happened when it is said to have."""
        return self.possible and None not in self.needs and False not in self.needs

    @property
    def claimed(self) -> bool:
        """Every need met or unknown, none contradicted."""
        return False not in self.needs


Mechanism = Callable[[Rule, Case], Iterable[Tried]]
_marketing = "marketing."
_AFFIRMATIVE = frozenset({"unticked_box", "signup", "reply", "written", "oral_recorded"})
_TICK = timedelta(microseconds=1)


def attempt(rule: Rule, case: Case) -> Iterable[Tried]:
    """Try a rule on the facts: one trial for each fact that could carry it."""
    assert rule.mechanism is not None  # noqa: S101 - checked when the rule was read
    return MECHANISMS[rule.mechanism](rule, case)


# --- consent -------------------------------------------------------------------------------------


def consent(rule: Rule, case: Case) -> Iterator[Tried]:
    """GDPR 4(11), 7 and its like: each opt-in of this address, weighed alone."""
    address = case.question.address
    for entry in case.dossier.consents(address):
        event = entry.event
        assert isinstance(event, e.OptedIn)  # noqa: S101 - filed by type
        needs, confirmed = [_act(rule, event)], None
        for need in rule.needs:
            if need == "address_verified":
                confirmed, met = _verified(entry, case)
                needs.append(met)
            else:
                needs.append(CONSENT_NEEDS[need](event, case))
        start = usable_from(event)
        evidence: tuple[int, ...] = (entry.position,)
        if confirmed is not None:
            start = max(start, usable_from(confirmed.event))
            evidence += (confirmed.position,)
        ends = event.valid_until or END
        for begun, until, kept_by in _spells(rule, entry, case):
            tried = (evidence + kept_by, max(start, begun), min(ends, until))
            yield Tried(rule, *tried, tuple(needs), event.earliest, event.latest, not event.is_impossible)


def _act(rule: Rule, event: e.OptedIn) -> bool | None:
    return None if event.act == "unknown" else event.act in rule.acts


def _by_person(event: e.OptedIn, case: Case) -> bool | None:
    if event.by == "unknown":
        return None
    if not case.minor:
        return event.by == "data_subject"
    # A guardian's word counts where this very record knows a minor: what a merge tells may only forbid.
    return event.by == "guardian" and case.recipient.is_ward(case.regime.digital_age)


def _named(event: e.OptedIn, _: Case) -> bool | None:
    return None if not event.to else OWN in event.to


def _covered(patterns: tuple[str, ...], name: str) -> bool | None:
    return None if not patterns else reaches(patterns, name)


def _proof(event: e.OptedIn, _: Case) -> bool | None:
    return {"individual": True, "none": None, "declared": None}.get(event.proof, False)


CONSENT_NEEDS: dict[str, Callable[[e.OptedIn, Case], bool | None]] = {
    "informed": lambda event, _: event.informed,
    "specific": lambda event, _: event.specific,
    "sender_named": _named,
    "purpose_covered": lambda event, case: _covered(event.purposes, case.purpose),
    "channel_covered": lambda event, case: _covered(event.channels, case.question.channel),
    "proof_individual": _proof,
    "by_data_subject": _by_person,
}


def _verified(entry: Entry, case: Case) -> tuple[Entry | None, bool | None]:
    """The confirmation of an opt-in, at or after it, for this channel; a mailbox proves no phone."""
    event = entry.event
    channel = case.question.channel
    assert isinstance(event, e.OptedIn)  # noqa: S101 - filed by type
    if event.address_verified and event.verifies_channel in (None, channel):
        return None, True
    found: list[Entry] = []
    for confirmation in case.dossier.facts(case.dossier.owner.confirmations, event.address):
        shown = confirmation.event
        if shown.latest < event.earliest or shown.is_impossible:
            continue
        if isinstance(shown, e.DoubleOptInConfirmed):
            if case.dossier.is_by_machine(shown, event):
                continue
            if shown.address_verified and (shown.verifies_channel or "email") == channel:
                found.append(confirmation)
        elif channel == "email":
            found.append(confirmation)
    if found:
        return min(found, key=lambda n: (usable_from(n.event), n.position)), True
    # No confirmation on record is a fact about our records: not contradicted, but not shown.
    return None, False if event.address_verified is False else None


class _Activity(NamedTuple):
    """A sign of life. `theirs`: the person's own act; else a sending of ours."""

    moment: datetime
    position: int
    theirs: bool


def _spells(rule: Rule, entry: Entry, case: Case) -> Iterator[tuple[datetime, datetime, tuple[int, ...]]]:
    """The spells in which a consent is not stale. Our own sending prolongs one, but begins none: once
    it has lapsed, only an act of the person begins another, from just after that act.
    """
    if rule.inactivity is None:
        yield BEGINNING, END, ()
        return
    period, zone, given = span(rule.inactivity), case.regime.zone, entry.event.earliest
    begun, until = BEGINNING, end_of_window(given, period, zone)
    kept: tuple[int, ...] = ()
    for moment, position, theirs in _activity(rule.activity, case):
        if moment <= given or (moment >= until and not theirs):
            continue
        if moment >= until:
            yield begun, until, kept
            begun, kept = moment + _TICK, ()
        longer = end_of_window(moment, period, zone)
        if longer > until:
            until = longer
            kept = (position,) if moment < case.question.at else kept
    yield begun, until, kept


def _kept_alive(entry: Entry, names: tuple[str, ...], inactivity: str, case: Case) -> datetime:
    """When a window closes that each use prolongs: a chain, and what comes after a gap mends nothing."""
    until = end_of_window(entry.event.earliest, span(inactivity), case.regime.zone)
    for moment, _, _ in _activity(names, case):
        if entry.event.earliest < moment < min(until, case.question.at):
            until = max(until, end_of_window(moment, span(inactivity), case.regime.zone))
    return until


def _activity(names: tuple[str, ...], case: Case) -> list[_Activity]:
    """Signs of life that somebody held by the moment asked about (P10), in order of time."""
    owner, address, at = case.dossier.owner, case.question.address, case.question.at
    some_held_later = bool(case.dossier.held_later(at))
    found: list[_Activity] = []
    for name in names:
        place, kind = ACTIVITY[name]
        for position, _, event in getattr(owner, place):
            if some_held_later and usable_from(event) > max(event.latest, at):
                continue
            if case.dossier.is_about(event, address) and isinstance(event, kind) and _is_use(event):
                found.append(_Activity(event.earliest, position, theirs=not isinstance(event, e.EmailSent)))
    found.sort()
    return found


def _is_use(event: e.Event) -> bool:
    """A sending counts if known to have been marketing; an act, unless a machine or a third party did it.

    An opt-in, only if it is shown to have been one; a contract, only if somebody says what it was.
    """
    if isinstance(event, e.EmailSent):
        return (event.purpose or "").startswith(_marketing)
    if isinstance(event, e.OptedIn) and (event.proof != "individual" or event.act not in _AFFIRMATIVE):
        return False
    if isinstance(event, e.ContractStarted) and event.kind == "unknown":
        return False
    return event.by not in ("system", "third_party") or isinstance(event, e.ContractStarted | e.ContractEnded)


ACTIVITY: dict[str, tuple[str, type[e.Event]]] = {
    "opt_in": ("opt_ins", e.OptedIn),
    "double_opt_in_confirmation": ("confirmations", e.DoubleOptInConfirmed),
    "email_sent": ("sendings", e.EmailSent),
    "click": ("activity", e.Clicked),
    "form_submission": ("activity", e.FormSubmitted),
    "contract_started": ("contracts", e.ContractStarted),
    "contract_ended": ("endings", e.ContractEnded),
}


# --- sale, support, windows ----------------------------------------------------------------------


def sale(rule: Rule, case: Case) -> Iterator[Tried]:
    """Soft opt-in (ePD 13(2)): each sale, or negotiation where the rule knows it, weighed alone."""
    owner, address = case.dossier.owner, case.question.address
    for entry in case.dossier.facts(owner.contracts, address):
        event = entry.event
        assert isinstance(event, e.ContractStarted)  # noqa: S101 - filed by type
        if event.kind != "unknown" and event.kind not in rule.kinds:
            continue
        if not _known(rule, event.kind, case.question):
            continue
        needs = (None if event.kind == "unknown" else True, *_sale_needs(rule, event, case))
        yield _relation(rule, entry, needs, _sale_until(rule, entry, case))
    if "enquiry" in rule.kinds:
        for entry in case.dossier.facts(owner.enquiries, address):
            needs = (True, *_sale_needs(rule, entry.event, case))
            yield _relation(rule, entry, needs, _sale_until(rule, entry, case))


def _relation(rule: Rule, entry: Entry, needs: tuple[bool | None, ...], until: datetime) -> Tried:
    event = entry.event
    return Tried(
        rule,
        (entry.position,),
        usable_from(event),
        until,
        needs,
        event.earliest,
        event.latest,
        not event.is_impossible,
    )


def _known(rule: Rule, kind: str, question: Question) -> bool:
    """Whether a court had declared by `law_at` that this kind of contract counts."""
    declared = rule.known_from.get(kind)
    return declared is None or question.law_at is None or midnight(declared) <= question.law_at


def _sale_needs(rule: Rule, event: e.Event, case: Case) -> Iterator[bool | None]:
    for need in rule.needs:
        match need:
            case "seller_is_sender":
                seller = getattr(event, "seller", None)
                yield None if seller is None else seller == OWN
            case "collected_from_person":
                yield getattr(event, "collected_from_person", None)
            case "opt_out_offered_at_collection":
                yield getattr(event, "refusal_offered", None)
            case "not_refused":
                refused = getattr(event, "refused", None)
                yield None if refused is None else not refused
            case "charity":
                yield _either(getattr(event, "charity", None), case.charity)
            case "collected_directly":
                yield getattr(event, "collected_directly", None)
            case "messages_exchanged":
                yield getattr(event, "messages_exchanged", None)
            case _:
                yield _trait(need, case)


def _either(first: bool | None, second: bool | None) -> bool | None:
    return second if first is None else first


def _sale_until(rule: Rule, entry: Entry, case: Case) -> datetime:
    if rule.window is not None:
        return _kept_alive(entry, tuple(rule.window_from), rule.window, case)
    if rule.after_end is not None:
        ended = _ended(entry, case)
        return END if ended is None else end_of_window(ended, span(rule.after_end), case.regime.zone)
    return END


ONE_OFF = frozenset({"purchase", "lease", "barter"})
"""Contracts that are over when they are made."""


def _ended(entry: Entry, case: Case) -> datetime | None:
    """When the relationship ended: a one-off sale at once, another contract by a later ending of its kind.

    The contract is the person's, whichever address it or its ending was seen with. Of an unknown kind, either
    may be the other's.
    """
    event = entry.event
    if not isinstance(event, e.ContractStarted) or event.kind in ONE_OFF:
        return event.earliest
    found: list[datetime] = []
    for ending in case.dossier.endings:
        end = ending.event
        assert isinstance(end, e.ContractEnded)  # noqa: S101 - filed by type
        kinds = end.kind == event.kind or "unknown" in (end.kind, event.kind)
        same = end.contract == event.contract if end.contract and event.contract else kinds
        if same and end.latest >= event.earliest:
            found.append(end.earliest)
    return min(found, default=None)


def support(rule: Rule, case: Case) -> Iterator[Tried]:
    """A gift, volunteering, membership or interest shown: PECR 22(3A), CASL 10(13)."""
    for entry in case.dossier.facts(case.dossier.owner.support, case.question.address):
        event = entry.event
        assert isinstance(event, e.Donated)  # noqa: S101 - filed by type
        if event.kind not in rule.kinds:
            continue
        floor = rule.collected_not_before
        fresh = True if floor is None else event.earliest >= midnight(floor)
        until = END if rule.window is None else end_of_window(event.earliest, span(rule.window), case.regime.zone)
        yield _relation(rule, entry, (fresh, *_sale_needs(rule, event, case)), until)


def purchase_window(rule: Rule, case: Case) -> Iterator[Tried]:
    """A number of years from a purchase: CASL 10(10)(a)."""
    for entry in _of_kind(rule, case):
        assert rule.window is not None  # noqa: S101 - a window rule has one
        until = end_of_window(entry.event.earliest, span(rule.window), case.regime.zone)
        yield _relation(rule, entry, (_is_of_kind(entry), *_sale_needs(rule, entry.event, case)), until)


def contract_window(rule: Rule, case: Case) -> Iterator[Tried]:
    """While a contract runs, and a number of years after it ended: CASL 10(10)(d)."""
    for entry in _of_kind(rule, case):
        ended = _ended(entry, case)
        assert rule.window is not None  # noqa: S101 - a window rule has one
        until = END if ended is None else end_of_window(ended, span(rule.window), case.regime.zone)
        yield _relation(rule, entry, (_is_of_kind(entry), *_sale_needs(rule, entry.event, case)), until)


def enquiry_window(rule: Rule, case: Case) -> Iterator[Tried]:
    """A number of months from an enquiry: CASL 10(10)(e)."""
    for entry in case.dossier.facts(case.dossier.owner.enquiries, case.question.address):
        assert rule.window is not None  # noqa: S101 - a window rule has one
        until = end_of_window(entry.event.earliest, span(rule.window), case.regime.zone)
        yield _relation(rule, entry, (True, *_sale_needs(rule, entry.event, case)), until)


def ongoing_relationship(rule: Rule, case: Case) -> Iterator[Tried]:
    """A running contract, or a purchase not long ago: Spam Act Sch 2 cl 2(b)."""
    for entry in _of_kind(rule, case):
        event = entry.event
        ended = _ended(entry, case)
        until = END if ended is None else ended
        if isinstance(event, e.ContractStarted) and event.kind in ONE_OFF and rule.recent is not None:
            until = end_of_window(event.earliest, span(rule.recent), case.regime.zone)
        yield _relation(rule, entry, (_is_of_kind(entry), *_sale_needs(rule, event, case)), until)


def transitional_relationship(rule: Rule, case: Case) -> Iterator[Tried]:
    """A relationship from before a law, with messages exchanged: CASL s 66."""
    for entry in case.dossier.facts(case.dossier.owner.contracts, case.question.address):
        assert rule.before is not None  # noqa: S101 - a transitional rule has one
        early = entry.event.latest < midnight(rule.before)
        yield _relation(rule, entry, (early, *_sale_needs(rule, entry.event, case)), END)


def published_address(rule: Rule, case: Case) -> Iterator[Tried]:
    """A published address: no refusal beside it and relevance to the role, each proved (CASL 10(9)(b))."""
    for entry in case.dossier.facts(case.dossier.owner.published, case.question.address):
        event = entry.event
        assert isinstance(event, e.AddressPublished)  # noqa: S101 - filed by type
        refused = event.no_ads_statement
        known = {
            "no_refusing_statement_proved": None if refused is None else not refused,
            "role_relevance_proved": _proved(event.role_relevant),
        }
        needs = tuple(known[need] if need in known else _trait(need, case) for need in rule.needs)
        yield _relation(rule, entry, needs, END)


def _of_kind(rule: Rule, case: Case) -> Iterator[Entry]:
    """The contracts of the rule's kinds, and those of which nobody has said what they were: they may be of one."""
    facts: Entries | list[Entry] = case.dossier.facts(case.dossier.owner.contracts, case.question.address)
    kinds = {*rule.kinds, "unknown"}
    return (n for n in facts if isinstance(n.event, e.ContractStarted) and n.event.kind in kinds)


def _is_of_kind(entry: Entry) -> bool | None:
    return None if getattr(entry.event, "kind", "unknown") == "unknown" else True


def _proved(value: str | None) -> bool | None:
    return True if value == "proved" else None


# --- what rests on the recipient alone -----------------------------------------------------------


def business_interest(rule: Rule, case: Case) -> Iterator[Tried]:
    """Writing to somebody in a business role: needs about the recipient and the message, no act of his.

    The first need says what the recipient is; while nobody said so, there is nothing to try.
    """
    if _trait(rule.needs[0], case) is None:
        return
    needs = tuple(_trait(need, case) for need in rule.needs)
    position = case.recipient.position
    said = next((n for n in case.dossier.owner.described if n.position == position), None)
    if said is not None:  # what somebody is counts from when that was known (P10)
        yield Tried(rule, (said.position,), usable_from(said.event), END, needs)


def _trait(need: str, case: Case) -> bool | None:
    recipient, message = case.recipient, case.question.message
    match need:
        case "recipient_professional":
            return recipient.professional
        case "corporate_subscriber":
            return recipient.corporate_subscriber
        case "informed_of_right_to_object":
            return recipient.informed_of_objection
        case "role_relevant":
            said = message.relevant_to_role if message else None
            return said if said is not None else _proved(recipient.role_relevant)
        case "country_declared":
            return True if case.candidate.strong else None
        case _:
            return None


def opt_out_regime(rule: Rule, case: Case) -> Iterator[Tried]:
    """No prior consent asked for (CAN-SPAM): the country must be declared, not guessed from an IP."""
    needs = tuple(_trait(need, case) for need in rule.needs)
    yield Tried(rule, case.candidate.evidence, BEGINNING, END, needs)


# --- service messages ----------------------------------------------------------------------------


def running_contract(rule: Rule, case: Case) -> Iterator[Tried]:
    """A message a contract needs (GDPR 6(1)(b)): while it runs, and for claims after it."""
    owner, address = case.dossier.owner, case.question.address
    for entry in case.dossier.facts(owner.contracts + owner.support, address):
        ended = entry.event.earliest if isinstance(entry.event, e.Donated) else _ended(entry, case)
        until = END
        if ended is not None and rule.after_end is not None:
            until = end_of_window(ended, span(rule.after_end), case.regime.zone)
        # a deal that nobody said more of than that it was won may be no contract with this person
        said = getattr(entry.event, "kind", "unknown") != "unknown"
        yield _relation(rule, entry, (True if said else None,), until)


def requested_reply(rule: Rule, case: Case) -> Iterator[Tried]:
    """An answer to something the person sent in. A mail that asks to confirm an address is none."""
    if _asks_to_confirm(case.purpose):
        return
    owner, address = case.dossier.owner, case.question.address
    for entry in case.dossier.facts(owner.enquiries + owner.activity, address):
        if isinstance(entry.event, e.FormSubmitted | e.Enquired) and rule.window is not None:
            until = end_of_window(entry.event.earliest, span(rule.window), case.regime.zone)
            own = None if entry.event.by == "unknown" else entry.event.by == "data_subject"
            yield _relation(rule, entry, (own,), until)


CONFIRMATION_PURPOSES = ("doi", "double_opt_in", "confirm")


def _asks_to_confirm(purpose: str) -> bool:
    return any(part in purpose for part in CONFIRMATION_PURPOSES)


def confirmation_mail(rule: Rule, case: Case) -> Iterator[Tried]:
    """One ad-free confirmation mail after a form was sent in, whoever sent it (OLG Düsseldorf, 2016)."""
    if not _asks_to_confirm(case.purpose):
        return
    owner, address = case.dossier.owner, case.question.address
    for entry in case.dossier.facts(owner.activity + owner.opt_ins, address):
        asked = entry.event.earliest
        if not isinstance(entry.event, e.FormSubmitted | e.OptedIn):
            continue
        assert rule.window is not None  # noqa: S101 - the time to live of a request
        until = end_of_window(asked, span(rule.window), case.regime.zone)
        for sent in case.dossier.facts(owner.sendings, address):
            if isinstance(sent.event, e.OptInRequested) and sent.event.earliest >= asked:
                until = min(until, sent.event.earliest + _TICK)
        yield _relation(rule, entry, (True,), until)


MECHANISMS: dict[str, Mechanism] = {
    "consent": consent,
    "sale": sale,
    "support": support,
    "purchase_window": purchase_window,
    "contract_window": contract_window,
    "enquiry_window": enquiry_window,
    "ongoing_relationship": ongoing_relationship,
    "transitional_relationship": transitional_relationship,
    "published_address": published_address,
    "business_interest": business_interest,
    "opt_out_regime": opt_out_regime,
    "running_contract": running_contract,
    "requested_reply": requested_reply,
    "confirmation_mail": confirmation_mail,
}


FACTS: dict[str, tuple[str, ...]] = {
    "consent": ("opt_ins",),
    "sale": ("contracts", "enquiries"),
    "support": ("support",),
    "purchase_window": ("contracts",),
    "contract_window": ("contracts",),
    "enquiry_window": ("enquiries",),
    "ongoing_relationship": ("contracts",),
    "transitional_relationship": ("contracts",),
    "published_address": ("published",),
    "business_interest": (),
    "opt_out_regime": (),
    "running_contract": ("contracts", "support"),
    "requested_reply": ("enquiries", "activity"),
    "confirmation_mail": ("activity", "opt_ins"),
}
"""The facts of a contact a mechanism rests on: with none of these it tries nothing. Empty: it needs none."""


_FIRST_NEED: dict[str, tuple[str, ...]] = {
    "consent": ("act_is_affirmative",),
    "sale": ("sale_or_negotiation",),
    "support": ("collected_since_commencement",),
    "purchase_window": ("purchase",),
    "contract_window": ("contract",),
    "enquiry_window": ("enquiry",),
    "ongoing_relationship": ("relationship",),
    "transitional_relationship": ("relationship_before_the_law",),
    "running_contract": ("contract",),
    "requested_reply": ("asked_by_the_person",),
    "confirmation_mail": ("form_sent_in",),
}


def names_of_needs(rule: Rule) -> tuple[str, ...]:
    """The names of the conditions a mechanism tries, in the order of `Tried.needs`."""
    return _FIRST_NEED.get(rule.mechanism or "", ()) + rule.needs
