"""Setting a PostgreSQL database up: migrations, and the role that works with it. Run as the owner of the tables."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from ledger import migrations
from ledger.database import SetupError, is_server

_GRANTS = (
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {writer}",
    "GRANT USAGE ON SCHEMA public, log, vault, views, streams TO {writer}",
    "GRANT CREATE ON SCHEMA streams TO {writer}",
    "GRANT SELECT ON public.consent_ledger_version, log.head TO {writer}",
    "GRANT SELECT, INSERT ON log.entry, log.document, log.store TO {writer}",
    "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA log, vault FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION log.lock_head, log.append_one TO {writer}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA vault TO {writer}",
    # What keeps somebody from being written to, or from coming back after an erasure, is never taken away.
    "REVOKE DELETE ON vault.contact_key FROM {writer}",
    "REVOKE UPDATE, DELETE ON vault.suppression, vault.identity, vault.store FROM {writer}",
    # Which ledger and keys they are of is written once; a restore begins a new epoch.
    "GRANT UPDATE (epoch) ON log.store, vault.store TO {writer}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON views.pointer TO {writer}",
)
"""The log: SELECT and INSERT alone. CREATE on the database is for the generations of answers, the writer's own."""


def upgrade(owner_url: str, writer: str) -> tuple[str | None, str]:
    """Bring a database to this program's version and let `writer` work with it; the versions before and after.

    Idempotent. Raises SetupError: the URL is none, the server cannot be reached, the writer does not exist, or
    the role of the URL does not own the database.
    """
    engine = sa.create_engine(_url(owner_url), hide_parameters=True)
    try:
        with engine.begin() as connection:
            before = MigrationContext.configure(connection, opts=_OPTIONS).get_current_revision()
            if connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": writer}) is None:
                raise SetupError(f"there is no role {writer!r}: CREATE ROLE {writer} LOGIN, with a password of its own")
            config = Config()
            config.set_main_option("script_location", str(Path(migrations.__file__).parent))
            config.attributes["connection"] = connection
            command.upgrade(config, migrations.HEAD)
            _grant(connection, writer)
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise SetupError(f"PostgreSQL says: {reason}. {_advice(error)}") from error
    finally:
        engine.dispose()
    return before, migrations.HEAD


def _url(owner_url: str) -> sa.URL:
    if is_server(owner_url):
        with suppress(sa.exc.ArgumentError, ValueError):
            return sa.make_url(owner_url).set(drivername="postgresql+psycopg")
    raise SetupError("the owner's URL cannot be read: write postgresql://OWNER@HOST:PORT/DATABASE")


def _advice(error: sa.exc.DBAPIError) -> str:
    if "permission denied" in str(error.orig):
        return "The URL must be of the role that owns the database."
    return "See whether the server runs there, and whether it has that database and lets that role in."


_OPTIONS = {"version_table": migrations.VERSION_TABLE, "version_table_schema": "public"}


def _grant(connection: sa.Connection, writer: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    database = connection.scalar(sa.text("SELECT current_database()"))
    for statement in _GRANTS:
        connection.exec_driver_sql(statement.format(database=quote(str(database)), writer=quote(writer)))
