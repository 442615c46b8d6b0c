"""May a campaign be sent: the gate's answers for many addresses at once."""

from __future__ import annotations

from datetime import datetime

from adapters.vocabulary import unknown_in_question
from adapters.web.shapes import GateAnswers, GateQuestion, GateQuestions, GateVerdict
from adapters.wiring import House
from ledger.policy.question import Decision


def gate_answers(house: House, asked: GateQuestions, at: datetime) -> GateAnswers:
    """The answers for one purpose and channel to many addresses."""
    position = house.ledger.log.last_position()
    known = house.ledger.vault.find_addresses(asked.emails)
    unknown = unknown_in_question(asked.purpose, asked.channel)
    answers = []
    for email in asked.emails:
        person = known.get(email)
        if person is None or unknown:
            answers.append(_verdict(None, person, why_not(asked, "unknown_address")))
            continue
        contact, address = person
        answer = house.gate.ask(contact, asked.purpose, asked.channel, address, at)
        answers.append(_verdict(answer.decision, person, answer.closed or "no_basis"))
    return GateAnswers(answers=answers, allowed=sum(one.allowed for one in answers), at=at, position=position)


def _verdict(decision: Decision | None, person: tuple[str, str] | None, reason: str) -> GateVerdict:
    contact = person[0] if person else None
    if decision is None:
        return GateVerdict(allowed=False, reason=reason, basis=None, contact=contact, valid_until=None)
    return GateVerdict(
        allowed=decision.allowed,
        reason=decision.reason,
        basis=decision.basis,
        contact=contact,
        valid_until=decision.changes_at,
    )


def why_not(asked: GateQuestion | GateQuestions, reason: str) -> str:
    """Why there is no answer of the rules: a word that is not known comes first, since it is the caller's mistake."""
    unknown = unknown_in_question(asked.purpose, asked.channel)
    return f"unknown_{unknown[0].field}" if unknown else reason
