"""`generate portal`: a made-up portal with everything in it, and the truth beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from adapters.cli.options import EXIT, show
from adapters.files import check_folder
from adapters.hubspot.portal import write_portal
from adapters.wiring import now


def run_generate(folder: Path, contacts: int, seed: int, today: datetime | None) -> int:
    """Write the portal; the exit code."""
    check_folder(folder)
    write_portal(folder, contacts=contacts, seed=seed, today=(today or now()).date())
    show(f"wrote a made-up portal of {contacts:,} contacts into {folder}; the truth about each is in truth.json")
    return EXIT.OK
