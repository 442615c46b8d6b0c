"""What every reader of a file of evidence does: rows gone by, addresses looked at, times understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from adapters.addresses import is_address
from adapters.layouts import Places
from adapters.record_ids import record_id_of, require_whole_ids
from adapters.statements import Found, NameFound, Reject, Statement, Wanted
from adapters.tabular import Rejected, Table
from adapters.times import Span, TimeReader
from adapters.tokens import token_of
from ledger.events import Stop

RECORD_FIELDS = ("record", "contacts", "deal")
"""Fields that hold record ids."""
_MADE = re.compile(r"([-_ ]*(\(\d+\)|\d{4}-\d{2}-\d{2}([-_ T]\d+)*))+$")
Cell = Callable[[Sequence[str]], str]
"""Takes a field out of a row, trimmed; an absent one reads as empty."""

NOT_AN_ADDRESS = "not an e-mail address"
NOBODY = "names nobody: neither an e-mail address nor a record id"
LOST = "; a stop that reaches nobody: find out whose it is, and record it by hand"


def _passed_over(_: Rejected) -> None:
    """Where nobody has asked for the rows yet."""


class TableEvidence:
    """A table of evidence; see `adapters.statements.Evidence`. A kind says in `read` what its rows state."""

    def __init__(self, table: Table, at: Places, kind: str, system: str, taken_on: datetime, times: TimeReader) -> None:
        self.table, self.at = table, at
        self.name, self.sha256 = table.name, table.sha256
        self.kind, self.system, self.taken_on = kind, system, taken_on
        self.source = f"{system}.{kind}"
        self.rows = 0
        self.found = Found()
        self.wanted = Wanted()
        self._times = times
        self._reject: Reject = _passed_over
        self._row = 0

    @property
    def doubts(self) -> list[str]:
        """What a person has to know of the file as a whole, once it was read."""
        return []

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
            self._row = row
            told = self.read(row, cells)
            if told:
                yield from self.reachable(told)
        yield from self.reachable(self.end())

    def raw(self) -> Iterator[tuple[int, list[str]]]:
        """The rows, and how they are counted."""

        def reject(rejected: Rejected) -> None:
            self.rows += 1
            self._reject(rejected)

        yield from self.table.rows(reject)

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
            if not one.email:
                if one.record_id:
                    yield one._replace(email=None)
                    continue
                reason = NOBODY
            elif is_address(one.email):
                yield one
                continue
            else:
                inner = address_in(one.email)
                if inner or one.record_id:
                    yield one._replace(email=inner)
                    continue
                reason = NOT_AN_ADDRESS
            lost[one.row] = (reason, isinstance(one.event, Stop) or lost.get(one.row, ("", False))[1])
        for row, (reason, stop) in lost.items():
            self._reject(Rejected(self.name, row, self.label("email"), reason + LOST * stop))

    def refuse(self, field: str | None, reason: str) -> None:
        """Reject the row being read."""
        self._reject(Rejected(self.name, self._row, self.label(field) if field else None, reason))

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

    def span(self, cell: str) -> Span | None:
        """The time a cell states, if it states one."""
        return self._times.read(cell) if cell else None


def address_in(cell: str) -> str | None:
    """The address in `Ada <ada@example.com>`, `Ada (ada@example.com)` or `mailto:ada@example.com`, or None."""
    text = cell.strip().rstrip(">)").removeprefix("mailto:")
    inner = text[max(text.rfind("<"), text.rfind("(")) + 1 :].strip()
    return inner if is_address(inner) else None


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
