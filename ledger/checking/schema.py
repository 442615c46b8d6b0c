"""Whether a database is whole, and has the tables, columns, indexes and triggers that its part must have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import sqlalchemy as sa

from ledger.checking.findings import Finding
from ledger.database import Driver

_MOST_NAMED = 5
_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
_GUARDS = {
    "entry": ("entry_dense", "entry_no_change", "entry_no_truncate"),
    "document": ("document_no_change", "document_no_truncate"),
}
"""Triggers of a PostgreSQL log, by table."""


def check_file(driver: sqlite3.Connection, store: str, metadata: sa.MetaData | None = None) -> Iterator[Finding]:
    """Every page of an SQLite file, and what is declared in it."""
    problems = [str(row[0]) for row in driver.execute("PRAGMA integrity_check(100)")]
    if problems != ["ok"]:
        named = "; ".join(" ".join(one.split()) for one in problems[:_MOST_NAMED])
        more = f", and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        yield Finding(store, "broken_file", "", f"its pages or indexes do not fit together: {named}{more}")
    if metadata is not None:
        yield from _compare(driver, store, metadata)


def _compare(driver: sqlite3.Connection, store: str, metadata: sa.MetaData) -> Iterator[Finding]:
    there = _objects(driver)
    for (kind, name), sql in _wanted(metadata).items():
        if (kind, name) not in there:
            yield Finding(store, "schema", name, f"its {kind} {name} is missing")
        elif there[kind, name] != sql:
            yield Finding(store, "schema", name, f"its {kind} {name} is not the one this program makes")


def _wanted(metadata: sa.MetaData) -> dict[tuple[str, str], str]:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.connect() as connection:
        metadata.create_all(connection)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engine is one of SQLite
        wanted = _objects(driver)
    engine.dispose()
    return wanted


def _objects(driver: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """Each object's declaration, without the spaces in which versions differ."""
    with closing(driver.execute(_OBJECTS)) as rows:
        return {(kind, name): " ".join((sql or "").split()) for kind, name, sql in rows}


def check_server(driver: Driver, store: str) -> Iterator[Finding]:
    """Of a log in PostgreSQL: the triggers that keep it append-only and dense are there, and at work."""
    rows = driver.execute(
        "SELECT c.relname::text, t.tgname::text, t.tgenabled::text FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'log' AND NOT t.tgisinternal"
    ).fetchall()
    enabled = {(table, name) for table, name, state in rows if state in ("O", "A")}
    for table, names in _GUARDS.items():
        for name in names:
            if (table, name) not in enabled:
                yield Finding(store, "schema", name, f"its trigger {name} is missing or switched off")
