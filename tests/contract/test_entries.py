"""Every event class there and back again, against an RFC 8785 implementation nobody here wrote."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from ledger import codec
from ledger.events import TOPICS, Clicked, CountryEvidenced, CountryHint, Event, OptedIn

_IDS = ("stream", "address", "record", "other", "alike")
_FIRST = string.ascii_letters + string.digits + "*"
_tokens = st.builds(str.__add__, st.sampled_from(_FIRST), st.text(_FIRST + "_.:/+-", max_size=95))
_few = settings(max_examples=12, deadline=None)
_moments = st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC))  # noqa: DTZ001 - timezones has it


def _values(name: str, kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.UnionType():
            return st.one_of([_values(name, part) for part in kind.types])
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return st.integers(1 - 2**53, 2**53 - 1)
        case inspect.StrType():
            return st.uuids(version=4).map(str) if name in _IDS else _tokens
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.DateTimeType():
            return _moments
        case inspect.VarTupleType():
            return st.lists(_values(name, kind.item_type), max_size=3).map(tuple)
        case inspect.StructType():
            return st.builds(kind.cls, **{f.name: _values(f.name, f.type) for f in kind.fields})
    raise NotImplementedError(kind)


def _events(cls: type[Event]) -> st.SearchStrategy[Event]:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return _values("", info)


@pytest.mark.parametrize("topic", sorted(TOPICS))
@given(data=st.data())
@_few
def test_encode_and_decode_are_inverse_and_canonical(topic: str, data: st.DataObject) -> None:
    event = data.draw(_events(TOPICS[topic]))
    if event.recorded_at is None or (event.recorded_clock or event.recorded_at) >= event.recorded_at:
        event = msgspec.structs.replace(event, recorded_clock=None)  # the log writes it for no other
    codec.check(event)
    entry = codec.encode(event)
    assert rfc8785.dumps(json.loads(entry)) == entry
    if event.recorded_at is None:
        assert codec.recorded_at(entry) is None
        entry = codec.stamp(entry, codec.instant(datetime(2026, 1, 1, tzinfo=UTC)))
        event = msgspec.structs.replace(event, recorded_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert event.recorded_at is not None
    assert codec.recorded_at(entry) == codec.instant(event.recorded_at)
    assert codec.decode_strict(entry) == event


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.text()))
@_few
def test_bytes_that_are_no_entry_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(codec.EntryError):
        codec.decode_strict(json.dumps(fields).encode())


@given(st.text().filter(lambda text: not codec._token(text)))
@_few
def test_free_text_is_refused_everywhere(text: str) -> None:
    for event in (
        Clicked(stream=str(uuid4()), source=text),
        OptedIn(stream=str(uuid4()), source="web", purposes=("a", text)),
        CountryEvidenced(stream=str(uuid4()), source="web", hints=(CountryHint(country=text, kind="ip"),)),
    ):
        for _ in range(2):  # the second time must not pass for having been seen
            with pytest.raises(codec.EntryError):
                codec.check(event)


@pytest.mark.parametrize(
    "wrong",
    [
        {"stream": "a-token"},
        {"stream": str(uuid4()).upper()},
        {"address": "web"},
        {"occurred_from": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))},
        {"occurred_from": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the mistake
        {"message": 1.5},
        {"message": 2**53},
        {"evidence": ["a"]},
        {"evidence": (b"a",)},
    ],
)
def test_what_has_no_place_in_an_entry_is_refused(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"stream": str(uuid4()), "source": "web"}
    codec.check(Clicked(**good))
    with pytest.raises(codec.EntryError):
        codec.check(Clicked(**(good | wrong)))
