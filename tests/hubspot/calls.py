"""A call of the API, its answer, and the ways in which HubSpot says no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tests.hubspot.journal import Actor


class RefusedError(Exception):
    """A call that is not done. `category` and `message` as in the body of HubSpot's errors."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        errors: Sequence[Mapping[str, Any]] = (),
        **more: object,
    ) -> None:
        super().__init__(message)
        self.status, self.category, self.message = status, category, message
        self.errors, self.more = errors, more

    def body(self, correlation: str) -> dict[str, Any]:
        """What is answered."""
        said = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation,
            "category": self.category,
            **self.more,
        }
        return said | {"errors": list(self.errors)} if self.errors else said


class Answer(NamedTuple):
    """A status, and what is told with it: written as JSON."""

    status: int
    body: object = None


class Call(NamedTuple):
    """What is asked. `path` holds the parts of the path that vary, `actor` who asks."""

    method: str
    route: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    content_type: str
    actor: Actor

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise invalid("Invalid input JSON") from None
        if not isinstance(found, dict):
            raise invalid("Invalid input JSON: an object is wanted")
        return found

    def inputs(self, most: int = 100) -> list[Any]:
        """The inputs of a batch, of which there are not too many."""
        found = self.json().get("inputs")
        if not isinstance(found, list) or not found:
            raise invalid("Some required fields were not set: [inputs]")
        if len(found) > most:
            raise invalid(f"The maximum number of inputs supported in a batch request is {most}, got {len(found)}")
        return found

    def limit(self, most: int, usual: int = 10) -> int:
        """How many a page has."""
        return checked_limit(self.query.get("limit", usual), most)

    def listed(self, name: str) -> list[str]:
        """A parameter of several names, by commas."""
        return [part.strip() for part in self.query.get(name, "").split(",") if part.strip()]


def checked_limit(given: object, most: int) -> int:
    """How many a page has, where that is allowed."""
    text = str(given)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(f"The limit must be between 1 and {most}")
    return int(text)


def number(text: object, name: str) -> int:
    """A whole number."""
    if isinstance(text, bool) or not str(text).isdecimal():
        raise invalid(f"{name} must be a number")
    return int(str(text))


def invalid(message: str, errors: Sequence[Mapping[str, Any]] = ()) -> RefusedError:
    """Something in the call is wrong."""
    return RefusedError(400, "VALIDATION_ERROR", message, errors)


def not_found(message: str = "resource not found") -> RefusedError:
    """There is no such thing."""
    return RefusedError(404, "OBJECT_NOT_FOUND", message)


def page(rows: list[Any], after: object, **more: object) -> dict[str, Any]:
    """A page of the newer API; `after` leads on, where there is more."""
    body: dict[str, Any] = {**more, "results": rows}
    if after is not None:
        body["paging"] = {"next": {"after": str(after)}}
    return body


def batch(results: list[Any], errors: list[dict[str, Any]], started: str, completed: str) -> Answer:
    """The answer to a batch: 207 where some of it was not done."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": started,
        "completedAt": completed,
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Answer(207 if errors else 200, body)
