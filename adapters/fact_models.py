"""What other systems may submit, as strict models made from the event classes: one definition of each fact.

A closed list. Left out is what only the ledger says (links, completions), what a named person answers for
(corrections, reviews, notes, declarations), and what holds for everybody.
"""

from __future__ import annotations

import json
import re
import types
import typing
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    create_model,
    model_validator,
)

from adapters.addresses import address_of, addresses_in
from adapters.wides import domain_in
from ledger import codec
from ledger import events as e

EVENTS: tuple[type[e.Event], ...] = (
    e.OptedIn,
    e.OptInRequested,
    e.DoubleOptInConfirmed,
    e.FormSubmitted,
    e.BoxAnswered,
    e.OptedOut,
    e.TypeOptedOut,
    e.Objected,
    e.OptOutObstructed,
    e.Complained,
    e.ErasureRequested,
    e.AccessRequested,
    e.AccessAnswered,
    e.ContractStarted,
    e.ContractEnded,
    e.Enquired,
    e.Donated,
    e.AddressPublished,
    e.EmailSent,
    e.CampaignMailSent,
    e.LetterSent,
    e.Clicked,
    e.Opened,
    e.Bounced,
    e.MarketingStatusObserved,
    e.BasisClaimed,
    e.OptOutShown,
    e.SubscriptionShown,
    e.DealWon,
    e.CountryEvidenced,
    e.RecipientDescribed,
    e.AddressVerified,
    e.SystemMigrated,
)
SET_HERE = frozenset(
    {"stream", "source", "sid", "address", "record", "recorded_at", "recorded_clock", "commitment", "opt_outs_on"}
)
"""Fields of an event that no submitter sets."""
_ERASURE = frozenset({"occurred_from", "by", "via"})
"""All that a request to be erased may say: it always has the widest scope."""
MOST_ITEMS = 64
MOST_PAYLOAD_BYTES = 65_536

_rfc3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)


def moment(said: object) -> datetime:
    """An RFC 3339 time in UTC. ValueError for anything else: a number, a day, a time without its zone."""
    try:
        if isinstance(said, str) and _rfc3339.match(said):
            return datetime.fromisoformat(said.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("not a time with its zone, such as 2026-11-23T10:00:00Z")


def _address(said: str) -> str:
    clear = address_of(said) or domain_in(said)
    if clear is None:
        several = len(addresses_in(said)) > 1
        raise ValueError("more than one e-mail address: send a fact for each" if several else "not an e-mail address")
    return clear


def _payload(said: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        size = len(json.dumps(said, allow_nan=False))
    except ValueError:
        raise ValueError("holds a number that JSON has no form for") from None
    if size > MOST_PAYLOAD_BYTES:
        raise ValueError(f"holds more than {MOST_PAYLOAD_BYTES} bytes")
    return said


Token = Annotated[str, StringConstraints(pattern=f"^{codec.PLAIN_TEXT}$")]
"""Text that may stand in the log: no spaces, no `@`, nothing personal."""
MomentField = Annotated[AwareDatetime, BeforeValidator(moment)]
Whole = Annotated[int, Field(gt=-(2**53), lt=2**53)]
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=320),
    AfterValidator(_address),
    Field(json_schema_extra={"format": "email"}),
]
Reference = Annotated[str, StringConstraints(pattern="^CL-[0-9a-f]{8}-[0-9]{1,15}$")]
Payload = Annotated[dict[str, JsonValue], AfterValidator(_payload)]
_REFERENCE = "names the person in place of an address, as pages and lists do: CL-0a1b2c3d-42"


class Strict(BaseModel):
    """Nothing is guessed: no text for a number, no field that is not named."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Person(Strict):
    """Whom a fact is about: an e-mail address or a reference, a record of a system, or both."""

    email: Email | None = Field(
        None, description="the address the fact is about; of a stop also a whole domain, as @example.com"
    )
    system: Token | None = Field(None, description="whose record it is; else the source of the fact")
    record_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="the record's id in that system"
    )
    reference: Reference | None = Field(None, description=_REFERENCE)

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.email is self.record_id is self.reference is None:
            raise ValueError("names nobody: give an email, a reference or a record_id")
        return self


class AddressedPerson(Strict):
    """Who asks to be erased: by address, since it is the address that is suppressed."""

    email: Email | None = Field(None, description="the address that is to be erased")
    reference: Reference | None = Field(None, description=_REFERENCE)

    @model_validator(mode="after")
    def _names_an_address(self) -> Self:
        if self.email is self.reference is None:
            raise ValueError("names no address: give an email or a reference")
        return self


class FactModel(Strict):
    """What every submitted fact may say, beside the fields of its event."""

    person: Person
    payload: Payload | None = Field(
        None, description="what is personal about it; kept encrypted, erased with the person"
    )

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        begin, end = getattr(self, "occurred_from", None), getattr(self, "occurred_to", None)
        if begin is not None and end is not None and end < begin:
            raise ValueError("occurred_to lies before occurred_from")
        return self


@cache
def models() -> dict[str, type[FactModel]]:
    """Topic -> the model of what may be submitted under it."""
    return {str(cls.__struct_config__.tag): _model(cls) for cls in EVENTS}


def event_of(topic: str, said: FactModel, **fields: Any) -> e.Event:
    """The event a valid submission stands for; `fields` are those that are set here."""
    own = {name: value for name, value in said if name not in FactModel.model_fields}
    return e.TOPICS[topic](**own, **fields)


def _model(cls: type[e.Event]) -> type[FactModel]:
    fields = _fields(cls, SET_HERE)
    if cls is e.ErasureRequested:
        fields = {name: field for name, field in fields.items() if name in _ERASURE} | {
            "person": (AddressedPerson, ...)
        }
    return create_model(cls.__name__, __base__=FactModel, __doc__=cls.__doc__, **fields)


def _fields(cls: type[msgspec.Struct], left_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        field.name: (_kind(hints[field.name]), ... if field.required else field.default)
        for field in msgspec.structs.fields(cls)
        if field.name not in left_out
    }


def _kind(hint: Any) -> Any:
    """An event field's type as pydantic is to check it."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _kind(parts[0])
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_kind(part) for part in parts)]  # noqa: UP007 - made of a list
    if origin is tuple:
        return Annotated[tuple[_kind(parts[0]), ...], Field(max_length=MOST_ITEMS)]  # type: ignore[misc]
    if origin is Literal or hint in (bool, type(None)):
        return hint
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _struct(hint)
    return {str: Token, int: Whole, datetime: MomentField}[hint]


def _struct(cls: type[msgspec.Struct]) -> Any:
    """A part of an event: checked as a model, kept as the event wants it."""
    model = create_model(cls.__name__, __base__=Strict, __doc__=cls.__doc__, **_fields(cls))
    return Annotated[model, AfterValidator(lambda made: cls(**dict(made)))]
