"""An example of each record, for the documentation: made up, and held against the schemas by the tests."""

from __future__ import annotations

import typing
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters import fact_models
from adapters.kafka.cloudevents import attributes
from adapters.kafka.dead_letters import Letter, letter_message
from adapters.kafka.messages import (
    CrmResult,
    Message,
    ResultValue,
    crm_message,
    event_message,
    result_message,
    status_message,
)
from adapters.kafka.topics import FACTS, FACTS_DLQ
from adapters.reasons import Reason
from ledger import codec
from ledger import events as e
from projections.contact_status import ContactStatus, ToldCell, ToldSegment

LEDGER = "7d1c2f7e-52a4-4c19-8a55-0b6de2f3c9a1"
EPOCH = "1-9f86d081884c7d65"
CONTACT = "5f2d7a64-0c1b-4e53-9d3e-6a1f8c2b7e90"
ADDRESS = "0b9c4c1e-7d53-4a55-8f0b-2d6f1e9a3c47"
MOMENT = datetime(2026, 11, 23, 9, 30, 0, 120_000, tzinfo=UTC)
POSITION = 1_204
PLACE = f"{FACTS}/3/41"
_AT = codec.instant(MOMENT)
_encode = msgspec.json.Encoder(order="deterministic").encode


def event(cls: type[e.Event]) -> Message:
    """The shortest entry of a class, as it goes out."""
    made = cls(**_needed(cls) | {"recorded_at": MOMENT})
    return event_message(LEDGER, POSITION, 7, codec.encode(made), epoch=EPOCH)


def _needed(cls: type[e.Event], left_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Made-up values for the fields that an event cannot do without."""
    hints = typing.get_type_hints(cls)
    wanted = [field.name for field in msgspec.structs.fields(cls) if field.required and field.name not in left_out]
    return {name: _value(name, hints[name]) for name in wanted}


def _value(name: str, hint: Any) -> Any:
    if name in ("stream", "other"):
        return CONTACT
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)[0]
    return {str: name, int: POSITION - 1}[hint]


def status() -> Message:
    """One address, allowed until a day that is known already."""
    ends = datetime(2028, 11, 23, 9, 30, tzinfo=UTC)
    yes = ToldSegment(MOMENT, True, "proven", "explicit_consent", ("DE-UWG-7-2-2",))
    cell = ToldCell(
        purpose="marketing.similar",
        channel="email",
        address=ADDRESS,
        allowed=True,
        basis="explicit_consent",
        rule="DE-UWG-7-2-2",
        reason="proven",
        marketing_status="marketing",
        segments=(yes, ToldSegment(ends, False, "no_basis", None, ())),
    )
    told = ContactStatus(
        contact=CONTACT,
        controller=LEDGER,
        revision=POSITION * 1_000_000 + 1,
        cause="event",
        position=POSITION,
        at=MOMENT,
        policy="1c5a755879ed" + "0" * 52,
        marketing_status="marketing",
        cells=(cell,),
    )
    return status_message(LEDGER, CONTACT, told.revision, _encode(told), _AT, epoch=EPOCH)


def tombstone() -> Message:
    """What follows the last, all-false value of an erased contact."""
    return status_message(LEDGER, CONTACT, (POSITION + 1) * 1_000_000, None, _AT, epoch=EPOCH)


def results() -> tuple[Message, Message]:
    """A fact that was recorded, and one that was not."""
    recorded = ResultValue(place=PLACE, status="recorded", position=POSITION, contact=CONTACT)
    rejected = ResultValue(place=PLACE, status="rejected", reasons=(Reason("occurred_from", "not a moment"),))
    return result_message(LEDGER, recorded, _AT, epoch=EPOCH), result_message(LEDGER, rejected, _AT, epoch=EPOCH)


def crm_result() -> Message:
    """A person who left everything, and so does in the CRM."""
    wrote = CrmResult(
        contact=CONTACT,
        call="unsubscribe_all",
        status="done",
        code=200,
        at=MOMENT,
        reference=f"CL-{CONTACT[:8]}-{POSITION}",
    )
    return crm_message(LEDGER, wrote, epoch=EPOCH)


def dead_letter() -> Message:
    """A letter about a submitted fact: what it was, only the ledger can read."""
    return letter_message(
        FACTS_DLQ, Letter(place=PLACE, at=MOMENT, error="no CloudEvent: id missing", attempts=1, sealed=b"not readable")
    )


def submission(topic: str) -> Message:
    """The shortest fact of a type, as a system may submit it. Of a person who does not exist."""
    cls = e.TOPICS[topic]
    data = {"person": {"email": "ada@example.com"}, "occurred_from": MOMENT, **_needed(cls, fact_models.SET_HERE)}
    source, number = b"shop.example", b"order-4711"
    headers = attributes(number, source, topic.encode(), _AT.encode(), number, number)
    kept = [(name, value) for name, value in headers if name not in ("ce_subject", "ce_partitionkey")]
    return Message(FACTS, b"customer-815", _encode(data), kept)
