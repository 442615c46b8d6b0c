"""Which file is which: every input known by its header, contacts exports apart from evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.encodings import Ask
from adapters.hubspot.evidence import evidence_of, kinds_said
from adapters.hubspot.labels import Columns, is_contacts_export, recognise
from adapters.hubspot.unsubscribes import is_opt_out_list
from adapters.mailchimp.audience import LAYOUT as AUDIENCE
from adapters.mailchimp.audience import audience_of
from adapters.mapped import ENDING, mapped_of, mapping_beside
from adapters.sources import DOCUMENTS
from adapters.statements import Evidence
from adapters.stops import stops_of
from adapters.tabular import Table, UnreadableInput, open_tables
from adapters.times import TimeReader

_CONTACTS_ALONE = {"marketing", "legal_basis", "lifecycle", "double_opt_in", "quarantined", "until_next_update"}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of one run. `contacts`: HubSpot contacts exports; `evidence`: everything else, opened."""

    contacts: list[Path] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)


def sort_inputs(
    paths: Sequence[Path],
    *,
    encoding: str | None = None,
    timezone: ZoneInfo | None = None,
    ask: Ask | None = None,
    stops: Sequence[Path] = (),
    names: Mapping[str, str] | None = None,
) -> Inputs:
    """Open every file and folder given, and say what each is.

    stops     plain lists of objections, whatever their header says, be they among `paths` or not
    timezone  of times without one; `encoding`, `ask`, `names`: see `adapters.hubspot.export.read_export`
    Raises UnreadableInput: what `open_tables` and the readers raise, unknown_kind, ambiguous, mixed.
    """
    inputs, times = Inputs(), TimeReader(timezone)
    listed = {path.resolve() for path in stops}
    for path in [found for given in paths for found in _files(given) if found.resolve() not in listed]:
        tables = open_tables(path, encoding=encoding, ask=ask, may_be_empty=True)
        taken_on, mapping = _taken_on(path), mapping_beside(path)
        if mapping is not None:
            inputs.evidence.extend(mapped_of(table, mapping, taken_on, timezone) for table in tables)
            continue
        found = [_evidence(table, taken_on, times, names or {}) for table in tables]
        inputs.evidence.extend(one for one in found if one is not None)
        if None not in found:
            continue
        if any(one is not None for one in found):
            raise UnreadableInput(
                "mixed", f"{path.name} holds contacts and other tables.", "Save each of them as a file of its own."
            )
        inputs.contacts.append(path)
    for path in stops:
        tables = open_tables(path, encoding=encoding, ask=ask, may_be_empty=True)
        inputs.evidence.extend(stops_of(table, _taken_on(path), times) for table in tables)
    return inputs


def _files(path: Path) -> Iterator[Path]:
    """The file, or those of a folder in name order, without hidden ones and documents."""
    if not path.is_dir():
        yield path
        return
    for child in sorted(path.iterdir(), key=lambda found: found.name):
        if child.is_file() and not child.name.startswith((".", "~$")) and not child.name.lower().endswith(DOCUMENTS):
            yield child


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
    found = audience_of(table, taken_on) or evidence_of(table, taken_on, times)
    if found is not None:
        found.check_ids()
        return found
    if contacts:
        return None
    raise _unknown(table, columns)


def _refuse_ambiguous(table: Table, columns: Columns) -> None:
    """A list of contacts named for opt-outs that shows none: is it who they are, or that they said no?"""
    if is_opt_out_list(table.title) and "opted_out" not in columns.at and not columns.types:
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
    kinds = "; ".join((*dict.fromkeys(kinds_said()), AUDIENCE.says, "contacts: Record ID, Email"))
    return UnreadableInput(
        "unknown_kind",
        f"{table.name} is no file known here; its columns are: {labels}.",
        f"It could be one of these, with the columns named: {kinds}. For any other, write a mapping beside it: "
        f"{table.title}{ENDING}. A list of objections goes with --stops.",
    )
