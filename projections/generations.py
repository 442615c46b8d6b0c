"""Where generations of answers lie: made beside the one in use, then pointed to in one step.

Files: `views.db` is a link to the generation in use. A new one is built in a file of its own name (so
that no file ever meets another's WAL) and the link is replaced; whoever has the old file open notices at
the next look. On PostgreSQL a generation is a schema (`projections.generations_postgres`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from ledger.damage import ADVICE_FOR_VIEWS, DamagedError
from ledger.database import Database, Location, SetupError, is_server
from ledger.sqlite import SqliteDatabase
from projections.binding import Kept

INSERT = "INSERT INTO status VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Generations(Protocol):
    """All generations of one ledger's answers, by name. Can be sent to another process."""

    def current(self) -> str:
        """The generation in use; an empty one is made when there is none."""
        ...

    def open(self, name: str, log: Location | None = None) -> Database:
        """A generation, made when absent; those who read it see the log as well, as `log.entry`, if it is named."""
        ...

    def new(self) -> str:
        """A name nobody uses."""
        ...

    def make(self, name: str) -> None:
        """Make an empty generation that nobody relies on until it is finished."""
        ...

    def write(self, name: str, rows: Iterable[Kept], part: int) -> None:
        """Write rows of one part of a generation under construction; parts may be written at the same time."""
        ...

    def finish(self, name: str, parts: int) -> None:
        """Put the parts together, on the disk, before anybody is sent to it."""
        ...

    def point(self, name: str) -> None:
        """Send everybody to this generation from now on."""
        ...

    def discard(self, name: str) -> None:
        """Take a generation away; who still reads a file of it reads on."""
        ...

    def close(self) -> None:
        """Close what is open. Idempotent."""
        ...


def generations_at(location: Location, metadata: sa.MetaData) -> Generations:
    """The generations behind a link, or in a database."""
    if is_server(location):
        from projections.generations_postgres import Schemas

        return Schemas(str(location), metadata)
    return Files(Path(location), metadata)


class Files:
    """See `Generations`. A name is the path of a file."""

    def __init__(self, link: Path, metadata: sa.MetaData) -> None:
        self._link = link
        self._metadata = metadata

    def current(self) -> str:
        """What the link names."""
        while True:
            if self._link.exists() and not self._link.is_symlink():
                raise DamagedError(self._link.name, "it is no link to the answers in use", ADVICE_FOR_VIEWS)
            with suppress(FileNotFoundError):
                return str(self._link.parent / self._link.readlink())
            if not os.access(self._link.parent, os.W_OK):
                raise SetupError(
                    f"there are no answers in {self._link.parent}, and they cannot be made there: copy the ledger to "
                    "where it may be written, and ask it there"
                )
            with suppress(FileExistsError):
                self._link.symlink_to(Path(self.new()).name)

    def open(self, name: str, log: Location | None = None) -> Database:
        """Opened for everyday use: durable."""
        return SqliteDatabase(Path(name), self._metadata, beside={} if log is None else {"log": Path(log)})

    def new(self) -> str:
        """Beside the link."""
        return str(self._link.with_name(f"{self._link.name}.{os.urandom(8).hex()}"))

    def make(self, name: str) -> None:
        """The tables alone."""
        Path(name).touch(mode=0o600)
        engine = sa.create_engine(f"sqlite+pysqlite:///{name}", poolclass=sa.NullPool)
        with engine.begin() as connection:
            self._metadata.create_all(connection)
        engine.dispose()

    def write(self, name: str, rows: Iterable[Kept], part: int) -> None:
        """The first part into the file itself, each other one into a file beside it, in order."""
        with closing(_fast(name if part == 0 else _part(name, part))) as driver:
            if part:
                driver.execute("CREATE TABLE row (a, b, c, d, e, f, g, h)")
            driver.executemany(INSERT if part == 0 else "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            driver.commit()

    def finish(self, name: str, parts: int) -> None:
        """Append the parts in their order, and wait for the disk."""
        with closing(_fast(name)) as driver:
            for part in range(1, parts):
                path = _part(name, part)
                driver.execute("ATTACH ? AS part", (path,))
                driver.execute("INSERT INTO status SELECT * FROM part.row ORDER BY rowid")
                driver.commit()
                driver.execute("DETACH part")
                Path(path).unlink()
        with Path(name).open("rb+") as file:
            os.fsync(file.fileno())

    def point(self, name: str) -> None:
        """Replace the link."""
        link = Path(f"{name}.link")
        link.symlink_to(Path(name).name)
        link.replace(self._link)

    def discard(self, name: str) -> None:
        """The file, its WAL, and parts that were left."""
        path = Path(name)
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is kept open."""


def _part(name: str, part: int) -> str:
    return f"{name}.part{part}"


def _fast(path: str) -> sqlite3.Connection:
    """A file nobody relies on until it is finished."""
    driver = sqlite3.connect(path)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32768"):
        driver.execute(f"PRAGMA {pragma}").close()
    return driver
