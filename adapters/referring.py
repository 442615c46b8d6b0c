"""Facts that name a person by a reference: read as facts about the address, else the record, that it stands for."""

from __future__ import annotations

from adapters.identification import Person, UnknownPersonError, identify
from adapters.reasons import Reason
from adapters.recording import Saying
from ledger.application import Ledger
from ledger.events import ErasureRequested, Stop
from ledger.vault import Registration

_FIELD = "person.reference"
_UNKNOWN = Reason(_FIELD, "is not known: this ledger has no such reference")
_GONE = Reason(_FIELD, "names a contact that has no address here any more")
_ANOTHER = Reason(_FIELD, "names somebody else than the rest of the person does: send a fact for each")
_SEVERAL = Reason(_FIELD, "names a record that was shown with several addresses: name the address that is meant")


def refer(ledger: Ledger, saying: Saying, reference: str) -> tuple[Saying, tuple[Reason, ...]] | Reason:
    """The fact about whom the reference names, and what to warn of; or why it cannot be recorded.

    A stop that is named in another way as well is recorded by that where the reference names nobody.
    """
    try:
        person = identify(ledger, reference)
    except UnknownPersonError:
        return _by_the_rest(saying, _UNKNOWN)
    found = _registration(ledger, person, saying.who.system)
    if found is None or (found.email is None and isinstance(saying.event, ErasureRequested)):
        return (saying, ()) if _stands(ledger, saying) else _by_the_rest(saying, _GONE)
    if not _agree(ledger, saying.who, person):
        return _ANOTHER
    if saying.who.email is not None:
        return saying, ()
    if found.email is not None:  # beside an address a record may be a new one of that person
        return saying._replace(who=saying.who._replace(email=found.email)), ()
    if not isinstance(saying.event, Stop) and ledger.vault.is_gathered(found.system, found.record_id or ""):
        return _SEVERAL
    return saying._replace(who=found), ()


def _registration(ledger: Ledger, person: Person, source: str) -> Registration | None:
    """What a fact about a person is registered under: their address, else a record; None: they have neither."""
    if person.email is not None:
        return Registration(person.email, source, None)
    held = (ledger.vault.record_text(one) for one in ledger.vault.records_of(person.contact))
    record = next((one for one in held if isinstance(one, tuple)), None)
    return Registration(None, *record) if record is not None else None


def _by_the_rest(saying: Saying, problem: Reason) -> tuple[Saying, tuple[Reason, ...]] | Reason:
    named = saying.who.email is not None or saying.who.record_id
    return (saying, (problem,)) if named and isinstance(saying.event, Stop) else problem


def _stands(ledger: Ledger, saying: Saying) -> bool:
    """Whether the log holds the fact's id: handed in again after an erasure, it is compared with what stands there."""
    sid = ledger.sid(saying.event.source, saying.source_id) if saying.source_id is not None else None
    return sid is not None and bool(ledger.log.find([sid]))


def _agree(ledger: Ledger, who: Registration, person: Person) -> bool:
    """Whether an address that is named beside the reference is the one it stands for; a record, of a known contact."""
    if who.email is not None:
        address = ledger.vault.find_address(who.email)
        return address is not None and address[1] == person.address
    record = ledger.vault.find_record(who.system, who.record_id) if who.record_id else None
    return record is None or person.email is not None or record.contact == person.contact
