"""From an explanation to an answer in words: the one page a question about one person comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from adapters import why_context as context
from adapters.explaining import Explainer, mail_named
from adapters.identification import reference_to
from adapters.report.masking import mask_email
from adapters.report.why import (
    VerdictSentence,
    Why,
    WhyClaim,
    WhyCondition,
    WhyDeclaration,
    WhyLine,
    WhyQuestion,
    WhyRule,
    WhySend,
)
from adapters.why_causes import CauseWords, law_name
from adapters.why_evidence import declarations, documents, rests_on
from adapters.why_history import Held, send_of, stops, timeline
from adapters.why_needs import evidence_of, need_in_words, obligation_in_words
from adapters.why_words import CAUSES, against_in_words, reason_in_words
from adapters.wiring import House
from ledger.contact import Entry
from ledger.policy.judge import STOP_TIME_UNKNOWN, UNDER_REVIEW
from ledger.policy.question import Decision, Question, Trial
from ledger.policy.rules import Policy
from ledger.terms import BEGINNING, MARKETING_PURPOSES
from projections.explain import Explanation, facts_of
from projections.matter import IN_TIME
from projections.remedies import Remedy


class Asked(NamedTuple):
    """What is asked. `purpose` None: every marketing purpose.

    day   the day asked about, where no moment was named
    mail  position of the one e-mail asked about; None: any of the day
    open  no moment was named: `on` is now, or the moment of the e-mail that a reference names
    """

    on: datetime
    purpose: str | None = None
    channel: str = "email"
    known_at: datetime | None = None
    law_at: datetime | None = None
    day: date | None = None
    mail: int | None = None
    open: bool = False


def answer(house: House, whom: str, asked: Asked) -> Why:
    """The whole answer for an address, a reference or a record id. Raises UnknownPersonError.

    A reference of an e-mail asks about that e-mail, unless a moment is named. A day with a send on record is asked
    about as of that send: what came later that day was not known to it.
    """
    person = house.whom(whom)
    mail = mail_named(house, person) if asked.open else None
    if mail is not None:
        asked = asked._replace(on=mail.event.latest, mail=mail.position)
    contact, address, email, *_ = person
    explainer = Explainer(house, contact, asked.known_at)
    catalogue = explainer.catalogue
    held = Held(house, catalogue, contact, address, asked.known_at, explainer.linked)
    court = _Court(explainer, held, asked)
    day = held.sent_on(asked.day or asked.on.astimezone(UTC).date())
    sends = tuple(court.sent(entry) for entry in day if asked.mail in (None, entry.position))
    shown = next((send for send in sends if send.verdict not in (None, "allowed by the rules applied")), None)
    shown = shown or next(iter(sends), None)
    at = court.moment_of(shown)
    lines = {} if asked.purpose else {name: court.explained(name, at) for name in _purposes(sends)}
    purpose = asked.purpose or (shown.purpose if shown and shown.purpose else min(lines, key=lambda n: _rank(lines[n])))
    found = court.explained(purpose, at)
    decision, grounds, policy = found.decision, found.grounds, explainer.policy
    positions = rests_on(held, decision, grounds)
    resting = declarations(held, positions)
    adopted = house.adopted
    return Why(
        email=email,
        email_masked=mask_email(email),
        reference=reference_to(house.ledger, person),
        controller=house.controller_name(catalogue),
        question=WhyQuestion(
            purpose=purpose,
            channel=asked.channel,
            on=at,
            known_at=asked.known_at or held.recorded_at,
            law_at=asked.law_at,
            day=asked.day,
        ),
        verdict=verdict_of(decision),
        sentence=CauseWords(held, policy).sentence(found.cause, at, marketing=purpose.startswith("marketing.")),
        facts=facts_of(contact, court.question(purpose, at), found),
        sends=sends,
        answers=tuple(_line(name, one) for name, one in lines.items()),
        since=grounds.start if decision.allowed and grounds is not None and grounds.start > BEGINNING else None,
        known_then=court.known_then(purpose, at),
        basis=decision.basis,
        rule=_rule(policy, decision, grounds),
        conditions=_conditions(found),
        jurisdictions=tuple(context.law(held, policy, candidate) for candidate in found.candidates),
        timeline=tuple(timeline(held, decision)),
        stops=tuple(stops(held)),
        documents=documents(held, positions),
        declarations=resting,
        platform=context.platform(policy, decision),
        spoke_against=tuple(_against(decision, policy)),
        obligations=tuple(obligation_in_words(fact) for fact in decision.obligations),
        would_change=tuple(_would_change(found, resting, policy, purpose)),
        changes_at=decision.changes_at.date() if decision.changes_at else None,
        claimed=_claim(found, policy),
        liabilities=tuple(context.liabilities(policy, held, found.candidates)),
        other_addresses=context.other_addresses(held),
        records=context.records(held),
        linked=tuple(context.linked(held)),
        requests=tuple(context.requests(held, policy)),
        policy_hash=decision.policy,
        adopted_by=f"{adopted.name}, {adopted.role}" if adopted else None,
        adopted_on=adopted.on.date() if adopted else None,
        looked_at=tuple(context.looked_at(held)),
        not_looked_at=tuple(context.not_looked_at(held, decision)),
        notes=tuple(context.notes(held)),
    )


class _Court:
    """Asks the same person's case again for each purpose, each send, and each state of knowledge."""

    def __init__(self, explainer: Explainer, held: Held, asked: Asked) -> None:
        self._explainer, self._held, self._asked = explainer, held, asked
        self._known: dict[tuple[str, datetime], Explanation] = {}

    def explained(self, purpose: str, at: datetime) -> Explanation:
        """The answer for one purpose at one moment, with its grounds."""
        if (purpose, at) not in self._known:
            self._known[purpose, at] = self._explainer.explain(self.question(purpose, at))
        return self._known[purpose, at]

    def question(self, purpose: str, at: datetime, known_at: datetime | None = None) -> Question:
        """The question about one purpose at one moment."""
        asked = self._asked
        return Question(
            purpose=purpose,
            channel=asked.channel,
            at=at,
            address=self._held.address,
            known_at=known_at or asked.known_at,
            law_at=asked.law_at,
        )

    def sent(self, entry: Entry) -> WhySend:
        """A send of the day, with the answer for its own purpose at its own moment."""
        send = send_of(self._held, entry)
        purpose = send.purpose or self._asked.purpose
        if purpose is None:
            return send
        found = self.explained(purpose, self._moment(entry.event.latest))
        return msgspec.structs.replace(send, verdict=verdict_of(found.decision))

    def moment_of(self, send: WhySend | None) -> datetime:
        """The moment judged: the send's, where a day was asked about and one is on record."""
        if send is None or send.position is None:
            return self._asked.on
        return self._moment(self._held.by_position[send.position].event.latest)

    def _moment(self, sent: datetime) -> datetime:
        return min(sent, self._asked.on) if self._asked.day else self._asked.on

    def known_then(self, purpose: str, at: datetime) -> str | None:
        """What the ledger would have said at that moment; None where only that was asked."""
        if self._asked.known_at is not None or at >= self._held.recorded_at:
            return None
        question = self.question(purpose, at, known_at=at)
        then = self._explainer.explain(question, self._explainer.house.catalogue_at(at))
        if not then.entries:
            return "This ledger held nothing about this person at that moment: the facts below were recorded later."
        return f"On what this ledger held at that moment, the answer was: {verdict_of(then.decision)}."


def _purposes(sends: Sequence[WhySend]) -> tuple[str, ...]:
    others = [send.purpose for send in sends if send.purpose]
    return tuple(dict.fromkeys((*MARKETING_PURPOSES, *others)))


def _rank(found: Explanation) -> int:
    """Whose grounds say most comes first: what is allowed, then what is claimed."""
    return 0 if found.decision.allowed else 1 if found.decision.claimed is not None else 2


def _line(purpose: str, found: Explanation) -> WhyLine:
    decision = found.decision
    return WhyLine(
        purpose=purpose,
        verdict=verdict_of(decision),
        reason=CAUSES.get(found.cause.kind) or reason_of(decision),
        basis=decision.basis,
        changes_at=decision.changes_at.date() if decision.changes_at else None,
    )


def reason_of(decision: Decision) -> str:
    """Why, in words, where only the decision is at hand."""
    if not decision.allowed and decision.uncertain and decision.reason != STOP_TIME_UNKNOWN:
        return CAUSES["overlap"]
    return reason_in_words(decision.reason)


def verdict_of(decision: Decision) -> VerdictSentence:
    """One of the three answers."""
    if decision.allowed:
        return "allowed by the rules applied"
    if decision.claimed is not None or decision.reason == STOP_TIME_UNKNOWN:
        return "cannot be shown"
    return "not allowed by the rules applied"


def _rule(policy: Policy, decision: Decision, grounds: Trial | None) -> WhyRule | None:
    names = [*decision.rules, *([decision.claimed.rule] if decision.claimed else [])]
    if not names and grounds is not None:
        names = [grounds.rule]
    rule = next((policy.rules[name] for name in names if name in policy.rules), None)
    if rule is None:
        return None
    return WhyRule(
        id=rule.id,
        law=law_name(rule),
        text=" ".join(rule.text.split()),
        source=rule.source,
        confidence=rule.confidence,
        checked_by=rule.checked_by or None,
        checked_on=rule.checked_on or None,
    )


def _conditions(found: Explanation) -> tuple[WhyCondition, ...]:
    """Each condition of the rule that decides, and the condition of time that failed; all from one trial."""
    if found.decision.reason in context.STOPS:
        return ()  # a stop has no needs: it counts
    grounds, cause = found.grounds, found.cause
    if grounds is None:
        return tuple(WhyCondition(name=need_in_words(name), met=None) for name in cause.missing)
    conditions = [(c.name, c.met) for c in grounds.conditions]
    conditions += [(name, False) for name in cause.missing if name in IN_TIME.values()]
    return tuple(
        WhyCondition(name=need_in_words(name), met=met, positions=grounds.evidence) for name, met in conditions
    )


def _against(decision: Decision, policy: Policy) -> Iterator[str]:
    for against in decision.against:
        where = f" [{against.position}]" if against.position else ""
        rule = policy.rules.get(against.rule)
        law = f", {law_name(rule)} (rule {rule.id})" if rule is not None else ""
        yield f"{against_in_words(against.what)}{where}{law}"


def _would_change(found: Explanation, resting: Sequence[WhyDeclaration], policy: Policy, purpose: str) -> Iterator[str]:
    """What alone would change the answer, by judging it again; and what the rule that came nearest lacks."""
    decision = found.decision
    if decision.allowed:
        yield _WOULD_END[purpose.startswith("marketing.")]
        return
    changes = [*_stopped_by(found), *_held_by(found)]
    cause = found.cause
    if cause.kind not in _NO_EVIDENCE_HELPS and not cause.unmet and not _PAST.intersection(cause.missing):
        changes += [
            f"a file that shows declaration {one.position} (a screenshot, the page, the contract)"
            for one in resting
            if not one.evidence
        ]
        if cause.kind == "withdrawn_declaration":
            changes.append("the declaration again, with its evidence")
        named_below = {IN_TIME["lapsed"], *(("country_declared",) if found.countries else ())}
        changes += [evidence_of(need) for need in cause.missing if need not in named_below]
        if cause.kind == "lapsed" and cause.rule is not None and policy.rules[cause.rule].inactivity:
            changes.append("evidence of contact within the period")
    if found.countries:
        named = " or ".join(policy.regime(code).title for code in found.countries)
        changes.append(f"a record of the recipient's country ({named} would do)")
    settled = decision.claimed is not None and decision.claimed.rule is not None and changes
    changes += [_OPT_INS[name] for name in _OPT_INS if name in found.remedies and not settled]
    yield from changes


def _stopped_by(found: Explanation) -> Iterator[str]:
    """What would change an answer that a stop decides."""
    decision, later = found.decision, found.cause.later
    if decision.reason not in context.STOPS:
        return
    for need in later.missing if later is not None and not later.unmet else ():
        if need not in _PAST:
            yield f"{evidence_of(need)}, for the opt-in that came later"
    if "correction" in found.remedies:
        if decision.reason == STOP_TIME_UNKNOWN:
            yield "evidence that the opt-out came after this moment"
        elif found.cause.kind == "overlap":
            yield "evidence that the opt-in came after the opt-out"
        yield "if the opt-out was a mistake, its correction with evidence"


def _held_by(found: Explanation) -> Iterator[str]:
    """What would change an answer that something else than a stop forbids."""
    reason, cause = found.decision.reason, found.cause
    if reason == UNDER_REVIEW:
        alone = "" if "review_answer" in found.remedies else ", together with what else is missing"
        yield f"the answer to the review{alone}"
    elif reason == "address_unlinked":
        alone = "" if "address_link" in found.remedies else ", together with what else is missing"
        yield f"a record that this address belongs to this contact again{alone}"
    elif cause.kind == "message":
        yield from (f"a message that does this: {obligation_in_words(one)}" for one in cause.unmet)
    elif cause.kind in ("unknown_purpose", "unknown_channel"):
        yield f"a question about a {cause.kind.removeprefix('unknown_')} that a rule knows"


_WOULD_END = {
    True: "an opt-out, objection or complaint that covers this would end it at once",
    False: "it is not marketing: an opt-out would not end it, the erasure of the person's data would",
}
_OPT_INS: dict[Remedy, str] = {
    "own_opt_in": "a new opt-in of the person, with its evidence, for what is sent after it (asking for it by e-mail "
    "is itself marketing)",
    "contract": "a contract with the person, with its evidence, for what is sent after it",
    "guardian_opt_in": "a guardian's consent, with its evidence, for what is sent after it",
}
_NO_EVIDENCE_HELPS = frozenset(
    {"message", "unknown_purpose", "unknown_channel", "stopped", "stop_time_unknown", "overlap", "erased", "minor"}
)
"""Causes that evidence for a basis leaves as they are."""
_PAST = frozenset({"rule_in_force", "begun_by_then"})
"""Conditions of time that no evidence changes, nor anything else about the same fact."""


def _claim(found: Explanation, policy: Policy) -> WhyClaim | None:
    claim = found.decision.claimed
    if claim is None:
        return None
    missing = tuple(need_in_words(need) for need in found.cause.missing)
    rule = found.grounds.rule if found.grounds is not None else claim.rule
    law = f"{law_name(policy.rules[rule])} ({rule})" if rule in policy.rules else ""
    return WhyClaim(rule=rule or "none that could accept it", law=law, missing=missing, basis=claim.basis)
