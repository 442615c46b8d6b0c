"""The lines of a CSV: in which encoding they are, what stands between their cells, and which row is broken."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from adapters.addresses import is_address
from adapters.encodings import PREVIEW_LINES, Ask, Decoding, UnreadableInput, choose, errors_for, marked, printable
from adapters.sources import Record, Source, not_a_table

DELIMITERS = (",", ";", "\t", "|")
MAX_LINE = 16 * 1024**2
"""No table has a line this long; something that is no table may."""

_CHUNK = 1024**2
_HEAD = 64 * 1024
_DIALECT_ROWS = 50
_SWALLOWED = "one cell holds what reads as rows of its own; is a quote not closed? (lines {first} to {last})"


class Scan(NamedTuple):
    """What one pass over the bytes tells."""

    digest: str
    utf8: bool
    nul: bool
    head: bytes


def scan(source: Source) -> Scan:
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
    return Scan(digest.hexdigest(), utf8, nul, head)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def decoding_of(source: Source, found: Scan, forced: str | None, ask: Ask | None) -> Decoding:
    """The encoding to read with: said, marked, seen, or chosen among what the lines allow."""
    if forced is not None:
        return Decoding(forced, False)
    stated = marked(found.head)
    if stated is not None:
        return Decoding(stated, False)
    if found.utf8:
        return Decoding("utf-8", False)
    with source.open() as lines:
        return choose(lines, ask)


def preview_of(head: bytes, encoding: str) -> tuple[str, ...]:
    """The lines below the header, as they read."""
    lines = printable(head[:4096], encoding, 4096).splitlines()
    return tuple(lines[1 : PREVIEW_LINES + 1])


@dataclass(frozen=True, slots=True)
class Lines:
    """The rows of a CSV."""

    source: Source
    encoding: str
    delimiter: str

    def records(self) -> Iterator[Record]:
        """See `Grid`."""
        with self.source.open() as raw:
            lines = _Lately(io.TextIOWrapper(raw, self.encoding, errors_for(self.encoding), newline=""))
            try:
                reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
                row, width, ended = 0, 0, False
                while not ended:
                    line = reader.line_num
                    try:
                        for cells in reader:
                            row += 1
                            first, line = line + 1, reader.line_num
                            if any(cells) and not (row == 1 and _namesdelimiter_of(cells)):
                                width = width or len(cells)
                                if line > first and _swallows_rows(cells, width, self.delimiter):
                                    flaw = _SWALLOWED.format(first=first, last=line)
                                    yield Record(row, [], flaw, self._cut(lines.read, width))
                                    row += line - first  # each of its lines may be a row
                                    continue
                                yield Record(row, cells, None)
                            lines.read.clear()
                        ended = True
                    except csv.Error as error:
                        # the reader starts afresh on the next line; what it swallowed is named by its lines
                        row += 1
                        flaw = _broken_row(error, line + 1, reader.line_num)
                        yield Record(row, [], flaw, self._cut(lines.read, width))
                        row += max(reader.line_num - line - 1, 0)
            except UnicodeError as error:
                raise UnreadableInput(
                    "cannot_read",
                    f"{self.source.name} does not read as {self.encoding}.",
                    "Say which encoding it is with --encoding.",
                ) from error

    def _cut(self, read: list[str], width: int) -> tuple[tuple[str, ...], ...]:
        """Lines as rows, cut at every delimiter, whatever the quotes say; forgets them.

        One that holds nobody and has fewer cells than a row goes on with the line before it.
        """
        cut: list[tuple[str, ...]] = []
        for line in read:
            cells = tuple(cell.strip(' \t\r\n"') for cell in line.split(self.delimiter))
            if cut and len(cells) < width and "@" not in line:
                cut[-1] += cells
            elif any(cells):
                cut.append(cells)
        read.clear()
        return tuple(cut)


class _Lately:
    """Lines as they are read, those of the row at hand kept."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._next = iter(lines).__next__
        self.read: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        self.read.append(line)
        return line


def _swallows_rows(cells: list[str], width: int, delimiter: str) -> bool:
    """Whether a cell reads like rows that a quote, opened in one and closed in another, has made one cell.

    It then holds for each of its lines as many delimiters as a row has, and somebody: an address, or a record's id.
    Where empty cells at the end were left out, a line that begins with an address, or with a record's id before one,
    and goes on is a row as well.
    """
    for cell in cells:
        lines = cell.splitlines()
        if len(lines) < 2:
            continue
        if cell.count(delimiter) >= (len(lines) - 1) * (width - 1) and any(
            "@" in line or line.lstrip('"')[:1].isdigit() for line in lines[1:]
        ):
            return True
        if any(_begins_a_row([part.strip(' "') for part in line.split(delimiter)]) for line in lines[1:]):
            return True
    return False


def _begins_a_row(parts: list[str]) -> bool:
    return len(parts) > 1 and (is_address(parts[0]) or (parts[0].isdigit() and any(map(is_address, parts))))


def _broken_row(error: csv.Error, first: int, last: int) -> str:
    where = f"line {first}" if last <= first else f"lines {first} to {last}"
    if "field limit" in str(error):
        return f"a cell is over {csv.field_size_limit()} characters long; is a quote not closed? ({where})"
    return f"the quotes do not match ({where})"


def _namesdelimiter_of(cells: list[str]) -> bool:
    """Whether this is Excel's own first line, `sep=;`, cut by whichever delimiter."""
    return cells[0].lower().startswith("sep=") and not any(cells[1:])


def delimiter_of(source: Source, encoding: str) -> str:
    """The delimiter under which most rows are as wide as the first; the widest of those. Rows whose empty cells at
    the end were left out are narrower: where most are, the one that cuts the first row into most cells.
    """
    return max(DELIMITERS, key=lambda delimiter: _fit(source, encoding, delimiter))


def _fit(source: Source, encoding: str, delimiter: str) -> tuple[int, int]:
    widths = []
    for record in Lines(source, encoding, delimiter).records():
        widths.append(len(record.cells))
        if len(widths) == _DIALECT_ROWS:
            break
    first = widths[0] if widths else 0
    same = sum(width == first for width in widths)
    return 0 if first < 2 or same * 2 < len(widths) else same * first, first
