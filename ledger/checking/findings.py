"""What a check finds: a store, a place in it, and one sentence on what is wrong there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.damage import DamagedError, is_damage


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it must be. `kind` is for machines; `place` is empty for the store as a whole."""

    store: str
    kind: str
    place: str
    text: str


class Unreadable(NamedTuple):
    """Notes what keeps a store from being read to its end: whatever is inside ends there, and the rest goes on."""

    store: str
    found: list[Finding]

    def __enter__(self) -> Unreadable:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, DamagedError):
            store, problem = Path(error.store).name, error.problem
        elif isinstance(error, sqlite3.DatabaseError) and (is_damage(error) or "no such" in str(error)):
            store, problem = self.store, str(error)
        elif isinstance(error, TypeError):  # SQLite takes any kind of value in any column
            store, problem = self.store, f"it holds a value of another kind than its column has ({error})"
        else:
            return False
        self.found.append(Finding(store, "unreadable", "", f"it cannot be read on: {problem}"))
        return True
