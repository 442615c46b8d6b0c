"""eventsourcing's own test cases, unmodified, against our recorders.

One of its checks contradicts a decision of ours: `AggregateRecorderTestCase` wants `insert_events` to
return None, `ApplicationRecorderTestCase` wants positions. The log is an application recorder. The aggregate
cases therefore run against a thin shell that drops the return value and changes nothing else.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import TestCase
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import LocalNotificationLog
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    AggregateRecorder,
    DatetimeAsISO,
    EventStore,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    UUIDAsHex,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    TrackingRecorderTestCase,
)

from ledger import codec
from ledger.events import Opened
from ledger.log import Draft, Log
from projections.tracking import TrackingTable
from tests.contract.conftest import now
from tests.stores import Place, made


class _OnFiles(TestCase):
    """The library's cases are made for one store a class."""

    kind = "files"

    def place(self) -> Place:
        home = self.enterContext(tempfile.TemporaryDirectory())
        return self.enterContext(made(self.kind, Path(home)))

    def log(self) -> Log:
        return self.enterContext(Log.make(self.place()("log"), now))


@pytest.mark.service
class _OnPostgres(_OnFiles):
    kind = "postgresql"


class TestApplicationRecorder(_OnFiles, ApplicationRecorderTestCase[Log]):
    def create_recorder(self) -> Log:
        return self.log()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestApplicationRecorderOnPostgres(_OnPostgres, TestApplicationRecorder):
    pass


class _WithoutPositions(AggregateRecorder):
    def __init__(self, log: Log) -> None:
        self._log = log

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        self._log.insert_events(stored_events, **kwargs)

    def select_events(self, originator_id: UUID | str, **kwargs: Any) -> Sequence[StoredEvent]:
        return self._log.select_events(originator_id, **kwargs)


class TestAggregateRecorder(_OnFiles, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return _WithoutPositions(self.log())


class TestAggregateRecorderOnPostgres(_OnPostgres, TestAggregateRecorder):
    pass


class TestTrackingRecorder(_OnFiles, TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingTable:
        return self.enterContext(TrackingTable.open(self.place()("streams")))


class TestTrackingRecorderOnPostgres(_OnPostgres, TestTrackingRecorder):
    pass


class Counter(Aggregate):
    """An aggregate as the library's users write them."""

    def __init__(self) -> None:
        self.count = 0

    @event("Counted")
    def up(self) -> None:
        self.count += 1


def test_the_stock_event_store_works_over_the_log(log: Log) -> None:
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    transcoder.register(DatetimeAsISO())
    store: EventStore[UUID] = EventStore(Mapper(transcoder), log)
    counter = Counter()
    counter.up()
    store.put(counter.collect_events())
    copy: Counter | None = None
    for stored in store.get(counter.id):
        copy = stored.mutate(copy)  # type: ignore[attr-defined]
    assert copy is not None
    assert copy.count == 1


def test_the_stock_notification_log_reads_our_entries(log: Log) -> None:
    stream = str(uuid4())
    opened = Opened(stream=stream, source="test")
    log.append([Draft(stream, codec.topic_of(opened), codec.encode(opened)) for _ in range(12)])
    section = LocalNotificationLog(log)["1,10"]
    assert [item.id for item in section.items] == list(range(1, 11))
    assert section.next_id == "11,20"
    assert codec.decode_strict(section.items[0].state).stream == stream
