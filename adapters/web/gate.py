"""The gate over HTTP: may I write to this address, for this purpose, by this channel, now?"""

from __future__ import annotations

from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.campaigns import gate_answers, why_not
from adapters.web.operations import (
    MIN_POSITION,
    MOST_ASKED_BYTES,
    Operation,
    Service,
    answered,
    arrive,
    body_of,
    decoded,
    read,
    whom,
)
from adapters.web.shapes import GateAnswer, GateAnswers, GateQuestion, GateQuestions

MOST_BATCH_BYTES = 4_194_304
_gate = msgspec.json.Decoder(GateQuestion)
_batch = msgspec.json.Decoder(GateQuestions)


async def gate(service: Service, request: Request) -> Response:
    """Yes or no, never staler than the last fact."""
    asked = decoded(await body_of(request, MOST_ASKED_BYTES), _gate)
    if request.scope["query_string"]:
        await arrive(service, request)
    answer = await read(service, gate_answer, service, asked)
    service.metrics.gate_answer("true" if answer.allowed else "false").inc()
    return answered(answer)


def gate_answer(service: Service, asked: GateQuestion) -> GateAnswer:
    """The answer for one cell. Nobody known, or nothing on record: no."""
    found = whom(service.house, asked)
    at = service.clock()
    if found is None:
        return _no(None, None, at, service.house.ledger.log.last_position(), why_not(asked, "unknown_address"))
    contact, address = found
    answer = service.house.gate.ask(contact, asked.purpose, asked.channel, address, at)
    decision, revision, position = answer.decision, answer.revision, answer.position
    if decision is None:
        return _no(contact, address, at, position, answer.closed or why_not(asked, "no_basis"))
    return GateAnswer(
        allowed=decision.allowed,
        reason=decision.reason,
        basis=decision.basis,
        rule=decision.rules[0] if decision.rules else None,
        contact=contact,
        address=address,
        at=at,
        valid_until=decision.changes_at,
        revision=revision,
        position=position,
        policy=decision.policy,
    )


async def gate_batch(service: Service, request: Request) -> Response:
    """Yes or no for each address of a campaign, none staler than the last fact."""
    asked = decoded(await body_of(request, MOST_BATCH_BYTES), _batch)
    if request.scope["query_string"]:
        await arrive(service, request)
    answers = await service.reads.run(gate_answers, service.house, asked, service.clock())
    service.metrics.gate_answer("true").inc(answers.allowed)
    service.metrics.gate_answer("false").inc(len(answers.answers) - answers.allowed)
    return answered(answers)


def _no(contact: str | None, address: str | None, at: datetime, position: int, reason: str) -> GateAnswer:
    """What no fact names is not allowed."""
    return GateAnswer(
        allowed=False,
        reason=reason,
        basis=None,
        rule=None,
        contact=contact,
        address=address,
        at=at,
        valid_until=None,
        revision=None,
        position=position,
        policy=None,
    )


OPERATIONS = (
    Operation(
        "gate",
        "POST",
        "/v1/gate",
        "May I write to this address, for this purpose, by this channel, now?",
        gate,
        GateQuestion,
        {200: GateAnswer},
        (),
        (MIN_POSITION,),
    ),
    Operation(
        "gate_batch",
        "POST",
        "/v1/gate/batch",
        "May I write to these addresses, for this purpose, by this channel, now?",
        gate_batch,
        GateQuestions,
        {200: GateAnswers},
        (),
        (MIN_POSITION,),
    ),
)
