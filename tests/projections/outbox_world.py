"""A log, its views, and publishers without a broker that take, send and are killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from ledger import events as e
from ledger.log import Log
from projections import outbox, views
from projections.announcing import Announcer, Records
from projections.contact_status import ContactStatus
from projections.outbox import Queued
from projections.runner import StatusRunner
from projections.views import Views
from tests.projections.histories import BINDING, POLICIES, Clock, draft
from tests.stores import Place

CONTROLLER = "00000000-0000-4000-8000-000000000001"
Taken = list[tuple[Queued, ContactStatus]]


class Consumer:
    """Keeps what the topic said last of each contact, and refuses a revision lower than the one it holds."""

    def __init__(self) -> None:
        self.held: dict[str, ContactStatus] = {}

    def apply(self, value: ContactStatus) -> None:
        held = self.held.get(value.contact)
        if held is None or held.revision <= value.revision:
            self.held[value.contact] = value


class World:
    """Everything between the log and a consumer, with hands instead of a publisher."""

    def __init__(self, place: Place, seed: int = 0, records: Records | None = None) -> None:
        self._place = place
        self.clock = Clock(seed)
        self.log = Log.make(place("log"), self.clock, poll_seconds=0.01)
        self.views = Views.open(place("views"), BINDING)
        self.announcer = Announcer(self.runner(), CONTROLLER, records)
        self.consumer = Consumer()
        self.now = self.clock.now

    def close(self) -> None:
        self.views.close()
        self.log.close()

    def runner(self, batch: int = 2_000) -> StatusRunner:
        return StatusRunner(self.log, self._place("log"), self.views, POLICIES.__getitem__, batch)

    def append(self, *events: e.Event, follow: bool = True) -> None:
        self.log.append([draft(event) for event in events])
        if follow:
            self.runner().follow(once=True)

    def later(self, days: int = 0) -> datetime:
        self.now = max(self.now, self.clock.now) + timedelta(days=days)
        return self.now

    def switch_on(self) -> bool:
        with self.views.transaction() as driver:
            return outbox.switch_on(driver, self.later())

    def look(self) -> int:
        with self.views.transaction() as driver:
            return outbox.look(driver, self.later(), limit=3)

    def take(self, limit: int = 1_000) -> Taken:
        """Taken from the outbox and read, but not sent yet."""
        with self.views.snapshot() as driver:
            taken = outbox.take(driver, limit)
        told = {one.contact: one for one in self.tell(taken, self.later())}
        return [(one, told[one.contact]) for one in taken]

    def tell(self, queued: list[Queued], moment: datetime) -> list[ContactStatus]:
        told = self.announcer.announce(queued, moment)
        assert told is not None
        return told

    def send(self, taken: Taken) -> None:
        for _, value in taken:
            self.consumer.apply(value)

    def done(self, taken: Taken) -> None:
        with self.views.transaction() as driver:
            outbox.done(driver, [one for one, _ in taken])

    def drain(self) -> Taken:
        """Everything that waits, sent and done; in the order in which it was."""
        sent: Taken = []
        self.runner().follow(once=True)
        while self.look():
            pass
        while taken := self.take(7):
            self.send(taken)
            self.done(taken)
            sent += taken
        return sent

    def projection(self) -> dict[str, ContactStatus]:
        with self.views.snapshot() as driver:
            names = views.contacts_held(driver)
        everybody = [Queued(name, 0, 0, "event", None) for name in names]
        return {one.contact: one for one in self.tell(everybody, self.later())}


@contextmanager
def world(seed: int = 0, records: Records | None = None) -> Iterator[World]:
    with TemporaryDirectory() as folder:
        made = World(Place(Path(folder)), seed, records)
        try:
            yield made
        finally:
            made.close()


def without_cause(told: dict[str, ContactStatus]) -> dict[str, ContactStatus]:
    """What was told, whatever was the reason to say it."""
    return {name: msgspec.structs.replace(value, cause="event") for name, value in told.items()}
