"""Who is meant: registrations to contacts, addresses and records, inside one transaction of the vault."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from ledger.database import Driver, chunks, marks, uuid_text
from ledger.keys import Random
from ledger.sealing import KEY_BYTES, NONCE_BYTES, DataKey, Wrapping, uuid4_bytes
from ledger.tallies import Change


class VaultError(RuntimeError):
    """The vault contradicts itself."""


class Asked(NamedTuple):
    """A registration with the keyed hashes its address and record are found by.

    `broad_lookup`: of the address's widest form; None where that is its own.
    """

    email: str | None
    address_lookup: bytes | None
    broad_lookup: bytes | None
    system: str
    record_id: str | None
    record_lookup: bytes | None
    primary: bool = True


class Resolved(NamedTuple):
    """Whom a registration means.

    finding   `two_contacts` when address and record disagree; `crowd` when too many contacts meet there as well;
              `many` when they agree, and too many addresses come together there
    gathered  the record was shown with another address as well
    """

    contact: str
    address: str | None
    record: str | None
    created: bool
    finding: str | None
    gathered: bool = False

    @property
    def is_apart(self) -> bool:
        """Whether the address and the record are of two contacts."""
        return self.finding in ("two_contacts", "crowd")

    @property
    def is_crowded(self) -> bool:
        """Whether too many come together there."""
        return self.finding in ("many", "crowd")


FOUND = (
    "SELECT a.lookup, a.contact, a.address_id, CAST(a.ciphertext AS BLOB), k.wrapped FROM address a "
    "LEFT JOIN contact_key k ON k.contact = a.contact"
)
"""An address row with its contact's key, in the order in which `Vouch` takes it."""

Vouch = Callable[[bytes, bytes, bytes, bytes, bytes | None], None]
"""Raises DamagedError unless an address row (lookup, contact, id, what is sealed, wrapped key) fits itself."""


def select_in(driver: Driver, query: str, column: str, values: Iterable[bytes]) -> Iterator[Any]:
    """Rows of `query` whose column is one of the values, asked for in chunks."""
    for part in chunks(list(values)):
        yield from driver.execute(f"{query} WHERE {column} IN ({marks(part)})", part)


class Keyring:
    """The data keys of some contacts, read and made within one write transaction."""

    def __init__(self, driver: Driver, wrapping: Wrapping, random: Random, change: Change) -> None:
        self._driver = driver
        self._wrapping = wrapping
        self._random = random
        self._change = change

    def get(self, contacts: Collection[bytes]) -> dict[bytes, DataKey | None]:
        """Each contact's key: unwrapped, made when there is none yet, None for an erased contact."""
        stored = dict(select_in(self._driver, "SELECT contact, wrapped FROM contact_key", "contact", contacts))
        keys: dict[bytes, DataKey | None] = {
            contact: None if wrapped is None else self._wrapping.unwrap(contact, wrapped)
            for contact, wrapped in stored.items()
        }
        self._make(keys, [contact for contact in contacts if contact not in stored])
        return keys

    def _make(self, keys: dict[bytes, DataKey | None], contacts: list[bytes]) -> None:
        size = KEY_BYTES + NONCE_BYTES
        random = self._random(size * len(contacts))
        rows = []
        for place, contact in enumerate(contacts):
            drawn = random[size * place : size * (place + 1)]
            key, nonce = drawn[:KEY_BYTES], drawn[KEY_BYTES:]
            keys[contact] = DataKey(contact, key)
            rows.append((contact, self._wrapping.wrap(contact, key, nonce)))
            self._change.add("contact_key", *rows[-1])
        self._driver.executemany("INSERT INTO contact_key (contact, wrapped) VALUES (?, ?)", rows)


class Resolving:
    """One batch: what is known is read first, then decided in order, then sealed and written together."""

    def __init__(
        self,
        driver: Driver,
        wrapping: Wrapping,
        random: Random,
        change: Change,
        vouch: Vouch,
        assert_whole: Callable[[list[bytes]], None],
    ) -> None:
        """`assert_whole`: called with new look-ups before they are written; raises where one may be known already."""
        self._driver = driver
        self._random = random
        self._change = change
        self._vouch, self._assert_whole = vouch, assert_whole
        self._keyring = Keyring(driver, wrapping, random, change)
        self._addresses: dict[bytes, tuple[bytes, bytes]] = {}
        self._records: dict[bytes, tuple[bytes, bytes, bytes | None]] = {}
        self._new_addresses: list[tuple[bytes, bytes, bytes, bytes]] = []
        self._new_records: list[tuple[bytes, bytes, bytes | None, bytes, bytes]] = []
        self._moved: dict[bytes, bytes] = {}
        self._alike: list[tuple[bytes, bytes]] = []
        self._met: set[tuple[bytes, bytes]] = set()
        self._gathered: set[bytes] = set()

    def run(self, asked: Sequence[Asked]) -> list[Resolved]:
        """Resolve in order; a later registration sees what an earlier one of the batch made."""
        self._look_up(asked)
        resolved = [self._resolve(one) for one in asked]
        self._write()
        return resolved

    def _look_up(self, asked: Sequence[Asked]) -> None:
        addresses = {one.address_lookup for one in asked if one.address_lookup}
        for lookup, contact, address, sealed, wrapped in select_in(self._driver, FOUND, "lookup", addresses):
            self._vouch(lookup, contact, address, sealed, wrapped)
            self._addresses[lookup] = contact, address
        records = {one.record_lookup for one in asked if one.record_lookup}
        for lookup, contact, record, address in select_in(
            self._driver, "SELECT lookup, contact, record_ref, address FROM record", "lookup", records
        ):
            self._records[lookup] = contact, record, address
        known = {record for _, record, _ in self._records.values()}
        self._gathered.update(
            record for (record,) in select_in(self._driver, "SELECT record_ref FROM meeting", "record_ref", known)
        )

    def _resolve(self, one: Asked) -> Resolved:
        by_address = self._addresses.get(one.address_lookup) if one.address_lookup else None
        by_record = self._records.get(one.record_lookup) if one.record_lookup else None
        known = by_address or by_record
        contact = known[0] if known else self._uuid()
        apart = bool(by_address and by_record and by_address[0] != by_record[0])
        address = by_address[1] if by_address else self._add_address(one, contact)
        if by_record is None:
            record = self._add_record(one, contact, address)
        else:
            record = by_record[1]
            before = self._moved.get(record, by_record[2])
            if address and (apart or before not in (None, address)):
                self._gathered.add(record)
                self._met.update((record, place) for place in (address, before) if place is not None)
            if address and address != before and not apart and (one.primary or before is None):
                self._moved[record] = address
        gathered = record in self._gathered
        if gathered and record and address:
            self._met.add((record, address))
        return Resolved(
            uuid_text(contact),
            uuid_text(address) if address else None,
            uuid_text(record) if record else None,
            known is None,
            "two_contacts" if apart else None,
            gathered,
        )

    def _add_address(self, one: Asked, contact: bytes) -> bytes | None:
        if one.email is None or one.address_lookup is None:
            return None
        address = self._uuid()
        self._addresses[one.address_lookup] = contact, address
        self._new_addresses.append((address, contact, one.address_lookup, one.email.encode()))
        if one.broad_lookup is not None:
            self._alike.append((address, one.broad_lookup))
        return address

    def _add_record(self, one: Asked, contact: bytes, address: bytes | None) -> bytes | None:
        if one.record_id is None or one.record_lookup is None:
            return None
        record = self._uuid()
        self._records[one.record_lookup] = contact, record, address
        text = msgspec.json.encode((one.system, one.record_id))
        self._new_records.append((record, contact, address, one.record_lookup, text))
        return record

    def _uuid(self) -> bytes:
        return uuid4_bytes(self._random(16))

    def _write(self) -> None:
        if self._new_addresses or self._new_records:
            self._assert_whole([row[2] for row in self._new_addresses] + [row[3] for row in self._new_records])
        contacts = {row[1] for row in self._new_addresses} | {row[1] for row in self._new_records}
        keys = self._keyring.get(contacts)
        self._driver.executemany(
            "INSERT INTO address (address_id, contact, lookup, ciphertext) VALUES (?, ?, ?, ?)",
            [
                (address, contact, lookup, self._seal(keys, contact, b"address", address, plain))
                for address, contact, lookup, plain in self._new_addresses
            ],
        )
        self._driver.executemany(
            "INSERT INTO record (record_ref, contact, address, lookup, ciphertext) VALUES (?, ?, ?, ?, ?)",
            [
                (record, contact, address, lookup, self._seal(keys, contact, b"record", record, plain))
                for record, contact, address, lookup, plain in self._new_records
            ],
        )
        self._count()
        self._driver.executemany(
            "UPDATE record SET address = ? WHERE record_ref = ?",
            [(address, record) for record, address in self._moved.items()],
        )
        self._driver.executemany("INSERT INTO alike (address_id, broad) VALUES (?, ?)", self._alike)
        self._driver.executemany(
            "INSERT INTO meeting (record_ref, address_id) VALUES (?, ?) "
            "ON CONFLICT (record_ref, address_id) DO NOTHING",
            sorted(self._met),
        )

    def _count(self) -> None:
        """Let the tallies know what is written. A record that moves is taken out as it was, and put in as it is."""
        for address, contact, lookup, _ in self._new_addresses:
            self._change.add("address", address, contact, lookup)
        for record, contact, of_record, lookup, _ in self._new_records:
            self._change.add("record", record, contact, of_record, lookup)
        for lookup, (contact, record, before) in self._records.items():
            if record in self._moved:
                self._change.take("record", record, contact, before, lookup)
                self._change.add("record", record, contact, self._moved[record], lookup)

    def _seal(
        self, keys: dict[bytes, DataKey | None], contact: bytes, kind: bytes, identifier: bytes, plain: bytes
    ) -> bytes:
        key = keys[contact]
        if key is None:
            raise VaultError("a row belongs to an erased contact")
        return key.seal(kind, identifier, self._random(NONCE_BYTES), plain)
