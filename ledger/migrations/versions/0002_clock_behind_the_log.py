"""An entry appended while the clock lies behind the log says so: `recorded_clock` beside `recorded_at`."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_APPEND_ONE = """
CREATE OR REPLACE FUNCTION log.append_one(
    of_stream bytea, of_topic text, front bytea, back bytea, of_sid bytea, moment text,
    OUT place bigint, OUT number integer, OUT stamped text
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
BEGIN
    UPDATE head h SET position = h.position + 1, recorded_at = greatest(moment COLLATE "C", h.recorded_at COLLATE "C")
        RETURNING h.position, h.recorded_at INTO place, stamped;
    -- A statement of its own, so that it sees what was committed while the head was waited for.
    INSERT INTO entry (position, stream, version, sid, topic, state)
        SELECT place, of_stream, coalesce(max(e.version), 0) + 1, of_sid, of_topic,
            front || convert_to(stamped, 'UTF8') || CASE
                WHEN moment COLLATE "C" < stamped COLLATE "C"
                    THEN convert_to('","recorded_clock":"' || moment, 'UTF8')
                ELSE ''::bytea
            END || back
        FROM entry e WHERE e.stream = of_stream
        RETURNING version INTO number;
    NOTIFY consent_ledger_log;
END $$;
"""


def upgrade() -> None:
    """The function that appends one entry, as the codec now stamps it."""
    op.execute(_APPEND_ONE)
