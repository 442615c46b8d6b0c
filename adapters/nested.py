"""JSON as APIs hand it out, as rows of text: a list of objects, a page of results, or one object a line.

Objects within objects become columns by their path (`properties.dealstage`). A list of name and value pairs
becomes columns by name; of a list of objects each path is one column, its values joined by `;`. Each element
of a list named `changes` is a row of its own, with the fields around it repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from adapters.encodings import UnreadableInput, marked
from adapters.sources import Record, Source
from adapters.unique_keys import RepeatedKeyError, require_unique_keys

LISTS = ("results", "events", "timeline", "contacts", "SuppressedDestinationSummaries")
EXPLODED = "changes"
MAX_COLUMNS = 5_000

_DEPTH = 20
"""No API nests this deep; what does is left out."""
_decode = msgspec.json.Decoder().decode


class _Flaw(NamedTuple):
    """Why something in the place of an object cannot be taken, and what stands there."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one file. `header`: every path that stands in any of them."""

    source: Source
    header: tuple[str, ...]

    def records(self) -> Iterator[Record]:
        """See `Grid`. Rows are counted as if a header stood above them."""
        if not self.header:
            return
        yield Record(1, list(self.header), None)
        place = {path: index for index, path in enumerate(self.header)}
        row = 1
        for found in _objects(self.source, self.source.held()):
            if isinstance(found, _Flaw):
                row += 1
                yield Record(row, [], found.reason, ((found.text,),))
                continue
            for flat in _rows(found):
                row += 1
                cells = [""] * len(place)
                for path, text in flat.items():
                    cells[place[path]] = text
                if any(cells):
                    yield Record(row, cells, None)


def objects_of(source: Source) -> tuple[str, Objects]:
    """The SHA-256 of a JSON file, and its objects. Raises UnreadableInput: cannot_read, too_large, too_wide."""
    content = source.held()
    paths: dict[str, None] = {}
    for found in _objects(source, content):
        if not isinstance(found, _Flaw):
            for flat in _rows(found):
                paths.update(dict.fromkeys(flat))
        if len(paths) > MAX_COLUMNS:
            raise UnreadableInput(
                "too_wide",
                f"The objects of {source.name} have more than {MAX_COLUMNS} fields between them.",
                "Write the ones that matter as CSV.",
            )
    return hashlib.sha256(content).hexdigest(), Objects(source, tuple(paths))


def _objects(source: Source, content: bytes) -> Iterator[dict[str, Any] | _Flaw]:
    """Every object, or why one cannot be taken."""
    encoding = marked(content[:64])
    try:
        text = content if encoding is None else content.decode(encoding).encode()
        try:
            found = [_decode(text)]
            require_unique_keys(text)
        except msgspec.DecodeError as error:
            lines = [line for line in text.split(b"\n") if line.strip()]
            if len(lines) < 2 or not _begins(lines[0]):
                raise _broken(source.name, error) from error
            yield from _elements(map(_line, lines))
            return
    except (UnicodeError, RecursionError, RepeatedKeyError) as error:
        raise _broken(source.name, error) from error
    yield from _elements(found)


def _begins(line: bytes) -> bool:
    return isinstance(_line(line), dict)


def _line(line: bytes) -> object:
    try:
        require_unique_keys(line)
        return _decode(line)
    except (msgspec.DecodeError, RepeatedKeyError) as error:
        return _Flaw(f"is not JSON: {error}", line.decode(errors="replace"))


def _elements(pages: Any) -> Iterator[dict[str, Any] | _Flaw]:
    for page in pages:
        held: object = page
        if isinstance(page, dict):
            held = next((page[name] for name in LISTS if isinstance(page.get(name), list)), [page])
        for one in held if isinstance(held, list) else [held]:
            yield one if isinstance(one, dict | _Flaw) else _Flaw("is no object", str(one))


def _rows(found: dict[str, Any]) -> Iterator[dict[str, str]]:
    changes = found.get(EXPLODED)
    if not (isinstance(changes, list) and changes and all(isinstance(one, dict) for one in changes)):
        yield _flat(found)
        return
    around = _flat({name: value for name, value in found.items() if name != EXPLODED})
    for change in changes:
        yield around | _flat(change, f"{EXPLODED}.")


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    _flatten(value, prefix, flat, 0)
    return flat


def _flatten(value: dict[str, Any], prefix: str, flat: dict[str, str], depth: int) -> None:
    for name, held in value.items():
        path = prefix + name
        if isinstance(held, str):
            flat[path] = held
        elif isinstance(held, dict):
            if depth < _DEPTH:
                _flatten(held, path + ".", flat, depth + 1)
        elif isinstance(held, list):
            _list(held, name, prefix, value, flat)
        else:
            flat[path] = _scalar(held)


def _list(held: list[Any], name: str, prefix: str, around: dict[str, Any], flat: dict[str, str]) -> None:
    if not all(isinstance(one, dict) for one in held):
        flat[prefix + name] = ";".join(map(_scalar, held))
    elif held and all("name" in one and "value" in one for one in held):
        said: dict[str, list[str]] = {}
        for one in held:
            said.setdefault(str(one["name"]), []).append(_scalar(one["value"]))
        for asked, answers in said.items():
            # what the object says of itself is not to be mixed with what somebody typed into a form
            own = asked in around
            flat[f"{prefix}{name}.{asked}" if own else prefix + asked] = ";".join(answers)
    else:
        parts = [{path: _scalar(value) for path, value in one.items()} for one in held]
        for inner in dict.fromkeys(path for part in parts for path in part):
            flat[f"{prefix}{name}.{inner}"] = ";".join(part.get(inner, "") for part in parts)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else ""


def _broken(name: str, error: Exception) -> UnreadableInput:
    return UnreadableInput(
        "cannot_read",
        f"{name} cannot be read as JSON: {str(error).rstrip('.')}.",
        "Save the answer of the API as it came, in UTF-8: a list of objects, or one object a line.",
    )
