"""Answers out: the gate, the status, why, and the history they rest on. Addresses stand in bodies, never in a URL."""

from __future__ import annotations

import base64
from datetime import datetime

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from adapters.submitting import Reason
from adapters.web.operations import (
    MIN_POSITION,
    MOST_ASKED_BYTES,
    Operation,
    Parameter,
    Service,
    answered,
    arrive,
    body_of,
    decoded,
    whole,
    whom,
)
from adapters.web.problems import ProblemError
from adapters.web.shapes import (
    MOST_ENTRIES,
    Cell,
    EntryOut,
    GateAnswer,
    GateQuestion,
    HistoryOut,
    StatusOut,
    Whom,
    WhyOut,
    WhyQuestion,
)
from ledger.policy.question import Question
from ledger.terms import LEDGER_STREAM
from projections.explain import explain
from projections.status import Status, marketing_status

CONTACT = Parameter(
    "contact",
    "path",
    {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
    "a contact id, as other answers tell it",
)
LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": MOST_ENTRIES, "default": 100}, "entries a page"
)
CURSOR = Parameter("cursor", "query", {"type": "string", "maxLength": 64}, "`next` of the page before")
_gate = msgspec.json.Decoder(GateQuestion)
_whom = msgspec.json.Decoder(Whom)
_why = msgspec.json.Decoder(WhyQuestion)


# --- the gate ------------------------------------------------------------------------------------


async def gate(service: Service, request: Request) -> Response:
    """Yes or no, never staler than the last fact."""
    asked = decoded(await body_of(request, MOST_ASKED_BYTES), _gate)
    if request.scope["query_string"]:
        await arrive(service, request)
    answer = gate_answer(service, asked)
    service.metrics.gate_answer("true" if answer.allowed else "false").inc()
    return answered(answer)


def gate_answer(service: Service, asked: GateQuestion) -> GateAnswer:
    """The answer for one cell. Nobody known, or nothing on record: no."""
    found = whom(service.house, asked)
    at = service.clock()
    if found is None:
        return _no(None, None, at, service.house.ledger.log.last_position())
    contact, address = found
    decision, revision, position, _ = service.house.gate.ask(contact, asked.purpose, asked.channel, address, at)
    if decision is None:
        return _no(contact, address, at, position)
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


def _no(contact: str | None, address: str | None, at: datetime, position: int) -> GateAnswer:
    """What no fact names is not allowed."""
    return GateAnswer(
        allowed=False,
        reason="no_basis",
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


# --- status --------------------------------------------------------------------------------------


async def status(service: Service, request: Request) -> Response:
    """Every cell of the person an address belongs to."""
    asked = decoded(await body_of(request, MOST_ASKED_BYTES), _whom)
    position = await arrive(service, request)
    found = whom(service.house, asked)
    if found is None:
        raise ProblemError("not-found", "this ledger holds nothing about that address")
    return answered(_status(service, found[0], found[1], position))


async def contact_status(service: Service, request: Request) -> Response:
    """Every cell of a contact."""
    contact = _contact(request)
    return answered(_status(service, contact, None, await arrive(service, request)))


def _status(service: Service, contact: str, address: str | None, position: int) -> StatusOut:
    """The cells of one address (None: of all)."""
    rows = service.runner.current(contact)
    at = service.clock()  # after the rows are read: none begins later than that
    if not rows:
        raise ProblemError("not-found", "no such contact")
    cells = [_cell(row, at) for row in rows if address is None or row.address in (None, address)]
    return StatusOut(
        contact=contact, at=at, marketing_status=marketing_status(rows, at), cells=cells, position=position
    )


def _cell(row: Status, at: datetime) -> Cell:
    decision = row.at(at)
    return Cell(
        purpose=row.purpose,
        channel=row.channel,
        address=row.address,
        allowed=decision is not None and decision.allowed,
        reason=decision.reason if decision else "no_basis",
        basis=decision.basis if decision else None,
        rules=decision.rules if decision else (),
        evidence=decision.evidence if decision else (),
        valid_until=decision.changes_at if decision else None,
    )


def _contact(request: Request) -> str:
    """The contact of the path; what is no contact id, is nobody's."""
    contact = str(request.path_params["contact"])
    try:
        msgspec.convert({"contact": contact}, Whom)
    except msgspec.ValidationError:
        raise ProblemError("not-found", "no such contact") from None
    return contact


# --- why -----------------------------------------------------------------------------------------


async def why(service: Service, request: Request) -> Response:
    """The decision with its grounds, at any moment, as known at any moment."""
    asked = decoded(await body_of(request, MOST_ASKED_BYTES), _why)
    position = await arrive(service, request)
    found = whom(service.house, asked)
    if found is None:
        raise ProblemError("not-found", "this ledger holds nothing about that address")
    return answered(await run_in_threadpool(_explained, service, *found, asked, position))


def _explained(service: Service, contact: str, address: str | None, asked: WhyQuestion, position: int) -> WhyOut:
    house, on = service.house, asked.on or service.clock()
    question = Question(
        purpose=asked.purpose,
        channel=asked.channel,
        at=on,
        address=address,
        known_at=asked.known_at,
        law_at=asked.law_at,
    )
    catalogue = house.catalogue_at(asked.known_at)
    policy = house.policy_of(house.catalogue.policy)  # adopted since the service began, it counts
    found = explain(house.ledger.log, policy, catalogue, contact, question)
    if not found.entries:
        raise ProblemError("not-found", "nothing was known of this contact then")
    return WhyOut(
        contact=contact,
        address=address,
        purpose=asked.purpose,
        channel=asked.channel,
        on=on,
        decision=found.decision,
        trials=found.trials,
        jurisdictions=found.candidates,
        considered=tuple(entry.position for entry in found.entries),
        position=position,
    )


# --- history -------------------------------------------------------------------------------------


async def history(service: Service, request: Request) -> Response:
    """A contact's facts, page by page. A page already read never changes: facts are only added."""
    contact = _contact(request)
    limit = whole(request, "limit", 1, MOST_ENTRIES) or 100
    after = _after(request.query_params.get("cursor"))
    position = await arrive(service, request)
    rows = service.house.ledger.log.stream(contact, position) if contact != LEDGER_STREAM else []
    if not rows:
        raise ProblemError("not-found", "no such contact")
    page = [row for row in rows if row[1] > after][:limit]
    more = bool(page) and page[-1][1] < rows[-1][1]
    return answered(
        HistoryOut(
            contact=contact,
            entries=[EntryOut(position=p, version=v, entry=msgspec.Raw(state)) for p, v, state in page],
            next=_cursor(page[-1][1]) if more else None,
            position=position,
        )
    )


def _cursor(version: int) -> str:
    return base64.urlsafe_b64encode(version.to_bytes(6, "big")).decode()


def _after(cursor: str | None) -> int:
    """The version a cursor stands at. ProblemError 422 for one that no page gave."""
    if cursor is None:
        return 0
    try:
        raw = base64.b64decode(cursor, b"-_", validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 6:
        raise ProblemError("invalid", errors=[Reason("cursor", "not `next` of a page")])
    return int.from_bytes(raw, "big")


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
        "status",
        "POST",
        "/v1/status",
        "What is allowed now, by address or contact",
        status,
        Whom,
        {200: StatusOut},
        ("not-found",),
        (MIN_POSITION,),
    ),
    Operation(
        "contact_status",
        "GET",
        "/v1/contacts/{contact}/status",
        "What is allowed now, by contact",
        contact_status,
        None,
        {200: StatusOut},
        ("not-found",),
        (CONTACT, MIN_POSITION),
    ),
    Operation(
        "why",
        "POST",
        "/v1/why",
        "The decision with its grounds",
        why,
        WhyQuestion,
        {200: WhyOut},
        ("not-found",),
        (MIN_POSITION,),
    ),
    Operation(
        "history",
        "GET",
        "/v1/contacts/{contact}/history",
        "The facts, page by page",
        history,
        None,
        {200: HistoryOut},
        ("not-found",),
        (CONTACT, LIMIT, CURSOR, MIN_POSITION),
    ),
)
