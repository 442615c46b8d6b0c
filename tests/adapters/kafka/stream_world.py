"""Workers as processes, on the run's broker, on topics of a test's own; and what they are given to read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from adapters.kafka.admin import connect, setup
from adapters.kafka.messages import Message, status_message
from adapters.kafka.topics import named
from projections.contact_status import ContactStatus, ToldCell, ToldSegment
from tests.services.kafka import broker
from tests.services.program import Program
from tests.waiting import BUDGET, until

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEDGER = "7f2c1b7e-5e0f-4d55-9a63-2f0f3f0f8b11"
SESSION = 3.0


class World:
    """One broker, one prefix, one folder; its workers end with it."""

    def __init__(self, folder: Path, servers: str) -> None:
        self.folder = folder
        self.servers = servers
        self.prefix = f"t{uuid.uuid4().hex[:10]}."
        self.admin = connect(servers)
        self.workers: list[Worker] = []
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "log_level": 0,
            }
        )

    @property
    def env(self) -> dict[str, str]:
        """The settings of every process of this world."""
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        return kept | {
            "CONSENT_LEDGER_KAFKA": self.servers,
            "CONSENT_LEDGER_TOPIC_PREFIX": self.prefix,
            "CONSENT_LEDGER_DIR": str(self.folder / "ledger"),
            "CONSENT_LEDGER_MIRROR_URL": f"sqlite:///{self.folder / 'mirror.db'}",
            "CONSENT_LEDGER_METRICS_PORT": "0",
            "CONSENT_LEDGER_WORKER_SESSION": str(SESSION),
            "CONSENT_LEDGER_WORKER_STUCK_AFTER": "4",
            "NO_COLOR": "1",
        }

    def topic(self, name: str) -> str:
        """A topic's name here."""
        return named(name, self.prefix)

    def setup(self) -> None:
        """Make the topics."""
        setup(self.servers, self.prefix)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line."""
        command = [sys.executable, "-m", "adapters.cli", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=BUDGET, check=False)

    def worker(self, which: str, **env: str) -> Worker:
        """Start a worker; it is joining when this returns. One that records has a ledger."""
        if which != "mirror":
            made = subprocess.run(
                [sys.executable, "-m", "adapters.cli", "init", "--if-absent"],
                env=self.env | env,
                capture_output=True,
                text=True,
                timeout=BUDGET,
                check=False,
            )
            assert made.returncode == 0, made.stderr
        started = Worker(which, self.env | env, self.folder / f"{which}-{len(self.workers)}.log")
        self.workers.append(started)
        return started

    def send(self, messages: Iterable[Message]) -> int:
        """Send records and wait until they are there; how many."""
        count = 0
        for message in messages:
            self.produce(message.topic, message.key, message.value, message.headers)
            count += 1
        assert self._producer.flush(BUDGET) == 0
        return count

    def produce(self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        """Hand one record to the producer; `send(())` waits for it."""
        while True:
            try:
                self._producer.produce(topic, value, key, headers=[*headers])
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def drained(self, which: str, topic: str) -> None:
        """Wait until the group of these workers has committed all that lies on the topic."""
        group = f"{self.prefix}consent-ledger-{which}"
        with lag(self.servers, group, self.topic(topic)) as left:
            until(lambda: left() == 0, lambda: "\n".join(worker.said() for worker in self.workers))

    def read(self, topic: str) -> list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]:
        """Every record of a topic, as it is now."""
        consumer = Consumer(
            {"bootstrap.servers": self.servers, "group.id": "none", "enable.auto.commit": False, "log_level": 0}
        )
        found = []
        try:
            for partition in (
                consumer.list_topics(self.topic(topic), timeout=BUDGET).topics[self.topic(topic)].partitions
            ):
                place = TopicPartition(self.topic(topic), partition, 0)
                _, high = consumer.get_watermark_offsets(place, timeout=BUDGET)
                consumer.assign([place])
                while high and consumer.position([place])[0].offset < high:
                    for message in consumer.consume(500, 0.5):
                        assert message.error() is None
                        found.append((message.key(), message.value(), message.headers() or []))
        finally:
            consumer.close()
        return found  # type: ignore[return-value]

    def close(self) -> None:
        """End what still runs."""
        for worker in self.workers:
            worker.kill()


class Worker(Program):
    """A worker's process."""

    def __init__(self, which: str, env: dict[str, str], log: Path) -> None:
        super().__init__(["streams", "worker", which], env, log)


@contextmanager
def world(folder: Path, servers: str | None = None) -> Iterator[World]:
    """A world with its topics made."""
    made = World(folder, servers or broker())
    try:
        made.setup()
        yield made
    finally:
        made.close()


@contextmanager
def lag(servers: str, group: str, topic: str) -> Iterator[Callable[[], int | None]]:
    """How much of a topic a group has not committed; None while the broker does not say."""
    settings = {"bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False, "log_level": 0}
    consumer = Consumer(settings)

    def left() -> int | None:
        try:
            partitions = consumer.list_topics(topic, timeout=5).topics[topic].partitions
            found = consumer.committed([TopicPartition(topic, partition) for partition in partitions], timeout=5)
            return sum(consumer.get_watermark_offsets(at, timeout=5)[1] - max(0, at.offset) for at in found)
        except KafkaException:
            return None

    try:
        yield left
    finally:
        consumer.close()


def contact(number: int) -> str:
    """The id of a contact."""
    return str(uuid.UUID(int=(number + 1) << 64 | 0x8000_0000_0000_0000 | 4 << 76))


def status(number: int, revision: int) -> ContactStatus:
    """What would be told of a contact; another thing at every revision."""
    allowed = revision % 3 == 0
    cells = tuple(
        ToldCell(
            purpose=f"marketing.{place}",
            channel="email",
            address=contact(number + 1_000_000) if place % 2 else None,
            allowed=allowed,
            basis="explicit_consent" if allowed else None,
            rule="eu.consent" if allowed else None,
            reason=f"revision {revision}",
            marketing_status="marketing" if allowed else "non_marketing",
            segments=(ToldSegment(AT, allowed, "r", None, ()),),
        )
        for place in range(1 + (number + revision) % 3)
    )
    return ContactStatus(
        contact=contact(number),
        controller=LEDGER,
        revision=revision,
        cause="event",
        position=revision // 1_000_000 + 1,
        at=AT,
        policy="p",
        marketing_status=cells[0].marketing_status,
        cells=cells,
    )


def told(world: World, number: int, revision: int, *, gone: bool = False) -> Message:
    """The record of it; `gone`: a tombstone."""
    value = None if gone else msgspec.json.encode(status(number, revision))
    return status_message(LEDGER, contact(number), revision, value, AT.isoformat(), world.prefix)


def fact(email: str, source_id: str, topic: str = "contact.opted_in.v1", **fields: Any) -> tuple[list[Any], bytes]:
    """Headers and value of a submitted fact, in binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", source_id.encode()),
        ("ce_source", b"shop"),
        ("ce_type", topic.encode()),
        ("content-type", b"application/json"),
    ]
    data = {"person": {"email": email}, "act": "unticked_box", "purposes": ["marketing.similar"]} | fields
    return headers, json.dumps(data).encode()
