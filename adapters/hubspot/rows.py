"""One row of a contacts export, read: what each cell says, with unknown kept apart from no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any, cast

import msgspec

from adapters.addresses import addresses_in, is_address, own_and_others
from adapters.column_times import ColumnTimes
from adapters.encodings import UnreadableInput
from adapters.hubspot.findings import Findings
from adapters.hubspot.hints import CountryReader, Signs
from adapters.hubspot.labels import Columns, fold, says_left
from adapters.hubspot.values import UNKNOWN, Values
from adapters.hubspot.wordings import LABELS
from adapters.record_ids import is_rounded, record_id_of, record_ids_in, rounded
from adapters.tabular import Rejected, Table
from adapters.times import Span, TimeReader
from ledger.events import CountryHint
from ledger.spelling import normal

_CACHED = 50_000
_SIGNS = (
    "country",
    "country_code",
    "state",
    "ip_country",
    "ip_country_code",
    "ip_state",
    "phone",
    "language",
)
_UNREAD = object()
_PHONE = _SIGNS.index("phone")
_NAMES = frozenset(
    fold(label) for label in ("First Name", "Last Name", "Vorname", "Nachname", "Prénom", "Nom", "Nombre", "Apellidos")
)
"""Columns that name the person, in four languages; `firstname` and `lastname` fold to the same."""
_TIMES = ("deal_closed", "closed", "created", "modified")
_NO_TIME = "is not read as a time; taken as unknown"


_FOREIGN_FEW, _FOREIGN_SHARE = 5, 20
"""Cells of a column of opt-outs that are not understood refuse the file: so many, and more than one in so many."""
HELD = "is not understood; it may be an opt-out, so this contact is held"
SUSPECT = (
    "stands in a column that speaks of opting out and is not known here, so this contact is held; "
    "say what it is with --column NAME=opt_out or NAME=ignore"
)

SAYS_NO = (
    "is a word of people who opted out, in a column that is not known here, so this contact is held; "
    "say what it is with --column NAME=opt_out or NAME=ignore"
)


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record as the export shows it. None: the column is missing or the cell is not understood.

    file, row         where it stands; `row` as a spreadsheet counts
    record_id         as written; None without one
    records_merged    ids of records that were merged into this one
    email             valid, as written but trimmed; None where the cell is empty
    marketing         the HubSpot flag; `marketing_reason` a token of what set it, `..._name` which one
    legal_basis       claims of the field, sorted: `consent`, `interest_customer`, `interest_prospect`,
                      `interest_other`, `contract`, `other`; () says nothing. `double_opt_in` likewise:
                      `confirmation` or ()
    opted_out         of all e-mail; `opted_out_of` the types (as the header names them) shown opted out.
                      False means not shown as opted out, and is no consent
    unclear       columns that speak of opting out, with a cell that is not understood: it may be a no
    hides_opt_outs    no column of its file says who opted out
    quarantine        reasons as tokens; `hard_bounce` its reason; `invalid` the address was bad
    lifecycle, form_submissions, deal_closed, closed, source    carried on, never a basis
    raw               canonical bytes of the cells read, for a row hash
    twice_differing   the same record id stands elsewhere with other consent columns (see `Export.twice`)
    place             the row's place in all files of the input, counted on
    """

    file: str
    row: int
    record_id: str | None
    email: str | None
    raw: bytes
    emails_additional: tuple[str, ...] = ()
    records_merged: tuple[str, ...] = ()
    marketing: bool | None = None
    until_next_update: bool | None = None
    marketing_reason: str | None = None
    marketing_reason_name: str | None = None
    legal_basis: tuple[str, ...] | None = None
    double_opt_in: tuple[str, ...] | None = None
    opted_out: bool | None = None
    opted_out_of: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    hides_opt_outs: bool = False
    quarantined: bool | None = None
    quarantine: tuple[str, ...] = ()
    hard_bounce: str | None = None
    invalid: bool | None = None
    lifecycle: str | None = None
    form_submissions: int | None = None
    deal_closed: Span | None = None
    closed: Span | None = None
    created: Span | None = None
    modified: Span | None = None
    source: str | None = None
    hints: tuple[CountryHint, ...] = ()
    twice_differing: bool = False
    place: int = 0

    def consent_key(self) -> int:
        """Equal in this process for rows that say the same of consent, to the same address."""
        return hash(
            (
                self.email and normal(self.email),
                self.marketing,
                self.until_next_update,
                self.legal_basis,
                self.double_opt_in,
                self.opted_out,
                self.opted_out_of,
                self.unclear,
                self.quarantined,
                self.quarantine,
                self.hard_bounce,
                self.invalid,
            )
        )


@dataclass(slots=True)
class _Column:
    """How one column is read. `instead` is what a cell not understood is taken for; `effect` says so.

    holds  such a cell may be somebody's no: whoever's row it is, is held
    """

    name: str
    index: int
    read: Callable[[str], object]
    instead: Callable[[str], object]
    effect: str
    holds: bool = False
    memo: dict[str, object] = field(default_factory=dict)


class Readers:
    """What reads cells, shared by the tables of one export so that each value is understood once."""

    def __init__(self, times: TimeReader) -> None:
        self.values = Values()
        self.times = times
        self.countries = CountryReader()
        values = self.values
        unknown, stop = "is taken as unknown", "is not understood, so taken as yes"
        self.plan: dict[str, tuple[Callable[[str], object], Callable[[str], object], str]] = {
            "marketing": (values.marketing, _nothing, unknown),
            "until_next_update": (values.flag, _nothing, unknown),
            "marketing_reason": (values.source_type, _nothing, ""),
            "marketing_reason_name": (lambda cell: cell or None, _nothing, ""),
            "legal_basis": (
                self._basis,
                lambda cell: values.legal_basis(cell)[0],
                "is taken as another claim",
            ),
            "double_opt_in": (values.double_opt_in, lambda _: (), "is taken as not confirmed"),
            "opted_out": (values.flag, _nothing, HELD),
            "quarantined": (values.flag, _yes, stop),
            "quarantine_reason": (_optional(values.quarantine), _other, "is taken as another reason"),
            "quarantine_reason_manual": (_optional(values.quarantine), _other, "is taken as another reason"),
            "hard_bounce": (_optional(values.hard_bounce), _other, "is taken as another reason"),
            "hard_bounce_text": (_optional(values.hard_bounce), _other, ""),
            "invalid": (values.flag, _yes, stop),
            "lifecycle": (values.lifecycle, _nothing, ""),
            "form_submissions": (_count, _nothing, unknown),
            "source": (lambda cell: cell or None, _nothing, ""),
        }

    def _basis(self, cell: str) -> object:
        claims, known = self.values.legal_basis(cell)
        return claims if known else UNKNOWN


class RowReader:
    """Cells of one table -> `Row`, or the reason it is rejected."""

    def __init__(self, table: Table, columns: Columns, readers: Readers, findings: Findings) -> None:
        self._table, self._columns, self._readers, self._findings = table, columns, readers, findings
        at = columns.at
        self.times = ColumnTimes(table, readers.times)
        plan = [
            _Column(name, at[name], *readers.plan[name], name == "opted_out") for name in readers.plan if name in at
        ]
        plan += [
            _Column(name, at[name], partial(self._time, at[name]), _nothing, _NO_TIME) for name in _TIMES if name in at
        ]
        self._empty = {column.name: column.read("") for column in plan}
        self._plan = [(column.name, column.index, column.memo, column) for column in plan]
        self._types = [
            _Column(kind, index, readers.values.flag, _nothing, HELD, holds=True)
            for index, kind in sorted(columns.types, key=lambda found: found[1])
        ]
        self._suspects = [
            _Column(label, index, partial(_no_or_unknown, readers.values), _nothing, SUSPECT, holds=True)
            for index, label in columns.suspects
        ]
        self._suspects += [
            _Column(label, index, _departure, _nothing, SAYS_NO, holds=True) for index, label in columns.statuses
        ]
        self._unclear: list[str] = []
        self._flags = [column.index for column in self._types] + ([at["opted_out"]] if "opted_out" in at else [])
        self._filled: Counter[int] = Counter()
        self._foreign: dict[int, Counter[str]] = {}
        self._signs = [at.get(name) for name in _SIGNS]
        self._email = at["email"]
        self._record, self._more = at.get("record_id"), at.get("additional_emails")
        self._merged = [at[name] for name in ("merged_records", "merged_contacts") if name in at]
        self._ids = [place for place in (self._record, *self._merged) if place is not None]
        read = [name for name in LABELS if name in at]
        self._used = [at[name] for name in read] + [column.index for column in (*self._types, *self._suspects)]
        # which cells, and then the cells: the same words in other columns are another row
        named = "\x1f".join(read + [column.name for column in (*self._types, *self._suspects)])
        folded = [fold(label) for label in table.header]
        self._names = [folded.index(name) for name in sorted(_NAMES) if name in folded]
        self._raw_head = sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:16] + "\x1e"

    def _time(self, index: int, cell: str) -> object:
        return (self.times.read(cell, index) or UNKNOWN) if cell else None

    def unfit(self, number: int, cells: list[str]) -> Rejected | None:
        """Why a row cannot be taken in, if so. Raises as `read` does."""
        for place in self._ids:
            if is_rounded(cells[place]):
                raise rounded(self._table, number, place, cells[place])
        if self._columns.twins:
            self._same(number, [cell.strip() for cell in cells])
        email = cells[self._email].strip()
        if email and not is_address(email) and not addresses_in(email):
            label = self._table.header[self._email]
            return Rejected(self._table.name, number, label, "not an e-mail address", (tuple(cells),))
        return None

    def as_stop(self, rejected: Rejected) -> Rejected:
        """A row that was not taken in: it may show an opt-out."""
        return replace(rejected, may_stop=True, record_at=self._record)

    def count_flags(self, cells: list[str]) -> None:
        """Count which words of the columns of opt-outs are not understood: see `refuse_not_understood`."""
        for index in self._flags:
            cell = cells[index].strip()
            if cell:
                self._filled[index] += 1
                if self._readers.values.flag(cell) == UNKNOWN:
                    self._foreign.setdefault(index, Counter())[cell] += 1

    def refuse_not_understood(self) -> None:
        """Raise UnreadableInput for a column of opt-outs of which too many cells say something that nobody foresaw."""
        for index, words in self._foreign.items():
            if words.total() >= _FOREIGN_FEW and words.total() * _FOREIGN_SHARE > self._filled[index]:
                said = ", ".join(f"“{word[:40]}”" for word, _ in words.most_common(5))
                raise UnreadableInput(
                    "not_understood",
                    f"{self._table.name}: {words.total()} of {self._filled[index]} cells of "
                    f"“{self._table.header[index]}” are not understood, such as {said}.",
                    "Export the file again in a language that HubSpot has, or write yes and no there.",
                )

    def person(self, cells: list[str]) -> tuple[str, int]:
        """The address in the form it is known by, and a number equal in this process for one name; 0 without both.

        Names are compared within one run and kept nowhere.
        """
        email = normal(own_and_others(cells[self._email])[0] or "")
        name = "".join([cells[index] for index in self._names])
        return email, hash(fold(name)) if name and email else 0

    def identity(self, cells: list[str]) -> tuple[str | None, str, tuple[str, ...]]:
        """The record id, the address, and every address of the row, in the forms they are known by."""
        record = record_id_of(cells[self._record]) if self._record is not None else None
        email = normal(cells[self._email])
        more = () if self._more is None else tuple(normal(part) for part in cells[self._more].split(";"))
        return record, email, (email, *more)

    def read(self, number: int, cells: list[str], place: int = 0) -> Row | Rejected:
        """Read one row. Raises UnreadableInput for a record id that was rounded, and when two columns disagree."""
        cells = list(map(str.strip, cells))
        unfit = self.unfit(number, cells)
        if unfit is not None:
            return unfit
        email, others = own_and_others(cells[self._email])
        if others:
            label = self._table.header[self._email]
            self._findings.add(
                self._table.name,
                number,
                label,
                cells[self._email],
                "holds several addresses; all are taken for this contact's",
            )
        # most cells are empty, and what those say is known before the first row
        read = self._empty.copy()
        self._unclear = []
        for name, index, memo, column in self._plan:
            if cell := cells[index]:
                found = memo.get(cell, _UNREAD)
                read[name] = self._understand(column, number, cell) if found is _UNREAD else found
        if self._types:
            read["opted_out_of"] = self._left(number, cells)
        for column in self._suspects:
            if (cell := cells[column.index]) and cell not in column.memo:
                self._understand(column, number, cell)
        if self._unclear:
            read["unclear"] = tuple(self._unclear)
        self._fold_reasons(read)
        return Row(
            file=self._table.name,
            row=number,
            record_id=record_id_of(cells[self._record]) if self._record is not None else None,
            email=email,
            raw=(self._raw_head + "\x1f".join([cells[index] for index in self._used])).encode("utf-8", "surrogatepass"),
            emails_additional=(*others, *(self._additional(number, cells) if self._more is not None else ())),
            records_merged=tuple(dict.fromkeys(one for at in self._merged for one in record_ids_in(cells[at]))),
            hints=self._hints(number, cells, email),
            hides_opt_outs=self._columns.hides_opt_outs,
            place=place,
            **cast("Any", read),
        )

    def _fold_reasons(self, read: dict[str, object]) -> None:
        """Two quarantine columns, and two of hard bounces, say one thing each."""
        automatic, manual = read.pop("quarantine_reason", None), read.pop("quarantine_reason_manual", None)
        if automatic is not None or manual is not None:
            reasons = (reason for reason in (automatic, manual) if reason is not None)
            read["quarantine"] = tuple(dict.fromkeys(reasons))
        text = read.pop("hard_bounce_text", None)
        if text is not None and read.get("hard_bounce") is None:
            read["hard_bounce"] = text

    def _left(self, number: int, cells: list[str]) -> tuple[str, ...]:
        """The subscription types shown opted out of."""
        return tuple(
            column.name
            for column in self._types
            if (cell := cells[column.index]) and self._understand(column, number, cell)
        )

    def _understand(self, column: _Column, number: int, cell: str) -> object:
        """What a cell says, remembered; what nobody foresaw is a finding each time, so it is not."""
        found = column.read(cell)
        if found == UNKNOWN:
            if column.holds:
                self._unclear.append(self._table.header[column.index])
            if column.effect:
                label = self._table.header[column.index]
                self._findings.add(self._table.name, number, label, cell, column.effect)
            return column.instead(cell)
        if len(column.memo) < _CACHED:
            column.memo[cell] = found
        return found

    def _hints(self, number: int, cells: list[str], email: str | None) -> tuple[CountryHint, ...]:
        parts = ["" if index is None else cells[index] for index in self._signs]
        if parts[_PHONE]:
            parts[_PHONE] = self._readers.countries.dialling(parts[_PHONE])
        parts.append(email.rpartition(".")[2].lower() if email else "")
        hints = self._readers.countries.read(Signs._make(parts))
        if hints and hints[0].kind == "declared":
            return hints
        for index, part in zip(self._signs[:2], parts, strict=False):
            if part and index is not None:
                label = self._table.header[index]
                self._findings.add(
                    self._table.name, number, label, part, "is a country that this program does not know"
                )
        return hints

    def _additional(self, number: int, cells: list[str]) -> tuple[str, ...]:
        index = cast("int", self._more)
        if not cells[index]:
            return ()
        for part in map(str.strip, cells[index].split(";")):
            if part and not addresses_in(part):
                label = self._table.header[index]
                self._findings.add(self._table.name, number, label, part, "is not an e-mail address, so it is left out")
        return tuple(addresses_in(cells[index]))

    def _same(self, number: int, cells: Sequence[str]) -> None:
        for first, second, name in self._columns.twins:
            if cells[first] != cells[second]:
                labels = f"“{self._table.header[first]}” and “{self._table.header[second]}”"
                raise UnreadableInput(
                    "columns_disagree",
                    f"{self._table.name}: {labels} both say {name}, and differ in row {number}.",
                    "Remove the one that does not count, or map the other to it.",
                )


def _no_or_unknown(values: Values, cell: str) -> object:
    """Of a column that nobody has explained only an understood no is one."""
    return False if values.flag(cell) is False else UNKNOWN


def _departure(cell: str) -> object:
    """Of a column that may be of anything only a word of people who left is one."""
    return UNKNOWN if says_left(cell) else False


def _nothing(_: str) -> None:
    return None


def _yes(_: str) -> bool:
    return True


def _other(_: str) -> str:
    return "other"


def _optional(read: Callable[[str], str]) -> Callable[[str], object]:
    return lambda cell: read(cell) if cell else None


def _count(cell: str) -> object:
    if not cell:
        return None
    digits = cell.removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else UNKNOWN
