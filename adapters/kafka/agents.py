"""A Faust agent around a handler: batches of what lies waiting, at least once, in the order of each partition.

Why not Faust's own `take`: it acknowledges a batch even when the handler failed or was cancelled, and it waits
for its time to pass where it could begin at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import faust
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, NotEnoughReplicasError, RequestTimedOutError

from adapters.kafka.messages import Message, Place
from adapters.kafka.records import Effects, Handle, Record

MOST = 500
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0
_A = TypeVar("_A")
_T = TypeVar("_T")
log = logging.getLogger(__name__)


class Counted(NamedTuple):
    """What a worker counts, told after each batch."""

    records: Callable[[int], None]
    dead: Callable[[int], None]
    retries: Callable[[int], None]


def add_agent(
    app: faust.App,
    topic: str,
    handle: Handle,
    away: tuple[type[Exception], ...],
    counted: Counted,
    most: int = MOST,
) -> None:
    """Have the app give the records of a topic to a handler, at most so many at a time.

    An exception of `away` means that a database does not answer: the batch is tried again until it does. Any other
    is a mistake of ours: nothing of the batch is acknowledged, and the worker is to end (`App.broken`).
    """
    source = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def handled(records: Sequence[Record]) -> Effects:
        return await asyncio.to_thread(handle, records)

    async def deliver(messages: Sequence[Message]) -> None:
        await _deliver(app, messages)

    async def work(stream: Any) -> None:
        batch: list[Any] = []
        waiting = stream.channel.queue
        async for event in stream.noack().events():
            batch.append(event)
            if len(batch) < most and not waiting.empty():
                continue
            records = [_record(one.message) for one in batch]
            effects = await _patiently(handled, records, away, counted)
            await _patiently(deliver, effects.messages, _UNDELIVERED, counted)
            for one in batch:
                await stream.ack(one)
            counted.records(len(batch))
            counted.dead(effects.dead)
            batch.clear()

    app.agent(source, name="work", concurrency=1)(work)


def _record(message: Any) -> Record:
    place = Place(message.topic, message.partition, message.offset)
    return Record(place, message.key, message.value, list(message.headers or ()))


async def _patiently(
    step: Callable[[_A], Awaitable[_T]], argument: _A, away: tuple[type[Exception], ...], counted: Counted
) -> _T:
    """Try until it is done. An agent never raises for what will pass: Faust would go on behind the batch."""
    wait = _FIRST_WAIT
    while True:
        try:
            return await step(argument)
        except away as error:
            log.warning(f"a database or the broker is away, tried again: {type(error).__name__}")
            counted.retries(1)
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


_UNDELIVERED = (KafkaTimeoutError, KafkaConnectionError, RequestTimedOutError, NotEnoughReplicasError)
"""The broker is away."""


async def _deliver(app: faust.App, messages: Sequence[Message]) -> None:
    """Send, and wait until the broker has them all."""
    producer = await app.maybe_start_producer()
    sent = [await producer.send(one.topic, one.key, one.value, None, None, list(one.headers)) for one in messages]
    for delivered in sent:
        await delivered
