"""Write an evidence map for a person to fill in, from what the files contain. Nothing is answered for them.

Every setting is written commented out, so a map as written declares nothing. A map that exists is only ever
added to, at its end, but for what columns were said to be on the command line.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from adapters.evidence_map import texts
from adapters.evidence_map.shape import SECTIONS
from adapters.files import write_whole
from adapters.statements import BoxFound, FormFound, Found, NameFound
from adapters.tokens import token_of
from ledger.toml import TOMLDecodeError, parse_toml

MOST_CAMPAIGNS = 20
_TYPE = "type."
_Seen = TypeVar("_Seen", FormFound, NameFound)
_header = re.compile(r"#?\s*\[\[?\s*([A-Za-z]+)\s*\]?\]").match
_setting = re.compile(r"#?\s*([a-z_]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*')").match

_column = re.compile(r"\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*')\s*=").match


class _Subject(NamedTuple):
    """What a stanza speaks of: its section, the name's token, and of a form the box's."""

    section: str
    name: str
    box: str | None = None


class _Stanza(NamedTuple):
    """A stanza to write: what it speaks of, what was found, its name settings, and the rest of it."""

    subject: _Subject
    comment: str
    named: tuple[tuple[str, str], ...]
    fields: str


def write_map(path: Path, found: Found, controller: str, at: datetime) -> None:
    """Write the first map. Raises FileExistsError rather than write over one."""
    keys: set[str] = set()
    parts = [texts.HEAD.format(controller=_line(controller), day=f"{at:%Y-%m-%d}")]
    for section, text in _TEXTS.items():
        stanzas = [one for one in _stanzas(found) if one.subject.section == section]
        parts.append("\n".join([text.format(most=MOST_CAMPAIGNS), *(_written(one, keys) for one in stanzas)]))
    parts.append(texts.MONEY)
    path.parent.mkdir(parents=True, exist_ok=True)
    place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(place, "wb") as file:
        file.write("\n".join(parts).encode("utf-8", "replace"))


def extend_map(path: Path, found: Found) -> int:
    """Add to the end of a map what it does not speak of yet, commented out; how many stanzas that were."""
    held = path.read_bytes()
    text = held.decode("utf-8", "replace")
    spoken, keys = _spoken_of(text)
    new = [one for one in _stanzas(found) if not _is_spoken_of(one.subject, spoken)]
    if new:
        added = "".join(f"\n{_written(one, keys)}" for one in new)
        with path.open("ab") as file:
            file.write(("" if text.endswith("\n") else "\n").encode() + added.encode("utf-8", "replace"))
    return len(new)


def remember_columns(path: Path, names: Mapping[str, str]) -> int:
    """Write into a map what columns were said to be on the command line; how many it did not say so already.

    What it says of the same column otherwise is replaced, since it was said later.
    """
    text = path.read_bytes().decode("utf-8", "replace")
    try:
        held = parse_toml(text.removeprefix("\ufeff")).get("columns", {})
    except TOMLDecodeError:
        return 0  # whoever reads the map next is told what is wrong with it
    new = {name: value for name, value in names.items() if not isinstance(held, dict) or held.get(name) != value}
    if not new:
        return 0
    lines = [line for line in text.splitlines() if not _says_of(line, new)]
    added = [f"{_quoted(name)} = {_quoted(value)}" for name, value in new.items()]
    headers = ((number, _header(line)) for number, line in enumerate(lines))
    place = next((number for number, header in headers if header is not None and header[1] == "columns"), None)
    if place is None:
        lines += ["", "[columns]", *added]
    else:
        lines[place : place + 1] = ["[columns]", *added]
    write_whole(path, ("\n".join(lines) + "\n").encode("utf-8"), path.stat().st_mode & 0o777)
    return len(new)


def _says_of(line: str, names: Mapping[str, str]) -> bool:
    found = _column(line)
    return found is not None and _unquoted(found[1]) in names


# --- what there is to speak of -------------------------------------------------------------------


_TEXTS = {
    "form": texts.FORMS,
    "sale": texts.SALES,
    "type": texts.TYPES,
    "campaign": texts.CAMPAIGNS,
    "list": texts.LISTS,
}


def _stanzas(found: Found) -> Iterator[_Stanza]:
    for token, form in _ordered(found.forms, lambda form: form.rows):
        yield from _of_form(token, form)
    for token, pipeline in _ordered(found.pipelines, lambda one: one.count):
        yield _of_name("sale", "pipeline", token, pipeline, "won deals", texts.SALE_FIELDS)
    for token, kind in _ordered(found.types, lambda one: one.count):
        yield _of_name("type", "type", token, kind, "opt-outs and opt-ins", texts.TYPE_FIELDS)
    for token, campaign in _ordered(found.campaigns, lambda one: one.count)[:MOST_CAMPAIGNS]:
        yield _of_name("campaign", "campaign", token, campaign, "mails", texts.CAMPAIGN_FIELDS)
    for token, imported in _ordered(found.lists, lambda one: one.count):
        yield _of_name("list", "list", token, imported, "contacts", texts.LIST_FIELDS)


def _of_form(token: str, form: FormFound) -> Iterator[_Stanza]:
    about = f"# Form {_quoted(form.name)}: {form.rows:,} submissions{_days(form)}."
    named = ("form", _as_written(form.name, token))
    if not form.boxes:
        comment = f"{about}\n# No box was found in it. Only if signing up was all that it was for:"
        yield _Stanza(_Subject("form", token), comment, (named, ("sign_up_only", "")), texts.SIGN_UP_FIELDS)
        return
    for box, answers in sorted(form.boxes.items(), key=lambda one: (-one[1].ticked, one[0])):
        yield _of_box(_Subject("form", token, box), about, named, answers)


def _of_box(subject: _Subject, about: str, form: tuple[str, str], box: BoxFound) -> _Stanza:
    token = subject.box or ""
    if token.startswith(_TYPE):
        comment = f"{about}\n# Subscription type {_quoted(box.label)}: switched on for {box.ticked:,}."
        act = ("switches_on", _as_written(box.label, token.removeprefix(_TYPE)))
    else:
        comment = f"{about}\n# Box {_quoted(box.label)}: ticked by {box.ticked:,}, left by {box.unticked:,}."
        act = ("box", _as_written(box.label, token))
    return _Stanza(subject, comment, (form, act), texts.FORM_FIELDS)


def _of_name(section: str, name: str, token: str, found: NameFound, counted: str, fields: str) -> _Stanza:
    # of a type that only a column of the contacts export names, nobody has counted anything
    said = f": {found.count:,} {counted}{_days(found)}" if found.count else ""
    comment = f"# {name.capitalize()} {_quoted(found.name)}{said}."
    return _Stanza(_Subject(section, token), comment, ((name, _as_written(found.name, token)),), fields)


def _ordered(found: Mapping[str, _Seen], count: Callable[[_Seen], int]) -> list[tuple[str, _Seen]]:
    return sorted(found.items(), key=lambda one: (-count(one[1]), one[0]))


def _days(found: FormFound | NameFound) -> str:
    if found.first is None or found.last is None:
        return ""
    return f", {found.first} to {found.last}"


# --- how it is written ---------------------------------------------------------------------------


def _written(stanza: _Stanza, keys: set[str]) -> str:
    """A stanza under a key that no other has."""
    subject = stanza.subject
    key = wanted = token_of(f"{subject.name} {subject.box or ''}")
    number = 1
    while key in keys:
        number += 1
        key = f"{wanted}-{number}"
    keys.add(key)
    named = [f"#{name} = {_quoted(value) if value else 'true'}" for name, value in stanza.named]
    lines = [stanza.comment, f"#[[{subject.section}]]", f"#key = {_quoted(key)}", *named]
    return "\n".join(lines) + f"\n{stanza.fields}"


def _as_written(name: str, token: str) -> str:
    """The name, if it leads to its token as it is written; else the token, which always does."""
    written = _line(name).encode("utf-8", "replace").decode()
    return written if written.split() and token_of(written) == token else token


def _line(text: str) -> str:
    """On one line, without what a TOML comment may not hold."""
    return "".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in " ".join(text.split()))


def _quoted(text: str) -> str:
    return json.dumps(_line(text), ensure_ascii=False)


# --- what a map speaks of already ----------------------------------------------------------------


def _spoken_of(text: str) -> tuple[set[_Subject], set[str]]:
    """The subjects of a map's stanzas, commented out or not, and every key in it."""
    tables = [*_commented(text), *_declared(text)]
    spoken = {subject for section, table in tables if (subject := _subject(section, table)) is not None}
    return spoken, {table["key"] for _, table in tables if "key" in table}


def _commented(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Section and quoted settings of each stanza, line by line: a half-filled one is no TOML yet."""
    section, table = "", dict[str, str]()
    for line in text.splitlines():
        header, setting = _header(line), _setting(line)
        if header:
            yield section, table
            section, table = header[1], {}
        elif setting:
            table.setdefault(setting[1], _unquoted(setting[2]))
    yield section, table


def _unquoted(literal: str) -> str:
    try:
        return str(parse_toml(f"it = {literal}")["it"])
    except TOMLDecodeError:
        return literal[1:-1]


def _declared(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The same of what is in force, however it is laid out."""
    try:
        whole = parse_toml(text.removeprefix("\ufeff"))
    except TOMLDecodeError:
        return
    for section in SECTIONS:
        tables = whole.get(section, [])
        for table in tables if isinstance(tables, list) else ():
            if isinstance(table, dict):
                yield section, {name: value for name, value in table.items() if isinstance(value, str)}


def _subject(section: str, table: Mapping[str, str]) -> _Subject | None:
    named = {"sale": "pipeline"}.get(section, section)
    try:
        if section == "sale" and "pipeline" not in table:
            return _Subject("sale", "")
        if section not in SECTIONS or named not in table:
            return None
        box = f"{_TYPE}{token_of(table['switches_on'])}" if "switches_on" in table else None
        if "box" in table:
            box = token_of(table["box"])
        return _Subject(section, token_of(table[named]), box)
    except ValueError:  # a name left empty
        return None


def _is_spoken_of(subject: _Subject, spoken: set[_Subject]) -> bool:
    """A form's other box is another subject; a sale of every pipeline speaks of each."""
    if subject.section == "sale" and _Subject("sale", "") in spoken:
        return True
    if subject.section == "form" and subject.box is None:
        return any((one.section, one.name) == ("form", subject.name) for one in spoken)
    return subject in spoken
