"""The vault's version of the form addresses are known by; alike addresses; records and addresses that met."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_VAULT = """
CREATE TABLE vault.alike (address_id bytea PRIMARY KEY, broad bytea NOT NULL);
CREATE INDEX alike_broad ON vault.alike (broad);
CREATE TABLE vault.meeting (
    record_ref bytea NOT NULL,
    address_id bytea NOT NULL,
    PRIMARY KEY (record_ref, address_id)
);
CREATE INDEX meeting_address ON vault.meeting (address_id);
CREATE TABLE vault.spelling (version integer PRIMARY KEY, linked boolean NOT NULL);
"""
_COUNTED = """
CREATE TRIGGER {table}_counted AFTER INSERT OR UPDATE OR DELETE ON vault.{table}
FOR EACH STATEMENT EXECUTE FUNCTION vault.count_change();
"""


def upgrade() -> None:
    """New tables alone. What stands in the others is moved on by the program, which has the keys."""
    op.execute(_VAULT)
    for table in ("alike", "meeting"):
        op.execute(_COUNTED.format(table=table))
