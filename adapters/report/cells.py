"""CSV cells that no spreadsheet runs.

A cell that begins with = + - @ (or their full-width twins), a tab or a line break may be read as a
formula. Reading files get an apostrophe in front of it. An import file may not: the apostrophe would
become part of the address. What cannot be written there unchanged is left out and listed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import IO

from adapters.report.masking import is_printable

# Not only at the start: where the list separator of the reader's country is a semicolon or a tab, the
# text after one is a cell of its own.
_RISKY = re.compile("(^|[;|\t\r\n])([\"'\\s]*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212])")
# Nearly every cell is plain: begins with a letter or digit, holds no separator, quote or control character.
_PLAIN = re.compile("[0-9A-Za-z][0-9A-Za-z ._@:+-]*")
_LEADING_BREAK = ("\t", "\r", "\n")


def reading_cell(text: str | None) -> str:
    """The text, with an apostrophe wherever a spreadsheet would begin to calculate."""
    if not text:
        return ""
    if _PLAIN.fullmatch(text):
        return text
    safe = _RISKY.sub(r"\1\2'", text)
    return "'" + safe if safe.startswith(_LEADING_BREAK) else safe


def fits_import(text: str) -> bool:
    """Whether the text can stand in an import file exactly as it is."""
    return _PLAIN.fullmatch(text) is not None or (_RISKY.search(text) is None and is_printable(text))


class Sheet:
    """One CSV being written: comma, CRLF, quotes where needed. It counts its rows."""

    def __init__(self, stream: IO[str], header: Iterable[str]) -> None:
        self._write = csv.writer(stream, lineterminator="\r\n").writerow
        self._write(tuple(header))
        self.rows = 0

    def add(self, *cells: str | int) -> None:
        """Append a row of cells that are already safe."""
        self._write(cells)
        self.rows += 1
