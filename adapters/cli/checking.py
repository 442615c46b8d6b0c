"""`consent-ledger check`: the whole ledger is read, and what is not as it must be is named."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from adapters.cli.options import EXIT, out, show

_MOST_SHOWN = 50
_MOST_LISTED = 1_000


def run_check(ledger: Path | None, *, json: bool) -> int:
    """Check everything; the exit code."""
    from adapters.checking import check_ledger
    from adapters.settings import Settings

    checked = check_ledger(ledger or Settings.read(os.environ).dir, os.environ)
    found = checked.findings
    if json:
        listed = {"entries": checked.entries, "contacts": checked.contacts, "problems": len(found)}
        out(msgspec.json.encode({**listed, "listed": found[:_MOST_LISTED]}))
    else:
        for one in found[:_MOST_SHOWN]:
            show(": ".join(part for part in (one.store, one.place, one.text) if part))
        if len(found) > _MOST_SHOWN:
            show(f"and {len(found) - _MOST_SHOWN} more; --json lists up to {_MOST_LISTED}")
        if found:
            show(
                "The ledger is damaged. Do not rely on its answers; docs/how-to/back-up-and-restore.md says what to do."
            )
        else:
            show(
                f"The ledger is sound: its {checked.entries} entries about {checked.contacts} contacts, and every row "
                "that goes with them"
            )
    return EXIT.VERIFICATION if found else EXIT.OK
