"""`decide`: the few real commands, guarded. It looks at folds alone and answers with events or a refusal.

Everything else that is well formed is recorded without asking; see `ledger.application`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec

from ledger import events as e
from ledger.contact import Contact, Entry
from ledger.policy.judge import STOP_REASONS
from ledger.terms import BY_SUPPRESSION


class CommandRefusedError(ValueError):
    """A command that must not be carried out, with what to do instead."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for a command: goes into the payload, never into the log."""

    name: str
    role: str
    reason: str
    evidence: tuple[str, ...] = ()


class Second(msgspec.Struct, frozen=True, kw_only=True):
    """The other person who answers for a command."""

    name: str
    role: str


class Correct(msgspec.Struct, frozen=True, kw_only=True):
    """Take back a stop that was recorded by mistake. Needs evidence (SHA-256 of a kept document).

    second      the other person; an erasure request's stop is never taken back without
    two_needed  whether this controller wants two people for every correction
    used        the evidence of earlier corrections: it shows another mistake
    erased      whether the data of the contact are destroyed
    """

    position: int
    signed: Signature
    second: Second | None = None
    two_needed: bool = False
    used: frozenset[str] = frozenset()
    erased: bool = False


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Say that two contacts are one person. Moves nothing: stops are united, grants stay."""

    signed: Signature


class Unmerge(msgspec.Struct, frozen=True, kw_only=True):
    """Say that they are not one person after all."""

    signed: Signature


Command = Correct | Merge | Unmerge
SOURCE = "ledger.command"
_OF_NOTHING = sha256(b"").hexdigest()


def decide(command: Command, contacts: Sequence[Contact]) -> list[e.Event]:
    """The events a command comes to. Raises CommandRefusedError.

    `contacts`: for Correct the one whose stop it is; for Merge and Unmerge the two.
    """
    refuse_unsigned(command.signed, command.second if isinstance(command, Correct) else None)
    match command:
        case Correct():
            return list(_correct(command, contacts[0]))
        case Merge() | Unmerge():
            return _link(command, contacts)


def refuse_unsigned(signed: Signature, second: Second | None, *, two_needed: bool = False) -> None:
    """Raise CommandRefusedError unless somebody answers for it, and a second person where two are needed."""
    if not (signed.name.strip() and signed.role.strip() and signed.reason.strip()):
        raise CommandRefusedError("a command needs the name and role of who answers for it, and a reason")
    if second is None:
        if two_needed:
            raise CommandRefusedError("this needs two people: name the other one with --second and --second-role")
    elif not (second.name.strip() and second.role.strip()):
        raise CommandRefusedError("the second person needs a name and a role")
    elif _plain(second.name) == _plain(signed.name):
        raise CommandRefusedError("the second person must be another one than the first")


def payload_of(signed: Signature, second: Second | None) -> dict[str, object]:
    """Who answers for a command, as it is kept in the vault."""
    said: dict[str, object] = {"name": signed.name, "role": signed.role, "reason": signed.reason}
    return said if second is None else {**said, "second": {"name": second.name, "role": second.role}}


def _correct(command: Correct, contact: Contact) -> Iterator[e.Event]:
    stops = {entry.position: entry for entry in (*contact.stops, *contact.reviews)}
    stop = stops.get(command.position)
    if stop is None or type(stop.event) not in STOP_REASONS:
        raise CommandRefusedError(f"position {command.position} is not a stop of this contact")
    if command.position in contact.undone:
        raise CommandRefusedError(f"the stop at {command.position} was taken back before")
    _check_evidence(command)
    _check_second(command, stop.event)
    if is_suppressing(stop.event):
        raise CommandRefusedError(
            f"the stop at {command.position} stands because that address asked to be erased: correct that request, "
            "by its position; where the data were erased, only a new opt-in of the person counts"
        )
    for entry in (stop, *_suppressing(stop, contact)):
        yield e.Corrected(
            stream=contact.contact,
            source=SOURCE,
            by="officer",
            undoes=entry.position,
            address=entry.event.address,
            evidence=command.signed.evidence,
        )


def _check_evidence(command: Correct) -> None:
    evidence = command.signed.evidence
    if not evidence:
        raise CommandRefusedError("a stop is taken back only with evidence: give the file that shows the mistake")
    if _OF_NOTHING in evidence:
        raise CommandRefusedError("an empty file shows nothing: give the file that shows the mistake")
    if again := sorted(command.used & frozenset(evidence)):
        raise CommandRefusedError(
            f"the file with the SHA-256 {again[0][:16]}... was the evidence of another correction: "
            "give what shows this mistake"
        )


def _check_second(command: Correct, stop: e.Event) -> None:
    erasure = isinstance(stop, e.ErasureRequested)
    refuse_unsigned(command.signed, command.second, two_needed=erasure or command.two_needed)
    if erasure and command.erased:
        raise CommandRefusedError(
            "the data of this contact are erased: nobody can show any more whose request it was, so its stop stays"
        )


def is_suppressing(event: e.Event) -> bool:
    """Whether the ledger itself recorded the stop, as its address is suppressed."""
    return isinstance(event, e.OptedOut) and (event.source, event.via) == ("ledger", BY_SUPPRESSION)


def standing_requests(contact: Contact, address: str | None) -> list[Entry]:
    """The erasure requests about an address, or about the whole contact, that nobody took back."""
    return [
        entry
        for entry in contact.stops
        if isinstance(entry.event, e.ErasureRequested)
        and entry.position not in contact.undone
        and (address is None or entry.event.address in (None, address))
    ]


def _suppressing(request: Entry, contact: Contact) -> list[Entry]:
    """The stops that the ledger added for the request's address, and that fall with the last such request."""
    address = request.event.address
    if not isinstance(request.event, e.ErasureRequested) or standing_requests(contact, address) != [request]:
        return []
    return [
        entry
        for entry in contact.stops
        if is_suppressing(entry.event) and entry.event.address == address and entry.position not in contact.undone
    ]


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _link(command: Merge | Unmerge, contacts: Sequence[Contact]) -> list[e.Event]:
    first, second = contacts
    if first.contact == second.contact:
        raise CommandRefusedError("both addresses already belong to one contact")
    linked = second.contact in first.linked
    if isinstance(command, Merge) == linked:
        raise CommandRefusedError("they are linked already" if linked else "they are not linked")
    kind: type[e.ContactsLinked] | type[e.ContactsUnlinked] = (
        e.ContactsLinked if isinstance(command, Merge) else e.ContactsUnlinked
    )
    return [
        kind(stream=a.contact, source=SOURCE, by="officer", other=b.contact, evidence=command.signed.evidence)
        for a, b in ((first, second), (second, first))
    ]
