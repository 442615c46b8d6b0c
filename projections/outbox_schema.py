"""The tables of the outbox. They stand in every generation of the views and move with its rows."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("contact", sa.LargeBinary(16), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("at", sa.Text),
)
sa.Index("outbox_order", outbox.c.rank, outbox.c.seq)

due = sa.Table(
    "due",
    metadata,
    sa.Column("contact", sa.LargeBinary(16), primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
)
sa.Index("due_at", due.c.at)

numbered = sa.Table(
    "numbered",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
)
