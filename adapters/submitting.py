"""Facts that other systems submit, over HTTP or Kafka: checked, recorded in batches, answered one by one.

A bad fact never stops a good one. Reasons name the field and the problem, never the value: an answer may be
logged, and what was sent may be personal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Literal, NamedTuple

import msgspec
from pydantic import ValidationError

from adapters.doors import close_doors
from adapters.fact_models import FactModel, Person, event_of, models
from adapters.reasons import Reason, unknown_field
from adapters.recording import Saying, record_all
from adapters.unique_keys import TWICE, RepeatedKeyError, require_unique_keys
from adapters.wide_stops import domain_named, refused, unusable
from adapters.wiring import House
from ledger import application, codec, linking
from ledger import events as e
from ledger.plausibility import is_ahead
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration

MOST_ID = 512
_is_token = re.compile(rf"{codec.PLAIN_TEXT}\Z").match


class Submission(NamedTuple):
    """One fact as a source hands it in.

    source, id  the system it comes from and the id it has there: the same pair is taken once
    type        an event topic, such as `contact.opted_in.v1`
    time        when the source says it recorded it; counts as `captured_at` where the data has none
    data        JSON: {"person": {...}, fields of the event, "payload": {...}} (see `fact_models`)
    """

    source: str
    id: str
    type: str
    time: datetime | None
    data: bytes


_TAKEN = Reason("id", "stands at that position with other content, or for another person")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a submission. `position`: where it stands; of a conflict, where its id stands already."""

    status: Literal["recorded", "unchanged", "conflict", "rejected"]
    position: int | None = None
    contact: str | None = None
    reasons: tuple[Reason, ...] = ()


def take(house: House, submissions: Sequence[Submission], written_at: datetime | None = None) -> list[Answer]:
    """Record what can be recorded; an answer for each, in order. Idempotent by (source, id).

    `written_at`: when somebody who waits for the answer wrote the facts; one that happens later is refused then. Else
    such a fact is recorded, and its time counts as unknown.

    Raises eventsourcing's OperationalError when the database does not answer: nothing is lost by trying again.
    """
    read = _usable(house, [translate(one, written_at) for one in submissions])
    sayings = close_doors(house.ledger, [one for one in read if isinstance(one, Saying)])
    recorded = iter(record_all(house.ledger, sayings))
    return [_answer(*next(recorded)) if isinstance(one, Saying) else rejected(one) for one in read]


def _usable(house: House, read: Sequence[Saying | tuple[Reason, ...]]) -> list[Saying | tuple[Reason, ...]]:
    """The same, with a reason in the place of a stop of a domain that is nobody's to stop as a whole."""
    domains = [domain_named(one.who.email) if isinstance(one, Saying) else None for one in read]
    reasons = unusable(house.ledger, {domain for domain in domains if domain})
    return [
        (Reason("person.email", reasons[domain]),) if domain in reasons else one
        for one, domain in zip(read, domains, strict=True)
    ]


def _answer(status: application.Status, position: int, contact: str) -> Answer:
    if status == "conflict":  # the contact may be another one than the submitter means
        return Answer(status=status, position=position, reasons=(_TAKEN,))
    return Answer(status=status, position=position, contact=contact)


def rejected(reasons: Sequence[Reason]) -> Answer:
    """The answer to what is no fact."""
    return Answer(status="rejected", reasons=tuple(reasons))


def translate(submission: Submission, written_at: datetime | None = None) -> Saying | tuple[Reason, ...]:
    """What a submission says, or why it cannot be taken. Touches no database."""
    source, source_id, topic, time, data = submission
    reasons = tuple(_about(submission))
    if reasons:
        return reasons
    try:
        require_unique_keys(data)
        said = models()[topic].model_validate_json(data)
    except RepeatedKeyError:
        return (Reason("data", TWICE),)
    except ValidationError as error:
        return tuple(_reasons(error))
    fields = {"captured_at": time.astimezone(UTC)} if time and getattr(said, "captured_at", time) is None else {}
    try:
        event = msgspec.structs.replace(event_of(topic, said, stream=LEDGER_STREAM, source=source), **fields)
        codec.check(event)
    except codec.EntryError as error:
        return (Reason("data", str(error)),)
    if domain_named(said.person.email) and (problem := refused(event, getattr(said.person, "record_id", None))):
        return (Reason("person.email", problem),)
    if written_at is not None and is_ahead(event, written_at):
        return (Reason("occurred_from", "lies in the future: what is recorded has happened"),)
    if written_at is None and event.precision == "recorded" and not isinstance(event, e.Stop):
        # it waited in a topic, so it did not happen as it is recorded, and a stop may have come before it is
        event = msgspec.structs.replace(event, precision="unknown")
    return Saying(_registration(said, source), event, source_id, said.payload)


def _registration(said: FactModel, source: str) -> Registration:
    person = said.person
    if isinstance(person, Person):
        return Registration(person.email, person.system or source, person.record_id)
    return Registration(person.email, source, None)


def _about(submission: Submission) -> Iterator[Reason]:
    source, source_id, topic, time, _ = submission
    if not _is_token(source):
        yield Reason("source", "not a token: letters, digits and _.:*/+- only, at most 96")
    elif source == linking.SOURCE:
        yield Reason("source", "this name is the ledger's own")
    if not 0 < len(source_id) <= MOST_ID or not source_id.isprintable():
        yield Reason("id", f"not a text of 1 to {MOST_ID} printable characters")
    if topic not in models():
        yield Reason("type", "no fact that may be submitted")
    if time is not None and not _has_zone(time):
        yield Reason("time", "not a time with its zone")


def _has_zone(time: datetime) -> bool:
    try:
        return time.tzinfo is not None and time.astimezone(UTC).tzinfo is UTC
    except OverflowError:
        return False


def _reasons(error: ValidationError) -> Iterator[Reason]:
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        place, problem = one["loc"], one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":  # the name of an unknown field is an input like any other
            field, problem = msgspec.structs.astuple(unknown_field(_where(place[:-1]), place[-1]))
        else:
            field = _where(place)
        yield Reason(field or "data", problem)


def _where(place: Sequence[int | str]) -> str:
    """A place as it may be told. What lies in a payload has names of the submitter's own."""
    known = [str(part) for part in place if isinstance(part, int) or part in _names()]
    return ".".join(known[:1] if known[:1] == ["payload"] else known)


@cache
def _names() -> frozenset[str]:
    """Every field name that may be told: those of events, their parts, and persons."""
    events = {name for cls in e.TOPICS.values() for name in cls.__struct_fields__}
    return frozenset(events | {*e.CountryHint.__struct_fields__, *Person.model_fields, "person", "payload"})
