"""Read an evidence map: every mistake in it is told at once, with its place and what to write instead."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from adapters.encodings import UnreadableInput
from adapters.evidence_map.meaning import declaration
from adapters.evidence_map.shape import SECTIONS, By, Campaign, Form, Imported, Price, Sale, Spanning, Stanza, Type
from adapters.statements import Wanted
from adapters.tokens import token_of
from ledger.application import Fact
from ledger.toml import TOMLDecodeError, parse_toml
from projections.verdicts import Money

MAX_FILE = 32 * 1024**2
"""Evidence is kept for ever, beside the log: a page or a picture, not a recording."""
_MOST_TOLD = 50
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class EvidenceMap:
    """A map that holds together. `files`: name as written in it -> SHA-256; `data`: the bytes of the map."""

    path: Path
    data: bytes
    by: By | None
    stanzas: tuple[Stanza, ...]
    files: Mapping[str, str]
    money: Money | None
    columns: Mapping[str, str]

    @property
    def wanted(self) -> Wanted:
        """The boxes it speaks of, form by form: of the others, nothing is kept."""
        boxes: dict[str, frozenset[str]] = {}
        for stanza in self.stanzas:
            if isinstance(stanza, Form):
                named = () if stanza.box_token is None else (stanza.box_token,)
                boxes[stanza.form_token] = boxes.get(stanza.form_token, frozenset()).union(named)
        return Wanted(boxes)

    def declarations(self) -> list[Fact]:
        """What is to be recorded of it, in its order."""
        return [declaration(stanza, self.signed(stanza), self.files) for stanza in self.stanzas]

    def signed(self, stanza: Stanza) -> By:
        """Who answers for a stanza."""
        by = stanza.by or self.by
        assert by is not None  # noqa: S101 - checked when the map was read
        return by

    def file(self, name: str) -> Path:
        """Where a file named in the map lies."""
        return self.path.parent / name


@dataclass(slots=True)
class _Findings:
    """Mistakes, in the order of the map."""

    told: list[str] = field(default_factory=list)

    def add(self, place: str, name: str, text: str) -> None:
        self.told.append(f"{place}, {name}: {text}" if name else f"{place}: {text}")


def read_map(path: Path) -> EvidenceMap:
    """The map in a file. Raises UnreadableInput that lists every mistake by stanza and field."""
    data, tables = _parsed(path)
    findings = _Findings()
    for name in tables.keys() - {"by", "money", "columns", *SECTIONS}:
        findings.add(
            f"[{name}]", "", f"there is no such section{_nearest(name, ('by', 'money', 'columns', *SECTIONS))}"
        )
    by = _model(By, tables["by"], "[by]", findings) if "by" in tables else None
    price = _model(Price, tables["money"], "[money]", findings) if "money" in tables else None
    columns = _columns(tables.get("columns", {}), findings)
    placed = [one for section in SECTIONS for one in _section(section, tables.get(section, []), findings)]
    _unique_keys(tables, findings)
    files: dict[str, str] = {}
    for place, stanza in placed:
        for name, text in stanza.problems():
            findings.add(place, name, text)
        if stanza.by is None and "by" not in tables:
            findings.add(
                place,
                "by",
                'nobody answers for it; write [by] with name, role and on at the top, or by = { name = "...", '
                'role = "...", on = 2026-11-20 } here',
            )
        _take_files(path.parent, place, stanza, files, findings)
    _no_overlaps(placed, findings)
    if findings.told:
        raise _unreadable(path, findings.told)
    money = None if price is None else Money(**price.model_dump())
    return EvidenceMap(path, data, by, tuple(stanza for _, stanza in placed), files, money, columns)


def _parsed(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableInput(
            "no_map", f"The evidence map {path} cannot be read: {error.strerror}.", "Name another with --map."
        ) from error
    try:
        return data, parse_toml(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableInput("not_toml", f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    except TOMLDecodeError as error:
        raise UnreadableInput(
            "not_toml",
            f"{path} is not TOML: {error}.",
            "Text stands in quotes, days and true/false without; where nobody knows, leave the line commented out.",
        ) from None


def _unreadable(path: Path, told: list[str]) -> UnreadableInput:
    lines = [f"  {line}" for line in told[:_MOST_TOLD]]
    if len(told) > _MOST_TOLD:
        lines.append(f"  and {len(told) - _MOST_TOLD} more")
    text = "\n".join([f"{path}: {len(told)} place{'s' if len(told) > 1 else ''} to correct", *lines, ""])
    return UnreadableInput("evidence_map", text, "Nothing of it was recorded.")


# --- the shape -----------------------------------------------------------------------------------


def _section(name: str, tables: object, findings: _Findings) -> Iterator[tuple[str, Stanza]]:
    """The stanzas of a section that are well formed, each with its place."""
    if not isinstance(tables, list):
        findings.add(f"[{name}]", "", f"write [[{name}]], in double brackets")
        return
    for number, table in enumerate(tables, start=1):
        place = _place(name, number, table)
        stanza = _model(SECTIONS[name], table, place, findings)
        if stanza is not None:
            yield place, stanza


def _place(section: str, number: int, table: object) -> str:
    key = table.get("key") if isinstance(table, dict) else None
    return f"[[{section}]] {key}" if isinstance(key, str) and key.strip() else f"[[{section}]] number {number}"


def _model(model: type[_Model], table: object, place: str, findings: _Findings) -> _Model | None:
    try:
        return model.model_validate(table)
    except ValidationError as error:
        for one in error.errors():
            findings.add(place, ".".join(str(part) for part in one["loc"] if isinstance(part, str)), _told(model, one))
        return None


def _told(model: type[BaseModel], error: Mapping[str, Any]) -> str:
    """What is wrong, and what to write."""
    names = [part for part in error["loc"] if isinstance(part, str)]
    if error["type"] == "extra_forbidden":
        inner = By if len(names) > 1 else model
        return f"there is no such field{_nearest(names[-1], inner.model_fields)}"
    if error["type"] == "missing":
        wrong = "is missing"
    else:
        reason = error.get("ctx", {}).get("error")
        wrong = f"{_shown(error['input'])} {reason if isinstance(reason, ValueError) else 'will not do'}"
    inner = By if len(names) > 1 else model
    info = inner.model_fields.get(names[-1]) if names else None
    return f"{wrong}; write {info.description}" if info is not None and info.description else wrong


def _shown(value: object) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return repr(text) if isinstance(value, str) else text


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _columns(table: object, findings: _Findings) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(name, str) and name.strip() for name in table.values()):
        findings.add("[columns]", "", 'write "Header cell" = "property", both in quotes')
        return {}
    return {header.strip(): name.strip() for header, name in table.items()}


# --- what the stanzas say together ---------------------------------------------------------------


def _unique_keys(tables: Mapping[str, Any], findings: _Findings) -> None:
    seen: dict[str, str] = {}
    for section in SECTIONS:
        for number, table in enumerate(_tables(tables.get(section)), start=1):
            key = table.get("key")
            if not isinstance(key, str):
                continue
            here = f"[[{section}]] number {number}"
            if key in seen:
                findings.add(f"[[{section}]] {key}", "key", f"{here} has the key of {seen[key]}; write another")
            seen.setdefault(key, here)


def _tables(section: object) -> Iterator[dict[str, Any]]:
    yield from (table for table in section if isinstance(table, dict)) if isinstance(section, list) else ()


def _no_overlaps(placed: Sequence[tuple[str, Stanza]], findings: _Findings) -> None:
    """Two stanzas that speak of one thing on one day would leave it to chance which of them counts."""
    for (first, one), (second, other) in combinations(placed, 2):
        if type(one) is type(other) and _of_one(one, other) and _of_one_day(one, other):
            remedy = "end one of them with shown_to" if isinstance(one, Spanning) else "write one stanza for both"
            findings.add(second, "", f"speaks of what {first} speaks of; {remedy}")


def _of_one(one: Stanza, other: Stanza) -> bool:
    match one, other:
        case Form(), Form():
            return (one.form_token, one.box_token) == (other.form_token, other.box_token)
        case Sale(), Sale():
            return None in (one.pipeline, other.pipeline) or one.pipeline_token == other.pipeline_token
        case Type(), Type():
            return token_of(one.type) == token_of(other.type)
        case Campaign(), Campaign():
            return token_of(one.campaign) == token_of(other.campaign)
        case Imported(), Imported():
            return token_of(one.list) == token_of(other.list)
    return False


def _of_one_day(one: Stanza, other: Stanza) -> bool:
    if not (isinstance(one, Spanning) and isinstance(other, Spanning)):
        return True
    begins = max(one.shown_from or date.min, other.shown_from or date.min)
    return begins < min(one.shown_to or date.max, other.shown_to or date.max)


def _take_files(home: Path, place: str, stanza: Stanza, files: dict[str, str], findings: _Findings) -> None:
    """The hashes of the files a stanza names."""
    wording = stanza.wording if isinstance(stanza, Form) else None
    named = [("evidence", name) for name in stanza.evidence]
    for part, name in [*named, *([("wording", wording)] if wording else [])]:
        if name in files:
            continue
        path = home / name
        try:
            size = path.stat().st_size
            if path.is_dir():
                findings.add(place, part, f"{name!r} is a folder; name the files in it")
            elif size == 0:
                findings.add(place, part, f"{name!r} is empty, so it shows nothing")
            elif size > MAX_FILE:
                findings.add(
                    place, part, f"{name!r} is larger than {MAX_FILE >> 20} MiB; keep a page or a picture of it"
                )
            else:
                with path.open("rb") as file:
                    files[name] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            findings.add(place, part, f"{name!r} cannot be read ({error.strerror}); paths begin where the map lies")
        except ValueError:  # a NUL in the name
            findings.add(place, part, f"{name!r} is not the name of a file")
