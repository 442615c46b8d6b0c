"""Log and vault name the ledger and epoch they are of, and how far the other had come when they last changed."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_STORE = """
CREATE TABLE {schema}.store (
    one integer PRIMARY KEY CHECK (one = 1),
    ledger text NOT NULL,
    epoch text NOT NULL,
    key_check bytea NOT NULL,
    changes bigint NOT NULL,
    position bigint NOT NULL,
    hash bytea NOT NULL
);
"""

# Once in a transaction, however many statements it has: a row changed ten thousand times in one is slow to read.
_VAULT = """
CREATE FUNCTION vault.count_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, pg_temp AS $$
DECLARE
    newest bigint;
    state bytea;
BEGIN
    IF current_setting('consent_ledger.changed', true) = pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('consent_ledger.changed', pg_current_xact_id()::text, true);
    SELECT e.position, e.state INTO newest, state FROM log.entry e ORDER BY e.position DESC LIMIT 1;
    UPDATE store SET
        changes = changes + 1,
        position = coalesce(newest, 0),
        hash = CASE WHEN newest IS NULL THEN ''::bytea ELSE sha256('\\x00'::bytea || state) END;
    RETURN NULL;
END $$;
"""
_COUNTED = """
CREATE TRIGGER {table}_counted AFTER INSERT OR UPDATE OR DELETE ON vault.{table}
FOR EACH STATEMENT EXECUTE FUNCTION vault.count_change();
"""

# Both ways in note how often the vault was changed by then: an older vault is known beside this log.
_LOG = """
CREATE FUNCTION log.note_vault() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
BEGIN
    UPDATE store s SET changes = v.changes FROM vault.store v WHERE s.changes < v.changes;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_notes_vault AFTER INSERT ON log.entry FOR EACH STATEMENT EXECUTE FUNCTION log.note_vault();
"""


def upgrade() -> None:
    """The tables, empty: `consent-ledger init` or `upgrade` says what they are of."""
    for schema in ("log", "vault"):
        op.execute(_STORE.format(schema=schema))
    op.execute(_VAULT)
    for table in ("contact_key", "address", "record", "payload", "suppression"):
        op.execute(_COUNTED.format(table=table))
    op.execute(_LOG)
