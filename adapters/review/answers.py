"""The workbook back from the DPO: its answers as people type them, and everything wrong with them.

What is wrong with an answer is a `Problem` with its sheet and cell; a file that is no such workbook, or was
taken apart, is refused as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from adapters.review import words
from adapters.review.cells import Place, Problem, Rows, day, name_of, text
from adapters.review.words import Outcome
from adapters.sources import Source
from adapters.tabular import UnreadableInput
from adapters.workbooks import cells_of

_FIELDS = (words.ANSWER, words.NAME, words.ROLE, words.DATE, words.EVIDENCE, words.NOTE)
_LONGEST_NUMBER = 19
_SIGNATURE = (words.NAME, words.ROLE, words.DATE)


class File(NamedTuple):
    """A file of evidence, read: its name as it was written, and its bytes."""

    name: str
    content: bytes


class Answer(NamedTuple):
    """One answer for one or many contacts. `dated`: where its date stands."""

    question: str
    outcome: Outcome
    references: tuple[str, ...]
    name: str
    role: str
    on: date
    note: str
    evidence: tuple[File, ...]
    dated: tuple[str, str]


class Review(NamedTuple):
    """A workbook, read.

    at, position      of which audit it is: the moment, and the ledger's last position then
    seal              the ledger's mark over both and the members, as it stands in the file; see `deciding.plan`
    unsigned          questions answered beforehand that nobody signed; `open`: those without an answer
    """

    at: str
    position: int
    seal: str
    members: dict[str, tuple[str, ...]]
    answers: list[Answer]
    open: list[str]
    unsigned: list[str]
    problems: list[Problem]


def read_review(path: Path) -> Review:
    """Read a workbook; its ledger checks the seal. Raises UnreadableInput: cannot_read, no_review, no_seal."""
    sheets = sheets_of(path)
    review = _begun(path, sheets)
    members = review.members
    seen: dict[str, str] = {}
    for name, rows in sheets.items():
        place = Place(name, rows)
        row = place.row_of(words.QUESTION)
        said = "" if row is None else text(place.at(row, 1)).casefold()
        if row is None or not said:
            continue
        if said in seen or said not in members:
            what = f"stands on the sheet “{seen[said]}” too" if said in seen else "is not a question of this workbook"
            review.problems.append(place.problem(row, 1, f"“{said}” {what}"))
            continue
        seen[said] = name
        _read(review, _Sheet(place, said, members[said], path.parent))
    settled = {answer.question for answer in review.answers} | set(review.unsigned)
    review.open.extend(question for question in members if question not in settled)
    return review


def sheets_of(path: Path) -> dict[str, Rows]:
    """Every sheet of a workbook and its cells. Raises UnreadableInput."""
    try:
        return cells_of(path.name, Source(path, None, path.name).held())
    except UnreadableInput as error:
        if error.code == "too_many_cells":
            raise
        raise UnreadableInput(
            "cannot_read", error.message, "Give the review.xlsx of an audit, filled in and saved without a password."
        ) from error


def _begun(path: Path, sheets: dict[str, Rows]) -> Review:
    """The review with nothing answered: of which audit it is, and question -> references."""
    meta = {text(row[0]): text(row[1]) for row in sheets.get(words.META, ()) if len(row) > 1}
    if meta.get("schema") == words.UNSEALED:
        raise UnreadableInput(
            "no_seal",
            f"{path.name} was written by an earlier version, whose seal anybody can make: nothing of it is recorded.",
            "Run the audit again and put the answers into its new review.xlsx.",
        )
    if meta.get("schema") != words.SCHEMA or words.MEMBERS not in sheets:
        raise UnreadableInput(
            "no_review",
            f"{path.name} is not a review of this program, or was saved by one that drops hidden sheets.",
            "Take the review.xlsx of the audit, or run the audit again; fill it in with Excel or LibreOffice.",
        )
    members: dict[str, list[str]] = {}
    for row in sheets[words.MEMBERS]:
        if len(row) > 1:
            members.setdefault(text(row[0]), []).extend(text(row[1]).split())
    position = meta.get("position", "")
    number = int(position) if position.isascii() and position.isdigit() and len(position) < _LONGEST_NUMBER else -1
    named = {question: tuple(found) for question, found in members.items()}
    return Review(meta.get("audit", ""), number, meta.get("seal", ""), named, [], [], [], [])


class _Sheet(NamedTuple):
    """One question's sheet. `folder`: where evidence is looked for."""

    place: Place
    question: str
    members: tuple[str, ...]
    folder: Path


class _Own(NamedTuple):
    """One contact's own answer. `outcome` None: left as it is."""

    reference: str
    outcome: Outcome | None
    evidence: tuple[int, int]


def _read(review: Review, sheet: _Sheet) -> None:
    """Take the answers of one sheet into the review, or what is wrong with them."""
    place, problems = sheet.place, review.problems
    rows = {label: place.row_of(label) for label in _FIELDS}
    missing = [label for label, row in rows.items() if row is None]
    if missing:
        problems.append(place.problem(0, 0, f"the row “{missing[0]}” is gone: put it back in the first column"))
        return
    at = {label: row for label, row in rows.items() if row is not None}
    said = {label: text(place.at(row, 1)) for label, row in at.items()}
    before = len(problems)
    outcome = _outcome(said[words.ANSWER])
    if said[words.ANSWER] and outcome is None:
        problems.append(place.problem(at[words.ANSWER], 1, _no_answer(said[words.ANSWER])))
    own = list(_own_answers(sheet, problems))
    if not said[words.ANSWER] and not own:
        if any(said.values()):
            problems.append(place.problem(at[words.ANSWER], 1, "the rest is filled in, but no answer is chosen"))
        return
    if _only_prepared(sheet.question, outcome, said) and not own:
        review.unsigned.append(sheet.question)
        return
    on = day(place.at(at[words.DATE], 1))
    problems += _unsigned(place, at, said, on)
    named = len(problems)
    files = _files(place, at[words.EVIDENCE], 1, sheet.folder, problems)
    answers = []
    for choice, where, references in _batches(sheet, outcome, own):
        cell, evidence = where or (at[words.EVIDENCE], 1), files
        if where is not None and text(place.at(*where)):
            evidence = _files(place, *where, sheet.folder, problems)
        if choice == "attach_evidence" and not evidence and len(problems) == named:
            problems.append(place.problem(*cell, "name the file: “evidence attached” needs at least one"))
        answers.append((choice, references, evidence))
    if len(problems) > before or on is None:
        return
    dated = (place.sheet, name_of(at[words.DATE], 1))
    for choice, references, evidence in answers:
        review.answers.append(
            Answer(
                sheet.question,
                choice,
                references,
                said[words.NAME],
                said[words.ROLE],
                on,
                said[words.NOTE],
                evidence,
                dated,
            )
        )


def _only_prepared(question: str, outcome: Outcome | None, said: dict[str, str]) -> bool:
    """Whether the answer stands as it was written beforehand, and nobody has touched it."""
    untouched = not any(said[label] for label in _FIELDS if label != words.ANSWER)
    return question == "no_rule" and outcome == "stop" and untouched


def _unsigned(place: Place, at: dict[str, int], said: dict[str, str], on: date | None) -> Iterator[Problem]:
    for label in _SIGNATURE:
        if not said[label]:
            yield place.problem(at[label], 1, f"an answer needs a {label.lower()}")
    for label in (words.NAME, words.ROLE):
        if said[label] and not any(letter.isalpha() for letter in said[label]):
            yield place.problem(at[label], 1, f"“{said[label]}” is no {label.lower()}")
    if said[words.DATE] and on is None:
        yield place.problem(at[words.DATE], 1, f"“{said[words.DATE]}” is not a clear date: write e.g. 2026-11-24")


def _batches(
    sheet: _Sheet, outcome: Outcome | None, own: Iterable[_Own]
) -> Iterator[tuple[Outcome, tuple[int, int] | None, tuple[str, ...]]]:
    """Which answer, where its own evidence would stand, and for whom: the group first, less those with their own."""
    apart = {one.reference: one for one in own}
    rest = tuple(reference for reference in sheet.members if reference not in apart)
    if outcome is not None and rest:
        yield outcome, None, rest
    for one in apart.values():
        if one.outcome is not None:
            yield one.outcome, one.evidence, (one.reference,)


def _own_answers(sheet: _Sheet, problems: list[Problem]) -> Iterator[_Own]:
    """The own answers of a sheet that lists its contacts; of one contact on two rows, both must agree."""
    place = sheet.place
    head = place.row_of(words.REFERENCE)
    titles = [text(cell) for cell in place.rows[head]] if head is not None else []
    if head is None or words.OWN_ANSWER not in titles:
        return
    column, members = titles.index(words.OWN_ANSWER), frozenset(sheet.members)
    files = titles.index(words.OWN_EVIDENCE) if words.OWN_EVIDENCE in titles else column + 1
    found: dict[str, _Own] = {}
    for row in range(head + 1, len(place.rows)):
        said = text(place.at(row, column))
        if not said:
            if text(place.at(row, files)):
                problems.append(place.problem(row, column, "a file is named, but no own answer is chosen"))
            continue
        reference, outcome = text(place.at(row, 0)), _outcome(said)
        if reference not in members:
            problems.append(place.problem(row, 0, f"“{reference}” is not a contact of this question"))
        elif outcome is None and _plain(said) != words.LEAVE:
            problems.append(place.problem(row, column, _no_answer(said)))
        elif reference in found and found[reference].outcome != outcome:
            problems.append(place.problem(row, column, f"{reference} has another own answer above"))
        else:
            found.setdefault(reference, _Own(reference, outcome, (row, files)))
    yield from found.values()


def _files(place: Place, row: int, column: int, folder: Path, problems: list[Problem]) -> tuple[File, ...]:
    """The files a cell names, read; what cannot be read is a problem."""
    found: dict[str, File] = {}
    for part in re.split(r"[;\n]", text(place.at(row, column), lines=True)):
        name = part.strip().strip("\"'“”").strip()
        if not name:
            continue
        try:
            found[name] = File(name, (folder / name).read_bytes())
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            problems.append(place.problem(row, column, f"the file “{name}” cannot be read: {why}"))
    return tuple(found.values())


def _outcome(said: str) -> Outcome | None:
    return words.SPELLINGS.get(_plain(said))


def _plain(said: str) -> str:
    return said.casefold().rstrip(".")


def _no_answer(said: str) -> str:
    return f"“{said}” is not one of the answers: {'; '.join(words.ANSWERS.values())}"
