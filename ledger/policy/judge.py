"""`judge`: may this message be sent to this address, and on what grounds. One implementation, optional trace.

It reads no clock, no database and no vault: the answer is a function of the folds, the question,
the rule set and the catalogue. Precedence P1 to P22: docs/reference/precedence.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry
from ledger.declared import all_as_declared
from ledger.policy.calendar import end_of_window
from ledger.policy.dossier import Dossier, Recipient, reaches, usable_from
from ledger.policy.mechanisms import Case, Tried, attempt, names_of_needs
from ledger.policy.plans import Plan, Planned, PlanSet, held_by, plans_of
from ledger.policy.question import (
    Against,
    Candidate,
    Claim,
    Condition,
    Decision,
    Question,
    Trial,
)
from ledger.policy.rules import Policy, Regime, Rule, span
from ledger.terms import BEGINNING, BY_DIGEST, BY_DOMAIN, BY_OUR_WRITE, BY_SUPPRESSION, END, STRICTNESS, Basis

UNKNOWN_LAW = (Candidate("XX", strong=False),)
NO_CATALOGUE = Catalogue()
UNDER_REVIEW = "under_review"


class Segment(msgspec.Struct, frozen=True, gc=False):
    """An answer and the moment it begins; it holds until the next segment begins."""

    start: datetime
    decision: Decision


def judge(
    contacts: Sequence[Contact],
    question: Question,
    policy: Policy,
    catalogue: Catalogue = NO_CATALOGUE,
    trace: list[Trial] | None = None,
) -> Decision:
    """Decide for a group of contacts: the first owns the address, the others are linked with it.

    Allowed only if every candidate jurisdiction allows, for every purpose the message really has.
    With a `trace`, every trial of every rule is appended to it. `changes_at` is exact.
    """
    bench = Bench(contacts, policy, catalogue)
    if bench.is_settled(question, question.at):
        found = _settled(bench, question, question.at, trace, enough=2)
        return _until(found[0].decision, found[1].start) if len(found) > 1 else found[0].decision
    decision, edge = bench.decide(question, trace)
    at = question.at
    while edge < END:
        at = edge
        later, edge = bench.decide(msgspec.structs.replace(question, at=at))
        if not later.same_answer(decision):
            return msgspec.structs.replace(decision, changes_at=at)
    return decision


def segments(bench: Bench, question: Question, since: datetime) -> tuple[Segment, ...]:
    """The answers from `since` on: `judge` asked again at each moment the answer changes by itself."""
    shape = bench.shape(question, since)
    known = bench.answered.get(shape)
    if known is not None:
        return known
    found = _settled(bench, question, since) if shape else _unsettled(bench, question, since)
    if len(found) > 1:
        ends = [Segment(s.start, _until(s.decision, after.start)) for s, after in pairwise(found)]
        found = [*ends, found[-1]]
    answer = tuple(found)
    if shape:
        bench.answered[shape] = answer
    return answer


def _until(decision: Decision, end: datetime) -> Decision:
    return msgspec.structs.replace(decision, changes_at=end)


def _unsettled(bench: Bench, question: Question, since: datetime) -> list[Segment]:
    """Some fact is yet to come: everything is looked at again at each moment."""
    found: list[Segment] = []
    edge = since
    while edge < END:
        at = edge
        decision, edge = bench.decide(msgspec.structs.replace(question, at=at))
        if not found or not decision.same_answer(found[-1].decision):
            found.append(Segment(at, decision))
    return found


def _settled(
    bench: Bench,
    question: Question,
    since: datetime,
    trace: list[Trial] | None = None,
    enough: int = 0,
) -> list[Segment]:
    """Every fact lies in the past: the trials stay, only which of them hold in time changes."""
    if question.at != since:
        question = msgspec.structs.replace(question, at=since)
    cells = bench.cells(question, trace)
    moments = [m for cell in cells for m in cell.moments if since < m < END]
    findings = [cell.find(since) for cell in cells]
    found = [Segment(since, _united(cells, findings, question, bench))]
    for at in sorted(moments):
        before, findings = findings, [cell.find(at) for cell in cells]
        if findings != before:
            decision = _united(cells, findings, question, bench)
            if not decision.same_answer(found[-1].decision):
                found.append(Segment(at, decision))
                if len(found) == enough:
                    break
    return found


class _Finding(NamedTuple):
    """One jurisdiction's answer for one purpose."""

    allowed: bool
    reason: str
    rule: Rule | None
    evidence: tuple[int, ...]
    against: tuple[Against, ...]
    claim: Claim | None
    uncertain: bool


class _Stops(NamedTuple):
    """Stops of a cell that came, or may have come; `floor` is the last moment any of them may have come."""

    entries: list[Entry]
    floor: datetime

    @property
    def stand(self) -> bool:
        return bool(self.entries)


NO_STOPS = _Stops([], BEGINNING)


def _stops_of(entries: list[Entry]) -> _Stops:
    return _Stops(entries, max(n.event.latest for n in entries)) if entries else NO_STOPS


Shape = tuple[object, ...]


class Bench:
    """One person before one rule set: what `judge` needs to know once for all cells of a contact.

    Facts are read as declared; `resting` says on which declaration (position) a fact (position) then rests.
    """

    def __init__(self, contacts: Sequence[Contact], policy: Policy, catalogue: Catalogue = NO_CATALOGUE) -> None:
        contacts, self.resting = all_as_declared(contacts, catalogue.declared)
        self.dossier = Dossier(contacts)
        self.policy = policy
        self.charity = catalogue.is_charity
        self.plans = plans_of(policy)
        self.facts = held_by(contacts[0])
        self.held = self.dossier.held
        self.erased = self.dossier.erased
        self.answered: dict[Shape | None, tuple[Segment, ...]] = {}
        self._recipients: dict[str | None, Recipient] = {}
        self._owned: dict[str | None, bool] = {}
        self._codes: tuple[tuple[Candidate, ...], tuple[str, ...]] = ((), ())
        self._newest: datetime | None = None
        self._held_later: tuple[datetime, tuple[datetime, ...]] = (END, ())
        self._scene: tuple[object, ...] = ()

    def decide(self, question: Question, trace: list[Trial] | None = None) -> tuple[Decision, datetime]:
        """The decision at `question.at`, and the next moment at which it could change by itself."""
        at = question.at
        cells = self.cells(question, trace)
        findings = [cell.find(at) for cell in cells]
        edge = min((m for cell in cells for m in cell.moments if m > at), default=END)
        return _united(cells, findings, question, self), edge

    def answer(self, question: Question) -> tuple[Decision, bool]:
        """The decision, and whether a stop stands there that no later opt-in has turned, whatever else forbids."""
        cells = self.cells(question, None)
        findings = [cell.find(question.at) for cell in cells]
        return _united(cells, findings, question, self), any(cell.is_stopped(question.at) for cell in cells)

    def standing(self, question: Question) -> list[Entry]:
        """The stops that had come and that no later opt-in has turned, under some law; whatever else forbids."""
        cells = self.cells(question, [])  # with a trace: every opt-in is tried, so that each stop is told by itself
        found = {n.position: n for cell in cells for n in cell.standing_stops(question.at)}
        return [found[position] for position in sorted(found)]

    def cells(self, question: Question, trace: list[Trial] | None) -> list[_Cell]:
        """One cell for each purpose the message really has, under each jurisdiction."""
        candidates = question.jurisdictions or UNKNOWN_LAW
        return [
            _Cell(self, question, purpose, plan, candidate, trace)
            for purpose in real_purposes(question)
            for plan, candidate in zip(self._together(question, purpose).plans, candidates, strict=True)
        ]

    def _together(self, question: Question, purpose: str) -> PlanSet:
        candidates = question.jurisdictions or UNKNOWN_LAW
        held, codes = self._codes
        if held is not candidates:
            codes = tuple(candidate.code for candidate in candidates)
            self._codes = (candidates, codes)
        return self.plans.together(self.policy, codes, purpose, question.channel)

    def recipient(self, address: str | None) -> Recipient:
        """What is known of the recipient at an address."""
        if address not in self._recipients:
            self._recipients[address] = self.dossier.recipient(address)
        return self._recipients[address]

    def owns(self, address: str | None) -> bool:
        """Whether the address still belongs to the owner."""
        if address not in self._owned:
            self._owned[address] = self.dossier.owns(address)
        return self._owned[address]

    def covering(self, purpose: str, channel: str, address: str | None) -> list[Entry]:
        """Stops that cover a cell, begun or not."""
        dossier = self.dossier
        return [s for s in dossier.stops if dossier.covers(s, purpose, channel, address)]

    def is_settled(self, question: Question, since: datetime) -> bool:
        """Whether every fact lies before `since`, and the message has no say: later moments find no other."""
        if self._newest is None:
            self._newest = self.dossier.newest
        return question.message is None and self._newest < since and not self.held_later(since)

    def held_later(self, since: datetime) -> tuple[datetime, ...]:
        """See `Dossier.held_later`; the same moment is asked about for cell after cell."""
        if self._held_later[0] != since:
            self._held_later = (since, self.dossier.held_later(since))
        return self._held_later[1]

    def shape(self, question: Question, since: datetime) -> Shape | None:
        """What an answer depends on: cells of one contact that share it share their segments.

        None while a fact is yet to come, or when the message has a say: then nothing is shared.
        """
        if not self.is_settled(question, since):
            return None
        purpose, channel, address = question.purpose, question.channel, question.address
        plans = self._together(question, purpose)
        owner, stops = self.dossier.owner, self.dossier.stops
        scene = (since, question.law_at, question.jurisdictions)
        if scene != self._scene:
            self._scene = scene
            self.answered.clear()
        return (
            address,
            channel,
            plans.likeness(self.facts),
            purpose if owner.claims else None,  # a claim is held against every rule of the purpose
            tuple([_names(n.event, purpose) for n in owner.opt_ins]),
            tuple([n.position for n in self.covering(purpose, channel, address)]) if stops else None,
        )


def _names(event: e.Event, purpose: str) -> bool | None:
    assert isinstance(event, e.OptedIn)  # noqa: S101 - filed by type
    return reaches(event.purposes, purpose) if event.purposes else None


def real_purposes(question: Question) -> tuple[str, ...]:
    """The purposes a message is judged by: what it contains decides, not its label (MIXED-1)."""
    message = question.message
    if message is None or not message.contains_marketing:
        return (question.purpose,)
    hidden = message.marketing_purpose
    if question.purpose.startswith("marketing."):
        return (question.purpose,) if hidden in (None, question.purpose) else (question.purpose, hidden or "")
    return (hidden or "marketing.other",)


class _Cell:
    """One purpose and channel of one person under one jurisdiction, looked at from a moment on.

    `moments`: when something begins or ends by itself. Of all that is found here only what stands in
    time changes at a later moment, unless a fact is yet to come.
    """

    __slots__ = (
        "able",
        "against",
        "bench",
        "candidate",
        "forbidden",
        "minor",
        "moments",
        "open",
        "opted_in",
        "overlapping",
        "plan",
        "possible",
        "purpose",
        "question",
        "regime",
        "stops",
    )

    def __init__(
        self,
        bench: Bench,
        question: Question,
        purpose: str,
        plan: Plan,
        candidate: Candidate,
        trace: list[Trial] | None,
    ) -> None:
        self.bench, self.question, self.purpose = bench, question, purpose
        self.plan, self.regime, self.candidate = plan, plan.regime, candidate
        self.against: list[Against] = []
        self.moments: list[datetime] = list(bench.held_later(question.at))
        self.forbidden = self._malformed()
        self.minor = self._is_minor()
        self.stops = self.possible = NO_STOPS
        if bench.erased is not None:
            self.moments.append(bench.erased.begins)
        if plan.marketing:
            self.stops, self.possible = self._stops()
            self.forbidden = self.forbidden or self._personal()
            self.forbidden = self._message() or self.forbidden
        self._sort_out(self._tried(trace))

    def find(self, at: datetime) -> _Finding:
        """Forbid first, then look for a basis; a fact that forbids never hides another in the trace."""
        forbidden, against = self.forbidden, self.against
        standing = [t for t in self.able if t.start <= at < t.until]
        erased = self.bench.erased
        if erased is not None and erased.begins <= at:
            standing = [t for t in standing if t.rule.mechanism == "consent" and t.given > erased.over]
            if not standing:
                return _no([*against, Against(ERASED, "P8", erased.position)], ERASED, None, overlap=False)
        if self.minor and self.plan.marketing:
            standing = [t for t in standing if t.rule.mechanism == "consent"]
            if not standing:
                forbidden = "minor"
                position = self.bench.recipient(self.question.address).minor_position
                against = [*against, Against("minor", "P17", position)]
        if not standing and self.stops.entries:
            overlap = any(t.start <= at < t.until for t in self.overlapping)
            # a hold waits for an answer; a stop is one, and stays the reason
            reason = forbidden if forbidden not in (None, UNDER_REVIEW) else self._stop_word(at)
            return _no(against, reason, None, overlap)
        if forbidden:
            return _no(against, forbidden, self._claim(at), overlap=False)
        if self.possible.stand:
            standing = [t for t in standing if not _blocked(t, self.possible)]
            if not standing:
                return _no(against, STOP_TIME_UNKNOWN, None, overlap=True)
        if standing:
            best = standing[0]
            if len(standing) > 1:
                best = max(standing, key=lambda t: (-STRICTNESS[t.rule.basis or Basis.NOT_MARKETING], t.until))
            return _Finding(True, "proven", best.rule, best.evidence, tuple(against), None, uncertain=False)
        claim = self._claim(at)
        return _no(against, "claimed" if claim else "no_basis", claim, overlap=False)

    def is_stopped(self, at: datetime) -> bool:
        """Whether a stop stands that no later opt-in has turned; the reason reported may be another."""
        return self.stops.stand and not any(t.start <= at < t.until for t in self.able)

    def _stop_word(self, at: datetime) -> str:
        """The gravest reason that stands; what we wrote into a CRM, shown there again, speaks if nothing else does."""
        standing = self.standing_stops(at)
        return _gravest([n for n in standing if n.event.via != BY_OUR_WRITE] or standing)

    def standing_stops(self, at: datetime) -> list[Entry]:
        """The stops that stand, each by itself; of older ones than the last opt-in, all are told if it is not tried."""
        if not self.is_stopped(at):
            return []
        given = max([t.given for t in self.opted_in if t.start <= at < t.until], default=BEGINNING)
        return [n for n in self.stops.entries if n.event.latest >= given]

    def _sort_out(self, tried: list[Tried]) -> None:
        """Which trials could allow, which hang on overlapping times, which are claims: times aside."""
        stops = self.stops
        self.opted_in = [t for t in tried if stops.stand and t.proven and t.rule.mechanism == "consent"]
        self.able: list[Tried] = []
        self.open: list[Tried] = []
        self.overlapping: list[Tried] = []
        for t in tried:
            blocked = stops.stand and _blocked(t, stops)
            if t.proven:
                if not blocked:
                    self.able.append(t)
                if stops.stand and _overlaps(t, stops):
                    self.overlapping.append(t)
            elif not blocked and t.evidence and t.claimed:
                self.open.append(t)

    def _malformed(self) -> str | None:
        if not self.plan.known_purpose:
            return self._forbid("unknown_purpose", "MIXED-1")
        if not self.plan.known_channel:
            return self._forbid("unknown_channel", "MIXED-1")
        if not self.bench.owns(self.question.address):
            return self._forbid("address_unlinked", "P14")
        return None

    def _personal(self) -> str | None:
        held = self.bench.held
        if held is not None:
            return self._forbid(UNDER_REVIEW, "REVIEW", held.position)
        return None

    def _is_minor(self) -> bool:
        """P17: below the age at which one's own consent counts (GDPR 8)."""
        person = self.bench.recipient(self.question.address)
        return bool(person.minor) or (person.age is not None and person.age < self.regime.digital_age)

    def _message(self) -> str | None:
        message = self.question.message
        if message is None:
            return None
        for rule in self.regime.conditions:
            for fact in rule.facts:
                if getattr(message, fact) is False and rule.in_force(self.question.at):
                    return self._forbid(f"message:{fact}", rule.id)
        return None

    def _forbid(self, what: str, rule: str, position: int | None = None) -> str:
        self.against.append(Against(what, rule, position))
        return what

    def _stops(self) -> tuple[_Stops, _Stops]:
        """The stops that came by the moment asked about, and those that may have come by then or later."""
        at = self.question.at
        if not self.bench.dossier.stops:
            return NO_STOPS, NO_STOPS
        covering = self.bench.covering(self.purpose, self.question.channel, self.question.address)
        for n in covering:
            self.moments += (n.event.earliest, n.event.latest)
        begun = [n for n in covering if n.event.earliest <= at]
        rule = self.regime.stop.id if self.regime.stop else "STOP"
        self.against += [Against(stop_reason(n.event), rule, n.position) for n in begun]
        return _stops_of([n for n in begun if n.event.latest <= at]), _stops_of(
            [n for n in begun if n.event.latest > at]
        )

    def _tried(self, trace: list[Trial] | None) -> list[Tried]:
        """Every rule that could find a fact, tried on it, within the time the rule is in force."""
        bench, question = self.bench, self.question
        live = self.plan.live(bench.facts)
        if trace is None and self._nothing_revives():
            return []
        if not live:
            return self._without_void([]) if bench.dossier.owner.bounces else []
        person = bench.recipient(question.address)
        case = Case(
            bench.dossier, question, self.purpose, self.regime, self.candidate, person, bench.charity, self.minor
        )
        found: list[Tried] = []
        for planned in live:
            if question.law_at is not None and planned.floor > question.law_at:
                continue  # no such law was known by then
            if self.stops.entries and not planned.consent and trace is None:
                continue  # nothing but a later consent revives (P2, P3)
            found += [_within_law(tried, planned) for tried in attempt(planned.rule, case)]
        for tried in found:
            self.moments += (tried.start, tried.until)
        if trace is not None:
            trace += [self._as_trial(tried, self.stops) for tried in found]
        return self._without_void(found) if bench.dossier.owner.bounces else found

    def _nothing_revives(self) -> bool:
        """Whether every opt-in was over before any stop began: then no trial could tell (see `_blocked`).

        One between two stops turned the first, so that the second alone names the reason.
        """
        if not self.stops.entries or self.bench.dossier.owner.bounces:
            return False
        begun = min([n.event.earliest for n in self.stops.entries])
        return not any(n.event.latest > begun for n in self.bench.dossier.consents(self.question.address))

    def _without_void(self, found: list[Tried]) -> list[Tried]:
        """P5: an address that takes mail again long after a hard bounce may be another person's."""
        voids = _reassigned(self.bench.dossier, self.question, self.regime)
        self.moments += [begins for begins, _, _ in voids]
        begun = [(end, position) for begins, end, position in voids if begins <= self.question.at]
        void = max(begun, default=None)
        if void is None:
            return found
        self.against.append(Against("address_may_be_reassigned", "P5", void[1]))
        return [t for t in found if t.rule.mechanism != "consent" or t.given >= void[0]]

    def _as_trial(self, tried: Tried, stops: _Stops) -> Trial:
        names = names_of_needs(tried.rule)
        return Trial(
            jurisdiction=self.regime.code,
            rule=tried.rule.id,
            evidence=tried.evidence,
            start=tried.start,
            until=tried.until,
            conditions=(
                *[_condition(n, met) for n, met in zip(names, tried.needs, strict=True)],
                *(() if tried.possible else (_condition(POSSIBLE_TIME, None),)),
            ),
            blocked_by=tuple(n.position for n in stops.entries) if _blocked(tried, stops) else (),
        )

    def _claim(self, at: datetime) -> Claim | None:
        """The best claimed rule: from facts with unknown needs, else from what the CRM asserts."""
        open_ = [t for t in self.open if t.start <= at < t.until]
        if open_:
            best = min(open_, key=lambda t: (t.needs.count(None), STRICTNESS[t.rule.basis or Basis.CONTRACT]))
            names = names_of_needs(best.rule)
            missing = tuple(n for n, met in zip(names, best.needs, strict=True) if met is None)
            missing += () if best.possible else (POSSIBLE_TIME,)
            return Claim(best.rule.id, best.rule.basis, best.evidence, missing)
        if not self.plan.marketing:
            return None
        return self._asserted() or self._unsaid(at)

    def _unsaid(self, at: datetime) -> Claim | None:
        """A contract of which nobody has said what it was, where no rule here rests on one."""
        dossier, address = self.bench.dossier, self.question.address
        for entry in dossier.facts(dossier.owner.contracts, address):
            event = entry.event
            if isinstance(event, e.ContractStarted) and event.kind == "unknown" and usable_from(event) <= at:
                return Claim(None, None, (entry.position,), ())
        return None

    def _asserted(self) -> Claim | None:
        if not self.bench.dossier.owner.claims:
            return None
        for entry in sorted(self.bench.dossier.claims(), key=_by_what_it_says):
            event = entry.event
            if not isinstance(event, e.BasisClaimed):
                continue
            if not self.bench.dossier.is_about(event, self.question.address):
                continue
            families = {basis for token in event.claims for basis in CLAIMED_BASES.get(token, ())}
            for planned in self.plan.rules:
                rule = planned.rule
                if rule.basis in families:
                    return Claim(rule.id, rule.basis, (entry.position,), names_of_needs(rule))
            return Claim(None, None, (entry.position,), ())
        return None


_condition = cache(Condition)  # few names, three answers
POSSIBLE_TIME = "possible_time"
"""The need that a fact with an impossible time leaves open: nothing shows when, so nothing shows that."""


def _no(against: Sequence[Against], reason: str, claim: Claim | None, overlap: bool) -> _Finding:
    positions = tuple([a.position for a in against if a.position is not None])
    return _Finding(False, reason, None, positions, tuple(against), claim, overlap)


CLAIMED_BASES: dict[str, tuple[Basis, ...]] = {
    "consent": (Basis.EXPLICIT_CONSENT,),
    "confirmation": (Basis.EXPLICIT_CONSENT,),
    "interest_customer": (Basis.SOFT_OPT_IN, Basis.IMPLIED_CONSENT, Basis.INFERRED_CONSENT),
    "contract": (Basis.SOFT_OPT_IN, Basis.IMPLIED_CONSENT, Basis.INFERRED_CONSENT),
    "interest_prospect": (Basis.LEGITIMATE_INTEREST_B2B,),
    "interest_other": (Basis.LEGITIMATE_INTEREST_B2B,),
}
"""Which bases a CRM's assertion could mean, were it shown."""


def _by_what_it_says(claim: Entry) -> tuple[bool, tuple[str, ...]]:
    """Orders claims: the CRM's legal basis before its double opt-in, whichever was recorded first."""
    event = claim.event
    return (event.field != "legal_basis", event.claims) if isinstance(event, e.BasisClaimed) else (True, ())


def _gravest(stops: Sequence[Entry]) -> str:
    """The reason given where several stops stand: the same, whichever of them was recorded first."""
    return max([stop_reason(n.event) for n in stops], key=_GRAVITY.index)


def stop_reason(event: e.Event) -> str:
    """The reason that a stop gives: its kind, or that somebody else than the person made it."""
    by_others = isinstance(event, e.Stop) and event.by in _OTHERS and event.via not in _ON_THEIR_BEHALF
    return STOP_REASONS[e.Stop if by_others else type(event)]


STOP_REASONS: dict[type[e.Event], str] = {
    e.OptedOut: "opted_out",
    e.TypeOptedOut: "opted_out",
    e.Objected: "objected",
    e.OptOutObstructed: "obstructed",
    e.Complained: "complained",
    e.ErasureRequested: "erasure_requested",
    e.ReviewDecided: "review_stop",
    e.Stop: "stopped_by_others",
}
"""The reason for each kind of stop; that of `Stop` itself is for one of any kind that the person did not make."""
_OTHERS = frozenset({"officer", "system", "third_party"})
_ON_THEIR_BEHALF = frozenset({BY_SUPPRESSION, BY_DOMAIN, BY_DIGEST})
"""The ledger itself writes these down anew, of somebody who said no before, or in a list of digests or domains."""
OF_OTHERS = ("review_stop", "stopped_by_others")
"""Reasons of stops that somebody else than the person decided: none of them is named before the person's own."""
_GRAVITY = (*OF_OTHERS, "opted_out", "obstructed", "complained", "objected", "erasure_requested")
STOP_TIME_UNKNOWN = "stop_time_unknown"
"""A stop may have come before the moment asked about, or after it. Of a past message alone: every stop came before it
was recorded."""
ERASED = "erased"
"""Key and data are destroyed: there is nobody left to write to, for any purpose."""
STOPPED = frozenset({*STOP_REASONS.values(), STOP_TIME_UNKNOWN, ERASED})
"""Reasons that only a later opt-in by the person can turn."""


def _blocked(tried: Tried, stops: _Stops) -> bool:
    """P2, P3: after a stop only an opt-in given wholly later counts; every other basis is dead."""
    if not stops.stand:
        return False
    return tried.rule.mechanism != "consent" or tried.given <= stops.floor


def _overlaps(tried: Tried, stops: _Stops) -> bool:
    """Whether the grant may, but need not, have come after every stop: times overlap, or one is not known."""
    return (
        stops.stand
        and tried.rule.mechanism == "consent"
        and tried.given <= stops.floor
        and all(tried.given_by > stop.event.earliest for stop in stops.entries)
    )


def _within_law(tried: Tried, planned: Planned) -> Tried:
    if planned.floor <= tried.start and tried.until <= planned.ceiling:
        return tried
    return msgspec.structs.replace(
        tried, start=max(tried.start, planned.floor), until=min(tried.until, planned.ceiling)
    )


def _reassigned(dossier: Dossier, question: Question, regime: Regime) -> list[tuple[datetime, datetime, int]]:
    """Hard bounces followed, half a year on, by a sign of life: when that came, the bounce, its position."""
    alive = [n.event.earliest for n in dossier.possible(dossier.owner.activity, question.address)]
    alive += [n.event.earliest for n in dossier.possible(dossier.owner.confirmations, question.address)]
    found: list[tuple[datetime, datetime, int]] = []
    for entry in dossier.possible(dossier.owner.bounces, question.address):
        if isinstance(entry.event, e.Bounced) and entry.event.kind == "hard":
            long_after = end_of_window(entry.event.latest, span("P6M"), regime.zone)
            begins = min([moment for moment in alive if moment >= long_after], default=None)
            if begins is not None:
                found.append((begins, entry.event.latest, entry.position))
    return found


def _united(cells: Sequence[_Cell], findings: Sequence[_Finding], question: Question, bench: Bench) -> Decision:
    """The answer for all candidates together: yes only if all say yes; the strictest is reported."""
    against = tuple(dict.fromkeys([a for f in findings for a in f.against]))
    for cell, worst in zip(cells, findings, strict=True):
        if not worst.allowed:
            denied = [f for f in findings if not f.allowed]
            claims = [f.claim for f in denied]
            claim = None if None in claims else min(claims, key=_doubt)
            return Decision(
                allowed=False,
                reason="no_basis" if worst.reason == "claimed" and claim is None else worst.reason,
                jurisdiction=cell.candidate.code,
                rules=tuple(dict.fromkeys([a.rule for a in worst.against])),
                evidence=worst.evidence,
                against=against,
                claimed=claim,
                uncertain=any(f.uncertain for f in denied),
                policy=bench.policy.hash,
            )
    ranked = sorted(zip(cells, findings, strict=True), key=lambda cf: STRICTNESS[_basis(cf[1])])
    cell, strictest = ranked[0]
    return Decision(
        allowed=True,
        reason="proven",
        basis=_basis(strictest),
        jurisdiction=cell.candidate.code,
        rules=tuple(dict.fromkeys([f.rule.id for _, f in ranked if f.rule])),
        evidence=tuple(dict.fromkeys([p for _, f in ranked for p in f.evidence])),
        against=against,
        obligations=_obligations(cells, question, bench),
        policy=bench.policy.hash,
    )


def _basis(finding: _Finding) -> Basis:
    return (finding.rule.basis if finding.rule else None) or Basis.NOT_MARKETING


def _doubt(claim: Claim | None) -> tuple[bool, int]:
    """Orders claims from the most doubtful on: no rule could accept it, then the more is missing."""
    return (claim is not None and claim.rule is not None, -len(claim.missing) if claim else 0)


def _obligations(cells: Sequence[_Cell], question: Question, bench: Bench) -> tuple[str, ...]:
    """What the message must still fulfil, as far as its facts are not known."""
    if not any(cell.plan.marketing for cell in cells):
        return ("no_promotional_element",) if question.message is None else ()
    codes = tuple([cell.candidate.code for cell in cells])
    asked = bench.plans.obligations.get(codes)
    if asked is None:
        rules = [rule for code in codes for rule in bench.policy.regime(code).conditions]
        asked = bench.plans.obligations[codes] = tuple(dict.fromkeys(f for rule in rules for f in rule.facts))
    message = question.message
    return asked if message is None else tuple(f for f in asked if getattr(message, f) is None)


def liability_date(stop: Entry, regime: Regime) -> datetime | None:
    """When a statutory grace after a stop would end: shown as a liability, never used as permission (P7)."""
    if regime.stop is None or regime.stop.statutory_grace is None:
        return None
    return end_of_window(stop.event.earliest, span(regime.stop.statutory_grace), regime.zone)
