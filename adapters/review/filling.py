"""Answers that already exist as data, written into the workbook's cells, where a person can look at them first."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec

from adapters.files import replacing
from adapters.report.masking import printable
from adapters.review import words
from adapters.review.answers import read_review, sheets_of
from adapters.review.cells import Place, name_of, text
from adapters.tabular import UnreadableInput

LONGEST = 8_000
"""Characters of one answer that go into a cell."""


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question's answer, as a file holds it. `evidence` is relative to that file; several with `;` between."""

    outcome: str
    name: str
    role: str
    date: str
    evidence: str = ""
    words: str = ""


def fill_review(path: Path, answers: Path) -> list[str]:
    """Write a JSON file's answers (question -> `Said`) into a workbook; the questions filled in.

    Answers to questions that the workbook does not ask are left out. Raises UnreadableInput.
    """
    said = _read(answers)
    members = read_review(path).members
    folder = os.path.relpath(answers.parent.resolve(), path.parent.resolve())
    changes: dict[str, dict[str, str]] = {}
    filled: list[str] = []
    for number, (name, rows) in enumerate(sheets_of(path).items(), start=1):
        place = Place(name, rows)
        row = place.row_of(words.QUESTION)
        question = text(place.at(row, 1)) if row is not None else ""
        if question in said and question in members:
            changes[f"xl/worksheets/sheet{number}.xml"] = _cells(place, said[question], folder)
            filled.append(question)
    _patch(path, changes)
    return filled


def _read(path: Path) -> dict[str, Said]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Said])
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableInput(
            "cannot_read",
            f"{path.name} holds no answers: {error}.",
            "Write JSON: each question's id with outcome, name, role, date, and if need be evidence and words.",
        ) from error


def _cells(place: Place, said: Said, folder: str) -> dict[str, str]:
    """What goes into which cell."""
    outcome = words.SPELLINGS.get(said.outcome.casefold())
    files = (part.strip() for part in said.evidence.split(";"))
    values = {
        words.ANSWER: words.ANSWERS[outcome] if outcome else said.outcome,
        words.NAME: said.name,
        words.ROLE: said.role,
        words.DATE: said.date,
        words.EVIDENCE: "; ".join(os.path.normpath(Path(folder, file)) for file in files if file),
        words.NOTE: said.words,
    }
    rows = {label: place.row_of(label) for label in values}
    return {name_of(row, 1): values[label] for label, row in rows.items() if row is not None}


def _patch(path: Path, changes: Mapping[str, Mapping[str, str]]) -> None:
    """Put texts into cells and leave everything else of the workbook, its formats included, as it is."""
    with replacing(path) as stream, zipfile.ZipFile(path) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename in changes:
                sheet = content.decode()
                for cell, value in changes[member.filename].items():
                    sheet = _put(sheet, cell, value)
                content = sheet.encode()
            new.writestr(member, content, zipfile.ZIP_DEFLATED)


def _put(sheet: str, cell: str, value: str) -> str:
    found = re.search(rf'<c r="{cell}"( s="\d+")?[^>]*?(?:/>|>.*?</c>)', sheet)
    if found is None:
        raise UnreadableInput(
            "no_review", f"The workbook has no cell {cell} to fill in.", "Give the review.xlsx as the audit wrote it."
        )
    if not value:
        return sheet
    told = escape(printable(value, LONGEST))
    filled = f'<c r="{cell}"{found[1] or ""} t="inlineStr"><is><t>{told}</t></is></c>'
    return sheet[: found.start()] + filled + sheet[found.end() :]
