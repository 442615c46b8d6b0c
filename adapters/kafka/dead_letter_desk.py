"""What can be done about dead letters: look, try again, give up. Every change is kept on their topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Polled
from msgspec.structs import replace

from adapters.kafka.cloudevents import Headers
from adapters.kafka.dead_letters import Letter, again, letter_message, letters, place_of
from adapters.kafka.records import MOST_BYTES
from adapters.kafka.topics import FACTS, FACTS_DLQ, STATUS, STATUS_DLQ, named

_SECONDS = 30.0
_ANY = -1
"""As a partition: the one its key leads to."""


class Desk:
    """The letters of one cluster and prefix."""

    def __init__(self, servers: str, prefix: str = "") -> None:
        self._servers = servers
        self._kept_on = {
            named(FACTS, prefix): named(FACTS_DLQ, prefix),
            named(STATUS, prefix): named(STATUS_DLQ, prefix),
        }
        self._producer: Producer | None = None

    def letters(self) -> dict[str, Letter]:
        """The last state of every letter, by place. Raises KafkaException."""
        return {
            place: letter for topic in self._kept_on.values() for place, letter in letters(self._servers, topic).items()
        }

    def find(self, places: Sequence[str]) -> list[Letter]:
        """Letters by place. Raises LookupError for a place without one, KafkaException."""
        held: Mapping[str, Letter] = self.letters()
        for place in places:
            if place not in held:
                raise LookupError(f"no dead letter about {place}")
        return [held[place] for place in places]

    def retry(self, letter: Letter, unseal: Callable[[bytes, bytes], object]) -> None:
        """Send the record again, to the partition it was on, then say so.

        Interrupted between the two, it is sent twice, which does no harm.
        Raises LookupError when it cannot be opened, KafkaException.
        """
        record = again(letter, unseal)
        topic, partition, _ = place_of(letter.place)
        self._send(topic, record.key, record.value, record.headers, partition)
        self._keep(replace(letter, state="retried"))

    def drop(self, letter: Letter, reason: str) -> None:
        """Give it up. Raises KafkaException."""
        self._keep(replace(letter, state="dropped", reason=reason))

    def _keep(self, letter: Letter) -> None:
        self._send(*letter_message(self._kept_on[place_of(letter.place).topic], letter))

    def _send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers, partition: int = _ANY
    ) -> None:
        """Produce one record and wait for it."""
        if self._producer is None:
            self._producer = Producer(
                {
                    "bootstrap.servers": self._servers,
                    "enable.idempotence": True,
                    "message.max.bytes": MOST_BYTES,
                    "partitioner": "murmur2_random",  # as every other client: a key keeps its partition
                    "log_level": 0,
                }
            )
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Polled) -> None:
            if error is not None:
                failures.append(error)

        self._producer.produce(topic, value, key, partition, headers=[*headers], on_delivery=delivered)
        if self._producer.flush(_SECONDS):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        if failures:
            raise KafkaException(failures[0])
