"""Any other CSV, by a mapping beside it: `X.mapping.toml` says what a row of `X.csv` states, and by which columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.addresses import visible
from adapters.encodings import UnreadableInput
from adapters.machines import are_by_machine, doubt
from adapters.reading import TableEvidence, clocks, count, digest, happened, moment
from adapters.stated import Departure, refuse_mixed, who_left
from adapters.statements import BoxFound, FormFound, Statement
from adapters.tabular import Table, require_unique
from adapters.times import Span, TimeReader
from adapters.tokens import token_of
from ledger import events as e
from ledger.spelling import normal
from ledger.toml import TOMLDecodeError, parse_toml

SYSTEM, KIND = "file", "mapped"
ENDING = ".mapping.toml"
EMAIL = ("email",)
_WHOLE = re.compile(r"(\d+)[.,]0+\Z").match
_GRANTS = ("form", "confirmation")
_STOPS: dict[str, type[e.Stop]] = {"opt_out": e.OptedOut, "objection": e.Objected, "complaint": e.Complained}


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a mapping file may say. `email`, `at`, `id`, `words`, `ip` and the keys of `boxes` are header cells.

    date_format  as Python's strptime reads it; without one, ISO and `31.12.2024`
    zone         of times without one; UTC is `UTC`
    id           a column with an id of the fact, the same in every later file
    ip           a column with the network address that it came from: of confirmations, one behind most is a machine's
    form         the form's name; `pipeline` likewise
    boxes        column -> the word that means ticked
    backed_by    what shows when the source recorded it; `form_record` counts from its own time
    where        column -> words: only rows that hold one of them in each of these columns state the fact. "" is an
                 empty cell, "*" any other
    facts        several facts, each with its own keys; what stands above them holds for all
    others       "nothing": rows that no `where` is of state nothing; else they are rejected
    """

    fact: Literal["opt_out", "objection", "form", "sale", "confirmation", "bounce", "complaint", "nothing"]
    email: str
    at: str | None = None
    date_format: str | None = None
    zone: str | None = None
    id: str | None = None
    words: str | None = None
    ip: str | None = None
    form: str | None = None
    boxes: dict[str, str] = {}
    pipeline: str | None = None
    backed_by: Literal["form_record", "subscription_timeline", "event_log", "deal_record", "import_file"] | None = None
    where: dict[str, str | list[str]] = {}
    others: Literal["nothing"] | None = None


def mapping_beside(path: Path) -> Path | None:
    """The mapping that stands beside a file, if there is one."""
    beside = path.with_name(path.stem + ENDING)
    return beside if beside.exists() else None


def mapped_of(table: Table, mapping: Path, taken_on: datetime, times: TimeReader) -> TableEvidence:
    """The reader of a table by its mapping. Raises UnreadableInput (`bad_mapping`), which names the key."""
    facts = _read(mapping)
    parts = [_part(table, mapping, said, taken_on, times) for said in facts]
    if any(said.fact in _STOPS and not said.where for said in facts):
        refuse_mixed(table)
    if len(parts) == 1 and not facts[0].where and parts[0].may_stop:
        return parts[0]
    return SeveralFacts(parts, times, others=facts[0].others)


def _part(table: Table, mapping: Path, said: Mapping, taken_on: datetime, times: TimeReader) -> MappedFile:
    """The reader of one fact."""
    try:
        if said.zone is not None:
            times = times.within(ZoneInfo(said.zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _bad(mapping, f"`zone`: there is no time zone “{said.zone}”") from error
    places = {label.casefold(): index for index, label in enumerate(table.header)}
    at: dict[str, tuple[int, ...]] = {}
    named = {"email": said.email, "at": said.at, "id": said.id, "words": said.words, "ip": said.ip}
    columns = [(f"{key}.{column}", column) for key in ("boxes", "where") for column in getattr(said, key)]
    for key, label in [*named.items(), *columns]:
        if label is None:
            continue
        if label.strip().casefold() not in places:
            held = ", ".join(cell[:40] for cell in table.header[:12])
            raise _bad(mapping, f"`{key}`: {table.name} has no column “{label}”; it has: {held}")
        at[key] = (places[label.strip().casefold()],)
    used = {table.header[index].casefold() for (index,) in at.values()}
    require_unique(table, lambda label: label.casefold() in used)
    return MappedFile(table, at, said, taken_on, times)


def _read(path: Path) -> list[Mapping]:
    try:
        raw = parse_toml(path.read_text("utf-8"))
        own = raw.pop("facts", None)
        if own is not None and not (isinstance(own, list) and own and all(isinstance(one, dict) for one in own)):
            raise _bad(path, "`facts` is a list of facts: write `[[facts]]` above each")
        facts = [msgspec.convert(raw | one, Mapping) for one in ([{}] if own is None else own)]
    except (TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise _bad(path, str(error)) from error
    for said in facts:
        _check(path, said)
    return facts


def _check(path: Path, said: Mapping) -> None:
    if said.fact in _GRANTS and said.at is None:
        raise _bad(path, f"`at` is needed: nothing rests on a {said.fact} that nobody dated")
    if (said.fact == "form") != (said.form is not None):
        raise _bad(path, '`form`, the form\'s name, goes with `fact = "form"`')
    if said.boxes and said.form is None:
        raise _bad(path, "`boxes` go with a `form`")
    if said.fact == "nothing" and not said.where:
        raise _bad(path, '`where` is needed with `fact = "nothing"`: it says which rows state nothing')
    if said.others and not said.where:
        raise _bad(path, "`others` goes with a `where`: without one, every row states the fact")


def _bad(path: Path, reason: str) -> UnreadableInput:
    return UnreadableInput(
        "bad_mapping",
        f"{path.name}: {reason.rstrip('.')}.",
        "See docs/how-to/bring-other-files.md for what it may say.",
    )


class MappedFile(TableEvidence):
    """Rows of one kind of fact."""

    def __init__(
        self, table: Table, at: dict[str, tuple[int, ...]], said: Mapping, taken_on: datetime, times: TimeReader
    ) -> None:
        super().__init__(table, at, KIND, SYSTEM, taken_on, times)
        self.said = said
        self.may_stop = said.fact in _STOPS
        self.by_machine = False
        self._is_part = False

    def begin(self) -> None:
        """Look the columns up, and of confirmations whether one network address stands behind most."""
        self._email, self._at, self._at_time = self.cell("email"), self.cell("at"), self.when("at")
        self._id, self._words = self.cell("id"), self.cell("words")
        self._ip = self.cell("ip")
        self._boxes = [
            (token_of(column), column, word.strip().casefold(), self.cell(f"boxes.{column}"))
            for column, word in self.said.boxes.items()
        ]
        self._where = [(_matcher(words), self.cell(f"where.{column}")) for column, words in self.said.where.items()]

        if self.said.fact == "confirmation" and not self._is_part:
            self.by_machine = are_by_machine(self.came_from())

    @property
    def doubts(self) -> list[str]:
        """See `TableEvidence`."""
        return [*super().doubts, doubt(self.name)] if self.by_machine else super().doubts

    def came_from(self) -> Iterator[tuple[None, str]]:
        """The network address of each row that states this fact, at a time that can be read."""
        for _, cells in self.table.rows(lambda _: None):
            if self.is_of(cells) and self.time_of(cells) is not None:
                yield None, self._ip(cells)

    def share(self, whole: TableEvidence) -> None:
        """Read as a part of a file: what is found and rejected is that file's."""
        self._is_part = True
        self.found, self.wanted, self._reject = whole.found, whole.wanted, whole.reject
        self.begin()

    def is_of(self, cells: Sequence[str]) -> bool:
        """Whether a row states this fact."""
        return all(is_one_of(_word(cell(cells))) for is_one_of, cell in self._where)

    def looks_at(self, left: Departure) -> bool:
        """Whether its `where` speaks of what such a cell says. Of a status, `*` takes whatever stands there."""
        words = next((said for one, said in self.said.where.items() if one.casefold() == left.label.casefold()), None)
        return words is not None and (left.by_label or "*" not in words)

    def read_as(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """What a row of the file that this is a part of states."""
        self._row, self._standing = row, tuple(cells)
        return () if self.said.fact == "nothing" else self.read(row, cells)

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """The fact, and the boxes of a form."""
        email, span = self._email(cells), self.time_of(cells)
        said = self.said
        if span is None and said.fact in _GRANTS:
            self.refuse("at", "is not a time that this program can read, so nothing can rest on it")
            return ()
        words = self._words(cells)
        number = self._id(cells)
        key = number or digest(email.casefold(), moment(span), words, said.form or said.pipeline or "")
        if number and self.may_stop:  # a number may be that of a campaign or of a row: a stop is of its person and day
            key = digest(number, normal(email), moment(span))
        event = self._event(span, number)
        told = [Statement(email, None, event, f"{said.fact}:{key}", {"words": words} if words else None, row)]
        if said.form is not None and span is not None:
            told += self._answers(cells, said.form, key, span, told[0])
        return told

    def time_of(self, cells: Sequence[str]) -> Span | None:
        """When a row says that the fact happened."""
        cell = self._at(cells)
        if not cell or self.said.date_format is None:
            return self._at_time(cells)
        try:
            read = datetime.strptime(cell, self.said.date_format)  # noqa: DTZ007 - the reader knows the zone
        except ValueError:
            return None
        whole = not any(part in self.said.date_format for part in ("%H", "%I", "%c", "%X"))
        if read.tzinfo is not None:
            read = read.astimezone(UTC)
        return self._times.read(read.date().isoformat() if whole else read.isoformat(" "))

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
            common["by"] = "system" if self.by_machine else "data_subject"
            return e.DoubleOptInConfirmed(**common, via="mapped", verifies_channel="email")
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


def _matcher(words: str | list[str]) -> Callable[[str], bool]:
    """Whether a cell, its case apart, is one of the words; `*` is any that is filled."""
    known = {_word(word) for word in ([words] if isinstance(words, str) else words)}
    return lambda cell: cell in known or ("*" in known and bool(cell))


def _word(cell: str) -> str:
    """A word as it is compared: without case, letters that nobody sees, and what a program makes of a whole number."""
    text = unicodedata.normalize("NFKC", visible(cell)).casefold()
    whole = _WHOLE(text)
    return whole[1] if whole else text


class SeveralFacts(TableEvidence):
    """Rows of which each states what its columns say: every fact whose `where` is of it."""

    def __init__(self, parts: Sequence[MappedFile], times: TimeReader, *, others: Literal["nothing"] | None) -> None:
        first = parts[0]
        super().__init__(first.table, first.at, KIND, SYSTEM, first.taken_on, times)
        self._parts, self._others = parts, others
        self._by_machine = False
        self._who_left = who_left(self.table)
        self.may_stop = any(part.may_stop for part in parts)

    def begin(self) -> None:
        """Let every part look its columns up."""
        for part in self._parts:
            part.share(self)
        followed = [part for part in self._parts if part.said.fact == "confirmation"]
        self._by_machine = bool(followed) and (
            are_by_machine(self._confirmed(followed))
            or are_by_machine(address for part in followed for address in part.came_from())
        )
        for part in followed:
            part.by_machine = self._by_machine

    def _confirmed(self, followed: Sequence[MappedFile]) -> Iterator[tuple[timedelta, str]]:
        """How long after the sign-up of the same row each confirmation came."""
        signed_up = [part for part in self._parts if part.said.fact == "form"]
        for _, cells in self.table.rows(lambda _: None):
            for part, before in ((one, other) for one in followed for other in signed_up):
                if part.is_of(cells) and before.is_of(cells):
                    confirmed, opted_in = part.time_of(cells), before.time_of(cells)
                    if confirmed is not None and opted_in is not None:
                        yield confirmed.earliest - opted_in.earliest, ""

    @property
    def doubts(self) -> list[str]:
        """See `TableEvidence`."""
        return [*super().doubts, doubt(self.name)] if self._by_machine else super().doubts

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """Everything that the row states."""
        mine = [part for part in self._parts if part.is_of(cells)]
        if not mine and self._others is None:
            self.refuse(None, "no `where` of its mapping is of this row, so nobody can say what it states")
            return ()
        told = [one for part in mine for one in part.read_as(row, cells)]
        if not any(isinstance(one.event, e.Stop) for one in told):
            self._look_for_a_stop(mine, cells)
        return told

    def _look_for_a_stop(self, mine: Sequence[MappedFile], cells: Sequence[str]) -> None:
        """Reject a row of which a column says that somebody said no, where no `where` writes out what it says."""
        for left in self._who_left(cells):
            if not any(part.looks_at(left) for part in mine):
                reason = f"“{left.label}” says “{left.cell[:40]}”, and its mapping reads no opt-out from this row"
                self.refuse(None, reason, may_stop=True)
                return
