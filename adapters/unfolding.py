"""A workbook unfolded in a process of its own, whose memory is bounded: `python -m adapters.unfolding`.

A workbook of two kilobytes may hold two cells at far corners, and whoever lays out all between them ends for want of
memory. So the cells are counted before anything is laid out, and what was not foreseen ends this process alone.
It reads one request and the workbook's bytes, and answers in frames; `adapters.workbooks` is its only caller.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import IO, Any, Literal

import msgspec
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

MOST_CELLS = 25_000_000
"""Cells of one sheet, those without content that lie between others among them."""
MEMORY = 3 * 1024**3
ROWS = 500
"""Rows in one frame."""
_PIECE = 4 * 1024**2
_LENGTH = 4

_TAG = re.compile(rb"<(?:\w+:)?(?:c|row)\s[^<>]*?\br\s*=\s*[\"']\$?([A-Za-z]{0,3})\$?([0-9]{0,9})[\"']").findall
_EXTENT = re.compile(
    rb"<(?:\w+:)?dimension\s[^<>]*?\bref\s*=\s*[\"'][^\"':]*:?\$?([A-Za-z]{1,3})\$?([0-9]{1,9})[\"']"
).findall
_PLAIN = re.compile(rb' r="([A-Za-z]{0,3})([0-9]{0,9})"').findall
_ODD = (b":c ", b":row ", *(tag + space for tag in (b"<c", b"<row", b":c", b":row") for space in (b"\n", b"\r", b"\t")))
_NO_SHEET = ("xl/sharedStrings.xml", "xl/styles.xml")

Code = Literal["cannot_read", "too_many_cells"]


class Request(msgspec.Struct, frozen=True):
    """What is wanted: the names of the tables, the rows of one as text, or every cell of all sheets as it is."""

    what: Literal["names", "rows", "cells"]
    sheet: str = ""


class Names(msgspec.Struct, frozen=True, tag="names"):
    """The sheets that may hold cells, in order."""

    sheets: list[str]


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Some rows of a sheet, of which the first has this number."""

    sheet: str
    first: int
    rows: list[list[Any]]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Why it cannot be unfolded."""

    code: Code
    what: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """Everything was sent."""


Frame = Names | Rows | Refused | Done


def write_frame(to: IO[bytes], content: object) -> None:
    """One value behind its length."""
    packed = msgspec.msgpack.encode(content)
    to.write(len(packed).to_bytes(_LENGTH))
    to.write(packed)


def read_frame(source: IO[bytes]) -> bytes | None:
    """The next value, still packed; None where the other side has ended."""
    length = source.read(_LENGTH)
    content = source.read(int.from_bytes(length)) if len(length) == _LENGTH else b""
    return content if len(length) == _LENGTH and len(content) == int.from_bytes(length) else None


def main() -> None:
    """Answer one request."""
    bound_memory()
    request = msgspec.msgpack.decode(read_frame(sys.stdin.buffer) or b"", type=Request)
    content, to = sys.stdin.buffer.read(), sys.stdout.buffer
    try:
        for frame in answer(request, content):
            write_frame(to, frame)
        write_frame(to, Done())
    except (CalamineError, zipfile.BadZipFile, OSError, EOFError) as error:
        write_frame(to, Refused("cannot_read", str(error).rstrip(".")))
    to.flush()


def bound_memory() -> None:
    """Let this process have no more than `MEMORY`, where the system knows such a bound."""
    try:
        import resource  # noqa: PLC0415 - not every system has it

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        bound = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
        resource.setrlimit(resource.RLIMIT_AS, (bound, most))
    except (ImportError, ValueError, OSError):
        return  # the cells are counted all the same


def answer(request: Request, content: bytes) -> Iterator[Names | Rows | Refused]:
    """What is asked about a workbook. Raises what calamine and zipfile raise."""
    refused = too_many(content) if request.what != "rows" else None  # whoever wants rows asked for names before
    if refused is not None:
        yield refused
        return
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    if request.what == "rows":
        rows = book.get_sheet_by_name(request.sheet).iter_rows()
        yield from _batches(request.sheet, (list(map(text_of, row)) for row in rows))
        return
    tables = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    yield Names(tables)
    if request.what == "cells":
        for name in tables:
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            yield from _batches(name, (list(map(_plain, row)) for row in cells))


def _batches(sheet: str, rows: Iterable[list[Any]]) -> Iterator[Rows]:
    first, batch = 1, list[list[Any]]()
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS:
            yield Rows(sheet, first, batch)
            first, batch = first + ROWS, []
    yield Rows(sheet, first, batch)


def too_many(content: bytes) -> Refused | None:
    """Why a workbook has too many cells: by what its sheets declare, and by where their cells stand."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.filename.lower().endswith(".xml") and member.filename not in _NO_SHEET:
                with archive.open(member) as sheet:
                    columns, rows = _extent(sheet)
                if columns * rows > MOST_CELLS:
                    what = f"its sheet {member.filename} reaches over {rows:,} rows and {columns:,} columns"
                    return Refused("too_many_cells", what)
    return None


def _extent(sheet: IO[bytes]) -> tuple[int, int]:
    """The last column and row of a sheet, declared or used, read piece by piece."""
    letters: set[bytes] = set()
    last_row, rest, more = 0, b"", True
    while more:
        read = sheet.read(_PIECE)
        more, piece = bool(read), rest + read
        # a tag cut in two is looked at with the next piece; no tag of a cell is as long as that
        cut = max(piece.rfind(b"<"), len(piece) - 65_536) if more else len(piece)
        whole, rest = piece[:cut], piece[cut:]
        places = (_PLAIN if _is_plain(whole) else _TAG)(whole)
        for named, row in (*places, *(_EXTENT(whole) if b"dimension" in whole else ())):
            letters.add(named)
            last_row = max(last_row, int(row or b"0"))
    return max(map(_column, letters), default=0), last_row


def _is_plain(sheet: bytes) -> bool:
    """Whether every cell and row names its place as spreadsheet programs do, so that the quick search finds it."""
    tags = sheet.count(b"<c ") + sheet.count(b"<row ")
    return sheet.count(b' r="') == tags and not any(odd in sheet for odd in _ODD)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def text_of(value: object) -> str:
    """A cell as a CSV would hold it: ISO dates, whole numbers without `.0`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        whole = not (value.second or value.microsecond)
        return value.isoformat(" ", "minutes" if whole else "auto")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _plain(cell: object) -> object:
    return str(cell) if isinstance(cell, date | time | timedelta) else cell


if __name__ == "__main__":
    main()
