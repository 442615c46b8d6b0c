"""The subscription timeline and the e-mail events, as the legacy API gives them: the newest first, by offset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from tests.hubspot.journal import Actor, Journal


class _Named(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


class Rows(NamedTuple):
    """One page. `offset` goes on below these, whatever is added meanwhile."""

    rows: list[dict[str, Any]]
    offset: str
    more: bool


class Mail:
    """Both lists are kept with the oldest first, and only ever grow at the end."""

    def __init__(self, journal: Journal, random: Random, portal_id: int) -> None:
        self._journal, self._random, self._portal = journal, random, portal_id
        self.timeline: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def load(self, timeline: Iterable[dict[str, Any]], events: Iterable[dict[str, Any]]) -> None:
        """What is known from before the fake began."""
        self.timeline = sorted((*self.timeline, *timeline), key=lambda row: int(row["timestamp"]))
        self.events = sorted((*self.events, *events), key=lambda row: int(row["created"]))

    def event(self, kind: str, email: str, at: int, **more: object) -> dict[str, Any]:
        """Something became of a mail, or of an address."""
        made: dict[str, Any] = {
            "appId": 113,
            "created": at,
            "id": self.identifier(),
            "portalId": self._portal,
            "recipient": email,
            "type": kind,
            **more,
        }
        self.events.append(made)
        return made

    def status_changed(self, email: str, actor: Actor, at: int, status: str, kind: _Named | None) -> None:
        """A subscription changed: a row of the timeline, and an event."""
        source = "SOURCE_RECIPIENT" if actor.kind == "person" else "SOURCE_HUBSPOT_CUSTOMER"
        more: dict[str, Any] = {"source": source, "requestedBy": email if actor.kind == "person" else actor.id}
        if kind is None:
            more["portalSubscriptionStatus"] = status
        else:
            more["subscriptions"] = [{"id": kind.id, "status": status}]
        event = self.event("STATUSCHANGE", email, at, **more)
        change: dict[str, Any] = {
            "causedByEvent": {"created": at, "id": event["id"]},
            "change": status,
            "changeType": "PORTAL_STATUS" if kind is None else "SUBSCRIPTION_STATUS",
            "portalId": self._portal,
            "source": source,
            "timestamp": at,
        }
        if kind is not None:
            change |= {"subscriptionId": kind.id, "subscriptionName": kind.name}
        if actor.source == "FORM":
            change |= {"formId": actor.id, "formName": actor.label}
        self.timeline.append(
            {
                "changes": [change],
                "normalizedEmailId": self.identifier(),
                "portalId": self._portal,
                "recipient": email,
                "timestamp": at,
            }
        )

    def identifier(self) -> str:
        """An id for something."""
        return str(UUID(int=self._random.getrandbits(128), version=4))


def page(
    rows: list[dict[str, Any]], time: str, wanted: Callable[[Mapping[str, Any]], bool], query: Mapping[str, str]
) -> Rows:
    """The newest of the rows that are wanted, below the offset. Raises ValueError where the query is no query."""
    first = int(query.get("startTimestamp", 0))
    end = int(query.get("endTimestamp", 1 << 62))
    limit = max(1, min(int(query.get("limit", 100)), 1_000))
    place = int(query.get("offset") or len(rows))
    found: list[dict[str, Any]] = []
    while place > 0 and len(found) < limit:
        row = rows[place - 1]
        if row[time] < first:
            place = 0
            break
        place -= 1
        if row[time] < end and wanted(row):
            found.append(row)
    return Rows(found, str(place) if place else "", place > 0)
