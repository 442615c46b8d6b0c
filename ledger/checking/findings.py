"""What a check finds: a store, a place in it, and one sentence on what is wrong there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Collects what keeps a store from being read to its end."""

    store: str
    found: list[Finding]

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Whatever SQLite says of damage inside becomes a finding, and what is inside ends there."""
        try:
            yield
        except DamagedError as error:
            text = f"it cannot be read on: {error.problem}"
            self.found.append(Finding(Path(error.store).name, "unreadable", "", text))
        except sqlite3.DatabaseError as error:
            if not is_damage(error) and "no such" not in str(error):
                raise
            self.found.append(Finding(self.store, "unreadable", "", f"it cannot be read on: {error}"))
