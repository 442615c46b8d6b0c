"""Facts that other systems submit on a topic: taken as over HTTP, and answered, each of them, by its place.

What is no CloudEvent is answered as well, and kept whole as a dead letter, sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from adapters.kafka.cloudevents import Received, Refusal, read, uuid_only
from adapters.kafka.dead_letters import dead_letter
from adapters.kafka.messages import Message, ResultValue, result_message
from adapters.kafka.records import Effects, Failed, Handle, Record
from adapters.kafka.topics import FACTS_DLQ, named
from adapters.submitting import Answer, Submission, take
from adapters.wiring import House


def taking(house: House, prefix: str, clock: Callable[[], datetime]) -> Handle:
    """A handler: records what the records say. Raises eventsourcing's OperationalError when the database is away."""
    ledger = house.ledger

    def result(value: ResultValue, at: str) -> Message:
        return result_message(ledger.id, value, at, prefix)

    def handle(records: Sequence[Record]) -> Effects:
        events = [read(record.headers, record.value) for record in records]
        received = [event for event in events if isinstance(event, Received)]
        answers = iter(take(house, [Submission(e.source, e.id, e.type, e.time, e.data) for e in received]))
        now = clock()
        at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
        messages: list[Message] = []
        dead = 0
        for record, event in zip(records, events, strict=True):
            if isinstance(event, Received):
                messages.append(result(_answered(record, event, next(answers)), at))
                continue
            failed = Failed(record, "no CloudEvent: " + "; ".join(_told(event)))
            messages.append(dead_letter(named(FACTS_DLQ, prefix), failed, now, ledger.seal))
            messages.append(result(_refused(record, event), at))
            dead += 1
        return Effects(messages, dead)

    return handle


def _answered(record: Record, event: Received, answer: Answer) -> ResultValue:
    return ResultValue(
        place=str(record.place),
        status=answer.status,
        position=answer.position,
        contact=answer.contact,
        id=uuid_only(event.id),
        correlationid=event.correlationid,
        reasons=answer.reasons,
    )


def _refused(record: Record, refusal: Refusal) -> ResultValue:
    return ResultValue(
        place=str(record.place), status="rejected", correlationid=refusal.correlationid, reasons=refusal.reasons
    )


def _told(refusal: Refusal) -> list[str]:
    return [f"{reason.field or 'the value'} {reason.problem}" for reason in refusal.reasons]
