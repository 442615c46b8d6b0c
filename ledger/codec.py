"""event <-> entry bytes: canonical JSON, strict on write and in verification, upcasting old topics on read.

An entry is the RFC 8785 form of one event: ASCII keys sorted, integers, no floats, absent fields left
out. It holds neither position nor version; those are columns of the log. docs/reference/entry-format.md
shows it byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from ledger.events import TOPICS, AnyEvent, Event
from ledger.terms import BEGINNING

MAX_ENTRY_BYTES = 65_535
"""C2SP tlog-tiles carries an entry behind a 16-bit length."""

_encoder = msgspec.json.Encoder(order="sorted")
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_UNSTAMPED = b'"recorded_at":"0001-01-01T00:00:00Z"'

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTS: Mapping[str, Upcast] = {}
"""Old topic -> function from its fields to those of its successor, `type` included."""

_token = re.compile(r"[A-Za-z0-9*][A-Za-z0-9_.:*/+-]{0,95}\Z").match
_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z").match
_ID_FIELDS = frozenset({"stream", "address", "record", "other"})


class EntryError(ValueError):
    """Bytes that are no entry of this ledger, or an event that may not become one."""


def topic_of(event: Event) -> str:
    """The topic an event is stored under."""
    return cast("str", type(event).__struct_config__.tag)


def check(event: Event) -> None:
    """Raise EntryError unless every value may stand in the log for ever.

    Strings are tokens (no spaces, no `@`), ids are lower-case UUIDs, times are UTC,
    integers lie below 2**53. Personal data and free text belong in the payload.
    """
    for name in event.__struct_fields__:
        _check_value(topic_of(event), name, getattr(event, name))


def _check_value(topic: str, name: str, value: object) -> None:
    match value:
        case None | bool():
            pass
        case str():
            if not (_uuid if name in _ID_FIELDS else _token)(value):
                raise EntryError(
                    f"{topic}: {name} is not a {'UUID' if name in _ID_FIELDS else 'token'}; "
                    "free text and personal data go into the payload"
                )
        case datetime():
            if value.tzinfo is not UTC and value.utcoffset() != UTC.utcoffset(None):
                raise EntryError(f"{topic}: {name} must be in UTC")
        case int():
            if abs(value) >= 2**53:
                raise EntryError(f"{topic}: {name} is beyond 2**53")
        case tuple():
            for item in value:
                _check_value(topic, name, item)
        case msgspec.Struct():
            for field in value.__struct_fields__:
                _check_value(topic, f"{name}.{field}", getattr(value, field))
        case _:
            raise EntryError(f"{topic}: {name} has no place in an entry")


def encode(event: Event) -> bytes:
    """The canonical entry of a checked event. Without `recorded_at` it is a draft for `stamp`."""
    if event.recorded_at is None:
        event = msgspec.structs.replace(event, recorded_at=BEGINNING)
        entry = _encoder.encode(event)
    else:
        entry = stamp(
            _encoder.encode(msgspec.structs.replace(event, recorded_at=BEGINNING)), instant(event.recorded_at)
        )
    if len(entry) > MAX_ENTRY_BYTES - 16:
        raise EntryError(f"{topic_of(event)}: an entry holds at most {MAX_ENTRY_BYTES} bytes")
    return entry


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, fixed width to the microsecond: text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stamp(draft: bytes, recorded_at: str) -> bytes:
    """Put the moment of recording into a draft. The log calls this under its write lock."""
    return draft.replace(_UNSTAMPED, b'"recorded_at":"%b"' % recorded_at.encode(), 1)


def decode(entry: bytes) -> AnyEvent:
    """The event of stored bytes. Trusts them to be canonical; `decode_strict` does not.

    Raises EntryError for anything that is not an entry of a known topic.
    """
    try:
        return _decoder.decode(entry)
    except msgspec.DecodeError as error:
        return _decode_old(entry, error)


def _decode_old(
    entry: bytes, error: msgspec.DecodeError, upcasts: Mapping[str, Upcast] | None = None
) -> AnyEvent:
    upcasts = UPCASTS if upcasts is None else upcasts
    try:
        fields = msgspec.json.decode(entry, type=dict[str, Any])
    except msgspec.DecodeError:
        raise EntryError(f"not an entry: {error}") from error
    if fields.get("type") not in upcasts:
        known = fields.get("type") in TOPICS
        raise EntryError(
            f"not an entry: {error}" if known else f"unknown topic {fields.get('type')!r}"
        ) from error
    while fields.get("type") in upcasts:
        fields = upcasts[fields["type"]](fields)
    try:
        return msgspec.convert(fields, AnyEvent)
    except msgspec.ValidationError as broken:
        raise EntryError(f"not an entry after upcasting: {broken}") from broken


def decode_strict(entry: bytes) -> AnyEvent:
    """Decode, and refuse bytes that are not the canonical form of what they say."""
    event = decode(entry)
    check(event)
    if topic_of(event) == msgspec.json.decode(entry)["type"] and encode(event) != entry:
        raise EntryError("not canonical: encoding it again gives other bytes")
    return event
