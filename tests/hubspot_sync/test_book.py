"""What is kept of the way out: answers, approvals, how far it came; in files and on PostgreSQL alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.hubspot.sync.store import Book, Result
from adapters.wiring import House
from tests.ledgers import open_ledger
from tests.stores import Place

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONTACT = "11111111-0000-0000-0000-000000000000"
SIGNED = ("Ada Officer", "DPO", "the spring campaign")


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def book(place: Place) -> Iterator[Book]:
    ledger = open_ledger(place.folder, lambda: NOON, os.urandom, {}, place.url)
    with House(place.folder, ledger, place.url) as house, Book.open(house) as made:
        yield made


def test_a_raise_is_counted_before_it_is_made_and_once(book: Book) -> None:
    assert book.take(["1"], None, NOON) == frozenset()
    book.approve(2, 10, SIGNED, NOON)
    assert book.left(None) == 2
    assert book.take(["1", "1", "2", "3"], None, after(1)) == {"1", "2"}
    assert book.take(["1", "3"], None, after(2)) == {"1"}
    assert book.raised(["1", "2", "3"]) == {"1", "2"}
    (given,) = book.approvals()
    assert (given.used, given.left, given.marketing, given.name, given.role, given.reason) == (2, 0, 10, *SIGNED)


def test_who_was_lowered_counts_again(book: Book) -> None:
    book.approve(2, 0, SIGNED, NOON)
    book.take(["1"], None, after(1))
    book.give_back(["1"], after(2))
    assert book.raised(["1"]) == frozenset()
    assert book.take(["1"], None, after(3)) == {"1"}
    assert book.left(None) == 0


def test_the_cap_counts_what_was_there_and_every_raise_since(book: Book) -> None:
    book.approve(3, 8, SIGNED, NOON)
    assert [book.left(cap) for cap in (None, 20, 11, 10, 8, 0)] == [3, 3, 3, 2, 0, 0]
    assert book.take(["1", "2", "3"], 10, after(1)) == {"1", "2"}
    assert book.left(10) == 0
    assert book.left(11) == 1
    book.approve(5, 10, SIGNED, after(2))
    assert (book.left(None), book.left(12)) == (6, 2)
    assert book.take(["3", "4", "5"], 12, after(3)) == {"3", "4"}
    assert [one.used for one in book.approvals()] == [3, 1]


def test_the_last_answer_to_a_call_stands(book: Book) -> None:
    first = Result(CONTACT, "901", "update", "", "refused", 400, NOON, "CL-11111111-3", "no")
    book.keep([first, first._replace(call="unsubscribe", about="1001", status="done", code=200)])
    book.keep([first._replace(status="done", code=200, at=after(1))])
    assert [(one.call, one.about, one.status, one.at) for one in book.last("901")] == [
        ("update", "", "done", after(1)),
        ("unsubscribe", "1001", "done", NOON),
    ]
    assert book.last("902") == []


def test_how_far_it_came(book: Book) -> None:
    assert book.cursor("sync") == (0, None)
    book.advance("sync", 7, NOON)
    book.advance("sync", 9, after(1))
    assert book.cursor("sync") == (9, after(1))
