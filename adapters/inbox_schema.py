"""The table of the inbox. Beside the ledger, not in it: nothing here is a fact, and nothing is kept for long."""

from __future__ import annotations

import sqlalchemy as sa

from ledger.store_table import add_store

PART = "inbox"
PRAGMAS = ("secure_delete = ON",)
"""A body that is let go is overwritten, not left in free pages."""

ANEW = ("DELETE FROM delivery WHERE state = 'done'",)
"""A log that was restored may lack what was done: what a sender repeats is then taken again."""

metadata = sa.MetaData()
add_store(metadata)
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("mark", sa.LargeBinary(16), nullable=False, unique=True, comment="keyed hash of receiver and key"),
    sa.Column("receiver", sa.Text, nullable=False),
    sa.Column("occurred_at", sa.Text, nullable=False, comment="by the sender; else when it arrived"),
    sa.Column("arrived_at", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="waiting, done, dead"),
    sa.Column("due_at", sa.Text, nullable=False, comment="not before; of what is taken: when it is given up"),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("holder", sa.Text, comment="who has taken it"),
    sa.Column("ended_at", sa.Text),
    sa.Column("problem", sa.Text, comment="why it is dead, or was dropped; no value of it"),
    sa.Column("sealed", sa.LargeBinary, comment="key and body, readable by the ledger alone; NULL once done"),
)
for _state, _columns in (("waiting", ("occurred_at", "id")), ("dead", ("ended_at",)), ("done", ("ended_at",))):
    _where = sa.text(f"state = '{_state}'")
    sa.Index(
        f"delivery_{_state}", *(delivery.c[name] for name in _columns), sqlite_where=_where, postgresql_where=_where
    )
