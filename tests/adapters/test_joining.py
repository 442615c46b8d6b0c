"""Stores beside the log: of this ledger and epoch, or named; after a restore they begin anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.hubspot.drift.book import DriftBook
from adapters.hubspot.pull.cursors import Cursor, Cursors
from adapters.hubspot.sync.store import Book
from adapters.inbox import End, Inbox
from adapters.kafka.progress import Progress
from adapters.receiving import Delivery
from adapters.wiring import House
from ledger.application import Fact
from ledger.events import OptedOut
from ledger.stores import StoresError
from ledger.vault import Registration
from tests.ledgers import begin_epoch, open_house
from tests.stores import Place

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OPENS: dict[str, Callable[[House], object]] = {
    "inbox": Inbox.open,
    "crm": Book.open,
    "hubspot": Cursors.open,
    "streams": Progress.open,
}


def opened(place: Place, name: str = "ledger") -> House:
    env = {"CONSENT_LEDGER_DATABASE_URL": place.url} if place.url else {}
    return open_house(place.folder / name, env)


def stop(house: House, email: str) -> None:
    (person,) = house.ledger.register_many([Registration(email, "crm", None)])
    house.ledger.record(Fact(OptedOut(stream=person.contact, source="crm"), f"stop {email}"))


def fill(house: House) -> None:
    """Something in each store, noted when the log stands where it does."""
    with closing(Inbox.open(house)) as inbox:
        inbox.keep("test", [Delivery("done", NOW, b"1"), Delivery("waits", NOW, b"2")], NOW)
        taken = inbox.take(["test"], "me", NOW, 60, 1)
        inbox.end([End(taken[0].id, "done")], "me", NOW)
    with closing(Book.open(house)) as book:
        book.advance("sync", house.ledger.log.last_position(), NOW)
    with closing(Cursors.open(house)) as cursors:
        cursors.put("contacts", Cursor(since=NOW))
    with closing(Progress.open(house)) as progress:
        progress.lease("events", "me", NOW, 60)
        progress.advance("events", house.ledger.log.last_position(), "me", NOW)


def test_a_store_that_was_joined_opens_again(place: Place) -> None:
    with opened(place) as house:
        stop(house, "one@example.org")
        fill(house)
        stop(house, "two@example.org")
    with opened(place) as house:
        with closing(Inbox.open(house)) as inbox:
            assert inbox.counts() == (1, 0)
        with closing(Progress.open(house)) as progress:
            assert progress.position("events") > 0


@pytest.mark.parametrize("part", list(OPENS))
def test_a_store_of_another_ledger_is_named(tmp_path: Path, part: str) -> None:
    with opened(Place(tmp_path), "a") as one, opened(Place(tmp_path), "b") as other:
        fill(one)
        fill(other)
        shutil.copy(tmp_path / "b" / f"{part}.db", tmp_path / "a" / f"{part}.db")
        with pytest.raises(StoresError, match=f"{part} is of another ledger"):
            OPENS[part](one)


@pytest.mark.parametrize("part", list(OPENS))
def test_a_log_that_is_older_than_a_store_is_named(tmp_path: Path, part: str) -> None:
    """Log and vault were brought back from a copy, and the rest was left as it was."""
    place = Place(tmp_path)
    with opened(place) as house:
        stop(house, "one@example.org")
    for name in ("log.db", "vault.db"):
        shutil.copy(tmp_path / "ledger" / name, tmp_path / name)
    with opened(place) as house:
        stop(house, "two@example.org")
        fill(house)
    for name in ("log.db", "vault.db"):
        shutil.copy(tmp_path / name, tmp_path / "ledger" / name)
    with opened(place) as house:
        with pytest.raises(StoresError, match=f"the log is older than the store {part}"):
            OPENS[part](house)
        stop(house, "three@example.org")
        stop(house, "four@example.org")
        with pytest.raises(StoresError, match="the log has another history"):
            OPENS[part](house)


def test_after_a_restore_positions_are_forgotten_and_what_waits_is_kept(place: Place) -> None:
    with opened(place) as house:
        stop(house, "one@example.org")
        fill(house)
    begin_epoch(place)
    with opened(place) as house:
        with closing(DriftBook.open(house)):
            pass  # the other door to the same store
        with closing(Inbox.open(house)) as inbox:
            assert inbox.counts() == (1, 0)
            assert inbox.keep("test", [Delivery("done", NOW, b"1"), Delivery("waits", NOW, b"2")], NOW) == [True, False]
        with closing(Book.open(house)) as book:
            assert book.cursor("sync") == (0, None)
        with closing(Cursors.open(house)) as cursors:
            assert cursors.get("contacts") == Cursor()
        with closing(Progress.open(house)) as progress:
            assert progress.position("events") == 0


def test_a_store_of_a_later_epoch_than_the_log_is_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with opened(place) as house:
        stop(house, "one@example.org")
    for name in ("log.db", "vault.db"):
        shutil.copy(tmp_path / "ledger" / name, tmp_path / name)
    begin_epoch(place)
    with opened(place) as house:
        fill(house)
    for name in ("log.db", "vault.db"):
        shutil.copy(tmp_path / name, tmp_path / "ledger" / name)
    with opened(place) as house, pytest.raises(StoresError, match="the log is older than the store inbox"):
        Inbox.open(house)
