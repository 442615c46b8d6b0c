"""The log's two tables, and what keeps them append-only for every client that opens the file."""

from __future__ import annotations

import sqlalchemy as sa

from ledger.store_table import add_store

metadata = sa.MetaData()

entry = sa.Table(
    "entry",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("stream", sa.LargeBinary(16), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
    sa.Column("sid", sa.LargeBinary(16)),
    sa.UniqueConstraint("stream", "version"),
    sa.UniqueConstraint("sid"),
)

document = sa.Table(
    "document",
    metadata,
    sa.Column("sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
)

add_store(metadata)

# An INSERT OR REPLACE takes the conflicting row away without asking a DELETE trigger, whoever's
# connection it is; so a conflict is refused before SQLite resolves it. FAIL, not ABORT: what could abort
# makes SQLite journal every row of a statement, which costs a third of the append rate. FAIL refuses the row,
# and the transaction is rolled back by whoever runs it.
_TRIGGERS = {
    entry: (
        """CREATE TRIGGER entry_dense BEFORE INSERT ON entry
        WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM entry)
        OR EXISTS (SELECT 1 FROM entry WHERE stream = NEW.stream AND version = NEW.version)
        OR EXISTS (SELECT 1 FROM entry WHERE sid = NEW.sid)
        BEGIN SELECT RAISE(FAIL, 'entry: position is not the next, or the entry exists'); END""",
        """CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(FAIL, 'entry: the log is append-only'); END""",
        """CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
        BEGIN SELECT RAISE(FAIL, 'entry: the log is append-only'); END""",
    ),
    document: (
        """CREATE TRIGGER document_once BEFORE INSERT ON document
        WHEN EXISTS (SELECT 1 FROM document WHERE sha256 = NEW.sha256)
        BEGIN SELECT RAISE(FAIL, 'document: exists'); END""",
        """CREATE TRIGGER document_no_update BEFORE UPDATE ON document
        BEGIN SELECT RAISE(FAIL, 'document: append-only'); END""",
        """CREATE TRIGGER document_no_delete BEFORE DELETE ON document
        BEGIN SELECT RAISE(FAIL, 'document: append-only'); END""",
    ),
}
for _table, _statements in _TRIGGERS.items():
    for _statement in _statements:
        _ddl = sa.DDL(_statement)  # type: ignore[no-untyped-call]
        sa.event.listen(_table, "after_create", _ddl.execute_if(dialect="sqlite"))

HEAD = "SELECT coalesce(max(position), 0) FROM entry"
"""The last position; 0 in an empty log. The same on every database."""
INSERT = "INSERT OR FAIL INTO entry (position, stream, version, topic, state, sid) VALUES (?, ?, ?, ?, ?, ?)"
"""OR FAIL for the same reason."""
PRAGMAS = ("secure_delete = OFF",)
"""Nothing is ever deleted here, so nothing needs to be overwritten with zeros when a page splits."""
