"""Read HubSpot contacts exports: `read_export(paths).rows()`.

Rows stream; what was read and what was not is known when they have all gone by. `look` lets them go by once
without reading them, so that an input that must be refused is refused before anything is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec

from adapters.dates import Order
from adapters.hubspot.findings import Finding, Findings
from adapters.hubspot.labels import Columns, fold, is_contacts_export, recognise, used
from adapters.hubspot.owners import Owners
from adapters.hubspot.provenance import Provenance
from adapters.hubspot.rows import Readers, Row, RowReader
from adapters.hubspot.wordings import LABELS
from adapters.tabular import Ask, Rejected, Table, UnreadableInput, open_tables, require_unique
from adapters.times import Span, TimeReader
from projections.verdicts import FileRead

__all__ = ["Export", "Finding", "Rejected", "Row", "UnreadableInput", "read_export"]

UNREADABLE_SHARE = 20
"""One row in so many may be rejected (5 %); a few always may, or no small file could be read."""
UNREADABLE_FEW = 3
_HASH = 0xFFFF_FFFF_FFFF_FFFF

_ELSEWHERE = {
    "recipient": "an e-mail recipients export",
    "dealname": "a deals export",
    "ticketname": "a tickets export",
    "companyname": "a companies export",
    "nombrededominiodelaempresa": "a companies export",
}


class Share(NamedTuple):
    """One of several equal shares of an export: all rows of a record id fall into the same one."""

    part: int = 0
    parts: int = 1

    def others(self, cells: list[str], columns: Columns) -> bool:
        """Whether the row belongs to another share."""
        if self.parts == 1:
            return False
        at = columns.at
        key = cells[at["record_id"]] if "record_id" in at else ""
        return crc32((key or cells[at["email"]]).strip().encode("utf-8", "surrogatepass")) % self.parts != self.part


WHOLE = Share()


@dataclass(slots=True)
class _Count:
    rows: int = 0
    records: int = 0
    without_address: int = 0
    rejected: int = 0
    first: Rejected | None = None

    def reject(self, rejected: Rejected, into: list[Rejected]) -> None:
        self.rows += 1
        self.rejected += 1
        self.first = self.first or rejected
        into.append(rejected)


class Look(NamedTuple):
    """What a first look at the rows tells, before any is read.

    rejected  rows that cannot be taken in, file by file
    shared    addresses, in the form they are known by, that stand beside the names of different people
    rows      of each file, those rejected included
    several   record ids that stand with different addresses, and these: whose they are cannot be told
    signs     of the portal that the rows are from, see `Provenance`
    """

    rejected: list[Rejected]
    shared: set[str]
    rows: list[int]
    several: dict[str, list[str]]
    signs: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Export:
    """Exports opened together, as one input.

    rejected  rows not taken in, in order; grows while `rows` is iterated
    twice     record ids that stand twice with differing consent columns; complete once `rows` has ended
    folded    rows that repeat another of the same record id in every cell read, and were passed over
    share     which rows `rows` reads, when several read one export
    forgiving any number of rows may be rejected: it is a page of an API, not a file somebody may have spoilt
    doubts    sentences about what was not certain; grows while `rows` is iterated
    newest    the latest `Last Modified Date` of all rows, or None without such a column; complete likewise
    """

    tables: tuple[tuple[Table, Columns], ...]
    times: TimeReader
    rejected: list[Rejected] = field(default_factory=list)
    twice: set[str] = field(default_factory=set)
    folded: int = 0
    newest: Span | None = None
    share: Share = WHOLE
    forgiving: bool = False
    doubts: list[str] = field(default_factory=list)
    _place: int = 0
    _findings: Findings = field(default_factory=Findings)
    _counts: list[_Count] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def without_opt_outs(self) -> list[str]:
        """Files of which no column is known to say who opted out."""
        return [table.name for table, columns in self.tables if columns.hides_opt_outs]

    @property
    def findings(self) -> list[Finding]:
        """Cells that were not understood, by file, column and value; grows while `rows` is iterated."""
        return list(self._findings)

    @property
    def files(self) -> list[FileRead]:
        """What was read from each file so far, and which columns were used, left out, missing."""
        counts = self._counts or [_Count() for _ in self.tables]
        return [_file_read(table, columns, count) for (table, columns), count in zip(self.tables, counts, strict=True)]

    def look(self) -> Look:
        """Look at every row's shape, address and name once, so that a file to be refused is refused before
        anything is made of its rows. A fraction of the cost of reading them. Raises what `rows` raises.
        """
        rejected: list[Rejected] = []
        people: dict[int, int] = {}
        shared: set[str] = set()
        owners, signs = Owners(), set[tuple[str, str]]()
        rows = []
        for table, columns in self.tables:
            reader = RowReader(table, columns, Readers(self.times), Findings())
            provenance = Provenance(table.header, columns)
            count = _Count()

            def reject(bad: Rejected, reader: RowReader = reader, count: _Count = count) -> None:
                count.reject(reader.as_stop(bad), rejected)

            for number, cells in table.rows(reject):
                unfit = reader.unfit(number, cells)
                if unfit is not None:
                    reject(unfit)
                    continue
                count.rows += 1
                email, name = reader.person(cells)
                if name and people.setdefault(hash(email), name) != name:
                    shared.add(email)
                owners.see(*reader.identity(cells))
                provenance.see(cells)
                reader.count_flags(cells)
            reader.refuse_not_understood()
            _refuse_unreadable(table.name, count)
            rows.append(count.rows)
            signs.update(provenance.signs())
        return Look(rejected, shared, rows, owners.several, frozenset(signs))

    def forget_rows(self) -> None:
        """Let go of what told rows apart, once all have gone by; `twice` stays."""
        self._seen.clear()

    def rows(self) -> Iterator[Row]:
        """Every record, file by file; each iteration starts afresh, but keeps `twice` and `newest`.

        Raises UnreadableInput: `too_many_rejected` at the end of a file of which more than one row in
        twenty could not be taken in, `columns_disagree`, `cannot_read`.
        """
        self.rejected.clear()
        self._findings.clear()
        self.doubts.clear()
        self._seen.clear()
        self.folded = self._place = 0
        self._counts = [_Count() for _ in self.tables]
        readers = Readers(self.times)
        for (table, columns), count in zip(self.tables, self._counts, strict=True):
            yield from self._rows_of(table, columns, readers, count)
            if not self.forgiving:
                _refuse_unreadable(table.name, count)

    def _rows_of(self, table: Table, columns: Columns, readers: Readers, count: _Count) -> Iterator[Row]:
        reader = RowReader(table, columns, readers, self._findings)

        def reject(rejected: Rejected) -> None:
            count.reject(rejected, self.rejected)

        for number, cells in table.rows(reject):
            self._place += 1
            if self.share.others(cells, columns):
                continue
            row = reader.read(number, cells, self._place)
            if isinstance(row, Rejected):
                reject(row)
                continue
            count.rows += 1
            if row.record_id is not None:
                if self._repeats(row, row.record_id):
                    self.folded += 1
                    continue
                if row.record_id in self.twice:
                    row = msgspec.structs.replace(row, twice_differing=True)
            count.records += 1
            count.without_address += row.email is None
            if row.modified is not None and (self.newest is None or row.modified.latest > self.newest.latest):
                self.newest = row.modified
            yield row
        self.doubts += reader.times.doubts

    def _repeats(self, row: Row, record_id: str) -> bool:
        """Whether the record has gone by in the same words; if in others, note it in `twice`."""
        # one integer of two hashes: a quarter of a million records have to fit in memory
        consent = row.consent_key() & _HASH
        both = consent << 64 | hash(row.raw) & _HASH
        before = self._seen.setdefault(record_id, both)
        if before is both:
            return False
        if before >> 64 != consent:
            self.twice.add(record_id)
        return before == both


def read_export(
    paths: Iterable[Path],
    *,
    encoding: str | None = None,
    timezone: ZoneInfo | None = None,
    ask: Ask | None = None,
    names: Mapping[str, str] | None = None,
    order: Order | None = None,
    until: datetime | None = None,
) -> Export:
    """Open exports: CSV files, or ZIPs of them.

    encoding, ask  see `adapters.tabular.open_tables`
    timezone       of the portal; without it a time of day is known to within 26 hours
    order, until   see `adapters.times.TimeReader`
    names          header cell -> property of `wordings.LABELS`, for headers nobody foresaw
    Raises UnreadableInput: what `open_tables` raises, and no_email_column, not_a_contacts_export,
    repeated_column, unknown_property.
    """
    mapped = {label.strip().casefold() for label in names or ()}
    tables = []
    for path in paths:
        for table in open_tables(path, encoding=encoding, ask=ask):
            columns = recognise(table.header, names)
            _refuse_other_exports(table, columns)
            require_unique(table, lambda label: label.casefold() in mapped or used(label))
            tables.append((table, columns))
    return Export(tuple(tables), TimeReader(timezone, order, until))


def _refuse_other_exports(table: Table, columns: Columns) -> None:
    folded = {fold(label) for label in table.header}
    kind = next((kind for label, kind in _ELSEWHERE.items() if label in folded), None)
    if "email" not in columns.at:
        said = f"{table.name} looks like {kind}" if kind else f"{table.name} has no e-mail column"
        raise UnreadableInput(
            "no_email_column",
            f"{said}; its columns are: {', '.join(label[:40] for label in table.header[:12])}.",
            "Export contacts with the property Email, or say which column it is with --column.",
        )
    if not is_contacts_export(columns):
        raise UnreadableInput(
            "not_a_contacts_export",
            f"{table.name} has an e-mail column and nothing else a HubSpot contacts export has.",
            "Export contacts with all properties, or say what its columns are with --column.",
        )


def _refuse_unreadable(name: str, count: _Count) -> None:
    allowed = max(UNREADABLE_FEW, count.rows // UNREADABLE_SHARE)
    if count.first is None or (count.rejected <= allowed and count.rejected < count.rows):
        return
    first = count.first
    where = f"row {first.row}" + (f", column “{first.column}”" if first.column else "")
    raise UnreadableInput(
        "too_many_rejected",
        f"{count.rejected} of {count.rows} rows of {name} cannot be taken in; the first is {where}: {first.reason}.",
        "Export again rather than saving from a spreadsheet; check the encoding and the e-mail column.",
    )


def _file_read(table: Table, columns: Columns, count: _Count) -> FileRead:
    left_out = set(columns.left_out)
    return FileRead(
        name=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        delimiter=table.delimiter,
        language=columns.language,
        rows=count.rows,
        records=count.records,
        without_address=count.without_address,
        rejected=count.rejected,
        encoding_assumed=table.assumed,
        columns_used=tuple(label for label in table.header if label and label not in left_out),
        columns_left_out=columns.left_out,
        columns_missing=tuple(_english(name) for name in columns.missing),
    )


def _english(name: str) -> str:
    internal, english, *_ = LABELS.get(name, ("", "Opted out of email: …"))
    return english.partition("|")[0] or internal
