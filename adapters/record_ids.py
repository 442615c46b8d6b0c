"""Record ids as files write them: whole, or rounded by a spreadsheet, and then nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adapters.encodings import UnreadableInput
from adapters.tabular import Table

_ROUNDED = re.compile(r"(?<!\w)\d+(?:(?:[.,]\d+)?E\+|[.,]\d+E)\d{1,3}(?!\w)", re.IGNORECASE).search
"""`1.23457E+11`, `1,23E+11`: the digits that told one record from the next are gone."""
_WHOLE_NUMBER = re.compile(r"'?(\d+)(?:[.,]0+)?\Z").match
"""A number that a spreadsheet or a data frame has taken for one: `'601`, `601.0`."""


def record_id_of(cell: str) -> str | None:
    """The record id in a cell, without what a program added to a number; None for an empty cell."""
    text = cell.strip()
    number = _WHOLE_NUMBER(text)
    return number[1] if number else text or None


def record_ids_in(cell: str) -> list[str]:
    """Every record id of a list, each once: with `;` or `,` between them, and in some exports a time after a colon."""
    parts = (part.partition(":")[0] for part in cell.replace(",", ";").split(";"))
    return list(dict.fromkeys(found for part in parts if (found := record_id_of(part))))


def is_rounded(cell: str) -> bool:
    """Whether a cell holds a record id in scientific notation, alone or in a list."""
    return "E" in cell.upper() and _ROUNDED(cell) is not None


def require_whole_ids(table: Table, columns: Iterable[int]) -> None:
    """Raise UnreadableInput (`rounded_record_ids`) where a column of record ids holds one that was rounded."""
    places = sorted(set(columns))
    if not places:
        return
    for row, cells in table.rows(lambda _: None, ragged=True):
        for place in places:
            if place < len(cells) and is_rounded(cells[place]):
                raise rounded(table, row, place, cells[place])


def rounded(table: Table, row: int, column: int, cell: str) -> UnreadableInput:
    """The error for a record id that a spreadsheet has rounded."""
    return UnreadableInput(
        "rounded_record_ids",
        f"{table.name} holds record ids in scientific notation, the first in row {row}, column "
        f"“{table.header[column]}”: {cell.strip()[:40]}. A spreadsheet (Excel, for example) has rounded them, so that "
        "nobody can tell any more which record a row is of.",
        "Export the file again and give it as it was downloaded, without opening and saving it in a spreadsheet.",
    )
