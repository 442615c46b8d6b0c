"""The look-ups that a vault is known to have had: one that is gone was erased, or changed without the keys."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

_BYTES = 8
_FEW = 10_000


class Remembered:
    """Look-ups, eight bytes of each: enough to ask twice, and little for a vault of many."""

    def __init__(self, lookups: Iterable[bytes] = ()) -> None:
        self._sorted = array("Q", sorted(map(_short, lookups)))
        self._added: set[int] = set()

    def add(self, lookups: Iterable[bytes]) -> None:
        """Remember these too."""
        self._added.update(map(_short, lookups))
        if len(self._added) > max(_FEW, len(self._sorted) // 4):
            self._sorted = array("Q", sorted([*self._sorted, *self._added]))
            self._added.clear()

    def has_any(self, lookups: Iterable[bytes]) -> bool:
        """Whether one of these was there."""
        return any(self._has(_short(lookup)) for lookup in lookups)

    def _has(self, short: int) -> bool:
        place = bisect_left(self._sorted, short)
        return short in self._added or (place < len(self._sorted) and self._sorted[place] == short)


def _short(lookup: bytes) -> int:
    return int.from_bytes(lookup[:_BYTES], "big")
