"""Positions and leases: who may store, from when, until when; in files and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from adapters.kafka.progress import Progress
from tests.stores import Place
from tests.waiting import join

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def progress(place: Place) -> Iterator[Progress]:
    made = Progress.at(place("streams"))
    yield made
    made.close()


def test_a_lease_has_one_holder_until_it_lapses(progress: Progress) -> None:
    """Its holder renews it, at any time; another takes it the moment it is over."""
    assert progress.lease("p", "one", NOON, 10)
    assert not progress.lease("p", "two", after(9), 10)
    assert progress.lease("p", "one", after(9), 10)
    assert not progress.lease("p", "two", after(18), 10)
    assert progress.lease("p", "two", after(19), 10)
    assert not progress.lease("p", "one", after(20), 10)
    assert progress.lease("q", "one", after(20), 10)


def test_who_gives_its_lease_up_is_followed_at_once(progress: Progress) -> None:
    """Nobody gives up another's."""
    assert progress.lease("p", "one", NOON, 10)
    progress.release("p", "two")
    assert not progress.lease("p", "two", after(1), 10)
    progress.release("p", "one")
    assert progress.lease("p", "two", after(1), 10)


def test_a_position_is_stored_by_the_holder_alone_and_only_while_it_is_one(progress: Progress) -> None:
    """Who was paused for longer than its lease learns it here."""
    assert progress.position("p") == 0
    assert not progress.advance("p", 5, "one", NOON)
    assert progress.lease("p", "one", NOON, 10)
    assert progress.advance("p", 5, "one", after(9))
    assert not progress.advance("p", 9, "one", after(10))
    assert progress.lease("p", "two", after(11), 10)
    assert not progress.advance("p", 9, "one", after(12))
    assert progress.advance("p", 7, "two", after(12))
    assert progress.position("p") == 7


def test_a_position_never_goes_back(progress: Progress) -> None:
    """Whatever its holder says."""
    assert progress.lease("p", "one", NOON, 10)
    assert progress.advance("p", 5, "one", NOON)
    assert progress.advance("p", 3, "one", NOON)
    assert progress.position("p") == 5


def test_positions_outlive_whoever_stored_them(place: Place) -> None:
    """They lie beside the views, which are thrown away."""
    with_first = Progress.at(place("streams"))
    assert with_first.lease("p", "one", NOON, 10)
    assert with_first.advance("p", 2**40, "one", NOON)
    with_first.close()
    again = Progress.at(place("streams"))
    assert again.position("p") == 2**40
    assert not again.lease("p", "two", after(1), 10)
    again.close()


def test_of_many_that_ask_at_once_one_gets_the_lease(place: Place) -> None:
    """Each with connections of its own."""
    asking = [Progress.at(place("streams")) for _ in range(6)]
    together, got = Barrier(len(asking)), list[str]()

    def ask(progress: Progress, name: str) -> None:
        together.wait()
        if progress.lease("p", name, NOON, 10):
            got.append(name)

    threads = [Thread(target=ask, args=(one, f"publisher-{n}")) for n, one in enumerate(asking)]
    for thread in threads:
        thread.start()
    join(*threads)
    for one in asking:
        one.close()
    assert len(got) == 1
