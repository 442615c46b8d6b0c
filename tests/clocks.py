"""Clocks that tests pass in."""

from __future__ import annotations

import threading


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Takes no time."""
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds
