"""Mailchimp audience exports: sign-ups with their confirmation, unsubscribes, cleaned addresses.

A time stands for an act of the person only where Mailchimp holds the address it came from: an entry by an
admin or an import has no OPTIN_TIME, or no OPTIN_IP. Times are UTC, as Mailchimp writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapters.encodings import UnreadableInput
from adapters.layouts import Layout, Places, fits, places, refuse_repeated
from adapters.machines import are_by_machine, doubt
from adapters.reading import TableEvidence, clocks, count, digest, happened, moment
from adapters.statements import FormFound, Statement
from adapters.tabular import Table
from adapters.times import Span, TimeReader
from adapters.tokens import token_of
from ledger import events as e
from ledger.policy.dossier import AT_ONCE

SYSTEM = "mailchimp"
LAYOUT = Layout(
    "audience",
    {
        "email": "Email Address|Email|E-Mail-Adresse|E-Mail|Adresse e-mail|Correo electrónico",
        "opted_in": "OPTIN_TIME",
        "opted_in_ip": "OPTIN_IP",
        "confirmed": "CONFIRM_TIME",
        "confirmed_ip": "CONFIRM_IP",
        "left": "UNSUB_TIME",
        "why": "UNSUB_REASON",
        "words": "UNSUB_REASON_OTHER",
        "campaign": "UNSUB_CAMPAIGN_TITLE",
        "cleaned": "CLEAN_TIME",
        "id": "LEID",
    },
    (("email", "opted_in", "confirmed"),),
    "a Mailchimp audience: Email Address, OPTIN_TIME, CONFIRM_TIME",
)
CAPTURED_BY, OBSERVED_BY = "form_record", "event_log"
EMAIL = ("email",)
_ABUSE = ("abuse", "spam", "complain")
_NAMED = re.compile(
    r"(?P<state>subscribed|unsubscribed|cleaned|nonsubscribed|non-subscribed|transactional)_"
    r"(?:email_audience|members|audience|email_members)_export(?:_(?P<id>[0-9A-Za-z]+))?",
    re.IGNORECASE,
).match


def audience_of(table: Table, taken_on: datetime, times: TimeReader) -> AudienceMembers | None:
    """The reader of one file of an audience, or None when it is none.

    Raises UnreadableInput: repeated_column, and unknown_state where nothing tells subscribed from others.
    """
    at = places(table.header, LAYOUT, _fold)
    if not fits(at, LAYOUT):
        return None
    refuse_repeated(table, LAYOUT, _fold)
    named = _NAMED(table.title)
    state = named["state"].lower() if named else None
    if "left" in at:
        state = "unsubscribed"
    elif "cleaned" in at:
        state = "cleaned"
    if state is None:
        raise UnreadableInput(
            "unknown_state",
            f"Nothing in {table.name} tells whether its members are subscribed.",
            "Give the ZIP as Mailchimp made it, or leave the file its name (subscribed_email_audience_export_….csv).",
        )
    name = (named and named["id"]) or "audience"
    return AudienceMembers(table, at, taken_on, times, state, name)


def form_of(audience: str) -> str:
    """An audience as the form by which people come into it, in facts."""
    return f"{SYSTEM}.{token_of(audience)}"


def _fold(label: str) -> str:
    return label.strip().casefold()


class AudienceMembers(TableEvidence):
    """The members of one state of an audience."""

    def __init__(
        self, table: Table, at: Places, taken_on: datetime, times: TimeReader, state: str, audience: str
    ) -> None:
        super().__init__(table, at, LAYOUT.kind, SYSTEM, taken_on, times.within(ZoneInfo("UTC")))
        self.state, self._audience = state, audience
        self.may_stop = state == "unsubscribed"
        self._form = form_of(audience)
        self._by_machine = False

    def begin(self) -> None:
        """Look the columns up."""
        self._email = self.cell("email")
        self._opted_in, self._opted_in_ip = self.when("opted_in"), self.cell("opted_in_ip")
        self._confirmed, self._confirmed_ip = self.when("confirmed"), self.cell("confirmed_ip")
        self._left, self._cleaned = self.when("left"), self.when("cleaned")
        self._why = [self.cell(name) for name in ("why", "words")]
        self._campaign = self.cell("campaign")
        reads: dict[str, Callable[[Sequence[str]], list[tuple[str, Span | None, e.Event]]]] = {
            "subscribed": self._joined,
            "unsubscribed": self._departed,
            "cleaned": self._bounced,
        }
        self._states = reads.get(self.state)
        self._by_machine = self._are_confirmed_by_a_machine() if self.state == "subscribed" else False

    def _are_confirmed_by_a_machine(self) -> bool:
        """Whether one address of the network, or one delay, stands behind most of the confirmations."""
        rows = (cells for _, cells in self.table.rows(lambda _: None))
        times = ((self._opted_in(cells), self._confirmed(cells), self._confirmed_ip(cells)) for cells in rows)
        return are_by_machine(
            (confirmed.earliest - opted_in.earliest, address)
            for opted_in, confirmed, address in times
            if address and opted_in is not None and confirmed is not None
        )

    @property
    def doubts(self) -> list[str]:
        """See `TableEvidence`."""
        if not self._by_machine:
            return super().doubts
        return [*super().doubts, doubt(self.name)]

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """What the member's state shows; of those not subscribed, nothing."""
        count(self.found.lists, self._audience, None)
        if self._states is None:
            return ()
        email = self._email(cells)
        return [
            Statement(email, None, event, f"{about}:{digest(self._form, email.casefold(), moment(span))}", None, row)
            for about, span, event in self._states(cells)
        ]

    def _joined(self, cells: Sequence[str]) -> list[tuple[str, Span | None, e.Event]]:
        opted_in = self._opted_in(cells)
        if opted_in is None or not self._opted_in_ip(cells):
            return []
        self._count(opted_in)
        common: dict[str, Any] = {"stream": "", "source": self.source, "by": "data_subject"}
        sent_in = e.FormSubmitted(**common, via="form", form=self._form, **happened(opted_in, CAPTURED_BY))
        told: list[tuple[str, Span | None, e.Event]] = [("form", opted_in, sent_in)]
        confirmed = self._confirmed(cells) if self._confirmed_ip(cells) else None
        if confirmed is not None and confirmed.earliest > opted_in.earliest:  # a single opt-in bears one time twice
            machine = self._by_machine or confirmed.earliest - opted_in.latest <= AT_ONCE
            acted = common | {"by": "system" if machine else "data_subject"}
            followed = e.DoubleOptInConfirmed(
                **acted, via="mailchimp", verifies_channel="email", **happened(confirmed, CAPTURED_BY)
            )
            told.append(("confirmed", confirmed, followed))
        return told

    def _departed(self, cells: Sequence[str]) -> list[tuple[str, Span | None, e.Event]]:
        span = self._left(cells)
        words = " ".join(cell(cells) for cell in self._why).casefold()
        common: dict[str, Any] = {"stream": "", "source": self.source, "by": "data_subject", "via": "mailchimp"}
        told: list[tuple[str, Span | None, e.Event]] = [
            ("opted_out", span, e.OptedOut(**common, channels=EMAIL, **clocks(span, OBSERVED_BY)))
        ]
        if any(stem in words for stem in _ABUSE):
            told.append(("complained", span, e.Complained(**common, **clocks(span, OBSERVED_BY))))
        return told

    def _bounced(self, cells: Sequence[str]) -> list[tuple[str, Span | None, e.Event]]:
        span = self._cleaned(cells)
        event = e.Bounced(
            stream="", source=self.source, by="system", via="mailchimp", kind="hard", **clocks(span, OBSERVED_BY)
        )
        return [("bounced", span, event)]

    def _count(self, span: Span) -> None:
        found = self.found.forms.setdefault(token_of(self._form), FormFound(f"Mailchimp audience {self._audience}"))
        day = span.earliest.date()
        found.rows += 1
        found.first = day if found.first is None else min(day, found.first)
        found.last = day if found.last is None else max(day, found.last)
