"""The log and the vault, and what keeps the log append-only for every client."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

# A name that SQLite has too, for statements that both understand.
_BLOB = "CREATE DOMAIN public.blob AS bytea"

_LOG = """
CREATE SCHEMA log;
CREATE TABLE log.entry (
    position bigint PRIMARY KEY,
    stream bytea NOT NULL,
    version integer NOT NULL,
    sid bytea UNIQUE,
    topic text NOT NULL,
    state bytea NOT NULL,
    UNIQUE (stream, version)
);
CREATE TABLE log.document (sha256 bytea PRIMARY KEY, bytes bytea NOT NULL);
CREATE TABLE log.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL,
    recorded_at text
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
INSERT INTO log.head (position) VALUES (0);
ALTER TABLE log.entry ALTER COLUMN state SET STORAGE EXTERNAL;
"""

# Whoever appends holds the head row until the commit: commit order is position order, and nothing is skipped.
# A role that appends may lock the head, and move it only by appending.
_HEAD = """
CREATE FUNCTION log.lock_head() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
BEGIN
    PERFORM 1 FROM head FOR UPDATE;
END $$;

CREATE FUNCTION log.move_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
DECLARE
    held bigint;
    newest bigint;
    said bytea;
    at integer;
BEGIN
    -- Statements as plain as can be: each is answered by the index, whatever the planner knows of the table.
    held := (SELECT h.position FROM head h);
    SELECT e.position, e.state INTO newest, said FROM entry e ORDER BY e.position DESC LIMIT 1;
    IF newest - held <> (SELECT count(*) FROM entry e WHERE e.position > held)
        OR (SELECT e.position FROM entry e ORDER BY e.position LIMIT 1) <> 1
    THEN
        RAISE EXCEPTION 'entry: position is not the next' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF newest IS NULL OR newest = held THEN
        RETURN NULL;
    END IF;
    -- Twenty-seven bytes after the name, as the codec writes them; an entry may hold none.
    at := position('\\x227265636f726465645f6174223a22'::bytea IN said);
    UPDATE head SET
        position = newest,
        recorded_at = CASE
            WHEN at > 0 THEN convert_from(substring(said FROM at + 15 FOR 27), 'UTF8') ELSE recorded_at
        END
    WHERE position = held;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entry: somebody else appends; lock the head first' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
-- Not when `append_one` inserts, which has moved the head itself: it alone runs as the owner for somebody else.
DO $$ BEGIN
    EXECUTE format(
        'CREATE TRIGGER entry_dense AFTER INSERT ON log.entry FOR EACH STATEMENT '
        'WHEN (current_user IS DISTINCT FROM %L OR session_user = %L) EXECUTE FUNCTION log.move_head()',
        current_user, current_user
    );
END $$;
"""

_APPEND_ONLY = """
CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: the log is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER entry_no_change BEFORE UPDATE OR DELETE ON log.entry FOR EACH ROW EXECUTE FUNCTION log.refuse();
CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON log.entry FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
CREATE TRIGGER document_no_change BEFORE UPDATE OR DELETE ON log.document FOR EACH ROW EXECUTE FUNCTION log.refuse();
CREATE TRIGGER document_no_truncate BEFORE TRUNCATE ON log.document FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
"""

# One entry in one round trip: what `ledger.log_writing` does for many, in the database. A sid that is known
# is refused by its index.
_APPEND_ONE = """
CREATE FUNCTION log.append_one(
    of_stream bytea, of_topic text, front bytea, back bytea, of_sid bytea, moment text,
    OUT place bigint, OUT number integer, OUT stamped text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
BEGIN
    UPDATE head h SET position = h.position + 1, recorded_at = greatest(moment COLLATE "C", h.recorded_at COLLATE "C")
        RETURNING h.position, h.recorded_at INTO place, stamped;
    -- A statement of its own, so that it sees what was committed while the head was waited for.
    INSERT INTO entry (position, stream, version, sid, topic, state)
        SELECT place, of_stream, coalesce(max(e.version), 0) + 1, of_sid, of_topic,
            front || convert_to(stamped, 'UTF8') || back
        FROM entry e WHERE e.stream = of_stream
        RETURNING version INTO number;
    NOTIFY consent_ledger_log;
END $$;
"""

_VAULT = """
CREATE SCHEMA vault;
CREATE TABLE vault.contact_key (contact bytea PRIMARY KEY, wrapped bytea);
COMMENT ON COLUMN vault.contact_key.wrapped IS 'NULL: erased; there will be no other key';
CREATE TABLE vault.address (
    address_id bytea PRIMARY KEY,
    contact bytea NOT NULL,
    lookup bytea NOT NULL UNIQUE,
    ciphertext bytea NOT NULL,
    rowid bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX address_contact ON vault.address (contact);
CREATE TABLE vault.record (
    record_ref bytea PRIMARY KEY,
    contact bytea NOT NULL,
    address bytea,
    lookup bytea NOT NULL UNIQUE,
    ciphertext bytea NOT NULL,
    row_hash bytea,
    rowid bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX record_contact ON vault.record (contact);
CREATE TABLE vault.payload (
    commitment bytea PRIMARY KEY,
    contact bytea NOT NULL,
    fingerprint bytea NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX payload_contact ON vault.payload (contact);
CREATE TABLE vault.identity (one boolean PRIMARY KEY DEFAULT true CHECK (one), ledger text NOT NULL);
CREATE TABLE vault.suppression (hmac bytea PRIMARY KEY, kind text NOT NULL, since text NOT NULL);
"""

# What is rebuilt or may be lost without harm: made by the program itself, so its role may create here.
_OTHERS = """
CREATE SCHEMA views;
CREATE TABLE views.pointer (one boolean PRIMARY KEY DEFAULT true CHECK (one), generation text NOT NULL);
CREATE SCHEMA streams;
"""


def upgrade() -> None:
    """Everything, as the owner."""
    for statements in (_BLOB, _LOG, _HEAD, _APPEND_ONLY, _APPEND_ONE, _VAULT, _OTHERS):
        op.execute(statements)
