"""The sheets of an XLSX workbook as rows of text, the way a CSV export of them would read.

What lays a workbook out is a process of its own with bounded memory: see `adapters.unfolding`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from threading import Thread
from typing import IO

import msgspec

from adapters import sources
from adapters.encodings import UnreadableInput
from adapters.sources import Record, Source, not_a_table, too_large
from adapters.unfolding import MEMORY, MOST_CELLS, Done, Frame, Names, Refused, Request, Rows, read_frame, write_frame

_WORKBOOK = "xl/workbook."
_COMMAND = (sys.executable, "-P", "-m", "adapters.unfolding")
_frame = msgspec.msgpack.Decoder(Frame).decode


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet, read afresh each time."""

    source: Source
    sheet: str

    def records(self) -> Iterator[Record]:
        """See `Grid`. Rows are counted as the spreadsheet shows them."""
        with _unfolded(self.source.name, self.source.held(), Request("rows", self.sheet)) as frames:
            for frame in frames:
                assert isinstance(frame, Rows)  # noqa: S101 - the answer to this request
                for row, cells in enumerate(frame.rows, frame.first):
                    if any(cells):
                        yield Record(row, cells, None)


def sheets_of(source: Source) -> tuple[str, list[Sheet]]:
    """The SHA-256 of a workbook, and its sheets in order, those without a cell among them.

    Raises UnreadableInput: cannot_read, not_a_table, too_large, too_many_cells.
    """
    content = source.held()
    refuse_no_workbook(source.name, content)
    with _unfolded(source.name, content, Request("names")) as frames:
        sheets = [Sheet(source, name) for frame in frames if isinstance(frame, Names) for name in frame.sheets]
    return hashlib.sha256(content).hexdigest(), sheets


def cells_of(name: str, content: bytes) -> dict[str, Sequence[Sequence[object]]]:
    """Every cell of every sheet, from A1 on, as a spreadsheet holds it; days as text.

    Raises UnreadableInput as `sheets_of`.
    """
    refuse_no_workbook(name, content)
    found: dict[str, list[list[object]]] = {}
    with _unfolded(name, content, Request("cells")) as frames:
        for frame in frames:
            if isinstance(frame, Names):
                found = {sheet: [] for sheet in frame.sheets}
            elif isinstance(frame, Rows):
                found[frame.sheet] += frame.rows
    return dict(found)


@contextmanager
def _unfolded(name: str, content: bytes, request: Request) -> Iterator[Iterator[Names | Rows]]:
    """What another process answers about a workbook. Raises UnreadableInput: cannot_read, too_many_cells."""
    with subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - asked for
        asking = Thread(target=_ask, args=(process.stdin, request, content), daemon=True)
        asking.start()
        try:
            yield _answers(name, process)
        finally:
            process.kill()
            asking.join()


def _ask(to: IO[bytes], request: Request, content: bytes) -> None:
    try:
        with to:
            write_frame(to, request)
            to.write(content)
    except (BrokenPipeError, ValueError):
        return  # it has ended, which whoever reads its answer sees


def _answers(name: str, process: subprocess.Popen[bytes]) -> Iterator[Names | Rows]:
    assert process.stdout and process.stderr  # noqa: S101, PT018 - asked for
    while (packed := read_frame(process.stdout)) is not None:
        frame = _frame(packed)
        if isinstance(frame, Done):
            return
        if isinstance(frame, Refused):
            raise _broken(name, frame.what) if frame.code == "cannot_read" else _too_many_cells(name, frame.what)
        yield frame
    said = process.stderr.read().decode(errors="replace").strip()
    if process.wait() < 0 or "MemoryError" in said:
        raise _too_many_cells(name, f"laying it out took more than {MEMORY >> 20} MiB of memory")
    raise _broken(name, said.rpartition("\n")[2] or "its reader ended early")


def refuse_no_workbook(name: str, content: bytes) -> None:
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
        raise _broken(name, str(error)) from error
    if damaged is not None:
        raise _broken(name, f"{damaged} is damaged")


def _broken(name: str, what: str) -> UnreadableInput:
    return UnreadableInput(
        "cannot_read",
        f"{name} cannot be read as a workbook: {what.rstrip('.')}.",
        "Open it and save it again, or save it as “CSV UTF-8”.",
    )


def _too_many_cells(name: str, what: str) -> UnreadableInput:
    return UnreadableInput(
        "too_many_cells",
        f"{name} has too many cells: {what}; a sheet may reach over {MOST_CELLS:,} cells.",
        "Delete the rows and columns beyond the data and save it again, or save it as “CSV UTF-8”.",
    )
