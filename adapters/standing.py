"""Whom a ledger holds: the records of the CRM as exports, pulls and webhooks have shown them, with no file at hand."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.intake import CHUNK, SYSTEM, Placed
from adapters.wiring import House
from ledger.database import chunks
from ledger.vault import RecordRow
from projections.audit import Record


class Standing:
    """The records that a ledger holds, as an import's are handed on. Those of erased people are left out."""

    def __init__(self, house: House) -> None:
        self._house = house

    def records(self) -> Iterator[Placed]:
        """Every record once."""
        vault = self._house.ledger.vault
        place = 0
        for streams in chunks(sorted(self._house.ledger.log.streams()), CHUNK):
            held = vault.records_in(SYSTEM, streams)
            rows = vault.known_records(SYSTEM, [one for ids in held.values() for one in ids])
            for record_id, row in rows.items():
                place += 1
                yield Placed(place, self._record(record_id, row))

    def _record(self, record_id: str, row: RecordRow) -> Record:
        text = self._house.ledger.vault.address_text(row.address) if row.address else None
        email = text if isinstance(text, str) else None
        return Record(row.contact, row.record, row.address if email else None, record_id, email)
