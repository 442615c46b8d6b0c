"""The publisher on real Kafka: how fast the log goes out, how soon a fact is there, and whether it is all there.

The reference is confluent-kafka's own idempotent producer with the same settings, given the same records made
beforehand: key, value, headers, a delivery callback for each. Ours reads the log, makes the records and stores
its position. The two take turns. A fact's delay is from before its append to its arrival at a consumer.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from adapters.kafka.admin import setup
from adapters.kafka.event_feed import EventFeed
from adapters.kafka.messages import Message, event_message
from adapters.kafka.progress import Progress
from adapters.kafka.sending import SETTINGS, Batch, Sender
from adapters.kafka.topics import EVENTS, STATUS, named
from adapters.wiring import House, now
from ledger.log import Log
from tests.adapters.kafka.publishing_world import (
    controller,
    opted_out,
    projection,
    published,
    read_all,
    running,
    same,
    seen_in_the_us,
)
from tests.adapters.kafka.stream_world import World
from tests.bench.figures import line
from tests.bench.mix import kept_log
from tests.ledgers import open_house
from tests.services import shared
from tests.services.kafka import broker

EVENTS_SENT, ROUNDS = 200_000, 5
FACTS, PER_SECOND = 1_500, 50
CONTACTS = 100_000
RATE, P50_MS, P99_MS = 0.5, 250.0, 2_000.0
LEDGER = "7f2c1b7e-5e0f-4d55-9a63-2f0f3f0f8b11"


def run(quick: bool = False) -> list[dict[str, Any]]:
    """All three; `quick` only that they run."""
    with _servers() as servers:
        ours, raw = rates(servers, 20_000 if quick else EVENTS_SENT, 1 if quick else ROUNDS)
        delays = delay(servers, 100 if quick else FACTS)
        contacts = 1_000 if quick else CONTACTS
        whole = everybody_arrives(servers, contacts)
    lines = [line("publish: entries a second, against confluent-kafka's own produce", ours, raw, RATE)]
    for topic, found in delays.items():
        p50, p99 = statistics.median(found), sorted(found)[math.ceil(len(found) * 0.99) - 1]
        lines.append(line(f"append to {topic}, p50 ms at {PER_SECOND} facts/s", p50, P50_MS, 1.0, at_most=True))
        lines.append(line(f"append to {topic}, p99 ms at {PER_SECOND} facts/s", p99, P99_MS, 1.0, at_most=True))
    lines.append(line(f"contacts of {contacts:,} that a reader of the topic has as the ledger", whole, contacts, 1.0))
    return lines


@contextmanager
def _servers() -> Iterator[str]:
    shared.open_run()
    try:
        yield broker()
    finally:
        shared.close_run()


# --- how fast ---------------------------------------------------------------------------------------


def rates(servers: str, events: int, rounds: int) -> tuple[float, float]:
    """Entries a second: ours and the producer's own; medians of rounds that take turns."""
    prefix = f"b{uuid.uuid4().hex[:8]}."
    setup(servers, prefix)
    ours: list[float] = []
    raw: list[float] = []
    with Log.make(kept_log(events), now) as log, tempfile.TemporaryDirectory() as folder:
        rows = list(log.entries())
        messages = [event_message(LEDGER, *row, prefix) for row in rows]
        for number in range(rounds):
            raw.append(len(messages) / _produce(servers, messages))
            ours.append(len(rows) / _publish(servers, log, Path(folder) / f"{number}.db", prefix, len(rows)))
    return statistics.median(ours), statistics.median(raw)


def _produce(servers: str, messages: list[Message]) -> float:
    """Seconds of the plain loop: produce, serve callbacks, flush."""
    producer: Any = Producer({**SETTINGS, "bootstrap.servers": servers})
    batch = Batch()
    begun = time.perf_counter()
    for topic, key, value, headers in messages:
        producer.produce(topic, value, key, on_delivery=batch.reported, headers=headers)
        batch.count += 1
        if batch.count % 1_000 == 0:
            producer.poll(0)
    producer.flush()
    took = time.perf_counter() - begun
    assert batch.is_delivered
    return took


def _publish(servers: str, log: Log, store: Path, prefix: str, last: int) -> float:
    """Seconds until the position of the last entry is stored."""
    progress = Progress.at(store)
    sender = Sender(servers)
    sender.start()
    feed = EventFeed(log, LEDGER, sender, progress, prefix)
    progress.lease(feed.name, "bench", now(), 3_600)
    feed.begin()
    begun = time.perf_counter()
    while feed.position < last:
        sent = feed.send()
        sender.poll(0 if sent else 0.05)
        feed.settle("bench", now())
    took = time.perf_counter() - begun
    progress.close()
    return took


# --- how soon ---------------------------------------------------------------------------------------


def delay(servers: str, facts: int) -> dict[str, list[float]]:
    """Milliseconds from before the append of each fact to its arrival, on either topic."""
    with tempfile.TemporaryDirectory() as folder:
        w = World(Path(folder), servers)
        w.setup()
        with open_house(w.folder / "ledger", {}) as house:
            house.ledger.record_many([controller()])
            with running(w.folder / "ledger", servers, w.prefix) as publisher:
                while publisher.progress.position(named(EVENTS, w.prefix)) < 1:
                    time.sleep(0.05)
                return _timed(w, house, facts)


def _timed(w: World, house: House, facts: int) -> dict[str, list[float]]:
    begun: dict[bytes, float] = {}
    arrived: dict[str, dict[bytes, float]] = {EVENTS: {}, STATUS: {}}
    readers = [
        threading.Thread(target=_watch, args=(w, topic, seen, facts), daemon=True) for topic, seen in arrived.items()
    ]
    for reader in readers:
        reader.start()
    time.sleep(3)
    start = time.perf_counter()
    for n in range(facts):
        time.sleep(max(0.0, start + n / PER_SECOND - time.perf_counter()))
        fact = seen_in_the_us(n)
        begun[fact.event.stream.encode()] = time.perf_counter()
        house.ledger.record(fact)
    for reader in readers:
        reader.join(60)
    return {
        topic: [(at - begun[key]) * 1_000 for key, at in seen.items() if key in begun]
        for topic, seen in arrived.items()
    }


def _watch(w: World, topic: str, seen: dict[bytes, float], count: int) -> None:
    """When each key was there first."""
    consumer = Consumer(
        {"bootstrap.servers": w.servers, "group.id": "none", "enable.auto.commit": False, "fetch.wait.max.ms": 50}
    )
    name = w.topic(topic)
    partitions = consumer.list_topics(name, timeout=30).topics[name].partitions
    consumer.assign([TopicPartition(name, n, 0) for n in partitions])
    until = time.monotonic() + 600
    while len(seen) < count and time.monotonic() < until:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            seen.setdefault(message.key() or b"", time.perf_counter())
    consumer.close()


# --- whether all of it ------------------------------------------------------------------------------


def everybody_arrives(servers: str, contacts: int) -> int:
    """How many contacts a consumer of the status topic alone holds exactly as the ledger does."""
    with tempfile.TemporaryDirectory() as folder:
        w = World(Path(folder), servers)
        w.setup()
        with open_house(w.folder / "ledger", {}) as house:
            house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(contacts)]])
            with running(w.folder / "ledger", servers, w.prefix) as publisher:
                house.ledger.record_many([opted_out(n) for n in range(0, contacts, 7)])
                while not publisher.idle():
                    time.sleep(0.5)
            held, ledger = published(read_all(w, STATUS)), projection(house)
    return sum(same({name: value}, {name: held[name]}) for name, value in ledger.items() if name in held)
