"""Who is to be looked at again though nothing of theirs changes, and on whose records somebody else has an address.

A record stands here by a keyed hash of its id, and its id sealed.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ledger.application import Ledger
from ledger.database import Database, Store, chunks, marks
from ledger.store_table import add_store

metadata = sa.MetaData()
add_store(metadata)
sa.Table(
    "unfinished",
    metadata,
    sa.Column("contact", sa.Text, primary_key=True, comment="to be looked at again, whether or not it changes"),
)
sa.Table(
    "shared",
    metadata,
    sa.Column("contact", sa.Text, primary_key=True),
    sa.Column("record", sa.LargeBinary(16), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="the id of the record"),
)

_SHARED = "INSERT INTO shared (contact, record, sealed) VALUES (?, ?, ?) ON CONFLICT (contact, record) DO NOTHING"
_UNFINISHED = "INSERT INTO unfinished (contact) VALUES (?) ON CONFLICT (contact) DO NOTHING"


class LookAgain(Store):
    """The part of the store of what was written that says whom to look at beside those who changed."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    def key(self, record: str) -> bytes:
        """What a record of HubSpot stands here as."""
        return self._ledger.sid("hubspot.record", record)

    def looked(self, contacts: Iterable[str], unfinished: Iterable[str]) -> None:
        """These were looked at; of whom something is left to be done though nothing of theirs changes."""
        left = set(unfinished)
        with self._database.writing() as driver:
            for part in chunks([one for one in contacts if one not in left]):
                driver.execute(f"DELETE FROM unfinished WHERE contact IN ({marks(part)})", part)  # noqa: S608 - marks
            driver.executemany(_UNFINISHED, [(one,) for one in sorted(left)])

    def unfinished(self) -> list[str]:
        """Contacts of whom something was refused, waits for approval, or has a record that HubSpot did not hold."""
        with self._database.reading() as driver:
            rows = driver.execute("SELECT contact FROM unfinished ORDER BY contact").fetchall()
        return [contact for (contact,) in rows]

    def share(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Keep that contacts have addresses on records (contact, record) that the ledger knows as somebody else's."""
        rows = [
            (contact, key := self.key(record), self._ledger.seal(record.encode(), b"crm shared " + key))
            for contact, record in pairs
        ]
        if rows:
            with self._database.writing() as driver:
                driver.executemany(_SHARED, rows)

    def shared(self, contacts: Iterable[str]) -> list[str]:
        """The records, beside their own, that these contacts are on."""
        found: set[str] = set()
        with self._database.reading() as driver:
            for part in chunks(list(contacts)):
                rows = driver.execute(f"SELECT record, sealed FROM shared WHERE contact IN ({marks(part)})", part)  # noqa: S608
                opened = [self._ledger.unseal(bytes(sealed), b"crm shared " + bytes(key)) for key, sealed in rows]
                found.update(one.decode() for one in opened if isinstance(one, bytes))
        return sorted(found)
