"""What ties stored answers to one ledger: its id, its epoch, and a keyed check that every row carries.

The check is over contact, cell, revision and content. It shows that this ledger wrote the row; it does not show
that the row is its newest, which the gate sees by the log, nor that no row is missing: a missing row allows nothing.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Any

from projections.status import Row
from projections.tracking import Source

Kept = tuple[bytes, str, str, bytes, bytes, str | None, int, bytes]
"""A row as it is stored: with its check."""

CHECK_BYTES = 16
_MOST_CELLS = 4_096
_numbers = struct.Struct(">qIIi").pack


class Binding:
    """Whose rows they are. Deterministic: live and rebuilt rows stay equal to the byte."""

    __slots__ = ("_cells", "_key", "_keyed", "source")

    def __init__(self, source: Source, key: bytes) -> None:
        self.source = source
        self._key = key
        self._keyed = hashlib.blake2b(key=key, digest_size=CHECK_BYTES)
        self._cells: dict[tuple[str, str], hashlib.blake2b] = {}

    def __repr__(self) -> str:
        """Never the key."""
        return f"Binding({self.source!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Binding, (self.source, self._key)

    def check(
        self,
        contact: bytes,
        purpose: str,
        channel: str,
        address: bytes,
        segments: bytes,
        next_change: str | None,
        revision: int,
    ) -> bytes:
        """The check of a row. Lengths come first, so that no two rows are one text; purpose and channel are few."""
        begun = self._cells.get((purpose, channel))
        if begun is None:
            if len(self._cells) > _MOST_CELLS:
                self._cells.clear()
            begun = self._cells[purpose, channel] = self._keyed.copy()
            begun.update(f"{len(purpose)} {len(channel)} {purpose}{channel}".encode())
        keyed = begun.copy()
        if next_change is None:
            keyed.update(_numbers(revision, len(contact), len(address), -1) + contact + address + segments)
        else:
            change = next_change.encode()
            keyed.update(_numbers(revision, len(contact), len(address), len(change)) + contact + address + change)
            keyed.update(segments)
        return keyed.digest()

    def kept(self, row: Row) -> Kept:
        """A row with its check."""
        return (*row, self.check(*row))

    def holds(self, kept: Kept) -> bool:
        """Whether the row is as this ledger wrote it."""
        return kept[-1] == self.check(*kept[:-1])

    def hold(self, rows: Iterable[Kept]) -> bool:
        """Whether all of them are."""
        return all(self.holds(row) for row in rows)
