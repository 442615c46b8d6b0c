"""A worker: one consumer group's member, from start to SIGTERM, with its watchdog, its metrics and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, NamedTuple

import faust
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter, Gauge

from adapters.kafka.agents import MOST, Counted, add_agent
from adapters.kafka.faust_app import make_app
from adapters.kafka.observing import Observer
from adapters.kafka.readiness import Watchdog
from adapters.kafka.records import Handle
from adapters.kafka.worker_http import serving

STOP_SECONDS = 6.0
"""After SIGTERM; whoever sent it waits for ten, as a rule."""
_LOOK_SECONDS = 2.0
_DEAF_SECONDS = 30.0
_DONE, _OURS, _BROKEN = 0, 1, 75
log = logging.getLogger(__name__)


class Work(NamedTuple):
    """What a worker does: which topic it reads as which group, how, and what it waits for when it is away.

    most  records it is given at a time: few, where each of them takes long, or the broker hears of none for too long
    """

    group: str
    topic: str
    handle: Handle
    away: tuple[type[Exception], ...]
    most: int = MOST


class Member(NamedTuple):
    """A worker of a group: its name to the broker, which broker, and its HTTP port (None: without; 0: a free one).

    session      seconds after which the broker gives its partitions to others when it is silent
    stuck_after  seconds without a commit, while records wait, after which it is not ready
    """

    name: str
    servers: str
    host: str
    port: int | None
    session: float
    stuck_after: float


def run(work: Work, member: Member, started: Callable[[int | None], None]) -> int:
    """Work until SIGTERM or SIGINT; the exit code. `started` is told the HTTP port."""
    return asyncio.run(_run(work, member, started))


async def _run(work: Work, member: Member, started: Callable[[int | None], None]) -> int:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked.set)
    registry = CollectorRegistry()
    watchdog = Watchdog(member.name, member.stuck_after)
    pulse = [time.monotonic()]
    app = make_app(work.group, member.name, member.servers, member.session)
    add_agent(app, work.topic, work.handle, work.away, _counted(registry), work.most)
    app.finalize()
    with ExitStack() as stack:
        port = None
        if member.port is not None:
            _gauges(registry, watchdog)
            port = stack.enter_context(
                serving(member.host, member.port, lambda: _deaf(pulse[0]), lambda: _unready(watchdog), registry)
            )
        watch = asyncio.create_task(_watch(watchdog, work, member, pulse))
        try:
            await app.start()
        except KafkaError as error:
            log.warning("the broker does not answer: %s", type(error).__name__)
            await _end(app, (watch,))
            return _BROKEN
        started(port)
        ended = asyncio.create_task(app.wait_until_stopped())
        stop = asyncio.create_task(asked.wait())
        await asyncio.wait((ended, stop, app.broken, watch), return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        await _end(app, (ended, stop, watch))
    if app.broken.done():
        log.error("the handler failed", exc_info=app.broken.result())
        return _OURS
    return _DONE if asked.is_set() else _BROKEN


async def _end(app: faust.App, tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Stop in good order, within the time there is."""
    # A handler that waits for a lock would hold the process. What it was at is not acknowledged, and comes again.
    late = threading.Timer(STOP_SECONDS, os._exit, [_BROKEN])
    late.daemon = True
    late.start()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await app.stop()
    await asyncio.get_running_loop().shutdown_default_executor()
    late.cancel()


async def _watch(watchdog: Watchdog, work: Work, member: Member, pulse: list[float]) -> None:
    observer = Observer(member.servers, work.group, work.topic)
    try:
        while True:
            seen = await observer.look()
            pulse[0] = time.monotonic()
            if seen is not None:
                watchdog.look(seen, pulse[0])
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await observer.close()


def _deaf(pulse: float) -> str | None:
    return "the event loop stands still" if time.monotonic() - pulse > _DEAF_SECONDS else None


def _unready(watchdog: Watchdog) -> str | None:
    return watchdog.not_ready(time.monotonic())


def _counted(registry: CollectorRegistry) -> Counted:
    def counter(name: str, about: str) -> Callable[[int], None]:
        return Counter(f"consent_ledger_worker_{name}", about, registry=registry).inc

    return Counted(
        counter("records", "records done"),
        counter("dead_letters", "records that became a dead letter"),
        counter("retries", "batches tried again because a database or the broker was away"),
    )


def _gauges(registry: CollectorRegistry, watchdog: Watchdog) -> None:
    """What the watchdog knows, read when it is asked for."""

    def lag() -> float:
        seen = watchdog.seen
        return sum(seen.lag(partition) for partition in seen.ends) if seen else float("nan")

    def ready() -> float:
        return float(_unready(watchdog) is None)

    Gauge("consent_ledger_worker_lag", "records of the group not committed yet", registry=registry).set_function(lag)
    Gauge("consent_ledger_worker_ready", "1: it gets on", registry=registry).set_function(ready)
