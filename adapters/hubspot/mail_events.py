"""E-mail events: what was sent, and what came of it. Opens and the like say nothing that counts here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from adapters.hubspot.labels import fold
from adapters.hubspot.said import EMAIL, Flags, acted, bounce_kind
from adapters.reading import TableEvidence, by_then, clocks, count, digest, happened, moment, undated
from adapters.statements import Statement
from adapters.times import Span
from adapters.tokens import token_of
from ledger import events as e
from ledger.spelling import normal

CAPTURED_BY = "event_log"
_PASSED_OVER = frozenset(("open", "print", "forward", "deferred", "unbounce", "mtaignore"))
_SENDING = ("delivered", "processed", "sent")
"""One mail, as three events tell of it; the last of them that the file holds speaks for all."""
_NAMED = {
    "bounce": "bounce", "spamreport": "spamreport", "spam": "spamreport", "statuschange": "statuschange",
    "dropped": "dropped", "click": "click", "delivered": "delivered", "processed": "processed", "sent": "sent",
    "open": "open", "deferred": "deferred", "print": "print", "forward": "forward",
}  # fmt: skip
"""What a file of one type is called, the most telling first."""
_UNSUBSCRIBED = frozenset(("unsubscribed", "optedout", "optout", "notsubscribed"))
_KNOWN_STATES = _UNSUBSCRIBED | {"subscribed", "resubscribed", "optin", "optedin", "notspecified", "nochange", ""}
_DROPPED_FOR: dict[str, Literal["hard", "invalid", "quarantined"]] = {
    "previouslybounced": "hard",
    "invalid": "invalid",
    "quarantined": "quarantined",
}

Told = tuple[str, e.Event]


def type_by_title(title: str) -> str | None:
    """The type of all events of a file that holds one type, by its name."""
    name = fold(title)
    return next((kind for word, kind in _NAMED.items() if word in name), None)


class MailEvents(TableEvidence):
    """One event a row; see HubSpot's e-mail events API."""

    def begin(self) -> None:
        """Look the columns up."""
        self._email, self._type, self._at, self._id = (
            self.cell("email"),
            self.cell("type"),
            self.when("at"),
            self.cell("id"),
        )
        self._sent_id, self._sent_at = self.cell("sent_id"), self.when("sent_at")
        self._campaign, self._campaign_id = self.cell("campaign"), self.cell("campaign_id")
        self._about = {name: self.cell(name) for name in ("subject", "from", "list") if name in self.at}
        self._category, self._status, self._drop = self.cell("category"), self.cell("status"), self.cell("drop")
        self._portal, self._types, self._types_to = (self.cell(name) for name in ("portal_status", "types", "types_to"))
        self._bounced, self._source, self._filtered = (self.cell(name) for name in ("bounced", "source", "filtered"))
        self._only = type_by_title(self.table.title) if "type" not in self.at else None
        self._flags = Flags()
        self._folded: dict[str, str] = {}
        self._held: tuple[str, list[Statement]] = (_SENDING[0], [])
        self._does: dict[str, Callable[[Sequence[str], Span | None], Iterator[Told]]] = {
            "bounce": self._bounce,
            "spamreport": self._spam,
            "statuschange": self._changed,
            "unsubscribe": self._left,
            "unsubscribed": self._left,
            "dropped": self._dropped,
            "click": self._click,
        }

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """What the event states, if anything."""
        written = self._only or self._type(cells)
        kind = self._folded.get(written)
        if kind is None:
            kind = self._folded[written] = fold(written)
        if kind in _PASSED_OVER:
            return ()
        span = self._at(cells)
        if kind in _SENDING:
            return self._sent(row, cells, kind, span)
        does = self._does.get(kind)
        if does is None:
            self.refuse("type", f"“{written}” is a type of event that this program does not know")
            return ()
        email = self._email(cells)
        key = self._id(cells) or digest(kind, email.casefold(), moment(span))
        # an id may be one of the row alone, and come again with another file: a stop is of its person and day
        stop = digest(key, normal(email), moment(span)) if self._id(cells) else key
        return [
            Statement(email, None, event, f"{about}:{stop if isinstance(event, e.Stop) else key}", None, row)
            for about, event in does(cells, span)
        ]

    def end(self) -> Sequence[Statement]:
        """The mails of a file without SENT events, by what else tells of them."""
        return self._held[1]

    def _sent(self, row: int, cells: Sequence[str], kind: str, span: Span | None) -> Sequence[Statement]:
        held, waiting = self._held
        if _SENDING.index(kind) < _SENDING.index(held):
            return ()
        if kind != held:
            waiting = []
            self._held = (kind, waiting)
        email, own = self._email(cells), self._id(cells)
        message = own
        if kind != "sent":
            message, span = self._sent_id(cells) or own, self._sent_at(cells) or span
        if span is None:
            self.refuse(
                "at",
                "is not a time that this program can read, so nobody can say when the mail was sent",
                may_stop=False,
            )
            return ()
        named, number = self._campaign(cells), self._campaign_id(cells)
        campaign = named or number
        key = message or digest(campaign, email.casefold(), moment(span))
        event = e.CampaignMailSent(
            stream="",
            source=self.source,
            by="system",
            campaign=token_of(campaign) if campaign else None,
            message=_plain(message) if message else None,
            **happened(span, CAPTURED_BY),
        )
        about = {
            "message_id": message,
            "campaign": campaign,
            **{name: cell(cells) for name, cell in self._about.items()},
        }
        told = Statement(email, None, event, f"sent:{key}", {name: text for name, text in about.items() if text}, row)
        if campaign:
            count(self.found.campaigns, campaign, span)
        if kind == "sent":
            return (told,)
        waiting.append(told)
        return ()

    def _bounce(self, cells: Sequence[str], span: Span | None) -> Iterator[Told]:
        category = self._category(cells)
        kind = bounce_kind(category, self._status(cells))
        yield "bounced", e.Bounced(**self._common(span), by="system", kind=kind, reason=_reason(category))

    def _spam(self, _: Sequence[str], span: Span | None) -> Iterator[Told]:
        yield "complained", e.Complained(**self._common(span), by="data_subject", via="hubspot")

    def _left(self, _: Sequence[str], span: Span | None) -> Iterator[Told]:
        yield "opted_out", e.OptedOut(**self._common(span), by="data_subject", via="hubspot", channels=EMAIL)

    def _changed(self, cells: Sequence[str], span: Span | None) -> Iterator[Told]:
        """Left everything, or some types; switched on, it grants nothing."""
        by, common = acted(self._source(cells)), self._common(span)
        portal = self._portal(cells)
        if fold(portal) in _UNSUBSCRIBED:
            yield "opted_out", e.OptedOut(**common, by=by, via="hubspot", channels=EMAIL)
        elif fold(portal) not in _KNOWN_STATES:
            self.refuse(
                "portal_status",
                f"“{portal}” is a status that this program does not know; if it is an opt-out, record it by hand",
            )
        for kind, state in zip(self._types(cells).split(";"), self._types_to(cells).split(";"), strict=False):
            if kind and fold(state) in _UNSUBSCRIBED:
                count(self.found.types, kind, span)
                name = token_of(kind)
                yield (
                    f"type_left.{name}",
                    e.TypeOptedOut(**common, by=by, via="hubspot_type", channels=EMAIL, subscription_type=name),
                )
        if self._flags.read(self._bounced(cells)):
            yield "bounced", e.Bounced(**common, by="system", kind="hard")

    def _dropped(self, cells: Sequence[str], span: Span | None) -> Iterator[Told]:
        """HubSpot itself did not send, for what it knew by then."""
        reason = fold(self._drop(cells))
        common: dict[str, Any] = {"stream": "", "source": self.source, **by_then(span, CAPTURED_BY)}
        if reason.startswith("previouslyunsubscribed"):
            yield "opted_out", e.OptedOut(**common, by="data_subject", via="hubspot", channels=EMAIL)
        elif reason.startswith(("previousspam", "previouslyspam", "previouslymarkedasspam", "previouslyreported")):
            yield "complained", e.Complained(**common, by="data_subject", via="hubspot")
        else:
            kind = next((kind for stem, kind in _DROPPED_FOR.items() if reason.startswith(stem)), None)
            if kind is not None:
                yield "bounced", e.Bounced(**common, by="system", kind=kind)

    def _click(self, cells: Sequence[str], span: Span | None) -> Iterator[Told]:
        """A click HubSpot filtered out was a scanner's, and nobody's act."""
        if span is None or self._flags.read(self._filtered(cells)) is not False:
            return
        sent = self._sent_id(cells)
        yield "clicked", e.Clicked(**self._common(span), by="data_subject", message=_plain(sent) if sent else None)

    def _common(self, span: Span | None) -> dict[str, Any]:
        return {"stream": "", "source": self.source, **clocks(span, CAPTURED_BY)}


class CampaignRecipients(TableEvidence):
    """A campaign's recipients: one row a mail, with what came of it. The campaign is the file's, if no column is."""

    def begin(self) -> None:
        """Look the columns up."""
        self._email, self._sent, self._campaign = self.cell("email"), self.when("sent"), self.cell("campaign")
        self._subject, self._not_sent = self.cell("subject"), self.cell("not_sent")
        self._bounce, self._why = self.cell("bounce"), self.cell("bounce_reason")
        self._spam, self._left = self.cell("spam"), self.cell("unsubscribed")
        self._flags = Flags()

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """The mail, then what came of it."""
        email, campaign = self._email(cells), self._campaign(cells) or undated(self.table.title)
        span, not_sent = self._sent(cells), fold(self._not_sent(cells))
        key = digest(token_of(campaign), email.casefold(), moment(span))
        told: list[tuple[str, e.Event, dict[str, str] | None]] = []
        if span is not None and not not_sent:
            count(self.found.campaigns, campaign, span)
            subject = self._subject(cells)
            sent = e.CampaignMailSent(
                **self._clocked(happened(span, CAPTURED_BY)), by="system", campaign=token_of(campaign)
            )
            payload = {"campaign": campaign} | ({"subject": subject} if subject else {})
            told.append(("sent", sent, payload))
        told += [(about, event, None) for about, event in self._outcome(cells, span, not_sent)]
        return [Statement(email, None, event, f"{about}:{key}", words, row) for about, event, words in told]

    def _outcome(self, cells: Sequence[str], span: Span | None, not_sent: str) -> Iterator[Told]:
        """What came of a mail came after it was sent; a stop counts from then."""
        after = self._clocked(clocks(span, None))
        before = self._clocked(by_then(span, CAPTURED_BY))
        if self._flags.read(self._left(cells)) is not False:
            yield "opted_out", e.OptedOut(**after, by="data_subject", via="hubspot", channels=EMAIL)
        if self._flags.read(self._spam(cells)) is not False:
            yield "complained", e.Complained(**after, by="data_subject", via="hubspot")
        why = self._why(cells)
        if why or self._flags.read(self._bounce(cells)) is not False:
            yield "bounced", e.Bounced(**after, by="system", kind=bounce_kind(why), reason=_reason(why))
        if "unsubscribed" in not_sent or "optedout" in not_sent:
            yield "had_opted_out", e.OptedOut(**before, by="data_subject", via="hubspot", channels=EMAIL)
        if "spam" in not_sent:
            yield "had_complained", e.Complained(**before, by="data_subject", via="hubspot")
        if "bounced" in not_sent:
            yield "had_bounced", e.Bounced(**before, by="system", kind="hard")

    def _clocked(self, when: dict[str, Any]) -> dict[str, Any]:
        return {"stream": "", "source": self.source, **when}


def _plain(key: str) -> str | None:
    """An id as a token: HubSpot's are letters, digits and hyphens already. Another's stays in the payload."""
    return key if len(key) <= 64 and key.isascii() and key.replace("-", "").isalnum() and key[0] != "-" else None


def _reason(text: str) -> str | None:
    """A reason as a token, where it is one word of HubSpot's own and not an error message."""
    return token_of(text) if text and len(text) <= 40 and "@" not in text else None
