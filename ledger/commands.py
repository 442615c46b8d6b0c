"""`decide`: the few real commands, guarded. It looks at folds alone and answers with events or a refusal.

Everything else that is well formed is recorded without asking; see `ledger.application`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger import events as e
from ledger.contact import Contact
from ledger.policy.judge import STOP_REASONS


class CommandRefusedError(ValueError):
    """A command that must not be carried out, with what to do instead."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for a command: goes into the payload, never into the log."""

    name: str
    role: str
    reason: str
    evidence: tuple[str, ...] = ()


class Correct(msgspec.Struct, frozen=True, kw_only=True):
    """Take back a stop that was recorded by mistake. Needs evidence (SHA-256 of a kept document)."""

    position: int
    signed: Signature


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Say that two contacts are one person. Moves nothing: stops are united, grants stay."""

    signed: Signature


class Unmerge(msgspec.Struct, frozen=True, kw_only=True):
    """Say that they are not one person after all."""

    signed: Signature


Command = Correct | Merge | Unmerge
SOURCE = "ledger.command"


def decide(command: Command, contacts: Sequence[Contact]) -> list[e.Event]:
    """The events a command comes to. Raises CommandRefusedError.

    `contacts`: for Correct the one whose stop it is; for Merge and Unmerge the two.
    """
    signed = command.signed
    if not (signed.name.strip() and signed.role.strip() and signed.reason.strip()):
        raise CommandRefusedError("a command needs the name and role of who answers for it, and a reason")
    match command:
        case Correct():
            return [_correct(command, contacts[0])]
        case Merge() | Unmerge():
            return _link(command, contacts)


def _correct(command: Correct, contact: Contact) -> e.Event:
    if not command.signed.evidence:
        raise CommandRefusedError("a stop is taken back only with evidence: give the file that shows the mistake")
    stops = {entry.position: entry for entry in (*contact.stops, *contact.reviews)}
    stop = stops.get(command.position)
    if stop is None or type(stop.event) not in STOP_REASONS:
        raise CommandRefusedError(f"position {command.position} is no stop of this contact")
    if command.position in contact.undone:
        raise CommandRefusedError(f"the stop at {command.position} was taken back before")
    return e.Corrected(
        stream=contact.contact,
        source=SOURCE,
        by="officer",
        undoes=command.position,
        address=stop.event.address,
        evidence=command.signed.evidence,
    )


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
