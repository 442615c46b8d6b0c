"""Facts in: one, or many at once. What became of each is said; what is wrong is named by its field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.fact_models import models
from adapters.near import near_addresses
from adapters.reasons import Reason
from adapters.submitting import Answer, Submission, address_named, rejected, take
from adapters.web.access import READ_PEOPLE
from adapters.web.operations import Operation, Parameter, Service, answered, body_of, decoded
from adapters.web.problems import ProblemError, wrong
from adapters.web.shapes import FactIn, FactOut, FactsIn, FactsOut
from ledger.events import TOPICS, Event, Stop

MOST_FACT_BYTES = 131_072
MOST_FACTS_BYTES = 4_194_304
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "minLength": 1, "maxLength": 512},
    "the fact's id, where the body has none; with the same key again, status, position and contact are the first ones",
)
_one = msgspec.json.Decoder(FactIn)
_many = msgspec.json.Decoder(FactsIn)


class _Typed(msgspec.Struct):
    type: str


class _Any(msgspec.Struct):
    facts: list[msgspec.Raw]


_typed, _any = msgspec.json.Decoder(_Typed), msgspec.json.Decoder(_Any)


async def record_fact(service: Service, request: Request) -> Response:
    """One fact. 201: recorded; 200: it stood there already."""
    body = await body_of(request, MOST_FACT_BYTES)
    _count_request(service, request, [body])
    fact = decoded(body, _one)
    key = _key(request)
    if fact.id is not None and key is not None and fact.id != key:
        raise ProblemError("invalid", errors=[Reason("id", "differs from the Idempotency-Key")])
    submission = _submission(fact, key)
    reads_people = request.scope["key"].role in READ_PEOPLE
    answer, near = await service.facts.run(_take_one, service, submission, reads_people)
    _count(service, [fact.type], [answer])
    if answer.status == "conflict":
        raise ProblemError("conflict", errors=answer.reasons, position=answer.position)
    if answer.status == "rejected" or answer.position is None or answer.contact is None:
        raise ProblemError("invalid", errors=answer.reasons)
    first = answer.status == "recorded" or key is not None
    body_out = FactOut(
        status="recorded" if first else "unchanged",
        position=answer.position,
        contact=answer.contact,
        known=bool(answer.known),
        changed=bool(answer.changed),
        warnings=answer.warnings,
        near=near,
    )
    return answered(body_out, 201 if first else 200)


def _take_one(service: Service, submission: Submission, reads_people: bool) -> tuple[Answer, tuple[str, ...]]:
    """What became of a fact; to who reads people, known addresses that a new one may be misspelt for."""
    (answer,) = take(service.house, [submission], service.clock(), clock=service.clock)
    email = address_named(submission) if reads_people and answer.known is False else None
    return answer, tuple(near_addresses(service.house.ledger.vault, email)) if email is not None else ()


def _count_request(service: Service, request: Request, facts: Iterable[bytes | msgspec.Raw]) -> None:
    """Count a request against its key, whatever is wrong with it; one with a stop in it, never. ProblemError 429."""
    if not any(map(_is_stop, facts)):
        service.limits.count_key(request.scope["key"])


def _is_stop(fact: bytes | msgspec.Raw) -> bool:
    try:
        named = _typed.decode(fact).type
    except (ValueError, RecursionError):
        return False
    return issubclass(TOPICS.get(named, Event), Stop)


def _parts(body: bytes) -> Sequence[msgspec.Raw]:
    """The facts of a batch, however much is wrong with it or with them."""
    try:
        return _any.decode(body).facts
    except (ValueError, RecursionError):
        return ()


def _key(request: Request) -> str | None:
    """The Idempotency-Key, with or without the quotes of a structured field."""
    said = request.headers.get("idempotency-key")
    return said[1:-1] if said is not None and len(said) > 1 and said[0] == said[-1] == '"' else said


async def record_facts(service: Service, request: Request) -> Response:
    """Many facts, each answered by itself: a bad one never stops a good one."""
    body = await body_of(request, MOST_FACTS_BYTES)
    _count_request(service, request, _parts(body))
    sent = decoded(body, _many)
    answers = await service.facts.run(_take, service, sent.facts)
    return answered(FactsOut(answers, service.house.ledger.log.last_position()))


def _take(service: Service, facts: list[msgspec.Raw]) -> list[Answer]:
    read = [_read(fact) for fact in facts]
    taken = iter(
        take(service.house, [one for one in read if isinstance(one, Submission)], service.clock(), clock=service.clock)
    )
    answers = [next(taken) if isinstance(one, Submission) else rejected([one]) for one in read]
    _count(service, [one.type if isinstance(one, Submission) else "" for one in read], answers)
    return answers


def _read(fact: msgspec.Raw) -> Submission | Reason:
    try:
        return _submission(_one.decode(fact), None)
    except msgspec.DecodeError as error:
        return wrong(error)
    except (ValueError, RecursionError):
        return Reason("", "is not JSON")


def _submission(fact: FactIn, key: str | None) -> Submission:
    return Submission(fact.source, fact.id or key or "", fact.type, fact.time, bytes(fact.data))


def _count(service: Service, types: list[str], answers: list[Answer]) -> None:
    """Types that are none are counted as one, so that nobody makes the labels grow."""
    for name, answer in zip(types, answers, strict=True):
        service.metrics.facts.labels(name if name in models() else "unknown", answer.status).inc()


OPERATIONS = (
    Operation(
        "record_fact",
        "POST",
        "/v1/facts",
        "Record one fact",
        record_fact,
        FactIn,
        {201: FactOut, 200: FactOut},
        ("conflict",),
        (IDEMPOTENCY_KEY,),
    ),
    Operation("record_facts", "POST", "/v1/facts/batch", "Record many facts", record_facts, FactsIn, {200: FactsOut}),
)
