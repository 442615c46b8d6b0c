"""The gate: in process against the raw indexed SELECT of its row, over HTTP against a constant of the same framework.

Both sides of a pair take turns in one run. In process the raw SELECT is one that sees all that is committed, as
the gate must. Over HTTP the constant is an ordinary route of an application made as ours is, without keys, log or
measures, served by the same kind of server in the same process, and asked by the same client.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from adapters.logs import to_stdout
from adapters.metrics import Metrics
from adapters.submitting import Submission, take
from adapters.web.following import Follower
from adapters.web.gate import gate_answer
from adapters.web.operations import Service, Turns
from adapters.web.rates import UNLIMITED, Limits
from adapters.web.shapes import GateQuestion
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.database import uuid_bytes
from ledger.terms import LEDGER_STREAM
from tests.bench import gate_server
from tests.bench.figures import line
from tests.ledgers import open_house

CONTACTS, ASKED, ROUNDS, SECONDS = 20_000, 2_000, 9, 1.0
CONNECTIONS = 16
IN_PROCESS, OVER_HTTP = 0.4, 0.5
SIMILAR = "marketing.similar"
_SELECT = (
    "SELECT contact, purpose, channel, address, segments, next_change, revision FROM status "
    "WHERE contact = ? AND purpose = 'marketing.similar' AND channel = 'email' AND address = ?"
)


class Whom(NamedTuple):
    """Somebody to ask about."""

    email: str
    contact: str
    address: str


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Every figure of this module: calls a second on one core."""
    contacts, asked, rounds, seconds = (300, 50, 2, 0.1) if quick else (CONTACTS, ASKED, ROUNDS, SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "ledger"
        with open_house(home, {}) as house:
            people = _fill(house, contacts, asked)
            pace = _in_process(house, people, rounds)
        over_http = _over_http(home, people[0], rounds, seconds)
    return [
        line("gate in process, calls/s, against the raw SELECT of its row", pace.gate, pace.raw, IN_PROCESS),
        line("the same against that SELECT in a transaction that sees nothing new", pace.gate, pace.frozen, None),
        line("the whole answer by e-mail address, calls/s, against the raw SELECT", pace.whole, pace.raw, None),
        line("gate over HTTP, calls/s, against a constant of the same framework", *over_http, OVER_HTTP),
    ]


def _fill(house: House, contacts: int, asked: int) -> list[Whom]:
    """People who may be written to, with rows that are current."""
    grant = {"act": "unticked_box", "purposes": ["marketing.similar"], "channels": ["email"], "proof": "individual"}
    emails = [f"person{number}@example.org" for number in range(contacts)]
    seen = {"hints": [{"country": "US", "kind": "declared"}]}
    house.ledger.record(Fact(e.ControllerDescribed(stream=LEDGER_STREAM, source="bench", country="US")))
    for topic, fields in (("contact.opted_in.v1", grant), ("contact.country_evidenced.v1", seen)):
        take(house, [_told(email, topic, fields) for email in emails])
    house.runner.rebuild()
    chosen = [Whom(email, *house.find(email)) for email in random.Random(7).sample(emails, asked)]
    assert all(house.gate.ask(who.contact, SIMILAR, "email", who.address, now()).allowed for who in chosen)
    return chosen


def _told(email: str, topic: str, fields: dict[str, Any]) -> Submission:
    data = json.dumps({"person": {"email": email}, **fields}).encode()
    return Submission("bench", f"{topic} {email}", topic, None, data)


class _Paces(NamedTuple):
    """Calls a second: the gate by id, the service's whole answer by e-mail address, and the raw SELECT twice.

    raw     on a connection as the gate's: each SELECT sees all that is committed
    frozen  in one transaction held open: quicker, and sees nothing that comes
    """

    gate: float
    whole: float
    raw: float
    frozen: float


def _in_process(house: House, people: list[Whom], rounds: int) -> _Paces:
    """Each side by the same people."""
    follower = Follower(house.runner, house.ledger, house.away, to_stdout(now))
    limits, turns = Limits(UNLIMITED, UNLIMITED, time.monotonic), Turns(1, 1.0)
    service = Service(
        house,
        house.runner,
        follower,
        Metrics(CollectorRegistry()),
        now,
        0.0,
        0,
        limits=limits,
        facts=turns,
        deliveries=turns,
        reads=turns,
    )
    by_email = [GateQuestion(email=who.email, purpose=SIMILAR) for who in people]
    keys = [(uuid_bytes(who.contact), uuid_bytes(who.address)) for who in people]
    generations = house.views.generations

    def gate(one: int) -> object:
        return house.gate.ask(people[one].contact, SIMILAR, "email", people[one].address, now())

    def whole(one: int) -> object:
        return gate_answer(service, by_email[one])

    with closing(generations.open(generations.current())) as database, database.reading() as driver:

        def raw(one: int) -> object:
            return driver.execute(_SELECT, keys[one]).fetchone()

        assert raw(0) is not None
        gate_pace, whole_pace, raw_pace = _in_turn([gate, whole, raw], len(people), rounds)
        driver.execute("BEGIN")  # only now: SQLite locks a file once for all connections of a process
        _, frozen = _in_turn([gate, raw], len(people), rounds)
        driver.execute("COMMIT")
    return _Paces(gate_pace, whole_pace, raw_pace, frozen)


def _in_turn(sides: list[Callable[[int], object]], calls: int, rounds: int) -> list[float]:
    """Calls a second of each side, by the median of its calls; the sides take turns call by call."""
    taken: list[list[int]] = [[] for _ in sides]
    for _ in range(rounds):
        for one in range(calls):
            for side, times in zip(sides, taken, strict=True):
                began = time.perf_counter_ns()
                side(one)
                times.append(time.perf_counter_ns() - began)
    return [1e9 / statistics.median(times) for times in taken]


# --- over HTTP -----------------------------------------------------------------------------------


def _over_http(home: Path, who: Whom, rounds: int, seconds: float) -> tuple[float, float]:
    with _server(home) as (key, gate_port, constant_port):
        body = json.dumps({"email": who.email, "purpose": SIMILAR}).encode()
        sides = [
            (gate_port, _request("/v1/gate", body, key)),
            (constant_port, _request("/constant", body, key)),
        ]
        paces: list[list[float]] = [[], []]
        for _ in range(rounds + 1):
            for (port, request), pace in zip(sides, paces, strict=True):
                pace.append(asyncio.run(_load(port, request, seconds)))
    ours, constant = (statistics.median(pace[1:]) for pace in paces)
    return ours, constant


@contextmanager
def _server(home: Path) -> Iterator[tuple[str, int, int]]:
    """A process that serves both; its key and ports."""
    process = subprocess.Popen([sys.executable, "-m", gate_server.__name__, str(home)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        key, gate, constant = process.stdout.readline().decode().split()
        yield key, int(gate), int(constant)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _request(path: str, body: bytes, key: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nauthorization: Bearer {key}\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body


class _Asker(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes) -> None:
        self.answers, self._request, self._read = 0, request, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]) if found else 1
        if not found or len(body) < length:
            return
        assert head.startswith(b"HTTP/1.1 200"), head
        self.answers += 1
        self._read = b""
        if self._transport is not None:
            self._transport.write(self._request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def _load(port: int, request: bytes, seconds: float) -> float:
    """Answers a second over some connections."""
    loop = asyncio.get_running_loop()
    askers = [(await loop.create_connection(lambda: _Asker(request), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    began, before = time.perf_counter(), sum(asker.answers for asker in askers)
    await asyncio.sleep(seconds)
    pace = (sum(asker.answers for asker in askers) - before) / (time.perf_counter() - began)
    for asker in askers:
        asker.close()
    return pace
