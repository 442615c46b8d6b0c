"""What goes out: every entry ever written, a status, a result, as the CloudEvents library reads them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st

from adapters.kafka.messages import Message, Place, ResultValue, event_message, result_message, status_message
from adapters.kafka.topics import EVENTS, RESULTS, STATUS
from adapters.reasons import Reason
from ledger.codec import instant
from tests.golden.write import FILE

LEDGER = str(uuid4())
AT = "2026-11-25T10:00:00.000000Z"
ENTRIES = FILE.read_bytes().splitlines()


def understood(message: Message) -> dict[str, Any]:
    """The attributes, as the library reads them; the data under `data`."""
    event = from_binary(KafkaMessage(dict(message.headers), message.key, message.value or b""), JSONFormat())
    return {**event.get_attributes(), "data": event.get_data()}


@pytest.mark.parametrize("entry", ENTRIES, ids=range(1, len(ENTRIES) + 1))
def test_an_entry_goes_out_as_the_bytes_the_log_holds(entry: bytes) -> None:
    """With headers that say what stands in it."""
    message = event_message(LEDGER, 12, 3, entry, "de.")
    fields = msgspec.json.decode(entry)
    assert message.value == entry
    assert message.topic == f"de.{EVENTS}"
    assert message.key == fields["stream"].encode()
    read = understood(message)
    assert instant(read.pop("time")) == fields["recorded_at"]
    assert read == {
        "specversion": "1.0",
        "id": "12",
        "source": f"urn:uuid:{LEDGER}",
        "type": fields["type"],
        "subject": fields["stream"],
        "partitionkey": fields["stream"],
        "datacontenttype": "application/json",
        "position": "12",
        "streamversion": "3",
        "data": fields,
    }


@pytest.mark.parametrize("state", [b"", b"{}", b'{"recorded_at":"x","stream":"y"}'])
def test_bytes_that_are_no_entry_do_not_go_out(state: bytes) -> None:
    """The log holds none; should it, nothing is made up."""
    with pytest.raises(ValueError, match="not found"):
        event_message(LEDGER, 1, 1, state)


@given(st.uuids().map(str), st.integers(1, 2**53 - 1), st.none() | st.binary(min_size=2))
def test_a_status_has_its_revision_beside_it(contact: str, revision: int, value: bytes | None) -> None:
    """A tombstone has no value, and still says which revision it is."""
    message = status_message(LEDGER, contact, revision, value, AT)
    assert message[:3] == (STATUS, contact.encode(), value)
    read = understood(message)
    assert (read["id"], read["type"]) == (f"{contact}:{revision}", "contact.status.v1")
    assert (read["subject"], read["partitionkey"], read["revision"]) == (contact, contact, str(revision))
    assert instant(read["time"]) == AT
    assert ("content-type" in dict(message.headers)) == (value is not None)


def test_a_result_is_named_after_the_place_of_the_fact() -> None:
    """Sent twice, it is the same answer twice."""
    value = ResultValue(
        place=str(Place("consent.facts.v1", 3, 41)),
        status="rejected",
        correlationid=str(uuid4()),
        reasons=(Reason("type", "unknown"),),
    )
    message = result_message(LEDGER, value, AT)
    assert message.topic == RESULTS
    assert message.key == b"consent.facts.v1/3/41"
    assert msgspec.json.decode(message.value or b"", type=ResultValue) == value
    assert understood(message)["id"] == "consent.facts.v1/3/41"
