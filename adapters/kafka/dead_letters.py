"""Records that could not be taken: kept whole, listed, tried again, or dropped with a reason.

A letter's key is the place of the record that failed, so the same failure, met twice, is one letter. Every change of
it is a new value under the same key; the topic is compacted, and the last value stands. What was submitted is
sealed by the ledger: nothing personal can be read on the topic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as Polled

from adapters.kafka.cloudevents import Headers
from adapters.kafka.messages import Message, Place
from adapters.kafka.records import Failed, Record
from ledger.terms import Moment

ATTEMPTS = "consent_ledger_attempts"
"""A header of a record that is tried again: how often it failed before."""
_SECONDS = 10.0

Seal = Callable[[bytes, bytes], bytes]
"""(plain, about) -> sealed, as `Ledger.seal`."""


class Original(msgspec.Struct, frozen=True):
    """The record as it was sent, to the byte."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The value on a topic of dead letters.

    place     topic/partition/offset of the record
    error     why it failed; holds no value of the record
    attempts  how often it was tried
    state     open; retried: sent again, and should it fail, a letter of its own; dropped: for a reason
    sealed    the record, readable by the ledger alone; or `raw`, where it holds nothing personal
    """

    place: str
    at: Moment
    error: str
    attempts: int
    state: Literal["open", "retried", "dropped"] = "open"
    reason: str | None = None
    sealed: bytes | None = None
    raw: Original | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Letter).decode
_decode_original = msgspec.json.Decoder(Original).decode


def dead_letter(topic: str, failed: Failed, at: datetime, seal: Seal | None) -> Message:
    """The letter about a record, for a topic of dead letters; sealed, unless there is no `seal`."""
    record = failed.record
    place = str(record.place)
    original = Original(record.key, record.value, record.headers)
    letter = Letter(
        place=place,
        at=at,
        error=failed.error,
        attempts=attempts_of(record) + 1,
        sealed=seal(_encode(original), place.encode()) if seal else None,
        raw=None if seal else original,
    )
    return letter_message(topic, letter)


def letter_message(topic: str, letter: Letter) -> Message:
    """A letter as a record."""
    return Message(topic, letter.place.encode(), _encode(letter), [("content-type", b"application/json")])


def attempts_of(record: Record) -> int:
    """How often it failed before; 0 for what nobody has tried again, or says so unreadably."""
    said = dict(record.headers).get(ATTEMPTS, b"")
    return int(said) if said.isdigit() and len(said) < 6 else 0


def again(letter: Letter, unseal: Callable[[bytes, bytes], object]) -> Original:
    """The record of a letter as it is to be sent again. Raises LookupError as `opened` does."""
    original = opened(letter, unseal)
    headers: Headers = [(name, value) for name, value in original.headers if name != ATTEMPTS]
    return Original(original.key, original.value, [*headers, (ATTEMPTS, b"%d" % letter.attempts)])


def place_of(text: str) -> Place:
    """A place from its text. Raises ValueError."""
    topic, partition, offset = text.rsplit("/", 2)
    return Place(topic, int(partition), int(offset))


def opened(letter: Letter, unseal: Callable[[bytes, bytes], object]) -> Original:
    """The record of a letter. Raises LookupError when this ledger did not seal it."""
    if letter.raw is not None:
        return letter.raw
    plain = unseal(letter.sealed or b"", letter.place.encode())
    if not isinstance(plain, bytes):
        raise LookupError(f"{letter.place}: sealed by another ledger, or damaged")
    return _decode_original(plain)


def letters(servers: str, topic: str) -> dict[str, Letter]:
    """The last state of every letter on a topic, by place, as of now. Raises KafkaException."""
    found: dict[str, Letter] = {}
    for message in _read_whole(servers, topic):
        key, value = message.key(), message.value()
        if isinstance(key, bytes) and value is None:
            found.pop(key.decode(), None)
        elif isinstance(value, bytes):
            letter = _decode(value)
            found[letter.place] = letter
    return found


def _read_whole(servers: str, topic: str) -> Iterator[Polled]:
    """Every record of a topic, up to its end as it is now. Joins no group and commits nothing."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "none", "enable.auto.commit": False, "log_level": 0})
    try:
        partitions = consumer.list_topics(topic, timeout=_SECONDS).topics[topic].partitions
        left = {}
        for partition in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_SECONDS)
            if high > low:
                left[partition] = (low, high)
        consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in left.items()])
        while left:
            message = consumer.poll(0.5)
            if message is not None and message.error():
                raise KafkaException(message.error())
            if message is not None:
                yield message
            # A position moves over what compaction took away as well: it, not the records, says what is left.
            for at in consumer.position([TopicPartition(topic, partition) for partition in left]):
                if at.offset >= left[at.partition][1]:
                    del left[at.partition]
    finally:
        consumer.close()
