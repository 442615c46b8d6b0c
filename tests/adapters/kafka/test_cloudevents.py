"""CloudEvents on Kafka, against the CloudEvents project's own library."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from adapters.kafka.cloudevents import Received, Refusal, attributes, read

MARK = "planted.person@example.org"
_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
_moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)).flatmap(  # noqa: DTZ001
    lambda naive: st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    )
)
_data = st.dictionaries(_text, st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), _text), max_size=4)
_events = st.builds(
    lambda given, data: CloudEvent({name: value for name, value in given.items() if value is not None}, data),
    st.fixed_dictionaries(
        {
            "id": _text,
            "source": _text,
            "type": _text,
            "time": _moments,
            "datacontenttype": st.sampled_from([None, "application/json", "application/json; charset=UTF-8"]),
            "correlationid": st.none() | st.uuids().map(str),
            "other": st.none() | _text,
        }
    ),
    _data,
)


def sent(message: KafkaMessage) -> Received | Refusal:
    """What we read of a record that the library wrote."""
    return read(list(message.headers.items()), message.value)


def same(received: Received | Refusal, event: CloudEvent) -> bool:
    """Whether we read what the library was given."""
    return isinstance(received, Received) and (
        received.id == event.get_id()
        and received.source == event.get_source()
        and received.type == event.get_type()
        and received.time == event.get_time()
        and received.correlationid == event.get_extension("correlationid")
        and json.loads(received.data) == event.get_data()
    )


@given(_events)
def test_what_the_library_writes_is_read_in_both_modes(event: CloudEvent) -> None:
    """Binary and structured say the same."""
    assert same(sent(to_binary(event, JSONFormat())), event)
    assert same(sent(to_structured(event, JSONFormat())), event)


@given(_events)
def test_what_we_write_is_read_by_the_library(event: CloudEvent) -> None:
    """And by ourselves."""
    moment = event.get_time()
    assert moment is not None
    key = str(uuid4()).encode()
    names = (event.get_id(), event.get_source(), event.get_type(), moment.isoformat())
    id_, source, type_, time = (name.encode() for name in names)
    headers = attributes(id_, source, type_, time, b"about", key)
    value = json.dumps(event.get_data()).encode()
    read_back = from_binary(KafkaMessage(dict(headers), key, value), JSONFormat())
    assert (read_back.get_id(), read_back.get_source(), read_back.get_type()) == names[:3]
    assert (read_back.get_time(), read_back.get_subject(), read_back.get_data()) == (moment, "about", event.get_data())
    assert read_back.get_extension("partitionkey") == key.decode()
    assert read(headers, value) == Received(*names[:3], moment, value)


GOOD = {"specversion": "1.0", "id": "1", "source": "crm", "type": "contact.opted_out.v1"}


def binary(change: dict[str, Any]) -> Received | Refusal:
    """A good record, changed: None takes an attribute away."""
    given = {f"ce_{name}": text for name, text in GOOD.items()} | {"content-type": "application/json"} | change
    headers = [(name, text if isinstance(text, bytes) else text.encode()) for name, text in given.items() if text]
    return read(headers, b'{"a":1}')


def structured(change: dict[str, Any]) -> Received | Refusal:
    """A good event as one object, changed."""
    given = GOOD | {"data": {"a": 1}} | change
    return read([("content-type", b"application/cloudevents+json; charset=utf-8")], json.dumps(given).encode())


def fields(answer: Received | Refusal) -> set[str]:
    """What was found wrong."""
    assert isinstance(answer, Refusal)
    found = [reason.field for reason in answer.reasons]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"ce_id": None}, "id"),
        ({"ce_source": None}, "source"),
        ({"ce_type": None}, "type"),
        ({"ce_specversion": None}, "specversion"),
        ({"ce_specversion": "0.3"}, "specversion"),
        ({"ce_time": "2026-11-25 10:00:00Z"}, "time"),
        ({"ce_time": "2026-11-25T10:00:00"}, "time"),
        ({"ce_time": "2026-02-30T10:00:00Z"}, "time"),
        ({"ce_time": "0001-01-01T00:00:00+01:00"}, "time"),
        ({"ce_time": MARK}, "time"),
        ({"ce_time": "?"}, "time"),
        ({"ce_specversion": "?"}, "specversion"),
        ({"ce_id": f"{MARK}\n"}, "id"),
        ({"ce_id": b"\xff" + MARK.encode()}, "id"),
        ({"ce_source": MARK * 100}, "source"),
        ({"CE_ID": MARK}, "id"),
        ({"content-type": "text/plain"}, "datacontenttype"),
        ({"content-type": "application/json; charset=latin-1"}, "datacontenttype"),
        ({"content-type": "application/cloudevents-batch+json"}, "content-type"),
        ({"content-type": "application/cloudevents+avro"}, "content-type"),
    ],
)
def test_what_is_no_event_in_binary_mode_is_refused_with_its_field(change: dict[str, Any], wrong: str) -> None:
    """And never with the value that was given."""
    answer = binary(change)
    assert fields(answer) == {wrong}
    assert MARK not in repr(answer)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"source": [MARK]}, "source"),
        ({"type": None}, "type"),
        ({"specversion": 1.0}, "specversion"),
        ({"time": MARK}, "time"),
        ({"time": "2026-11-25T10:00:00.Z"}, "time"),
        ({"data": None}, "data"),
        ({"data_base64": "eyJhIjoxfQ=="}, "data"),
        ({"data": None, "data_base64": MARK}, "data"),
        ({"data": None, "data_base64": 7}, "data"),
        ({"datacontenttype": "text/xml"}, "datacontenttype"),
    ],
)
def test_what_is_no_event_in_structured_mode_is_refused_with_its_field(change: dict[str, Any], wrong: str) -> None:
    """And never with the value that was given."""
    answer = structured(change)
    assert fields(answer) == {wrong}
    assert MARK not in repr(answer)


def test_data_may_come_as_base64() -> None:
    """As the JSON format allows for any bytes."""
    answer = structured({"data": None, "data_base64": "eyJhIjoxfQ=="})
    assert isinstance(answer, Received)
    assert answer.data == b'{"a":1}'


def test_a_correlation_id_is_kept_only_if_it_is_a_uuid_and_even_when_refused() -> None:
    """Somebody may have put an address there; that is no reason to lose a stop."""
    known = str(uuid4())
    assert binary({"ce_correlationid": known})[-1] == known
    assert binary({"ce_correlationid": known, "ce_id": None})[-1] == known
    taken = binary({"ce_correlationid": MARK})
    assert isinstance(taken, Received)
    assert taken.correlationid is None


def test_several_things_wrong_are_said_at_once() -> None:
    """Who mends it mends it once."""
    assert fields(binary({"ce_id": None, "ce_type": None, "ce_time": "x"})) == {"id", "type", "time"}
    assert fields(read(None, None)) == {"specversion", "id", "source", "type", "data"}


@given(
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_time", "ce_x", "content-type", "a"]), st.none() | st.binary())),
    st.none() | st.binary(),
)
def test_no_record_makes_it_raise(headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    """Whatever lies on the topic becomes a value."""
    assert isinstance(read(headers, value), Received | Refusal)
    as_object = [("content-type", b"application/cloudevents+json")]
    assert isinstance(read(as_object, value), Received | Refusal)
    assert isinstance(read(as_object, b"[" * 100_000), Refusal)
    assert isinstance(read(as_object, b'{"id":' + b"[" * 100_000), Refusal)


@given(st.text(string.printable, max_size=30))
def test_no_time_makes_it_raise(text: str) -> None:
    """A time is one, or a reason."""
    answer = structured({"time": text})
    assert isinstance(answer, Received) == (isinstance(answer, Received) and answer.time is not None)


def test_a_time_is_told_in_utc() -> None:
    """With lower-case letters too, as RFC 3339 allows."""
    answer = binary({"ce_time": "2026-11-25t10:00:00.5+02:00"})
    assert isinstance(answer, Received)
    assert answer.time == datetime(2026, 11, 25, 8, 0, 0, 500_000, tzinfo=UTC)
    assert answer.time.tzinfo is UTC
