"""The inbox: durable, each delivery once, taken by one, let go in time; in files and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.inbox import DEAD_DAYS, KEY_DAYS, End, Inbox, Taken
from adapters.receiving import Delivery
from adapters.wiring import House
from tests.ledgers import open_house
from tests.stores import Place

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BODY = b'{"email":"zq7marker@example.org"}'


@pytest.fixture
def house(place: Place) -> Iterator[House]:
    env = {"CONSENT_LEDGER_DATABASE_URL": place.url} if place.url else {}
    with open_house(place.folder / "ledger", env) as house:
        yield house


@pytest.fixture
def inbox(house: House) -> Iterator[Inbox]:
    with closing(Inbox.open(house)) as inbox:
        yield inbox


def some(*keys: str, minutes: int = 0) -> list[Delivery]:
    return [Delivery(key, NOW - timedelta(minutes=minutes), BODY) for key in keys]


def take(inbox: Inbox, holder: str = "a", now: datetime = NOW, most: int = 100) -> list[Taken]:
    return inbox.take(("crm",), holder, now, 20.0, most)


def keys(taken: list[Taken]) -> list[str]:
    return [one.delivery.key for one in taken if one.delivery]


def test_a_key_is_taken_once_whoever_brings_it_again(house: House, inbox: Inbox) -> None:
    assert inbox.keep("crm", some("x", "y", "x"), NOW) == [True, True, False]
    with closing(Inbox.open(house)) as other:
        assert other.keep("crm", some("y", "z"), NOW) == [False, True]
        assert other.keep("mail", some("x"), NOW) == [True]
    assert keys(take(inbox)) == ["x", "y", "z"]


def test_the_oldest_is_taken_first_however_it_came(inbox: Inbox) -> None:
    for key, minutes in (("late", 1), ("first", 9), ("middle", 5)):
        inbox.keep("crm", some(key, minutes=minutes), NOW)
    assert keys(take(inbox, most=2)) == ["first", "middle"]
    assert keys(take(inbox)) == ["late"]


def test_who_is_done_stays_known_and_leaves_no_body(inbox: Inbox) -> None:
    inbox.keep("crm", some("x"), NOW)
    (one,) = take(inbox)
    assert one.delivery == Delivery("x", NOW, BODY)
    inbox.end([End(one.id, "done")], "a", NOW)
    assert inbox.body(one.id) is None
    assert take(inbox, now=NOW + timedelta(hours=1)) == []
    assert inbox.keep("crm", some("x"), NOW) == [False]
    inbox.forget(NOW + timedelta(days=KEY_DAYS - 1))
    assert inbox.keep("crm", some("x"), NOW) == [False]
    inbox.forget(NOW + timedelta(days=KEY_DAYS + 1))
    assert inbox.keep("crm", some("x"), NOW) == [True]


def test_whoever_dies_gives_it_up_and_what_it_says_late_counts_no_more(inbox: Inbox) -> None:
    inbox.keep("crm", some("x"), NOW)
    (lost,) = take(inbox, "a")
    assert take(inbox, "b") == []
    later = NOW + timedelta(seconds=21)
    (again,) = take(inbox, "b", later)
    assert (again.id, again.attempts) == (lost.id, 2)
    inbox.end([End(lost.id, "dead", "too late")], "a", later)
    assert inbox.counts() == (1, 0)
    inbox.end([End(again.id, "done")], "b", later)
    assert inbox.counts() == (0, 0)


def test_whoever_ends_gives_it_back_at_once(inbox: Inbox) -> None:
    inbox.keep("crm", some("x", "y"), NOW)
    one, _ = take(inbox, "a")
    inbox.end([End(one.id, "later", due=NOW + timedelta(seconds=5))], "a", NOW)
    inbox.give_back("a", NOW)
    assert keys(take(inbox, "b")) == ["y"]
    assert keys(take(inbox, "b", NOW + timedelta(seconds=6))) == ["x"]


def test_a_dead_one_can_be_looked_at_tried_again_and_dropped(inbox: Inbox) -> None:
    inbox.keep("crm", some("x", "y"), NOW)
    first, second = take(inbox)
    inbox.end([End(first.id, "dead", "nothing in it"), End(second.id, "dead", "nothing in it")], "a", NOW)
    assert [(row.state, row.problem) for row in inbox.rows(("dead",))] == [("dead", "nothing in it")] * 2
    assert inbox.body(first.id) == BODY
    assert inbox.retry(first.id, NOW)
    assert keys(take(inbox)) == ["x"]
    assert not inbox.retry(first.id, NOW)
    assert inbox.drop(second.id, "a test", NOW)
    assert inbox.body(second.id) is None
    row = inbox.row(second.id)
    assert row is not None
    assert (row.state, row.problem) == ("done", "a test")
    assert inbox.row(10**6) is None
    assert not inbox.drop(10**6, "a test", NOW)
    assert not inbox.drop(second.id, "again", NOW)
    assert inbox.drop(first.id, "it waits, and nobody takes it", NOW)
    inbox.end([End(first.id, "dead", "too late")], "a", NOW)
    assert inbox.counts() == (0, 0)


def test_a_dead_one_nobody_asks_for_is_let_go_and_counted(inbox: Inbox) -> None:
    inbox.keep("crm", some("x"), NOW)
    (one,) = take(inbox)
    inbox.end([End(one.id, "dead", "nothing in it")], "a", NOW)
    assert inbox.forget(NOW + timedelta(days=DEAD_DAYS - 1)) == 0
    assert inbox.forget(NOW + timedelta(days=DEAD_DAYS + 1)) == 1
    assert inbox.row(one.id) is None


def test_several_take_everything_once(house: House, inbox: Inbox) -> None:
    inbox.keep("crm", some(*map(str, range(300))), NOW)
    with closing(Inbox.open(house)) as other, ThreadPoolExecutor(4) as pool:
        ready = threading.Barrier(4)

        def work(who: int) -> list[str]:
            ready.wait()
            found: list[str] = []
            while one := take((inbox, other)[who % 2], str(who), most=7):
                found += keys(one)
            return found

        done = [key for found in pool.map(work, range(4)) for key in found]
    assert sorted(done) == sorted(map(str, range(300)))


def test_many_bring_the_same_at_once_and_it_is_new_to_one(house: House, inbox: Inbox) -> None:
    with closing(Inbox.open(house)) as other, ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda n: (inbox, other)[n % 2].keep("crm", some(str(n % 10)), NOW), range(200))
        assert sum(sum(one) for one in found) == 10


def test_nothing_is_readable_where_it_lies(house: House, inbox: Inbox) -> None:
    inbox.keep("crm", some("zq7marker"), NOW)
    if isinstance(house.location("inbox"), Path):
        for file in house.directory.glob("inbox.db*"):
            assert b"zq7marker" not in file.read_bytes()
            assert file.stat().st_mode & 0o077 == 0
    (one,) = take(inbox)
    assert "zq7marker" not in repr(inbox.rows(("waiting",)))
    inbox.end([End(one.id, "done")], "a", NOW)
