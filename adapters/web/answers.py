"""Answers out: what is allowed now, and why. Addresses stand in bodies, never in a URL."""

from __future__ import annotations

from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.explaining import Explainer, mail_named
from adapters.identification import Person, reference_to
from adapters.vocabulary import unknown_in_question
from adapters.web.operations import (
    CONTACT,
    MIN_POSITION,
    MOST_ASKED_BYTES,
    Operation,
    Service,
    answered,
    arrive,
    body_of,
    contact_of,
    decoded,
    person_of,
    read,
    whom,
)
from adapters.web.problems import ProblemError
from adapters.web.shapes import (
    Cell,
    StatusOut,
    Whom,
    WhyOut,
    WhyQuestion,
)
from ledger.policy.question import Question
from projections.explain import facts_of
from projections.status import Status, marketing_status

NOBODY = "this ledger knows nobody by that address, reference or record id"
_whom = msgspec.json.Decoder(Whom)
_why = msgspec.json.Decoder(WhyQuestion)


# --- status --------------------------------------------------------------------------------------


async def status(service: Service, request: Request) -> Response:
    """Every cell of the person an address belongs to."""
    asked = decoded(await body_of(request, MOST_ASKED_BYTES), _whom)
    position = await arrive(service, request)
    found = await read(service, whom, service.house, asked)
    if found is None:
        raise ProblemError("not-found", NOBODY)
    return answered(await read(service, _status, service, found[0], found[1], position))


async def contact_status(service: Service, request: Request) -> Response:
    """Every cell of a contact."""
    contact = contact_of(request, service.house)
    position = await arrive(service, request)
    return answered(await read(service, _status, service, contact, None, position))


def _status(service: Service, contact: str, address: str | None, position: int) -> StatusOut:
    """The cells of one address (None: of all)."""
    rows = service.runner.current(contact)
    at = service.clock()  # after the rows are read: none begins later than that
    if not rows:
        raise ProblemError("not-found", "this ledger has no such contact")
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


# --- why -----------------------------------------------------------------------------------------


async def why(service: Service, request: Request) -> Response:
    """The decision with its grounds, at any moment, as known at any moment."""
    asked = decoded(await body_of(request, MOST_ASKED_BYTES), _why)
    unknown = unknown_in_question(asked.purpose, asked.channel)
    if unknown:
        raise ProblemError("invalid", errors=unknown)
    position = await arrive(service, request)
    person = await read(service, person_of, service.house, asked)
    if person is None:
        raise ProblemError("not-found", NOBODY)
    return answered(await service.reads.run(_explained, service, person, asked, position))


def _explained(service: Service, person: Person, asked: WhyQuestion, position: int) -> WhyOut:
    house = service.house
    mail = mail_named(house, person) if asked.on is None else None
    question = Question(
        purpose=asked.purpose,
        channel=asked.channel,
        at=asked.on or (mail.event.latest if mail is not None else service.clock()),
        address=person.address,
        known_at=asked.known_at,
        law_at=asked.law_at,
    )
    found = Explainer(house, person.contact, asked.known_at).explain(question)
    if not found.entries:
        raise ProblemError("not-found", "nothing was known of this contact then")
    facts = msgspec.structs.asdict(facts_of(person.contact, question, found))
    return WhyOut(**facts, reference=reference_to(house.ledger, person), position=position)


OPERATIONS = (
    Operation(
        "status",
        "POST",
        "/v1/status",
        "Say what is allowed now, by address or contact",
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
        "Say what is allowed now, by contact",
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
        "Explain a decision, with its grounds",
        why,
        WhyQuestion,
        {200: WhyOut},
        ("not-found",),
        (MIN_POSITION,),
    ),
)
