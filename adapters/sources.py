"""Where a table's bytes come from: a file, or one member of a ZIP, which is never unpacked to disk.

What the bytes are (lines of CSV, a workbook, JSON) is told by how they begin; whoever reads one of these
gives its rows as a `Grid`.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, NamedTuple, Protocol, cast

from adapters.encodings import UnreadableInput

MAX_UNCOMPRESSED = 2 * 1024**3
"""A ZIP that would unfold to more than this is refused, unopened."""
MAX_MEMBERS = 500
MAX_HELD = 512 * 1024**2
"""A workbook or JSON is held in memory whole, so it may not unfold to more than this."""

BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
_NO_TABLES = {
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
}
DOCUMENTS = (".toml", ".md", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".html", ".htm", ".eml", ".msg", ".doc", ".docx")
"""What may lie beside the files of a folder or ZIP and is no table: maps, screenshots, contracts."""
_JSON = (".json", ".ndjson", ".jsonl")
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", *_JSON)
_MAY_HOLD_TABLES = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".zip", ".gz", ".7z", ".rar")
_BEGINS_AS_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\[\s*[\[{\]]|\{\s*[\"}])").match
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Passed(NamedTuple):
    """A member of an archive that is no table, and what became of it; `unread`: it may hold what somebody said."""

    name: str
    became: str
    unread: bool


class Record(NamedTuple):
    """One row that is not blank: its number as a spreadsheet counts, and what makes it unreadable, if anything.

    lines  of an unreadable one: what stands there, each line that may be a row of its own cut into cells loosely
    """

    row: int
    cells: list[str]
    flaw: str | None
    lines: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table's bytes come from: a file, or one member of a ZIP.

    place  of the member in the archive, where two may have one name
    """

    path: Path
    member: str | None
    name: str
    place: int = 0

    @property
    def stem(self) -> str:
        """Its own name, without folder and ending."""
        return PurePosixPath(self.member or self.path.name).stem

    @property
    def shape(self) -> Literal["lines", "workbook", "json"]:
        """What the bytes are, by how they begin."""
        with self.open() as file:
            head = file.read(256)
        if head.startswith(_ZIP):
            return "workbook"
        return "json" if self.name.lower().endswith(_JSON) or _BEGINS_AS_JSON(head) else "lines"

    @property
    def size(self) -> int:
        """Bytes of the file it stands in."""
        return self.path.stat().st_size

    def held(self) -> bytes:
        """All the bytes, for what can only be read whole. Raises UnreadableInput: too_large."""
        with self.open() as file:
            content = file.read(MAX_HELD + 1)
        if len(content) > MAX_HELD:
            raise too_large(self.name)
        return content

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, from the start. Raises UnreadableInput when they cannot be had."""
        try:
            with self.path.open("rb") as file:
                if self.member is None:
                    yield file
                    return
                with zipfile.ZipFile(file) as archive, archive.open(archive.infolist()[self.place]) as member:
                    yield cast("BinaryIO", member)
        except BROKEN as error:
            raise UnreadableInput(
                "cannot_read",
                f"{self.name} cannot be read: {_sentence(error)}.",
                "Check the path and the permissions; if the file is damaged, download it again.",
            ) from error


@dataclass(frozen=True, slots=True)
class Held(Source):
    """Bytes that are at hand already, as a file of that name would hold them."""

    content: bytes = b""

    @property
    def size(self) -> int:
        """See `Source`."""
        return len(self.content)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """See `Source`."""
        yield BytesIO(self.content)


def held(name: str, content: bytes) -> Held:
    """Bytes as if they stood in a file of that name."""
    return Held(Path(name), None, name, content=content)


class Grid(Protocol):
    """The rows of one table, its header among them. They can be sent to another process, and read again."""

    @property
    def source(self) -> Source: ...
    def records(self) -> Iterator[Record]:
        """Every row that is not blank, in order. Raises UnreadableInput when the bytes cannot be had."""
        ...


def sources_of(path: Path) -> tuple[list[Source], str | None, list[Passed]]:
    """The tables at a path, a ZIP's in name order (its folders are read, never written), its SHA-256, and what else
    is in it.

    Raises UnreadableInput: cannot_read, not_a_table, archive_too_large, no_table_in_archive.
    """
    plain = Source(path, None, path.name)
    with plain.open() as file:
        magic = file.read(4)
        if magic not in _ZIP:
            for start, kind in _NO_TABLES.items():
                if magic.startswith(start):
                    raise not_a_table(path.name, kind)
            return [plain], None, []
        file.seek(0)
        digest = hashlib.sha256()
        while chunk := file.read(1024**2):
            digest.update(chunk)
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    if is_office(members):
        return [plain], None, []
    _refuse_bad_archive(path.name, members)
    tables = sorted((member.filename, place) for place, member in enumerate(members) if _is_table(member))
    if not tables:
        raise UnreadableInput(
            "no_table_in_archive",
            f"{path.name} holds no CSV, XLSX or JSON file.",
            "Give the ZIP as it was downloaded, or the files themselves.",
        )
    passed = [_passed(member) for member in members if not (member.is_dir() or _is_table(member))]
    return list(_members(path, tables)), digest.hexdigest(), passed


def _members(path: Path, tables: list[tuple[str, int]]) -> Iterator[Source]:
    """The tables of an archive; of several with one name, the later ones are told apart by a number."""
    before: dict[str, int] = {}
    for name, place in tables:
        before[name] = before.get(name, 0) + 1
        again = f" ({before[name]})" if before[name] > 1 else ""
        yield Source(path, name, f"{path.name}/{name}{again}", place)


def is_office(members: list[zipfile.ZipInfo]) -> bool:
    """Whether an archive is a workbook or other Office document itself."""
    return any(member.filename == "[Content_Types].xml" for member in members)


def is_table_name(name: str) -> bool:
    """Whether a file is named as one that holds, or may hold, a table: a workbook or archive of any age too."""
    return name.lower().endswith((*_TABLES, *_MAY_HOLD_TABLES))


def is_read_as_a_table(name: str) -> bool:
    """Whether a file is named as one of a form that can be read here."""
    return name.lower().endswith(_TABLES)


def _is_table(member: zipfile.ZipInfo) -> bool:
    return not _is_hidden(member) and member.filename.lower().endswith(_TABLES)


def _passed(member: zipfile.ZipInfo) -> Passed:
    """What becomes of a member that is no table; it may hold somebody's stop, but for a picture or a document."""
    name = member.filename
    if _is_hidden(member):
        return Passed(name, "hidden: not read", False)
    if name.lower().endswith(DOCUMENTS):
        return Passed(name, "a document: not read", False)
    if name.lower().endswith(".zip"):
        return Passed(name, "not read: an archive in an archive; unpack it, and give what is in it", True)
    return Passed(name, "not read: not a CSV, XLSX or JSON file; save it as CSV, and give that", True)


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in member.filename.split("/"))


def _refuse_bad_archive(name: str, members: list[zipfile.ZipInfo]) -> None:
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableInput("cannot_read", f"{name} is encrypted.", "Unpack it and give the CSV files.")
    # zipfile hands out no more than the size a member declares, so the declared sizes bound the work
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNCOMPRESSED:
        raise UnreadableInput(
            "archive_too_large",
            f"{name} would unpack to more than {MAX_UNCOMPRESSED >> 20} MiB or {MAX_MEMBERS} files.",
            "If it really is this large, unpack it and give the CSV files.",
        )


def not_a_table(name: str, kind: str) -> UnreadableInput:
    """The error for a file of another kind."""
    return UnreadableInput(
        "not_a_table",
        f"{name} is {kind}, not a CSV, XLSX or JSON file.",
        "Export as CSV, or save it as “CSV UTF-8”.",
    )


def too_large(name: str) -> UnreadableInput:
    """The error for what would have to be held in memory, and is too much for it."""
    return UnreadableInput(
        "too_large",
        f"{name} would unfold to more than {MAX_HELD >> 20} MiB.",
        "Export it as CSV, which may be of any size, or in parts.",
    )


def _sentence(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).rstrip(".")
