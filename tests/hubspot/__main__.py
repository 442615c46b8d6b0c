"""`python -m tests.hubspot`: a fake HubSpot of so many made-up contacts, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
from datetime import date
from pathlib import Path

from adapters.hubspot.portal.writing import write_portal
from tests.hubspot.service import SECRET, fake
from tests.hubspot.state import APP, State


def main() -> None:
    """Run it."""
    asks = argparse.ArgumentParser(prog="python -m tests.hubspot", description=__doc__)
    asks.add_argument("--contacts", type=int, default=1_000, help="how many contacts")
    asks.add_argument("--port", type=int, default=8765)
    asks.add_argument("--seed", type=int, default=1, help="the same seed makes the same portal")
    asks.add_argument("--portal", type=Path, help="a folder of `consent-ledger generate portal`, in place of a new one")
    asks.add_argument("--rate", type=int, default=190, help="calls allowed in ten seconds; 0: any number")
    asks.add_argument("--webhooks", help="URL to send webhooks to")
    asks.add_argument("--public-url", help="the URL that webhooks are signed for, where it is another")
    given = asks.parse_args()
    for name in (signal.SIGINT, signal.SIGTERM):  # whoever started it in the background had the first ignored
        signal.signal(name, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as made:
        folder = given.portal or Path(made)
        if given.portal is None:
            write_portal(folder, contacts=given.contacts, seed=given.seed, today=date.today())  # noqa: DTZ011
        state = State.from_portal(folder, rate=given.rate or None)
    with fake(state, port=given.port) as here:
        print(f"fake HubSpot of {len(state.contacts):,} contacts: {here.url}", flush=True)
        print(f"token {here.token}, app {APP}, client secret {SECRET}", flush=True)
        sender = here.webhooks(given.webhooks, public_url=given.public_url) if given.webhooks else None
        try:
            if sender is not None:
                sender.__enter__()
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
        finally:
            if sender is not None:
                sender.close()


if __name__ == "__main__":
    main()
