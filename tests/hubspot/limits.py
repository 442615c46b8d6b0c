"""What comes between a call and what it asks for: rate limits, and trouble that a test makes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tests.hubspot.calls import RefusedError
from tests.hubspot.journal import Clock

WINDOW = 10.0
"""Seconds in which so many calls are allowed."""
SEARCHES = 5
"""In a second, and not counted with the rest."""
SUBMISSIONS = 50
"""In ten seconds, without a key."""
_DAY = 86_400


class Window:
    """So many calls in so many seconds, counted back from each."""

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self.most, self._seconds, self._clock = most, seconds, clock
        self._taken: deque[float] = deque()

    def take(self) -> bool:
        """Whether one more is allowed; then it counts."""
        if self.left() <= 0:
            return False
        self._taken.append(self._clock())
        return True

    def left(self) -> int:
        """How many more are."""
        oldest = self._clock() - self._seconds
        while self._taken and self._taken[0] <= oldest:
            self._taken.popleft()
        return max(0, self.most - len(self._taken))


class Rates:
    """The limits of one app. `most` None: there is none."""

    def __init__(self, clock: Clock, most: int | None = 190, daily: int = 650_000) -> None:
        self._clock = clock
        self.daily, self._today, self._day = daily, 0, 0
        self.limit(most)
        self._searches = Window(SEARCHES, 1.0, clock)
        self._submissions = Window(SUBMISSIONS, WINDOW, clock)

    def limit(self, most: int | None) -> None:
        """Allow so many calls in ten seconds from now on."""
        self.most = most
        self._calls = Window(most or 0, WINDOW, self._clock)

    def check(self, kind: str) -> None:
        """Raises RefusedError where the call is one too many. `kind`: `call`, `search` or `submission`."""
        if self.most is None:
            return
        day = int(self._clock()) // _DAY
        if day != self._day:
            self._day, self._today = day, 0
        if self._today >= self.daily:
            raise too_many("daily", "DAILY")
        if kind == "search":
            allowed, policy = self._searches.take(), "SECONDLY"
        elif kind == "submission":
            allowed, policy = self._submissions.take(), "TEN_SECONDLY_ROLLING"
        else:
            allowed, policy = self._calls.take(), "TEN_SECONDLY_ROLLING"
        if not allowed:
            raise too_many(policy.lower(), policy)
        self._today += 1

    def headers(self, kind: str) -> Mapping[str, str]:
        """What every answer says of the limits; a search does not."""
        if self.most is None or kind != "call":
            return {}
        return {
            "X-HubSpot-RateLimit-Daily": str(self.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, self.daily - self._today)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(WINDOW * 1000)),
            "X-HubSpot-RateLimit-Max": str(self.most),
            "X-HubSpot-RateLimit-Remaining": str(self._calls.left()),
        }


def too_many(limit: str, policy: str) -> RefusedError:
    """The answer to one call too many."""
    message = f"You have reached your {limit} limit."
    return RefusedError(429, "RATE_LIMITS", message, errorType="RATE_LIMIT", policyName=policy)


@dataclass(slots=True)
class _Failure:
    status: int
    left: int
    path: str
    done: bool


class Trouble(NamedTuple):
    """A call that goes wrong. `done`: what it asks for is done all the same, and only the answer is lost."""

    status: int
    done: bool = False


class Chaos:
    """Trouble, switched on while the fake runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds = 0.0
        self._until, self._status = 0.0, 502
        self._storm = 0.0
        self._failures: list[_Failure] = []
        self._locked: dict[str, float] = {}
        self._refused: dict[str, tuple[str, str]] = {}

    def outage(self, seconds: float = float("inf"), status: int = 502) -> None:
        """Nothing is done, for so long or until `recover`."""
        self._until, self._status = self._clock() + seconds, status

    def storm_429(self, seconds: float = float("inf")) -> None:
        """Every call is one too many, for so long or until `recover`."""
        self._storm = self._clock() + seconds

    def recover(self) -> None:
        """All trouble ends."""
        self._until = self._storm = self.seconds = 0.0
        self._failures.clear()
        self._locked.clear()
        self._refused.clear()

    def latency(self, seconds: float) -> None:
        """Every answer takes so long, however many are asked at once."""
        self.seconds = seconds

    def fail_next(self, count: int, status: int = 500, *, path: str = "", done: bool = False) -> None:
        """The next calls, or those with this in their path, go wrong. `done`: and yet are done."""
        self._failures.append(_Failure(status, count, path, done))

    def lock(self, record: int | str, seconds: float = 2.0) -> None:
        """A record, or an address, cannot be written for so long: 423."""
        self._locked[str(record).lower()] = self._clock() + seconds

    def refuse(self, key: int | str, category: str = "VALIDATION_ERROR", message: str = "This one is refused.") -> None:
        """In a batch, this record or address is not done: 207 with an error of this category."""
        self._refused[str(key).lower()] = (category, message)

    def allow(self, key: int | str) -> None:
        """It is done again."""
        self._refused.pop(str(key).lower(), None)

    def met(self, path: str) -> Trouble | None:
        """The trouble that a call runs into."""
        now = self._clock()
        if now < self._until:
            return Trouble(self._status)
        if now < self._storm:
            raise too_many("ten_secondly_rolling", "TEN_SECONDLY_ROLLING")
        for failure in self._failures:
            if failure.left and failure.path in path:
                failure.left -= 1
                return Trouble(failure.status, failure.done)
        return None

    def check_lock(self, *keys: int | str) -> None:
        """Raises RefusedError where somebody else is writing one of them."""
        if not self._locked:
            return
        now = self._clock()
        if any(self._locked.get(str(key).lower(), 0.0) > now for key in keys):
            raise RefusedError(423, "LOCKED", "The resource is locked by another call; try again in two seconds.")

    def refusal(self, key: int | str) -> dict[str, object] | None:
        """What a batch says of one that is refused."""
        found = self._refused.get(str(key).lower()) if self._refused else None
        if found is None:
            return None
        category, message = found
        return {"status": "error", "category": category, "message": message, "context": {"ids": [str(key)]}}
