"""CloudEvents 1.0 on Kafka: written in binary mode, read in binary and in structured mode (JSON).

Source: the specification's documents `spec.md`, `bindings/kafka-protocol-binding.md`, `formats/json-format.md`,
version 1.0.2. The `cloudevents` library is the oracle of the tests, not needed at run time.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from adapters.reasons import Reason
from adapters.unique_keys import TWICE, RepeatedKeyError, require_unique_keys

Headers = list[tuple[str, bytes]]
MOST = 1_024
"""Characters of an attribute."""

_JSON = "application/json"
_STRUCTURED = "application/cloudevents+json"
_CONTENT_TYPE = "content-type"
_REQUIRED = ("specversion", "id", "source", "type")
_WANTED = (*_REQUIRED, "time", "datacontenttype", "correlationid")
_json_media_type = re.compile(r"(?:application|text)/(?:json|[a-z0-9.-]+\+json)\Z").match
_control = re.compile(r"[\x00-\x1f\x7f-\x9f]").search
_moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII).match
_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE).match
_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


class Received(NamedTuple):
    """A submitted event. `data` is JSON by what its content type says; it is not parsed yet.

    correlationid  only if it is a UUID: whatever else was given is never repeated, and no reason to refuse
    """

    id: str
    source: str
    type: str
    time: datetime | None
    data: bytes
    correlationid: str | None = None


class Refusal(NamedTuple):
    """What is no CloudEvent, and why; never with a value that was given, save a correlation id that is a UUID."""

    reasons: tuple[Reason, ...]
    correlationid: str | None = None


class _Parts(NamedTuple):
    """The attributes as text, the data, and what was wrong so far."""

    attributes: dict[str, str]
    data: bytes | None
    reasons: list[Reason]


def attributes(id: bytes, source: bytes, type: bytes, time: bytes, subject: bytes, key: bytes) -> Headers:  # noqa: A002
    """The headers of a record with JSON in it, in binary mode; extensions may be appended."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", id),
        ("ce_source", source),
        ("ce_type", type),
        ("ce_time", time),
        ("ce_subject", subject),
        ("ce_partitionkey", key),
        ("content-type", b"application/json"),
    ]


def uuid_only(text: str | None) -> str | None:
    """The text if it is a UUID: all that may be repeated of what a submitter calls its own."""
    return text if text is not None and _uuid(text) else None


def read(headers: Iterable[tuple[str, bytes | None]] | None, value: bytes | None) -> Received | Refusal:
    """The event of a record, or why it is none. Never raises for what stands in the record."""
    given, reasons = _read_headers(headers or ())
    media_type = _media_type(given.get(_CONTENT_TYPE, ""))
    if media_type.startswith("application/cloudevents"):
        if media_type != _STRUCTURED:
            return Refusal((Reason(_CONTENT_TYPE, "neither binary mode nor application/cloudevents+json"),))
        parts = _structured(value or b"")
        return parts if isinstance(parts, Refusal) else _judge(parts)
    named = {name[3:]: text for name, text in given.items() if name.startswith("ce_")}
    if _CONTENT_TYPE in given:
        named["datacontenttype"] = given[_CONTENT_TYPE]
    return _judge(_Parts(named, value, reasons))


def _read_headers(headers: Iterable[tuple[str, bytes | None]]) -> tuple[dict[str, str], list[Reason]]:
    """The headers that matter here, as text, by name in lower case."""
    given: dict[str, str] = {}
    reasons: list[Reason] = []
    for name, raw in headers:
        name = name.lower()
        if name.removeprefix("ce_") not in _WANTED and name != _CONTENT_TYPE:
            continue
        if name in given:
            reasons.append(Reason(name.removeprefix("ce_"), "given twice"))
        try:
            given[name] = (raw or b"").decode()
        except UnicodeDecodeError:
            given[name] = ""
            reasons.append(Reason(name.removeprefix("ce_"), "not UTF-8"))
    return given, reasons


def _structured(value: bytes) -> _Parts | Refusal:
    """The attributes and the data of an event that is one JSON object."""
    try:
        require_unique_keys(value)
        envelope: Mapping[str, msgspec.Raw] = _envelope.decode(value)
    except RepeatedKeyError:
        return Refusal((Reason("", f"not a JSON object: {TWICE}"),))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal((Reason("", "not a JSON object"),))
    named: dict[str, str] = {}
    reasons: list[Reason] = []
    for name in _WANTED:
        raw = bytes(envelope.get(name, b"null"))
        if raw == b"null":
            continue
        try:
            named[name] = _text.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            reasons.append(Reason(name, "not a string"))
    return _Parts(named, _structured_data(envelope, reasons), reasons)


def _structured_data(envelope: Mapping[str, msgspec.Raw], reasons: list[Reason]) -> bytes | None:
    """`data` as it stands there, or the bytes of `data_base64`; appends what is wrong."""
    data, encoded = (bytes(envelope.get(name, b"null")) for name in ("data", "data_base64"))
    if encoded == b"null":
        return None if data == b"null" else data
    if data != b"null":
        reasons.append(Reason("data", "given twice: also as data_base64"))
        return None
    try:
        return b64decode(_text.decode(encoded), validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, Base64Error, ValueError):
        reasons.append(Reason("data", "not base64"))
        return None


def _judge(parts: _Parts) -> Received | Refusal:
    """Hold the parts against the specification. A field about which something is said already is left at that."""
    named, data, reasons = parts
    wrong = {reason.field for reason in reasons}
    moment = _read_time(named.get("time", ""))
    found = [Reason(name, "missing") for name in _REQUIRED if not named.get(name)]
    found += [Reason(name, "has control characters") for name in _WANTED if _control(named.get(name, ""))]
    found += [Reason(name, f"longer than {MOST} characters") for name in _WANTED if len(named.get(name, "")) > MOST]
    if named.get("specversion", "1.0") != "1.0":
        found.append(Reason("specversion", "not 1.0"))
    if not _is_json(named.get("datacontenttype", _JSON)):
        found.append(Reason("datacontenttype", "not JSON in UTF-8"))
    if "time" in named and moment is None:
        found.append(Reason("time", "not a moment with a time zone (RFC 3339)"))
    if not data:
        found.append(Reason("data", "missing"))
    first = {reason.field: reason for reason in reversed(found) if reason.field not in wrong}
    reasons += reversed(first.values())
    correlationid = uuid_only(named.get("correlationid"))
    if reasons or not data:
        return Refusal(tuple(reasons), correlationid)
    return Received(named["id"], named["source"], named["type"], moment, data, correlationid)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(content_type: str) -> bool:
    """Whether it says JSON, and no other encoding than UTF-8."""
    charset = re.search(r";\s*charset=\"?([^\";\s]*)", content_type, re.IGNORECASE)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        return False
    return _json_media_type(_media_type(content_type)) is not None


def _read_time(text: str) -> datetime | None:
    """RFC 3339 with a time zone, in UTC; None: it is no such moment."""
    text = text.upper()
    if not _moment(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
