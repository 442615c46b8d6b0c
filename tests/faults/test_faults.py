"""Facts on their way to a reader on real Kafka, while everything on that way fails: in the end nothing is missing.

`CONSENT_LEDGER_FAULT_SEED` is the first seed, `CONSENT_LEDGER_FAULT_RUNS` how many follow, each another schedule;
`CONSENT_LEDGER_FAULT_OUTAGE` the seconds that the broker is away. `make soak` sets the last two.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from adapters.kafka.messages import ResultValue
from adapters.kafka.mirror_schema import cells, contacts
from adapters.kafka.topics import EVENTS, FACTS, FACTS_DLQ, RESULTS, STATUS, STATUS_DLQ
from ledger import codec
from ledger.events import CountryEvidenced, OptedIn, OptedOut
from projections.contact_status import ContactStatus, ToldCell
from tests.adapters.kafka.publishing_world import positions, projection, read_all
from tests.faults.schedule import schedule
from tests.faults.stage import Stage, staged, suffer
from tests.faults.truth import SOURCE, Said, Writer
from tests.faults.watching import Seen, Watcher

pytestmark = pytest.mark.service

FIRST = int(os.environ.get("CONSENT_LEDGER_FAULT_SEED", "1"))
RUNS = int(os.environ.get("CONSENT_LEDGER_FAULT_RUNS", "1"))
OUTAGE = float(os.environ.get("CONSENT_LEDGER_FAULT_OUTAGE", "2"))
RATE = 40
"""Facts a second."""
KINDS = ("postgresql", "files")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_whatever_fails_the_reader_ends_with_the_ledgers_answers(seed: int, tmp_path: Path) -> None:
    """Every kind of fault, in the seed's order."""
    dice = random.Random(seed)
    with staged(tmp_path, KINDS[seed % 2]) as stage:
        writer = Writer(stage.house, stage.servers, stage.topic, seed, RATE)
        watcher = Watcher(stage.servers, stage.topic(STATUS), stage.mirror.url, writer.seen)
        began = time.monotonic()
        watcher.start()
        writer.start()
        time.sleep(2.0)  # so that there is something to lose
        try:
            for step in schedule(seed, OUTAGE):
                print(f"seed {seed}, {time.monotonic() - began:5.1f} s: {step.kind}, {step.seconds} s", flush=True)
                suffer(stage, step, dice)
        finally:
            writer.stop()
            took = stage.calm()
            time.sleep(0.3)
            watcher.stop()
        log_holds_each_fact_once(stage, writer)
        letters_are_the_poison(stage, writer)
        events_are_whole_and_in_order(stage)
        mirror_is_the_projection(stage)
        stops_were_kept(stage, writer, watcher)
        assert not [log for log in tmp_path.glob("*.log") if b"@example.org" in log.read_bytes()]
        print(figures(seed, stage, writer, watcher, took), flush=True)


def log_holds_each_fact_once(stage: Stage, writer: Writer) -> None:
    """At the position that was acknowledged, by the ledger's own door or on the results topic."""
    ledger = stage.house.ledger
    answers: dict[str, set[tuple[str, int | None]]] = {}
    for _, value, _ in read_all(stage, RESULTS):
        answer = msgspec.json.decode(value or b"", type=ResultValue)
        answers.setdefault(answer.place, set()).add((answer.status, answer.position))
    poison = set(writer.poison[FACTS])
    assert {place for place, found in answers.items() if found == {("rejected", None)}} == poison
    for said in writer.facts:
        for place in said.places:
            assert {status for status, _ in answers[place]} <= {"recorded", "unchanged"}
            (position,) = {position for _, position in answers[place]}
            assert position is not None
            assert said.position in (None, position)
            said.position = position
    assert all(said.position is not None for said in writer.facts), "not acknowledged"
    found = ledger.log.find({ledger.sid(SOURCE, said.id) for said in writer.facts})
    assert {said.position for said in writer.facts} == {one.position for one in found.values()}
    assert len(found) == len(writer.facts)
    held = [codec.decode(state) for _, _, state in ledger.log.read(0, 10**6)]
    assert sum(isinstance(one, CountryEvidenced | OptedIn | OptedOut) for one in held) == len(writer.facts)


def letters_are_the_poison(stage: Stage, writer: Writer) -> None:
    """Each once by its place, and no other."""
    for topic, letters in ((FACTS, FACTS_DLQ), (STATUS, STATUS_DLQ)):
        keys = {(key or b"").decode() for key, _, _ in read_all(stage, letters)}
        assert keys == set(writer.poison[topic])
        assert len(keys) > 0


def events_are_whole_and_in_order(stage: Stage) -> None:
    """Every position; what was sent again after a crash does not overtake."""
    told = read_all(stage, EVENTS)
    at = positions(told)
    assert set(at) == set(range(1, stage.house.ledger.log.last_position() + 1))
    seen: dict[bytes | None, list[int]] = {}
    for (key, _, _), position in zip(told, at, strict=True):
        before = seen.setdefault(key, [])
        if position not in before:
            assert not before or position > before[-1]
            before.append(position)


def mirror_is_the_projection(stage: Stage) -> None:
    """Cell by cell."""
    wanted = {
        (one.contact, cell.purpose, cell.channel, cell.address or "", *_answer(one, cell))
        for one in projection(stage.house).values()
        for cell in one.cells
    }
    joined = sa.select(
        cells.c.contact, cells.c.purpose, cells.c.channel, cells.c.address, contacts.c.revision,
        cells.c.allowed, cells.c.basis, cells.c.rule, cells.c.reason, cells.c.marketing_status, cells.c.segments,
    ).join_from(cells, contacts, cells.c.contact == contacts.c.contact)  # fmt: skip
    with stage.mirror.connect() as connection:
        held = {tuple(row) for row in connection.execute(joined)}
    assert held == wanted
    assert any(row[5] for row in held)


def _answer(one: ContactStatus, cell: ToldCell) -> tuple[object, ...]:
    told = (cell.allowed, cell.basis, cell.rule, cell.reason, cell.marketing_status)
    return one.revision, *told, msgspec.json.encode(cell.segments).decode()


def stops_were_kept(stage: Stage, writer: Writer, watcher: Watcher) -> None:
    """No answer that was ever to be read allows what was stopped by then, and the mirror never went back."""
    people: dict[str, list[Said]] = {}
    for person in writer.people:
        if person.said:
            contact, _ = stage.house.find(person.email)
            people[contact] = sorted(person.said, key=lambda said: said.position or 0)
            assert [said.id for said in people[contact]] == [said.id for said in person.said], "their order"

    def stopped(seen: Seen) -> bool:
        by_then = [said for said in people[seen.contact] if (said.position or 0) <= seen.position]
        return bool(by_then) and by_then[-1].what == "stop"

    told = [
        Seen(one.key, one.revision, any(cell["allowed"] for cell in one.json()["cells"]))
        for one in watcher.told
        if one.revision >= 0 and one.value
    ]
    assert [seen for seen in (*told, *watcher.shown) if seen.allowed and stopped(seen)] == []
    revisions: dict[str, int] = {}
    for seen in watcher.shown:
        assert seen.revision > revisions.get(seen.contact, -1), "the mirror went back"
        revisions[seen.contact] = seen.revision
    last = {seen.contact: seen for seen in watcher.shown}
    for_good = [contact for contact, said in people.items() if said[-1].what == "stop"]
    assert for_good
    assert not any(last[contact].allowed for contact in for_good)


def figures(seed: int, stage: Stage, writer: Writer, watcher: Watcher, took: float) -> str:
    """What a run came to."""
    by_topic = sum(len(said.places) > 0 for said in writer.facts)
    at = positions(read_all(stage, EVENTS))
    return (
        f"seed {seed}, {KINDS[seed % 2]}: {len(writer.facts)} facts acknowledged ({by_topic} by the topic), "
        f"{len(writer.poison[FACTS])}+{len(writer.poison[STATUS])} poison = dead letters, {writer.resent} sent again; "
        f"log {stage.house.ledger.log.last_position()}, events {len(at)} ({len(at) - len(set(at))} twice), "
        f"status records {len(watcher.told)}, mirror rows seen {len(watcher.shown)}; killed {stage.killed}, "
        f"ended by themselves {stage.by_itself}, connections cut {stage.network.cuts}; at rest after {took:.1f} s"
    )
