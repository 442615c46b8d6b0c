"""The subscription timeline: who left what, which form switched a type on, who confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.hubspot.labels import fold
from adapters.hubspot.said import EMAIL, acted, bounce_kind
from adapters.reading import TableEvidence, clocks, count, digest, happened, moment
from adapters.statements import BoxFound, FormFound, Statement
from adapters.times import Span
from adapters.tokens import token_of
from ledger import events as e
from ledger.terms import Party

CAPTURED_BY = "subscription_timeline"
_CHANGES = {
    "left": "UNSUBSCRIBED|UNSUBSCRIBE|OPT_OUT|OPTED_OUT|Opted out|NOT_SUBSCRIBED|NOT_OPTED|UNSUBSCRIBED_FROM_ALL"
    "|Unsubscribed from all|Abgemeldet|Désabonné|Suscripción cancelada",
    "joined": "SUBSCRIBED|SUBSCRIBE|OPT_IN|OPTED_IN|Opted in|RESUBSCRIBED|Angemeldet|Abonniert|Abonné|Suscrito",
    "confirmed": "CONFIRMED|OPT_IN_CONFIRMED|DOUBLE_OPT_IN_CONFIRMED|SUBSCRIPTION_CONFIRMED|Double opt-in confirmed"
    "|Confirmation clicked|User clicked confirmation|Bestätigt|Confirmé|Confirmado",
    "requested": "CONFIRMATION_REQUESTED|CONFIRMATION_SENT|Confirmation email sent|OPT_IN_REQUESTED|REQUESTED|PENDING"
    "|CONFIRMATION_PENDING|DOUBLE_OPT_IN_REQUESTED|DOUBLE_OPT_IN_SENT|Bestätigungs-E-Mail gesendet",
    "bounced": "BOUNCED|BOUNCE|HARD_BOUNCED|Hard bounced",
    "complained": "SPAM|SPAMREPORT|SPAM_REPORTED|COMPLAINED|MARKED_AS_SPAM|Spam report",
    "": "NOT_SPECIFIED|UNBOUNCED|NO_CHANGE|UNKNOWN|BLOCKED|UNBLOCKED",
}
_WIDE = ("portal", "brandwide", "businessunitwide", "all")
_ALL = ("all", "allemail", "allemails", "everything", "alle", "alleemails", "tous", "todos")


class SubscriptionEvents(TableEvidence):
    """What a recipient did counts as theirs; a subscription switched on by anybody else grants nothing."""

    def begin(self) -> None:
        """Look the columns up."""
        self._cells = [self.cell(name) for name in ("change", "about", "source", "confirmed")]
        self._person = self.cell("email"), self.cell("record")
        self._type, self._type_id = self.cell("type"), self.cell("type_id")
        self._form, self._form_id, self._at = self.cell("form"), self.cell("form_id"), self.when("at")
        self._words = {fold(word): change for change, words in _CHANGES.items() for word in words.split("|")}
        self._known: dict[tuple[str, ...], tuple[str | None, bool, Party]] = {}

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """What the change states, if anything."""
        words = tuple(cell(cells) for cell in self._cells)
        known = self._known.get(words)
        if known is None:
            known = self._known[words] = self._understood(*words)
        change, wide, by = known
        if change is None:
            self.refuse(
                "change",
                f"“{words[0]}” is a change that this program does not know; if it is an opt-out, record it by hand",
            )
            return ()
        email, record = self._person[0](cells), self._person[1](cells) or None
        span, kind = self._at(cells), self._type(cells) or self._type_id(cells)
        if kind:
            count(self.found.types, kind, span)
        name, number = self._type(cells), self._type_id(cells)
        if name and number and name != number:
            self.found.numbers[number, name] = self.found.numbers.get((number, name), 0) + 1
        form = self._form(cells) or self._form_id(cells)
        event = self._event(change, by, span, "" if wide else kind, form)
        if event is None:
            return ()
        key = digest(email.casefold() or record, change, kind, form if change == "joined" else "", moment(span))
        return (Statement(email, record, event, f"{change}:{key}", None, row),)

    def _understood(self, change: str, about: str, source: str, confirmed: str) -> tuple[str | None, bool, Party]:
        said, topic, by = self._words.get(fold(change)), fold(about), acted(source)
        confirming = "doubleoptin" in topic or "confirmation" in topic or "doubleoptin" in fold(source)
        if said == "joined" and (confirming or self._words.get(fold(confirmed)) == "confirmed"):
            said = "confirmed"
        if said == "confirmed" and by == "officer":
            said = ""  # somebody else marked it so
        if said == "joined" and source and by != "data_subject":
            said = ""
        return said, topic.startswith(_WIDE), by

    def _event(self, change: str, by: Party, span: Span | None, kind: str, form: str) -> e.Event | None:
        common: dict[str, Any] = {"stream": "", "source": self.source}
        if change == "left":
            stop: dict[str, Any] = {**common, "by": by, "channels": EMAIL, **clocks(span, CAPTURED_BY)}
            if not kind or fold(kind) in _ALL:
                return e.OptedOut(**stop, via="hubspot")
            return e.TypeOptedOut(**stop, via="hubspot_type", subscription_type=token_of(kind))
        if change == "complained":
            return e.Complained(**common, by="data_subject", via="hubspot", **clocks(span, CAPTURED_BY))
        if change == "bounced":
            return e.Bounced(**common, by="system", kind=bounce_kind(""), **clocks(span, CAPTURED_BY))
        if not change or (change == "joined" and not form):
            return None
        if span is None:
            self.refuse("at", "is not a time that this program can read, so nothing can rest on it", may_stop=False)
            return None
        common |= happened(span, CAPTURED_BY)
        if change == "confirmed":
            return e.DoubleOptInConfirmed(**common, by="data_subject", via="hubspot", verifies_channel="email")
        if change == "requested":
            return e.OptInRequested(**common, by="system", channels=EMAIL, form=token_of(form) if form else None)
        return self._switched_on(common, form, kind, span)

    def _switched_on(self, common: dict[str, Any], form: str, kind: str, span: Span) -> e.Event | None:
        """A type that a form switched on: a box of that form, as this person left it."""
        if not kind:
            return None
        name, box = token_of(form), f"type.{token_of(kind)}"
        found = self.found.forms.setdefault(name, FormFound(form))
        day = span.earliest.date()
        found.first = day if found.first is None else min(day, found.first)
        found.last = day if found.last is None else max(day, found.last)
        found.boxes.setdefault(box, BoxFound(kind)).ticked += 1
        if box not in self.wanted.boxes.get(name, ()):
            return None
        return e.BoxAnswered(**common, by="data_subject", via="form", form=name, box=box, ticked=True)
