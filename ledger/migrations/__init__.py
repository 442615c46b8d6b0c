"""What lives long in PostgreSQL, and how it came to be as it is: the log and the vault, by Alembic.

Projections are not here: they are rebuilt, never migrated. Nor are files: an SQLite ledger has the tables of the
program that made it. A migration is never edited once it was released.
"""

from __future__ import annotations

HEAD = "0005"
"""The version this program works with."""
VERSION_TABLE = "consent_ledger_version"
