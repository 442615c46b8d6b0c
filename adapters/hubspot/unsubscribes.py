"""Unsubscribes and bounces, and plain opt-out lists: people who may not be written to, with a date or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adapters.hubspot.labels import fold, recognise
from adapters.hubspot.said import BOUNCE, EMAIL, SPAM, Flags, bounce_kind, speaks_of
from adapters.hubspot.values import HARD_BOUNCE, Vocabulary
from adapters.reading import TableEvidence, clocks, count, digest, moment
from adapters.statements import Statement
from adapters.times import Span
from adapters.tokens import token_of
from ledger import events as e

CAPTURED_BY = "event_log"
_ALL = ("all", "allemail", "allemails", "everything", "alleemails", "touslesemails", "todosloscorreos")


class Unsubscribes(TableEvidence):
    """Whatever a cell of these columns says that is not understood counts as a stop: that is what the file is of."""

    def begin(self) -> None:
        """Look the columns up; each `Opted out of email: …` is one more."""
        self._person = self.cell("email"), self.cell("record")
        self._all, self._type = self.cell("all"), self.cell("type")
        self._reason, self._kind = self.cell("reason"), self.cell("kind")
        self._left, self._left_on, self._at = self.cell("left"), self.when("left"), self.when("at")
        self._bounce, self._why, self._spam = self.cell("bounce"), self.cell("bounce_reason"), self.cell("spam")
        self._in = {name: self.when(name) for name in ("all", "bounce", "spam")}
        self._types = recognise(self.table.header).types
        self._flags = Flags()
        self._reasons = Vocabulary(HARD_BOUNCE)

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """Every stop of the row, each once."""
        email, record = self._person[0](cells), self._person[1](cells) or None
        dated = self._left_on(cells) or self._at(cells)
        told: dict[str, Statement] = {}
        for about, span, event in self._events(cells, dated):
            key = digest(email.casefold() or record, about, moment(span))
            told[about] = Statement(email, record, event, f"{about}:{key}", None, row)
        if not told and not self._says_no_more(cells):
            self.refuse(None, "nothing in it says what somebody left, nor that nothing was left")
        return list(told.values())

    def _says_no_more(self, cells: Sequence[str]) -> bool:
        """Whether a cell says in so many words that nothing of the kind happened."""
        flags = (self._all, self._spam, self._bounce)
        filled = [cell(cells) for cell in flags] + [cells[index].strip() for index, _ in self._types]
        return any(filled) or bool(self._reason(cells))

    def _events(self, cells: Sequence[str], dated: Span | None) -> Iterator[tuple[str, Span | None, e.Event]]:
        reason = self._reason(cells) or self._kind(cells)
        spam, bounced = speaks_of(reason, SPAM), speaks_of(reason, BOUNCE)
        left = bool(reason) and not spam and not bounced
        spam_cell, bounce_cell, why = self._spam(cells), self._bounce(cells), self._why(cells)
        if spam or self._flags.read(spam_cell) is not False:
            yield self._stop(e.Complained, "complained", dated or self._in["spam"](cells))
        if bounced or why or self._flags.read(bounce_cell) is not False:
            yield self._bounced(reason, why, dated or self._in["bounce"](cells))
        yield from self._departures(cells, dated, left=left)

    def _departures(
        self, cells: Sequence[str], dated: Span | None, *, left: bool
    ) -> Iterator[tuple[str, Span | None, e.Event]]:
        everything, kind = self._all(cells), self._type(cells)
        all_left = self._flags.read(everything) is not False
        named = [(label, index) for index, label in self._types if self._flags.read(cells[index].strip()) is not False]
        for label, index in named:
            yield self._type_left(label, self.time_in(cells, index) or dated)
        if kind and fold(kind) not in _ALL and not all_left:
            if left or self._left(cells) or not self._reason(cells):
                yield self._type_left(kind, dated)
        elif all_left or (not named and (left or self._left(cells))):
            yield self._stop(e.OptedOut, "opted_out", self._in["all"](cells) or dated, channels=EMAIL)

    def _type_left(self, kind: str, span: Span | None) -> tuple[str, Span | None, e.Event]:
        count(self.found.types, kind, span)
        name = token_of(kind)
        return self._stop(
            e.TypeOptedOut, f"type_left.{name}", span, channels=EMAIL, via="hubspot_type", subscription_type=name
        )

    def _stop(
        self, cls: type[e.Stop], about: str, span: Span | None, *, via: str = "hubspot", **scope: Any
    ) -> tuple[str, Span | None, e.Event]:
        made = cls(stream="", source=self.source, by="data_subject", via=via, **scope, **clocks(span, CAPTURED_BY))
        return about, span, made

    def _bounced(self, reason: str, why: str, span: Span | None) -> tuple[str, Span | None, e.Event]:
        word = self._reasons.read(why) if why else "?"
        event = e.Bounced(
            stream="",
            source=self.source,
            by="system",
            kind=bounce_kind(f"{reason} {why}"),
            reason=None if word == "?" else word,
            **clocks(span, CAPTURED_BY),
        )
        return "bounced", span, event


class OptOuts(TableEvidence):
    """A list of which everybody said no."""

    def begin(self) -> None:
        """Look the columns up."""
        self._email, self._record = self.cell("email"), self.cell("record")
        self._left, self._at = self.when("left"), self.when("at")

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """One stop, of the day that the list gives, if it gives one."""
        email, record = self._email(cells), self._record(cells) or None
        span = self._left(cells) or self._at(cells)
        event = e.OptedOut(
            stream="", source=self.source, by="data_subject", via="hubspot", channels=EMAIL, **clocks(span, CAPTURED_BY)
        )
        key = digest(email.casefold() or record, *([moment(span)] if span else []))
        return (Statement(email, record, event, f"opt_out:{key}", None, row),)
