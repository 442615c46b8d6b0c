"""One e-mail by what it is called: its message id, or its reference in `audit sends`.

Three ways, each asked only where the one before found nothing:

1. the id a source gave the event is made of the message id: one look into an index
2. the id stands in the entry, as it does wherever it is a token: every e-mail's entry is read, none is decoded
3. it stands in the payload alone: every e-mail's payload is opened, in the order of the log
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.identification import identify, reference_of
from adapters.wiring import House
from ledger import events as e
from ledger.codec import decode
from ledger.contact import Entry
from ledger.scanning import scanning
from projections.sends import SENDS

_BY_SID = (("hubspot.events", "sent:"),)
"""Sources that make their event id of the message id, and what they put before it."""
_MAILS = "SELECT position, version, state FROM entry WHERE topic IN (?, ?) ORDER BY position"
NAMED_AT_MOST = 5


class NoSuchMailError(LookupError):
    """No e-mail, or more than one, is called that. The id is not repeated: it may hold an address."""


def mail_called(house: House, name: str) -> Entry:
    """The e-mail with this message id or reference. Raises NoSuchMailError, UnknownPersonError."""
    if name.startswith("CL-"):
        found = [_referred_to(house, name)]
    else:
        wanted = _bare(name)
        found = _by_sid(house, wanted) or list(_in_entries(house, wanted)) or list(_in_payloads(house, wanted))
    if not found:
        raise NoSuchMailError("no e-mail with that message id is on record")
    if len(found) > 1:
        some = ", ".join(reference_of(entry.event.stream, entry.position) for entry in found[:NAMED_AT_MOST])
        more = f" and {len(found) - NAMED_AT_MOST} more" if len(found) > NAMED_AT_MOST else ""
        raise NoSuchMailError(f"{len(found)} e-mails bear that message id: name one by its reference: {some}{more}")
    return found[0]


def _bare(message_id: str) -> str:
    """A message id is the same with and without the angle brackets of its header."""
    return message_id.strip().removeprefix("<").removesuffix(">")


def _referred_to(house: House, reference: str) -> Entry:
    person = identify(house.ledger, reference)
    entry = next(entry for entry in house.entries(person.contact) if entry.position == person.position)
    if not isinstance(entry.event, e.EmailSent):
        raise NoSuchMailError(f"{reference} is not an e-mail: ask `consent-ledger why {reference}`")
    return entry


def _by_sid(house: House, wanted: str) -> list[Entry]:
    sids = {house.ledger.sid(source, f"{before}{wanted}") for source, before in _BY_SID}
    held = house.ledger.log.find(sids).values()
    found = [Entry(position, version, decode(state)) for position, version, state in held]
    return [entry for entry in found if isinstance(entry.event, e.EmailSent)]


def _mails(house: House) -> Iterator[tuple[int, int, bytes]]:
    with scanning(house.location("log")) as source:
        for position, version, state in source.rows(_MAILS, SENDS):
            yield position, version, bytes(state)


def _in_entries(house: House, wanted: str) -> Iterator[Entry]:
    needle = wanted.encode()
    for position, version, state in _mails(house):
        if needle in state:
            event = decode(state)
            if isinstance(event, e.EmailSent) and event.message == wanted:
                yield Entry(position, version, event)


def _in_payloads(house: House, wanted: str) -> Iterator[Entry]:
    for position, version, state in _mails(house):
        event = decode(state)
        if _bare(str(house.payload(event).get("message_id", ""))) == wanted:
            yield Entry(position, version, event)
