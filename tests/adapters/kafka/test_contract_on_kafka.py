"""The contract on a real broker: what is read from a topic is a CloudEvent to others, and fits its schema."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from jsonschema import Draft202012Validator

from adapters.kafka import examples
from adapters.kafka.messages import Message, event_message
from adapters.kafka.schemas import documents
from adapters.kafka.topics import EVENTS, FACTS, RESULTS, STATUS
from tests.adapters.kafka.stream_world import World, world
from tests.golden.write import FILE

pytestmark = pytest.mark.service


def sent(here: World) -> dict[str, list[Message]]:
    """Every golden entry, and an example of the rest, on the topics of this test."""
    entries = FILE.read_bytes().splitlines()
    messages = {
        EVENTS: [event_message(examples.LEDGER, at, 1, entry) for at, entry in enumerate(entries, 1)],
        STATUS: [examples.status(), examples.tombstone()],
        RESULTS: [*examples.results()],
        FACTS: [examples.submission("contact.opted_out.v1")],
    }
    for topic, some in messages.items():
        here.send(message._replace(topic=here.topic(topic)) for message in some)
    return messages


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """Key, value and headers; understood by the CloudEvents library, and held against the schemas."""
    schemas = documents()
    with world(tmp_path) as here:
        for topic, messages in sent(here).items():
            read = here.read(topic)
            assert sorted(read, key=repr) == sorted(((m.key, m.value, m.headers) for m in messages), key=repr)
            validator = Draft202012Validator(schemas[topic])
            for key, value, headers in read:
                event = from_kafka_event(KafkaMessage(dict(headers), key, value or b""))
                assert event.get_specversion() == "1.0"
                if value is not None and topic != FACTS:
                    assert validator.is_valid(msgspec.json.decode(value))
