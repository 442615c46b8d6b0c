"""The outbox on its way to `consent.contact-status.v1`: stops first, what is told again at a set rate.

One batch flies at a time, so that a new stop waits for some hundred messages at most. A row leaves the
outbox only when its message is delivered and nothing has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from adapters.kafka.messages import Message, status_message
from adapters.kafka.sending import Batch, Sender
from ledger.codec import instant
from projections import outbox
from projections.announcing import Announcer, encode
from projections.contact_status import ContactStatus
from projections.outbox import Queued
from projections.views import Views

BATCH = 500


class _Flying(NamedTuple):
    queued: list[Queued]
    batch: Batch


class Rate:
    """So many a second, and no more than a tenth of a second's worth at once."""

    def __init__(self, per_second: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second / 10)
        self._monotonic = monotonic
        self._at = monotonic()
        self._left = self._most

    def allows(self, most: int) -> int:
        """How many may go now, at most so many."""
        now = self._monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        return min(most, int(self._left))

    def spend(self, count: int) -> None:
        """So many went."""
        self._left -= count


class StatusFeed:
    """Sends what waits in the outbox."""

    def __init__(
        self,
        views: Views,
        announcer: Announcer,
        ledger_id: str,
        sender: Sender,
        rate: Rate,
        prefix: str = "",
        epoch: str = "",
    ) -> None:
        self.published = 0
        self._views = views
        self._announcer = announcer
        self._ledger_id = ledger_id
        self._sender = sender
        self._rate = rate
        self._prefix, self._epoch = prefix, epoch
        self._flying: _Flying | None = None

    def begin(self) -> None:
        """What flew and is not known to be delivered still waits in the outbox."""
        self._flying = None

    def give_up(self) -> None:
        """Have whoever publishes now send again what flies: it may arrive behind something newer, and would be the
        last word on its key when the topic is compacted. To be called once nothing can be sent any more.
        """
        flying, self._flying = self._flying, None
        if flying is not None:
            with self._views.transaction() as driver:
                outbox.again(driver, [one.contact for one in flying.queued])

    @property
    def is_flying(self) -> bool:
        """Whether something is sent and not known to be delivered."""
        return self._flying is not None

    def look(self, now: datetime) -> int:
        """Queue whose answers have changed because a day came; how many."""
        with self._views.snapshot() as driver:
            if not outbox.is_due(driver, now):
                return 0
        with self._views.transaction() as driver:
            return outbox.look(driver, now)

    def send(self, now: datetime) -> bool:
        """Send the next batch; False: there is none that may go now."""
        if self._flying is not None:
            return False
        queued = self._take()
        if not queued:
            return False
        told = self._announcer.announce(queued, now)
        if told is None:
            return False
        self._flying = _Flying(queued, self._sender.send(self._messages(told)))
        return True

    def _take(self) -> list[Queued]:
        with self._views.snapshot() as driver:
            urgent = outbox.take(driver, BATCH, outbox.NEWS)
            if urgent:
                return urgent
            may_go = self._rate.allows(BATCH)
            queued = outbox.take(driver, may_go) if may_go else []
        self._rate.spend(len(queued))
        return queued

    def _messages(self, told: list[ContactStatus]) -> Iterator[Message]:
        for one in told:
            at = instant(one.at)
            yield status_message(self._ledger_id, one.contact, one.revision, encode(one), at, self._prefix, self._epoch)
            if one.erased:
                yield status_message(self._ledger_id, one.contact, one.revision, None, at, self._prefix, self._epoch)

    def settle(self) -> None:
        """Take out of the outbox what is delivered. Raises DeliveryFailedError."""
        if self._flying is None or not self._flying.batch.is_delivered:
            return
        with self._views.transaction() as driver:
            outbox.done(driver, self._flying.queued)
        self.published += self._flying.batch.count
        self._flying = None
