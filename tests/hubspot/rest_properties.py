"""The calls about what properties there are."""

from __future__ import annotations

import re
from typing import Any

from tests.hubspot.calls import Answer, Call, RefusedError, invalid, not_found, page
from tests.hubspot.state import State

_named = re.compile(r"[a-z][a-z0-9_]{0,99}\Z").match
_KINDS = {
    "string": ("text", "textarea", "phonenumber", "html", "file"),
    "number": ("number",),
    "date": ("date",),
    "datetime": ("date",),
    "bool": ("booleancheckbox",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
}


def listed(state: State, call: Call) -> Answer:
    """All of them, with their options and which are read-only."""
    return Answer(200, page(list(state.definitions.all.values()), None))


def read(state: State, call: Call) -> Answer:
    """One of them."""
    found = state.definitions.all.get(call.path["name"])
    if found is None:
        raise not_found(f"Property {call.path['name']} does not exist")
    return Answer(200, found)


def create(state: State, call: Call) -> Answer:
    """A property of the app's own."""
    return Answer(201, _create(state, call.json()))


def create_batch(state: State, call: Call) -> Answer:
    """Several of them."""
    return Answer(201, {"status": "COMPLETE", "results": [_create(state, one) for one in call.inputs()]})


def groups(state: State, call: Call) -> Answer:
    """The groups they are in."""
    return Answer(200, page(list(state.definitions.groups.values()), None))


def create_group(state: State, call: Call) -> Answer:
    """A group of the app's own."""
    body = call.json()
    name, label = body.get("name"), body.get("label")
    if not isinstance(name, str) or not isinstance(label, str) or not _named(name):
        raise invalid("Some required fields were not set: [name, label]")
    if name in state.definitions.groups:
        raise RefusedError(409, "OBJECT_ALREADY_EXISTS", f"A group named {name} already exists.")
    return Answer(201, state.definitions.add_group(name, label))


def _create(state: State, given: Any) -> dict[str, Any]:
    wanted = ("name", "label", "type", "fieldType", "groupName")
    missing = [name for name in wanted if not isinstance(given, dict) or not given.get(name)]
    if missing:
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]")
    if not _named(given["name"]) or given["fieldType"] not in _KINDS.get(given["type"], ()):
        raise invalid("The name, type or fieldType is none that there is")
    if given["groupName"] not in state.definitions.groups:
        raise invalid(f"There is no group {given['groupName']}")
    if given["type"] == "enumeration" and not given.get("options"):
        raise invalid("An enumeration has options")
    if state.definitions.known(given["name"]):
        raise RefusedError(409, "OBJECT_ALREADY_EXISTS", f"A property named {given['name']} already exists.")
    return state.definitions.add(given)
