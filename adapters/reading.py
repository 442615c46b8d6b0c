"""What every reader of a file of evidence does: rows gone by, addresses looked at, times understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from adapters.addresses import address_of, addresses_in
from adapters.column_times import ColumnTimes
from adapters.layouts import Places
from adapters.record_ids import record_id_of, require_whole_ids
from adapters.statements import Found, NameFound, Reject, Statement, Wanted
from adapters.tabular import Rejected, Table
from adapters.times import Span, TimeReader
from adapters.tokens import token_of
from adapters.wides import wides_in
from ledger.events import Stop
from ledger.spelling import normal
from ledger.standing import Wide

RECORD_FIELDS = ("record", "contacts", "deal")
"""Fields that hold record ids."""
_MADE = re.compile(r"([-_ ]*(\(\d+\)|\d{4}-\d{2}-\d{2}([-_ T]\d+)*))+$")
Cell = Callable[[Sequence[str]], str]
"""Takes a field out of a row, trimmed; an absent one reads as empty."""
When = Callable[[Sequence[str]], Span | None]
"""Takes the time that a field of a row states, if it states one."""

SWALLOWED = "one cell holds several lines with addresses, which may be rows of their own; is a quote not closed?"
NOT_AN_ADDRESS = "not an e-mail address"
NOT_CLEAR = "not one clear e-mail address: what is no stop counts only for an address that stands alone"
NOBODY = "names nobody: neither an e-mail address nor a record id"


def _passed_over(_: Rejected) -> None:
    """Where nobody has asked for the rows yet."""


class TableEvidence:
    """A table of evidence; see `adapters.statements.Evidence`. A kind says in `read` what its rows state.

    may_stop  a row of this kind that cannot be read may be somebody's stop
    """

    may_stop = True

    def __init__(self, table: Table, at: Places, kind: str, system: str, taken_on: datetime, times: TimeReader) -> None:
        self.table, self.at = table, at
        self.name, self.sha256 = table.name, table.sha256
        self.kind, self.system, self.taken_on = kind, system, taken_on
        self.source = f"{system}.{kind}"
        self.rows = 0
        self.found = Found()
        self.wanted = Wanted()
        self._times = times
        self._in_columns = ColumnTimes(table, times)
        self._reject: Reject = _passed_over
        self._row = 0
        self._standing: tuple[str, ...] = ()

    @property
    def doubts(self) -> list[str]:
        """What was not certain in it as a whole, as sentences; complete once its statements have gone by."""
        return self._in_columns.doubts

    @property
    def size(self) -> int:
        """Bytes of its file."""
        return self.table.size

    def check_ids(self) -> None:
        """Raise UnreadableInput where a spreadsheet has rounded record ids: before anything is made of a row."""
        require_whole_ids(self.table, (place for name in RECORD_FIELDS for place in self.at.get(name, ())))

    def statements(self, wanted: Wanted, reject: Reject) -> Iterator[Statement]:
        """Every fact of the file, in order; rows not understood go to `reject`."""
        self.wanted, self._reject, self.rows = wanted, reject, 0
        for names in (self.found.forms, self.found.pipelines, self.found.types, self.found.campaigns, self.found.lists):
            names.clear()
        self.found.numbers.clear()
        self.begin()
        for row, cells in self.raw():
            self.rows += 1
            self._row, self._standing = row, tuple(cells)
            told = self.read(row, cells)
            if told:
                yield from self.reachable(told)
            if self.may_stop and any("\n" in cell or "\r" in cell for cell in cells):
                self._look_within(row, cells, told)
        yield from self.reachable(self.end())

    def raw(self) -> Iterator[tuple[int, list[str]]]:
        """The rows, and how they are counted."""

        yield from self.table.rows(self._unread)

    def _unread(self, rejected: Rejected) -> None:
        """Take note of a row that is not even cells."""
        self.rows += 1
        self._reject(replace(rejected, may_stop=self.may_stop, record_at=self._record_at))

    def _look_within(self, row: int, cells: Sequence[str], told: Sequence[Statement]) -> None:
        """A cell of several lines may be rows that a quote swallowed: whoever stands there may have said no as well."""
        stated = {
            normal(address) for one in told if isinstance(one.event, Stop) for address in addresses_in(one.email or "")
        }
        lines = [line for cell in cells for line in cell.splitlines()[1:]]
        named = tuple((line,) for line in lines if any(normal(one) not in stated for one in addresses_in(line)))
        if named:
            self._reject(Rejected(self.name, row, None, SWALLOWED, named, may_stop=True))

    def begin(self) -> None:
        """Forget what an earlier iteration learnt."""

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """What a row states, its e-mail address not looked at yet."""
        raise NotImplementedError

    def end(self) -> Sequence[Statement]:
        """What is known only when all rows have gone by."""
        return ()

    def reachable(self, told: Iterable[Statement]) -> Iterator[Statement]:
        """The statements that say whom they are about; the others are rejected, one line a row."""
        lost: dict[int, tuple[str, bool]] = {}
        for one in told:
            if one.record_id:
                one = one._replace(record_id=record_id_of(one.record_id))
            people = _addressed(one)
            if isinstance(people, str):
                lost[one.row] = (people, isinstance(one.event, Stop) or lost.get(one.row, ("", False))[1])
            else:
                yield from people
        for row, (reason, stop) in lost.items():
            self._reject(self._rejected(row, "email", reason, may_stop=stop))

    def reject(self, rejected: Rejected) -> None:
        """Take a row that a part of this reader rejects."""
        self._reject(rejected)

    def refuse(self, field: str | None, reason: str, *, may_stop: bool | None = None) -> None:
        """Reject the row being read. `may_stop`: it may be somebody's stop; as rows of its kind, if nothing is said."""
        self._reject(self._rejected(self._row, field, reason, self.may_stop if may_stop is None else may_stop))

    def _rejected(self, row: int, field: str | None, reason: str, may_stop: bool) -> Rejected:
        lines = (self._standing,) if row == self._row else ()
        label = self.label(field) if field else None
        return Rejected(self.name, row, label, reason, lines, may_stop, self._record_at)

    @property
    def _record_at(self) -> int | None:
        return next((self.at[field][0] for field in ("record", "contacts") if field in self.at), None)

    def label(self, field: str) -> str | None:
        """How the file itself names a field."""
        return self.table.header[self.at[field][0]] if field in self.at else None

    def cell(self, field: str) -> Cell:
        """The reader of one field."""
        columns = self.at.get(field, ())
        if not columns:
            return lambda _: ""
        if len(columns) == 1:
            only = columns[0]
            return lambda cells: cells[only].strip()
        return lambda cells: next((text for index in columns if (text := cells[index].strip())), "")

    def when(self, field: str) -> When:
        """The reader of one field's times: of the first of its columns that a row fills."""
        columns = self.at.get(field, ())

        def first_filled(cells: Sequence[str]) -> Span | None:
            filled = next((index for index in columns if cells[index].strip()), None)
            return None if filled is None else self.time_in(cells, filled)

        return first_filled

    def time_in(self, cells: Sequence[str], index: int) -> Span | None:
        """The time a cell states, if it states one, by how its column writes what one cell does not settle."""
        return self._in_columns.read(cells[index].strip(), index)


def _addressed(one: Statement) -> Sequence[Statement] | str:
    """The statement for everybody whom it is about, or why it can be about nobody.

    A stop is about every address that its cell may mean; anything else about one that is clear.
    """
    if not one.email:
        return [one._replace(email=None)] if one.record_id or one.wide else NOBODY
    if isinstance(one.event, Stop):
        found = addresses_in(one.email)
        also = [one._replace(email=it, source_id=f"{one.source_id}:{digest(normal(it))}") for it in found[1:]]
        wide = [] if found == [one.email] else [of_wide(one, it) for it in wides_in(one.email)]
        if found or wide:
            return [*(one._replace(email=it) for it in found[:1]), *also, *wide]
        return [one._replace(email=None)] if one.record_id else NOT_AN_ADDRESS
    clear = address_of(one.email)
    if clear is None and addresses_in(one.email):
        return NOT_CLEAR
    return [one._replace(email=clear)] if clear or one.record_id else NOT_AN_ADDRESS


def of_wide(one: Statement, wide: Wide) -> Statement:
    """A stop as one of everybody at a domain, or of whoever is behind a digest."""
    return one._replace(email=None, record_id=None, source_id=f"{one.source_id}:{digest(*wide)}", wide=wide)


def undated(title: str) -> str:
    """What a file is called, without the day it was made and the number of the download: the same next time."""
    return _MADE.sub("", title.removeprefix("hubspot-form-submissions-")).strip() or title


def happened(span: Span, captured_by: str | None) -> dict[str, Any]:
    """The clocks of a fact whose time its source states: the source held it by the end of that time."""
    return {
        "occurred_from": span.earliest,
        "occurred_to": None if span.latest == span.earliest else span.latest,
        "precision": span.precision,
        "captured_at": span.latest if captured_by else None,
        "captured_by": captured_by,
    }


UNDATED: dict[str, Any] = {"precision": "unknown"}
"""The clocks of a fact nobody dated. It holds nothing that differs from one file to the next."""


def clocks(span: Span | None, captured_by: str | None) -> dict[str, Any]:
    """The clocks of a fact that counts without a time as well."""
    return UNDATED if span is None else happened(span, captured_by)


def by_then(span: Span | None, captured_by: str) -> dict[str, Any]:
    """The clocks of what had happened by then, and nobody says when."""
    if span is None:
        return UNDATED
    return {
        "occurred_to": span.latest,
        "precision": "unknown",
        "captured_at": span.latest,
        "captured_by": captured_by,
    }


def digest(*parts: object) -> str:
    """A source id of what a row says, where the source gives none."""
    # never part of an event: the log holds a keyed hash of it
    return blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def moment(span: Span | None) -> str:
    """A time as part of a source id: the same however it was written."""
    return "" if span is None else f"{span.earliest.timestamp()}/{span.latest.timestamp()}"


def count(names: dict[str, NameFound], name: str, span: Span | None) -> None:
    """Note that a name was seen, and when."""
    key = token_of(name)
    seen = names.get(key)
    if seen is None:
        seen = names[key] = NameFound(name)
    seen.count += 1
    if span is not None:
        day = span.earliest.date()
        seen.first = day if seen.first is None or day < seen.first else seen.first
        seen.last = day if seen.last is None or day > seen.last else seen.last
