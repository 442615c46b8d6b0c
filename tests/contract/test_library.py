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
from uuid import UUID, uuid4

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


class TestApplicationRecorder(ApplicationRecorderTestCase[Log]):
    def create_recorder(self) -> Log:
        home = self.enterContext(tempfile.TemporaryDirectory())
        return self.enterContext(Log.open(Path(home) / "log.db", now))

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class _WithoutPositions(AggregateRecorder):
    def __init__(self, log: Log) -> None:
        self._log = log

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        self._log.insert_events(stored_events, **kwargs)

    def select_events(self, originator_id: UUID | str, **kwargs: Any) -> Sequence[StoredEvent]:
        return self._log.select_events(originator_id, **kwargs)


class TestAggregateRecorder(AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        home = self.enterContext(tempfile.TemporaryDirectory())
        return _WithoutPositions(self.enterContext(Log.open(Path(home) / "log.db", now)))


class TestTrackingRecorder(TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingTable:
        home = self.enterContext(tempfile.TemporaryDirectory())
        return self.enterContext(TrackingTable.open(Path(home) / "views.db"))


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
