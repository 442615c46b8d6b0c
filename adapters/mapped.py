"""Any other CSV, by a mapping beside it: `X.mapping.toml` says what a row of `X.csv` states, and by which columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.encodings import UnreadableInput
from adapters.reading import TableEvidence, clocks, count, digest, happened, moment
from adapters.statements import BoxFound, FormFound, Statement
from adapters.tabular import Table, require_unique
from adapters.times import Span, TimeReader
from adapters.tokens import token_of
from ledger import events as e
from ledger.toml import TOMLDecodeError, parse_toml

SYSTEM, KIND = "file", "mapped"
ENDING = ".mapping.toml"
EMAIL = ("email",)
_GRANTS = ("form", "confirmation")
_STOPS: dict[str, type[e.Stop]] = {"opt_out": e.OptedOut, "objection": e.Objected, "complaint": e.Complained}


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a mapping file may say. `email`, `at`, `id`, `words` and the keys of `boxes` are header cells.

    date_format  as Python's strptime reads it; without one, ISO and `31.12.2024`
    zone         of times without one; UTC is `UTC`
    id           a column with an id of the fact, the same in every later file
    form         the form's name; `pipeline` likewise
    boxes        column -> the word that means ticked
    backed_by    what shows when the source recorded it; `form_record` counts from its own time
    """

    fact: Literal["opt_out", "objection", "form", "sale", "confirmation", "bounce", "complaint"]
    email: str
    at: str | None = None
    date_format: str | None = None
    zone: str | None = None
    id: str | None = None
    words: str | None = None
    form: str | None = None
    boxes: dict[str, str] = {}
    pipeline: str | None = None
    backed_by: Literal["form_record", "subscription_timeline", "event_log", "deal_record", "import_file"] | None = None


def mapping_beside(path: Path) -> Path | None:
    """The mapping that stands beside a file, if there is one."""
    beside = path.with_name(path.stem + ENDING)
    return beside if beside.exists() else None


def mapped_of(table: Table, mapping: Path, taken_on: datetime, zone: ZoneInfo | None) -> MappedFile:
    """The reader of a table by its mapping. Raises UnreadableInput (`bad_mapping`), which names the key."""
    said = _read(mapping)
    try:
        if said.zone is not None:
            zone = ZoneInfo(said.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _bad(mapping, f"`zone`: there is no time zone “{said.zone}”") from error
    places = {label.casefold(): index for index, label in enumerate(table.header)}
    at: dict[str, tuple[int, ...]] = {}
    named = {"email": said.email, "at": said.at, "id": said.id, "words": said.words}
    for key, label in [*named.items(), *((f"boxes.{column}", column) for column in said.boxes)]:
        if label is None:
            continue
        if label.strip().casefold() not in places:
            held = ", ".join(cell[:40] for cell in table.header[:12])
            raise _bad(mapping, f"`{key}`: {table.name} has no column “{label}”; it has: {held}")
        at[key] = (places[label.strip().casefold()],)
    used = {table.header[index].casefold() for (index,) in at.values()}
    require_unique(table, lambda label: label.casefold() in used)
    return MappedFile(table, at, said, taken_on, zone)


def _read(path: Path) -> Mapping:
    try:
        said = msgspec.convert(parse_toml(path.read_text("utf-8")), Mapping)
    except (TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise _bad(path, str(error)) from error
    if said.fact in _GRANTS and said.at is None:
        raise _bad(path, f"`at` is needed: nothing rests on a {said.fact} that nobody dated")
    if (said.fact == "form") != (said.form is not None):
        raise _bad(path, '`form`, the form\'s name, goes with `fact = "form"`')
    if said.boxes and said.form is None:
        raise _bad(path, "`boxes` go with a `form`")
    return said


def _bad(path: Path, reason: str) -> UnreadableInput:
    return UnreadableInput(
        "bad_mapping",
        f"{path.name}: {reason.rstrip('.')}.",
        "See docs/how-to/bring-other-files.md for what it may say.",
    )


class MappedFile(TableEvidence):
    """Rows of one kind of fact."""

    def __init__(
        self, table: Table, at: dict[str, tuple[int, ...]], said: Mapping, taken_on: datetime, zone: ZoneInfo | None
    ) -> None:
        super().__init__(table, at, KIND, SYSTEM, taken_on, TimeReader(zone))
        self.said = said
        self.may_stop = said.fact in _STOPS

    def begin(self) -> None:
        """Look the columns up."""
        self._email, self._at = self.cell("email"), self.cell("at")
        self._id, self._words = self.cell("id"), self.cell("words")
        self._boxes = [
            (token_of(column), column, word.strip().casefold(), self.cell(f"boxes.{column}"))
            for column, word in self.said.boxes.items()
        ]

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """The fact, and the boxes of a form."""
        email, span = self._email(cells), self._when(self._at(cells))
        said = self.said
        if span is None and said.fact in _GRANTS:
            self.refuse("at", "is no time this program reads: nothing can rest on it")
            return ()
        words = self._words(cells)
        key = self._id(cells) or digest(email.casefold(), moment(span), words, said.form or said.pipeline or "")
        event = self._event(span, self._id(cells))
        told = [Statement(email, None, event, f"{said.fact}:{key}", {"words": words} if words else None, row)]
        if said.form is not None and span is not None:
            told += self._answers(cells, said.form, key, span, told[0])
        return told

    def _when(self, cell: str) -> Span | None:
        if not cell or self.said.date_format is None:
            return self.span(cell)
        try:
            read = datetime.strptime(cell, self.said.date_format)  # noqa: DTZ007 - the reader knows the zone
        except ValueError:
            return None
        whole = not any(part in self.said.date_format for part in ("%H", "%I", "%c", "%X"))
        if read.tzinfo is not None:
            read = read.astimezone(UTC)
        return self.span(read.date().isoformat() if whole else read.isoformat(" "))

    def _event(self, span: Span | None, number: str) -> e.Event:
        said, fact = self.said, self.said.fact
        common: dict[str, Any] = {"stream": "", "source": self.source, **clocks(span, said.backed_by)}
        stop = _STOPS.get(fact)
        if stop is not None:
            common |= {"channels": EMAIL} if fact == "opt_out" else {}
            return stop(**common, by="data_subject", via="mapped")
        if fact == "bounce":
            return e.Bounced(**common, by="system", kind="hard")
        if fact == "sale":
            if said.pipeline:
                count(self.found.pipelines, said.pipeline, span)
            pipeline = token_of(said.pipeline) if said.pipeline else None
            return e.DealWon(**common, by="system", pipeline=pipeline, deal=token_of(number) if number else None)
        if fact == "confirmation":
            return e.DoubleOptInConfirmed(**common, by="data_subject", via="mapped", verifies_channel="email")
        return e.FormSubmitted(**common, by="data_subject", via="form", form=token_of(said.form or ""))

    def _answers(self, cells: Sequence[str], name: str, key: str, span: Span, submission: Statement) -> list[Statement]:
        form = token_of(name)
        found = self.found.forms.setdefault(form, FormFound(name))
        day = span.earliest.date()
        found.rows += 1
        found.first = day if found.first is None else min(day, found.first)
        found.last = day if found.last is None else max(day, found.last)
        told = []
        for box, label, yes, cell in self._boxes:
            ticked = cell(cells).casefold() == yes
            counted = found.boxes.setdefault(box, BoxFound(label))
            counted.ticked += ticked
            counted.unticked += not ticked
            if box in self.wanted.boxes.get(form, ()):
                answered = e.BoxAnswered(
                    stream="",
                    source=self.source,
                    by="data_subject",
                    via="form",
                    form=form,
                    box=box,
                    ticked=ticked,
                    **happened(span, self.said.backed_by),
                )
                told.append(submission._replace(event=answered, source_id=f"box:{key}:{box}:{ticked}", payload=None))
        return told
