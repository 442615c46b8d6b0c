"""How often somebody may ask: a bucket of tokens for each key, and for each source that shows none.

A bucket holds `burst` tokens and gets `per_second` back; a request takes one. Times come from a clock that is
handed in. A process counts by itself, and forgets when it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address, IPv6Network
from typing import NamedTuple

from starlette.types import Scope

from adapters.web.keys import Key
from adapters.web.problems import ProblemError

MOST_BUCKETS = 10_000
"""More are never kept: whoever has been silent longest is forgotten, which is to say, has a full bucket again."""


class Rate(NamedTuple):
    """Requests a second in the long run, and how many at once. `per_second` 0: as many as come."""

    per_second: float
    burst: int


UNLIMITED = Rate(0.0, 1)


class Buckets:
    """The buckets of one kind of caller, by name."""

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> float:
        """Take a token: 0.0; the seconds until there is one, when there is none."""
        per_second, burst = self._rate
        if not per_second:
            return 0.0
        now = self._clock()
        left, at = self._left.pop(name, (float(burst), now))
        left = min(float(burst), left + max(0.0, now - at) * per_second)
        enough = left >= 1.0
        self._left[name] = (left - 1.0 if enough else left, now)  # behind all others: the first is the oldest
        if len(self._left) > MOST_BUCKETS:
            del self._left[next(iter(self._left))]
        return 0.0 if enough else (1.0 - left) / per_second


class Limits:
    """What is counted of requests. ProblemError 429 from each method, where there are too many."""

    def __init__(self, of_keys: Rate, of_sources: Rate, clock: Callable[[], float]) -> None:
        self._keys, self._sources = Buckets(of_keys, clock), Buckets(of_sources, clock)

    def count_key(self, key: Key) -> None:
        """One request by a key."""
        _refuse(self._keys.take(key.name), "this key asks too often")

    def count_source(self, scope: Scope) -> None:
        """One request by whoever shows no key that holds."""
        _refuse(self._sources.take(source_of(scope)), "too many requests without a key come from this address")


def _refuse(seconds: float, detail: str) -> None:
    if seconds:
        raise ProblemError("too-many", detail, wait=seconds)


def source_of(scope: Scope) -> str:
    """Where a request comes from: the address; of IPv6 its network, since one subscriber has all of that."""
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = IPv6Address(host)
    except AddressValueError:
        return host
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
