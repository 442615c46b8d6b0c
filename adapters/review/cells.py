"""Cells as people fill them in: words with spaces around them, dates as Excel holds them or as they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, TypeAlias

from xlsxwriter.utility import xl_rowcol_to_cell  # type: ignore[import-untyped]

Cell: TypeAlias = object
Rows: TypeAlias = Sequence[Sequence[Cell]]

_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\Z").match
_WORDED = ("%d %B %Y", "%d %b %Y", "%d. %B %Y", "%B %d, %Y", "%b %d, %Y")


class Problem(NamedTuple):
    """Something wrong in a cell, and what to do about it."""

    sheet: str
    cell: str
    what: str

    def __str__(self) -> str:
        return f"{self.sheet}, cell {self.cell}: {self.what}"


class Place(NamedTuple):
    """A sheet and its cells."""

    sheet: str
    rows: Rows

    def at(self, row: int, column: int) -> Cell:
        """A cell; blank beyond the last one."""
        return self.rows[row][column] if len(self.rows[row]) > column else ""

    def problem(self, row: int, column: int, what: str) -> Problem:
        """What is wrong with a cell."""
        return Problem(self.sheet, name_of(row, column), what)

    def row_of(self, label: str) -> int | None:
        """The first row that begins with a label."""
        sought = label.casefold()
        found = (row for row in range(len(self.rows)) if text(self.at(row, 0)).casefold() == sought)
        return next(found, None)


def name_of(row: int, column: int) -> str:
    """A cell as a spreadsheet calls it."""
    return str(xl_rowcol_to_cell(row, column))


def text(cell: Cell, *, lines: bool = False) -> str:
    """What a cell says, without the spaces around and between."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    said = str(cell)
    return "\n".join(" ".join(line.split()) for line in said.splitlines()) if lines else " ".join(said.split())


def day(cell: Cell) -> date | None:
    """A date as Excel holds it or as it is written; None where day and month could be taken for each other."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    said = text(cell)
    dotted = _DOTTED(said)
    try:
        if dotted:
            return date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
        if said[4:5] == "-":
            return datetime.fromisoformat(said).date()
    except ValueError:
        return None
    return next((found for form in _WORDED if (found := _worded(said, form)) is not None), None)


def _worded(said: str, form: str) -> date | None:
    try:
        return datetime.strptime(said, form).date()  # noqa: DTZ007 - a day, in no zone
    except ValueError:
        return None
