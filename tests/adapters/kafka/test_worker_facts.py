"""Submitted facts, from a topic to the log, on real Kafka: each recorded once, each answered, none readable outside."""

from __future__ import annotations

import json
import random
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.kafka.dead_letters import Letter, opened
from adapters.kafka.messages import ResultValue
from adapters.kafka.topics import FACTS, FACTS_DLQ, RESULTS
from ledger.codec import decode
from ledger.events import OptedIn, OptedOut
from tests.adapters.kafka.stream_world import World, fact, world
from tests.ledgers import open_house
from tests.waiting import until

pytestmark = pytest.mark.service

MARK = "planted-marker"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Topics and workers of this test."""
    with world(tmp_path) as made:
        yield made


def answers(here: World) -> dict[str, list[ResultValue]]:
    """Every answer, by the place of what it answers."""
    found: dict[str, list[ResultValue]] = {}
    for key, value, _ in here.read(RESULTS):
        answer = msgspec.json.decode(value or b"", type=ResultValue)
        assert answer.place == (key or b"").decode()
        found.setdefault(answer.place, []).append(answer)
    return found


def submit(here: World, key: str, headers: list[tuple[str, bytes]], value: bytes | None) -> None:
    """Hand in one record."""
    here.produce(here.topic(FACTS), key.encode(), value, headers)


def recorded(here: World) -> Counter[str]:
    """How often each address has a consent or a stop in the log."""
    with open_house(here.folder / "ledger", {}) as house:
        found = Counter[str]()
        for _, _, state in house.ledger.log.read(0, 100_000):
            event = decode(state)
            if isinstance(event, OptedIn | OptedOut) and event.address:
                found[str(house.ledger.vault.address_text(event.address))] += 1
        return found


def test_each_is_taken_and_answered(here: World) -> None:
    """Binary and structured, twice, in conflict, wrong, and no event at all."""
    first, named = str(uuid.uuid4()), str(uuid.uuid4())
    headers, value = fact(f"{MARK}@example.com", first)
    submit(here, "a", headers, value)
    submit(here, "a", headers, value)
    structured = {
        "specversion": "1.0",
        "id": f"{MARK}-order-1",
        "source": "shop",
        "type": "contact.opted_out.v1",
        "correlationid": named,
        "data": {"person": {"email": f"{MARK}@example.com"}},
    }
    submit(here, "a", [("content-type", b"application/cloudevents+json")], json.dumps(structured).encode())
    submit(here, "a", *fact("other@example.com", first))
    submit(here, "a", *fact(f"{MARK} is no address", str(uuid.uuid4()), occurred_from=MARK))
    submit(here, "a", [], MARK.encode())
    submit(here, "a", [], None)
    here.send(())
    worker = here.worker("facts")
    here.drained("facts", FACTS)
    by_place = answers(here)
    assert all(len(found) == 1 for found in by_place.values())
    told = [by_place[place][0] for place in sorted(by_place, key=lambda place: int(place.rpartition("/")[2]))]
    assert [one.status for one in told] == [
        "recorded", "unchanged", "recorded", "conflict", "rejected", "rejected", "rejected",
    ]  # fmt: skip
    assert told[0].position == told[1].position
    assert told[0].contact == told[2].contact is not None
    assert (told[0].id, told[2].id, told[2].correlationid) == (first, None, named)
    assert all(one.reasons for one in told[3:])
    held = [msgspec.json.decode(value or b"", type=Letter) for _, value, _ in here.read(FACTS_DLQ)]
    assert [one.place for one in held] == [told[5].place, told[6].place]
    assert worker.stop() == 0
    out = b"".join(value or b"" for topic in (RESULTS, FACTS_DLQ) for _, value, _ in here.read(topic))
    assert MARK.encode() not in out
    assert MARK not in worker.said()
    with open_house(here.folder / "ledger", {}) as house:
        assert opened(held[0], house.ledger.unseal).value == MARK.encode()


def test_a_reference_of_an_answer_names_the_person(here: World) -> None:
    """What came back of one fact names whom the next one is about; a stop by a name of nobody is kept."""
    submit(here, "a", *fact("ana@example.com", str(uuid.uuid4())))
    worker = here.worker("facts")
    here.drained("facts", FACTS)
    ((first,),) = answers(here).values()
    for reference in (f"CL-{(first.contact or '')[:8]}-{first.position}", "CL-0a1b2c3d-1"):
        headers, _ = fact("", str(uuid.uuid4()), "contact.opted_out.v1")
        submit(here, "a", headers, json.dumps({"person": {"reference": reference}}).encode())
    here.drained("facts", FACTS)
    by_place = answers(here)
    _, known, unknown = (by_place[place][0] for place in sorted(by_place, key=lambda one: int(one.rpartition("/")[2])))
    assert (known.status, known.contact, known.warnings) == ("recorded", first.contact, ())
    assert (unknown.status, [reason.field for reason in unknown.reasons]) == ("rejected", ["person.reference"])
    held = [msgspec.json.decode(value or b"", type=Letter) for _, value, _ in here.read(FACTS_DLQ)]
    assert [one.place for one in held] == [unknown.place]
    assert worker.stop() == 0


def test_killed_again_and_again(here: World) -> None:
    """Two workers, killed while they take: every fact is in the log once, and has its answer."""
    chance = random.Random(5)
    people = [f"person{number}@example.com" for number in range(400)]
    facts = [(person, str(uuid.UUID(int=number))) for number, person in enumerate(people)]
    sent: list[Any] = facts + chance.choices(facts, k=150) + [None] * 8
    chance.shuffle(sent)
    running = [here.worker("facts")]
    until(running[0].joined)  # one makes the ledger
    running.append(here.worker("facts"))
    until(running[1].joined)
    for number, one in enumerate(sent):
        if one is None:
            here.produce(here.topic(FACTS), b"poison", b"{" + MARK.encode(), [])
        else:
            submit(here, one[0], *fact(*one))
        if number % 200 == 199:
            here.send(())
            time.sleep(chance.random())
            running.pop(0).kill()
            running.append(here.worker("facts"))
            until(running[-1].joined)
    here.send(())
    here.drained("facts", FACTS)
    assert recorded(here) == Counter(people)
    by_place = answers(here)
    assert len(by_place) == len(sent)
    kinds = Counter(found[0].status for found in by_place.values())
    assert kinds["rejected"] == 8
    assert kinds["conflict"] == 0
    assert {len({one.position for one in found}) for found in by_place.values()} == {1}
    letters = {key for key, _, _ in here.read(FACTS_DLQ)}
    assert len(letters) == 8
    for worker in running:
        assert worker.stop() == 0


def test_a_fact_waits_for_the_database(here: World) -> None:
    """Locked for a while, the ledger refuses nothing: the fact is recorded when it can be."""
    worker = here.worker("facts")
    until(worker.joined)
    submit(here, "a", *fact("first@example.com", "1"))
    here.send(())
    here.drained("facts", FACTS)
    until(worker.ready)
    lock = sqlite3.connect(here.folder / "ledger" / "log.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    submit(here, "a", *fact("second@example.com", "2"))
    here.send(())
    until(lambda: "no offset committed" in worker.get("/readyz")[1])
    lock.rollback()
    lock.close()
    here.drained("facts", FACTS)
    assert recorded(here) == Counter(["first@example.com", "second@example.com"])
    assert here.read(FACTS_DLQ) == []
