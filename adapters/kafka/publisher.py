"""The publisher: the log to `consent.events.v1`, the outbox to `consent.contact-status.v1`, by one at a time.

One loop. While the broker is away some batches wait in the producer and nothing else happens; the ledger goes
on taking facts, and what they come to is sent afterwards. While the lease is another's it waits for that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from adapters.kafka.event_feed import EventFeed, LeaseLostError
from adapters.kafka.following import Follower
from adapters.kafka.progress import Progress
from adapters.kafka.publisher_metrics import PublisherMetrics
from adapters.kafka.sending import DeliveryFailedError, Sender
from adapters.kafka.status_feed import StatusFeed
from ledger.log import Log

_log = logging.getLogger(__name__)


class Timing(NamedTuple):
    """In seconds: how long to wait for entries of other processes, a lease, between looks and after a failure."""

    poll: float = 0.05
    lease: float = 10.0
    renew: float = 3.0
    look: float = 1.0
    pause: float = 1.0
    stop: float = 4.0


USUAL = Timing()


class Parts(NamedTuple):
    """What a publisher is made of."""

    log: Log
    sender: Sender
    events: EventFeed
    statuses: StatusFeed
    follower: Follower
    progress: Progress
    metrics: PublisherMetrics


class Publisher:
    """Runs until it is told to stop. `holder` names it among others; `clock` gives UTC, `monotonic` seconds."""

    def __init__(
        self,
        parts: Parts,
        holder: str,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        timing: Timing = USUAL,
    ) -> None:
        self._parts = parts
        self.holder = holder
        self._clock = clock
        self._monotonic = monotonic
        self._timing = timing
        self._away = parts.progress.away
        self._leads = False
        self._begun = False
        self._renewed = self._looked = -timing.lease

    @property
    def name(self) -> str:
        """The name of its tracking position and of its lease."""
        return self._parts.events.name

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set. Wakes at once when `log.announce` is called after that."""
        follower = self._parts.follower
        follower.start()
        try:
            while not stop.is_set():
                follower.check()
                try:
                    self._turn(stop)
                except DeliveryFailedError as error:
                    _log.warning(f"delivery failed: {error}; from the last delivered position again")
                    self._parts.metrics.failures.inc()
                    self._begun = False
                    stop.wait(self._timing.pause)
                except LeaseLostError:
                    self._stand_back()
                except self._away as error:
                    _log.warning(f"the database does not answer: {type(error).__name__}")
                    stop.wait(self._timing.pause)
        finally:
            follower.stop(self._timing.stop)
            self._finish()

    def _turn(self, stop: threading.Event) -> None:
        """Send what may be sent, store what is delivered, and wait if there was nothing of either."""
        events, statuses, timing = self._parts.events, self._parts.statuses, self._timing
        if not self._lead():
            stop.wait(min(timing.pause, timing.lease / 3))
            return
        if not self._begun:
            self._begin()
        now = self._clock()
        if self._monotonic() - self._looked >= timing.look:
            if not statuses.look(now):  # else there may be more of them
                self._looked = self._monotonic()
            self._parts.metrics.show(events, now)
        sent = statuses.send(now)
        sent = events.send() or sent
        if events.is_flying or statuses.is_flying:
            self._parts.sender.poll(0 if sent else timing.poll)
        elif not sent:
            self._parts.log.wait(events.position, timing.poll)
        self._settle()

    def _settle(self) -> None:
        """Store what is delivered, while the lease is ours: after that it may have arrived behind something newer."""
        events, statuses = self._parts.events, self._parts.statuses
        if statuses.is_flying and not self._parts.progress.holds(self.name, self.holder, self._clock()):
            raise LeaseLostError
        statuses.settle()
        events.settle(self.holder, self._clock())

    def _lead(self) -> bool:
        """Whether the lease is ours, renewed in good time."""
        at = self._monotonic()
        if self._leads and at - self._renewed < self._timing.renew:
            return True
        held = self._parts.progress.lease(self._parts.events.name, self.holder, self._clock(), self._timing.lease)
        if not held:
            if self._leads:
                raise LeaseLostError
            return False
        self._renewed = at
        if not self._leads:
            _log.info("this publisher is the active one")
            self._leads = True
            self._begun = False
            self._parts.follower.lead(True)
            self._parts.metrics.leads.set(1)
        return True

    def _begin(self) -> None:
        """From what is known to be delivered on, with a producer that knows of nothing else."""
        self._parts.sender.start()
        self._parts.events.begin()
        self._parts.statuses.begin()
        self._begun = True

    def _flies(self) -> bool:
        """Whether something of ours is sent and not known to be delivered."""
        return self._leads and self._begun and (self._parts.events.is_flying or self._parts.statuses.is_flying)

    def _stand_back(self) -> None:
        _log.warning("another publisher has taken over")
        self._leads = False
        self._parts.follower.lead(False)
        self._parts.metrics.leads.set(0)
        self._parts.sender.drop()
        self._parts.statuses.give_up()

    def _finish(self) -> None:
        """Wait a moment for what flies, and hand over."""
        parts, until = self._parts, self._monotonic() + self._timing.stop
        ends: tuple[type[Exception], ...] = (DeliveryFailedError, *self._away)
        try:
            while self._flies() and self._monotonic() < until:
                parts.sender.poll(self._timing.poll)
                self._settle()
            parts.sender.drop()  # before another may begin
            if self._leads:
                parts.progress.release(parts.events.name, self.holder)
        except LeaseLostError:
            self._stand_back()
        except ends as error:
            _log.warning(f"not everything sent is known to be delivered: {type(error).__name__}")
        parts.sender.drop()
