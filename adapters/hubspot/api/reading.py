"""HubSpot's JSON into values, as forgiving as it must be: what is absent is None, never an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from adapters.hubspot.api.shapes import AddressState, ContactRead, Page, SubscriptionType, TypeState
from adapters.hubspot.changes import NO_TIME, Change
from adapters.receiving import AwayError

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
State = Literal["subscribed", "unsubscribed", "not_specified"]
_STATES: Mapping[str, State] = {
    "SUBSCRIBED": "subscribed",
    "UNSUBSCRIBED": "unsubscribed",
    "NOT_SUBSCRIBED": "unsubscribed",
    "NOT_SPECIFIED": "not_specified",
}
UNNAMED = "unnamed"
"""A subscription type that an answer does not name: nothing ties it to a purpose, so a stop of it is one of all."""
_IN = frozenset({"SUBSCRIBED", "NOT_SPECIFIED"})
"""States of a whole address that say it did not leave all mail; what is not understood counts as a stop."""


def when(value: object) -> datetime | None:
    """A time, in milliseconds or as ISO; None for anything else."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        if isinstance(value, str) and value:
            if value.isdigit():
                return datetime.fromtimestamp(int(value) / 1000, UTC)
            found = datetime.fromisoformat(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def milliseconds(moment: datetime) -> str:
    """A time as HubSpot takes it, exactly: as a fraction it might become the millisecond before."""
    return str((moment - _BEGINNING) // timedelta(milliseconds=1))


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list, whatever else stands in it."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def results(body: object) -> list[dict[str, Any]]:
    """The objects of an answer."""
    return objects(body.get("results")) if isinstance(body, dict) else []


def listed(body: object, name: str = "results") -> None:
    """Raise AwayError for an answer without its list: that is none, and not an empty one."""
    if not isinstance(body, dict) or not isinstance(body.get(name), list):
        raise AwayError(f"HubSpot answers in a form that is not known here: the list `{name}` is missing")


def page_of(body: Any, name: str = "results") -> Page[dict[str, Any]]:
    """A page, whichever of its two ways of paging HubSpot uses here.

    AwayError for one that cannot be read: taken for the last one, it would hide everybody who comes after it.
    """
    listed(body, name)
    further = _object(_object(body, "paging"), "next")
    after = further.get("after")
    if after is None and body.get("hasMore"):
        after = body.get("offset")
    if after is None and (further or body.get("hasMore")):
        raise AwayError("HubSpot says that a page is not the last one, and not where the next one begins")
    total = body.get("total")
    return Page(
        objects(body.get(name)), None if after is None else str(after), total if isinstance(total, int) else None
    )


def contact_of(found: Mapping[str, Any]) -> ContactRead:
    """A contact as any of its calls tells of it."""
    record = str(found.get("id", ""))
    properties = {name: _text(value) for name, value in _object(found, "properties").items()}
    history = {
        name: sorted(_changes(record, name, versions), key=lambda change: change.at)
        for name, versions in _object(found, "propertiesWithHistory").items()
    }
    also = tuple(part.strip() for part in (properties.get("hs_additional_emails") or "").split(";") if part.strip())
    email = properties.get("email") or None
    return ContactRead(record, email, properties, history, bool(found.get("archived")), also)


def _changes(record: str, name: str, versions: object) -> Iterator[Change]:
    """What became of a property. One whose moment cannot be read is kept, and happened nobody knows when."""
    for one in objects(versions):
        at = when(one.get("timestamp")) or NO_TIME
        value, source = _text(one.get("value")) or "", _text(one.get("sourceType")) or ""
        yield Change(record, name, value, at, source, _text(one.get("sourceId")) or "")


def type_of(found: Mapping[str, Any]) -> SubscriptionType:
    """A definition of a subscription type."""
    number, name = ((_text(found.get(field)) or "").strip() for field in ("id", "name"))
    return SubscriptionType(number or UNNAMED, name, found.get("isActive") is not False)


def by_address(body: object, within: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a batch by the address they are of, as it was written; grouped there already, or one by one."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in results(body):
        address = str(one.get("subscriberIdString", ""))
        rows = found.setdefault(address.casefold(), [])
        rows += objects(one[within]) if isinstance(one.get(within), list) else [one]
    return found


def address_state(email: str, statuses: Iterable[Mapping[str, Any]], wide: Iterable[Mapping[str, Any]]) -> AddressState:
    """What the rows of an address say; an empty list of wide ones says it did not leave all mail.

    It may have left several brands: what came between two of these undoes nothing of the last, which may be one
    whose time cannot be read.
    """
    out = [one for one in wide if str(one.get("status") or "").strip().upper() not in _IN]
    times = [when(one.get("timestamp")) for one in out]
    known = [at for at in times if at is not None]
    last = max(known) if known and len(known) == len(times) else None
    return AddressState(email, tuple(map(_state, statuses)), bool(out), last)


def _state(found: Mapping[str, Any]) -> TypeState:
    return TypeState(
        type_id=(_text(found.get("subscriptionId")) or "").strip() or UNNAMED,
        name=(_text(found.get("subscriptionName")) or "").strip(),
        # what is not understood counts as a stop
        state=_STATES.get((_text(found.get("status")) or "").strip().upper(), "unsubscribed"),
        at=when(found.get("timestamp")),
        source=(_text(found.get("source")) or "").strip(),
        explanation=_text(found.get("legalBasisExplanation")),
        legal_basis=_text(found.get("legalBasis")),
    )


def _object(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    held = found.get(name)
    return held if isinstance(held, dict) else {}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
