"""event <-> entry bytes: canonical JSON, strict on write and in verification, upcasting old topics on read.

An entry is the RFC 8785 form of one event: ASCII keys sorted, integers, no floats, absent fields left
out. It holds neither position nor version; those are columns of the log. docs/reference/entry-format.md
shows it byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import msgspec

from ledger.events import TOPICS, AnyEvent, Event
from ledger.terms import BEGINNING, LEDGER_STREAM

MAX_ENTRY_BYTES = 65_535
"""C2SP tlog-tiles carries an entry behind a 16-bit length."""

_encoder = msgspec.json.Encoder(order="sorted")
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_UNSTAMPED = b'"recorded_at":"0001-01-01T00:00:00Z"'
_recorded_at = re.compile(rb'"recorded_at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z)"').search

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTS: Mapping[str, Upcast] = {}
"""Old topic -> function from its fields to those of its successor, `type` included."""

PLAIN_TEXT = "[A-Za-z0-9*][A-Za-z0-9_.:*/+-]{0,95}"
"""A string that may stand in the log, as a regular expression that every dialect reads alike."""

_token = re.compile(rf"{PLAIN_TEXT}\Z").match
_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z").match
_ID_FIELDS = frozenset({"stream", "address", "alike", "record", "other"})
_NEVER_REPEATED = _ID_FIELDS | {"sid", "commitment"}
_known_tokens: set[str] = set()
"""Tokens that have passed: sources, purposes and forms come back in every entry. Bounded."""
_MOST_TOKENS = 10_000
_NOTHING = object()


class EntryError(ValueError):
    """Bytes that are no entry of this ledger, or an event that may not become one."""


class BrokenEntryError(EntryError):
    """Stored bytes that are no entry: the log is damaged."""


def topic_of(event: Event) -> str:
    """The topic an event is stored under."""
    return cast("str", type(event).__struct_config__.tag)


def check(event: Event) -> None:
    """Raise EntryError unless every value may stand in the log for ever.

    Strings are tokens (no spaces, no `@`), ids are lower-case UUIDs, times are UTC,
    integers lie below 2**53. Personal data and free text belong in the payload.
    """
    names, defaults = _plan(type(event))
    for name, value, default in zip(names, msgspec.structs.astuple(event), defaults, strict=True):
        # By identity: a default is one object, and most fields of most events hold it.
        if value is default or value is None or _passes(name, value):
            continue
        _check_value(topic_of(event), name, value)


def _passes(name: str, value: object) -> bool:
    """The common cases, by exact type. False means: look closer, not: refuse."""
    kind = type(value)
    if kind is str:
        return _uuid(value) is not None if name in _ID_FIELDS else value in _known_tokens  # type: ignore[call-overload]
    if kind is datetime:
        return value.tzinfo is UTC  # type: ignore[attr-defined]
    return kind is bool


@cache
def _plan(cls: type[Event]) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """Field names of a class in order, and beside each its default if that may stand in an entry."""
    defaults: list[object] = []
    for field in msgspec.structs.fields(cls):
        try:
            _check_value("", field.name, field.default)
        except EntryError:
            defaults.append(_NOTHING)
        else:
            defaults.append(field.default)
    return cls.__struct_fields__, tuple(defaults)


def _check_value(topic: str, name: str, value: object) -> None:
    match value:
        case None | bool():
            pass
        case str():
            _check_text(topic, name, value)
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


def _check_text(topic: str, name: str, value: str) -> None:
    is_id = name in _ID_FIELDS
    if not is_id and value in _known_tokens:
        return
    if not (_uuid if is_id else _token)(value):
        raise EntryError(
            f"{topic}: {name} is not a {'UUID' if is_id else 'token'}; free text and personal data go into the payload"
        )
    if name not in _NEVER_REPEATED and len(_known_tokens) < _MOST_TOKENS:
        _known_tokens.add(value)


def encode(event: Event, **fields: str | None) -> bytes:
    """The canonical entry of a checked event. Without `recorded_at` it is a draft for `stamp`.

    `fields` (`sid`, `commitment`, ...) take the place of the event's own, without a copy in between.
    """
    entry = _encoder.encode(msgspec.structs.replace(event, recorded_at=BEGINNING, recorded_clock=None, **fields))
    if event.recorded_at is not None:
        clock = event.recorded_clock
        entry = stamp(entry, instant(event.recorded_at), None if clock is None else instant(clock))
    if len(entry) > MAX_ENTRY_BYTES - 16:
        raise EntryError(f"{topic_of(event)}: an entry holds at most {MAX_ENTRY_BYTES} bytes")
    return entry


def content(event: Event) -> bytes:
    """What a fact says, for comparing: without when it was recorded and the ids this ledger made up."""
    return _encoder.encode(
        msgspec.structs.replace(
            event,
            stream=LEDGER_STREAM,
            recorded_at=None,
            recorded_clock=None,
            sid=None,
            commitment=None,
            address=None,
            record=None,
        )
    )


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, fixed width to the microsecond: text order is time order."""
    # Not strftime: its %Y writes the year 900 with three digits.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def stamp(draft: bytes, recorded_at: str, clock: str | None = None) -> bytes:
    """Put the moment of recording into a draft. The log calls this under its write lock.

    `clock`: what the log's clock shows, written down only where it lies before that moment.
    """
    return draft.replace(_UNSTAMPED, _stamped(recorded_at, clock), 1)


def _stamped(recorded_at: str, clock: str | None) -> bytes:
    stamped = b'"recorded_at":"%b"' % recorded_at.encode()
    if clock is not None and clock < recorded_at:
        stamped += b',"recorded_clock":"%b"' % clock.encode()  # in the order of the keys, right behind
    return stamped


def halves(draft: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the moment of recording, quotes included. EntryError as `stamp_all`."""
    front, found, back = draft.partition(_UNSTAMPED)
    if not found:
        raise EntryError("recorded_at is set by the log alone")
    return front + b'"recorded_at":"', b'"' + back


def stamp_all(drafts: Iterable[bytes], recorded_at: str, clock: str | None = None) -> Iterator[bytes]:
    """`stamp` for a transaction's drafts, which share one moment, as they are asked for.

    EntryError for one that has a moment.
    """
    stamped = _stamped(recorded_at, clock)
    for draft in drafts:
        entry = draft.replace(_UNSTAMPED, stamped, 1)
        if len(entry) == len(draft):  # nothing was replaced
            raise EntryError("recorded_at is set by the log alone")
        yield entry


def recorded_at(entry: bytes) -> str | None:
    """The moment of recording as it stands in an entry, without decoding it; None: there is none."""
    found = _recorded_at(entry)
    return found[1].decode() if found else None


def decode(entry: bytes) -> AnyEvent:
    """The event of stored bytes. Trusts them to be canonical; `decode_strict` does not.

    Raises BrokenEntryError for anything that is not an entry of a known topic.
    """
    try:
        event = _decoder.decode(entry)
    except msgspec.DecodeError as error:
        event = _decode_old(entry, error)
    if not _uuid(event.stream):
        raise BrokenEntryError("not an entry: its stream is no contact")
    return event


def _decode_old(entry: bytes, error: msgspec.DecodeError, upcasts: Mapping[str, Upcast] | None = None) -> AnyEvent:
    upcasts = UPCASTS if upcasts is None else upcasts
    try:
        fields = msgspec.json.decode(entry, type=dict[str, Any])
    except msgspec.DecodeError:
        raise BrokenEntryError(f"not an entry: {error}") from error
    if fields.get("type") not in upcasts:
        known = fields.get("type") in TOPICS
        raise BrokenEntryError(
            f"not an entry: {error}" if known else f"unknown topic {fields.get('type')!r}"
        ) from error
    while fields.get("type") in upcasts:
        fields = upcasts[fields["type"]](fields)
    try:
        return cast("AnyEvent", msgspec.convert(fields, AnyEvent))
    except msgspec.ValidationError as broken:
        raise BrokenEntryError(f"not an entry after upcasting: {broken}") from broken


def decode_strict(entry: bytes) -> AnyEvent:
    """Decode, and refuse bytes that are not the canonical form of what they say."""
    event = decode(entry)
    check(event)
    if topic_of(event) == msgspec.json.decode(entry)["type"] and encode(event) != entry:
        raise BrokenEntryError("not canonical: encoding it again gives other bytes")
    return event
