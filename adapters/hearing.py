"""What receivers of webhooks share: what is kept of an event, times and addresses as senders write them, sayings.

An event is kept as it was sent, beside the moment at which it came. No event of the past came before it happened:
a time that lies after its arrival is a wrong clock, and is treated as no time at all, so that no stop waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from adapters.addresses import address_of, is_address
from adapters.fact_models import moment as rfc3339
from adapters.reading import digest
from adapters.receiving import MOST_BYTES, Delivery, Heard, Refused, Sent
from adapters.recording import Saying
from adapters.times import Span
from adapters.tokens import token_of
from adapters.unique_keys import require_unique_keys
from ledger import codec
from ledger.codec import instant
from ledger.events import Event
from ledger.vault import Registration

EMAIL = ("email",)
CAPTURED_BY = "event_log"
SKEW = timedelta(minutes=5)
"""How far two clocks may lie apart."""
MOST_TEXT = 320
_LARGE = 2**64
NO_EVENT = Heard(problem="is not an event that this program kept")
NOBODY = "names nobody: its recipient is no e-mail address; if it is a stop, find out whose, and record it by hand"
NO_TIME = "has no time, so nobody can say when the mail was sent"
UNKNOWN = "is an event that this program does not know: find out what it means, and if it is a stop, record it by hand"

_encode = msgspec.json.Encoder(order="sorted").encode
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_plain = re.compile(rf"{codec.PLAIN_TEXT}\Z").match
_alarming = re.compile(
    r"unsub|opt.?out|opted|complain|spam|abuse|suppress|block|reject|objec|remov|delet", re.IGNORECASE
).search


class Told(NamedTuple):
    """An event as its sender told it, and when it came."""

    at: datetime
    event: Mapping[str, Any]


def oversized(sent: Sent) -> Refused | None:
    """The refusal of a body that no sender sends."""
    return Refused(413, "holds more than any event needs") if len(sent.body) > MOST_BYTES else None


def json_of(body: bytes | str) -> object:
    """What a body says as JSON; None for what is none, has no bottom, or says a key twice."""
    try:
        require_unique_keys(body)
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):  # DecodeError is a ValueError, as is text that is no UTF-8
        return None


def items_of(body: bytes) -> list[Mapping[str, Any]] | None:
    """The events of an array; one that is none stands there as it was sent, and holds up no other. None: no array."""
    try:
        items = _array(body)
    except (ValueError, RecursionError):
        return None
    read = [json_of(bytes(one)) for one in items]
    return [
        one if isinstance(one, dict) else {"unread": bytes(item).decode(errors="replace")}
        for one, item in zip(read, items, strict=True)
    ]


def delivery(key: str, occurred: Span | None, at: datetime, event: Mapping[str, Any]) -> Delivery:
    """An event as it is kept."""
    return Delivery(key, occurred.earliest if occurred else None, _encode({"at": instant(at), "event": event}))


def told(kept: Delivery) -> Told | None:
    """What `delivery` was given; None for anything else."""
    said = json_of(kept.body)
    if not isinstance(said, dict):
        return None
    at, event = time_of(said.get("at")), said.get("event")
    return Told(at, event) if at is not None and isinstance(event, dict) else None


def same(event: object) -> str:
    """A name of an event whose sender gives it none: the same for the same content."""
    return digest(_encode(event).hex())


def time_of(said: object) -> datetime | None:
    """A time with its zone, or None."""
    try:
        return rfc3339(said)
    except ValueError:
        return None


def seconds(said: object) -> datetime | None:
    """Seconds since 1970, or None."""
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= 12:
        said = int(said)
    if not isinstance(said, int) or isinstance(said, bool):
        return None
    try:
        return datetime.fromtimestamp(said, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def exact(happened: datetime | None, at: datetime) -> Span | None:
    """The span of a moment, unless it lies after the moment at which it was told of."""
    return None if happened is None or happened - at > SKEW else Span(happened, happened, "exact")


def address(said: object) -> str | None:
    """The address a sender names, also within `Ada <ada@example.com>`; None for anything else."""
    text = said.strip() if isinstance(said, str) and len(said) <= MOST_TEXT else ""
    return address_of(text)


def part(said: object, name: str) -> Mapping[str, Any]:
    """A part of an event that is a mapping itself; empty where there is none."""
    held = said.get(name) if isinstance(said, dict) else None
    return held if isinstance(held, dict) else {}


def parts(said: object, name: str) -> Sequence[Any]:
    """A part of an event that is a list; empty where there is none."""
    held = said.get(name) if isinstance(said, dict) else None
    return held if isinstance(held, list) else ()


def text(said: object) -> str:
    """A field as text, trimmed; empty for what is neither text nor a whole number."""
    if isinstance(said, int) and not isinstance(said, bool):
        return str(said) if abs(said) < _LARGE else ""
    return said.strip() if isinstance(said, str) else ""


def name_of(*said: object) -> str:
    """A name by its parts, as it may stand in the log: the token of what an evidence map calls it."""
    named = ["masked-address" if is_address(one) else one for one in map(text, said) if one]
    return token_of(" ".join(named)) if named else ""


def by_way_of(system: str, said: object) -> str:
    """The door by which a fact came: the system, and what it names beside itself."""
    door = name_of(said)
    return f"{system}.{door}" if door else system


def message(said: object) -> str | None:
    """The id of a mail, where it may stand in the log; another stays in the payload."""
    written = text(said)
    return written if _plain(written) else None


def alarming(words: str) -> bool:
    """Whether a reason that is not known sounds like a stop."""
    return _alarming(words) is not None


def saying(system: str, email: str, event: Event, source_id: str, **payload: object) -> Saying:
    """A fact about an address. Of the payload, what says nothing is left out."""
    held = {name: value for name, value in payload.items() if value}
    return Saying(Registration(email, system, None, primary=False), event, source_id, held or None)
