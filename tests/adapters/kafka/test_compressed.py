"""However a record was compressed by whoever sent it, a worker reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Producer

from adapters.kafka.sending import Sender
from adapters.kafka.topics import FACTS, RESULTS, STATUS
from tests.adapters.kafka.stream_world import fact, told, world
from tests.adapters.kafka.test_worker_mirror import expected, mirrored

pytestmark = pytest.mark.service


def test_the_mirror_reads_what_the_publisher_sends(tmp_path: Path) -> None:
    """With the publisher's own producer, enough at once to be worth compressing."""
    with world(tmp_path) as here:
        sender = Sender(here.servers)
        sender.start()
        batch = sender.send(told(here, number, 3) for number in range(200))
        while not batch.is_delivered:
            sender.poll(1.0)
        here.worker("mirror")
        here.drained("mirror", STATUS)
        assert mirrored(here) == expected(dict.fromkeys(range(200), 3))


def test_facts_are_taken_from_whatever_client(tmp_path: Path) -> None:
    """One batch by each kind of compression that Kafka knows."""
    kinds = ("none", "gzip", "snappy", "lz4", "zstd")
    with world(tmp_path) as here:
        for kind in kinds:
            producer = Producer({"bootstrap.servers": here.servers, "compression.type": kind, "linger.ms": 100})
            for number in range(30):
                headers, value = fact(f"{kind}{number}@example.com", f"{kind}-{number}")
                producer.produce(here.topic(FACTS), value, b"one", headers=list(headers))
            assert producer.flush(30) == 0
        worker = here.worker("facts")
        here.drained("facts", FACTS)
        assert worker.runs, worker.said()
        assert sum(b'"recorded"' in (value or b"") for _, value, _ in here.read(RESULTS)) == 30 * len(kinds)
