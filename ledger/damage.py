"""Damage: a store that cannot be read as what it must be. It is named, with what to do, and nothing goes on.

Nothing here repairs: what is missing in a damaged store cannot be guessed, and a guess could be a yes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CORRUPT, _NOT_A_DATABASE, _FORMAT = 11, 26, 24
_SHORT_READ = 522
ADVICE = (
    "Stop what works on this ledger and run `consent-ledger check`, which names every place. Then bring the ledger "
    "back from a backup (`consent-ledger restore`)."
)
ADVICE_FOR_VIEWS = (
    "Its answers are made from the log: stop what works on this ledger, remove every file views.db*, and start again."
)


class DamagedError(RuntimeError):
    """A store is damaged. `store`: which, as people know it; `problem`: how, in one clause."""

    def __init__(self, store: str, problem: str, advice: str = ADVICE) -> None:
        self.store, self.problem = store, problem
        super().__init__(f"{store} is damaged: {problem}. {advice}")


def damage_of(path: Path, error: BaseException | None) -> DamagedError | None:
    """What an error of SQLite says of its file; None: it says nothing of damage."""
    if not isinstance(error, sqlite3.DatabaseError) or not is_damage(error):
        return None
    if path.name.startswith("views.db"):
        return DamagedError(path.name, str(error), ADVICE_FOR_VIEWS)
    return DamagedError(str(path), str(error))


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether SQLite says that a file is no whole database, rather than away, busy or full."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF in {_CORRUPT, _NOT_A_DATABASE, _FORMAT} or code == _SHORT_READ)


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Raise DamagedError for what SQLite, asked directly or through SQLAlchemy, says of damage to a file."""
    try:
        yield
    except Exception as error:
        damage = damage_of(path, getattr(error, "orig", error))
        if damage is None:
            raise
        raise damage from error
