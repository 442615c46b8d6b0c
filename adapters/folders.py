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
    """What became of every file, in the order in which they were come across. `gathered`: one was not named itself."""

    files: list[FileSeen] = field(default_factory=list)
    gathered: bool = False

    def add(self, name: str, became: str, *, unread: bool = False, may_stop: bool = False) -> None:
        """Note a file. `unread`: it was not read, and may hold what people said; `may_stop`: opt-outs, by its columns.

        One whose name speaks of opt-outs or objections may hold some, whatever it is.
        """
        may_stop = unread and (may_stop or _speaks_of_stops(PurePath(name.rstrip("/")).stem))
        self.files.append(FileSeen(name=name, became=became, unread=unread, may_stop=may_stop))

    def passed(self, archive: str, member: Passed) -> None:
        """Note a member of an archive that is no table."""
        self.gathered = True
        unread = member.unread or _is_paper_on_stops(member.name)
        self.add(f"{archive}/{member.name}", member.became, unread=unread)

    def read(self, table: Table, kind: str) -> None:
        """Note a table that is read."""
        self.gathered |= table.archive_sha256 is not None
        self.add(table.name, f"read: {KINDS[kind].name}")

    def refused(self, name: str, error: UnreadableInput) -> None:
        """Note a file that cannot be read, or that nobody knows."""
        if error.code == "empty":
            self.add(name, "empty")
            return
        said = error.message
        for own in (name, Path(name).name):
            if said.startswith(f"{own} "):
                said = f"it {said.removeprefix(f'{own} ')}"
        self.add(name, f"not read: {said} {error.remedy}", unread=True, may_stop=error.code == "ambiguous")

    def unknown(self, table: Table, error: UnreadableInput) -> None:
        """Note a table of a kind that is not known; one that looks like people who said no, as such."""
        if _speaks_of_stops(table.title) and "email" in places(table.header, STOPS, fold):
            said = "not read: looks like a list of objections; give it with --stops"
            self.add(table.name, said, unread=True, may_stop=True)
        elif error.code == "unknown_kind":
            labels = [label[:40] for label in table.header if label]
            more = ", ..." if len(labels) > _LABELS else ""
            columns = f"its columns are: {', '.join(labels[:_LABELS])}{more}"
            people = places(table.header, STOPS, fold).keys() & {"email", "record"}
            may_stop = bool(people) and any(speaks_of_opting_out(label) for label in table.header)
            self.add(table.name, f"not read: we do not recognise it; {columns}", unread=True, may_stop=may_stop)
        else:
            self.refused(table.name, error)


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
            may_stop = any(is_table_name(one.name) and _speaks_of_stops(one.stem) for one in inside)
            seen.add(f"{name}/", said, unread=tables > 0, may_stop=may_stop)
        elif name.lower().endswith(DOCUMENTS):
            said = _document(child, whole == (map_.resolve() if map_ else None))
            seen.add(name, said, unread=_is_paper_on_stops(name))
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
