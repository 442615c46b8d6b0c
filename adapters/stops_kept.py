"""Stops that are submitted with something wrong in them: what can be read of one is kept, in the widest scope.

Only an address that cannot be read refuses a stop. Whatever else is wrong may have been meant to narrow it, so a stop
without that reaches all marketing by every channel, and the answer says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from adapters.addresses import address_of
from adapters.fact_models import FactModel, Person, models
from adapters.identification import is_reference
from adapters.reasons import Reason
from ledger import events as e
from ledger.spelling import normal
from ledger.terms import ALL_MARKETING, EVERY_CHANNEL

WIDEST = str(e.OptedOut.__struct_config__.tag)
"""What a stop is recorded as whose own type cannot be made of what was sent."""
_SCOPE = frozenset(e.Stop.__struct_fields__) - frozenset(e.Event.__struct_fields__)
_EVERYTHING = {"purposes": ALL_MARKETING, "channels": EVERY_CHANNEL}
_WITHOUT_SCOPE = frozenset(e.Event.__struct_fields__) | {"payload", "person"}
"""Fields that say nothing of what a stop reaches."""
_PAIR = frozenset({"occurred_from", "occurred_to"})
_RECORD = ("system", "record_id")


class Kept(NamedTuple):
    """A stop as it can be recorded. `topic`: its type, which may be a wider one than was sent."""

    topic: str
    model: FactModel
    warnings: tuple[Reason, ...]


def is_stop(topic: str) -> bool:
    """A type of fact that says no."""
    return issubclass(e.TOPICS.get(topic, e.Event), e.Stop)


def keep_stop(topic: str, data: bytes, error: ValidationError, reasons: Sequence[Reason]) -> Kept | None:
    """The stop without the fields that cannot be taken; None: it is no stop, or nobody knows whose.

    reasons  what is wrong with it; they come back as warnings
    """
    if not is_stop(topic) or any(one["type"] == "json_invalid" for one in error.errors()):
        return None
    sent = json.loads(data)
    if not isinstance(sent, dict):
        return None
    wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]} or _PAIR
    fields = {name: value for name, value in sent.items() if name not in wrong - {"person"}}
    if not wrong <= _WITHOUT_SCOPE:
        fields = {name: value for name, value in fields.items() if name not in _SCOPE} | _EVERYTHING
        reasons = [*reasons, Reason("purposes", "are not certain: the stop reaches all marketing by every channel")]
    topics = dict.fromkeys((topic, WIDEST))
    return next((kept for one in topics for who in _people(sent) if (kept := _made(one, fields | who, reasons))), None)


def _people(sent: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The person as named; without what is not known of a person; then without what cannot be read of the names."""
    person = sent.get("person")
    if not isinstance(person, dict):
        return
    person = _in_its_place(person)
    ways = (("email", "reference"), ("email", *_RECORD), ("reference", *_RECORD), ("email",), ("reference",), _RECORD)
    for names in (person.keys(), Person.model_fields.keys(), *ways):
        yield {"person": {name: value for name, value in person.items() if name in names}}


def _in_its_place(person: Mapping[str, Any]) -> Mapping[str, Any]:
    """A person whose address stands in place of a reference, or the other way round, with each where it belongs.

    Nobody where that leaves two: a stop of the one would be lost for the other.
    """
    email, reference = (said if isinstance(said := person.get(name), str) else None for name in ("email", "reference"))
    others = {name: value for name, value in person.items() if name not in ("email", "reference")}
    if reference is not None and "@" in reference:
        readable = [said for said in (email, reference) if said is not None and address_of(said) is not None]
        if len({normal(address_of(said) or "") for said in readable}) > 1:
            return {}
        return others | {"email": readable[0] if readable else reference}
    if email is not None and is_reference(email):
        if reference is not None and reference.strip() != email.strip():
            return {}
        return others | {"reference": email.strip()}
    return person if reference is None else {**person, "reference": reference.strip()}


def _made(topic: str, fields: Mapping[str, Any], reasons: Sequence[Reason]) -> Kept | None:
    model = models()[topic]
    known = {name: value for name, value in fields.items() if name in model.model_fields}
    try:
        return Kept(topic, model.model_validate_json(json.dumps(known)), tuple(reasons))
    except ValidationError:
        return None
