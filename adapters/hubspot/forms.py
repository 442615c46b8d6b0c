"""Form submissions: that somebody sent a form in, and how they left those of its boxes that the map uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.hubspot.labels import fold, speaks_of_opting_out
from adapters.hubspot.values import NO, YES, Vocabulary
from adapters.reading import TableEvidence, digest, happened, moment, undated
from adapters.statements import BoxFound, FormFound, Statement
from adapters.times import Span
from adapters.tokens import token_of
from ledger.events import BoxAnswered, FormSubmitted

CAPTURED_BY = "form_record"
_TICKED = f"{YES}|angekreuzt|coché|marcado|aktiviert"
_LEFT = f"{NO}|not checked|nicht angekreuzt|nicht aktiviert|non coché|décoché|no marcado|sin marcar"
_MEMO = 4_096


class FormSubmissions(TableEvidence):
    """Answers other than those to boxes are never kept, and of boxes only those the map speaks of."""

    may_stop = False

    def begin(self) -> None:
        """Every column of one label that is not a field may be a box."""
        self._email, self._record, self._id = self.cell("email"), self.cell("record"), self.cell("id")
        self._at, self._at_time, self._stamp_time = self.cell("at"), self.when("at"), self.when("stamp")
        self._form, self._form_id = self.cell("form"), self.cell("form_id")
        self._title = undated(self.table.title)
        taken = {index for columns in self.at.values() for index in columns}
        boxes: dict[str, list[tuple[int, str]]] = {}
        for index, label in enumerate(self.table.header):
            if label and index not in taken:
                boxes.setdefault(token_of(label), []).append((index, label))
        # of two columns with one label nobody can say which is the box
        self._columns = [(held[0][0], name, held[0][1]) for name, held in boxes.items() if len(held) == 1]
        self._leaving = [one for one in self._columns if speaks_of_opting_out(one[2])]
        self._open: dict[str, dict[int, tuple[str, str]]] = {}
        self._words = Vocabulary({"yes": _TICKED, "no": _LEFT})
        self._answers: dict[str, bool | None] = {}

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """The submission, then the boxes that are wanted."""
        email, record = self._email(cells), self._record(cells) or None
        span = self._at_time(cells) if self._at(cells) else self._stamp_time(cells)
        if span is None:
            self.refuse(
                "at" if "at" in self.at else "stamp",
                "is not a time that this program can read, so nothing can rest on it",
            )
            return ()
        name = self._form(cells) or self._form_id(cells) or self._title
        form = token_of(name)
        self._count(form, name, span)
        key = self._id(cells) or digest(form, email.casefold() or record, moment(span))
        common: dict[str, Any] = {
            "stream": "",
            "source": self.source,
            "by": "data_subject",
            "via": "form",
            "form": form,
            **happened(span, CAPTURED_BY),
        }
        told = [Statement(email, record, FormSubmitted(**common), f"form:{key}", None, row)]
        self._look_for_a_stop(form, name, cells)
        for box, ticked in self._boxes(form, cells):
            # the answer is part of the id: a form sent twice in a minute may hold both
            answered = BoxAnswered(**common, box=box, ticked=ticked)
            told.append(Statement(email, record, answered, f"box:{key}:{box}:{ticked}", None, row))
        return told

    def _look_for_a_stop(self, form: str, name: str, cells: Sequence[str]) -> None:
        """Reject a submission by which somebody may have said no: of a form or box that nobody declared."""
        declared = self.wanted.boxes.get(form, frozenset())
        speaks = "the form" if speaks_of_opting_out(name) and not declared else None
        for index, box, label in self._leaving:
            cell = cells[index].strip()
            if cell and box not in declared and self._ticked(cell) is not False:
                speaks = f"“{label}”"
        if speaks:
            self.refuse(None, f"{speaks} speaks of opting out, and nobody has declared what it means", may_stop=True)

    def _count(self, form: str, name: str, span: Span) -> None:
        found = self.found.forms.get(form)
        if found is None:
            found = self.found.forms[form] = FormFound(name)
            self._open[form] = {index: (box, label) for index, box, label in self._columns}
        day = span.earliest.date()
        found.rows += 1
        found.first = day if found.first is None or day < found.first else found.first
        found.last = day if found.last is None or day > found.last else found.last

    def _boxes(self, form: str, cells: Sequence[str]) -> list[tuple[str, bool]]:
        """The wanted boxes answered in this row; a column that holds anything but yes and no is no box."""
        open_, found = self._open[form], self.found.forms[form].boxes
        wanted = self.wanted.boxes.get(form, frozenset())
        answered, closed = [], []
        for index, (box, label) in open_.items():
            cell = cells[index]
            if not cell:
                continue
            ticked = self._ticked(cell)
            if ticked is None:
                if cell.strip() and box not in wanted:
                    closed.append(index)
                    found.pop(box, None)
                continue
            counted = found.get(box)
            if counted is None:
                counted = found[box] = BoxFound(label)
            counted.ticked += ticked
            counted.unticked += not ticked
            if box in wanted:
                answered.append((box, ticked))
        for index in closed:
            del open_[index]
        return answered

    def _ticked(self, cell: str) -> bool | None:
        if cell in self._answers:
            return self._answers[cell]
        word = self._words.read(cell) if fold(cell) else "?"
        ticked = None if word == "?" else word == "yes"
        if len(self._answers) < _MEMO:
            self._answers[cell] = ticked
        return ticked
