"""The law of the outbox: who applies what it sends, in any legal interleaving, ends with exactly the projection."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log import Log
from projections import outbox, views
from projections.announcing import Announcer
from projections.contact_status import ContactStatus
from projections.outbox import Queued
from projections.runner import StatusRunner
from projections.views import Views
from tests.projections.histories import POLICIES, Clock, batches, history

CONTROLLER = "00000000-0000-4000-8000-000000000001"


class Consumer:
    """Keeps what the topic said last of each contact, and refuses a revision lower than the one it holds."""

    def __init__(self) -> None:
        self.held: dict[str, ContactStatus] = {}
        self.revisions: dict[str, int] = {}

    def apply(self, value: ContactStatus) -> None:
        if value.revision < self.revisions.get(value.contact, 0):
            return
        self.revisions[value.contact] = value.revision
        self.held[value.contact] = value


class World:
    """A log, its views, and publishers that take, send and are killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.clock = Clock(seed)
        self.log = Log.open(folder / "log.db", self.clock, poll_seconds=0.01)
        self.views = Views.open(folder / "views.db")
        self.announcer = Announcer(self.log, self.views, CONTROLLER)
        self.consumer = Consumer()
        self.now = self.clock.now

    def close(self) -> None:
        self.views.close()
        self.log.close()

    def runner(self, batch: int = 2_000) -> StatusRunner:
        return StatusRunner(self.log, self.views.path.parent / "log.db", self.views, POLICIES.__getitem__, batch)

    def tick(self, days: int) -> datetime:
        self.now = max(self.now, self.clock.now) + timedelta(days=days)
        return self.now

    def switch_on(self) -> None:
        with self.views.transaction() as (_, driver):
            outbox.switch_on(driver, self.tick(0))

    def look(self) -> int:
        with self.views.transaction() as (_, driver):
            return outbox.look(driver, self.tick(0), limit=3)

    def take(self, limit: int) -> list[tuple[Queued, ContactStatus]]:
        """Taken from the outbox and read, but not sent yet."""
        with self.views.snapshot() as driver:
            taken = outbox.take(driver, limit)
        told = {one.contact: one for one in self.announcer.announce(taken, self.tick(0))}
        return [(one, told[one.contact]) for one in taken]

    def send(self, taken: list[tuple[Queued, ContactStatus]]) -> None:
        for _, value in taken:
            self.consumer.apply(value)

    def done(self, taken: list[tuple[Queued, ContactStatus]]) -> None:
        with self.views.transaction() as (_, driver):
            outbox.done(driver, [one for one, _ in taken])

    def drain(self) -> None:
        self.runner().follow(once=True)
        while self.look():
            pass
        while taken := self.take(7):
            self.send(taken)
            self.done(taken)

    def projection(self) -> dict[str, ContactStatus]:
        with self.views.snapshot() as driver:
            names = views.contacts_held(driver)
        everybody = [Queued(name, 0, 0, "event", None) for name in names]
        return {one.contact: one for one in self.announcer.announce(everybody, self.tick(0))}


@contextmanager
def world(seed: int) -> Iterator[World]:
    with TemporaryDirectory() as folder:
        made = World(Path(folder), seed)
        try:
            yield made
        finally:
            made.close()


def without_cause(told: dict[str, ContactStatus]) -> dict[str, ContactStatus]:
    return {name: msgspec.structs.replace(value, cause="event") for name, value in told.items()}


@given(seed=st.integers(0, 10_000), steps=st.lists(st.sampled_from("aaaaffffllttsssdkzrw"), min_size=10, max_size=60))
@settings(max_examples=60)
def test_who_reads_the_topic_alone_ends_with_exactly_the_projection(seed: int, steps: list[str]) -> None:
    """Appends, portions, looks, sends, doubles, kills between send and done, late sends of a second publisher,
    rebuilds, days that pass; links, erasures and adopted rule sets are in the histories."""
    dice = random.Random(seed)
    with world(seed) as w:
        arriving = batches(seed, history(seed, 120))
        held: list[list[tuple[Queued, ContactStatus]]] = []
        w.switch_on()
        for step in steps:
            match step:
                case "a":
                    w.log.append(next(arriving, []))
                case "f":
                    w.runner(batch=1 + dice.randrange(9)).step()
                case "l":
                    w.tick(dice.choice((0, 1, 40, 400)))
                    w.look()
                case "t":
                    held.append(w.take(1 + dice.randrange(4)))
                case "s" if held:
                    w.send(held[dice.randrange(len(held))])  # stays held: sent again, or late
                case "d" if held:
                    sent = held.pop(0)
                    w.send(sent)
                    w.done(sent)
                case "k" if held:
                    held.pop()
                case "z" if held:
                    w.send(held[0])
                    w.done(held[0])  # and stays held: it will be sent late
                case "r":
                    w.runner().rebuild()
                case "w":
                    w.switch_on()
        w.drain()
        for late in held:  # a publisher that was believed dead
            w.send(late)
        assert without_cause(w.consumer.held) == without_cause(w.projection())
