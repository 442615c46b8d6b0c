"""The OpenAPI 3.1 document, made from the operations: every parameter, every body, every answer they give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema

from adapters.fact_models import models
from adapters.submitting import MOST_ID
from adapters.web.access import COUNTED, MAY, WEBHOOKS
from adapters.web.operations import MIN_POSITION, Operation
from adapters.web.problems import KINDS, MEDIA_TYPE, Problem
from adapters.web.shapes import FactIn
from ledger.codec import PLAIN_TEXT
from ledger.events import TOPICS

_REF = "#/components/schemas/{name}"
_ABOUT = """Facts in, answers out. An answer says what the rules applied come to; it is not legal advice.
**Absent or unknown means not allowed.** Every request needs `Authorization: Bearer clk_...`; a key has one role."""


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The document as JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "consent-ledger", "version": version, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(_schemas(operations).items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def kinds_of(operation: Operation) -> list[str]:
    """The problems an operation may answer with."""
    guarded = operation.name in MAY
    found = {*operation.fails, "method-not-allowed"}
    if operation.name not in ("live", "openapi"):
        found.add("unavailable")
    if guarded:
        found |= {"unauthenticated", "forbidden"}
    if guarded or operation.name in COUNTED:
        found.add("too-many")
    if operation.asks is bytes:
        found |= {"malformed", "too-large"}
    elif operation.asks is not None:
        found |= {"malformed", "too-large", "unsupported-media-type", "invalid"}
    if operation.parameters and operation.name not in WEBHOOKS:
        found.add("invalid")
    if MIN_POSITION in operation.parameters:
        found.add("behind")
    return sorted(found, key=lambda kind: KINDS[kind].status)


def _operation(operation: Operation) -> dict[str, Any]:
    roles = sorted(MAY.get(operation.name, ()))
    said: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.about,
        "description": f"Roles: {', '.join(roles)}." if roles else "No key is needed.",
        "security": [{"key": []}] if roles else [],
        "responses": {str(status): _answer(shape) for status, shape in operation.answers.items()}
        | {str(KINDS[kind].status): _problem(kind) for kind in kinds_of(operation)},
    }
    if operation.asks is bytes:
        said["requestBody"] = {"description": "what the sender posts", "content": {"*/*": {"schema": {}}}}
    elif operation.asks is not None:
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(operation.asks)}}}
    if operation.parameters:
        said["parameters"] = [
            {"name": one.name, "in": one.place, "required": one.place == "path"}
            | {"schema": one.schema, "description": one.about}
            for one in operation.parameters
        ]
    return said


def _answer(shape: Any) -> dict[str, Any]:
    about = {"description": "Done"}
    if shape is str:
        return about | {"content": {"text/plain": {"schema": {"type": "string"}}}}
    schema = {"type": "object"} if shape is dict else _ref(shape)
    return about | {"content": {"application/json": {"schema": schema}}}


def _problem(kind: str) -> dict[str, Any]:
    said: dict[str, Any] = {"description": KINDS[kind].title, "content": {MEDIA_TYPE: {"schema": _ref(Problem)}}}
    if kind in ("behind", "unavailable"):
        said["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    return said


def _ref(shape: Any) -> dict[str, str]:
    return {"$ref": _REF.format(name=shape.__name__)}


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    plain = (None, str, bytes, dict)
    shapes = [one for op in operations for one in (op.asks, *op.answers.values()) if one not in plain]
    _, found = msgspec.json.schema_components([*shapes, Problem], ref_template=_REF)
    _, facts = models_json_schema(
        [(model, "validation") for model in models().values()], ref_template=_REF.replace("name", "model")
    )
    found |= facts["$defs"]
    submitted = dict(_submitted())
    found |= submitted
    found[FactIn.__name__] = {
        "title": FactIn.__name__,
        "oneOf": [{"$ref": _REF.format(name=name)} for name in submitted],
        "discriminator": {
            "propertyName": "type",
            "mapping": {one["properties"]["type"]["const"]: _REF.format(name=name) for name, one in submitted.items()},
        },
    }
    found["FactsIn"]["properties"]["facts"]["items"] = _ref(FactIn)
    return found


def _submitted() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each kind of fact with its envelope."""
    for topic, model in models().items():
        yield (
            f"{model.__name__}Fact",
            {
                "title": topic,
                "description": (TOPICS[topic].__doc__ or "").strip(),
                "type": "object",
                "additionalProperties": False,
                "required": ["source", "type", "data"],
                "properties": {
                    "source": {
                        "type": "string",
                        "pattern": f"^{PLAIN_TEXT}$",
                        "description": "the system that the fact comes from",
                    },
                    "id": {
                        "type": ["string", "null"],
                        "minLength": 1,
                        "maxLength": MOST_ID,
                        "description": "the id that the fact has there; the Idempotency-Key may give it instead",
                    },
                    "type": {"const": topic},
                    "time": {
                        "type": ["string", "null"],
                        "format": "date-time",
                        "description": "when the source recorded the fact",
                    },
                    "data": _ref(model),
                },
            },
        )
