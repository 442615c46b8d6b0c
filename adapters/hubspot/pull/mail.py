"""The subscription timeline and the e-mail events, as the files of them are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from adapters.hubspot.api.portal import Page
from adapters.hubspot.api.reading import objects, when
from adapters.hubspot.labels import fold
from adapters.hubspot.layouts import EVENTS, SUBSCRIPTIONS
from adapters.hubspot.mail_events import MailEvents
from adapters.hubspot.pull.drops import without_known
from adapters.hubspot.pull.echoes import Left, ours_among
from adapters.hubspot.pull.run import Pull, Raw, Tally
from adapters.hubspot.said import acted
from adapters.hubspot.subscriptions import SubscriptionEvents

TYPES = ("SENT", "STATUSCHANGE", "BOUNCE", "SPAMREPORT", "DROPPED", "CLICK")
"""Of all e-mail events, those that count here; opens and the like are not asked for."""
_OFF, _PERSON = "unsubscribed", "data_subject"


def pull_timeline(pull: Pull) -> None:
    """Who left what and who confirmed, since the last pull."""
    tally = pull.begin("timeline", SUBSCRIPTIONS.kind)
    types = _types(pull)

    def took(rows: Sequence[Raw]) -> bool:
        theirs = [_named(row, "changes", "subscriptionName", types) for row in _theirs(pull, rows)]
        pull.take(tally, SUBSCRIPTIONS, SubscriptionEvents, "subscription-timeline", theirs)
        return True

    def fetch(start: datetime | None, after: str | None, until: datetime) -> Page[Raw]:
        return pull.portal.timeline(start, after, until)

    pull.walk(tally, "timeline.pages", fetch, took)
    pull.finish(tally, f"hubspot.{SUBSCRIPTIONS.kind}")


def _types(pull: Pull) -> Mapping[str, str]:
    """Id -> name; a `;` would part it in two."""
    return {number: name.replace(";", ",") for number, name in pull.type_names().items()}


def _named(row: Raw, within: str, place: str, types: Mapping[str, str]) -> Raw:
    """A row with subscription types by the names that exports, webhooks and declarations call them by."""
    found = objects(row.get(within))
    if not found:
        return row
    numbers = [str(one.get("subscriptionId", one.get("id"))) for one in found]
    named = [
        {**one, place: types[number]} if number in types else one for one, number in zip(found, numbers, strict=True)
    ]
    return {**row, within: named}


def _theirs(pull: Pull, rows: Sequence[Raw]) -> list[Raw]:
    """The rows without the changes that we wrote ourselves."""
    ours = ours_among(pull, [left for row in rows for one in objects(row.get("changes")) for left in _left(row, one)])
    kept = []
    for row in rows:
        changes = objects(row.get("changes"))
        theirs = [one for one in changes if not ours.intersection(_left(row, one))]
        if theirs or not changes:
            kept.append({**row, "changes": theirs} if changes else row)
    return kept


def _left(row: Raw, change: Raw) -> Iterator[Left]:
    """The opt-out that a change is, if it is one and not the person's own."""
    at = when(change.get("timestamp") or row.get("timestamp"))
    if at is None or fold(str(change.get("change"))) != _OFF or acted(str(change.get("source") or "")) == _PERSON:
        return
    number = change.get("subscriptionId")
    yield Left(str(row.get("recipient") or ""), None if number is None else str(number), at)


def pull_events(pull: Pull) -> None:
    """What was sent and what came of it, type by type."""
    tally = pull.begin("events", EVENTS.kind)
    types = _types(pull)
    for kind in TYPES:
        _pull_type(pull, tally, kind, types)
    pull.finish(tally, f"hubspot.{EVENTS.kind}")


def _pull_type(pull: Pull, tally: Tally, kind: str, types: Mapping[str, str]) -> None:
    def took(rows: Sequence[Raw]) -> bool:
        ours = ours_among(pull, [left for row in rows for left in _changed(row)])
        news = rows if kind != "DROPPED" else without_known(pull.house, rows)
        theirs = [_named(row, "subscriptions", "id", types) for row in news if not ours.intersection(_changed(row))]
        pull.take(tally, EVENTS, MailEvents, "email-events", theirs)
        return True

    def fetch(start: datetime | None, after: str | None, until: datetime) -> Page[Raw]:
        return pull.portal.events(start, after, kind, until)

    pull.walk(tally, f"events.{kind}", fetch, took)


def _changed(row: Raw) -> list[Left]:
    """The opt-outs that a change of status tells of, if they are not the person's own."""
    at = when(row.get("created"))
    if row.get("type") != "STATUSCHANGE" or at is None or acted(str(row.get("source") or "")) == _PERSON:
        return []
    email = str(row.get("recipient") or "")
    wide = [Left(email, None, at)] if fold(str(row.get("portalSubscriptionStatus"))) == _OFF else []
    kinds = [one for one in objects(row.get("subscriptions")) if fold(str(one.get("status"))) == _OFF]
    return wide + [Left(email, str(one.get("id") or one.get("subscriptionId")), at) for one in kinds]
