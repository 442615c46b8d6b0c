"""Which file is which: every input known by its header, contacts exports apart from evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adapters.dates import Order
from adapters.encodings import Ask
from adapters.folders import LISTED, Seen, files_in
from adapters.hubspot.evidence import evidence_of, kinds_said
from adapters.hubspot.labels import Columns, is_contacts_export, recognise
from adapters.mailchimp.audience import LAYOUT as AUDIENCE
from adapters.mailchimp.audience import audience_of
from adapters.mapped import ENDING, mapped_of, mapping_beside
from adapters.reading import TableEvidence
from adapters.stated import SAYS as SUPPRESSIONS
from adapters.stated import stated_of, statuses_of
from adapters.statements import Evidence, Wanted
from adapters.stop_titles import is_named_for_stops
from adapters.stops import stops_of
from adapters.tabular import Rejected, Table, UnreadableInput, open_tables
from adapters.times import TimeReader

_CONTACTS_ALONE = {"marketing", "legal_basis", "lifecycle", "double_opt_in", "quarantined", "until_next_update"}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of one run. `contacts`: HubSpot contacts exports; `evidence`: everything else, opened.

    seen  what became of every file that was come across
    """

    contacts: list[Path] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)


class _How(NamedTuple):
    """How files are read; see `sort_inputs`."""

    encoding: str | None
    ask: Ask | None
    names: Mapping[str, str]
    times: TimeReader


def sort_inputs(
    paths: Sequence[Path],
    *,
    encoding: str | None = None,
    timezone: ZoneInfo | None = None,
    ask: Ask | None = None,
    stops: Sequence[Path] = (),
    names: Mapping[str, str] | None = None,
    order: Order | None = None,
    until: datetime | None = None,
    evidence_map: Path | None = None,
) -> Inputs:
    """Open every file and folder given, and say what each is.

    A file that is named is read, or refuses the run; of a folder or an archive what is known is read, and the rest
    is listed with what became of it.

    stops         plain lists of objections, whatever their header says, be they among `paths` or not
    evidence_map  the map in use, for where it is come across
    timezone      of times without one; `order`, `until`: see `adapters.times.TimeReader`
    encoding      likewise `ask` and `names`: see `adapters.hubspot.export.read_export`
    Raises UnreadableInput: what `open_tables` and the readers raise, unknown_kind, ambiguous, mixed, nothing_known.
    """
    inputs = Inputs()
    how = _How(encoding, ask, names or {}, TimeReader(timezone, order, until))
    listed = [path.resolve() for path in stops]
    given = [path.resolve() for path in paths]
    for path in dict.fromkeys(paths):
        if path.is_dir():
            for child in files_in(path, inputs.seen, given, listed, evidence_map):
                _take_child(inputs, child, how)
        elif path.resolve() not in listed:
            _take(inputs, path, how)
    for path in stops:
        tables = open_tables(path, encoding=encoding, ask=ask, may_be_empty=True)
        for table in tables:
            inputs.evidence.append(stops_of(table, _taken_on(path), how.times))
            inputs.seen.opened(table)
    if paths and not (inputs.contacts or inputs.evidence):
        raise _nothing_known(paths, inputs.seen)
    return inputs


def refuse_unused(inputs: Inputs) -> None:
    """Raise UnreadableInput (nothing_used) for a file of evidence of which every row would be rejected.

    Nothing of it would be looked at, and it is not to seem so. Each file is read up to its first row that says
    something.
    """
    for file in map(copy, inputs.evidence):  # a file that was read does not go into another process
        rejected: list[Rejected] = []
        if next(file.statements(Wanted(), rejected.append), None) is None and 0 < len(rejected) == file.rows:
            raise _unused(file, rejected[0])


def _unused(file: Evidence, first: Rejected) -> UnreadableInput:
    where = f"row {first.row}" + (f", column “{first.column}”" if first.column else "")
    none = "its only row could not be used" if file.rows == 1 else f"none of its {file.rows} rows could be used"
    return UnreadableInput(
        "nothing_used",
        f"{file.name}: {none}, so nothing was recorded; the first is {where}: {first.reason}.",
        "Mend the file or export it again; if it holds nothing that counts, leave it out.",
    )


def _take_child(inputs: Inputs, path: Path, how: _How) -> None:
    """Read a file of a folder, if it is known; else list it."""
    try:
        _take(inputs, path, how, named=False)
    except UnreadableInput as error:
        if error.code not in LISTED:
            raise
        inputs.seen.refused(path, error)


def _take(inputs: Inputs, path: Path, how: _How, *, named: bool = True) -> None:
    """Read a file. `named`: somebody gave it by its name, and it has to be known."""
    seen = inputs.seen
    tables = open_tables(
        path,
        encoding=how.encoding,
        ask=how.ask,
        may_be_empty=True,
        passed=lambda member: seen.passed(path, member),
    )
    taken_on, mapping = _taken_on(path), mapping_beside(path)
    if mapping is not None:
        for table in tables:
            inputs.evidence.append(mapped_of(table, mapping, taken_on, how.times))
            seen.read(table, "mapped")
        return
    found: list[tuple[Table, Evidence | None]] = []
    unknown: list[tuple[Table, UnreadableInput]] = []
    for table in tables:
        try:
            found.append((table, _evidence(table, taken_on, how.times, how.names)))
        except UnreadableInput as error:
            if error.code not in LISTED:
                raise
            unknown.append((table, error))
    if unknown and named and (not found or unknown[0][0].archive_sha256 is None):
        raise unknown[0][1]
    contacts = [table for table, one in found if one is None]
    if contacts and (unknown or len(contacts) < len(found)):
        raise UnreadableInput(
            "mixed", f"{path.name} holds contacts and other tables.", "Save each of them as a file of its own."
        )
    if contacts:
        inputs.contacts.append(path)
    for table, one in found:
        if one is not None:
            inputs.evidence.append(one)
        seen.read(table, one.kind if one is not None else "export")
    for table, why in unknown:
        seen.unknown(table, why, path, sheet=sum(one.sha256 == table.sha256 for one in tables) > 1)


def _nothing_known(paths: Sequence[Path], seen: Seen) -> UnreadableInput:
    lines = "".join(f"\n  {one.name}: {one.became}" for one in seen.files)
    names = ", ".join(path.name for path in paths)
    return UnreadableInput(
        "nothing_known", f"{names}: we recognise none of its files.{lines}\n", "Give the contacts export."
    )


def _taken_on(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _evidence(table: Table, taken_on: datetime, times: TimeReader, names: Mapping[str, str]) -> Evidence | None:
    """The reader of a table; None for a contacts export."""
    columns = recognise(table.header, names)
    contacts = "email" in columns.at and is_contacts_export(columns)
    said = {label.strip().casefold() for label in names}
    by_hand = any(label.casefold() in said for label in table.header)
    if contacts and (by_hand or ("record_id" in columns.at and _CONTACTS_ALONE & set(columns.at))):
        _refuse_ambiguous(table, columns)
        return None
    found: TableEvidence | None = (
        audience_of(table, taken_on, times)
        or stated_of(table, taken_on, times)
        or evidence_of(table, taken_on, times)
        or (None if contacts else statuses_of(table, taken_on, times))
    )
    if found is not None:
        found.check_ids()
        return found
    if contacts:
        return None
    raise _unknown(table, columns)


def _refuse_ambiguous(table: Table, columns: Columns) -> None:
    """A list of contacts named for opt-outs that shows none: is it who they are, or that they said no?"""
    if is_named_for_stops(table.title) and "opted_out" not in columns.at and not columns.types:
        raise UnreadableInput(
            "ambiguous",
            f"{table.name} is named as an opt-out list and looks like a contacts export.",
            "If everybody in it said no, give it with --stops; if not, give it another name.",
        )


def _unknown(table: Table, columns: Columns) -> UnreadableInput:
    labels = ", ".join(label[:40] for label in table.header[:12] if label)
    if "email" in columns.at and len([label for label in table.header if label]) == 1:
        return UnreadableInput(
            "ambiguous",
            f"{table.name} is a bare list of e-mail addresses, and nothing says what it is of.",
            "If these people said no, give it with --stops; otherwise bring the file that shows what they did.",
        )
    kinds = "; ".join((*dict.fromkeys(kinds_said()), AUDIENCE.says, SUPPRESSIONS, "contacts: Record ID, Email"))
    return UnreadableInput(
        "unknown_kind",
        f"We do not recognise {table.name}. Its columns are: {labels}.",
        f"It could be one of these, with the columns named: {kinds}. For any other, write a mapping beside it: "
        f"{table.title}{ENDING}. A list of objections goes with --stops.",
    )
