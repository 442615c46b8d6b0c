"""The vault: personal data, identifiers and suppression hashes; the only thing that can forget.

Everything of a contact is sealed with a data key of that contact, wrapped by the ledger's key.
To erase is to destroy that key and the rows. What stays is a mark that the contact was erased, which
refuses a new key, and the keyed hash of a suppressed address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, Self

import msgspec
from cryptography.exceptions import InvalidTag

from ledger import spelling, standing
from ledger.damage import DamagedError
from ledger.database import (
    Database,
    Driver,
    Location,
    open_database,
    uuid_bytes,
    uuid_text,
)
from ledger.keys import Keys, Random
from ledger.lookups import Lookups
from ledger.meeting import Met, met_in_records, met_in_spellings
from ledger.resolving import FOUND, Asked, Keyring, Resolved, Resolving, select_in
from ledger.respelling import is_current, move_on, written
from ledger.sealing import NONCE_BYTES, Corrupt, Erased, Wrapping, commit, keyed
from ledger.standing import Standing, Wide
from ledger.store_table import MarkedStore, count_change, read_store
from ledger.stores import NOTHING, Mark, StoreIdentity
from ledger.suppression import SuppressionList
from ledger.tallies import COUNTED, Change, Tallies, rows_of
from ledger.vault_schema import PRAGMAS, metadata

_R_BYTES = 32
_SEALED = {
    "contact_key": ("contact", "wrapped"),
    "address": ("address_id", "ciphertext"),
    "record": ("record_ref", "ciphertext"),
    "payload": ("commitment", "body"),
}
"""Tables whose rows are sealed: the key column, and the sealed one."""
_canonical = msgspec.json.Encoder(order="sorted")


_FIND = f"{FOUND} WHERE a.lookup = ?"


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


class Vault(MarkedStore):
    """The vault of one ledger, in a file or schema of its own."""

    def __init__(self, database: Database, keys: Keys, random: Random) -> None:
        self._database = database
        self._keys = keys
        self._wrapping = Wrapping(keys.wrapping)
        self._lookups = Lookups(keys)
        self._tallies = Tallies(keys.tally)
        self._suppressions = SuppressionList(self._lookups)
        self._random = random
        self._is_known = False
        self._mark_of_log: Callable[[], Mark] | None = None
        self._whole_at: int | None = None
        self._is_compared = False
        self.changes = 0

    @classmethod
    def open(cls, location: Location, keys: Keys, random: Random) -> Self:
        """The vault at a location. Raises NoStoreError where there is none, DurabilityError, SetupError."""
        return cls(open_database(location, "vault", metadata, PRAGMAS, make=False), keys, random)

    @classmethod
    def make(cls, location: Location, keys: Keys, random: Random) -> Self:
        """The vault at a location; a file is made when absent. Raises as `open` does."""
        return cls(open_database(location, "vault", metadata, PRAGMAS), keys, random)

    # --- what it goes with ----------------------------------------------------------------------

    def know(self, changes: int, mark: Callable[[], Mark] | None) -> None:
        """Let no change be made once it was changed less often than it was: it was emptied, or put back.

        With a mark every change is counted, and notes the newest entry of the log; else its database does that.
        """
        self._is_known, self._mark_of_log, self.changes = True, mark, changes

    def begin(self, identity: StoreIdentity, mark: Mark = NOTHING) -> None:
        """Write down which ledger and epoch it is of, first what it holds; what stands there already stays."""
        self.respell()
        with self._database.writing() as driver:
            self._tallies.begin(driver)
        super().begin(identity, mark)

    def respell(self) -> None:
        """Bring the look-ups of addresses to the form that this program knows. SetupError for those of a later one."""
        with self._changing() as driver:
            move_on(driver, self._lookups, self._wrapping, self._tallies)

    @property
    def is_respelled(self) -> bool:
        """Whether every look-up is in the form that this program knows. SetupError for those of a later one."""
        with self._database.reading() as driver:
            return is_current(driver)

    @contextmanager
    def _changing(self) -> Iterator[Driver]:
        """One write transaction, counted if it changes something. In a PostgreSQL database triggers do that."""
        changes = self.changes
        with self._database.writing() as driver:
            if self._is_known:
                changes = _same_as_before(driver, changes)
            before = _rows_changed(driver)
            yield driver
            if self._mark_of_log is None:
                changes = _same_as_before(driver, changes) if self._is_known else changes
            elif _rows_changed(driver) != before:
                changes = count_change(driver, self._mark_of_log())
        self.changes = max(self.changes, changes)  # only now: what was rolled back is not to be known of

    def is_empty(self) -> bool:
        """Whether nobody was ever in it."""
        return not self._select(
            "SELECT 1 FROM contact_key UNION ALL SELECT 1 FROM suppression UNION ALL SELECT 1 FROM record LIMIT 1"
        )

    def unopened(self) -> list[str]:
        """The tables of which a row is not opened by the keys at hand: of each, the first and the last are tried."""
        return [table for table in _SEALED if not all(self._opens(table, order) for order in ("ASC", "DESC"))]

    def _opens(self, table: str, order: str) -> bool:
        key, kind = _SEALED[table]
        rows = self._select(
            f"SELECT t.contact, t.{key}, CAST(t.{kind} AS BLOB), k.wrapped FROM {table} t "  # noqa: S608 - our names
            "JOIN contact_key k ON k.contact = t.contact WHERE k.wrapped IS NOT NULL "
            f"ORDER BY t.{key} {order} LIMIT 1"
        )
        try:
            for contact, name, sealed, wrapped in rows:
                data_key = self._wrapping.unwrap(contact, wrapped)
                if table != "contact_key":
                    data_key.open(table.encode(), name, sealed)
        except InvalidTag:
            return False
        return True

    def unknown_contacts(self, contacts: Iterable[str]) -> list[str]:
        """Those of these contacts that the vault has no key of, nor the mark that they were erased."""
        raw = [uuid_bytes(contact) for contact in contacts]
        with self._database.reading() as driver:
            known = {contact for (contact,) in select_in(driver, "SELECT contact FROM contact_key", "contact", raw)}
        return [uuid_text(contact) for contact in raw if contact not in known]

    # --- who is who -----------------------------------------------------------------------------

    def resolve_many(self, registrations: Sequence[Registration]) -> list[Resolved]:
        """Find or make contact, address and record of each, in one transaction.

        A known address decides; else a known record does, and the new address joins its contact; else
        there is a new contact. Nothing is merged. ValueError for one with neither address nor record, DamagedError
        where somebody would be made known and rows of the vault are gone: it may be one of those.
        """
        asked = [self._asked(registration) for registration in registrations]
        before = self._whole_at
        with self._changing() as driver:
            change = Change(self._tallies)
            resolving = Resolving(
                driver, self._wrapping, self._random, change, self._vouch, lambda: self._assert_whole(driver)
            )
            resolved = resolving.run(asked)
            change.keep(driver)
        if self._whole_at != before and self._mark_of_log is None and self._is_known:
            self._whole_at = self.changes  # triggers have counted what was made known just now
        return resolved

    def _assert_whole(self, driver: Driver) -> None:
        """Raise DamagedError where a table does not fit its tally, before somebody is made known.

        Once the rows themselves are compared; then they are counted anew after somebody else has changed the vault:
        within this transaction nobody can.
        """
        seen = _changed_by_others(driver)
        if seen is not None and seen == self._whole_at:
            return
        for table in ("address", "record"):
            tally = self._tallies.read(driver, table)
            (rows,) = driver.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our names
            if tally is None and self._is_known:
                raise DamagedError("the vault", f"how many {_NAMES[table]} it has was written down, and is gone")
            if tally is not None and tally.rows != rows:
                problem = f"its table of {_NAMES[table]} has {rows:,} rows, and {tally.rows:,} were written"
                raise DamagedError("the vault", problem)
            if self._is_compared or tally is None:
                continue
            if self._tallies.counted(table, rows_of(driver, table)) != tally:
                raise DamagedError("the vault", f"a row of its table of {_NAMES[table]} is not as it was written")
        self._whole_at, self._is_compared = seen, True

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
        """What these (record, address) come to, each seen in other company as well; see `ledger.meeting`."""
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
        with self._changing() as driver:
            driver.execute("UPDATE spelling SET linked = ?", (True,))

    def find_address(self, email: str) -> tuple[str, str] | None:
        """(contact, address id) of an e-mail address. Raises DamagedError for a row that is not as it was written."""
        form = spelling.normal(email)
        with self._database.reading() as driver:
            row = driver.execute(_FIND, (self._lookups.spelled(form),)).fetchone()
        if row is None:
            return None
        lookup, contact, address, sealed, wrapped = row
        self._vouch(lookup, contact, address, sealed, wrapped, form)
        return uuid_text(contact), uuid_text(address)

    def find_addresses(self, emails: Iterable[str]) -> dict[str, tuple[str, str]]:
        """(contact, address id) of each of these e-mail addresses that is known, as they were given.

        Raises DamagedError for a row that was pointed at another contact or address: an answer could be another's.
        """
        forms = {email: spelling.normal(email) for email in emails}
        lookups = {self._lookups.spelled(form): form for form in set(forms.values())}
        found: dict[str, tuple[str, str]] = {}
        with self._database.reading() as driver:
            for lookup, contact, address, sealed, wrapped in select_in(driver, FOUND, "lookup", lookups):
                form = lookups[lookup]
                self._vouch(lookup, contact, address, sealed, wrapped, form)
                found[form] = uuid_text(contact), uuid_text(address)
        return {email: found[form] for email, form in forms.items() if form in found}

    def _vouch(
        self,
        lookup: bytes,
        contact: bytes,
        address: bytes,
        sealed: bytes,
        wrapped: bytes | None,
        form: str | None = None,
    ) -> None:
        """An address row holds what it is found by, sealed for its contact and id; `form`: what the look-up is of."""
        with suppress(InvalidTag, UnicodeDecodeError):
            if wrapped is not None:
                email = self._wrapping.unwrap(contact, wrapped).open(b"address", address, sealed).decode()
                if spelling.normal(email) == form or self._lookups.fits(lookup, email, address):
                    return
        raise DamagedError("vault", f"the row of address {uuid_text(address)} is not as this ledger wrote it")

    def find_record(self, system: str, record_id: str) -> RecordRow | None:
        """A record by its system and id there."""
        return self.known_records(system, [record_id]).get(record_id)

    def is_gathered(self, system: str, record_id: str) -> bool:
        """Whether a record was shown with several addresses, so that nothing but a stop can be of it for certain."""
        query = "SELECT 1 FROM meeting m JOIN record r ON r.record_ref = m.record_ref WHERE r.lookup = ? LIMIT 1"
        return bool(self._select(query, self._lookups.record(system, record_id)))

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
        with self._changing() as driver:
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
        with self._changing() as driver:
            change = Change(self._tallies)
            held = Keyring(driver, self._wrapping, self._random, change).get(set(raw))
            change.keep(driver)
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
        raw = _commitment(commitment)
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
                [_commitment(commitment) for commitment in commitments],
            )
            return {commitment.hex(): fingerprint for commitment, fingerprint in rows}

    # --- forgetting -----------------------------------------------------------------------------

    def erase(self, contact: str) -> int:
        """Destroy a contact's key and rows; returns how many rows went. Idempotent, and final."""
        raw = uuid_bytes(contact)
        with self._changing() as driver:
            self._count_erased(driver, raw)
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

    def _count_erased(self, driver: Driver, contact: bytes) -> None:
        """Take what is about to go out of the tallies, and put in the mark that stays."""
        change = Change(self._tallies)
        for table in ("contact_key", "record", "address"):
            rows = f"SELECT {', '.join(COUNTED[table])} FROM {table} WHERE contact = ?"  # noqa: S608 - our names
            for row in driver.execute(rows, (contact,)):
                change.take(table, *row)
        change.add("contact_key", contact, None)
        change.keep(driver)

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
        """Keep an address from being written to, in every form. It survives erasure; the first date stays."""
        self._take_turn(email, kind, since, lift=False)

    def lift_suppression(self, email: str, at: datetime) -> bool:
        """Take a suppression back, by a row that says so; whether there was one. No row is ever taken out."""
        return self._take_turn(email, "lifted", at, lift=True)

    def _take_turn(self, email: str, kind: str, at: datetime, *, lift: bool) -> bool:
        with self._changing() as driver:
            change = Change(self._tallies)
            done = self._suppressions.take_turn(driver, change, email, kind, at, lift=lift)
            change.keep(driver)
        return done

    def is_suppressed(self, emails: Iterable[str]) -> set[str]:
        """Those of the addresses that are suppressed in any form, as they were given."""
        return set(self.suppressed_since(emails))

    def suppressed_since(self, emails: Iterable[str]) -> dict[str, datetime]:
        """The suppressed ones of these addresses, with the first moment since when."""
        with self._database.reading() as driver:
            return self._suppressions.since(driver, emails)

    # --- stops of whoever comes to be known -----------------------------------------------------

    def keep_standing(self, stops: Iterable[tuple[Wide, datetime]]) -> None:
        """Let stops stand for whoever arrives, each since a moment."""
        with self._changing() as driver:
            change = Change(self._tallies)
            standing.keep(driver, self._lookups, change, stops)
            change.keep(driver)

    def standing(self, emails: Iterable[str]) -> dict[str, list[Standing]]:
        """The stops that stand for each of these addresses, of those that any stands for."""
        with self._database.reading() as driver:
            return standing.standing(driver, self._lookups, emails)

    def reached(self, wides: Collection[Wide]) -> dict[Wide, list[tuple[str, str]]]:
        """The (contact, address id) known by now that each of these stops is of. Opens every address."""
        with self._database.reading() as driver:
            known = ((uuid_text(row[2]), uuid_text(row[1]), text) for row, text in written(driver, self._wrapping))
            return standing.reached(known, wides)

    def count_addressed(self) -> int:
        """How many contacts have an address."""
        ((contacts,),) = self._select("SELECT count(DISTINCT contact) FROM address")
        return int(contacts)

    def standing_reference(self, wide: Wide) -> str:
        """By what the log names a stop of a domain or digest: a keyed hash, in hex."""
        return self._lookups.standing(*wide).hex()

    def _select(self, statement: str, *values: object) -> list[Any]:
        with self._database.reading() as driver:
            return driver.execute(statement, values).fetchall()


_NAMES = {"address": "addresses", "record": "records"}


def _changed_by_others(driver: Driver) -> int | None:
    """A number that another connection's change of the vault changes; None: nothing tells."""
    if hasattr(driver, "total_changes"):
        return int(driver.execute("PRAGMA data_version").fetchone()[0])
    stored = read_store(driver)  # triggers count every change there, our own as well
    return None if stored is None else stored.changes


def _commitment(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise DamagedError("the log", "an entry names a commitment that is none") from None


def _same_as_before(driver: Driver, changes: int) -> int:
    """How often a vault was changed. DamagedError for one that was emptied, or put back, since it was changed so often.

    It would know nobody any more, and who said no would be entered anew as somebody who never did.
    """
    stored = read_store(driver)
    if stored is None or stored.changes < changes:
        raise DamagedError("the vault", "it was emptied or put back while it was open")
    return stored.changes


def _rows_changed(driver: Driver) -> int:
    """How many rows an SQLite connection has changed since it was opened."""
    return int(getattr(driver, "total_changes", 0))
