"""Reading a log from end to end beside everything else: a connection that cannot write, rows by the thousand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from ledger.database import Driver, Location, file_of, is_server


class Scan(NamedTuple):
    """`rows` runs a statement whose rows are too many to hold; `driver` any other."""

    driver: Driver
    rows: Callable[[str, Sequence[Any]], Iterator[Any]]


@contextmanager
def scanning(location: Location) -> Iterator[Scan]:
    """One transaction on the log at a location; a small cache: the operating system holds a file's pages."""
    if is_server(location):
        from ledger.postgres import PostgresDatabase

        database = PostgresDatabase(str(location), "log")
        try:
            with database.snapshot() as driver:
                yield Scan(driver, database.rows_of(driver))
        finally:
            database.close()
        return
    from ledger.sqlite import uri_of

    path = file_of(location)
    with closing(sqlite3.connect(uri_of(path), uri=True)) as file:
        file.execute("PRAGMA cache_size = -32768")
        yield Scan(file, lambda statement, values: iter(file.execute(statement, values)))
