"""A service that takes HubSpot's webhooks, in a process of its own, for `bench_webhooks`."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import closing
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry

from adapters.inbox import Inbox
from adapters.logs import Lines
from adapters.web.app import make_app
from adapters.web.keys import KeyFile
from adapters.wiring import now
from tests.adapters.hubspot_hooks import receiver
from tests.ledgers import open_house


def serve(home: Path) -> None:
    """Serve until SIGTERM; prints the port."""
    with open_house(home, {}) as house, closing(Inbox.open(house)) as inbox, Path(os.devnull).open("w") as nowhere:
        lines, registry = Lines(nowhere, now), CollectorRegistry()
        app = make_app(house, KeyFile(home), now, lines, registry, os.urandom, receivers=[receiver()], inbox=inbox)
        config = uvicorn.Config(app, port=0, http="httptools", log_config=None, access_log=False, server_header=False)
        listening = config.bind_socket()
        listening.listen()  # whoever comes before the server runs is kept waiting, not refused
        gc.freeze()  # as `serve` does
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
