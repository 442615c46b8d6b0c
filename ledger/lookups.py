"""The keyed hashes that addresses and records are found by: useless to whoever lacks the ledger's keys."""

from __future__ import annotations

from ledger import spelling
from ledger.keys import Keys
from ledger.sealing import Keyed


class Lookups:
    """Hashes under one ledger's keys. Thread-safe."""

    def __init__(self, keys: Keys) -> None:
        self._lookup = Keyed(keys.lookup)
        self._suppression = Keyed(keys.suppression)

    def address(self, email: str) -> bytes:
        """What an address is found by."""
        return self.spelled(spelling.normal(email))

    def broad(self, email: str) -> bytes:
        """What all addresses that may be meant by one are found by."""
        return self.spelled(spelling.broad(email))

    def spelled(self, form: str) -> bytes:
        """Of an address in a form that is known."""
        return self._lookup(b"address", form.encode())

    def parked(self, address: bytes) -> bytes:
        """Of a row that is found by no address any more: another row is found by its form."""
        return self._lookup(b"parked", address)

    def record(self, system: str, record_id: str) -> bytes:
        """What a record is found by."""
        return self._lookup(b"record", system.encode(), record_id.encode())

    def fits(self, lookup: bytes, email: str, address: bytes) -> bool:
        """Whether an address that reads so, and has this id, may stand under this look-up."""
        return lookup in (self.address(email), self.parked(address))

    def standing(self, kind: str, text: str, turn: int = 0) -> bytes:
        """Of a stop that is of whoever arrives: of a domain, or of the digest of an address."""
        return self._suppression(f"{kind}/{turn}".encode(), text.encode())

    def suppressions(self, email: str, turn: int = 0) -> list[bytes]:
        """Every hash that an address may be suppressed under, for one turn: suppressed, lifted, suppressed again."""
        about = f"email/{turn}".encode() if turn else b"email"
        return [self._suppression(about, form.encode()) for form in spelling.forms(email)]
