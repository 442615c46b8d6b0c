"""Reading a store from end to end beside everything else: a connection that cannot write, rows by the thousand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from ledger.damage import naming_damage
from ledger.database import Driver, Location, file_of, is_server


class Scan(NamedTuple):
    """`rows` runs a statement whose rows are too many to hold; `driver` any other."""

    driver: Driver
    rows: Callable[[str, Sequence[Any]], Iterator[Any]]


@contextmanager
def scanning(location: Location, part: str = "log") -> Iterator[Scan]:
    """One transaction on a part at a location; a small cache: the operating system holds a file's pages.

    Raises DamagedError, also while its rows are read.
    """
    if is_server(location):
        from ledger.postgres import PostgresDatabase

        database = PostgresDatabase(str(location), part)
        try:
            with database.snapshot() as driver:
                yield Scan(driver, database.rows_of(driver))
        finally:
            database.close()
        return
    from ledger.sqlite import uri_of

    path = file_of(location)
    with closing(sqlite3.connect(uri_of(path), uri=True)) as file, naming_damage(path):
        file.execute("PRAGMA cache_size = -32768")
        file.execute("BEGIN")

        def rows(statement: str, values: Sequence[Any]) -> Iterator[Any]:
            with naming_damage(path):
                yield from file.execute(statement, values)

        yield Scan(file, rows)


def bytes_of(value: bytes | memoryview | str) -> bytes:
    """The bytes in a column; of a text, which SQLite takes there as well, those of the text."""
    return value.encode() if isinstance(value, str) else bytes(value)
