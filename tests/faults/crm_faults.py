"""What goes wrong between ledger and HubSpot, each by its name."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from tests.faults.crm_stage import WORKERS, CrmStage
from tests.faults.schedule import Step
from tests.hubspot.journal import Event
from tests.services.program import Program

_AT_WORK = 20.0
_WRITES = ("", "batch/update", "unsubscribe", "statuses")
"""Parts of paths; the empty one is in any."""


def crm_suffer(stage: CrmStage, step: Step, dice: random.Random) -> None:
    """One fault, for its time, once a worker writes again after the last one; then the time of peace after it."""
    writes = stage.written()
    until_ = time.monotonic() + _AT_WORK
    while stage.written() == writes and time.monotonic() < until_:
        time.sleep(0.05)
    _FAULTS[step.kind](stage, step.seconds, dice)
    time.sleep(step.peace)
    stage.supervise()


def _fails(stage: CrmStage, seconds: float, _: random.Random) -> None:
    stage.state.chaos.outage(seconds)
    time.sleep(seconds)


def _gone(stage: CrmStage, seconds: float, _: random.Random) -> None:
    stage.hubspot_goes()
    time.sleep(seconds)
    stage.hubspot_comes()


def _storm(stage: CrmStage, seconds: float, _: random.Random) -> None:
    stage.state.chaos.storm_429(seconds)
    time.sleep(seconds)


def _slow(stage: CrmStage, seconds: float, dice: random.Random) -> None:
    """So that much happens between what a worker reads and what it writes of it."""
    stage.state.chaos.latency(dice.uniform(0.5, 1.5))
    time.sleep(3 * seconds)
    stage.state.chaos.latency(0)


def _locked(stage: CrmStage, seconds: float, dice: random.Random) -> None:
    with stage.state.lock:
        contacts = list(stage.state.contacts.by_id.values())
        for contact in dice.sample(contacts, len(contacts) // 2):
            stage.state.chaos.lock(contact.id, seconds)
            stage.state.chaos.lock(contact.email, seconds)
    time.sleep(seconds)


def _answers_lost(stage: CrmStage, seconds: float, dice: random.Random) -> None:
    """What was asked for is done, and whoever asked is told that it was not."""
    until_ = time.monotonic() + seconds
    while time.monotonic() < until_:
        status, path = dice.choice((500, 502, 504)), dice.choice(_WRITES)
        stage.state.chaos.fail_next(dice.randint(1, 3), status, path=path, done=True)
        time.sleep(dice.uniform(0.1, 0.5))


def _worker_killed(stage: CrmStage, seconds: float, dice: random.Random) -> None:
    _killed_while_writing(stage, seconds, dice.sample(WORKERS, 1))


def _both_killed(stage: CrmStage, seconds: float, _: random.Random) -> None:
    _killed_while_writing(stage, seconds, list(WORKERS))


def _killed_while_writing(stage: CrmStage, seconds: float, names: list[str]) -> None:
    """At once when HubSpot does what the first of them asks: it never hears the answer, and writes nothing more."""
    victims = [(name, one) for name in names for one in stage.programs[name]]
    written = threading.Event()

    def hear(event: Event) -> None:
        if event.actor.label == names[0] and not written.is_set():
            for _, one in victims:
                one.kill()
            written.set()

    listeners = stage.state.journal.listeners
    listeners.append(hear)
    written.wait(20)
    listeners.remove(hear)
    for name, one in victims:
        stage.kill(name, one)
    time.sleep(seconds)
    for name in names:
        stage.start(name)


def _service_killed(stage: CrmStage, seconds: float, _: random.Random) -> None:
    _away(stage, "serve", stage.programs["serve"][0], seconds)


def _publisher_killed(stage: CrmStage, seconds: float, _: random.Random) -> None:
    _away(stage, "publish", stage.leader(), seconds)


def _away(stage: CrmStage, what: str, one: Program, seconds: float) -> None:
    stage.kill(what, one)
    time.sleep(seconds)
    stage.start(what)


def _broker_away(stage: CrmStage, seconds: float, dice: random.Random) -> None:
    """In good order, or as a lost machine; it starts again on the same data."""
    dice.choice((stage.broker.stop, stage.broker.kill))()
    time.sleep(seconds)
    stage.broker.start()


def _held_back(stage: CrmStage, seconds: float, _: random.Random) -> None:
    """Then all at once, in any order, and more of them twice."""
    sender = stage.sender
    usual, sender.held = sender.duplicates, True
    time.sleep(seconds)
    sender.duplicates, sender.held = 0.6, False
    time.sleep(1.0)
    sender.duplicates = usual


_FAULTS: dict[str, Callable[[CrmStage, float, random.Random], None]] = {
    "HubSpot fails": _fails,
    "HubSpot gone": _gone,
    "HubSpot says too many calls": _storm,
    "HubSpot slow": _slow,
    "records locked": _locked,
    "answers lost": _answers_lost,
    "worker killed while it writes": _worker_killed,
    "both workers killed": _both_killed,
    "service killed": _service_killed,
    "publisher killed": _publisher_killed,
    "broker away": _broker_away,
    "webhooks held back": _held_back,
}
