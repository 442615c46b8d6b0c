"""Faust, as we set it up, on real Apache Kafka: what docs/explanation/faust-on-kafka.md says was shown.

The log is not read twice where nothing was lost, and never skipped; the table comes back from its changelog.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from adapters.kafka.admin import connect
from tests.adapters.kafka.stream_world import lag
from tests.services.kafka import Broker
from tests.waiting import BUDGET, until

pytestmark = pytest.mark.service
GROUP = "counting"
KEYS = 40


class Line(NamedTuple):
    """What a worker says of a record."""

    member: str
    key: str
    value: int
    counted: int


class Counting:
    """A broker of its own, its producer, and the workers of one group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker(folder / "kafka")
        self.broker.start()
        self.sent = 0
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        settings = {"bootstrap.servers": self.broker.url, "partitioner": "murmur2_random", "log_level": 0}
        self._producer = Producer(settings)
        wanted = [
            NewTopic(f"{GROUP}-in", 4, 1),
            NewTopic(f"{GROUP}-counts-changelog", 4, 1, config={"cleanup.policy": "compact"}),
        ]
        self.admin = connect(self.broker.url)
        for made in self.admin.create_topics(wanted).values():
            made.result(30)
        until(lambda: {topic.topic for topic in wanted} <= self.admin.list_topics(timeout=BUDGET).topics.keys())

    def send(self, count: int) -> None:
        """So many records more, over all keys."""
        for _ in range(count):
            self._producer.produce(f"{GROUP}-in", str(self.sent).encode(), f"k{self.sent % KEYS}".encode())
            self.sent += 1
        assert self._producer.flush(60) == 0

    def start(self, member: str) -> None:
        """Start a worker, or start it again."""
        command = [sys.executable, "-m", "tests.adapters.kafka.faust_counter", self.broker.url, GROUP, member]
        with (self.folder / f"{member}.log").open("a") as log:
            self.workers[member] = subprocess.Popen([*command, str(self.folder)], stdout=log, stderr=log)

    def kill(self, member: str) -> None:
        """Lose one."""
        self.workers[member].kill()
        self.workers.pop(member).wait(BUDGET)

    def stop(self, member: str) -> None:
        """End one in good order, in the time there is."""
        self.workers[member].terminate()
        assert self.workers.pop(member).wait(BUDGET) == 0

    def lines(self) -> list[Line]:
        """What all have said."""
        return [
            Line(file.stem, key, int(value), int(count))
            for file in self.folder.glob("*.txt")
            for _, _, key, value, count in (line.split() for line in file.read_text().splitlines())
        ]

    def all_read(self) -> None:
        """Wait until each record was read by somebody."""
        until(lambda: {line.value for line in self.lines()} == set(range(self.sent)), self.said)

    def reads(self, member: str) -> None:
        """Wait until this worker reads, while records keep coming."""
        before = sum(line.member == member for line in self.lines())

        def reading() -> bool:
            self.send(8)
            return sum(line.member == member for line in self.lines()) > before

        until(reading, self.said)
        self.all_read()

    def committed(self) -> None:
        """Wait until the broker has all offsets."""
        with lag(self.broker.url, GROUP, f"{GROUP}-in") as left:
            until(lambda: left() == 0, self.said)

    def said(self) -> str:
        """The workers' logs."""
        return "\n".join(log.read_text() for log in self.folder.glob("*.log"))


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Counting]:
    """All of it, ended at the end."""
    made = Counting(tmp_path)
    yield made
    for member in list(made.workers):
        made.kill(member)
    made.broker.stop()


def test_the_life_of_a_group(counting: Counting) -> None:
    """Join, rebalance, SIGKILL and takeover, coming back, SIGTERM, resuming, the broker lost and back."""
    counting.send(100)
    counting.start("one")
    counting.all_read()
    assert len(counting.lines()) == 100
    counting.start("two")
    counting.reads("two")
    counting.kill("two")
    counting.send(100)
    counting.all_read()
    counting.start("two")
    counting.reads("two")
    counting.stop("one")
    counting.send(100)
    counting.all_read()
    counting.committed()
    counting.stop("two")
    before = len(counting.lines())
    counting.send(40)
    counting.start("one")
    counting.all_read()
    assert len(counting.lines()) - before == 40, "what was read before a stop in good order is not read again"
    counting.broker.kill()
    counting.broker.start()
    counting.send(100)
    counting.all_read()
    counting.committed()
    # A count may be too high, by what was read again; had the table been lost anywhere, it would be too low.
    true = Counter(f"k{value % KEYS}" for value in range(counting.sent))
    highest = {line.key: 0 for line in counting.lines()}
    for line in counting.lines():
        highest[line.key] = max(highest[line.key], line.counted)
    assert [key for key, count in true.items() if highest[key] < count] == []
