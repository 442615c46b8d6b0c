"""The mirror's tables, for whoever reads them: one row a contact, one row a cell; and the epochs of the ledger."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

contacts = sa.Table(
    "mirror_contact",
    metadata,
    sa.Column("contact", sa.String(36), primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False, comment="a tombstone came: kept, so that nothing late revives it"),
    sa.Column("position", sa.BigInteger),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("marketing_status", sa.Text),
    sa.Column("merged_into", sa.String(36)),
    sa.Column("erased", sa.Boolean, nullable=False),
)

cells = sa.Table(
    "mirror_cell",
    metadata,
    sa.Column("contact", sa.String(36), primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True, comment="its id; empty: to the contact without one"),
    sa.Column("allowed", sa.Boolean, nullable=False, comment="as of mirror_contact.at; a cell that is absent: no"),
    sa.Column("basis", sa.Text),
    sa.Column("rule", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("marketing_status", sa.Text, nullable=False),
    sa.Column("segments", sa.Text, nullable=False, comment="JSON: what the answer is from which moment on"),
)

epochs = sa.Table(
    "mirror_epoch",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("epoch", sa.Text, nullable=False, unique=True, comment="of the ledger; the last one holds"),
)
