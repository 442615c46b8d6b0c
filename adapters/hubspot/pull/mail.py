"""The subscription timeline and the e-mail events, as the files of them are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapters.hubspot.api.portal import Page
from adapters.hubspot.api.reading import when
from adapters.hubspot.layouts import EVENTS, SUBSCRIPTIONS
from adapters.hubspot.mail_events import MailEvents
from adapters.hubspot.pull.run import Pull, Raw, Tally
from adapters.hubspot.subscriptions import SubscriptionEvents

TYPES = ("SENT", "STATUSCHANGE", "BOUNCE", "SPAMREPORT", "DROPPED", "CLICK")
"""Of all e-mail events, those that count here; opens and the like are not asked for."""


def pull_timeline(pull: Pull) -> None:
    """Who left what and who confirmed, since the last pull."""
    tally = pull.begin("timeline", SUBSCRIPTIONS.kind)

    def took(rows: Sequence[Raw]) -> bool:
        theirs = [row for row in rows if not _all_ours(pull, row)]
        pull.take(tally, SUBSCRIPTIONS, SubscriptionEvents, "subscription-timeline", theirs)
        return True

    def fetch(start: datetime | None, after: str | None, until: datetime) -> Page[Raw]:
        return pull.portal.timeline(start, after, until)

    pull.walk(tally, "timeline.pages", fetch, took)
    pull.finish(tally, f"hubspot.{SUBSCRIPTIONS.kind}")


def _all_ours(pull: Pull, row: Raw) -> bool:
    """Whether we wrote everything that a row tells of ourselves; it is no new stop then."""
    changes = [one for one in row.get("changes") or () if isinstance(one, dict)]
    email = str(row.get("recipient") or "")
    return bool(changes) and all(
        pull.ours.status(email, _number(one.get("subscriptionId")), when(one.get("timestamp") or row.get("timestamp")))
        for one in changes
    )


def _number(value: object) -> str | None:
    return str(value) if value else None


def pull_events(pull: Pull) -> None:
    """What was sent and what came of it, type by type."""
    tally = pull.begin("events", EVENTS.kind)
    for kind in TYPES:
        _pull_type(pull, tally, kind)
    pull.finish(tally, f"hubspot.{EVENTS.kind}")


def _pull_type(pull: Pull, tally: Tally, kind: str) -> None:
    def took(rows: Sequence[Raw]) -> bool:
        pull.take(tally, EVENTS, MailEvents, "email-events", rows)
        return True

    def fetch(start: datetime | None, after: str | None, until: datetime) -> Page[Raw]:
        return pull.portal.events(start, after, kind, until)

    pull.walk(tally, f"events.{kind}", fetch, took)
