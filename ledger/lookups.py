"""Under what an address or record is found in the vault: keyed hashes, from which neither can be read."""

from __future__ import annotations

from ledger.sealing import Keyed, normalised


class Lookups:
    """The lookups of one ledger. Thread-safe."""

    def __init__(self, key: bytes) -> None:
        self._keyed = Keyed(key)

    def address(self, email: str) -> bytes:
        """Of an e-mail address, however it is spelled."""
        return self._keyed(b"address", normalised(email).encode())

    def record(self, system: str, record_id: str) -> bytes:
        """Of a record, by its system and its id there."""
        return self._keyed(b"record", system.encode(), record_id.encode())

    def fits(self, lookup: bytes, email: str) -> bool:
        """Whether an address that reads so may stand under this lookup."""
        return self.address(email) == lookup
