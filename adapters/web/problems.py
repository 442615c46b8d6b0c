"""Every error as application/problem+json (RFC 9457), from a closed list; none quotes what was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

import msgspec
from starlette.responses import Response

from adapters.reasons import Reason, unknown_field

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error. `position`: of a conflict, where the id stands already; `request`: as the service's log names it."""

    type: str
    title: str
    status: int
    detail: str = ""
    request: str = ""
    position: int | None = None
    errors: tuple[Reason, ...] = ()


class Kind(NamedTuple):
    """A kind of error: its status, and what it is called."""

    status: int
    title: str


KINDS: dict[str, Kind] = {
    "malformed": Kind(400, "The request cannot be read"),
    "unsigned": Kind(401, "The request is not signed by the sender that it names"),
    "unauthenticated": Kind(401, "The API key is missing, or is not known"),
    "forbidden": Kind(403, "The role of this API key may not do this"),
    "not-found": Kind(404, "Nothing was found"),
    "method-not-allowed": Kind(405, "This path does not take that method"),
    "too-slow": Kind(408, "The request took too long to arrive"),
    "conflict": Kind(409, "The id of this fact already belongs to another fact"),
    "behind": Kind(412, "The log has not reached that position yet"),
    "too-large": Kind(413, "The request is too large"),
    "unsupported-media-type": Kind(415, "The body must be application/json"),
    "invalid": Kind(422, "The request holds something that cannot be accepted"),
    "too-many": Kind(429, "There were too many requests; try again later"),
    "head-too-large": Kind(431, "The head of the request is too large"),
    "failed": Kind(500, "The service failed"),
    "unavailable": Kind(503, "The service cannot answer now; try again"),
}
_OF_STATUS = {kind.status: name for name, kind in KINDS.items()}
_CHALLENGE = {
    "unauthenticated": {"WWW-Authenticate": "Bearer"},
    "unsigned": {"WWW-Authenticate": "Signature"},
    "behind": {"Retry-After": "1"},
    "unavailable": {"Retry-After": "1"},
}
SAFE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""Headers of every answer."""


class ProblemError(Exception):
    """Raised by an operation that cannot answer. `wait`: seconds after which it is worth asking again."""

    def __init__(
        self,
        kind: str,
        detail: str = "",
        errors: Sequence[Reason] = (),
        position: int | None = None,
        wait: float = 0.0,
    ) -> None:
        super().__init__(kind)
        self.kind, self.detail, self.errors, self.position = kind, detail, tuple(errors), position
        self.wait = wait


def response(error: ProblemError, request: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as it is sent."""
    kind = KINDS[error.kind]
    problem = Problem(
        type=f"urn:consent-ledger:problem:{error.kind}",
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        request=request,
        position=error.position,
        errors=error.errors,
    )
    later = {"Retry-After": str(ceil(error.wait))} if error.wait else {}
    sent = {**_CHALLENGE.get(error.kind, {}), **later, **(headers or {})}
    return Response(msgspec.json.encode(problem), kind.status, sent, MEDIA_TYPE)


def of_status(status: int) -> ProblemError:
    """The error of a status the framework gave."""
    detail = "/openapi.json lists every path and method" if status in (404, 405) else ""
    return ProblemError(_OF_STATUS.get(status, "malformed" if status < 500 else "failed"), detail)


_path = re.compile(r" - at `\$\.?([A-Za-z0-9_.\[\]]*)`\Z").search
_missing = re.compile(r"Object missing required field `([a-z_]+)`").match
_unknown = re.compile(r"Object contains unknown field `([^`]*)`").match
_expected = re.compile(r"Expected `[a-z |]+`, got `[a-z |]+`").match


def wrong(error: msgspec.DecodeError) -> Reason:
    """What msgspec found, without what it quotes of values: a word outside a list."""
    text = str(error)
    where = _path(text)
    field = where[1] if where else ""
    missing, expected = _missing(text), _expected(text)
    if missing:
        return Reason(".".join(part for part in (field, missing[1]) if part), "is missing")
    if expected:
        return Reason(field, expected[0].replace("`", ""))
    unknown = _unknown(text)
    if unknown:
        return unknown_field(field, unknown[1])
    if isinstance(error, msgspec.ValidationError):
        return Reason(field, "is not one of the values that are allowed here")
    return Reason("", "is not JSON")
