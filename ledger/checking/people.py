"""Every row of a vault: opened by its contact's key, bound to its contact and id, found by what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag

from ledger.checking.entries import Claim
from ledger.checking.findings import Finding
from ledger.database import chunks, marks, uuid_text
from ledger.keys import Keys
from ledger.lookups import Lookups
from ledger.scanning import Scan, bytes_of
from ledger.sealing import DataKey, Wrapping, commit
from ledger.tallies import COUNTED, Tallies

_R_BYTES = 32
_KEYS = "SELECT contact, wrapped FROM contact_key WHERE contact > ? ORDER BY contact"
_ROWS = {
    "address": "SELECT contact, address_id, lookup, CAST(ciphertext AS BLOB), NULL FROM address",
    "record": "SELECT contact, record_ref, lookup, CAST(ciphertext AS BLOB), address FROM record",
    "payload": "SELECT contact, commitment, NULL, CAST(body AS BLOB), NULL FROM payload",
}
_record_text = msgspec.json.Decoder(tuple[str, str]).decode

Row = tuple[bytes, bytes, bytes | None, bytes, bytes | None]
"""(contact, id or commitment, lookup, sealed, the address of a record)"""


class People:
    """Reads a vault with the keys it goes with."""

    def __init__(self, scan: Scan, keys: Keys, store: str) -> None:
        self._scan = scan
        self._store = store
        self._wrapping = Wrapping(keys.wrapping)
        self._lookups = Lookups(keys)
        self._tallies = Tallies(keys.tally)

    def check(self) -> Iterator[Finding]:
        """What is wrong in each table."""
        yield from self._keys()
        for table in _ROWS:
            yield from self._rows(table)
        yield from self._suppressions()
        for table in COUNTED:
            yield from self._tally(table)

    # --- its rows ---------------------------------------------------------------------------------

    def _keys(self) -> Iterator[Finding]:
        for contact, wrapped in self._scan.rows(_KEYS, (b"",)):
            if wrapped is None:
                continue
            try:
                self._wrapping.unwrap(bytes_of(contact), bytes_of(wrapped))
            except InvalidTag:
                text = "its data key does not open: it was overwritten, or is another contact's"
                yield self._finding("key", "contact", bytes(contact), text)

    def _rows(self, table: str) -> Iterator[Finding]:
        statement = f"{_ROWS[table]} WHERE contact >= ? ORDER BY contact"
        for contact, rows in groupby(self._scan.rows(statement, (b"",)), key=itemgetter(0)):
            yield from self._rows_of(table, bytes_of(contact), rows)

    def _rows_of(self, table: str, contact: bytes, rows: Iterable[Any]) -> Iterator[Finding]:
        found = self._scan.driver.execute("SELECT wrapped FROM contact_key WHERE contact = ?", (contact,)).fetchone()
        if found is None or found[0] is None:
            state = "has no key" if found is None else "was erased"
            for row in rows:
                text = f"it is still there, and its contact {uuid_text(contact)} {state}"
                yield self._finding("no_key", table, bytes(row[1]), text)
            return
        try:
            key = self._wrapping.unwrap(contact, bytes(found[0]))
        except InvalidTag:
            return  # named once, as the key's
        for row in rows:
            if problem := self._problem(table, key, _plain(row)):
                yield self._finding("row", table, bytes(row[1]), problem)

    def _problem(self, table: str, key: DataKey, row: Row) -> str | None:
        contact, name, lookup, sealed, address = row
        try:
            plain = key.open(table.encode(), name, sealed)
        except InvalidTag:
            return f"it does not open under the key of its contact {uuid_text(contact)}: it was overwritten or moved"
        if table == "payload":
            fits = commit(plain[:_R_BYTES], plain[_R_BYTES:]) == name
            return None if fits else "what it holds is not what was committed to"
        if not self._is_found_by(table, name, plain, lookup or b""):
            return "it is found by something else than what it holds: its lookup was overwritten"
        return self._address_problem(contact, address)

    def _is_found_by(self, table: str, name: bytes, plain: bytes, lookup: bytes) -> bool:
        try:
            if table == "address":
                return self._lookups.fits(lookup, plain.decode(), name)
            return self._lookups.record(*_record_text(plain)) == lookup
        except (ValueError, msgspec.DecodeError):
            return False

    def _address_problem(self, contact: bytes, address: bytes | None) -> str | None:
        """A record's address is one of the same contact."""
        if address is None:
            return None
        row = self._scan.driver.execute("SELECT contact FROM address WHERE address_id = ?", (address,)).fetchone()
        if row is not None and bytes(row[0]) == contact:
            return None
        return f"it names the address {uuid_text(address)}, which is not one of its contact {uuid_text(contact)}"

    def _suppressions(self) -> Iterator[Finding]:
        for hashed, since in self._scan.rows("SELECT hmac, since FROM suppression WHERE length(hmac) > ?", (0,)):
            try:
                datetime.fromisoformat(since)
            except ValueError:
                yield self._finding("row", "suppression", bytes(hashed), "its date is none")

    def _tally(self, table: str) -> Iterator[Finding]:
        """A row that was changed, removed or added without the keys is seen here, also where nothing else names it."""
        kept = self._tallies.read(self._scan.driver, table)
        if kept is None:
            yield Finding(self._store, "tally", table, "what was counted of this table is gone or was overwritten")
            return
        columns = ", ".join(COUNTED[table])
        rows = self._scan.rows(f"SELECT {columns} FROM {table} WHERE {COUNTED[table][0]} >= ?", (b"",))  # noqa: S608
        there = self._tallies.counted(table, rows)
        if there.rows != kept.rows:
            text = f"it holds {there.rows} rows, and was left with {kept.rows}: rows were removed or added from outside"
            yield Finding(self._store, "tally", table, text)
        elif there != kept:
            yield Finding(self._store, "tally", table, "a row of it was changed from outside")

    # --- what the log says of it ------------------------------------------------------------------

    def missing(self, claims: Iterable[Claim]) -> Iterator[Finding]:
        """The payloads and addresses that entries name and the vault lacks, though their contact was not erased."""
        for part in chunks(list(claims)):
            payloads = self._owners("payload", "commitment", [one.commitment for one in part if one.commitment])
            addresses = self._owners("address", "address_id", [one.address for one in part if one.address])
            erased = self._erased(sorted({one.contact for one in part}))
            for one in part:
                if one.contact in erased:
                    continue
                yield from self._lack(one, "payload", one.commitment, payloads)
                yield from self._lack(one, "address", one.address, addresses)

    def _lack(self, claim: Claim, table: str, name: bytes | None, owners: dict[bytes, bytes]) -> Iterator[Finding]:
        if name is None or owners.get(name) == claim.contact:
            return
        what = "is another contact's" if name in owners else "is missing, and its contact was not erased"
        text = f"entry {claim.position} of the log names it for contact {uuid_text(claim.contact)}, and it {what}"
        yield self._finding("missing", table, name, text)

    def unknown(self, contacts: Iterable[bytes]) -> Iterator[Finding]:
        """The contacts with entries of whom the vault has neither a key nor the mark that they were erased."""
        for part in chunks(list(contacts)):
            known = self._owners("contact_key", "contact", part)
            for contact in part:
                if contact not in known:
                    yield self._finding("missing", "contact", contact, "the log has entries of it, the vault no key")

    def _owners(self, table: str, column: str, names: Sequence[bytes]) -> dict[bytes, bytes]:
        if not names:
            return {}
        rows = self._scan.driver.execute(
            f"SELECT {column}, contact FROM {table} WHERE {column} IN ({marks(names)})",  # noqa: S608 - our names
            names,
        )
        return {bytes(name): bytes(contact) for name, contact in rows}

    def _erased(self, contacts: list[bytes]) -> set[bytes]:
        rows = self._scan.driver.execute(
            f"SELECT contact FROM contact_key WHERE wrapped IS NULL AND contact IN ({marks(contacts)})",  # noqa: S608
            contacts,
        )
        return {bytes(contact) for (contact,) in rows}

    def _finding(self, kind: str, table: str, name: bytes, text: str) -> Finding:
        place = uuid_text(name) if len(name) == 16 else name.hex()
        return Finding(self._store, kind, f"{table} {place}", text)


def _plain(row: Any) -> Row:
    contact, name, lookup, sealed, address = (None if value is None else bytes_of(value) for value in row)
    assert contact is not None and name is not None and sealed is not None  # noqa: S101, PT018 - NOT NULL columns
    return contact, name, lookup, sealed, address
