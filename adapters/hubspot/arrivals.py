"""Records that HubSpot comes to show of people whom the ledger knows already: by address, or on another's record.

A stop of theirs may be missing there, and nothing that HubSpot says of them need be news. So it is noted on them, and
whoever keeps HubSpot in step looks at them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from adapters.addresses import every_address
from adapters.hubspot.api.shapes import ContactRead
from adapters.hubspot.changes import SOURCE, SYSTEM
from adapters.reading import UNDATED
from adapters.wiring import House
from ledger import events as e
from ledger.terms import LEDGER_STREAM
from ledger.vault import RecordRow


def addresses_of(there: ContactRead) -> list[str]:
    """Every address of a record that is one, its own first."""
    return every_address((there.email, *there.also))


class Arrival(NamedTuple):
    """One note. `email` None: it is about whoever the record is of."""

    email: str | None
    record: str
    event: e.Event
    source_id: str
    payload: Mapping[str, object]


def arrivals(house: House, shown: Iterable[tuple[str, Sequence[str]]]) -> list[Arrival]:
    """By record its addresses, the first one first: what is to be noted.

    To be asked before they are registered, and recorded afterwards: only then is it known whose a record is.
    """
    records = dict(shown)
    vault = house.ledger.vault
    here = vault.known_records(SYSTEM, list(records))
    owners = vault.find_addresses({email for emails in records.values() for email in emails})
    return [one for record, emails in records.items() for one in _of(record, here.get(record), emails, owners)]


def _of(
    record: str, here: RecordRow | None, emails: Sequence[str], owners: Mapping[str, tuple[str, str]]
) -> Iterator[Arrival]:
    if here is None and emails and emails[0] in owners:
        yield _note(emails[0], record, f"{record}:held", "HubSpot holds a record of this person.")
    whose = here.contact if here is not None else owners.get(emails[0], (None, None))[0] if emails else None
    for email in emails:
        contact, address = owners.get(email, (None, None))
        if whose is not None and contact is not None and contact != whose:
            text = "HubSpot shows an address on this record that is known here as another person's."
            yield _note(None, record, f"{record}:shows:{address}", text)


def _note(email: str | None, record: str, source_id: str, text: str) -> Arrival:
    event = e.NoteAdded(stream=LEDGER_STREAM, source=SOURCE, by="system", via=SYSTEM, **UNDATED)
    return Arrival(email, record, event, source_id, {"name": "HubSpot", "role": "CRM", "text": text})
