"""Reads topics from outside, as they grow; joins no group and commits nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from tests.waiting import BUDGET


class Found(NamedTuple):
    """A record, where it lies, the moment it was read (monotonic seconds), and when it was written (milliseconds)."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: list[tuple[str, bytes]]
    at: float
    written: int = 0

    def header(self, name: str) -> str:
        """A header's text; empty: it has none."""
        return dict(self.headers).get(name, b"").decode("utf-8", "replace")

    @property
    def revision(self) -> int:
        """Of a status record; -1 of any other."""
        said = self.header("ce_revision")
        return int(said) if said.isdigit() else -1

    def json(self) -> Any:
        """The value."""
        return json.loads(self.value or b"null")


class Reader:
    """All partitions of some topics, from their beginning."""

    def __init__(self, servers: str, topics: Sequence[str]) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": servers, "group.id": "none", "enable.auto.commit": False, "log_level": 0}
        )
        self._consumer.assign(
            [
                TopicPartition(topic, partition, 0)
                for topic in topics
                for partition in self._consumer.list_topics(topic, timeout=BUDGET).topics[topic].partitions
            ]
        )
        self._kept: list[Found] = []

    def read(self, seconds: float) -> list[Found]:
        """What has come, waiting so long for the first. A broker that is away has nothing new."""
        polled = self._consumer.consume(1, seconds) or []
        polled += self._consumer.consume(1_000, 0)
        return [_found(message) for message in polled if not _is_trouble(message.error())]

    def find(self, topic: str, wanted: Callable[[Found], bool]) -> Found:
        """The first record of a topic that is wanted, of those read here. Raises TimeoutError."""
        end = time.monotonic() + BUDGET
        while True:
            for one in self._kept:
                if one.topic == topic and wanted(one):
                    return one
            if time.monotonic() > end:
                raise TimeoutError(f"nothing came on {topic}")
            self._kept += self.read(0.1)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def _is_trouble(error: KafkaError | None) -> bool:
    return error is not None


def _found(message: Message) -> Found:
    key, value = message.key(), message.value()
    return Found(
        str(message.topic()),
        int(message.partition() or 0),
        int(message.offset() or 0),
        bytes(key or b"").decode("utf-8", "replace"),
        None if value is None else bytes(value),
        message.headers() or [],  # type: ignore[arg-type]
        time.monotonic(),
        int(message.timestamp()[1]),
    )
