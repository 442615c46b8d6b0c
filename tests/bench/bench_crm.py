"""What keeping HubSpot in step costs: the worker's own time, and calls, for contacts that have changed.

The fake HubSpot is another process. HubSpot allows 190 calls in ten seconds; 100,000 contacts would take minutes of
waiting, so they are written at ten times that rate, and the processor time of this process is held against the time
that the calls made would take at 190. A sample goes through the whole worker, with Kafka and Faust, at 190 itself.
Every contact has changed: three in five left everything, one in five one purpose, one in five has no basis; each
has a verdict to be written. What is switched on is not among them: HubSpot has no batch call that may be used for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from pydantic import SecretStr

from adapters.cli.hubspot_sync import HubSpotKeeper
from adapters.hubspot.api.client import Client
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.sync.apply import MOST, Sync
from adapters.hubspot.sync.store import Book
from adapters.kafka.admin import setup
from adapters.kafka.crm import keeping
from adapters.kafka.messages import Place, status_message
from adapters.kafka.records import Record
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from projections.announcing import encode
from projections.contact_status import ContactStatus
from tests.adapters.kafka.stream_world import lag
from tests.bench import crm_side
from tests.bench.figures import line
from tests.ledgers import open_house
from tests.services.kafka import Broker
from tests.waiting import until

CONTACTS, SAMPLE, SINGLES = 100_000, 10_000, 2_000
RATE, SECONDS = 190, 10.0
"""What HubSpot allows a private app of a Professional or Enterprise portal."""
BUSY, CALLS = 0.5, 1.1
LEFT = datetime(2026, 10, 1, tzinfo=UTC)


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Busy shares, and calls for each contact."""
    contacts, sample, singles = (1_000, 500, 200) if quick else (CONTACTS, SAMPLE, SINGLES)
    with tempfile.TemporaryDirectory() as folder, _portal(contacts + sample + singles) as portal:
        with open_house(Path(folder) / "ledger", {}) as house:
            people = _people(house, contacts + sample + singles, portal.first)
            portal.ask(f"rate {RATE * 10}")
            busy, calls = _written(house, portal, people[:contacts])
        portal.ask(f"rate {RATE}")
        worker_busy, took = _by_the_worker(Path(folder), portal, people[contacts : contacts + sample])
        portal.ask("professional")
        portal.ask(f"rate {RATE * 10}")
        with open_house(Path(folder) / "ledger", {}) as house:
            _, single_calls = _written(house, portal, people[contacts + sample :])
    imposed = calls * SECONDS / RATE
    return [
        line(
            f"crm: seconds busy for {contacts:,} contacts, of those HubSpot's rate imposes",
            busy,
            imposed,
            BUSY,
            at_most=True,
        ),
        line(f"the same for {sample:,} through Kafka and Faust at that rate", worker_busy, took, BUSY, at_most=True),
        line("crm: calls for each changed contact, with batch calls", calls, contacts, CALLS, at_most=True),
        line("the same where subscriptions are written one by one (Professional)", single_calls, singles, None),
    ]


class _Portal:
    """The other process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.url, self.token, first = process.stdout.readline().split()
        self.first = int(first)

    def ask(self, line: str) -> int:
        """Calls it was asked by now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def _portal(contacts: int) -> Iterator[_Portal]:
    command = [sys.executable, "-m", crm_side.__name__, str(contacts)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield _Portal(process)
        assert process.stdin is not None
        process.stdin.close()


def _people(house: House, count: int, first: int) -> list[str]:
    """Contacts with five entries each."""
    house.describe_controller("Sample Goods GmbH", "DE", "DE")
    about: dict[str, Any] = {"stream": LEDGER_STREAM, "source": "cli", "by": "officer", "evidence": ("f" * 64,)}
    declared = e.TypeDeclared(
        **about, key="type:news", subscription_type="product-news", purposes=("marketing.survey",)
    )
    house.ledger.record(Fact(declared))
    wanted = [Registration(crm_side.email(number), "hubspot", str(first + number)) for number in range(count)]
    people = house.ledger.register_many(wanted)
    house.ledger.record_many(
        fact for number, one in enumerate(people) for fact in _facts(number, one.contact, one.address)
    )
    return [one.contact for one in people]


def _facts(number: int, contact: str, address: str | None) -> Iterator[Fact]:
    common: dict[str, Any] = {"stream": contact, "address": address, "source": "hubspot"}
    yield Fact(e.BasisClaimed(**common, by="system", claims=("consent",)))
    yield Fact(e.CampaignMailSent(**common, by="system", occurred_from=LEFT, campaign="spring"))
    yield Fact(e.Clicked(**common, by="data_subject", occurred_from=LEFT))
    if number % 5 < 3:
        yield Fact(e.OptedOut(**common, by="data_subject", occurred_from=LEFT))
    elif number % 5 == 3:
        yield Fact(e.OptedOut(**common, by="data_subject", occurred_from=LEFT, purposes=("marketing.survey",)))


def _records(ledger: str, contacts: Sequence[str]) -> Iterator[Record]:
    for number, contact in enumerate(contacts):
        told = ContactStatus(
            contact=contact,
            controller=ledger,
            revision=1,
            cause="event",
            position=1,
            at=LEFT,
            policy="",
            marketing_status="non_marketing",
            cells=(),
        )
        topic, key, value, headers = status_message(ledger, contact, 1, encode(told), LEFT.isoformat(), "bench.")
        yield Record(Place(topic, 0, number), key, value, headers)


def _written(house: House, portal: _Portal, contacts: Sequence[str]) -> tuple[float, int]:
    """Processor seconds of this process, and the calls that were made."""
    records = list(_records(house.ledger.id, contacts))
    connection = Connection(portal.url, SecretStr(portal.token))
    with Client(connection, time.monotonic, time.sleep, lambda: 0.5) as client, Book.open(house) as book:
        there = Portal(client)
        sync = Sync(house, there, book, now)
        sync.prepare()
        handle = keeping(HubSpotKeeper(sync, there, True, False, lambda *_: None), house.ledger.id, "bench.", now)
        before, began = portal.ask("calls"), time.process_time()
        for start in range(0, len(records), MOST):
            effects = handle(records[start : start + MOST])
            assert effects.dead == 0
        return time.process_time() - began, portal.ask("calls") - before


def _by_the_worker(folder: Path, portal: _Portal, contacts: Sequence[str]) -> tuple[float, float]:
    """Processor seconds of the worker, and the seconds it took, from its first calls to its last commit."""
    broker = Broker(folder / "kafka")
    broker.start()
    try:
        setup(broker.url, "bench.")
        producer = Producer({"bootstrap.servers": broker.url, "enable.idempotence": True, "linger.ms": 20})
        for record in _records("bench", contacts):
            producer.produce(record.place.topic, record.value, record.key, headers=list(record.headers))
            producer.poll(0)
        assert producer.flush(60) == 0
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
            "CONSENT_LEDGER_KAFKA": broker.url,
            "CONSENT_LEDGER_TOPIC_PREFIX": "bench.",
            "CONSENT_LEDGER_DIR": str(folder / "ledger"),
            "CONSENT_LEDGER_HUBSPOT_URL": portal.url,
            "CONSENT_LEDGER_HUBSPOT_TOKEN": portal.token,
        }
        command = [sys.executable, "-m", "adapters.cli", "streams", "worker", "crm", "--apply"]
        before = portal.ask("calls")
        with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as worker:
            until(lambda: portal.ask("calls") > before + 15, lambda: "the worker makes no calls")
            began, busy = time.perf_counter(), _busy(worker.pid)
            with lag(broker.url, "bench.consent-ledger-crm", "bench.consent.contact-status.v1") as left:
                until(lambda: left() == 0, lambda: "the worker does not come to an end")
            found = _busy(worker.pid) - busy, time.perf_counter() - began
            worker.terminate()
        return found
    finally:
        broker.stop()


def _busy(process: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
