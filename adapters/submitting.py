"""Facts that other systems submit, over HTTP or Kafka: checked, recorded in batches, answered one by one.

A bad fact never stops a good one. Reasons name the field and the problem, never the value: an answer may be
logged, and what was sent may be personal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Literal, NamedTuple

import msgspec
from pydantic import ValidationError

from adapters.doors import close_doors
from adapters.effects import allowed_now, person_of
from adapters.fact_models import FactModel, Person, event_of, models
from adapters.reasons import Reason, unknown_field
from adapters.recording import Recorded, Saying, record_all
from adapters.referring import refer
from adapters.stops_kept import keep_stop
from adapters.unique_keys import TWICE, RepeatedKeyError, require_unique_keys
from adapters.vocabulary import unknown_in_grant, widen_stop
from adapters.wide_stops import domain_named, is_anybody_at, refused, unusable
from adapters.wiring import House
from ledger import codec, linking
from ledger import events as e
from ledger.damage import DamagedError
from ledger.gaps import LogDamagedError
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
    """What became of a submission. `position`: where it stands; of a conflict, where its id stands already.

    reasons   why it was not recorded
    warnings  of a stop that was recorded: what of it was not understood, so that it reaches further than it says
    known     the ledger had met the person before
    changed   some answer about marketing to the person by e-mail is another one now; of several facts about one person
              that are taken together, each says what all of them changed
    """

    status: Literal["recorded", "unchanged", "conflict", "rejected"]
    position: int | None = None
    contact: str | None = None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    known: bool | None = None
    changed: bool | None = None


class Translated(NamedTuple):
    """A submission that can be recorded, and what its answer has to warn of. `reference`: names the person."""

    saying: Saying
    warnings: tuple[Reason, ...] = ()
    reference: str | None = None


def take(
    house: House,
    submissions: Sequence[Submission],
    written_at: datetime | None = None,
    *,
    clock: Callable[[], datetime] | None = None,
) -> list[Answer]:
    """Record what can be recorded; an answer for each, in order. Idempotent by (source, id).

    `clock`: answers say what changed by it; without one they do not.

    `written_at`: when somebody who waits for the answer wrote the facts; one that happens later is refused then. Else
    such a fact is recorded, and its time counts as unknown.

    Raises eventsourcing's OperationalError when the database does not answer: nothing is lost by trying again.
    """
    read = _usable(house, [_referred(house, translate(one, written_at)) for one in submissions])
    sayings = close_doors(house.ledger, [one.saying for one in read if isinstance(one, Translated)])
    people = [one.who for one in sayings]
    met = are_known(house, people)
    before = _allowed(house, people, clock)
    done = record_all(house.ledger, sayings)
    after = _allowed(house, people, clock)
    each = zip(people, done, met, strict=True)
    changed = [_has_changed(who, one, known, before, after) for who, one, known in each]
    answers = iter([_answer(*one) for one in zip(done, met, changed, strict=True)])
    return [_warned(next(answers), one.warnings) if isinstance(one, Translated) else rejected(one) for one in read]


def _referred(house: House, one: Translated | tuple[Reason, ...]) -> Translated | tuple[Reason, ...]:
    """The same about the person whom its reference names, or why it names nobody."""
    if not isinstance(one, Translated) or one.reference is None:
        return one
    referred = refer(house.ledger, one.saying, one.reference)
    if isinstance(referred, Reason):
        return (referred,)
    saying, warnings = referred
    return Translated(saying, (*one.warnings, *warnings))


_Allowed = Mapping[Registration, frozenset[str]]


def _allowed(house: House, people: Iterable[Registration], clock: Callable[[], datetime] | None) -> _Allowed | None:
    """What is allowed about each of these people; nothing of a whole domain. None: that is not found out."""
    if clock is None:
        return None
    at, each = clock(), {who for who in people if not domain_named(who.email)}
    try:
        return {who: allowed_now(house, person_of(house, who), at) for who in each}
    except (DamagedError, LogDamagedError):
        return None  # a stop is recorded all the same, wherever that is still possible


def _has_changed(
    who: Registration, done: Recorded, known: bool, before: _Allowed | None, after: _Allowed | None
) -> bool | None:
    if before is None or after is None:
        return None
    if domain_named(who.email):
        return done.status == "recorded" and known
    return before[who] != after[who]


def _usable(house: House, read: Sequence[Translated | tuple[Reason, ...]]) -> list[Translated | tuple[Reason, ...]]:
    """The same, with a reason in the place of a stop of a domain that is nobody's to stop as a whole."""
    domains = [domain_named(one.saying.who.email) if isinstance(one, Translated) else None for one in read]
    reasons = unusable(house.ledger, {domain for domain in domains if domain})
    return [
        (Reason("person.email", reasons[domain]),) if domain in reasons else one
        for one, domain in zip(read, domains, strict=True)
    ]


def _answer(recorded: Recorded, known: bool, changed: bool | None) -> Answer:
    status, position, contact = recorded
    if status == "conflict":  # the contact may be another one than the submitter means
        return Answer(status=status, position=position, reasons=(_TAKEN,))
    return Answer(status=status, position=position, contact=contact, known=known, changed=changed)


def _warned(answer: Answer, warnings: tuple[Reason, ...]) -> Answer:
    return msgspec.structs.replace(answer, warnings=warnings) if answer.contact is not None and warnings else answer


def rejected(reasons: Sequence[Reason]) -> Answer:
    """The answer to what is no fact."""
    return Answer(status="rejected", reasons=tuple(reasons))


def are_known(house: House, people: Sequence[Registration]) -> list[bool]:
    """Of each of these people, True if the ledger has met them: by address, else by record."""
    vault = house.ledger.vault
    addresses = vault.find_addresses({who.email for who in people if who.email is not None})
    return [
        is_anybody_at(house.ledger, domain)
        if (domain := domain_named(who.email))
        else who.email in addresses
        if who.email is not None
        else _has_record(house, who.system, who.record_id or "")
        for who in people
    ]


def _has_record(house: House, system: str, record_id: str) -> bool:
    return house.ledger.vault.find_record(system, record_id) is not None


def translate(submission: Submission, written_at: datetime | None = None) -> Translated | tuple[Reason, ...]:
    """A submission as it can be recorded, or why it cannot be taken. Touches no database.

    A stop is taken whatever is wrong with it but its person, its envelope and a time to come, in its widest scope.
    """
    source, source_id, topic, time, data = submission
    reasons = tuple(_about(submission))
    if reasons:
        return reasons
    warnings: tuple[Reason, ...] = ()
    try:
        require_unique_keys(data)
        said = models()[topic].model_validate_json(data)
    except RepeatedKeyError:
        return (Reason("data", TWICE),)
    except ValidationError as error:
        reasons = tuple(_reasons(error))
        kept = keep_stop(topic, data, error, reasons)
        if kept is None:
            return reasons
        topic, said, warnings = kept
    fields = {"captured_at": time.astimezone(UTC)} if time and getattr(said, "captured_at", time) is None else {}
    try:
        event = msgspec.structs.replace(event_of(topic, said, stream=LEDGER_STREAM, source=source), **fields)
        codec.check(event)
    except codec.EntryError as error:
        return (Reason("data", str(error)),)
    by_name = getattr(said.person, "record_id", None) or said.person.reference
    if domain_named(said.person.email) and (problem := refused(event, by_name)):
        return (Reason("person.email", problem),)
    reasons = unknown_in_grant(event)
    if reasons:
        return reasons
    if written_at is not None and is_ahead(event, written_at):
        return (Reason("occurred_from", "lies in the future: what is recorded has happened"),)
    if written_at is None and event.precision == "recorded" and not isinstance(event, e.Stop):
        # it waited in a topic, so it did not happen as it is recorded, and a stop may have come before it is
        event = msgspec.structs.replace(event, precision="unknown")
    event, unknown = widen_stop(event)
    saying = Saying(_registration(said, source), event, source_id, said.payload)
    return Translated(saying, (*warnings, *unknown), said.person.reference)


def address_named(submission: Submission) -> str | None:
    """The e-mail address that a submission names; None: it names none, or a whole domain."""
    read = translate(submission)
    email = read.saying.who.email if isinstance(read, Translated) else None
    return None if domain_named(email) else email


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
