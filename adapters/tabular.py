"""Open a table: a CSV file, the sheets of an XLSX workbook, JSON, or a ZIP of several.

An error in the data is a value (`Rejected`), and the rest of the file is read on; an error in the whole
input is an exception (`UnreadableInput`) that says what to do. Nothing is guessed in silence: a table says
which encoding it was read in and whether that was assumed. CSV is streamed, never held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from adapters.encodings import Ask, Decoding, UnreadableInput, known_encoding, unfit
from adapters.lines import Lines, decoding_of, delimiter_of, preview_of, scan
from adapters.nested import objects_of
from adapters.sources import Grid, Passed, Source, held, sources_of
from adapters.workbooks import sheets_of

__all__ = ["Ask", "Rejected", "Table", "UnreadableInput", "open_tables", "require_unique", "table_of"]


_ONE_OF_SEVERAL = frozenset({"empty", "cannot_read", "not_a_table", "undecodable_header", "too_wide", "too_large"})
"""What is wrong with one member of an archive, and hinders nobody from reading the others."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that could not be taken in. `row` counts as a spreadsheet does: the header is row 1.

    lines     what stands there, cut into cells, line by line where a broken row takes up several
    may_stop  it may be somebody's stop, so it is no mere reject: see `adapters.unread`
    record_at which cell holds the id of a record
    """

    file: str
    row: int
    column: str | None
    reason: str
    lines: tuple[tuple[str, ...], ...] = field(default=(), compare=False, repr=False)
    may_stop: bool = field(default=False, compare=False)
    record_at: int | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """One table, opened: what is known of it before its rows are read.

    name       file name; `archive.zip/member.csv` inside a ZIP, `book.xlsx/Sheet` inside a workbook
    title      what the file calls itself: its name without ending; of several sheets, the sheet's
    sha256     hex digest of the file's bytes; `archive_sha256` of the ZIP around it
    encoding   Python's name; `assumed` True when the bytes did not settle it and nobody was asked
    preview    up to three lines as decoded: if the encoding was assumed, those that show it
    delimiter  "" for what is no CSV
    header     cells of the header row, trimmed
    header_row its number, as a spreadsheet counts
    """

    name: str
    title: str
    sha256: str
    archive_sha256: str | None
    encoding: str
    assumed: bool
    preview: tuple[str, ...]
    delimiter: str
    header: tuple[str, ...]
    header_row: int
    _grid: Grid
    _careful: bool

    @property
    def size(self) -> int:
        """Bytes of the file it stands in."""
        return self._grid.source.size

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

    def rows(self, reject: Callable[[Rejected], None], *, ragged: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Yield (spreadsheet row, cells), each as wide as the header; every other row goes to `reject`.

        Cells that are missing at the end are empty, and empty ones too many are left out: spreadsheets write both.
        ragged  rows of any width are yielded as they are
        Blank rows are passed over. Raises UnreadableInput when the bytes end early or cannot be unpacked.
        """
        width, name, encoding, careful = len(self.header), self.name, self.encoding, self._careful
        for row, cells, flaw, lines in self._grid.records():
            if flaw is not None:
                reject(Rejected(name, row, None, flaw, lines))
                continue
            if row <= self.header_row:
                continue
            fitted = cells if ragged or len(cells) == width else _fitted(cells, width)
            if fitted is None:
                reason = f"longer than the header: {len(cells)} cells, not {width}"
                reject(Rejected(name, row, None, reason, (tuple(cells),)))
            elif careful and unfit("".join(fitted), encoding):
                column = next(i for i, cell in enumerate(fitted) if unfit(cell, encoding))
                reason = "holds a NUL character" if "\0" in fitted[column] else f"does not fit {encoding}"
                label = self.header[column] or None if column < width else None
                reject(Rejected(name, row, label, reason, (tuple(fitted),)))
            else:
                yield row, fitted


def _fitted(cells: list[str], width: int) -> list[str] | None:
    """A row as wide as the header; None where something stands beyond it."""
    if len(cells) < width:
        return cells + [""] * (width - len(cells))
    return None if any(map(str.strip, cells[width:])) else cells[:width]


def require_unique(table: Table, wanted: Callable[[str], bool]) -> None:
    """Raise UnreadableInput when a wanted header cell stands twice: which one counts is not ours to say."""
    for label in table.repeated:
        if wanted(label):
            raise UnreadableInput(
                "repeated_column",
                f"{table.name} has the column “{label}” more than once.",
                "Remove or rename one of them, or export again with only one.",
            )


def open_tables(
    path: Path,
    *,
    encoding: str | None = None,
    ask: Ask | None = None,
    may_be_empty: bool = False,
    passed: Callable[[Passed], None] = lambda _: None,
) -> list[Table]:
    """Open a file, or every table of a workbook or ZIP in name order (folders in it are read, never written).

    encoding      read the bytes of a CSV so, whatever they look like
    ask           called when the bytes do not settle it: see `Ask`
    may_be_empty  a header without rows is a table too
    passed        called with each member of a ZIP that is no table
    Raises UnreadableInput: cannot_read, not_a_table, archive_too_large, too_large, no_table_in_archive,
    unknown_encoding, empty, header_only, undecodable_header.
    """
    forced = known_encoding(encoding) if encoding is not None else None
    sources, archive, others = sources_of(path)
    for other in others:
        passed(other)
    found: list[tuple[Table, bool]] = []
    refused: list[UnreadableInput] = []
    for source in sources:
        try:
            found += _open(source, archive, forced, ask)
        except UnreadableInput as error:
            refused.append(error)
            if archive is None or error.code not in _ONE_OF_SEVERAL:
                raise
            empty = error.code == "empty"
            passed(Passed(source.name.removeprefix(f"{path.name}/"), _became(error), unread=not empty))
    if refused and not found:
        raise refused[0]
    for table, bare in found:
        if bare and not may_be_empty:
            raise UnreadableInput(
                "header_only", f"{table.name} has a header and no rows.", "Export it again, with contacts in it."
            )
    return [table for table, _ in found]


def _became(error: UnreadableInput) -> str:
    return "empty" if error.code == "empty" else f"not read: {error.message} {error.remedy}"


def table_of(name: str, objects: bytes) -> Table | None:
    """JSON that is at hand as a table, as if it stood in a file of that name; None where it holds no object."""
    found = _open(held(f"{name}.json", objects), None, None, None)
    try:
        return next(table for table, _ in found)
    except UnreadableInput as error:
        if error.code == "empty":
            return None
        raise


def _open(source: Source, archive: str | None, forced: str | None, ask: Ask | None) -> Iterator[tuple[Table, bool]]:
    """The tables of a source, each with whether there is nothing below its header."""
    shape = source.shape
    if shape == "lines":
        yield _open_lines(source, archive, forced, ask)
        return
    # both are UTF-8 inside, and either may hold a NUL
    read = partial(_table, archive=archive, decoding=Decoding("utf-8", False), delimiter="", careful=True)
    if shape == "json":
        digest, objects = objects_of(source)
        yield _required(read(source.name, source.stem, digest, objects), source.name)
        return
    digest, sheets = sheets_of(source)
    opened = [(one, read(f"{source.name}/{one.sheet}", one.sheet, digest, one)) for one in sheets]
    filled = [(one, found) for one, found in opened if found is not None]
    _required(filled[0][1] if filled else None, source.name)
    for _, (table, bare) in filled:
        yield (table if len(filled) > 1 else replace(table, title=source.stem)), bare


def _open_lines(source: Source, archive: str | None, forced: str | None, ask: Ask | None) -> tuple[Table, bool]:
    found = scan(source)
    decoding = decoding_of(source, found, forced, ask)
    encoding = decoding.encoding
    delimiter = delimiter_of(source, encoding)
    if not decoding.preview:
        decoding = replace(decoding, preview=preview_of(found.head, encoding))
    careful = found.nul or not (found.utf8 and encoding.startswith("utf-8"))
    grid = Lines(source, encoding, delimiter)
    table = _table(source.name, source.stem, found.digest, grid, archive, decoding, delimiter, careful=careful)
    return _required(table, source.name)


def _table(
    name: str,
    title: str,
    digest: str,
    grid: Grid,
    archive: str | None,
    decoding: Decoding,
    delimiter: str,
    *,
    careful: bool,
) -> tuple[Table, bool] | None:
    """The table, and whether there is nothing below its header; None without as much as a header."""
    records = (found for found in grid.records() if found.flaw is None)
    header = next(records, None)
    if header is None:
        return None
    if unfit("".join(header.cells), decoding.encoding):
        raise UnreadableInput(
            "undecodable_header",
            f"The header of {name} does not read as {decoding.encoding}.",
            "Say which encoding it is with --encoding.",
        )
    table = Table(
        name=name,
        title=title,
        sha256=digest,
        archive_sha256=archive,
        encoding=decoding.encoding,
        assumed=decoding.assumed,
        preview=decoding.preview,
        delimiter=delimiter,
        header=tuple(cell.strip() for cell in header.cells),
        header_row=header.row,
        _grid=grid,
        _careful=careful,
    )
    return table, next(records, None) is None


def _required(found: tuple[Table, bool] | None, name: str) -> tuple[Table, bool]:
    if found is None:
        raise UnreadableInput("empty", f"{name} is empty.", "Export it again.")
    return found
