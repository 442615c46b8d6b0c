"""`consent-ledger note`: what counsel or an officer has to say about one person, recorded as a fact."""

from __future__ import annotations

from pathlib import Path

from adapters.cli.options import EXIT, open_house, show
from adapters.wiring import now
from ledger import events as e
from ledger.application import Fact
from ledger.commands import CommandRefusedError

SOURCE = "cli"


def run_note(email: str, ledger: Path | None, by: str, role: str, text: str) -> int:
    """Record a note; it decides nothing, and stands on every later page for counsel. The exit code."""
    signed = {"name": by.strip(), "role": role.strip(), "text": text.strip()}
    if not all(signed.values()):
        raise CommandRefusedError("a note needs the name and role of who writes it, and words")
    with open_house(ledger) as house:
        contact, address, *_ = house.whom(email)
        event = e.NoteAdded(stream=contact, source=SOURCE, by="officer", address=address, occurred_from=now())
        receipt = house.ledger.record(Fact(event, payload=signed))
    show(f"The note stands at position {receipt.position}; the page for the person does not show it")
    return EXIT.OK
