"""`correct` and `two-people`: a stop taken back by name, and by how many people that is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from adapters.cli.options import EXIT, open_house, show
from adapters.cli.people import happened
from adapters.correcting import Change, Correction, carry_out, plan_correction
from adapters.report import wording
from adapters.report.masking import mask_email
from adapters.why_words import describe, reason_in_words, scope_of
from adapters.wiring import House, now, read_files
from ledger.commands import CommandRefusedError, Second, Signature
from ledger.contact import Entry
from ledger.policy.dossier import Dossier


def run_correct(
    stop: str,
    ledger: Path | None,
    signed: Signature,
    second: Second | None,
    evidence: Sequence[Path],
    *,
    yes: bool,
) -> int:
    """Show what a correction takes back, then record it; the exit code."""
    with open_house(ledger) as house:
        files = read_files(evidence)
        planned = plan_correction(house, _position(house, stop), signed, second, files, now())
        for line in _lines(planned):
            show(line)
        if not (yes or (sys.stdin.isatty() and typer.confirm("Take this opt-out back?", err=True))):
            show("nothing is recorded; --yes records it")
            return EXIT.FINDINGS
        done = carry_out(house, planned, files, now())
    if done:
        show(f"taken back (position {', '.join(map(str, done))}); every report lists it")
    if planned.suppressed is not None:
        show("The address is no longer suppressed.")
    return EXIT.OK


def run_two_people(wanted: bool, ledger: Path | None, signed: Signature, second: Second | None) -> int:
    """Say how many people a correction needs; the exit code."""
    with open_house(ledger) as house:
        position = house.require_two(wanted, signed, second)
    how = "two people" if wanted else "one person, and two for an erasure request"
    show(f"a correction needs {how}" + (" already" if position is None else f" from now on (position {position})"))
    return EXIT.OK


def _position(house: House, stop: str) -> int:
    """The position of what is to be taken back: a number is one; of a person, the only opt-out that counts.

    Raises UnknownPersonError, BadParameter.
    """
    if stop.isascii() and stop.isdigit():
        if not 0 < int(stop) <= _LAST:
            raise typer.BadParameter(f"{stop!r} is no position: `history` shows them")
        return int(stop)
    person = house.whom(stop)
    contact = house.contacts([person.contact])[person.contact]
    standing = [n.position for n in Dossier((contact,)).stops if n.event.stream == person.contact]
    if person.position is not None and (person.position in standing or not standing):
        return person.position
    if len(standing) != 1:
        listed = ", ".join(map(str, standing)) or "none"
        raise typer.BadParameter(f"{stop} has not one opt-out that counts; their positions: {listed}. Name one of them")
    return standing[0]


_LAST = 2**53


def second_of(name: str | None, role: str | None) -> Second | None:
    """The second person, if one is named. Raises CommandRefusedError for a name without a role."""
    if name is None and role is None:
        return None
    if name is None or role is None:
        raise CommandRefusedError("the second person needs both --second and --second-role")
    return Second(name=name, role=role)


def _lines(planned: Correction) -> Iterator[str]:
    """What is taken back, and what the answers become."""
    whose = f" of {mask_email(planned.email)}" if planned.email else ""
    for entry in planned.lifted:
        yield f"takes back a stop{whose}: {_stop(entry)}"
    if not planned.lifted:
        yield f"the stop at {planned.command.position} was taken back before; what is left is the suppression"
    if planned.suppressed is not None:
        yield f"and ends the suppression of {mask_email(planned.suppressed)}: imports may make the address known again"
    changes = [change for change in planned.changes if change.before != change.after]
    for change in changes:
        yield f"    {_cell(change)}: {_word(change.before)} -> {_word(change.after)}"
    if planned.lifted and not changes:
        yield "    no answer changes: something else decides them"
    if planned.contact.linked:
        yield "    it also decides for those merged with this contact"


def _cell(change: Change) -> str:
    return f"{wording.purpose(change.purpose)}, by {wording.channel(change.channel)}"


def _stop(entry: Entry) -> str:
    event = entry.event
    recorded = f", recorded {event.recorded_at:%Y-%m-%d}" if event.recorded_at else ""
    return f"{describe(event)}, of {happened(event)}{recorded} (position {entry.position}), for {scope_of(event)}"


def _word(reason: str | None) -> str:
    return "allowed" if reason is None else f"not allowed ({reason_in_words(reason)})"
