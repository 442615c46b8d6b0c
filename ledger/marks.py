"""An entry by its place and its content: what a derived store keeps of the log it was made from.

A position alone says nothing: a log that was restored gives the same positions to other entries.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from ledger.database import Driver

AT = "SELECT position, state FROM entry WHERE position = ?"
LAST = "SELECT position, state FROM entry ORDER BY position DESC LIMIT 1"
NEWEST_OF_STREAM = "SELECT position FROM entry WHERE stream = ? AND position <= ? ORDER BY version DESC LIMIT 1"
_COUNT = "SELECT count(*), coalesce(max(position), 0) FROM entry WHERE position > ?"
_COUNTED = "SELECT count(*) FROM entry WHERE position > ? AND position <= ?"


class Mark(NamedTuple):
    """An entry's position and the SHA-256 of its bytes."""

    position: int
    sha256: bytes


START = Mark(0, b"")
"""Before the first entry: every log has come from there."""


class LogDamagedError(RuntimeError):
    """The log misses entries, or was changed while it was read: no answer can be made of it."""


def mark_of(position: int, state: bytes) -> Mark:
    """The mark of an entry."""
    return Mark(position, hashlib.sha256(state).digest())


def gap(before: int, here: int) -> LogDamagedError:
    """What is wrong where `here` follows `before` and should not."""
    first, last = before + 1, here - 1
    lost = f"position {first}" if first == last else f"positions {first} to {last}"
    return LogDamagedError(
        f"the log misses {lost}: a stop may have stood there, so nothing is allowed until the log is whole again. "
        "Restore the log from a backup."
    )


def refuse_gaps(driver: Driver, after: int = 0) -> None:
    """Raise LogDamagedError where a position after `after` is missing; entries that follow are counted, not read."""
    count, head = driver.execute(_COUNT, (after,)).fetchone()
    if not count or count == head - after:
        return
    low, high = after, head
    while high - low > 1:  # the first gap lies where the count first falls behind
        middle = (low + high) // 2
        (held,) = driver.execute(_COUNTED, (after, middle)).fetchone()
        low, high = (middle, high) if held == middle - after else (low, middle)
    (here,) = driver.execute("SELECT min(position) FROM entry WHERE position > ?", (low,)).fetchone()
    raise gap(low, here)
