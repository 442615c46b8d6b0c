"""Which of HubSpot's files of evidence a table is, and the reader of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from adapters.hubspot.deals import Deals
from adapters.hubspot.forms import FormSubmissions
from adapters.hubspot.labels import fold, recognise
from adapters.hubspot.layouts import (
    DEALS,
    EVENTS,
    FORMS,
    OPT_OUTS,
    RECIPIENTS,
    SUBSCRIPTIONS,
    UNSUBSCRIBES,
)
from adapters.hubspot.mail_events import CampaignRecipients, MailEvents, type_by_title
from adapters.hubspot.subscriptions import SubscriptionEvents
from adapters.hubspot.unsubscribes import OptOuts, Unsubscribes
from adapters.layouts import Layout, Places, fits, places, refuse_repeated
from adapters.reading import TableEvidence
from adapters.stated import named_of
from adapters.stop_titles import is_named_for_stops
from adapters.tabular import Table
from adapters.times import TimeReader

SYSTEM = "hubspot"
READERS: tuple[tuple[Layout, type[TableEvidence]], ...] = (
    (DEALS, Deals),
    (SUBSCRIPTIONS, SubscriptionEvents),
    (EVENTS, MailEvents),
    (RECIPIENTS, CampaignRecipients),
    (FORMS, FormSubmissions),
    (UNSUBSCRIBES, Unsubscribes),
    (OPT_OUTS, OptOuts),
)
"""In the order in which they are tried: a deal has an e-mail column too, but no submission a deal stage."""


def evidence_of(table: Table, taken_on: datetime, times: TimeReader) -> TableEvidence | None:
    """The reader of a table, or None when it is no evidence known here.

    Raises UnreadableInput: repeated_column, when two columns claim to be one field of it; ambiguous, see `stated`.
    """
    for layout, reader in READERS:
        at = places(table.header, layout, fold)
        if fits(at, layout) and _is_it(layout, at, table):
            refuse_repeated(table, layout, fold)
            if layout is OPT_OUTS:
                stated = named_of(table, at, layout.kind, SYSTEM, taken_on, times)
                if stated is not None:
                    return stated
            return reader(table, at, layout.kind, SYSTEM, taken_on, times)
    return None


def kinds_said() -> Iterator[str]:
    """How each kind is known, for a sentence."""
    return (layout.says for layout, _ in READERS)


def _is_it(layout: Layout, at: Places, table: Table) -> bool:
    """What the columns alone do not settle."""
    if layout is OPT_OUTS:
        return is_named_for_stops(table.title)
    if layout is EVENTS and "type" not in at:
        return type_by_title(table.title) is not None
    if layout is UNSUBSCRIBES:
        # a contacts export shows opt-outs as well, beside what only a contact has
        return not {"marketing", "legal_basis", "lifecycle", "created"} & set(recognise(table.header).at)
    return True
