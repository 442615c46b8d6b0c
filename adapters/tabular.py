"""Open a table: a CSV file, or a ZIP of several, whatever its encoding and delimiter.

An error in the data is a value (`Rejected`), and the rest of the file is read on; an error in the whole
input is an exception (`UnreadableInput`) that says what to do. Nothing is guessed in silence: a table says
which encoding it was read in and whether that was assumed. Files are streamed, never held in memory.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adapters.encodings import (
    PREVIEW_LINES,
    Ask,
    Decoding,
    UnreadableInput,
    choose,
    errors_for,
    known_encoding,
    marked,
    printable,
    unfit,
)
from adapters.sources import Source, not_a_table, sources_of

__all__ = ["Ask", "Rejected", "Table", "UnreadableInput", "open_tables", "require_unique"]

DELIMITERS = (",", ";", "\t", "|")
MAX_LINE = 16 * 1024**2
"""No table has a line this long; something that is no table may."""

_CHUNK = 1024**2
_HEAD = 64 * 1024
_DIALECT_ROWS = 50


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that could not be taken in. `row` counts as a spreadsheet does: the header is row 1."""

    file: str
    row: int
    column: str | None
    reason: str


class _Scan(NamedTuple):
    digest: str
    utf8: bool
    nul: bool
    head: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """One table, opened: what is known of it before its rows are read.

    name       file name; `archive.zip/member.csv` inside a ZIP
    sha256     hex digest of the CSV's bytes; `archive_sha256` of the ZIP around it
    encoding   Python's name; `assumed` True when the bytes did not settle it and nobody was asked
    preview    up to three lines as decoded: if the encoding was assumed, those that show it
    header     cells of the header row, trimmed
    header_row its number, as a spreadsheet counts
    """

    name: str
    sha256: str
    archive_sha256: str | None
    encoding: str
    assumed: bool
    preview: tuple[str, ...]
    delimiter: str
    header: tuple[str, ...]
    header_row: int
    _source: Source
    _careful: bool

    @property
    def repeated(self) -> tuple[str, ...]:
        """Header cells that stand more than once, compared without case."""
        seen: set[str] = set()
        again: dict[str, None] = {}
        for label in self.header:
            if label and label.casefold() in seen:
                again[label] = None
            seen.add(label.casefold())
        return tuple(again)

    def rows(self, reject: Callable[[Rejected], None]) -> Iterator[tuple[int, list[str]]]:
        """Yield (spreadsheet row, cells), each as wide as the header; every other row goes to `reject`.

        Blank rows are passed over. Raises UnreadableInput when the bytes end early or cannot be unpacked.
        """
        width, name, encoding, careful = len(self.header), self.name, self.encoding, self._careful
        for row, cells, flaw in _records(self._source, encoding, self.delimiter):
            if row <= self.header_row:
                continue
            if flaw is not None:
                reject(Rejected(name, row, None, flaw))
            elif len(cells) != width:
                kind = "shorter" if len(cells) < width else "longer"
                reject(Rejected(name, row, None, f"{kind} than the header: {len(cells)} cells, not {width}"))
            elif careful and unfit("".join(cells), encoding):
                column = next(i for i, cell in enumerate(cells) if unfit(cell, encoding))
                reason = "holds a NUL character" if "\0" in cells[column] else f"does not fit {encoding}"
                reject(Rejected(name, row, self.header[column] or None, reason))
            else:
                yield row, cells


def require_unique(table: Table, wanted: Callable[[str], bool]) -> None:
    """Raise UnreadableInput when a wanted header cell stands twice: which one counts is not ours to say."""
    for label in table.repeated:
        if wanted(label):
            raise UnreadableInput(
                "repeated_column",
                f"{table.name} has the column “{label}” more than once.",
                "Remove or rename one of them, or export again with only one.",
            )


def open_tables(path: Path, *, encoding: str | None = None, ask: Ask | None = None) -> list[Table]:
    """Open a CSV file, or every CSV of a ZIP in name order (folders in it are read, never written).

    encoding  read the bytes so, whatever they look like
    ask       called when the bytes do not settle it: see `Ask`
    Raises UnreadableInput: cannot_read, not_a_table, archive_too_large, no_table_in_archive,
    unknown_encoding, empty, header_only, undecodable_header.
    """
    forced = known_encoding(encoding) if encoding is not None else None
    sources, archive = sources_of(path)
    return [_open_table(source, archive, forced, ask) for source in sources]


def _open_table(source: Source, archive: str | None, forced: str | None, ask: Ask | None) -> Table:
    scan = _scan(source)
    decoding = _decoding(source, scan, forced, ask)
    encoding = decoding.encoding
    delimiter = _delimiter(source, encoding)
    records = (found for found in _records(source, encoding, delimiter) if found.flaw is None)
    header = next(records, None)
    if header is None:
        raise UnreadableInput("empty", f"{source.name} is empty.", "Export it again.")
    if unfit("".join(header.cells), encoding):
        raise UnreadableInput(
            "undecodable_header",
            f"The header of {source.name} does not read as {encoding}.",
            "Say which encoding it is with --encoding.",
        )
    if next(records, None) is None:
        raise UnreadableInput(
            "header_only", f"{source.name} has a header and no rows.", "Export it again, with contacts in it."
        )
    return Table(
        name=source.name,
        sha256=scan.digest,
        archive_sha256=archive,
        encoding=encoding,
        assumed=decoding.assumed,
        preview=decoding.preview or _preview(scan.head, encoding),
        delimiter=delimiter,
        header=tuple(cell.strip() for cell in header.cells),
        header_row=header.row,
        _source=source,
        _careful=scan.nul or not (scan.utf8 and encoding.startswith("utf-8")),
    )


def _scan(source: Source) -> _Scan:
    """One pass over the bytes: SHA-256, whether they are UTF-8, whether NUL is among them, and the head."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    utf8, nul, head, unbroken = True, False, b"", 0
    with source.open() as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            head = head or chunk[:_HEAD]
            nul = nul or b"\0" in chunk
            unbroken = 0 if b"\n" in chunk or b"\r" in chunk else unbroken + len(chunk)
            if unbroken > MAX_LINE:
                raise not_a_table(source.name, "one line without an end")
            utf8 = utf8 and _decodes(decoder, chunk)
    utf8 = utf8 and _decodes(decoder, b"", final=True)
    return _Scan(digest.hexdigest(), utf8, nul, head)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _decoding(source: Source, scan: _Scan, forced: str | None, ask: Ask | None) -> Decoding:
    if forced is not None:
        return Decoding(forced, False)
    stated = marked(scan.head)
    if stated is not None:
        return Decoding(stated, False)
    if scan.utf8:
        return Decoding("utf-8", False)
    with source.open() as lines:
        return choose(lines, ask)


def _preview(head: bytes, encoding: str) -> tuple[str, ...]:
    lines = printable(head[:4096], encoding, 4096).splitlines()
    return tuple(lines[1 : PREVIEW_LINES + 1])


class _Record(NamedTuple):
    row: int
    cells: list[str]
    flaw: str | None


def _records(source: Source, encoding: str, delimiter: str) -> Iterator[_Record]:
    """Every row that is not blank, with its spreadsheet row, and what makes it unreadable, if anything."""
    with source.open() as raw:
        lines = io.TextIOWrapper(raw, encoding, errors_for(encoding), newline="")
        try:
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            row, ended = 0, False
            while not ended:
                line = reader.line_num
                try:
                    for cells in reader:
                        row += 1
                        line = reader.line_num
                        if any(cells) and not (row == 1 and _names_delimiter(cells)):
                            yield _Record(row, cells, None)
                    ended = True
                except csv.Error as error:
                    # the reader starts afresh on the next line; what it swallowed is named by its lines
                    row += 1
                    yield _Record(row, [], _broken_row(error, line + 1, reader.line_num))
        except UnicodeError as error:
            raise UnreadableInput(
                "cannot_read",
                f"{source.name} does not read as {encoding}.",
                "Say which encoding it is with --encoding.",
            ) from error


def _broken_row(error: csv.Error, first: int, last: int) -> str:
    where = f"line {first}" if last <= first else f"lines {first} to {last}"
    if "field limit" in str(error):
        return f"a cell is over {csv.field_size_limit()} characters long; is a quote not closed? ({where})"
    return f"the quotes do not match ({where})"


def _names_delimiter(cells: list[str]) -> bool:
    """Whether this is Excel's own first line, `sep=;`, cut by whichever delimiter."""
    return cells[0].lower().startswith("sep=") and not any(cells[1:])


def _delimiter(source: Source, encoding: str) -> str:
    """The delimiter under which most rows are as wide as the first; the widest of those."""
    return max(DELIMITERS, key=lambda delimiter: _fit(source, encoding, delimiter))


def _fit(source: Source, encoding: str, delimiter: str) -> int:
    widths = []
    for record in _records(source, encoding, delimiter):
        widths.append(len(record.cells))
        if len(widths) == _DIALECT_ROWS:
            break
    same = sum(width == widths[0] for width in widths)
    return 0 if not widths or widths[0] < 2 or same * 2 < len(widths) else same * widths[0]
