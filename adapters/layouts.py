"""Which column of a file is which field: by a table of wordings, for CSV, XLSX and JSON alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from adapters.encodings import UnreadableInput
from adapters.tabular import Table

Fold = Callable[[str], str]
Places = Mapping[str, tuple[int, ...]]
"""Field -> the columns that give it, the most telling first. A field without a column is not in it."""

_API = "properties."


class Layout(NamedTuple):
    """One shape that files of a kind have.

    columns  field -> its wordings, `|` between them; the first that a row fills speaks for the field
    needs    it is this shape if one of these groups of fields has all its columns
    says     what to look for, for a sentence
    """

    kind: str
    columns: Mapping[str, str]
    needs: tuple[tuple[str, ...], ...]
    says: str


def places(header: Sequence[str], layout: Layout, fold: Fold) -> Places:
    """Where the fields of a layout stand in a header."""
    at = _folded(header, fold)
    found = {
        field: tuple(dict.fromkeys(at[word][0] for word in map(fold, wordings.split("|")) if word in at))
        for field, wordings in layout.columns.items()
    }
    return {field: columns for field, columns in found.items() if columns}


def fits(at: Places, layout: Layout) -> bool:
    """Whether a header with these fields is of this layout."""
    return any(all(field in at for field in group) for group in layout.needs)


def refuse_repeated(table: Table, layout: Layout, fold: Fold) -> None:
    """Raise UnreadableInput when two columns are one wording of a field: which counts is not ours to say."""
    at = _folded(table.header, fold)
    for wordings in layout.columns.values():
        for columns in (at.get(fold(wording), ()) for wording in wordings.split("|")):
            if len(columns) > 1:
                raise UnreadableInput(
                    "repeated_column",
                    f"{table.name} has the column “{table.header[columns[1]]}” more than once.",
                    "Remove or rename one of them, or export again with only one.",
                )


def _folded(header: Sequence[str], fold: Fold) -> dict[str, tuple[int, ...]]:
    """Folded label -> its columns. `Sent At (Your time zone)` is `Sent At`, `properties.amount` is `amount`."""
    found: dict[str, tuple[int, ...]] = {}
    for index, label in enumerate(header):
        word = fold(label.removeprefix(_API).partition(" (")[0])
        if word:
            found[word] = (*found.get(word, ()), index)
    return found
