"""What happened in the portal, in order, and who did it: contacts, addresses and the webhooks all go by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

Kind: TypeAlias = Literal["app", "person", "user", "workflow", "import", "system"]
Clock: TypeAlias = Callable[[], float]
"""Seconds since 1970."""


_AHEAD = 2_000
"""How far the moments may run ahead of the clock, in milliseconds."""


class Actor(NamedTuple):
    """Who does something. `source` and `id`: how HubSpot names them in histories and webhooks."""

    kind: Kind
    source: str
    id: str = ""
    label: str | None = None


PERSON = Actor("person", "EMAIL", "", None)
"""The person themselves, by a link in a mail or the preferences page."""
SYSTEM = Actor("system", "CALCULATED", "", None)
MERGE = Actor("system", "MERGE", "", None)


def user(number: int = 12_282_590, name: str = "Sam Clerk") -> Actor:
    """Somebody who works in the portal."""
    return Actor("user", "CRM_UI", f"userId:{number}", name)


def by_form(guid: str, name: str) -> Actor:
    """The person themselves, by a form."""
    return Actor("person", "FORM", guid, name)


class Change(msgspec.Struct, frozen=True, gc=False):
    """A value that is another since `at`.

    what     `property` of a record, `type` or `all` of an address, or what became of a record: `created`,
             `deleted`, `restored`, `merged`, `erased`
    name     the property, or the id of the subscription type
    """

    at: int
    actor: Actor
    what: str
    name: str = ""
    before: str | None = None
    after: str | None = None
    record: int | None = None
    email: str | None = None


class Flip(NamedTuple):
    """An address that was out is on again: of one type, or, where that is None, of all e-mail."""

    email: str
    type_id: int | None
    actor: Actor
    at: int
    after: str


class Event(NamedTuple):
    """Something that webhooks tell."""

    kind: str
    record: int
    at: int
    actor: Actor
    name: str = ""
    value: str = ""
    more: Mapping[str, Any] = {}


class Journal:
    """Everything that happened, the oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.changes: list[Change] = []
        self.flips: list[Flip] = []
        self.listeners: list[Callable[[Event], None]] = []
        self._last = 0

    def now(self) -> int:
        """The moment of what is done next, in milliseconds: a later one each time, unless the clock falls behind."""
        clock = round(self.clock() * 1000)
        self._last = max(clock, self._last + 1 if self._last < clock + _AHEAD else self._last)
        return self._last

    def add(self, change: Change) -> None:
        """Keep a change."""
        self.changes.append(change)

    def tell(self, event: Event) -> None:
        """Whoever listens hears of it."""
        for listener in self.listeners:
            listener(event)


@lru_cache(1 << 17)
def iso(at: int) -> str:
    """A moment as HubSpot's newer API writes it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def stamp(moment: datetime) -> int:
    """A moment in milliseconds."""
    return round(moment.timestamp() * 1000)


def millis(text: str) -> int:
    """A moment that a caller gives: ISO, or milliseconds. Raises ValueError for anything else."""
    if text.lstrip("-").isdecimal():
        return int(text)
    found = datetime.fromisoformat(text)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
