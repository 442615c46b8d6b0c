"""What is done about deliveries: a thread that hears what they say and records it, the oldest first.

Nothing that was accepted is lost: a delivery is taken for a while, and whoever takes it and dies gives it up by
that. It may then be done twice, which records nothing twice. One of which nothing can be made becomes a dead
letter, and holds up no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from threading import Event, Thread

from adapters.flips import flips
from adapters.inbox import End, Inbox, Taken
from adapters.logs import Lines, described
from adapters.metrics import Metrics
from adapters.receiving import AwayError, Heard, Receiver
from adapters.recording import Recorded, record_all, stands
from adapters.wiring import House

MOST = 200
"""Deliveries taken at once."""
HOLD_SECONDS = 20.0
LONGEST_WAIT = 600.0
_LOOK_SECONDS = 1.0
_LOST = "a stop whose id its sender has used for somebody else: find out whose it is, and record it by hand"
_FORGET_EVERY = timedelta(hours=1)


class Actor:
    """Does what waits until it is stopped. `holder`: its name among all that work on one inbox."""

    def __init__(
        self,
        house: House,
        inbox: Inbox,
        receivers: Sequence[Receiver],
        lines: Lines,
        metrics: Metrics,
        clock: Callable[[], datetime],
        holder: str,
    ) -> None:
        self._house, self._inbox = house, inbox
        self._receivers = {one.name: one for one in receivers}
        self._lines, self._metrics, self._clock, self._holder = lines, metrics, clock, holder
        self._stop, self._come = Event(), Event()
        self._thread = Thread(target=self._run, name="webhooks")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it: what is at hand is finished first."""
        self._stop.set()
        self._come.set()
        self._thread.join()

    def wake(self) -> None:
        """Something came."""
        self._come.set()

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive()

    def _run(self) -> None:
        forget_at, waited = self._clock(), False
        while not self._stop.is_set():
            try:
                if waited:
                    self._inbox.give_back(self._holder, self._clock())
                    waited = False
                if self._clock() >= forget_at:
                    self._forget()
                    forget_at = self._clock() + _FORGET_EVERY
                self._come.clear()
                if not self.act():
                    self._come.wait(_LOOK_SECONDS)
            except self._house.away as error:
                self._lines.write("warning", "webhooks.wait", **described(error))
                waited = True
                self._stop.wait(_LOOK_SECONDS)

    def _forget(self) -> None:
        lost = self._inbox.forget(self._clock())
        if lost:
            self._lines.write("warning", "webhooks.forgotten", count=lost)

    def act(self) -> int:
        """Do a batch of what waits; how many deliveries it held. Raises what `House.away` names."""
        taken = self._inbox.take(tuple(self._receivers), self._holder, self._clock(), HOLD_SECONDS, MOST)
        for name, run in groupby(sorted(taken, key=lambda one: one.receiver), key=lambda one: one.receiver):
            ends = self._do(self._receivers[name], list(run))
            self._inbox.end(ends, self._holder, self._clock())
            for end in ends:
                self._metrics.webhook_ends.labels(name, end.how).inc()
        return len(taken)

    def _do(self, receiver: Receiver, taken: Sequence[Taken]) -> list[End]:
        ends = [End(one.id, "dead", "sealed by another ledger, or damaged") for one in taken if one.delivery is None]
        return ends + list(self._heard(receiver, [one for one in taken if one.delivery is not None]))

    def _heard(self, receiver: Receiver, taken: Sequence[Taken]) -> Iterator[End]:
        """Hear and record all at once, which is quick; where that fails, each by itself."""
        if not taken:
            return
        try:
            heard = receiver.hear(self._house, [one.delivery for one in taken if one.delivery is not None])
            heard = self._record(receiver.name, heard)
        except self._house.away:
            raise
        except AwayError:
            yield from (self._later(receiver, one) for one in taken)
        except Exception as error:  # noqa: BLE001 - whatever one delivery does, it must not hold up the others
            if len(taken) > 1:
                for one in taken:
                    yield from self._heard(receiver, [one])
                return
            self._lines.write("error", "webhooks.failed", receiver=receiver.name, **described(error))
            yield End(taken[0].id, "dead", f"it could not be understood: {type(error).__name__}")
        else:
            yield from (self._ended(receiver, one, said) for one, said in zip(taken, heard, strict=True))

    def _ended(self, receiver: Receiver, one: Taken, said: Heard) -> End:
        if said.later:
            return self._later(receiver, one)
        if said.problem is not None:
            self._lines.write("warning", "webhooks.dead", receiver=receiver.name, reason=said.problem)
            return End(one.id, "dead", said.problem)
        return End(one.id, "done")

    def _later(self, receiver: Receiver, one: Taken) -> End:
        """Twice as long each time. It is never given up: the sender's service comes back, or somebody drops it."""
        seconds = min(LONGEST_WAIT, 2.0 ** min(one.attempts, 10))
        self._lines.write("warning", "webhooks.later", receiver=receiver.name, attempts=one.attempts, seconds=seconds)
        return End(one.id, "later", due=self._clock() + timedelta(seconds=seconds))

    def _record(self, name: str, heard: Sequence[Heard]) -> Sequence[Heard]:
        """What deliveries said is on record, but for a stop whose id stands there for another person."""
        sayings = [said for one in heard if not one.later and one.problem is None for said in one.sayings]
        if not sayings:
            return heard
        recorded = record_all(self._house.ledger, sayings)
        self._conflicts(name, recorded)
        pairs = list(zip(sayings, recorded, strict=True))
        for position in flips(self._house, pairs):
            self._metrics.crm_flips.inc()
            self._lines.write("error", "crm.flip", receiver=name, position=position)
        lost = {id(said) for said, told in pairs if not stands(self._house.ledger, said, told)}
        return [one._replace(problem=_LOST) if any(id(said) in lost for said in one.sayings) else one for one in heard]

    def _conflicts(self, name: str, recorded: Sequence[Recorded]) -> None:
        """What stands there already by another way says the same act: it counts, and is told, and is no failure."""
        for one in recorded:
            if one.status == "conflict":
                self._lines.write("warning", "webhooks.conflict", receiver=name, position=one.position)
