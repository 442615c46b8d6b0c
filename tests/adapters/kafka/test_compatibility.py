"""The checker of schemas itself: every kind of break is found, every legal widening passes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from adapters.kafka.schemas import documents
from adapters.kafka.topics import FACTS
from tests.adapters.kafka.compatibility import Schema, bare, breaks

OLD: Schema = {
    "$ref": "#/$defs/Thing",
    "$defs": {
        "Thing": {
            "type": "object",
            "properties": {
                "type": {"const": "thing.v1"},
                "name": {"type": "string", "pattern": "^a"},
                "size": {"type": "integer", "minimum": 0, "maximum": 9},
                "kind": {"enum": ["a", "b"], "default": "a"},
                "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "maxItems": 5},
            },
            "required": ["type", "name"],
        },
        "Part": {
            "anyOf": [
                {"type": "object", "properties": {"type": {"const": "x"}, "in": {"$ref": "#/$defs/Part"}}},
                {"type": "object", "properties": {"type": {"const": "y"}}},
            ]
        },
    },
}


def changed(path: str, value: Any) -> Schema:
    """The schema with another value at a path; `...` takes the key away."""
    new = deepcopy(OLD)
    *way, last = path.split("/")
    at: Any = new["$defs"]
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return new


BREAKS = [
    ("Thing/properties/size", ..., ".size: removed"),
    ("Thing/required", ["type", "name", "size"], ".size: required now"),
    ("Thing/additionalProperties", False, ": no further fields"),
    ("Thing/properties/type/const", "thing.v2", ".type: another constant"),
    ("Thing/properties/name", {"type": "integer"}, ".name: another type"),
    ("Thing/properties/name/pattern", "^b", ".name: another pattern"),
    ("Thing/properties/name/format", "uuid", ".name: another format"),
    ("Thing/properties/name/enum", ["a"], ".name: fewer values"),
    ("Thing/properties/size/maximum", 8, ".size: narrower maximum"),
    ("Thing/properties/size/minimum", 1, ".size: narrower minimum"),
    ("Thing/properties/kind/enum", ["a"], ".kind: fewer values"),
    ("Thing/properties/kind/default", "b", ".kind: another meaning of its absence"),
    ("Thing/properties/kind/default", ..., ".kind: another meaning of its absence"),
    ("Thing/properties/maybe/anyOf", [{"type": "string"}], ".maybe: null removed"),
    ("Thing/properties/maybe", {"type": "string", "default": None}, ".maybe: null removed"),
    ("Thing/properties/parts/maxItems", 4, ".parts: narrower maxItems"),
    ("Thing/properties/parts/items", {"type": "string"}, ".parts[]: x removed"),
    ("Part/anyOf", [OLD["$defs"]["Part"]["anyOf"][0]], ".parts[]: y removed"),
    ("Part/anyOf/0/properties/in", ..., ".parts[].in: removed"),
]
READERS_BREAK = [
    ("Thing/required", ["type"], ".name: no longer always there"),
    ("Thing/properties/name/type", ["string", "null"], ".name: a further type"),
    ("Thing/properties/name/type", ..., ".name: any type"),
    ("Thing/properties/name", {"anyOf": [{"type": "string"}, {"type": "null"}]}, ".name: a further type"),
]
LEGAL = [
    ("Thing/properties/new", {"type": "string"}),
    ("Thing/properties/kind/enum", ["a", "b", "c"]),
    ("Thing/properties/name/pattern", ...),
    ("Thing/properties/size/maximum", 10),
    ("Thing/properties/size/minimum", ...),
    ("Thing/properties/parts/maxItems", ...),
    ("Thing/description", "in other words"),
    ("Part/anyOf", [*OLD["$defs"]["Part"]["anyOf"], {"type": "object", "properties": {"type": {"const": "z"}}}]),
    ("Other", {"type": "string"}),
]


@pytest.mark.parametrize("outgoing", [True, False])
@pytest.mark.parametrize(("path", "value", "said"), BREAKS)
def test_a_break_is_found_and_named(path: str, value: Any, said: str, outgoing: bool) -> None:
    """Whoever reads and whoever writes by the old schema."""
    assert said in breaks(OLD, changed(path, value), outgoing=outgoing)


@pytest.mark.parametrize(("path", "value", "said"), READERS_BREAK)
def test_what_only_breaks_readers_is_found_where_others_read(path: str, value: Any, said: str) -> None:
    """A submitter may leave out more than before; a reader may not be left without."""
    assert breaks(OLD, changed(path, value), outgoing=True) == [said]
    assert breaks(OLD, changed(path, value), outgoing=False) == []


@pytest.mark.parametrize("outgoing", [True, False])
@pytest.mark.parametrize(("path", "value"), LEGAL)
def test_a_widening_is_no_break(path: str, value: Any, outgoing: bool) -> None:
    """Fields, values, kinds of things may be added."""
    assert breaks(OLD, changed(path, value), outgoing=outgoing) == []


def test_a_schema_may_take_its_own_place() -> None:
    """Also one that refers to itself."""
    assert breaks(OLD, deepcopy(OLD), outgoing=True) == []


def fields_of(schema: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every field of a schema."""
    if isinstance(schema, dict):
        yield from ((*way, "properties", name) for name in schema.get("properties", ()))
    parts = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    for name, part in parts:
        yield from fields_of(part, (*way, name))


@pytest.mark.parametrize("topic", documents())
def test_no_field_of_a_real_schema_can_go_unseen(topic: str) -> None:
    """Wherever it lies; of the long schemas, some of each part."""
    schema = documents()[topic]
    ways = list(fields_of(schema))
    for way in ways[:: 1 + len(ways) // 60]:
        new = deepcopy(schema)
        at: Any = new
        for step in way[:-1]:
            at = at[step]
        del at[way[-1]]
        assert any(said.endswith("removed") for said in breaks(schema, new, outgoing=topic != FACTS)), way


def test_bare_keeps_a_field_that_is_called_like_a_word_for_people() -> None:
    """`title` may be a field."""
    assert bare({"title": "t", "properties": {"title": {"type": "string", "title": "t"}}}) == {
        "properties": {"title": {"type": "string"}}
    }
