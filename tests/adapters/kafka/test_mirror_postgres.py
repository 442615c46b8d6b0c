"""The mirror in PostgreSQL: what its engine alone refuses, and two workers at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import psycopg
import pytest

from adapters.kafka.mirror import Mirror, Told
from tests.adapters.kafka.stream_world import contact, status
from tests.adapters.kafka.test_mirror import letters, record
from tests.services.postgres import fresh

pytestmark = pytest.mark.service


@pytest.fixture
def url() -> Iterator[str]:
    """A database of this test's own, as its owner sees it."""
    with fresh() as made:
        yield made.owner_url


def test_a_character_that_postgres_refuses_is_a_letter(url: str) -> None:
    """Only that record; its batch is applied."""
    mirror = Mirror(url)
    changed = msgspec.structs.replace(status(1, 1).cells[0], reason="planted-marker\x00")
    value = msgspec.json.encode(msgspec.structs.replace(status(1, 1), cells=(changed,)))
    bad = record(1, 1, offset=1, value=value)
    (letter,) = letters(mirror, [record(0, 1), bad, record(2, 1, gone=True)])
    assert letter.place == "s/0/1"
    assert "marker" not in letter.error
    mirror.close()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        held = connection.execute("SELECT contact, revision, gone, at FROM mirror_contact ORDER BY 1").fetchall()
    assert held == [(contact(0), 1, False, status(0, 1).at), (contact(2), 1, True, None)]


def test_two_workers_at_once_end_at_the_highest_revision(url: str) -> None:
    """Neither deadlock nor mixture: the cells are those of the revision that stands."""
    chance = random.Random(2)

    def follow(seed: int) -> None:
        own = random.Random(seed)
        mirror = Mirror(url)
        told = [Told(contact(n), r, status(n, r)) for n in range(30) for r in range(1, 11)]
        own.shuffle(told)
        while told:
            size = own.randint(1, 40)
            mirror.apply(told[:size])
            del told[:size]
        mirror.close()

    Mirror(url).close()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(follow, [chance.randint(0, 9_999) for _ in range(3)]))
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        held = connection.execute("SELECT contact, purpose, reason FROM mirror_cell ORDER BY 1, 2").fetchall()
    assert held == [(contact(n), cell.purpose, cell.reason) for n in range(30) for cell in status(n, 10).cells]
