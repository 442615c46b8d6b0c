"""The log's entries on their way to `consent.events.v1`: in order, none left out, none forgotten.

A few batches fly at a time. The tracking position moves over a batch only when all of it is delivered, and
only while the lease is ours; after a crash between the two the batch goes out again, which consumers know
by its positions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple, Protocol

from adapters.kafka.messages import Message, event_message
from adapters.kafka.progress import Progress
from adapters.kafka.sending import Batch, Sender
from adapters.kafka.topics import EVENTS

BATCH = 4_000
AHEAD = 3

Row = tuple[int, int, bytes]


class Readable(Protocol):
    """What a log is to a feed."""

    def read(self, after: int, limit: int) -> list[Row]:
        """(position, version, entry) of what comes after a position, in order."""


class LeaseLostError(RuntimeError):
    """Another publisher has taken over."""


class _Flying(NamedTuple):
    position: int
    batch: Batch


class EventFeed:
    """Sends what the log holds after `position`."""

    def __init__(
        self, log: Readable, ledger_id: str, sender: Sender, progress: Progress, prefix: str = "", epoch: str = ""
    ) -> None:
        self.name = prefix + EVENTS
        self.position = 0
        self.published = 0
        self._log = log
        self._ledger_id = ledger_id
        self._sender = sender
        self._progress = progress
        self._prefix = prefix
        self._epoch = epoch
        self._read = 0
        self._flying: deque[_Flying] = deque()

    def begin(self) -> None:
        """Go on where the tracking position stands; what flew and was not stored is read again."""
        self._flying.clear()
        self._read = self.position = self._progress.position(self.name)

    @property
    def is_flying(self) -> bool:
        """Whether something is sent and not known to be delivered."""
        return bool(self._flying)

    def send(self) -> bool:
        """Send the next batch; False: there is none, or enough are flying."""
        if len(self._flying) >= AHEAD:
            return False
        rows = self._log.read(self._read, BATCH)
        if not rows:
            return False
        first, last = rows[0][0], rows[-1][0]
        if first != self._read + 1 or last - self._read != len(rows):
            raise RuntimeError(f"the log has a gap between {self._read} and {last}")
        self._flying.append(_Flying(last, self._sender.send(self._messages(rows))))
        self._read = last
        return True

    def _messages(self, rows: list[Row]) -> Iterator[Message]:
        ledger_id, prefix, epoch = self._ledger_id, self._prefix, self._epoch
        return (event_message(ledger_id, position, version, state, prefix, epoch) for position, version, state in rows)

    def settle(self, holder: str, now: datetime) -> None:
        """Store how far everything is delivered. Raises DeliveryFailedError, LeaseLostError."""
        if not self._flying or not self._flying[0].batch.is_delivered:
            return
        # What stands before a failure is stored first; the next call finds the failure foremost.
        delivered = list(takewhile(lambda one: one.batch.failed is None and one.batch.is_delivered, self._flying))
        position = delivered[-1].position
        if not self._progress.advance(self.name, position, holder, now):
            raise LeaseLostError
        self.position = position
        for one in delivered:
            self.published += one.batch.count
            self._flying.popleft()
