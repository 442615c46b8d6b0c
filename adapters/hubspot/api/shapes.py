"""What HubSpot's API hands out and takes, as values: the only shapes the rest of the program knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Generic, Literal, NamedTuple, TypeVar

from adapters.hubspot.changes import Change

T = TypeVar("T")


class ContactRead(NamedTuple):
    """A contact. `also`: its further addresses; `history`: changes of a property, oldest first."""

    id: str
    email: str | None
    properties: Mapping[str, str | None]
    history: Mapping[str, Sequence[Change]]
    archived: bool
    also: tuple[str, ...]


class Page(NamedTuple, Generic[T]):
    """`after`: what asks for the next one, None for the last. `total`: of all pages, where HubSpot says it."""

    items: Sequence[T]
    after: str | None
    total: int | None


class SubscriptionType(NamedTuple):
    """A kind of mail that people leave and join on its own."""

    id: str
    name: str
    active: bool


class TypeState(NamedTuple):
    """One type of one address. `explanation`: what whoever set it wrote beside it."""

    type_id: str
    name: str
    state: Literal["subscribed", "unsubscribed", "not_specified"]
    at: datetime | None
    source: str
    explanation: str | None
    legal_basis: str | None


class AddressState(NamedTuple):
    """What an address is subscribed to. `all_out`: it left all e-mail."""

    email: str
    types: tuple[TypeState, ...]
    all_out: bool
    all_out_at: datetime | None


class TypeChange(NamedTuple):
    """A type to be set for an address; whether on or off, the call says."""

    email: str
    type_id: str
    legal_basis: str | None
    explanation: str


class Written(NamedTuple):
    """What became of one write. `key`: record id or address; `detail`: HubSpot's words, no address in them."""

    key: str
    status: Literal["done", "unchanged", "refused", "gone"]
    code: int
    detail: str


class Capabilities(NamedTuple):
    """What the token may do in this portal; each was tried, by a call that changes nothing."""

    batch_read: bool
    batch_write: bool
    v3_subscribe: bool
    contacts: bool
    types: bool
    timeline: bool
    events: bool
    forms: bool
    deals: bool
    imports: bool
