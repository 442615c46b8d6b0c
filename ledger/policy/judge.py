"""`judge`: may this message be sent to this address, and on what grounds. One implementation, optional trace.

It reads no clock, no database and no vault: the answer is a function of the folds, the question,
the rule set and the catalogue. Precedence P1 to P22: docs/reference/precedence.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry
from ledger.policy.calendar import end_of_window
from ledger.policy.dossier import Dossier, Recipient
from ledger.policy.mechanisms import Case, Tried, attempt, names_of_needs
from ledger.policy.question import (
    Against,
    Candidate,
    Claim,
    Condition,
    Decision,
    Message,
    Question,
    Trial,
)
from ledger.policy.rules import Policy, Regime, Rule, midnight, span
from ledger.terms import BEGINNING, CHANNELS, END, MARKETING_PURPOSES, STRICTNESS, Basis

UNKNOWN_LAW = (Candidate("XX", strong=False),)
NO_CATALOGUE = Catalogue()


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
    found: list[Segment] = []
    edge = since
    while edge < END:
        at = edge
        decision, edge = bench.decide(msgspec.structs.replace(question, at=at))
        if not found or not decision.same_answer(found[-1].decision):
            found.append(Segment(at, decision))
    return tuple(
        Segment(s.start, msgspec.structs.replace(s.decision, changes_at=after.start))
        for s, after in pairwise(found)
    ) + tuple(found[-1:])


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
    """Stops in force for a cell; `floor` is the last moment any of them may have come."""

    entries: list[Entry]
    floor: datetime

    @property
    def stand(self) -> bool:
        return bool(self.entries)


class Bench:
    """One person before one rule set: what `judge` needs to know once for all cells of a contact."""

    def __init__(
        self, contacts: Sequence[Contact], policy: Policy, catalogue: Catalogue = NO_CATALOGUE
    ) -> None:
        self.dossier = Dossier(contacts)
        self.policy = policy
        self.charity = catalogue.is_charity
        self._recipients: dict[str | None, Recipient] = {}

    def decide(self, question: Question, trace: list[Trial] | None = None) -> tuple[Decision, datetime]:
        """The decision at `question.at`, and the next moment at which it could change by itself."""
        edges = _Edges(question.at)
        candidates = question.jurisdictions or UNKNOWN_LAW
        findings: list[tuple[Candidate, _Finding]] = []
        for purpose in real_purposes(question):
            for candidate in candidates:
                regime = self.policy.regime(candidate.code)
                cell = _Cell(self, question, purpose, regime, candidate, edges, trace)
                findings.append((candidate, cell.find()))
        return _united(findings, question, self.policy), edges.next

    def recipient(self, address: str | None) -> Recipient:
        """What is known of the recipient at an address."""
        if address not in self._recipients:
            self._recipients[address] = self.dossier.recipient(address)
        return self._recipients[address]


def real_purposes(question: Question) -> tuple[str, ...]:
    """The purposes a message is judged by: what it contains decides, not its label (MIXED-1)."""
    message = question.message
    if message is None or not message.contains_marketing:
        return (question.purpose,)
    hidden = message.marketing_purpose
    if question.purpose.startswith("marketing."):
        return (question.purpose,) if hidden in (None, question.purpose) else (question.purpose, hidden or "")
    return (hidden or "marketing.other",)


class _Edges:
    """Collects the moments after `at` at which something begins or ends by itself; keeps the first."""

    __slots__ = ("at", "next")

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.next = END

    def add(self, moment: datetime) -> None:
        if self.at < moment < self.next:
            self.next = moment


class _Cell:
    """One purpose and channel of one person under one jurisdiction."""

    __slots__ = ("against", "bench", "candidate", "edges", "purpose", "question", "regime", "trace")

    def __init__(
        self,
        bench: Bench,
        question: Question,
        purpose: str,
        regime: Regime,
        candidate: Candidate,
        edges: _Edges,
        trace: list[Trial] | None,
    ) -> None:
        self.bench, self.question, self.purpose = bench, question, purpose
        self.regime, self.candidate, self.edges, self.trace = regime, candidate, edges, trace
        self.against: list[Against] = []

    def find(self) -> _Finding:
        """Forbid first, then look for a basis; a fact that forbids never hides another in the trace."""
        marketing = self.purpose.startswith("marketing.")
        forbidden = self._malformed(marketing)
        stops = self._stops() if marketing else _Stops([], BEGINNING)
        if marketing:
            forbidden = forbidden or self._personal()
            forbidden = self._message() or forbidden
        tried = self._tried(stops)
        minor = marketing and self._is_minor()
        in_time = [t for t in tried if t.start <= self.question.at < t.until]
        standing = [t for t in in_time if t.proven and not _blocked(t, stops)]
        if minor:
            standing = [t for t in standing if t.rule.mechanism == "consent"]
            if not standing:
                forbidden = self._forbid("minor", "P17", self.bench.recipient(self.question.address).position)
        overlap = any(t.proven and _overlaps(t, stops) for t in in_time)
        if stops.stand and not standing:
            return self._no(forbidden or _stop_reason(stops.entries[-1]), None, overlap)
        if forbidden:
            return self._no(forbidden, self._claim(tried, stops), overlap=False)
        if standing:
            best = max(standing, key=lambda t: (-STRICTNESS[t.rule.basis or Basis.NOT_MARKETING], t.until))
            return _Finding(
                True, "proven", best.rule, best.evidence, tuple(self.against), None, uncertain=False
            )
        claim = self._claim(tried, stops)
        return self._no("claimed" if claim else "no_basis", claim, overlap=False)

    def _no(self, reason: str, claim: Claim | None, overlap: bool) -> _Finding:
        positions = tuple(a.position for a in self.against if a.position is not None)
        return _Finding(False, reason, None, positions, tuple(self.against), claim, overlap)

    def _malformed(self, marketing: bool) -> str | None:
        known = self.purpose in MARKETING_PURPOSES if marketing else self.purpose.startswith("service.")
        if not known:
            return self._forbid("unknown_purpose", "MIXED-1")
        if self.question.channel not in CHANNELS:
            return self._forbid("unknown_channel", "MIXED-1")
        if not self.bench.dossier.owns(self.question.address):
            return self._forbid("address_unlinked", "P14")
        return None

    def _personal(self) -> str | None:
        held = self.bench.dossier.held
        if held is not None:
            return self._forbid("under_review", "REVIEW", held.position)
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

    def _stops(self) -> _Stops:
        dossier, question = self.bench.dossier, self.question
        for stop in dossier.stops:
            if dossier.covers(stop, self.purpose, question.channel, question.address):
                self.edges.add(stop.event.earliest)
        entries = dossier.stops_for(self.purpose, question.channel, question.address, question.at)
        if not entries:
            return _Stops(entries, BEGINNING)
        rule = self.regime.stop.id if self.regime.stop else "STOP"
        self.against += [Against(_stop_reason(n), rule, n.position) for n in entries]
        return _Stops(entries, max(n.event.latest for n in entries))

    def _tried(self, stops: _Stops) -> list[Tried]:
        question, found = self.question, []
        case = Case(
            self.bench.dossier,
            question,
            self.purpose,
            self.regime,
            self.candidate,
            self.bench.recipient(question.address),
            self.bench.charity,
            self._is_minor(),
        )
        for rule in self.regime.bases:
            if not rule.applies_to(self.purpose, question.channel):
                continue
            if stops.stand and rule.mechanism != "consent" and self.trace is None:
                continue  # nothing but a later consent revives (P2, P3)
            repealed = self.regime.repealed.get(rule.basis or "")
            if repealed is not None and rule not in self._own_rules():
                rule = msgspec.structs.replace(rule, valid_to=min(rule.valid_to, repealed))
            for tried in attempt(rule, case):
                tried = _within_law(tried)
                self.edges.add(tried.start)
                self.edges.add(tried.until)
                found.append(tried)
                if self.trace is not None:
                    self.trace.append(self._as_trial(tried, stops))
        if self.bench.dossier.owner.bounces:
            found = self._without_void(found)
        return found

    def _own_rules(self) -> tuple[Rule, ...]:
        sheet = self.bench.policy.sheets.get(self.regime.code)
        return sheet.rule if sheet else ()

    def _without_void(self, found: list[Tried]) -> list[Tried]:
        """P5: an address that takes mail again long after a hard bounce may be another person's."""
        void = _reassigned(self.bench.dossier, self.question, self.regime)
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
            conditions=tuple(Condition(n, met) for n, met in zip(names, tried.needs, strict=True)),
            blocked_by=tuple(n.position for n in stops.entries) if _blocked(tried, stops) else (),
        )

    def _claim(self, tried: list[Tried], stops: _Stops) -> Claim | None:
        """The best claimed rule: from facts with unknown needs, else from what the CRM asserts."""
        open_ = [
            t
            for t in tried
            if t.claimed
            and not t.proven
            and t.evidence
            and t.start <= self.question.at < t.until
            and not _blocked(t, stops)
        ]
        if open_:
            best = min(open_, key=lambda t: (t.needs.count(None), STRICTNESS[t.rule.basis or Basis.CONTRACT]))
            names = names_of_needs(best.rule)
            missing = tuple(n for n, met in zip(names, best.needs, strict=True) if met is None)
            return Claim(best.rule.id, best.rule.basis, best.evidence, missing)
        return self._asserted() if self.purpose.startswith("marketing.") else None

    def _asserted(self) -> Claim | None:
        for entry in sorted(self.bench.dossier.claims(), key=lambda n: n.position):
            event = entry.event
            if not isinstance(event, e.BasisClaimed) or event.address not in (None, self.question.address):
                continue
            families = {basis for token in event.claims for basis in CLAIMED_BASES.get(token, ())}
            for rule in self.regime.bases:
                if rule.basis in families and rule.applies_to(self.purpose, self.question.channel):
                    return Claim(rule.id, rule.basis, (entry.position,), names_of_needs(rule))
            return Claim(None, None, (entry.position,), ())
        return None


CLAIMED_BASES: dict[str, tuple[Basis, ...]] = {
    "consent": (Basis.EXPLICIT_CONSENT,),
    "confirmation": (Basis.EXPLICIT_CONSENT,),
    "interest_customer": (Basis.SOFT_OPT_IN, Basis.IMPLIED_CONSENT, Basis.INFERRED_CONSENT),
    "contract": (Basis.SOFT_OPT_IN, Basis.IMPLIED_CONSENT, Basis.INFERRED_CONSENT),
    "interest_prospect": (Basis.LEGITIMATE_INTEREST_B2B,),
    "interest_other": (Basis.LEGITIMATE_INTEREST_B2B,),
}
"""Which bases a CRM's assertion could mean, were it shown."""


def _stop_reason(entry: Entry) -> str:
    return STOP_REASONS[type(entry.event)]


STOP_REASONS: dict[type[e.Event], str] = {
    e.OptedOut: "opted_out",
    e.Objected: "objected",
    e.OptOutObstructed: "obstructed",
    e.Complained: "complained",
    e.ErasureRequested: "erasure_requested",
    e.ReviewDecided: "review_stop",
}


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


def _within_law(tried: Tried) -> Tried:
    start = max(tried.start, midnight(tried.rule.valid_from))
    until = min(tried.until, midnight(tried.rule.valid_to))
    if start == tried.start and until == tried.until:
        return tried
    return msgspec.structs.replace(tried, start=start, until=until)


def _reassigned(dossier: Dossier, question: Question, regime: Regime) -> tuple[datetime, int] | None:
    """The last hard bounce that was followed, half a year on, by a sign of life."""
    alive = [n.event.earliest for n in dossier.facts(dossier.owner.activity, question.address)]
    alive += [n.event.earliest for n in dossier.facts(dossier.owner.confirmations, question.address)]
    found: tuple[datetime, int] | None = None
    for entry in dossier.facts(dossier.owner.bounces, question.address):
        if isinstance(entry.event, e.Bounced) and entry.event.kind == "hard":
            long_after = end_of_window(entry.event.latest, span("P6M"), regime.zone)
            if any(long_after <= moment <= question.at for moment in alive):
                found = (entry.event.latest, entry.position)
    return found


def _united(findings: list[tuple[Candidate, _Finding]], question: Question, policy: Policy) -> Decision:
    """The answer for all candidates together: yes only if all say yes; the strictest is reported."""
    denied = [(c, f) for c, f in findings if not f.allowed]
    against = tuple(dict.fromkeys(a for _, f in findings for a in f.against))
    if denied:
        candidate, worst = denied[0]
        claims = [f.claim for _, f in denied]
        claim = None if None in claims else min(claims, key=_doubt)
        return Decision(
            allowed=False,
            reason="no_basis" if worst.reason == "claimed" and claim is None else worst.reason,
            jurisdiction=candidate.code,
            rules=tuple(dict.fromkeys(a.rule for a in worst.against)),
            evidence=worst.evidence,
            against=against,
            claimed=claim,
            uncertain=any(f.uncertain for _, f in denied),
            policy=policy.hash,
        )
    ranked = sorted(findings, key=lambda cf: STRICTNESS[_basis(cf[1])])
    candidate, strictest = ranked[0]
    return Decision(
        allowed=True,
        reason="proven",
        basis=_basis(strictest),
        jurisdiction=candidate.code,
        rules=tuple(dict.fromkeys(f.rule.id for _, f in ranked if f.rule)),
        evidence=tuple(dict.fromkeys(p for _, f in ranked for p in f.evidence)),
        against=against,
        obligations=_obligations(findings, question, policy),
        policy=policy.hash,
    )


def _basis(finding: _Finding) -> Basis:
    return (finding.rule.basis if finding.rule else None) or Basis.NOT_MARKETING


def _doubt(claim: Claim | None) -> tuple[bool, int]:
    """Orders claims from the most doubtful on: no rule could accept it, then the more is missing."""
    return (claim is not None and claim.rule is not None, -len(claim.missing) if claim else 0)


def _obligations(
    findings: list[tuple[Candidate, _Finding]], question: Question, policy: Policy
) -> tuple[str, ...]:
    """What the message must still fulfil, as far as its facts are not known."""
    if not any(purpose.startswith("marketing.") for purpose in real_purposes(question)):
        return ("no_promotional_element",) if question.message is None else ()
    message = question.message or Message()
    return tuple(
        dict.fromkeys(
            fact
            for candidate, _ in findings
            for rule in policy.regime(candidate.code).conditions
            for fact in rule.facts
            if getattr(message, fact) is None
        )
    )


def liability_date(stop: Entry, regime: Regime) -> datetime | None:
    """When a statutory grace after a stop would end: shown as a liability, never used as permission (P7)."""
    if regime.stop is None or regime.stop.statutory_grace is None:
        return None
    return end_of_window(stop.event.earliest, span(regime.stop.statutory_grace), regime.zone)
