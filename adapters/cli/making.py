"""`consent-ledger init` and `consent-ledger upgrade`: a ledger is made once, and given its identity once."""

from __future__ import annotations

import os
from pathlib import Path

from adapters.cli.options import EXIT, ledger_directory, make_ledger, show


def run_init(ledger: Path | None, *, if_absent: bool) -> int:
    """Make a ledger; the exit code."""
    where = ledger_directory(ledger)
    if make_ledger(where, os.environ):
        return EXIT.OK
    show(f"there is a ledger in {where} already; its keys, log and vault fit together")
    return EXIT.OK if if_absent else EXIT.ERROR


def run_upgrade(ledger: Path | None) -> int:
    """Give a ledger made by an earlier version its identity; the exit code."""
    from adapters.wiring import now, place_of
    from ledger.application import Ledger
    from ledger.opening import upgrade_parts

    where = ledger_directory(ledger)
    place = place_of(where, os.environ)
    identity = upgrade_parts(place, now, os.urandom, os.environ)
    Ledger.open(place.home, now, os.urandom, os.environ, place.database_url).close()  # links what became alike
    if identity is None:
        show(f"the ledger in {where} has its identity, and its keys, log and vault fit together: nothing to do")
    else:
        show(f"the keys open the vault; the ledger in {where} is {identity.ledger}, epoch {identity.epoch}")
    return EXIT.OK
