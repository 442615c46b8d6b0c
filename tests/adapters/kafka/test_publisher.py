"""The publisher on real Kafka: in order, gapless, one at a time; whatever breaks, nothing is lost or undone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kafka.publishing import Wanted
from adapters.kafka.topics import EVENTS, STATUS
from adapters.wiring import House, now
from ledger.codec import decode
from ledger.vault import Registration
from tests import stores
from tests.adapters.kafka.publishing_world import (
    Running,
    controller,
    erased,
    opted_out,
    positions,
    projection,
    published,
    read_all,
    running,
    same,
    seen_in_the_us,
)
from tests.adapters.kafka.stream_world import World, world
from tests.ledgers import open_house
from tests.projections.histories import contact
from tests.services.kafka import Broker, broker
from tests.waiting import BUDGET, until

pytestmark = pytest.mark.service


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def house(w: World) -> Iterator[House]:
    """The ledger, as whoever records facts holds it open."""
    with open_house(w.folder / "ledger", {}) as made:
        yield made


def settled(w: World, house: House, publisher: Running) -> None:
    """Wait until the publisher says that all is sent; then it is seen whether it is, by what lies there."""
    until(publisher.idle)
    head = house.ledger.log.last_position()
    assert set(positions(read_all(w, EVENTS))) == set(range(1, head + 1))
    assert same(published(read_all(w, STATUS)), projection(house))


def test_the_log_lies_on_the_topic_whole_and_in_order(w: World, house: House) -> None:
    """Each contact's entries in the order of the log, the bytes those of the log, each once."""
    house.ledger.record_many([controller(), *[seen_in_the_us(n % 50) for n in range(9_000)]])
    with running(w.folder / "ledger", w.servers, w.prefix) as publisher:
        house.ledger.record_many([opted_out(n) for n in range(50)])
        until(lambda: publisher.progress.position(w.topic(EVENTS)) == 9_051)
    told = read_all(w, EVENTS)
    assert sorted(positions(told)) == list(range(1, 9_052))
    by_key = defaultdict(list)
    for (key, value, _), position in zip(told, positions(told), strict=True):
        by_key[key].append(position)
        assert value == house.ledger.log.read(position - 1, 1)[0][2] if position % 500 == 0 else value
    assert all(places == sorted(places) for places in by_key.values())
    assert all(decode(value or b"").stream.encode() == key for key, value, _ in told[:100])


def test_who_reads_the_status_topic_from_its_start_has_the_projection(w: World, house: House) -> None:
    """Facts keep coming while it is published; an erased contact ends with a tombstone after an all-false value."""
    house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(120)]])
    with running(w.folder / "ledger", w.servers, w.prefix) as publisher:
        for n in range(0, 120, 3):
            house.ledger.record_many([opted_out(n)])
        house.ledger.record_many([erased(7)])
        settled(w, house, publisher)
    last = [value for key, value, _ in read_all(w, STATUS) if key == contact(7).encode()]
    assert last[-1] is None
    assert last[-2] is not None
    assert b'"erased":true' in last[-2]
    assert b'"allowed":true' not in last[-2]


def test_it_is_the_same_on_postgresql(w: World) -> None:
    """Log, answers, outbox, positions and lease in one database; a rebuild swaps schemas under the publisher."""
    with stores.made("postgresql", w.folder) as place:
        env = {"CONSENT_LEDGER_DATABASE_URL": str(place.url)}
        with open_house(w.folder / "ledger", env) as house:
            house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(60)]])
            with running(w.folder / "ledger", w.servers, w.prefix, env=env) as publisher:
                until(publisher.idle)
                house.ledger.record_many([opted_out(n) for n in range(0, 60, 2)])
                house.runner.rebuild()
                house.ledger.record_many([erased(7)])
                settled(w, house, publisher)


def test_topics_that_are_made_later_get_all_of_it(tmp_path: Path) -> None:
    """A publisher that came too early says so, and tries again from the same position."""
    w = World(tmp_path, broker())
    with open_house(w.folder / "ledger", {}) as house:
        house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(30)]])
        with running(w.folder / "ledger", w.servers, w.prefix) as publisher:
            until(lambda: publisher.metric("publisher_failures_total") > 0)
            w.setup()
            settled(w, house, publisher)
        assert sorted(positions(read_all(w, EVENTS))) == list(range(1, 32))


def test_two_publishers_one_lease_and_the_other_takes_over(w: World, house: House) -> None:
    """Stopped in good order it hands over at once; what it sent is not sent again."""
    house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(30)]])
    with running(w.folder / "ledger", w.servers, w.prefix) as first:
        until(lambda: first.metric("publisher_leads") == 1)
        with running(w.folder / "ledger", w.servers, w.prefix) as second:
            settled(w, house, second)
            assert second.metric("publisher_leads") == 0
            first.stop()
            house.ledger.record_many([opted_out(n) for n in range(30)])
            settled(w, house, second)
            assert second.metric("publisher_leads") == 1
    assert sorted(positions(read_all(w, EVENTS))) == list(range(1, 62))


def test_a_lost_publisher_is_replaced_when_its_lease_lapses(w: World, house: House) -> None:
    """And cannot store a position any more."""
    house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(30)]])
    with running(w.folder / "ledger", w.servers, w.prefix) as publisher:
        settled(w, house, publisher)
        name = w.topic(EVENTS)

        def taken_away() -> bool:
            publisher.progress.release(name, publisher.publisher.holder)
            return publisher.progress.lease(name, "another", now(), 10 * BUDGET)

        until(taken_away)
        house.ledger.record_many([opted_out(1)])
        until(lambda: publisher.metric("publisher_leads") == 0)
        assert not publisher.progress.advance(name, 10**6, publisher.publisher.holder, now())
        assert publisher.progress.lease(name, "another", now(), 0.0)  # it lapses
        until(lambda: publisher.metric("publisher_leads") == 1)
        settled(w, house, publisher)


def test_a_publisher_begins_again_where_it_stored_its_position(w: World, house: House) -> None:
    """Killed between the delivery and the storing it sends again: the same positions, in order."""
    house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(30)]])
    with running(w.folder / "ledger", w.servers, w.prefix) as publisher:
        settled(w, house, publisher)
    with running(w.folder / "ledger", w.servers, w.prefix) as again:
        with again.progress._database.writing() as driver:  # as if it had not been stored
            driver.execute("UPDATE published SET position = 20")
        house.ledger.record_many([opted_out(1)])
        settled(w, house, again)
    told = positions(read_all(w, EVENTS))
    assert set(told) == set(range(1, 33))


def test_the_broker_is_away_and_the_ledger_goes_on(tmp_path: Path) -> None:
    """Facts are taken all the while; lag shows it; what waited drains, in order, each once."""
    own = Broker(tmp_path / "kafka")
    own.start()
    try:
        with world(tmp_path, own.url) as w, open_house(w.folder / "ledger", {}) as house:
            house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(20)]])
            with running(w.folder / "ledger", w.servers, w.prefix) as publisher:
                settled(w, house, publisher)
                own.stop()
                for n in range(20):
                    house.ledger.record_many([opted_out(n)])
                until(lambda: publisher.metric("publisher_lag_entries") == 20)
                until(lambda: publisher.metric("publisher_lag_seconds") > 1)
                before = time.process_time()
                time.sleep(2)
                assert time.process_time() - before < 1.5, "it spins"
                own.start()
                settled(w, house, publisher)
                until(lambda: publisher.metric("publisher_lag_entries") == 0)
            assert sorted(positions(read_all(w, EVENTS))) == list(range(1, 42))
    finally:
        if own.pid is not None:
            own.stop()


def test_a_stop_is_not_behind_what_is_told_again(w: World, house: House) -> None:
    """A thousand contacts at one a second would take longer than any wait; the stop is there before them."""
    house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(1_000)]])
    house.runner.follow(once=True)
    slow = Wanted(w.servers, 1, prefix=w.prefix)
    with running(w.folder / "ledger", w.servers, w.prefix, slow) as publisher:
        until(lambda: len(read_all(w, STATUS)) > 0)
        house.ledger.record_many([opted_out(3)])
        until(lambda: stopped(w, 3))
        assert publisher.metric("outbox_contacts", rank="again") > 0


def stopped(w: World, number: int) -> bool:
    held = published(read_all(w, STATUS)).get(contact(number))
    return held is not None and not any(cell.allowed for cell in held.cells)


def test_record_ids_go_out_only_where_a_setting_says_so(w: World, house: House) -> None:
    """They are read from the vault when they are sent."""
    (person,) = house.ledger.register_many([Registration("anna@example.org", "hubspot", "4711")])
    with running(w.folder / "ledger", w.servers, w.prefix) as publisher:
        settled(w, house, publisher)
    assert b"4711" not in b"".join(value or b"" for _, value, _ in read_all(w, STATUS))
    told = Wanted(w.servers, 100, record_ids=True, prefix=w.prefix)
    with running(w.folder / "ledger", w.servers, w.prefix, told) as publisher:
        house.ledger.record_many([controller()])
        until(
            lambda: b'{"system":"hubspot","id":"4711"}' in b"".join(value or b"" for _, value, _ in read_all(w, STATUS))
        )
    assert b"anna" not in b"".join(value or b"" for topic in (EVENTS, STATUS) for _, value, _ in read_all(w, topic))
    assert published(read_all(w, STATUS))[person.contact].records[0].id == "4711"


def test_the_command_publishes_until_it_is_told_to_stop(w: World, house: House) -> None:
    """Its metrics can be read; SIGTERM ends it in seconds, and it says how far it came."""
    house.ledger.record_many([controller(), *[seen_in_the_us(n) for n in range(20)]])
    command = [sys.executable, "-m", "adapters.cli", "streams", "publish"]
    with (w.folder / "publish.log").open("w") as said:
        process = subprocess.Popen(command, env=w.env, stdout=said, stderr=said)
    try:
        until(lambda: same(published(read_all(w, STATUS)), projection(house)), (w.folder / "publish.log").read_text)
        process.terminate()
        assert process.wait(BUDGET) == 0
    finally:
        process.kill()
        process.wait(BUDGET)
    lines = [json.loads(line) for line in (w.folder / "publish.log").read_text().splitlines()]
    assert lines[0]["event"] == "publisher.runs"
    assert (lines[-1]["event"], lines[-1]["position"]) == ("publisher.ended", 21)
    assert sorted(positions(read_all(w, EVENTS))) == list(range(1, 22))
