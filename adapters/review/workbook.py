"""`review.xlsx`: one sheet a question, with room for the answer, and what is needed to read it back.

Every text is written as text, never as something a spreadsheet would calculate. The same audit gives the
same bytes. Who is asked about stands in a sheet that no menu shows, many references to a cell, so that
neither sorting nor a sheet's last row takes anybody out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import IO, Any

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.format import Format  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from adapters.files import replacing
from adapters.report import wording
from adapters.report.masking import printable
from adapters.review import words
from adapters.review.questions import EXAMPLES, Group, Questions, Stamp, membership_seal
from adapters.why_causes import law_name
from adapters.why_needs import need_in_words
from ledger.policy.jurisdictions import UNKNOWN
from ledger.policy.rules import Policy, Rule
from projections.verdicts import QUESTIONS, REASONS, Audit

TOGETHER = 1_000
"""References in one cell: below the 32,767 characters a cell may hold."""

_WIDTHS = (20, 26, 26, 50, 14, 28, 36)
_LAST = len(_WIDTHS) - 1
_LINE = 15
_FORMATS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14, "text_wrap": True, "valign": "top"},
    "section": {"bold": True, "font_size": 12, "bottom": 1},
    "label": {"bold": True, "valign": "top"},
    "text": {"text_wrap": True, "valign": "top"},
    "hint": {"italic": True, "font_color": "#595959", "valign": "top", "text_wrap": True},
    "input": {"bg_color": "#FFF8DC", "border": 1, "locked": False, "text_wrap": True, "valign": "top"},
    "day": {"bg_color": "#FFF8DC", "border": 1, "locked": False, "num_format": "yyyy-mm-dd", "align": "left"},
    "head": {"bold": True, "bg_color": "#E7E6E6", "border": 1, "text_wrap": True},
    "cell": {"border": 1, "text_wrap": True, "valign": "top"},
    "number": {"num_format": "#,##0", "align": "left"},
}


def write_review(to: Path | IO[bytes], audit: Audit, questions: Questions, policy: Policy, stamp: Stamp) -> None:
    """Write the workbook of an audit's questions, sealed by its ledger; a file made here is for its owner alone."""
    if isinstance(to, Path):
        with replacing(to) as stream:
            _write(stream, audit, questions, policy, stamp)
    else:
        _write(to, audit, questions, policy, stamp)


def _write(stream: IO[bytes], audit: Audit, questions: Questions, policy: Policy, stamp: Stamp) -> None:
    with Workbook(stream, {"in_memory": True}) as book:
        book.set_properties({"title": "Review", "created": audit.at.astimezone(UTC).replace(tzinfo=None)})
        pen = _Pen(book)
        _read_me(pen, audit, questions.groups)
        for group in questions.groups:
            _question(pen, group, audit, policy)
        _members(book, questions)
        _meta(book, audit, questions, stamp)


class _Pen:
    """Writes texts from top to bottom into one sheet after the other."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self.formats: dict[str, Format] = {name: book.add_format(how) for name, how in _FORMATS.items()}

    def sheet(self, name: str) -> Worksheet:
        """Begin a sheet: cells without an answer in them are locked, without a password."""
        self.sheet_ = self._book.add_worksheet(name)
        self.row = 0
        for column, width in enumerate(_WIDTHS):
            self.sheet_.set_column(column, column, width)
        self.sheet_.protect("", {"format_columns": True, "format_rows": True})
        self.sheet_.hide_gridlines(2)
        self.sheet_.set_landscape()
        self.sheet_.fit_to_pages(1, 0)
        self.sheet_.set_paper(9)
        return self.sheet_

    def across(self, text: str, style: str, first: int = 0, last: int = _LAST) -> None:
        """A text over several columns, on a row as high as it needs."""
        if style != "section":
            large = 1.3 if style == "title" else 1
            self.sheet_.set_row(self.row, _LINE * large * _lines(text, sum(_WIDTHS[first : last + 1]) / large))
        self.sheet_.merge_range(self.row, first, self.row, last, "", self.formats[style])
        self.sheet_.write_string(self.row, first, text, self.formats[style])
        self.row += 1

    def line(self, label: str, value: str | int) -> None:
        """A label and what it says."""
        self.sheet_.write_string(self.row, 0, label, self.formats["label"])
        if isinstance(value, int):
            self.sheet_.write_number(self.row, 1, value, self.formats["number"])
            self.row += 1
        else:
            self.across(value, "text", first=1)

    def skip(self) -> None:
        """A blank row."""
        self.row += 1


def _lines(text: str, width: float) -> int:
    return sum(1 + int(len(line) * 1.1 / width) for line in text.split("\n"))


# --- what everybody reads first ------------------------------------------------------------------


def _read_me(pen: _Pen, audit: Audit, groups: list[Group]) -> None:
    sheet = pen.sheet(words.README)
    contacts = sum(group.contacts for group in groups)
    asked = f"{wording.counted(len(groups), 'question')} about {wording.counted(contacts, 'contact')}"
    pen.across(f"Review: {asked}" if groups else "Review: no question is open", "title")
    pen.across(f"{printable(wording.company(audit.controller))}, audit of {wording.moment(audit.at)}", "text")
    pen.skip()
    pen.across("How to answer", "section")
    for number, text in enumerate(_how(audit), start=1):
        pen.line(str(number), text)
    pen.skip()
    pen.across("The questions", "section")
    for column, head in enumerate(("Sheet", "Contacts", "Marketing contacts", "Question")):
        sheet.write_string(pen.row, column, head, pen.formats["head"])
    pen.row += 1
    for group in groups:
        name = words.sheet_name(group.question)
        sheet.write_url(pen.row, 0, f"internal:'{name}'!A1", pen.formats["cell"], name)
        sheet.write_number(pen.row, 1, group.contacts, pen.formats["cell"])
        sheet.write_number(pen.row, 2, group.marketing, pen.formats["cell"])
        signed = (
            "Answered already: only name, role and date are missing. "
            if group.answered_already(audit.sender_country)
            else ""
        )
        pen.across(signed + QUESTIONS[group.question], "cell", first=3)
    pen.skip()
    pen.across("What an answer does", "section")
    for outcome, label in words.ANSWERS.items():
        pen.line(label, words.EFFECTS[outcome])
    pen.skip()
    pen.across("No answer here allows anybody or undoes an opt-out. " + wording.NOT_ADVICE, "hint")


def _how(audit: Audit) -> Iterator[str]:
    yield "Each sheet is one question about a group of contacts. Answer the ones you can; a blank one stays open."
    yield "Choose an answer, and give name, role and date. All three are needed; “evidence attached” needs a file too."
    yield "Where a sheet lists every contact, an own answer beside one of them counts instead of the group's."
    yield "Do not rename or delete the labels in the first column, and save the file as a workbook (.xlsx)."
    yield "Then: consent-ledger review import review.xlsx. It shows whose answer changes before anything is recorded."
    company = printable(wording.company_or_blank(audit.controller))
    yield f"This workbook is of the ledger of {company} at position {audit.ledger_position}."


# --- one question --------------------------------------------------------------------------------


def _question(pen: _Pen, group: Group, audit: Audit, policy: Policy) -> None:
    pen.sheet(words.sheet_name(group.question))
    lead = f"{wording.counted(group.contacts, 'contact')} {words.LEADS[group.question]}."
    pen.across(f"{lead} {QUESTIONS[group.question]}", "title")
    pen.sheet_.write_string(pen.row, 0, words.QUESTION, pen.formats["hint"])
    pen.sheet_.write_string(pen.row, 1, group.question, pen.formats["hint"])
    pen.sheet_.write_string(pen.row, 2, words.NOT_FOR_PEOPLE, pen.formats["hint"])
    pen.row += 2
    answered = group.answered_already(audit.sender_country)
    _inputs(pen, answered)
    pen.across("Who is asked about", "section")
    pen.line("Contacts", group.contacts)
    pen.line("Marketing contacts", group.marketing)
    ranked = sorted(group.countries.items(), key=lambda one: (-one[1], one[0]))
    counted = ", ".join(f"{_country(policy, code)} {count:,}" for code, count in ranked)
    several = sum(group.countries.values()) > group.contacts
    pen.line("Countries", counted + (" (a contact that may be in two counts under both)" if several else ""))
    if group.question in REASONS:
        pen.line("What is the matter", wording.reason_sentence(group.question) + ".")
    pen.skip()
    pen.across("Rules that could accept it, were it shown", "section")
    _rules(pen, [] if answered else group.rules(policy, audit.at), audit, policy)
    _contacts(pen, group, policy)


def _country(policy: Policy, code: str) -> str:
    return "not known" if code == UNKNOWN else policy.regime(code).title


def _inputs(pen: _Pen, answered: bool) -> None:
    """The cells to fill in. One that is answered already needs a signature alone."""
    pen.across("Your answer", "section")
    sheet = pen.sheet_
    for label, hint in words.HINTS.items():
        style = pen.formats["day" if label == words.DATE else "input"]
        sheet.write_string(pen.row, 0, label, pen.formats["label"])
        sheet.merge_range(pen.row, 1, pen.row, 2, "", style)
        if label == words.ANSWER:
            sheet.data_validation(pen.row, 1, pen.row, 1, _choice(list(words.ANSWERS.values())))
            if answered:
                sheet.write_string(pen.row, 1, words.ANSWERS["stop"], style)
        else:
            sheet.data_validation(
                pen.row, 1, pen.row, 1, {"validate": "any", "input_title": label, "input_message": hint}
            )
        pen.across(hint, "hint", first=3)
    if answered:
        pen.across("Answered already, as no rule can accept the claim: sign with name, role and date.", "text")
    pen.skip()


def _choice(answers: list[str]) -> dict[str, Any]:
    return {
        "validate": "list",
        "source": answers,
        "ignore_blank": True,
        "error_title": "Not one of the answers",
        "error_message": "Choose from the list, or leave the cell blank.",
    }


def _rules(pen: _Pen, rules: list[tuple[Rule, list[str]]], audit: Audit, policy: Policy) -> None:
    if not rules:
        pen.across("None: no rule of these countries accepts this for e-mail.", "text")
    if audit.sender_country is None:
        pen.across(
            "The sender's country is not declared, so the strictest rules were added, and all have to say yes. "
            "Audit again with --sender-country before you answer.",
            "text",
        )
    for rule, codes in rules:
        needs = f" Needs: {'; '.join(map(need_in_words, rule.needs))}." if rule.needs else ""
        where = ", ".join(_country(policy, code) for code in codes)
        law, source = law_name(rule), " ".join(rule.source.split())
        pen.line("Rule", f"{law} ({rule.id}). Country: {where}. {' '.join(rule.text.split())}{needs} Source: {source}")
    pen.skip()


def _contacts(pen: _Pen, group: Group, policy: Policy) -> None:
    """Every contact with room for an own answer where they are few, else some examples."""
    sheet, own = pen.sheet_, (words.OWN_ANSWER, words.OWN_EVIDENCE) if group.listed else ()
    few = "The contacts, one by one" if group.listed else f"Examples: {EXAMPLES} of {group.contacts:,}"
    pen.across(few, "section")
    for column, head in enumerate((*words.COLUMNS, *own)):
        sheet.write_string(pen.row, column, head, pen.formats["head"])
    first = pen.row = pen.row + 1
    for example in group.examples:
        shown = example._replace(
            countries=", ".join(_country(policy, one) for one in example.countries.split(", ") if one)
        )
        for column, text in enumerate(shown):
            sheet.write_string(pen.row, column, text, pen.formats["cell"])
        for column in range(len(example), len(example) + len(own)):
            sheet.write_blank(pen.row, column, None, pen.formats["input"])
        pen.row += 1
    if own:
        column = len(words.COLUMNS)
        sheet.data_validation(first, column, pen.row - 1, column, _choice([*words.ANSWERS.values(), words.LEAVE]))


# --- what nobody edits ---------------------------------------------------------------------------


def _members(book: Workbook, questions: Questions) -> None:
    sheet = book.add_worksheet(words.MEMBERS)
    sheet.very_hidden()
    row = 0
    for group in questions.groups:
        references = group.references
        for start in range(0, len(references), TOGETHER):
            sheet.write_string(row, 0, group.question)
            sheet.write_string(row, 1, " ".join(references[start : start + TOGETHER]))
            row += 1


def _meta(book: Workbook, audit: Audit, questions: Questions, stamp: Stamp) -> None:
    at = audit.at.isoformat()
    sheet = book.add_worksheet(words.META)
    sheet.very_hidden()
    rows = {
        "schema": words.SCHEMA,
        "audit": at,
        "position": str(audit.ledger_position),
        "seal": membership_seal(stamp, at, audit.ledger_position, questions.members),
    }
    for row, (name, value) in enumerate(rows.items()):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
