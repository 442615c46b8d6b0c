"""What a sender of webhooks is to the service: how its requests are known to be its own, and what they say.

A receiver knows one sender's signature and words, and nothing of HTTP servers or databases. What it accepts is
stored whole, sealed, before anything is done; what it says is worked out afterwards, as often as need be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from adapters.recording import Saying
from adapters.wiring import House

MOST_BYTES = 1_048_576
MOST_ITEMS = 1_000


class Sent(NamedTuple):
    """A request as it came in. `tail`: what follows the receiver's own path; header names are lower case."""

    method: str
    tail: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


class Delivery(NamedTuple):
    """One event of a request. `key`: the same for the same event however often it is sent; `body`: JSON."""

    key: str
    occurred_at: datetime | None
    body: bytes


class Accepted(NamedTuple):
    """A genuine request: what is in it, which may be nothing."""

    deliveries: Sequence[Delivery] = ()


class Refused(NamedTuple):
    """A request that is not taken. `status`: 400 no such thing; 401 not the sender's; 413 too much; 503 not now."""

    status: int
    reason: str


class Heard(NamedTuple):
    """What one delivery comes to: facts; or why nothing can be made of it (`problem`, without a value in it).

    `later`: what it takes is not to be had now, and the others of its batch need not wait for that.
    """

    sayings: Sequence[Saying] = ()
    problem: str | None = None
    later: bool = False


class Receiver(Protocol):
    """One sender. `name` is its path under /webhooks/, `methods` what it sends by."""

    name: str
    methods: tuple[str, ...]

    def accept(self, sent: Sent) -> Accepted | Refused:
        """Whether a request is the sender's, and what is in it. Pure but for what `sent` holds; never raises."""
        ...

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:
        """What deliveries say, in their order; may ask the ledger who is meant, and the sender for the rest.

        Raises what `House.away` names, or `adapters.receiving.AwayError`: then all of it is tried again later.
        """
        ...


class AwayError(Exception):
    """The sender's own service does not answer now."""
