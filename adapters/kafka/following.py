"""The status kept in step with the log beside the publisher, in a thread of its own: a rebuild takes its time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from ledger.log import Log
from projections import outbox
from projections.runner import StatusRunner
from projections.views import Views

_log = logging.getLogger(__name__)


class Follower:
    """Follows while it may; puts the outbox in use once the rows have caught up."""

    def __init__(
        self,
        log: Log,
        views: Views,
        runner: StatusRunner,
        clock: Callable[[], datetime],
        poll_seconds: float,
        away: tuple[type[Exception], ...],
    ) -> None:
        """`away`: what is waited out; see `ledger.recorder.away`."""
        self._log = log
        self._views = views
        self._runner = runner
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._away = away
        self._failed: BaseException | None = None
        self._stop = threading.Event()
        self._may = threading.Event()
        # A daemon: a rebuild that runs when the program is told to stop is thrown away, not waited for.
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def start(self) -> None:
        """Begin. It does nothing until `lead(True)`."""
        self._thread.start()

    def lead(self, leads: bool) -> None:
        """Whether to work: one publisher does, the others wait."""
        if leads:
            self._may.set()
        else:
            self._may.clear()

    def check(self) -> None:
        """Raise what ended it, if something did."""
        if self._failed is not None:
            raise self._failed

    def stop(self, seconds: float) -> None:
        """End after the step it is in; not waited for any longer than this."""
        self._stop.set()
        self._may.set()
        self._log.announce()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._may.wait()
                self._step()
        except BaseException as error:  # noqa: BLE001 - raised where `check` is called
            self._failed = error

    def _step(self) -> None:
        try:
            if self._runner.step():
                self._log.announce()  # the outbox has something
                return
            self._switch_on()
            if not self._stop.is_set():
                self._log.wait(self._runner.position(), self._poll_seconds)
        except self._away as error:
            _log.warning(f"the status is not followed: {type(error).__name__}")
            self._stop.wait(1.0)

    def _switch_on(self) -> None:
        """A generation made anew from nothing has no outbox yet."""
        with self._views.snapshot() as driver:
            if outbox.last_number(driver) is not None:
                return
        with self._views.transaction() as driver:
            outbox.switch_on(driver, self._clock())
        self._log.announce()
