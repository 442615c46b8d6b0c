"""Following the log: what is there, then what comes, by polling with a wake-up from this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Condition

from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription


class Followed(ApplicationRecorder):
    """A recorder that says when something arrived, and whether it was closed."""

    arrived: Condition
    closed: bool
    poll_seconds: float

    def announce(self) -> None:
        """Wake whoever waits for entries."""
        with self.arrived:
            self.arrived.notify_all()

    def wait(self, after: int, seconds: float) -> None:
        """Until there may be entries after a position, or so long. Who waits looks again, whatever it was."""
        self.listen()
        with self.arrived:
            if not self.closed and (self.max_notification_id() or 0) <= after:
                self.arrived.wait(seconds)

    def listen(self) -> None:
        """Have other processes' appends announced here too, where the database can tell of them."""


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Polls the log, and looks at once when an append in this process says so. Loses nothing in between."""

    def __init__(self, log: Followed, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(log, gt, topics)
        self._log = log
        self._after = gt or 0
        self._found: deque[Notification] = deque()

    def stop(self) -> None:
        """End the iteration, also for a thread that waits in it."""
        super().stop()
        self._log.announce()

    def __next__(self) -> Notification:
        while not (self._has_been_stopped or self._log.closed):
            if self._found:
                return self._found.popleft()
            self._look()
            if not self._found:
                self._wait()
        raise StopIteration

    def _look(self, limit: int = 500) -> None:
        stop = self._log.max_notification_id() or 0
        if stop <= self._after:
            return
        self._found.extend(
            self._log.select_notifications(self._after, limit, stop, self._topics, inclusive_of_start=False)
        )
        self._after = self._found[-1].id if len(self._found) == limit else stop

    def _wait(self) -> None:
        """Until something arrives here, or it is time to look for what others wrote."""
        if not self._has_been_stopped:
            self._log.wait(self._after, self._log.poll_seconds)
