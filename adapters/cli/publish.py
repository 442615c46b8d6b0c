"""`consent-ledger streams publish`: the log and the answers to Kafka, until SIGTERM."""

from __future__ import annotations

import os

from adapters.cli.options import LedgerDir, open_house, show
from adapters.cli.streams import broker_settings


def publish(ledger: LedgerDir = None) -> None:
    """Publish the log and the contacts' answers until SIGTERM. One of several is active, the others wait.

    CONSENT_LEDGER_METRICS_PORT serves /metrics.
    """
    import logging
    import signal
    import socket
    import threading
    import time
    from contextlib import ExitStack, closing

    settings, servers = broker_settings()
    from prometheus_client import REGISTRY, start_http_server

    from adapters.kafka.progress import Progress
    from adapters.kafka.publishing import Clocks, Wanted, publisher
    from adapters.wiring import now

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    with ExitStack() as stack:
        house = stack.enter_context(open_house(ledger, make=True))
        progress = stack.enter_context(closing(Progress.open(house.location("streams"))))
        if settings.metrics_port is not None:
            server, _ = start_http_server(settings.metrics_port, settings.http_host, REGISTRY)
            stack.callback(server.shutdown)
        running = publisher(
            house.ledger,
            house.views,
            house.runner,
            progress,
            Wanted(servers, settings.publish_rate, settings.record_ids, settings.topic_prefix),
            Clocks(now, time.monotonic),
            f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}",
            REGISTRY,
        )
        show(f"publishing ledger {house.ledger.id} to {servers}")
        running.run(stop)
        show(f"stopped; everything up to position {progress.position(running.name)} is on Kafka")
