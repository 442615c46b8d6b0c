"""The same answer, fit to send to the person it is about.

Built of what may be said, field by field, never by taking away: what is added to the answer for counsel does
not reach the person by itself. No other people, no ids, positions or references, no note, no other address.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters import why_words
from adapters.explaining import Explainer
from adapters.report.why import (
    Why,
    WhyCondition,
    WhyDocument,
    WhyJurisdiction,
    WhyLine,
    WhyQuestion,
    WhyRequest,
    WhyRow,
    WhyRule,
    WhySend,
)
from adapters.why_acts import act_of, clause_of
from adapters.why_causes import CauseWords
from adapters.why_history import Held, held_since, kind_of
from adapters.why_words import PERSON_SUPPRESSED, PERSON_WHAT
from adapters.whys import Asked
from adapters.wiring import House
from ledger import events as e
from ledger.commands import is_suppressing


def for_person(house: House, whom: str, asked: Asked, why: Why) -> Why:
    """The answer told to the person asked about."""
    contact, address, *_ = house.whom(whom)
    explainer = Explainer(house, contact, asked.known_at)
    held = Held(house, explainer.catalogue, contact, address, asked.known_at, explainer.linked)
    own = {entry.position for entry in held.entries if entry.event.stream == contact}
    return Why(
        audience="person",
        email=why.email,
        email_masked=why.email_masked,
        reference="",
        controller=why.controller,
        question=WhyQuestion(
            purpose=why.question.purpose,
            channel=why.question.channel,
            on=why.question.on,
            known_at=why.question.known_at,
            day=why.question.day,
        ),
        verdict=why.verdict,
        sentence=_sentence(explainer, held, why),
        sends=tuple(
            WhySend(at=s.at, precision=s.precision, subject=s.subject, purpose=s.purpose, verdict=s.verdict)
            for s in why.sends
        ),
        answers=tuple(
            WhyLine(purpose=one.purpose, verdict=one.verdict, reason="", basis=one.basis) for one in why.answers
        ),
        basis=why.basis,
        rule=_rule(why.rule) if _law_of(why) in held.own_laws else None,
        conditions=tuple(WhyCondition(name=one.name, met=one.met) for one in why.conditions),
        jurisdictions=tuple(
            WhyJurisdiction(code=one.code, name=one.name) for one in why.jurisdictions if one.code in held.own_laws
        ),
        timeline=tuple(_rows(held)),
        documents=tuple(
            WhyDocument(role=one.role, sha256="", form=one.form, text=one.text, shortened=one.shortened)
            for one in why.documents
            if one.role == "wording shown" and own.issuperset(one.positions)
        ),
        requests=tuple(
            WhyRequest(kind=one.kind, received=one.received, due=one.due) for one in why.requests if one.position in own
        ),
        policy_hash="",
    )


def _law_of(why: Why) -> str | None:
    assert why.facts is not None  # noqa: S101 - counsel's answer has them
    return why.facts.decision.jurisdiction


def _sentence(explainer: Explainer, held: Held, why: Why) -> str:
    assert why.facts is not None  # noqa: S101 - counsel's answer has them
    marketing = why.question.purpose.startswith("marketing.")
    words = CauseWords(held, explainer.policy, person=True)
    return words.sentence(why.facts.cause, why.question.on, marketing=marketing)


def _rule(rule: WhyRule | None) -> WhyRule | None:
    return None if rule is None else WhyRule(id="", text=rule.text, source=rule.source, confidence="")


def _rows(held: Held) -> Iterator[WhyRow]:
    """What the person did and was sent, under this address, on this record alone."""
    for entry in held.entries:
        event = entry.event
        if event.recorded_at is None or event.stream != held.contact:
            continue
        if event.address not in (None, held.address):
            continue
        what = _in_words(held, event)
        if what is None:
            continue
        yield WhyRow(
            position=None,
            what=what,
            recorded_at=event.recorded_at,
            kind=kind_of(event),
            happened_from=event.occurred_from,
            happened_to=event.occurred_to,
            precision=event.precision,
            held_since=held_since(event),
        )


def _in_words(held: Held, event: e.Event) -> str | None:
    """One fact as it is told to the person; None: it is not."""
    if is_suppressing(event):
        return PERSON_SUPPRESSED
    if (others := why_words.stopped_by_others(event, person=True)) is not None:
        return others
    if (act := act_of(event, person=True)) is not None:
        clause = clause_of(event, act, person=True, when=False)
        return f"{clause[:1].upper()}{clause[1:]}"
    what = PERSON_WHAT.get(type(event))
    if what is not None and isinstance(event, e.EmailSent):
        subject = held.house.payload(event).get("subject")
        return f"{what}: {subject}" if subject else what
    return what
