"""From the DPO's answers to decisions in the ledger: what they would change, and then the record of them.

A review may stop, hold, or put evidence beside a contact. Nothing here makes a yes or lifts a stop: the
release of a hold alone may bring a yes back, one that stood before the hold.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from adapters.review.answers import Answer, Review
from adapters.review.cells import Problem
from adapters.review.questions import membership_seal
from adapters.review.words import ANSWERS
from adapters.tabular import UnreadableInput
from adapters.times import TimeReader
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact, Outcome
from ledger.codec import decode
from ledger.contact import Contact, Entry, extend
from ledger.terms import BEGINNING
from projections.audit import Auditor, Record
from projections.verdicts import Speaker, Verdict

SOURCE = "review"
LONG_AGO = timedelta(days=366)
"""An answer dated so long before its workbook has a mistyped year."""

_reference = re.compile(r"CL-([0-9a-f]{8})-([0-9]{1,15})\Z").match
_STRICTEST_LAST = tuple(reversed(ANSWERS))


class Effect(msgspec.Struct, kw_only=True):
    """What one answer does to its contacts.

    lose, gain    contacts that lose an allowed answer for marketing by e-mail, or gain one back
    allowed, not_allowed  those whose answer stays as it is
    known         recorded from this workbook before
    left          not released: nothing holds them, or another hold came after the workbook was written
    said_no       of those to be stopped, who said no to all marketing themselves, whatever the review decides
    """

    question: str
    outcome: str
    name: str
    role: str
    on: str
    evidence: tuple[str, ...]
    contacts: int = 0
    lose: int = 0
    gain: int = 0
    allowed: int = 0
    not_allowed: int = 0
    known: int = 0
    left: int = 0
    said_no: int = 0


class Plan(NamedTuple):
    """What an import of a review would record. `documents`: evidence by its SHA-256."""

    effects: list[Effect]
    facts: list[Fact]
    documents: dict[str, bytes]


def plan(house: House, review: Review, at: datetime) -> tuple[Plan, list[Problem]]:
    """What the answers would record and change at a moment, or what is wrong with their dates.

    Raises UnreadableInput for a workbook of another ledger (`another_ledger`), and for one that is not as this
    ledger's audit wrote it (`review_changed`).
    """
    whose = _whose(house, review)
    _check_seal(house, review)
    written = _written(house, review)
    problems = _misdated(review, written, at)
    if problems:
        return Plan([], [], {}), problems
    owners = house.contacts(sorted({whose[r] for answer in review.answers for r in answer.references}))
    documents = {_sha256(file.content): file.content for answer in review.answers for file in answer.evidence}
    planned = [
        _Planned(answer, review.seal, written, [whose[r] for r in answer.references]) for answer in _ordered(review)
    ]
    known = house.ledger.log.find([house.ledger.sid(SOURCE, one) for each in planned for one in each.source_ids])
    facts: list[Fact] = []
    effects: list[Effect] = []
    affected: list[tuple[Effect, str]] = []
    for each in planned:
        effect = each.effect()
        for contact, fact in each.facts():
            if house.ledger.sid(SOURCE, fact.source_id or "") in known:
                effect.known += 1
            elif each.answer.outcome == "release_hold" and not _releasable(owners[contact], review.position):
                effect.left += 1
            else:
                facts.append(fact)
            affected.append((effect, contact))
        effects.append(effect)
    _compare(house, owners, facts, affected, at)
    return Plan(effects, facts, documents), []


def record(house: House, planned: Plan) -> Outcome:
    """Record a plan: the evidence first, then the decisions, each once."""
    for content in planned.documents.values():
        house.ledger.log.put_document(content)
    return house.ledger.record_many(planned.facts)


def decision(contact: str, answer: Answer, written: datetime) -> e.ReviewDecided:
    """One contact's decision, from the beginning of its day, wherever that begins first.

    It came, at the latest, as that day ended or the workbook was written, whichever is later: so nothing
    that the officer had before them outlives a stop, even if the answer is older than the workbook.
    """
    day = TimeReader(None).read(answer.on.isoformat())
    assert day is not None  # noqa: S101 - a date's own text
    return e.ReviewDecided(
        stream=contact,
        source=SOURCE,
        by="officer",
        occurred_from=day.earliest,
        occurred_to=max(day.latest, written),
        precision=day.precision,
        outcome=answer.outcome,
        question=answer.question,
        evidence=tuple(dict.fromkeys(_sha256(file.content) for file in answer.evidence)),
    )


class _Planned:
    """One answer for the contacts it names, each once."""

    def __init__(self, answer: Answer, digest: str, written: datetime, contacts: Sequence[str]) -> None:
        self.answer = answer
        self._written = written
        self.contacts = tuple(dict.fromkeys(contacts))
        evidence = [_sha256(file.content) for file in answer.evidence]
        said = [answer.outcome, answer.name, answer.role, answer.on.isoformat(), answer.note, *evidence]
        content = _sha256(msgspec.json.encode(said))
        self.source_ids = [f"{digest}:{answer.question}:{contact}:{content}" for contact in self.contacts]

    def facts(self) -> Iterator[tuple[str, Fact]]:
        """Each contact with its decision."""
        said = self.answer
        payload = {"name": said.name, "role": said.role, "on": said.on.isoformat(), "note": said.note}
        for contact, source_id in zip(self.contacts, self.source_ids, strict=True):
            yield contact, Fact(decision(contact, said, self._written), source_id, payload)

    def effect(self) -> Effect:
        """The effect, before anything is counted."""
        said = self.answer
        return Effect(
            question=said.question,
            outcome=said.outcome,
            name=said.name,
            role=said.role,
            on=said.on.isoformat(),
            evidence=tuple(file.name for file in said.evidence),
            contacts=len(self.contacts),
        )


def _ordered(review: Review) -> list[Answer]:
    """The mildest answer first: of several for one contact, the strictest is the last word."""
    merged: dict[tuple[object, ...], Answer] = {}
    for answer in review.answers:
        key = (answer.question, answer.outcome, answer.evidence)
        held = merged.get(key)
        merged[key] = answer if held is None else held._replace(references=held.references + answer.references)
    return sorted(merged.values(), key=lambda answer: _STRICTEST_LAST.index(answer.outcome))


def _whose(house: House, review: Review) -> dict[str, str]:
    """Reference -> contact, for everybody the workbook names."""
    found: dict[str, str] = {}
    last = house.ledger.log.last_position()
    for reference in {one for members in review.members.values() for one in members}:
        named = _reference(reference)
        entries = house.ledger.log.read(int(named[2]) - 1, 1) if named else []
        stream = decode(entries[0][2]).stream if entries else ""
        if named is None or not stream.startswith(named[1]) or review.position > last:
            raise UnreadableInput(
                "another_ledger",
                f"This workbook is of another ledger: {reference} is nobody here.",
                "Name the ledger of its audit with --ledger.",
            )
        found[reference] = stream
    return found


def _check_seal(house: House, review: Review) -> None:
    """Refuse a workbook without this ledger's own mark: by a later position it would release newer holds."""
    pairs = ((question, reference) for question, members in review.members.items() for reference in members)
    seal = membership_seal(house.ledger.stamp, review.at, review.position, pairs)
    if not hmac.compare_digest(seal.encode(), review.seal.encode()):
        raise UnreadableInput(
            "review_changed",
            "This workbook is not as the audit of this ledger wrote it: its contacts, its time or its seal were "
            "changed. Nothing of it is recorded.",
            "Copy the answers into the review.xlsx of the audit as it was written, or run the audit again.",
        )


def _written(house: House, review: Review) -> datetime:
    """When the workbook was written: as the last entry was recorded that its audit knew."""
    entries = house.ledger.log.read(review.position - 1, 1)
    return (decode(entries[0][2]).recorded_at if entries else None) or BEGINNING


def _misdated(review: Review, written: datetime, at: datetime) -> list[Problem]:
    """Answers dated in the future, or by a mistyped year: a stop would begin on the wrong day."""
    problems: dict[Problem, None] = {}
    for answer in review.answers:
        day = TimeReader(None).read(answer.on.isoformat())
        if day is None or day.earliest > at:
            problems[Problem(*answer.dated, f"{answer.on} is yet to come")] = None
        elif written - day.latest > LONG_AGO:
            what = f"{answer.on} lies over a year before this workbook was written, on {written:%Y-%m-%d}"
            problems[Problem(*answer.dated, what)] = None
    return list(problems)


def _releasable(contact: Contact, position: int) -> bool:
    """Whether a hold stands that was there when the workbook was written, and no newer one."""
    standing: Entry | None = None
    for entry in contact.reviews:
        if isinstance(entry.event, e.ReviewDecided) and entry.event.outcome in ("hold", "release_hold"):
            standing = entry if entry.event.outcome == "hold" else None
    return standing is not None and standing.position <= position


# --- before and after ----------------------------------------------------------------------------


def _compare(
    house: House,
    owners: Mapping[str, Contact],
    facts: Sequence[Fact],
    affected: Sequence[tuple[Effect, str]],
    at: datetime,
) -> None:
    """Count for every answer whose answer changes, all answers together, as the audit would judge them."""
    auditor = Auditor(house.policy, house.catalogue, at)
    after = _with(owners, facts, house.ledger.log.last_position(), at)
    known: dict[str, tuple[frozenset[str | None], frozenset[str | None], bool]] = {}
    for effect, contact in affected:
        if contact not in known:
            group = house.group_of(owners, contact)
            later = [after.get(member.contact, member) for member in group]
            after_it = _verdicts(auditor, later)
            said_no = all(verdict.stopped_by is Speaker.PERSON for verdict in after_it.values())
            known[contact] = (_allowed(_verdicts(auditor, group)), _allowed(after_it), said_no)
        was, will, said_no = known[contact]
        effect.said_no += said_no and effect.outcome == "stop"
        effect.lose += bool(was - will)
        effect.gain += bool(will - was)
        effect.allowed += bool(was) and was == will
        effect.not_allowed += not was and not will


def _with(owners: Mapping[str, Contact], facts: Sequence[Fact], position: int, at: datetime) -> dict[str, Contact]:
    """The contacts as they would be, were the facts recorded now."""
    coming: dict[str, list[Entry]] = {}
    for place, fact in enumerate(facts, start=position + 1):
        entries = coming.setdefault(fact.event.stream, [])
        event = msgspec.structs.replace(fact.event, recorded_at=at)
        entries.append(Entry(place, owners[event.stream].version + len(entries) + 1, event))
    return {contact: extend(owners[contact], entries) for contact, entries in coming.items()}


def _allowed(verdicts: Mapping[str | None, Verdict]) -> frozenset[str | None]:
    """The addresses that some marketing by e-mail may be sent to."""
    return frozenset(address for address, verdict in verdicts.items() if verdict.allowed)


def _verdicts(auditor: Auditor, group: Sequence[Contact]) -> dict[str | None, Verdict]:
    """What the audit would say of each address of a person."""
    owner = group[0]
    return {
        address: auditor.verdict(group, Record(owner.contact, None, address, None, None))
        for address in {n.event.address for n in owner.addresses} or {None}
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
