"""What Alembic runs: the migrations, on the connection it is handed, as one transaction."""

from __future__ import annotations

from alembic import context

from ledger.migrations import VERSION_TABLE

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table=VERSION_TABLE, version_table_schema="public")
with context.begin_transaction():
    context.run_migrations()
