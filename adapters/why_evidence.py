"""What the answer rests on: kept documents as plain words, and what named people declared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from adapters.report import wording
from adapters.report.why import WhyDeclaration, WhyDocument
from adapters.why_history import Held, is_stop, signed
from ledger import events as e
from ledger.codec import decode
from ledger.policy.question import Decision, Trial
from ledger.terms import LEDGER_STREAM, OWN

LONGEST = 2400
"""Characters of a document that are shown; the whole is found by its SHA-256."""
_PICTURES = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG picture"),
    (b"\xff\xd8\xff", "JPEG picture"),
    (b"GIF8", "GIF picture"),
    (b"PK\x03\x04", "ZIP or Office file"),
)
_markup = re.compile(
    r"<\s*(?:!doctype html|html|head|body|form|label|input|div|span|p|br|a|ul|table|h[1-6])\b", re.IGNORECASE
)
_UNSEEN = frozenset({"script", "style", "template", "title"})
_LINE = frozenset({"p", "div", "li", "tr", "br", "h1", "h2", "h3", "h4", "h5", "h6", "label", "form", "ul", "table"})


class Words(NamedTuple):
    """A document as it can be shown. `text` None: it has no words here."""

    form: str
    text: str | None = None
    shortened: bool = False


def rests_on(held: Held, decision: Decision, grounds: Trial | None) -> list[int]:
    """Positions of the facts whose evidence is shown: what counted, else what came nearest, and every stop."""
    found = list(decision.evidence) if decision.allowed else []
    if decision.claimed is not None:
        found += decision.claimed.evidence
    if grounds is not None:
        found += grounds.evidence
    found += [n.position for n in held.entries if is_stop(n.event) or isinstance(n.event, e.Corrected)]
    return [position for position in dict.fromkeys(found) if position in held.by_position]


def documents(held: Held, positions: Iterable[int]) -> tuple[WhyDocument, ...]:
    """Every document that belongs to these facts or to a declaration they rest on, each once."""
    found: dict[str, tuple[str, list[int]]] = {}
    for position in positions:
        for role, sha256 in _named(held, position):
            found.setdefault(sha256, (role, []))[1].append(position)
    return tuple(_document(held, sha256, role, tuple(dict.fromkeys(where))) for sha256, (role, where) in found.items())


def _named(held: Held, position: int) -> Iterator[tuple[str, str]]:
    event = held.by_position[position].event
    wording = getattr(event, "wording", None)
    if wording:
        yield "wording shown", wording
    for sha256 in event.evidence:
        yield "kept with it", sha256
    said = _declaration(held, position)
    if said is not None:
        for sha256 in said[1].evidence:
            yield f"evidence of declaration {said[0]}", sha256


def _document(held: Held, sha256: str, role: str, positions: tuple[int, ...]) -> WhyDocument:
    content = held.house.ledger.log.document(sha256)
    if content is None:
        return WhyDocument(role=role, sha256=sha256, form="not kept here", positions=positions)
    words = words_of(content)
    return WhyDocument(
        role=role,
        sha256=sha256,
        form=words.form,
        size=len(content),
        text=words.text,
        shortened=words.shortened,
        positions=positions,
    )


def words_of(content: bytes) -> Words:
    """The words of a document: text as it stands, a page without its markup; of a picture, none."""
    for start, form in _PICTURES:
        if content.startswith(start):
            return Words(form)
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return Words("file without text")
    if "\0" in text:
        return Words("file without text")
    form = "text"
    if _markup.search(text):
        form, reader = "web page", _Page()
        reader.feed(text)
        reader.close()
        text = reader.text
    lines = (" ".join(line.split()) for line in text.splitlines())
    text = "\n".join(line for line in lines if line)
    return Words(form, text[:LONGEST], len(text) > LONGEST)


class _Page(HTMLParser):
    """The words of a page. A box to tick is written as it stood: ticked, and required, or not."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._unseen = 0

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._unseen += tag in _UNSEEN
        if tag in _LINE:
            self._parts.append("\n")
        if tag == "input" and given.get("type") in ("checkbox", "radio"):
            self._parts.append("[x] " if "checked" in given else "[ ] ")
            self._parts.append("(required) " if "required" in given else "")
        elif tag in ("img", "input") and (given.get("alt") or given.get("value")):
            self._parts.append(f"[{given.get('alt') or given.get('value')}] ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag in _LINE:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._parts.append(" ".join(f".{data}.".split())[1:-1])


# --- declarations --------------------------------------------------------------------------------


def declarations(held: Held, positions: Iterable[int]) -> tuple[WhyDeclaration, ...]:
    """What was declared of these facts, each declaration once, in the order of the log."""
    found = {said[0]: said[1] for said in (_declaration(held, position) for position in positions) if said}
    return tuple(_shown(held, position, event) for position, event in sorted(found.items()))


def _declaration(held: Held, position: int) -> tuple[int, e.Declaration] | None:
    """The declaration that says what a fact meant, with its position."""
    if position in held.resting:
        wanted = held.resting[position]
        for entry in held.catalogue.declared.by_key.values():
            if entry.position == wanted and isinstance(entry.event, e.Declaration):
                return wanted, entry.event
    event = held.by_position[position].event
    if not isinstance(event, e.TypeOptedOut):
        return None
    kinds = held.catalogue.declared.known_as(event.subscription_type)
    for entry in held.catalogue.declared.by_key.values():
        said = entry.event
        if isinstance(said, e.TypeDeclared) and said.subscription_type in kinds:
            return entry.position, said
    return None


def _shown(held: Held, position: int, event: e.Declaration) -> WhyDeclaration:
    name, role, on = signed(held.house, event)
    assert event.recorded_at is not None  # noqa: S101 - it stands in the log
    return WhyDeclaration(
        position=position,
        says=_says(event),
        by=name,
        role=role,
        on=on,
        recorded=event.recorded_at,
        evidence=event.evidence,
    )


def meaning_of(held: Held, position: int | None) -> str:
    """What a declaration says that may no longer count, in words."""
    for place, _, state in held.house.ledger.log.stream(LEDGER_STREAM):
        event = decode(state) if place == position else None
        if isinstance(event, e.Declaration):
            return _says(event)
    return "something"


def _says(event: e.Declaration) -> str:
    """A declaration in one sentence; what it leaves open is said to be open."""
    match event:
        case e.FormDeclared(box=None):
            what = f"form {event.form} had no other purpose than signing up"
        case e.FormDeclared():
            ticked = _open(event.ticked_before, "ticked beforehand", "not ticked beforehand")
            required = _open(event.required, "required", "not required")
            what = f"box {event.box} of form {event.form}: {ticked}, {required}"
        case e.SaleDeclared():
            pipeline = f"won deals of pipeline {event.pipeline}" if event.pipeline else "won deals"
            offered = _open(event.refusal_offered, "refusal was offered", "refusal was not offered")
            seller = "the sender itself" if event.seller == OWN else event.seller or "a seller not named"
            what = f"{pipeline} are sales ({event.kind}) by {seller}; {offered}"
        case e.TypeDeclared():
            what = f"subscription type {event.subscription_type} means {_purposes(event.purposes) or 'no purpose'}"
        case _:
            what = event.key
    purposes = getattr(event, "purposes", ())
    if isinstance(event, e.FormDeclared) and purposes:
        what += f"; for {_purposes(purposes)}"
    begin, end = event.shown_from, event.shown_to
    if begin or end:
        what += f"; from {begin:%Y-%m-%d}" if begin else ""
        what += f" until {end:%Y-%m-%d}" if end else " on"
    return what


def _purposes(tokens: Iterable[str]) -> str:
    return ", ".join(wording.purpose(token) for token in tokens)


def _open(value: bool | None, yes: str, no: str) -> str:
    return f"whether {yes} is not said" if value is None else yes if value else no
