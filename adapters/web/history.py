"""A contact's facts over HTTP, page by page, as they stand in the log."""

from __future__ import annotations

import base64

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.reasons import Reason
from adapters.web.operations import (
    CONTACT,
    MIN_POSITION,
    Operation,
    Parameter,
    Service,
    answered,
    arrive,
    contact_of,
    read,
    whole,
)
from adapters.web.problems import ProblemError
from adapters.web.shapes import MOST_ENTRIES, EntryOut, HistoryOut
from ledger.terms import LEDGER_STREAM

LIMIT = Parameter(
    "limit",
    "query",
    {"type": "integer", "minimum": 1, "maximum": MOST_ENTRIES, "default": 100},
    "how many entries a page holds",
)
CURSOR = Parameter("cursor", "query", {"type": "string", "maxLength": 64}, "the `next` of the page before")


async def history(service: Service, request: Request) -> Response:
    """A contact's facts, page by page. A page already read never changes: facts are only added."""
    contact = contact_of(request, service.house)
    limit = whole(request, "limit", 1, MOST_ENTRIES) or 100
    after = _after(request.query_params.get("cursor"))
    position = await arrive(service, request)
    stream = service.house.ledger.log.stream
    rows = await read(service, stream, contact, position) if contact != LEDGER_STREAM else []
    if not rows:
        raise ProblemError("not-found", "this ledger has no such contact")
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
        raise ProblemError("invalid", errors=[Reason("cursor", "is not the `next` of a page")])
    return int.from_bytes(raw, "big")


OPERATIONS = (
    Operation(
        "history",
        "GET",
        "/v1/contacts/{contact}/history",
        "List the facts of a contact, page by page",
        history,
        None,
        {200: HistoryOut},
        ("not-found",),
        (CONTACT, LIMIT, CURSOR, MIN_POSITION),
    ),
)
