"""The vault keeps a tally of each of its tables, by which a row changed without the keys is seen."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The table, empty: `consent-ledger init` or `upgrade` counts what is there."""
    op.execute(
        "CREATE TABLE vault.tally "
        "(name text PRIMARY KEY, rows bigint NOT NULL, digest bytea NOT NULL, mac bytea NOT NULL)"
    )
