"""`consent-ledger streams publish`: the log and the answers to Kafka, until SIGTERM."""

from __future__ import annotations

import os

from adapters.cli.options import LedgerDir, open_house
from adapters.cli.streams import broker_settings


def publish(ledger: LedgerDir = None) -> None:
    """Publish the log and the contacts' answers until SIGTERM. One of several is active, the others wait.

    CONSENT_LEDGER_KAFKA names the broker. CONSENT_LEDGER_METRICS_PORT serves /metrics.
    """
    import signal
    import socket
    import threading
    import time
    from contextlib import ExitStack, closing

    settings, servers = broker_settings()
    from prometheus_client import REGISTRY, start_http_server

    from adapters import logs
    from adapters.kafka.progress import Progress
    from adapters.kafka.publishing import Clocks, Wanted, publisher
    from adapters.kafka.quiet import keep_quiet
    from adapters.wiring import now

    lines = logs.to_stdout(now)
    logs.take_over(lines)
    keep_quiet(time.monotonic)
    stop = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    with ExitStack() as stack:
        house = stack.enter_context(open_house(ledger))
        progress = stack.enter_context(closing(Progress.open(house)))
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
        lines.write("info", "publisher.runs", position=progress.position(running.name), port=settings.metrics_port)
        running.run(stop)
        lines.write("info", "publisher.ended", position=progress.position(running.name))
