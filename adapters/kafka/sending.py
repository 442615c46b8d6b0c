"""Sending to Kafka in batches that are counted as delivered or have failed; nothing in between is believed.

A message never times out: while the broker is away it waits, and so does whoever sends, a few batches ahead.
What fails for good fails its batch. Its sender then starts anew from what is known to be delivered, and with
`enable.gapless.guarantee` nothing behind the failure has overtaken it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from adapters.kafka.messages import Message
from adapters.kafka.topics import LONGEST_STATUS

_log = logging.getLogger("librdkafka")
"""Not ours: what the library says ten times a second while a broker is away is said once a minute."""

SETTINGS: Mapping[str, str | int | bool] = {
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,
    "acks": "all",
    "message.timeout.ms": 0,
    "topic.metadata.propagation.max.ms": 5_000,
    "partitioner": "murmur2_random",  # Java's and Faust's: a key lies in one partition, whoever writes
    "linger.ms": 5,
    # Every client reads gzip without another library; of the others aiokafka, and so our own workers, reads none.
    "compression.type": "gzip",
    "compression.level": 1,
    # Bounded by the batches a sender lets fly, so these only have to be out of the way.
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 2_000_000,
    "message.max.bytes": LONGEST_STATUS,
    "reconnect.backoff.max.ms": 2_000,
    "socket.keepalive.enable": True,
    "log_level": 3,  # what matters comes by `error_cb`; its warnings are about settings it was given on purpose
}
_SERVED = 1_000
"""Messages handed over between two looks at what was delivered."""


class DeliveryFailedError(RuntimeError):
    """A message was refused for good; what was sent with it and after it counts as not sent."""


class Batch:
    """Messages sent together. `failed`: why the first of those refused was."""

    __slots__ = ("count", "delivered", "failed")

    def __init__(self) -> None:
        self.count = 0
        self.delivered = 0
        self.failed: KafkaError | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether every message is; raises DeliveryFailedError when one cannot be."""
        if self.failed is not None:
            raise DeliveryFailedError(self.failed.name())
        return self.delivered == self.count

    def reported(self, error: KafkaError | None, _message: object) -> None:
        """What the producer calls for each message: one bound method for all of them."""
        if error is None:
            self.delivered += 1
        elif self.failed is None:
            self.failed = error


class Sender:
    """One idempotent producer, replaced when it has failed. For one thread."""

    def __init__(self, servers: str, settings: Mapping[str, str | int | bool] = SETTINGS) -> None:
        self._settings = {**settings, "bootstrap.servers": servers, "error_cb": _warn, "logger": _log}
        self._producer: Producer | None = None

    def start(self) -> None:
        """Begin with a producer of a new session, and forget what another has not delivered."""
        self.drop()
        self._producer = Producer(self._settings)

    def send(self, messages: Iterable[Message]) -> Batch:
        """Hand messages over; `poll` until they are delivered. Raises DeliveryFailedError for one not even taken."""
        batch, producer = Batch(), self._begun()
        produce: Any = producer.produce  # its stub takes no list of bytes for a list of bytes or text
        reported, count = batch.reported, 0
        try:
            for topic, key, value, headers in messages:
                produce(topic, value, key, on_delivery=reported, headers=headers)
                count += 1
                if count % _SERVED == 0:
                    producer.poll(0)
        except KafkaException as error:  # it is too long, or this producer has failed for good
            raise DeliveryFailedError(error.args[0].name()) from error
        batch.count = count
        return batch

    def poll(self, seconds: float) -> None:
        """Learn what was delivered; waits so long for the first news."""
        self._begun().poll(seconds)

    def drop(self) -> None:
        """Take back what was not delivered, as far as it has not left."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.poll(0)
            self._producer = None

    def _begun(self) -> Producer:
        if self._producer is None:
            raise RuntimeError("the sender was not started")
        return self._producer


def _warn(error: KafkaError) -> None:
    _log.warning(f"Kafka: {error.name()}")
