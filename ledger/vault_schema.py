"""The vault's tables: unreadable without the keys.

No row outlives its contact's erasure but the mark that there was one and the hash of a suppressed address.
"""

from __future__ import annotations

import sqlalchemy as sa

from ledger.store_table import add_store
from ledger.tallies import add_tally

metadata = sa.MetaData()

sa.Table(
    "contact_key",
    metadata,
    sa.Column("contact", sa.LargeBinary(16), primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, comment="NULL: erased; there will be no other key"),
)
sa.Table(
    "address",
    metadata,
    sa.Column("address_id", sa.LargeBinary(16), primary_key=True),
    sa.Column("contact", sa.LargeBinary(16), nullable=False, index=True),
    sa.Column("lookup", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
)
sa.Table(
    "record",
    metadata,
    sa.Column("record_ref", sa.LargeBinary(16), primary_key=True),
    sa.Column("contact", sa.LargeBinary(16), nullable=False, index=True),
    sa.Column("address", sa.LargeBinary(16)),
    sa.Column("lookup", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    sa.Column("row_hash", sa.LargeBinary(32)),
)
sa.Table(
    "alike",
    metadata,
    sa.Column("address_id", sa.LargeBinary(16), primary_key=True),
    sa.Column("broad", sa.LargeBinary(32), nullable=False, index=True),
    comment="the look-up of an address's widest form, where it differs from its own",
)
sa.Table(
    "meeting",
    metadata,
    sa.Column("record_ref", sa.LargeBinary(16), primary_key=True),
    sa.Column("address_id", sa.LargeBinary(16), primary_key=True, index=True),
    comment="the addresses of a record that was seen with several, or with one of another contact",
)
sa.Table(
    "spelling",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("linked", sa.Boolean, nullable=False),
    comment="the form the look-ups are made by; not linked: contacts whose addresses became alike are not yet",
)
sa.Table(
    "payload",
    metadata,
    sa.Column("commitment", sa.LargeBinary(32), primary_key=True),
    sa.Column("contact", sa.LargeBinary(16), nullable=False, index=True),
    sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
sa.Table(
    "suppression",
    metadata,
    sa.Column("hmac", sa.LargeBinary(32), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("since", sa.Text, nullable=False),
)
add_store(metadata)
add_tally(metadata)

PRAGMAS = ("secure_delete = ON",)
"""Deleted rows are overwritten, not left in free pages."""
