"""The sheets of an XLSX workbook as rows of text, the way a CSV export of them would read."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from adapters import sources
from adapters.encodings import UnreadableInput
from adapters.sources import Record, Source, not_a_table, too_large

_WORKBOOK = "xl/workbook."


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet, read afresh each time."""

    source: Source
    sheet: str

    def records(self) -> Iterator[Record]:
        """See `Grid`. Rows are counted as the spreadsheet shows them."""
        try:
            rows = _open(self.source.held()).get_sheet_by_name(self.sheet).iter_rows()
            for row, values in enumerate(rows, 1):
                cells = list(map(_text, values))
                if any(cells):
                    yield Record(row, cells, None)
        except CalamineError as error:
            raise _broken(self.source.name, error) from error


def sheets_of(source: Source) -> tuple[str, list[Sheet]]:
    """The SHA-256 of a workbook, and its sheets in order, those without a cell among them.

    Raises UnreadableInput: cannot_read, not_a_table, too_large.
    """
    content = source.held()
    _refuse(source.name, content)
    try:
        found = _open(content).sheets_metadata
    except CalamineError as error:
        raise _broken(source.name, error) from error
    sheets = [Sheet(source, one.name) for one in found if one.typ == SheetTypeEnum.WorkSheet]
    return hashlib.sha256(content).hexdigest(), sheets


def _open(content: bytes) -> CalamineWorkbook:
    return CalamineWorkbook.from_filelike(BytesIO(content))


def _refuse(name: str, content: bytes) -> None:
    """Refuse what is no workbook or unfolds to too much: sizes are declared, so unfold it once and see."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
            if not any(member.filename.startswith(_WORKBOOK) for member in members):
                raise not_a_table(name, "an archive or an Office document other than a workbook")
            if sum(member.file_size for member in members) > sources.MAX_HELD:
                raise too_large(name)
            damaged = archive.testzip()
    except sources.BROKEN as error:
        raise _broken(name, error) from error
    if damaged is not None:
        raise _broken(name, ValueError(f"{damaged} is damaged"))


def _broken(name: str, error: Exception) -> UnreadableInput:
    return UnreadableInput(
        "cannot_read",
        f"{name} cannot be read as a workbook: {str(error).rstrip('.')}.",
        "Open it and save it again, or save it as “CSV UTF-8”.",
    )


def _text(value: object) -> str:
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
