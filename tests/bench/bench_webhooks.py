"""Webhooks in: requests a second that are answered with all they hold on disk, while what they say is recorded.

A process of its own serves, as `consent-ledger serve` does; the client runs on the other core. Every request is
signed and new. Nothing counts until the inbox is empty: what was answered and what was recorded are told apart.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from adapters.wiring import now
from ledger.vault import Registration
from tests.adapters.hubspot_hooks import URL, body_of, notice, signed
from tests.bench import webhook_server
from tests.bench.figures import line
from tests.ledgers import open_house

PEOPLE, REQUESTS, MANY_REQUESTS, MANY = 2_000, 4_000, 200, 100
CONNECTIONS = 10
"""HubSpot keeps that many requests open, unless it is told otherwise."""
BAR = 300.0


class _Paces(NamedTuple):
    """Requests answered a second, notices recorded a second, and the slowest answer in seconds."""

    answered: float
    recorded: float
    slowest: float


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Every figure of this module."""
    people, few, many = (20, 40, 3) if quick else (PEOPLE, REQUESTS, MANY_REQUESTS)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "ledger"
        with open_house(home, {}) as house:
            house.ledger.register_many(
                [Registration(f"person{n}@example.org", "hubspot", str(n)) for n in range(1, people + 1)]
            )
        counter = itertools.count(1)
        with _server(home) as port:
            one = _measured(port, [_request(counter, people, 1) for _ in range(few)])
            hundred = _measured(port, [_request(counter, people, MANY) for _ in range(many)])
    return [
        line(
            "webhooks answered with all on disk, requests/s, against those that are to be had", one.answered, BAR, 1.0
        ),
        line("the same until each is recorded as a fact", one.recorded, BAR, None),
        line(f"with {MANY} notices in a request: notices answered/s", hundred.answered * MANY, BAR, 1.0),
        line("the same until each is recorded as a fact", hundred.recorded, BAR, None),
        line("the slowest answer of them, in a second", 1 / max(one.slowest, hundred.slowest), 1.0, 1.0),
    ]


@contextmanager
def _server(home: Path) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-m", webhook_server.__name__, str(home)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _request(counter: Iterator[int], people: int, many: int) -> bytes:
    """One signed request of notices that are new."""
    numbers = [next(counter) for _ in range(many)]
    body = body_of(*(notice(1 + n % people, "true" if n % 2 else "false", at=n) for n in numbers))
    path = URL.removeprefix("https://consent.example.org")
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in signed(body, now()).items())
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


def _measured(port: int, requests: list[bytes]) -> _Paces:
    notices = sum(request.count(b'"eventId"') for request in requests)
    began = time.perf_counter()
    slowest = asyncio.run(_send(port, requests))
    answered = time.perf_counter() - began
    while _waiting(port):
        time.sleep(0.02)
    return _Paces(len(requests) / answered, notices / (time.perf_counter() - began), slowest)


def _waiting(port: int) -> bool:
    page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    return "consent_ledger_webhooks_waiting 0.0" not in page


async def _send(port: int, requests: list[bytes]) -> float:
    """Send them all over a few connections; the slowest answer."""
    left, slowest = iter(requests), 0.0

    async def connection() -> None:
        nonlocal slowest
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
            slowest = max(slowest, time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return slowest
