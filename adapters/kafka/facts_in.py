"""Facts that other systems submit on a topic: taken as over HTTP, and answered, each of them, by its place.

What is no CloudEvent is answered as well, and kept whole as a dead letter, sealed. So is a record at which we fail,
and a stop that is rejected: somebody said no, whatever is wrong with how it was told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from adapters.kafka.cloudevents import Received, Refusal, read, uuid_only
from adapters.kafka.dead_letters import dead_letter
from adapters.kafka.messages import Message, ResultValue, result_message
from adapters.kafka.records import Effects, Failed, Handle, Record
from adapters.kafka.topics import FACTS_DLQ, named
from adapters.reasons import Reason
from adapters.submitting import Answer, Submission, take
from adapters.wiring import House
from ledger.codec import instant
from ledger.events import TOPICS, Stop

_OURS = Reason("", "could not be taken, and not for anything in it; it is kept, and somebody looks at it")
log = logging.getLogger(__name__)


def taking(house: House, prefix: str, clock: Callable[[], datetime]) -> Handle:
    """A handler: records what the records say. Raises eventsourcing's OperationalError when the database is away."""
    ledger, away = house.ledger, house.away

    def result(value: ResultValue, at: str) -> Message:
        return result_message(ledger.id, value, at, prefix, ledger.epoch)

    def handle(records: Sequence[Record]) -> Effects:
        try:
            return taken(records)
        except away:
            raise
        except Exception as error:  # noqa: BLE001 - kept as a dead letter, with its place
            if len(records) > 1:  # done again one by one: what was recorded is known by its source and id
                each = [handle([record]) for record in records]
                return Effects([one for effects in each for one in effects.messages], sum(e.dead for e in each))
            log.error(f"a fact could not be taken: {type(error).__name__}")
            return failing(records[0], type(error).__name__)

    def taken(records: Sequence[Record]) -> Effects:
        events = [read(record.headers, record.value) for record in records]
        received = [event for event in events if isinstance(event, Received)]
        answers = iter(take(house, [Submission(e.source, e.id, e.type, e.time, e.data) for e in received], clock=clock))
        at = instant(clock())
        messages: list[Message] = []
        dead = 0
        for record, event in zip(records, events, strict=True):
            if isinstance(event, Received):
                answer = next(answers)
                messages.append(result(_answered(record, event, answer), at))
                if may_be_lost_stop(event.type, answer):
                    log.error("a stop was rejected; it is kept as a dead letter")
                    messages.append(letter(record, f"may be a stop, and is not recorded: {_why(answer)}"))
                    dead += 1
                continue
            messages.append(letter(record, f"no CloudEvent: {_why(event)}"))
            messages.append(result(_refused(record, event), at))
            dead += 1
        return Effects(messages, dead)

    def failing(record: Record, error: str) -> Effects:
        """A mistake of ours, met by this record: kept, with its place, and answered; the others go on."""
        answer = ResultValue(place=str(record.place), status="rejected", reasons=(_OURS,))
        return Effects([letter(record, f"failed with {error}"), result(answer, instant(clock()))], 1)

    def letter(record: Record, error: str) -> Message:
        return dead_letter(named(FACTS_DLQ, prefix), Failed(record, error), clock(), ledger.seal)

    return handle


def may_be_lost_stop(topic: str, answer: Answer) -> bool:
    """Whether a fact that was not recorded is a stop, or may be one: of a type nobody knows, who can say?"""
    return answer.status in ("rejected", "conflict") and issubclass(TOPICS.get(topic, Stop), Stop)


def _why(answer: Answer | Refusal) -> str:
    return "; ".join(f"{reason.field or 'the value'} {reason.problem}" for reason in answer.reasons)


def _answered(record: Record, event: Received, answer: Answer) -> ResultValue:
    return ResultValue(
        place=str(record.place),
        status=answer.status,
        position=answer.position,
        contact=answer.contact,
        id=uuid_only(event.id),
        correlationid=event.correlationid,
        reasons=answer.reasons,
        warnings=answer.warnings,
        known=answer.known,
        changed=answer.changed,
    )


def _refused(record: Record, refusal: Refusal) -> ResultValue:
    return ResultValue(
        place=str(record.place), status="rejected", correlationid=refusal.correlationid, reasons=refusal.reasons
    )
