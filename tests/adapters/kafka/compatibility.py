"""Whether one JSON Schema may take another's place without breaking who reads or writes by the old one.

For the part of JSON Schema that `adapters.kafka.schemas` uses. Two directions hold at once: records written under
the old schema lie on the topics still and must fit the new one; and who reads by the old one goes on reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_WORDS_ONLY = frozenset({"description", "title", "examples", "$schema", "$id", "$comment"})
_NO_NULL = object()
_LESS_IS_NARROWER = ("maxItems", "maxLength", "maximum", "exclusiveMaximum")
_MORE_IS_NARROWER = ("minItems", "minLength", "minimum", "exclusiveMinimum")


def bare(schema: Any) -> Any:
    """The schema without what only people read."""
    if isinstance(schema, dict):
        return {
            name: {field: bare(part) for field, part in value.items()}
            if name in ("properties", "$defs")
            else bare(value)
            for name, value in schema.items()
            if name not in _WORDS_ONLY
        }
    return [bare(part) for part in schema] if isinstance(schema, list) else schema


def breaks(old: Schema, new: Schema, *, outgoing: bool) -> list[str]:
    """What the new schema takes away, each as `place: what`; empty: it may take the old one's place.

    outgoing  others read it: what was always there stays, and no field gets a further type. Else others write
              it: what they wrote is still taken
    """
    return list(dict.fromkeys(_Comparison(old, new, outgoing).compare(old, new, "", frozenset())))


class _Comparison:
    """Two schemas with the definitions that their references lead to."""

    def __init__(self, old: Schema, new: Schema, outgoing: bool) -> None:
        self._old, self._new, self._outgoing = old, new, outgoing

    def compare(self, old: Schema, new: Schema, place: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        """The breaks at one place and below."""
        names = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and names in seen:
            return
        seen |= {names}
        old, new = _follow(old, self._old), _follow(new, self._new)
        both = (_alternatives(old), _alternatives(new))
        if any(both):
            yield from self._compare_alternatives(both[0] or [old], both[1] or [new], place, seen)
            if not all(both):
                return
        yield from self._compare_values(old, new, place)
        yield from self._compare_fields(old, new, place, seen)
        if "items" in old or "items" in new:
            yield from self.compare(old.get("items", {}), new.get("items", {}), f"{place}[]", seen)

    def _compare_values(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """Constants, choices, types, limits, and what absence means."""
        allowed, allows = _choices(old), _choices(new)
        if "const" in old and "const" in new and old["const"] != new["const"]:
            yield f"{place}: another constant"
        elif allows is not None and (allowed is None or not set(map(repr, allowed)) <= set(map(repr, allows))):
            yield f"{place}: fewer values"
        if allows is None:
            if _types(new) and not _types(old) <= _types(new):
                yield f"{place}: another type"
            elif self._outgoing and not (_types(new) or _types(old)) <= (_types(old) or _types(new)):
                yield f"{place}: a further type"
            elif self._outgoing and _types(old) and not _types(new):
                yield f"{place}: any type"
        for word in ("pattern", "format"):
            if word in new and new[word] != old.get(word):
                yield f"{place}: another {word}"
        for word in (*_LESS_IS_NARROWER, *_MORE_IS_NARROWER):
            sign = 1 if word in _LESS_IS_NARROWER else -1
            if word in new and (word not in old or sign * new[word] < sign * old[word]):
                yield f"{place}: narrower {word}"
        if old.get("default", _NO_NULL) != new.get("default", _NO_NULL):
            yield f"{place}: another meaning of its absence"

    def _compare_fields(self, old: Schema, new: Schema, place: str, seen: frozenset[tuple[str, str]]) -> Iterator[str]:
        had, has = old.get("properties", {}), new.get("properties", {})
        for name, field in had.items():
            if name in has:
                yield from self.compare(field, has[name], f"{place}.{name}", seen)
            else:
                yield f"{place}.{name}: removed"
        for name in new.get("required", ()):
            if name not in old.get("required", ()):
                yield f"{place}.{name}: required now"
        if self._outgoing:
            for name in old.get("required", ()):
                if name in has and name not in new.get("required", ()):
                    yield f"{place}.{name}: no longer always there"
        if new.get("additionalProperties", True) is False and old.get("additionalProperties", True) is not False:
            yield f"{place}: no further fields"

    def _compare_alternatives(
        self, old: list[Schema], new: list[Schema], place: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[str]:
        """Each old alternative needs a new one that may take its place."""
        for one in old:
            tried = [list(self.compare(one, other, place, seen)) for other in new if self._alike(one, other)]
            if not tried:
                yield f"{place}: {_called(_follow(one, self._old))} removed"
            elif all(tried):
                yield from min(tried, key=len)
        if self._outgoing:
            kinds = set().union(*(_types(_follow(one, self._old)) for one in old))
            for other in new:
                if not _types(_follow(other, self._new)) <= kinds:
                    yield f"{place}: a further type"

    def _alike(self, old: Schema, new: Schema) -> bool:
        """Whether the two are about the same thing, so that a difference is told as one of it."""
        return _called(_follow(old, self._old)) == _called(_follow(new, self._new))


def _follow(schema: Schema, document: Schema) -> Schema:
    """Where a reference leads, with what stands beside it."""
    while "$ref" in schema:
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        found = document["$defs"][schema["$ref"].rpartition("/")[2]]
        schema = {**found, **beside}
    return schema


def _alternatives(schema: Schema) -> list[Schema]:
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def _choices(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _types(schema: Schema) -> set[str]:
    """Type names; a number may be an integer."""
    named = schema.get("type", [])
    found = {named} if isinstance(named, str) else set(named)
    return found | {"integer"} if "number" in found else found


def _called(schema: Schema) -> str:
    """What tells an alternative from its siblings: its `type` constant, else its type."""
    mark = schema.get("properties", {}).get("type", {})
    return str(mark["const"]) if "const" in mark else ", ".join(sorted(_types(schema))) or "any"
