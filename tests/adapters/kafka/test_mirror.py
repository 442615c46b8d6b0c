"""The mirror's handler on a database of its own, without a broker: order, duplicates, poison, refusals."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from adapters.kafka.dead_letters import Letter
from adapters.kafka.messages import Place
from adapters.kafka.mirror import Mirror, Told, mirroring, read_status
from adapters.kafka.records import Failed, Record
from tests.adapters.kafka.stream_world import contact, status

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def record(number: int, revision: int, *, gone: bool = False, offset: int = 0, **changed: Any) -> Record:
    """A record of the status topic as the publisher sends it, or with something `changed`."""
    value = None if gone else msgspec.json.encode(status(number, revision))
    made = Record(Place("s", 0, offset), contact(number).encode(), value, [("ce_revision", b"%d" % revision)])
    return made._replace(**changed)


def rows(path: Path) -> tuple[list[Any], list[Any]]:
    """Both tables, in order."""
    with sqlite3.connect(path) as connection:
        contacts = connection.execute("SELECT contact, revision, gone FROM mirror_contact ORDER BY 1").fetchall()
        cells = connection.execute("SELECT * FROM mirror_cell ORDER BY 1, 2, 3, 4").fetchall()
    connection.close()
    return contacts, cells


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the mirror's database is."""
    return tmp_path / "mirror.db"


@pytest.fixture
def mirror(path: Path) -> Iterator[Mirror]:
    """A mirror in a file."""
    made = Mirror(f"sqlite:///{path}")
    yield made
    made.close()


def letters(mirror: Mirror, records: Sequence[Record]) -> list[Letter]:
    """What becomes a dead letter of these records."""
    effects = mirroring(mirror, "dlq", lambda: NOW)(records)
    assert effects.dead == len(effects.messages)
    return [msgspec.json.decode(message.value or b"", type=Letter) for message in effects.messages]


def test_workers_that_begin_at_the_same_moment_make_the_tables_together(tmp_path: Path) -> None:
    """Each looks for them, finds none, and makes them; whoever is second must not end for that."""
    for number in range(12):
        begin = Barrier(4)

        def opened(number: int = number, begin: Barrier = begin) -> None:
            begin.wait()
            Mirror(f"sqlite:///{tmp_path / f'{number}.db'}").close()

        with ThreadPoolExecutor(4) as workers:
            for one in [workers.submit(opened) for _ in range(4)]:
                one.result()


def test_a_contact_is_replaced_whole(mirror: Mirror, path: Path) -> None:
    """Cells of an older revision are gone with it."""
    assert letters(mirror, [record(0, 2), record(0, 3)]) == []
    contacts, cells = rows(path)
    assert contacts == [(contact(0), 3, 0)]
    assert [(row[1], row[7]) for row in cells] == [(c.purpose, "revision 3") for c in status(0, 3).cells]
    assert letters(mirror, [record(0, 1)]) == []
    assert rows(path) == (contacts, cells)


def test_what_a_tombstone_took_is_not_revived(mirror: Mirror, path: Path) -> None:
    """Neither by a value of before nor by the last value, sent once more."""
    letters(mirror, [record(0, 4), record(0, 5), record(0, 5, gone=True)])
    assert rows(path) == ([(contact(0), 5, 1)], [])
    letters(mirror, [record(0, 4)])
    letters(mirror, [record(0, 5)])
    assert rows(path) == ([(contact(0), 5, 1)], [])
    letters(mirror, [record(0, 6)])
    assert rows(path)[0] == [(contact(0), 6, 0)]


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 9))
def test_any_order_and_any_duplicates_end_the_same(seed: int, most: int) -> None:
    """Shuffled, doubled and cut into batches anywhere: the highest revision of each contact stands."""
    chance = random.Random(seed)
    once = [record(number, revision) for number in range(3) for revision in range(1, 6)] + [record(0, 5, gone=True)]
    sent = once + chance.choices(once, k=20)
    chance.shuffle(sent)
    mirror = Mirror("sqlite://")  # in memory, of this example alone
    handle = mirroring(mirror, "dlq", lambda: NOW)
    while sent:
        size = chance.randint(1, most)
        handle(sent[:size])
        del sent[:size]
    with mirror._engine.connect() as connection:
        held = connection.exec_driver_sql("SELECT contact, revision, gone FROM mirror_contact ORDER BY 1").fetchall()
        cells = connection.exec_driver_sql("SELECT contact, reason FROM mirror_cell ORDER BY 1, purpose").fetchall()
    assert [tuple(row) for row in held] == [(contact(0), 5, 1), (contact(1), 5, 0), (contact(2), 5, 0)]
    assert [tuple(row) for row in cells] == [(contact(n), "revision 5") for n in (1, 2) for _ in status(n, 5).cells]
    mirror.close()


MARK = "planted-marker"
POISON = {
    "no JSON": {"value": b"{" + MARK.encode()},
    "empty": {"value": b""},
    "not UTF-8": {"value": b'{"contact":"\xff\xfe"}'},
    "another contact": {"value": msgspec.json.encode(status(7, 1))},
    "a field of another kind": {"value": msgspec.json.encode(status(0, 1)).replace(b'"event"', f'"{MARK}"'.encode())},
    "a revision beyond all bounds": {"value": msgspec.json.encode(status(0, 2**53))},
    "a negative revision": {"value": msgspec.json.encode(status(0, -1))},
    "no contact id": {"key": MARK.encode()},
    "no key": {"key": None},
    "a tombstone without its revision": {"value": None, "headers": []},
    "a tombstone with words for a revision": {"value": None, "headers": [("ce_revision", MARK.encode())]},
    "deeply nested": {"value": b"[" * 100_000},
    "deeply nested in a field not known here": {"value": b'{"x":' + b"[" * 100_000},
}


@pytest.mark.parametrize("changed", POISON.values(), ids=list(POISON))
def test_poison_is_kept_whole_and_told_without_its_values(mirror: Mirror, path: Path, changed: dict[str, Any]) -> None:
    """A dead letter with its place; the records around it are applied."""
    bad = record(0, 1, offset=8, **changed)
    (letter,) = letters(mirror, [record(1, 1), bad, record(2, 1)])
    assert [row[0] for row in rows(path)[0]] == [contact(1), contact(2)]
    assert (letter.place, letter.state, letter.attempts, letter.at) == ("s/0/8", "open", 1, NOW)
    assert letter.raw is not None
    assert (letter.raw.key, letter.raw.value, letter.raw.headers) == (bad.key, bad.value, bad.headers)
    assert MARK not in letter.error


def test_one_that_the_database_refuses_is_found(mirror: Mirror, path: Path) -> None:
    """Only that one becomes a letter; its batch is applied."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON mirror_contact WHEN NEW.contact = '" + contact(1) + "'"
            " BEGIN SELECT RAISE(ABORT, 'planted-marker'); END"
        )
    connection.close()
    (letter,) = letters(mirror, [record(number, 1, offset=number) for number in range(4)])
    assert letter.place == "s/0/1"
    assert MARK not in letter.error
    assert [row[0] for row in rows(path)[0]] == [contact(0), contact(2), contact(3)]


def test_a_database_that_is_locked_is_no_poison(path: Path) -> None:
    """It is for the worker to try again: nothing becomes a letter."""
    mirror = Mirror(f"sqlite:///{path}?timeout=0")
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        letters(mirror, [record(0, 1)])
    other.rollback()
    other.close()
    assert letters(mirror, [record(0, 1)]) == []
    assert rows(path)[0] == [(contact(0), 1, 0)]
    mirror.close()


def test_a_value_with_fields_not_known_here_is_read() -> None:
    """A later version of the schema only adds."""
    value = msgspec.json.encode(msgspec.to_builtins(status(0, 1)) | {"added_later": 1})
    assert isinstance(read_status(record(0, 1, value=value)), Told)
    assert isinstance(read_status(record(0, 1, value=b"{}")), Failed)
