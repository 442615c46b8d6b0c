"""Folders and archives: everything in them is listed with what became of it, and nothing is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from adapters.encodings import UnreadableInput
from adapters.hubspot.labels import fold, speaks_of_opting_out
from adapters.hubspot.said import speaks_of
from adapters.kinds import KINDS
from adapters.layouts import places
from adapters.mapped import ENDING
from adapters.not_read import NotRead, not_read, of_sheet
from adapters.sources import DOCUMENTS, Passed, is_table_name
from adapters.stop_titles import is_named_for_stops
from adapters.stops import LAYOUT as STOPS
from adapters.tabular import Table
from projections.verdicts import FileSeen

_OBJECTIONS = (
    "objection", "objected", "widersp", "oppos", "oposici", "complain", "beschwerde", "plainte", "stop", "einspr",
    "bezwaar", "reclam", "opposizion",
)  # fmt: skip
LISTED = frozenset(
    {
        "unknown_kind",
        "ambiguous",
        "not_a_table",
        "cannot_read",
        "empty",
        "header_only",
        "no_table_in_archive",
        "undecodable_header",
        "too_wide",
        "no_email_column",
    }
)
"""What is wrong with a file that nobody named: it is listed, and the others are read."""


_LABELS = 6
_PAPERS = (".pdf", ".eml", ".msg", ".doc", ".docx", ".odt", ".rtf")


@dataclass(slots=True)
class Seen:
    """What became of every file, in the order in which they were come across. `gathered`: one was not named itself.

    not_read  those that may hold opt-outs; `sums`: digests of what is read
    """

    files: list[FileSeen] = field(default_factory=list)
    gathered: bool = False
    not_read: list[NotRead] = field(default_factory=list)
    sums: set[str] = field(default_factory=set)

    def add(self, name: str, became: str, *, unread: bool = False, may_stop: bool = False) -> bool:
        """Note a file; whether it may hold opt-outs. `unread`: it was not read, and may hold what people said;
        `may_stop`: opt-outs, by its columns.

        One whose name speaks of opt-outs or objections may hold some, whatever it is.
        """
        may_stop = unread and (may_stop or _speaks_of_stops(PurePath(name.rstrip("/")).stem))
        self.files.append(FileSeen(name=name, became=became, unread=unread, may_stop=may_stop))
        return may_stop

    def passed(self, archive: Path, member: Passed) -> None:
        """Note a member of an archive that is no table."""
        self.gathered = True
        name = f"{archive.name}/{member.name}"
        if self.add(name, member.became, unread=member.unread or _is_paper_on_stops(member.name)):
            self.not_read.append(not_read(name, archive, member.name))

    def read(self, table: Table, kind: str) -> None:
        """Note a table that is read."""
        self.gathered |= table.archive_sha256 is not None
        self.add(table.name, f"read: {KINDS[kind].name}")
        self.opened(table)

    def opened(self, table: Table) -> None:
        """Note the digests of a table that is read."""
        self.sums |= {table.sha256, of_sheet(table.sha256, table.name), table.archive_sha256 or table.sha256}

    def refused(self, path: Path, error: UnreadableInput) -> None:
        """Note a file that cannot be read."""
        self._refused(path.name, error, path, None)

    def _refused(self, name: str, error: UnreadableInput, path: Path, known: str | None) -> None:
        if error.code == "empty":
            self.add(name, "empty")
            return
        said = error.message
        for own in (name, Path(name).name):
            if said.startswith(f"{own} "):
                said = f"it {said.removeprefix(f'{own} ')}"
        if self.add(name, f"not read: {said} {error.remedy}", unread=True, may_stop=error.code == "ambiguous"):
            self.not_read.append(not_read(name, path, known=known))

    def unknown(self, table: Table, error: UnreadableInput, path: Path, *, sheet: bool) -> None:
        """Note a table of a kind that is not known; one that looks like people who said no, as such.

        sheet  others of its workbook are tables too
        """
        known = of_sheet(table.sha256, table.name) if sheet else table.sha256
        if _speaks_of_stops(table.title) and "email" in places(table.header, STOPS, fold):
            said = "not read: looks like a list of objections; give it with --stops"
            self.add(table.name, said, unread=True, may_stop=True)
            self.not_read.append(not_read(table.name, path, known=known))
        elif error.code == "unknown_kind":
            labels = [label[:40] for label in table.header if label]
            more = ", ..." if len(labels) > _LABELS else ""
            columns = f"its columns are: {', '.join(labels[:_LABELS])}{more}"
            people = places(table.header, STOPS, fold).keys() & {"email", "record"}
            may_stop = bool(people) and any(speaks_of_opting_out(label) for label in table.header)
            said = f"not read: we do not recognise it; {columns}"
            if self.add(table.name, said, unread=True, may_stop=may_stop):
                self.not_read.append(not_read(table.name, path, known=known))
        else:
            self._refused(table.name, error, path, known)


def files_in(
    folder: Path, seen: Seen, given: Sequence[Path], listed: Sequence[Path], map_: Path | None
) -> Iterator[Path]:
    """The files of a folder in name order that may be tables; the others are noted.

    given   what is read anyhow; `listed`: lists of objections; `map_`: the evidence map in use
    """
    seen.gathered = True
    for child in sorted(folder.iterdir(), key=lambda found: found.name):
        whole, name = child.resolve(), child.name
        if whole in given:
            continue
        if whole in listed:
            seen.add(name, "read with --stops: objections kept elsewhere")
        elif name.startswith((".", "~$")):
            seen.add(name, "hidden: not read")
        elif child.is_dir():
            inside = [one for one in child.rglob("*") if one.is_file()]
            tables = sum(is_table_name(one.name) for one in inside)
            said = (
                f"not read: a folder in it; {tables} of its {len(inside)} files may be tables; give it by its own name"
            )
            whole_folder = _speaks_of_stops(PurePath(name).stem)
            holding = [
                one for one in inside if is_table_name(one.name) and (whole_folder or _speaks_of_stops(one.stem))
            ]
            seen.add(f"{name}/", said, unread=tables > 0, may_stop=bool(holding))
            seen.not_read += [not_read(f"{name}/{one.relative_to(child).as_posix()}", one) for one in sorted(holding)]
        elif name.lower().endswith(DOCUMENTS):
            said = _document(child, whole == (map_.resolve() if map_ else None))
            if seen.add(name, said, unread=_is_paper_on_stops(name)):
                seen.not_read.append(not_read(name, child))
        else:
            yield child


def _speaks_of_stops(title: str) -> bool:
    return speaks_of(title, _OBJECTIONS) or is_named_for_stops(title)


def _is_paper_on_stops(name: str) -> bool:
    """Whether it is a mail or a paper that may be somebody's no; a picture or a page shows what a form looked like."""
    return name.lower().endswith(_PAPERS) and _speaks_of_stops(PurePath(name).stem)


def _document(path: Path, is_map: bool) -> str:
    name = path.name.lower()
    if is_map:
        return "read: the evidence map"
    if name.endswith(ENDING):
        return "a mapping: it says what the file of the same name holds"
    if name.endswith(".toml"):
        return "not read: an evidence map goes with --map"
    return "a document: not read"
