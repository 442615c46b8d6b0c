"""Generations of answers in PostgreSQL: a schema each, and one row in `views.pointer` that names the one in use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from ledger.database import Database, Location
from ledger.postgres import PostgresDatabase, connected, engine_of
from projections.binding import Kept

_COPY = (
    b"COPY status (contact, purpose, channel, address, segments, next_change, revision, mac) FROM STDIN (FORMAT BINARY)"
)
_POINTED = "SELECT generation FROM pointer WHERE to_regnamespace(generation) IS NOT NULL"
_TYPES = ("bytea", "text", "text", "bytea", "bytea", "text", "int8", "bytea")


class Schemas:
    """See `projections.generations.Generations`. A name is that of a schema."""

    def __init__(self, url: str, metadata: sa.MetaData) -> None:
        self._url = url
        self._metadata = metadata
        self._pointer: PostgresDatabase | None = None

    def __getstate__(self) -> tuple[str, sa.MetaData]:
        return self._url, self._metadata

    def __setstate__(self, state: tuple[str, sa.MetaData]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def _pointers(self) -> PostgresDatabase:
        if self._pointer is None:
            self._pointer = PostgresDatabase(self._url, "views")
        return self._pointer

    def current(self) -> str:
        """What the pointer names; another one, empty, when that schema is gone."""
        with self._pointers().reading() as driver:
            row = driver.execute(_POINTED).fetchone()
        return str(row[0]) if row else self._begin()

    def _begin(self) -> str:
        """Make a first generation, unless another process was first."""
        name = self.new()
        self.make(name)
        with self._pointers().writing() as driver:
            row = driver.execute(_POINTED).fetchone()
            if row is None:
                driver.execute("DELETE FROM pointer")
                driver.execute("INSERT INTO pointer (generation) VALUES (?)", (name,))
                return name
        self.discard(name)
        return str(row[0])

    def open(self, name: str, log: Location | None = None) -> Database:  # noqa: ARG002 - it is in the same database
        """The schema, which `make` made."""
        return PostgresDatabase(self._url, name)

    def new(self) -> str:
        """`views_` and something nobody uses."""
        return f"views_{os.urandom(8).hex()}"

    def make(self, name: str) -> None:
        """A schema with the tables."""
        engine = engine_of(self._url, name)
        with engine.connect() as connection:
            connection.execute(sa.schema.CreateSchema(name))
            self._metadata.create_all(connection)
        engine.dispose()

    def write(self, name: str, rows: Iterable[Kept], part: int) -> None:  # noqa: ARG002 - parts need no files here
        """One COPY, which is one transaction."""
        with closing(self._connected(name)) as connection, connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in rows:
                copy.write_row(row)

    def finish(self, name: str, parts: int) -> None:  # noqa: ARG002 - each part is committed
        """Let the planner know what there is."""
        with closing(self._connected(name)) as connection:
            connection.execute("ANALYZE status")

    def point(self, name: str) -> None:
        """Move the pointer."""
        with self._pointers().writing() as driver:
            driver.execute("UPDATE pointer SET generation = ?", (name,))

    def discard(self, name: str) -> None:
        """Drop the schema. A reader that still asks for it is told, and looks at the pointer again."""
        with closing(self._connected("views")) as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))

    def close(self) -> None:
        """The connection to the pointer."""
        if self._pointer is not None:
            self._pointer.close()

    def _connected(self, part: str) -> psycopg.Connection[Any]:
        return connected(engine_of(self._url, part))
