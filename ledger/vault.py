"""The vault: personal data, identifiers and suppression hashes; the only thing that can forget.

Everything of a contact is sealed with a data key of that contact, wrapped by the ledger's key.
To erase is to destroy that key and the rows. What stays is a mark that the contact was erased, which
refuses a new key, and the keyed hash of a suppressed address.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, NamedTuple, Self

import msgspec
from cryptography.exceptions import InvalidTag

from ledger import spelling
from ledger.database import Database, Location, SetupError, Store, is_server, open_database, uuid_bytes, uuid_text
from ledger.keys import Keys, Random
from ledger.lookups import Lookups
from ledger.meeting import Met, met_in_records, met_in_spellings
from ledger.resolving import Asked, Keyring, Resolved, Resolving, select_in
from ledger.respelling import move_on
from ledger.sealing import NONCE_BYTES, Corrupt, Erased, Wrapping, commit, keyed
from ledger.vault_schema import PRAGMAS, metadata

_R_BYTES = 32
_canonical = msgspec.json.Encoder(order="sorted")


class Registration(NamedTuple):
    """What a source says about one person: an e-mail address, a record of a system, or both.

    `primary`: the address is the record's own; else one of the same person, which moves nothing.
    """

    email: str | None
    system: str
    record_id: str | None
    primary: bool = True


class PayloadDraft(NamedTuple):
    """A payload on its way in: canonical JSON, and the fingerprint of the fact with it."""

    contact: str
    content: bytes
    fingerprint: bytes


class Opened(NamedTuple):
    """A payload's bytes and its `r`: with both, anyone can check the commitment in the entry."""

    content: bytes
    r: bytes


class RecordRow(NamedTuple):
    """A known record: where it belongs, and the keyed hash of the row last imported."""

    contact: str
    record: str
    address: str | None
    row_hash: bytes | None


class Vault(Store):
    """The vault of one ledger, in a file or schema of its own."""

    def __init__(self, database: Database, keys: Keys, random: Random) -> None:
        self._database = database
        self._keys = keys
        self._wrapping = Wrapping(keys.wrapping)
        self._lookups = Lookups(keys)
        self._random = random

    @classmethod
    def open(cls, location: Location, keys: Keys, random: Random) -> Self:
        """The vault at a location. A file is created when absent.

        Raises DurabilityError, and SetupError for a database that belongs to the ledger of another key, or whose
        addresses are in a form that this program does not know.
        """
        database = open_database(location, "vault", metadata, PRAGMAS)
        try:
            if is_server(location):  # files lie beside their key; a URL may be paired with any
                _claim(database, keys.ledger_id)
            move_on(database, Lookups(keys), Wrapping(keys.wrapping))
        except BaseException:
            database.close()
            raise
        return cls(database, keys, random)

    # --- who is who -----------------------------------------------------------------------------

    def resolve_many(self, registrations: Sequence[Registration]) -> list[Resolved]:
        """Find or make contact, address and record of each, in one transaction.

        A known address decides; else a known record does, and the new address joins its contact; else
        there is a new contact. Nothing is merged. ValueError for one with neither address nor record.
        """
        asked = [self._asked(registration) for registration in registrations]
        with self._database.writing() as driver:
            return Resolving(driver, self._wrapping, self._random).run(asked)

    def _asked(self, registration: Registration) -> Asked:
        email = (registration.email or "").strip() or None
        if email is None and not registration.record_id:
            raise ValueError("a registration needs an e-mail address or a record id")
        return Asked(
            email,
            *self._found_by(email),
            registration.system,
            registration.record_id,
            (self._lookups.record(registration.system, registration.record_id) if registration.record_id else None),
            registration.primary,
        )

    def _found_by(self, email: str | None) -> tuple[bytes | None, bytes | None]:
        """The look-up of an address, and that of its widest form where it is another."""
        if email is None:
            return None, None
        narrow, wide = spelling.normal(email), spelling.broad(email)
        return self._lookups.spelled(narrow), None if wide == narrow else self._lookups.spelled(wide)

    def met_in_records(self, pairs: Collection[tuple[str, str]]) -> Met:
        """What these (record, address) come to, which met in two contacts; see `ledger.meeting`."""
        with self._database.reading() as driver:
            return met_in_records(driver, pairs)

    def met_in_spellings(self, emails: Iterable[str] | None) -> Met:
        """What addresses come to that are written like one of these; None: like any other."""
        with self._database.reading() as driver:
            return met_in_spellings(driver, None if emails is None else map(self._lookups.broad, emails))

    @property
    def is_linked(self) -> bool:
        """Whether contacts whose addresses became alike, when the vault was moved on, are linked in the log."""
        return all(linked for (linked,) in self._select("SELECT linked FROM spelling"))

    def keep_linked(self) -> None:
        """Remember that they are."""
        with self._database.writing() as driver:
            driver.execute("UPDATE spelling SET linked = ?", (True,))

    def find_address(self, email: str) -> tuple[str, str] | None:
        """(contact, address id) of an e-mail address."""
        lookup = self._lookups.address(email)
        with self._database.reading() as driver:
            row = driver.execute("SELECT contact, address_id FROM address WHERE lookup = ?", (lookup,)).fetchone()
        return (uuid_text(row[0]), uuid_text(row[1])) if row else None

    def find_addresses(self, emails: Iterable[str]) -> dict[str, tuple[str, str]]:
        """(contact, address id) of each of these e-mail addresses that is known, as they were given."""
        lookups = {email: self._lookups.address(email) for email in emails}
        with self._database.reading() as driver:
            rows = select_in(driver, "SELECT lookup, contact, address_id FROM address", "lookup", set(lookups.values()))
            found = {lookup: (uuid_text(contact), uuid_text(address)) for lookup, contact, address in rows}
        return {email: found[lookup] for email, lookup in lookups.items() if lookup in found}

    def find_record(self, system: str, record_id: str) -> RecordRow | None:
        """A record by its system and id there."""
        return self.known_records(system, [record_id]).get(record_id)

    def known_records(self, system: str, record_ids: Sequence[str]) -> dict[str, RecordRow]:
        """The records of a system that are known, by their id there."""
        lookups = {self._lookups.record(system, record_id): record_id for record_id in record_ids}
        with self._database.reading() as driver:
            rows = select_in(
                driver, "SELECT lookup, contact, record_ref, address, row_hash FROM record", "lookup", lookups
            )
            return {
                lookups[lookup]: RecordRow(
                    uuid_text(contact), uuid_text(record), uuid_text(address) if address else None, row_hash
                )
                for lookup, contact, record, address, row_hash in rows
            }

    def row_hash(self, row: bytes) -> bytes:
        """The keyed hash under which an imported row is known again."""
        return keyed(self._keys.fingerprint, b"row", row)

    def keep_row_hashes(self, hashes: Iterable[tuple[str, bytes]]) -> None:
        """Remember (record, hash of its row) once everything the row says is in the log."""
        with self._database.writing() as driver:
            driver.executemany(
                "UPDATE record SET row_hash = ? WHERE record_ref = ?",
                [(row_hash, uuid_bytes(record)) for record, row_hash in hashes],
            )

    def addresses_of(self, contact: str) -> list[str]:
        """The address ids of a contact."""
        rows = self._select("SELECT address_id FROM address WHERE contact = ? ORDER BY rowid", uuid_bytes(contact))
        return [uuid_text(raw) for (raw,) in rows]

    def records_of(self, contact: str) -> list[str]:
        """The record references of a contact."""
        rows = self._select("SELECT record_ref FROM record WHERE contact = ? ORDER BY rowid", uuid_bytes(contact))
        return [uuid_text(raw) for (raw,) in rows]

    def records_in(self, system: str, contacts: Iterable[str]) -> dict[str, list[str]]:
        """The ids that a system has for the records of these contacts, the oldest first; unreadable ones left out."""
        found: dict[str, list[str]] = {}
        rows = "SELECT r.contact, r.record_ref, CAST(r.ciphertext AS BLOB), k.wrapped, r.rowid FROM record r "
        with self._database.reading() as driver:
            held = sorted(
                select_in(
                    driver,
                    f"{rows} JOIN contact_key k ON k.contact = r.contact",
                    "k.wrapped IS NOT NULL AND r.contact",
                    [uuid_bytes(contact) for contact in contacts],
                ),
                key=itemgetter(4),
            )
        for contact, ref, ciphertext, wrapped, _ in held:
            try:
                plain = self._wrapping.unwrap(contact, wrapped).open(b"record", ref, ciphertext)
            except InvalidTag:
                continue
            where, record_id = msgspec.json.decode(plain, type=tuple[str, str])
            if where == system:
                found.setdefault(uuid_text(contact), []).append(record_id)
        return found

    def address_text(self, address: str) -> str | Erased | Corrupt:
        """An address as it was written."""
        opened = self._open_row("address", "address_id", address)
        return opened.decode() if isinstance(opened, bytes) else opened

    def record_text(self, record: str) -> tuple[str, str] | Erased | Corrupt:
        """(system, id there) of a record."""
        opened = self._open_row("record", "record_ref", record)
        if not isinstance(opened, bytes):
            return opened
        system, record_id = msgspec.json.decode(opened, type=tuple[str, str])
        return system, record_id

    def _open_row(self, table: str, key: str, identifier: str) -> bytes | Erased | Corrupt:
        raw = uuid_bytes(identifier)
        rows = self._select(
            f"SELECT t.contact, CAST(t.ciphertext AS BLOB), k.wrapped FROM {table} t "  # noqa: S608 - names of this module
            f"LEFT JOIN contact_key k USING (contact) WHERE t.{key} = ?",
            raw,
        )
        if not rows or rows[0][2] is None:
            return Erased()
        contact, ciphertext, wrapped = rows[0]
        try:
            data_key = self._wrapping.unwrap(contact, wrapped)
            return data_key.open(table.encode(), raw, ciphertext)
        except InvalidTag:
            return Corrupt("the tag does not fit")

    # --- payloads -------------------------------------------------------------------------------

    def draft_payload(self, contact: str, payload: Mapping[str, object], about: bytes) -> PayloadDraft:
        """Canonical bytes and fingerprint of a payload; `about` is what the fact it belongs to says."""
        content = _canonical.encode(payload)
        return PayloadDraft(contact, content, keyed(self._keys.fingerprint, b"fact", about, content))

    def put_payloads(self, drafts: Sequence[PayloadDraft]) -> list[str | None]:
        """Seal payloads in one transaction; returns commitments in hex, None for an erased contact.

        Keys are read under the write lock, so that nothing is sealed for a contact erased meanwhile.
        """
        random = self._random(_R_BYTES * len(drafts))
        nonces = self._random(NONCE_BYTES * len(drafts))
        raw = [uuid_bytes(draft.contact) for draft in drafts]
        rows: list[tuple[bytes, bytes, bytes, bytes]] = []
        commitments: list[str | None] = []
        with self._database.writing() as driver:
            held = Keyring(driver, self._wrapping, self._random).get(set(raw))
            for place, (contact, draft) in enumerate(zip(raw, drafts, strict=True)):
                data_key = held[contact]
                if data_key is None:
                    commitments.append(None)
                    continue
                r = random[_R_BYTES * place : _R_BYTES * (place + 1)]
                nonce = nonces[NONCE_BYTES * place : NONCE_BYTES * (place + 1)]
                commitment = commit(r, draft.content)
                body = data_key.seal(b"payload", commitment, nonce, r + draft.content)
                rows.append((commitment, contact, draft.fingerprint, body))
                commitments.append(commitment.hex())
            driver.executemany("INSERT INTO payload (commitment, contact, fingerprint, body) VALUES (?, ?, ?, ?)", rows)
        return commitments

    def open_payload(self, commitment: str, contact: str | None = None) -> Opened | Erased | Corrupt:
        """Payload bytes and `r`; given the contact as well, a lost row is told from an erased one."""
        raw = bytes.fromhex(commitment)
        rows = self._select(
            "SELECT p.contact, CAST(p.body AS BLOB), k.wrapped FROM payload p "
            "LEFT JOIN contact_key k USING (contact) "
            "WHERE p.commitment = ?",
            raw,
        )
        if not rows:
            alive = contact is not None and self._has_key(contact)
            return Corrupt("the contact has a key, but the row is gone") if alive else Erased()
        owner, body, wrapped = rows[0]
        if wrapped is None:
            return Erased()
        try:
            plain = self._wrapping.unwrap(owner, wrapped).open(b"payload", raw, body)
        except InvalidTag:
            return Corrupt("the tag does not fit")
        opened = Opened(plain[_R_BYTES:], plain[:_R_BYTES])
        if commit(opened.r, opened.content) != raw:
            return Corrupt("the commitment does not fit")
        return opened

    def payload(self, commitment: str, contact: str | None = None) -> dict[str, Any] | Erased | Corrupt:
        """The payload behind a commitment (hex). Erased and Corrupt are never confused."""
        opened = self.open_payload(commitment, contact)
        if not isinstance(opened, Opened):
            return opened
        return msgspec.json.decode(opened.content, type=dict[str, Any])

    def fingerprints(self, commitments: Iterable[str]) -> dict[str, bytes]:
        """The fingerprints kept with these commitments (hex); erased ones are left out."""
        with self._database.reading() as driver:
            rows = select_in(
                driver,
                "SELECT commitment, fingerprint FROM payload",
                "commitment",
                [bytes.fromhex(commitment) for commitment in commitments],
            )
            return {commitment.hex(): fingerprint for commitment, fingerprint in rows}

    # --- forgetting -----------------------------------------------------------------------------

    def erase(self, contact: str) -> int:
        """Destroy a contact's key and rows; returns how many rows went. Idempotent, and final."""
        raw = uuid_bytes(contact)
        with self._database.writing() as driver:
            driver.execute(
                "INSERT INTO contact_key (contact, wrapped) VALUES (?, NULL) "
                "ON CONFLICT (contact) DO UPDATE SET wrapped = NULL",
                (raw,),
            )
            driver.execute(
                "DELETE FROM alike WHERE address_id IN (SELECT address_id FROM address WHERE contact = ?)", (raw,)
            )
            driver.execute(
                "DELETE FROM meeting WHERE record_ref IN (SELECT record_ref FROM record WHERE contact = ?) "
                "OR address_id IN (SELECT address_id FROM address WHERE contact = ?)",
                (raw, raw),
            )
            gone = sum(
                driver.execute(f"DELETE FROM {table} WHERE contact = ?", (raw,)).rowcount  # noqa: S608
                for table in ("payload", "record", "address")
            )
        # The old pages still lie in the WAL of a file; a checkpoint that empties it makes the erasing real.
        self._database.forget()
        return gone

    def is_erased(self, contact: str) -> bool:
        """Whether the contact was erased; False also for one the vault has never seen."""
        return bool(
            self._select("SELECT 1 FROM contact_key WHERE contact = ? AND wrapped IS NULL", uuid_bytes(contact))
        )

    def _has_key(self, contact: str) -> bool:
        return bool(
            self._select("SELECT 1 FROM contact_key WHERE contact = ? AND wrapped IS NOT NULL", uuid_bytes(contact))
        )

    def suppress(self, email: str, kind: str, since: datetime) -> None:
        """Keep an address from being written to, in every form, for good: survives erasure. The first date stays."""
        with self._database.writing() as driver:
            driver.executemany(
                "INSERT INTO suppression (hmac, kind, since) VALUES (?, ?, ?) ON CONFLICT (hmac) DO NOTHING",
                [(hashed, kind, since.astimezone(UTC).isoformat()) for hashed in self._lookups.suppressions(email)],
            )

    def is_suppressed(self, emails: Iterable[str]) -> set[str]:
        """Those of the addresses that are suppressed in any form, as they were given."""
        return set(self.suppressed_since(emails))

    def suppressed_since(self, emails: Iterable[str]) -> dict[str, datetime]:
        """The suppressed ones of these addresses, with the first moment since when."""
        hashes = {email: self._lookups.suppressions(email) for email in emails}
        wanted = {hashed for every in hashes.values() for hashed in every}
        with self._database.reading() as driver:
            since = dict(select_in(driver, "SELECT hmac, since FROM suppression", "hmac", wanted))
        found = {email: [since[one] for one in every if one in since] for email, every in hashes.items()}
        return {email: min(map(datetime.fromisoformat, moments)) for email, moments in found.items() if moments}

    def _select(self, statement: str, *values: object) -> list[Any]:
        with self._database.reading() as driver:
            return driver.execute(statement, values).fetchall()


def _claim(database: Database, ledger: str) -> None:
    """A database is of the ledger that opened it first: with another key nobody would be found in it again."""
    with database.writing() as driver:
        row = driver.execute("SELECT ledger FROM identity").fetchone()
        if row is None:
            driver.execute("INSERT INTO identity (ledger) VALUES (?)", (ledger,))
        elif row[0] != ledger:
            raise SetupError(
                f"this database holds the ledger {row[0]}, the keys at hand are those of {ledger}: "
                "name the directory with its keys, or another database"
            )
