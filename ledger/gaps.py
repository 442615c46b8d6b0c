"""A log is dense: every position up to its last holds an entry, and every version of a stream up to its last.

Where one is missing, nothing can be answered. A version that is missing shows of one contact what was taken away
before positions were looked at.
"""

from __future__ import annotations

from collections.abc import Collection

from ledger.damage import DamagedError
from ledger.database import Driver

_COUNT = "SELECT count(*), coalesce(max(position), 0) FROM entry WHERE position > ?"
_GONE = (
    "the log misses {what}: a stop may have stood there, so nothing is allowed until the log is whole again. "
    "Restore the log from a backup."
)
_COUNTED = "SELECT count(*) FROM entry WHERE position > ? AND position <= ?"


class LogDamagedError(DamagedError):
    """The log misses entries, or was changed while it was read: no answer can be made of it."""

    def __init__(self, text: str) -> None:
        RuntimeError.__init__(self, text)
        self.store, self.problem = "log", text


def _gap(before: int, here: int) -> LogDamagedError:
    """What is wrong where `here` follows `before` and should not."""
    first, last = before + 1, here - 1
    lost = f"position {first}" if first == last else f"positions {first} to {last}"
    return LogDamagedError(_GONE.format(what=lost))


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
    raise _gap(low, here)


def refuse_missing_versions(first: int, last: int, count: int) -> None:
    """Raise LogDamagedError where so many entries of a stream, with these versions, are not all there were."""
    if count and (first > 1 or last - first + 1 != count):
        raise LogDamagedError(_GONE.format(what="an entry of a contact"))


def refuse_missing_positions(missing: Collection[int]) -> None:
    """Raise LogDamagedError where answers were made of entries at positions that the log does not hold any more."""
    if missing:
        raise LogDamagedError(_GONE.format(what=f"position {min(missing)}, of which answers were made"))
