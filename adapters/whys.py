"""From an explanation to an answer in words: the one page a question about one person comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from adapters import why_context as context
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
from adapters.why_evidence import declarations, documents, rests_on
from adapters.why_history import Held, send_of, stops, timeline
from adapters.why_words import MISSING, REASONS
from adapters.wiring import House
from ledger.contact import Entry
from ledger.policy.judge import ERASED, STOP_TIME_UNKNOWN
from ledger.policy.question import Decision, Question, Trial
from ledger.policy.rules import Policy
from ledger.terms import BEGINNING, MARKETING_PURPOSES
from projections.explain import Explanation, explain

OVERLAP = "A stop and an opt-in overlap in time, or lack one; the stop wins until it is settled."
UNDATED_STOP = "There is a stop, and nothing shows whether it came before this moment or after it."
STOPPED = "A stop covers this, and no later opt-in by the person lifts it."
CLAIMED = "A basis is asserted; what it would need is not on record."
NOTHING = "Nothing on record could carry a basis for this."


class Asked(NamedTuple):
    """What is asked. `purpose` None: every marketing purpose.

    day   the day asked about, where no moment was named
    mail  position of the one e-mail asked about; None: any of the day
    """

    on: datetime
    purpose: str | None = None
    channel: str = "email"
    known_at: datetime | None = None
    law_at: datetime | None = None
    day: date | None = None
    mail: int | None = None


def answer(house: House, whom: str, asked: Asked) -> Why:
    """The whole answer for an address, or for a reference from a report. Raises UnknownAddressError.

    A day with a send on record is asked about as of that send: what came later that day was not known to it.
    """
    contact, address, email = house.whom(whom)
    catalogue = house.catalogue_at(asked.known_at)
    held = Held(house, catalogue, contact, address, asked.known_at)
    court = _Court(house, held, asked)
    day = held.sent_on(asked.day or asked.on.astimezone(UTC).date())
    sends = tuple(court.sent(entry) for entry in day if asked.mail in (None, entry.position))
    shown = next((send for send in sends if send.verdict not in (None, "allowed by the rules applied")), None)
    shown = shown or next(iter(sends), None)
    at = court.moment_of(shown)
    lines = {} if asked.purpose else {name: court.explained(name, at) for name in _purposes(sends)}
    purpose = asked.purpose or (shown.purpose if shown and shown.purpose else min(lines, key=lambda n: _rank(lines[n])))
    found = court.explained(purpose, at)
    decision, grounds, policy = found.decision, _grounds(found), house.policy
    positions = rests_on(held, decision, grounds)
    resting = declarations(held, positions)
    adopted = house.adopted
    return Why(
        email=email,
        email_masked=mask_email(email),
        reference=f"CL-{contact[:8]}-{decision.evidence[0] if decision.evidence else _last(found)}",
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
        sentence=_sentence(decision),
        sends=sends,
        answers=tuple(_line(name, one) for name, one in lines.items()),
        since=grounds.start if decision.allowed and grounds is not None and grounds.start > BEGINNING else None,
        known_then=court.known_then(purpose, at),
        basis=decision.basis,
        rule=_rule(policy, decision, grounds),
        conditions=_conditions(grounds, decision),
        jurisdictions=tuple(context.law(held, policy, candidate) for candidate in found.candidates),
        timeline=tuple(timeline(held, decision)),
        stops=tuple(stops(held)),
        documents=documents(held, positions),
        declarations=resting,
        platform=context.platform(policy, decision),
        spoke_against=tuple(_against(decision)),
        obligations=tuple(fact.replace("_", " ") for fact in decision.obligations),
        would_change=tuple(_would_change(decision, resting)),
        changes_at=decision.changes_at.date() if decision.changes_at else None,
        claimed=_claim(decision),
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

    def __init__(self, house: House, held: Held, asked: Asked) -> None:
        self._house, self._held, self._asked = house, held, asked
        self._known: dict[tuple[str, datetime], Explanation] = {}

    def explained(self, purpose: str, at: datetime) -> Explanation:
        """The answer for one purpose at one moment, with its grounds."""
        if (purpose, at) not in self._known:
            question = self._question(purpose, at)
            catalogue = self._held.catalogue
            self._known[purpose, at] = explain(
                self._house.ledger.log, self._house.policy, catalogue, self._held.contact, question
            )
        return self._known[purpose, at]

    def _question(self, purpose: str, at: datetime, known_at: datetime | None = None) -> Question:
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
        catalogue = self._house.catalogue_at(at)
        question = self._question(purpose, at, known_at=at)
        then = explain(self._house.ledger.log, self._house.policy, catalogue, self._held.contact, question)
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
        reason=reason_of(decision),
        basis=decision.basis,
        changes_at=decision.changes_at.date() if decision.changes_at else None,
    )


def reason_of(decision: Decision) -> str:
    """Why, in words."""
    if not decision.allowed and decision.uncertain and decision.reason != STOP_TIME_UNKNOWN:
        return "a stop and an opt-in overlap in time"
    return REASONS.get(decision.reason, decision.reason.replace("_", " "))


def _last(found: Explanation) -> int:
    return found.entries[-1].position if found.entries else 0


def verdict_of(decision: Decision) -> VerdictSentence:
    """One of the three answers."""
    if decision.allowed:
        return "allowed by the rules applied"
    if decision.claimed is not None or decision.reason == STOP_TIME_UNKNOWN:
        return "cannot be shown"
    return "not allowed by the rules applied"


def _sentence(decision: Decision) -> str:
    if decision.allowed:
        rules = " and ".join(decision.rules)
        return f"Every need of {rules} is evidenced, and nothing that stops it came later."
    if decision.reason == STOP_TIME_UNKNOWN:
        return UNDATED_STOP
    if decision.uncertain:
        return OVERLAP
    if decision.reason in context.STOPS:
        return STOPPED
    if decision.claimed is not None:
        return CLAIMED
    return NOTHING


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
        checked_on=rule.checked_on or None,
    )


def _conditions(grounds: Trial | None, decision: Decision) -> tuple[WhyCondition, ...]:
    if grounds is None or decision.reason in context.STOPS:
        return ()  # a stop has no needs: it holds
    return tuple(
        WhyCondition(name=c.name.replace("_", " "), met=c.met, positions=grounds.evidence) for c in grounds.conditions
    )


def _against(decision: Decision) -> Iterator[str]:
    for against in decision.against:
        where = f" (position {against.position})" if against.position else ""
        yield f"{against.what.replace('_', ' ')}{where}, rule {against.rule}"


def _would_change(decision: Decision, resting: Sequence[WhyDeclaration]) -> Iterator[str]:
    if decision.allowed:
        yield "an opt-out, objection or complaint would end it at once"
        return
    if decision.reason == ERASED:
        yield "only the person's own later opt-in"
        return
    if decision.reason in context.STOPS:
        yield "only the person's own later opt-in; or, if the stop was a mistake, its correction with evidence"
        return
    if decision.claimed is not None:
        for one in resting:
            if not one.evidence:
                yield f"a file that shows declaration {one.position} (a screenshot, the page, the contract)"
        for need in decision.claimed.missing:
            yield MISSING.get(need, f"evidence: {need.replace('_', ' ')}")
        if decision.claimed.rule is None:
            yield "no rule of these countries accepts what is claimed; the person's own opt-in would"
        return
    yield "the person's own opt-in, evidenced (asking for it by e-mail is itself marketing)"


def _claim(decision: Decision) -> WhyClaim | None:
    claim = decision.claimed
    if claim is None:
        return None
    missing = tuple(need.replace("_", " ") for need in claim.missing)
    return WhyClaim(rule=claim.rule or "none that could accept it", missing=missing, basis=claim.basis)
