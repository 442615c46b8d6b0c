"""What stands in the array that HubSpot posts: one notice a place, each with the key it is known again by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from adapters.receiving import MOST_ITEMS, Delivery, Refused
from adapters.unique_keys import require_unique_keys

CONTACT = "0-1"
"""Type of the objects that are contacts, in notices about objects of any type."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = -62_135_596_800_000, 253_402_300_799_999
"""The first and the last millisecond of the calendar. Whether it can be true, `ledger.plausibility` judges."""
_is_id = re.compile(r"[0-9]{1,20}\Z").match
Id = int | str


class Notice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What happened to a record. Of a changed property only the new value; fields not known here are left out."""

    portal_id: Id
    subscription_id: Id
    subscription_type: str
    occurred_at: int
    event_id: Id = 0
    object_id: Id | None = None
    object_type_id: str | None = None
    property_name: str | None = None
    property_value: str | None = None
    change_source: str | None = None
    source_id: Id | None = None
    is_sensitive: bool = False
    primary_object_id: Id | None = None
    merged_object_ids: list[Id] = []
    new_object_id: Id | None = None

    @property
    def kind(self) -> str | None:
        """What happened, if it did to a contact."""
        subject, _, kind = self.subscription_type.partition(".")
        is_contact = subject == "contact" or (subject == "object" and self.object_type_id == CONTACT)
        return kind if is_contact else None

    @property
    def at(self) -> datetime:
        """When it happened, as HubSpot says. A number that is no moment becomes the nearest that is one."""
        return _BEGINNING + timedelta(milliseconds=max(_EARLIEST, min(self.occurred_at, _LATEST)))

    @property
    def key(self) -> str:
        """The full key: of these, none is unique by itself, and HubSpot does not promise it of all but the value."""
        return msgspec.json.encode(
            (
                self.portal_id,
                self.subscription_id,
                self.subscription_type,
                self.object_id,
                self.property_name,
                self.property_value,
                self.occurred_at,
                self.event_id,
            )
        ).decode()


_KINDS = {field.encode_name: field.type for field in msgspec.structs.fields(Notice)}
_object = msgspec.json.Decoder(dict[str, Any])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_notice = msgspec.json.Decoder(Notice)


def deliveries(body: bytes) -> list[Delivery] | Refused:
    """The notices of a body, each by itself. One that is none is kept too, so that it can be looked at."""
    try:
        items = _array.decode(body)
    except (ValueError, RecursionError):
        return Refused(400, "the body is no JSON array")
    if len(items) > MOST_ITEMS:
        return Refused(413, f"more than {MOST_ITEMS} notices at once")
    return [_delivery(bytes(item)) for item in items]


def _delivery(item: bytes) -> Delivery:
    notice = _strictly(item)
    if notice is not None:
        return Delivery(notice.key, notice.at, item)
    return Delivery(f"unread:{hashlib.sha256(item).hexdigest()}", None, item)


def read(item: bytes) -> Notice | Literal["no notice of HubSpot's"]:
    """A notice, or what is wrong with it. A field that cannot be read is left out: what is left may be a stop."""
    return _strictly(item) or _leniently(item) or "no notice of HubSpot's"


def _strictly(item: bytes) -> Notice | None:
    try:
        require_unique_keys(item)
        notice = _notice.decode(item)
    except (ValueError, RecursionError):
        return None
    return notice if all(_is_id(str(one)) for one in _ids(notice)) else None


def _leniently(item: bytes) -> Notice | None:
    """A notice by those of its fields that can be read. None where it does not say what of whose it is."""
    try:
        require_unique_keys(item)
        said = _object.decode(item)
    except (ValueError, RecursionError):
        return None
    fields = {"subscriptionId": 0, "occurredAt": _EARLIEST} | {
        name: value for name, value in said.items() if name in _KINDS and _fits(value, _KINDS[name])
    }
    value = said.get("propertyValue")
    if not isinstance(value, str | None):  # present, and not understood
        fields["propertyValue"] = ("true" if value else "false") if isinstance(value, bool) else str(value)
    try:
        notice = msgspec.convert(fields, Notice)
    except msgspec.ValidationError:
        return None
    return notice if notice.object_id is not None and all(_is_id(str(one)) for one in _ids(notice)) else None


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _ids(notice: Notice) -> Iterator[Id]:
    named = (notice.object_id, notice.primary_object_id, notice.new_object_id)
    yield from (one for one in named if one is not None)
    yield from notice.merged_object_ids
