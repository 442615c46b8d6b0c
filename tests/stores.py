"""Where a ledger of a test lies: files in its folder, or a PostgreSQL database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.database import Location

STORES = ("files", pytest.param("postgresql", marks=pytest.mark.service))
"""Parameters of the fixture `place`."""


class Place(NamedTuple):
    """One ledger's place. `owner_url`: the database as the owner of its tables sees it."""

    folder: Path
    url: str | None = None
    owner_url: str | None = None

    def __call__(self, part: str) -> Location:
        """Where a part lies: `log`, `vault`, `views`, `streams`."""
        return self.url or self.folder / f"{part}.db"


@contextmanager
def made(kind: str, folder: Path) -> Iterator[Place]:
    """A place of this kind, empty."""
    if kind == "files":
        yield Place(folder)
        return
    from tests.services.postgres import fresh

    with fresh() as database:
        yield Place(folder, database.url, database.owner_url)
