"""Keeping the rows current while the service runs: a thread that follows the log, and says when it cannot."""

from __future__ import annotations

from threading import Event, Thread

from adapters.logs import Lines, described
from ledger.application import Ledger
from ledger.codec import BrokenEntryError
from ledger.damage import DamagedError
from projections.runner import StatusRunner

_PAUSE_SECONDS = 1.0


class Follower:
    """Applies what comes until it is stopped. A database that is away is waited for."""

    def __init__(self, runner: StatusRunner, ledger: Ledger, away: tuple[type[Exception], ...], lines: Lines) -> None:
        """`away`: what is waited out; see `ledger.recorder.away`."""
        self._runner, self._ledger, self._away, self._lines = runner, ledger, away, lines
        self._stop = Event()
        self._thread = Thread(target=self._run, name="follower")

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it: the batch at hand is finished first."""
        self._stop.set()
        self._ledger.log.announce()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether it still follows."""
        return self._thread.is_alive()

    def lag(self) -> int:
        """Entries that the rows do not know of yet."""
        return max(0, self._ledger.log.last_position() - self._runner.position())

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._runner.follow(self._stop, when_idle=self._ledger.settle)
            except self._away as error:
                self._lines.write("warning", "follower.waits", **described(error))
                self._stop.wait(_PAUSE_SECONDS)
            except (
                DamagedError,
                BrokenEntryError,
            ):  # the runner has raised the alarm, and the gate is closed until it is mended
                self._stop.wait(_PAUSE_SECONDS)
