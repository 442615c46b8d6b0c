"""Publishers of one ledger in this process, each as a process of its own would be; and what a consumer makes of it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition
from prometheus_client import CollectorRegistry

from adapters.kafka.progress import Progress
from adapters.kafka.publisher import Publisher, Timing
from adapters.kafka.publishing import Clocks, Wanted, publisher
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from projections import outbox, views
from projections.announcing import Announcer
from projections.contact_status import ContactStatus
from projections.outbox import Queued
from tests.adapters.kafka.stream_world import World
from tests.ledgers import open_house
from tests.projections.histories import address, contact
from tests.waiting import BUDGET, join, until

Told = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value, headers."""

QUICK = Timing(poll=0.02, lease=10 * BUDGET, renew=0.5, look=0.1, pause=0.2, stop=BUDGET)
"""Whoever waits for the lapse of such a lease waits in vain: a test passes by what is handed over."""


class Running:
    """A publisher at work in a thread, with its own connections."""

    def __init__(
        self,
        folder: Path,
        servers: str,
        prefix: str,
        wanted: Wanted | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.house = open_house(folder, env or {})
        self.progress = Progress.open(self.house)
        self.registry = CollectorRegistry()
        self.publisher: Publisher = publisher(
            self.house.ledger,
            self.house.views,
            self.house.runner,
            self.progress,
            wanted or Wanted(servers, 10_000, prefix=prefix),
            Clocks(now, time.monotonic),
            f"test-{uuid.uuid4()}",
            self.registry,
            QUICK,
        )
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.publisher.run(self._stop)
        except BaseException as error:
            self._failed.append(error)
            raise

    def metric(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(f"consent_ledger_{name}", labels)
        assert value is not None, name
        return value

    def idle(self) -> bool:
        """Whether everything the log holds is told of, by what is stored."""
        head = self.house.ledger.log.last_position()
        with self.house.views.snapshot() as driver:
            told = views.held(driver).position == head and outbox.last_number(driver) and not outbox.waiting(driver)
        return bool(told) and self.progress.position(self.publisher.name) == head

    def stop(self) -> None:
        """End it in good order."""
        self._stop.set()
        self.house.ledger.log.announce()
        join(self._thread)
        self.progress.close()
        self.house.__exit__()
        assert not self._failed


@contextmanager
def running(
    folder: Path, servers: str, prefix: str, wanted: Wanted | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Running]:
    made = Running(folder, servers, prefix, wanted, env)
    try:
        yield made
    finally:
        made.stop()


def read_all(w: World, topic: str) -> list[Told]:
    """Every record of a topic as it is now, all partitions at once."""
    name = w.topic(topic)
    consumer = Consumer({"bootstrap.servers": w.servers, "group.id": "none", "enable.auto.commit": False})
    found: list[Told] = []
    try:
        partitions = consumer.list_topics(name, timeout=BUDGET).topics[name].partitions
        ends = {n: _end(consumer, TopicPartition(name, n)) for n in partitions}
        consumer.assign([TopicPartition(name, n, 0) for n in ends])
        missing = sum(ends.values())
        while missing > 0:
            for message in consumer.consume(min(missing, 5_000), 1.0):
                assert message.error() is None
                found.append((message.key(), message.value(), message.headers() or []))  # type: ignore[arg-type]
                missing -= 1
    finally:
        consumer.close()
    return found


def _end(consumer: Consumer, place: TopicPartition) -> int:
    """The offset a partition ends at; one just made may have no leader yet."""
    ends: list[int] = []

    def has_leader() -> bool:
        with suppress(KafkaException):
            ends.append(int(consumer.get_watermark_offsets(place, timeout=30)[1]))
        return bool(ends)

    until(has_leader, lambda: f"{place} does not answer")
    return ends[0]


def published(told: Iterable[Told]) -> dict[str, ContactStatus]:
    """What a consumer holds that reads the status topic alone: never a lower revision, nothing after a tombstone."""
    held: dict[str, tuple[int, ContactStatus | None]] = {}
    for key, value, headers in told:
        revision = int(dict(headers)["ce_revision"])
        name = (key or b"").decode()
        status = None if value is None else msgspec.json.decode(value, type=ContactStatus)
        if name not in held or (held[name][0], held[name][1] is None) <= (revision, status is None):
            held[name] = revision, status
    return {name: status for name, (_, status) in held.items() if status is not None}


def projection(house: House) -> dict[str, ContactStatus]:
    """What the ledger says of everybody who is not erased."""
    house.runner.follow(once=True)
    with house.views.snapshot() as driver:
        names = views.contacts_held(driver)
    announcer = Announcer(house.runner, house.ledger.id)
    told = announcer.announce([Queued(name, 0, 0, "event", None) for name in names], now())
    return {one.contact: one for one in told or () if not one.erased}


def same(one: dict[str, ContactStatus], other: dict[str, ContactStatus]) -> bool:
    """Whether the answers are the same; why they were sent may differ."""

    def plain(held: dict[str, ContactStatus]) -> dict[str, ContactStatus]:
        return {name: msgspec.structs.replace(value, cause="event") for name, value in held.items()}

    return plain(one) == plain(other)


def controller() -> Fact:
    return Fact(e.ControllerDescribed(stream=LEDGER_STREAM, source="t", country="US"))


def seen_in_the_us(number: int) -> Fact:
    """Allowed until a stop comes."""
    hints = (e.CountryHint("US", "declared"),)
    return Fact(e.CountryEvidenced(stream=contact(number), source="t", address=address(number), hints=hints))


def opted_out(number: int) -> Fact:
    return Fact(e.OptedOut(stream=contact(number), source="t", address=address(number), by="data_subject"))


def erased(number: int) -> Fact:
    return Fact(e.ErasureCompleted(stream=contact(number), source="t", by="system"))


def positions(told: Iterable[Told]) -> list[int]:
    """The log positions of records, as they lie."""
    return [int(dict(headers)["ce_position"]) for _, _, headers in told]
