"""What a publisher is made of, without a broker: batches, gaps and the rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from adapters.kafka import event_feed
from adapters.kafka.event_feed import EventFeed, LeaseLostError
from adapters.kafka.messages import Message
from adapters.kafka.progress import Progress
from adapters.kafka.sending import Batch, DeliveryFailedError, Sender
from adapters.kafka.status_feed import Rate, StatusFeed
from adapters.kafka.topics import LONGEST_STATUS
from ledger import events as e
from ledger.log import Log
from projections import outbox
from projections.announcing import Announcer
from projections.runner import StatusRunner
from projections.views import Views
from tests.projections.histories import BINDING, POLICIES, contact, draft
from tests.stores import Place


def test_a_batch_is_delivered_when_every_message_is() -> None:
    """One refusal fails it, whatever came before and comes after."""
    batch = Batch()
    batch.count = 2
    batch.reported(None, object())
    assert not batch.is_delivered
    batch.reported(None, object())
    assert batch.is_delivered
    batch.reported(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), object())
    batch.reported(KafkaError(KafkaError._PURGE_QUEUE), object())
    with pytest.raises(DeliveryFailedError, match="TOPIC_AUTHORIZATION_FAILED"):
        assert batch.is_delivered


class Gapped:
    """A log that somebody took an entry out of."""

    def read(self, after: int, limit: int) -> list[tuple[int, int, bytes]]:
        return [(n, n, b"") for n in (1, 2, 4) if n > after][:limit]


def test_a_log_with_a_gap_is_not_published_past_it(place: Place) -> None:
    """There is no such log; if there were, a consumer would never miss what was taken out."""
    progress = Progress.at(place("streams"))
    feed = EventFeed(Gapped(), "", Sender("127.0.0.1:1"), progress)
    feed.begin()
    with pytest.raises(RuntimeError, match="gap between 0 and 4"):
        feed.send()
    progress.close()


def test_what_was_delivered_before_a_failure_is_stored(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the store did not answer at first: nothing need be sent again that is known to be there."""
    monkeypatch.setattr(event_feed, "BATCH", 1)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    progress = Progress.at(place("streams"))
    with Log.make(place("log"), lambda: now) as log:
        log.append([draft(e.OptedOut(stream=contact(1), source="t"))] * 2)
        feed = EventFeed(log, "", Sender("127.0.0.1:1"), progress)
        feed._sender.start()
        feed.begin()
        assert feed.send()
        assert feed.send()
        first, second = (one.batch for one in feed._flying)
        first.reported(None, object())
        second.reported(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), object())
        with pytest.raises(LeaseLostError):
            feed.settle("me", now)
        assert progress.lease(feed.name, "me", now, 10)
        feed.settle("me", now)
        assert (progress.position(feed.name), feed.published) == (1, 1)
        with pytest.raises(DeliveryFailedError, match="MSG_SIZE_TOO_LARGE"):
            feed.settle("me", now)
        feed._sender.drop()
    progress.close()


def test_a_message_that_is_not_even_taken_is_a_failure_like_any_other() -> None:
    """Said again and again, and counted; it does not end the program."""
    sender = Sender("127.0.0.1:1")
    sender.start()
    with pytest.raises(DeliveryFailedError, match="MSG_SIZE_TOO_LARGE"):
        sender.send([Message("t", b"k", bytes(LONGEST_STATUS + 1), [])])
    sender.drop()


@given(
    per_second=st.integers(1, 5_000),
    steps=st.lists(st.tuples(st.floats(0.001, 3), st.integers(1, 2_000)), min_size=1, max_size=50),
)
def test_the_rate_is_kept_however_it_is_asked(per_second: int, steps: list[tuple[float, int]]) -> None:
    """What went is never more than the time that passed allows, and a tenth of a second's worth."""
    clock = [100.0]
    rate, went = Rate(per_second, lambda: clock[0]), 0
    for seconds, wanted in steps:
        clock[0] += seconds
        count = rate.allows(wanted)
        assert 0 <= count <= wanted
        rate.spend(count)
        went += count
        assert went <= (clock[0] - 100.0) * per_second + max(1.0, per_second / 10) + 1e-6


def test_the_rate_is_reached() -> None:
    """Asked every twentieth of a second, a second later a second's worth went."""
    clock = [0.0]
    rate, went = Rate(1_000, lambda: clock[0]), 0
    for _ in range(20):
        clock[0] += 0.05
        count = rate.allows(500)
        rate.spend(count)
        went += count
    assert 1_000 <= went <= 1_100


def test_what_a_publisher_had_in_flight_when_it_lost_its_lease_is_sent_again(place: Place) -> None:
    """It may arrive behind what the next one sent, and would be the last word on its key."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with Log.make(place("log"), lambda: now) as log, Views.open(place("views"), BINDING) as live:
        log.append([draft(e.OptedOut(stream=contact(n), source="t")) for n in (1, 2)])
        runner = StatusRunner(log, place("log"), live, POLICIES.__getitem__)
        runner.follow(once=True)
        with live.transaction() as driver:
            assert outbox.switch_on(driver, now)
        announcer = Announcer(runner, "t")
        sender = Sender("127.0.0.1:1")
        sender.start()
        feed = StatusFeed(live, announcer, "t", sender, Rate(1_000, lambda: 0.0))
        assert feed.send(now)
        with live.transaction() as driver:  # the next publisher sends them meanwhile, and is done
            outbox.done(driver, outbox.take(driver, 10))
            assert outbox.take(driver, 10) == []
        sender.drop()
        feed.give_up()
        assert not feed.is_flying
        with live.snapshot() as driver:
            assert {(one.contact, one.rank) for one in outbox.take(driver, 10)} == {
                (contact(n), outbox.NEWS) for n in (1, 2)
            }
        feed.give_up()  # nothing flies any more


def test_a_lease_is_held_until_it_lapses_or_another_has_it(place: Place) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    progress = Progress.at(place("streams"))
    assert not progress.holds("p", "me", now)
    assert progress.lease("p", "me", now, 10)
    assert progress.holds("p", "me", now)
    assert not progress.holds("p", "another", now)
    assert not progress.holds("p", "me", now + timedelta(seconds=11))
    progress.close()
