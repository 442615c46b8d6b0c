"""The gate: the same answer as the status, from one statement, and never a yes that the log has taken back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger import events as e
from ledger.log import Log
from ledger.terms import LEDGER_STREAM
from projections.gate import Gate
from projections.runner import StatusRunner
from projections.views import Views
from tests.projections.histories import BINDING, POLICIES, address, batches, contact, draft, history, open_log
from tests.stores import Place

LATER = datetime(2040, 1, 1, tzinfo=UTC)


class World:
    """A log, its answers, and a gate before them."""

    def __init__(self, place: Place, log: Log, live: Views) -> None:
        self.log, self.live, self.place = log, live, place
        self.runner = StatusRunner(log, place("log"), live, POLICIES.__getitem__)
        self.gate = Gate(log, place("log"), live, self.runner)

    def says(self, number: int) -> bool:
        return self.gate.ask(contact(number), "marketing.similar", "email", address(number), LATER).allowed


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    with open_log(place("log")) as log, Views.open(place("views"), BINDING) as live:
        made = World(place, log, live)
        yield made
        made.gate.close()


def allowed(number: int) -> list[e.Event]:
    yes: dict[str, Any] = {"stream": contact(number), "source": "t", "address": address(number), "by": "data_subject"}
    return [
        e.ControllerDescribed(stream=LEDGER_STREAM, source="t", country="US"),
        e.CountryEvidenced(**yes, hints=(e.CountryHint("US", "declared"),)),
    ]


def opted_out(number: int) -> e.Event:
    return e.OptedOut(stream=contact(number), source="t", address=address(number), by="data_subject")


@pytest.mark.parametrize("seed", range(4))
def test_the_gate_says_what_the_status_says(world: World, seed: int) -> None:
    """Behind, in step, before the first answer, on every day: cell by cell."""
    for number, batch in enumerate(batches(seed, history(seed, 60))):
        world.log.append(batch)
        if number % 2:
            world.runner.follow(once=True)
        for who in range(5):
            for status in world.runner.current(contact(who)):
                for days in (-400, 0, 90, 900, 4_000):
                    at = status.segments[0].start + timedelta(days=days)
                    answer = world.gate.ask(status.contact, status.purpose, status.channel, status.address, at)
                    assert answer.decision == status.at(at)
                    assert answer.revision == status.revision


def test_a_current_row_is_served_as_it_is_and_a_stale_one_never(world: World) -> None:
    world.log.append([draft(event) for event in allowed(1)])
    world.runner.follow(once=True)
    answer = world.gate.ask(contact(1), "marketing.similar", "email", address(1), LATER)
    assert answer.allowed
    assert answer.current
    assert answer.position == 2
    world.log.append([draft(opted_out(1))])
    behind = world.gate.ask(contact(1), "marketing.similar", "email", address(1), LATER)
    assert not behind.allowed
    assert not behind.current
    assert behind.decision is not None
    assert behind.decision.reason == "opted_out"
    world.runner.follow(once=True)
    assert world.gate.ask(contact(1), "marketing.similar", "email", address(1), LATER).current


def test_what_nobody_named_is_not_allowed(world: World) -> None:
    assert not world.says(1)
    world.log.append([draft(event) for event in allowed(1)])
    world.runner.follow(once=True)
    assert world.gate.ask(contact(1), "marketing.other", "sms", address(1), LATER).decision is None
    assert not world.says(2)


def test_a_rebuild_under_the_gate_is_noticed(world: World) -> None:
    """The generation it read is swapped away and dropped."""
    world.log.append([draft(event) for event in allowed(1)])
    world.runner.follow(once=True)
    assert world.says(1)
    for _ in range(3):
        world.runner.rebuild()
        assert world.says(1)
    world.log.append([draft(opted_out(1))])
    assert not world.says(1)
    world.runner.follow(once=True)
    assert not world.says(1)


def test_no_yes_is_served_after_a_stop_was_acknowledged(world: World) -> None:
    """Whatever the follower, a rebuild and other threads are doing meanwhile."""
    people = range(1, 40)
    world.log.append([draft(event) for number in people for event in allowed(number)])
    stop = threading.Event()
    with Views.open(world.place("views"), BINDING) as other:
        follower = StatusRunner(world.log, world.place("log"), other, POLICIES.__getitem__, batch=3)
        thread = threading.Thread(target=follower.follow, args=(stop,), kwargs={"poll_seconds": 0.005})
        thread.start()
        served: list[bool] = []
        for number in people:
            assert world.says(number)
            world.log.append([draft(opted_out(number))])
            served.append(world.says(number))
            if number % 13 == 0:
                world.runner.rebuild()
                served.append(world.says(number))
        stop.set()
        thread.join()
    assert not any(served)
