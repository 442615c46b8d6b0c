"""A record as a handler is given it, and what a handler has done with many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from adapters.kafka.cloudevents import Headers
from adapters.kafka.messages import Message, Place

MOST_BYTES = 2_097_152
"""Of a record that is sent: a dead letter is longer than what it is about."""


class Record(NamedTuple):
    """Raw, with its place. `value` None: a tombstone."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers


class Failed(NamedTuple):
    """A record that cannot be taken, and why, without any value that stands in it."""

    record: Record
    error: str


class Effects(NamedTuple):
    """What is to be sent before the records count as done, and how many of it are dead letters."""

    messages: Sequence[Message] = ()
    dead: int = 0


Handle = Callable[[Sequence[Record]], Effects]
"""Takes records of one batch, in the order of their partitions; what it did stands when it returns.

Given the same records again, in part or whole, it changes nothing and sends the same.
"""
