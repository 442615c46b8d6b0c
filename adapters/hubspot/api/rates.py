"""How fast HubSpot may be called: what its answers say of that, and how long to wait after a refusal.

One pace for all threads of a client. Nothing is assumed before the first answer: what this portal allows, the
headers of every answer say, and a 429 says it was too much.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from math import inf

_SHARE = 0.95
"""Of what is allowed: a clock that runs a little differently there must not make ours too fast."""
_BURST = 0.05
_SCARCE = 0.02
_FORGOTTEN = 900.0
"""Seconds after which a day that was used up is looked at again: it may be another one."""
_FIRST, _MOST = 0.5, 30.0
LOCKED = 2.0
"""Seconds for which a record is locked, roughly, as HubSpot says."""

Clock = Callable[[], float]


class Pace:
    """When the next call may go out. Thread-safe.

    `most`, `seconds`: what is allowed, where no header says it.
    """

    def __init__(
        self, clock: Clock, sleep: Callable[[float], object], most: int | None = None, seconds: float = 10.0
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._gap, self._slack = 0.0, 0.0
        self._next = self._held = 0.0
        self._spent_at: float | None = None
        self.day: tuple[int, int] | None = None
        """Calls left of the day, and those of a whole day, as the last answer said."""
        if most is not None:
            self._allow(most, seconds)

    @property
    def rate(self) -> float | None:
        """Calls a second, once it is known."""
        return 1 / self._gap if self._gap else None

    @property
    def spent(self) -> bool:
        """Whether the day's calls are used up, as far as was heard."""
        at = self._spent_at
        return at is not None and self._clock() - at < _FORGOTTEN

    def wait(self, most: float = inf) -> bool:
        """Return when a call may be made; False, at once, where that is more than `most` seconds away."""
        with self._lock:
            now = self._clock()
            self._next = max(self._next, now - self._slack)
            at = max(self._next, self._held, now)
            if at - now > most:
                return False
            self._next = max(self._next, self._held) + self._gap
        if at > now:
            self._sleep(at - now)
        return True

    def hold(self, seconds: float) -> None:
        """Let nobody call before so long."""
        with self._lock:
            self._held = max(self._held, self._clock() + seconds)

    def exhaust(self) -> None:
        """The day's calls are used up."""
        self._spent_at = self._clock()

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take what an answer's headers say; those that are no numbers say nothing."""
        most, span = _number(headers, "max"), _number(headers, "interval-milliseconds")
        left, day, of_day = (
            _number(headers, "remaining"),
            _number(headers, "daily-remaining"),
            _number(headers, "daily"),
        )
        with self._lock:
            if most and span:
                self._allow(most, span / 1000)
                if left is not None and left <= most * _SCARCE:
                    self._held = max(self._held, self._clock() + span / 1000 * _BURST)
            if day is not None and of_day:
                self.day = (day, of_day)
                self._spent_at = self._clock() if day <= 0 else None

    def _allow(self, most: int, seconds: float) -> None:
        self._gap = seconds / (most * _SHARE)
        self._slack = self._gap * most * _BURST


def back_off(attempt: int, random: Callable[[], float], asked: float | None = None, least: float = 0.0) -> float:
    """Seconds until the next try, the first being 0: twice as long each time, by chance between half and whole.

    asked  what the answer itself asks for; then never less
    """
    longest: float = min(_MOST, _FIRST * 2.0**attempt)
    chance = longest * (0.5 + random() / 2)
    if asked is not None:
        return asked + chance * 0.1
    return max(least, 0.0) + chance


def asked_for(headers: Mapping[str, str]) -> float | None:
    """The seconds that `Retry-After` names."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"x-hubspot-ratelimit-{name}", "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
