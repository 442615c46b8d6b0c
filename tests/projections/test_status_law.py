"""The law of the status: rebuilt equals live to the byte, whatever came, in whatever portions, whoever applied it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg import sql

from ledger import events as e
from ledger.log import Log
from ledger.scanning import scanning
from ledger.terms import LEDGER_STREAM
from projections import bulk, views
from projections.bulk import PolicyOf
from projections.compare import compare
from projections.runner import StatusRunner
from projections.views import Views
from tests.projections.histories import BINDING, POLICIES, address, batches, contact, draft, history, open_log
from tests.services.postgres import driver_of
from tests.stores import Place
from tests.waiting import join

SEEDS = range(12)


@pytest.fixture
def log(place: Place) -> Iterator[Log]:
    with open_log(place("log")) as log:
        yield log


@pytest.fixture
def live(place: Place) -> Iterator[Views]:
    with Views.open(place("views"), BINDING) as live:
        yield live


Running = Callable[..., StatusRunner]


@pytest.fixture
def runner(place: Place) -> Running:
    """Makes a runner from a log and its views."""

    def running(log: Log, live: Views, batch: int = 2_000, policy_of: PolicyOf = POLICIES.__getitem__) -> StatusRunner:
        return StatusRunner(log, place("log"), live, policy_of, batch)

    return running


def rows(live: Views) -> list[tuple[object, ...]]:
    with live.snapshot() as driver:
        return list(views.all_rows(driver))


@pytest.mark.parametrize("seed", SEEDS)
def test_rebuilt_equals_live_to_the_byte(log: Log, live: Views, runner: Running, seed: int) -> None:
    """Links, unlinks, corrections and adopted rule sets included; followed in portions of any size."""
    for number, batch in enumerate(batches(seed, history(seed, 150))):
        log.append(batch)
        if number % 3:
            runner(log, live, batch=1 + number % 7).follow(once=True)
    follower = runner(log, live)
    follower.follow(once=True)
    found = follower.replay()
    assert found.equal, found.listed[:5]
    assert found.rows > 10
    assert found.position == log.last_position()


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_two_workers_write_the_same_rows_as_one(log: Log, live: Views, place: Place, seed: int) -> None:
    """Byte for byte and in the same order, though kin are spread over both shares."""
    for batch in batches(seed, history(seed, 120, people=9)):
        log.append(batch)
    names = [live.generations.new() for _ in range(2)]
    for workers, name in enumerate(names, 1):
        bulk.build(place("log"), live.generations, name, POLICIES.__getitem__, BINDING, workers)
    with live.at(names[0]) as one, live.at(names[1]) as two:
        with one.snapshot() as mine, two.snapshot() as theirs:
            assert compare(mine, theirs, BINDING).equal
        assert rows(one) == rows(two) != []


class Killed(BaseException):
    """Stands for a process that is gone."""


@pytest.mark.parametrize("where", ["advance", "put_kin", "put_rows", "put_generation"])
def test_a_kill_anywhere_in_a_batch_loses_and_repeats_nothing(
    log: Log, live: Views, runner: Running, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """What was not committed is done again; what was is not."""
    for batch in batches(5, history(5, 90)):
        log.append(batch)
    module = views if where != "advance" else __import__("projections.tracking", fromlist=["x"])
    whole = getattr(module, where)
    calls = iter(range(1_000))

    def dying(*given: object) -> object:
        whole(*given)
        if next(calls) % 3 == 1:
            raise Killed
        return None

    monkeypatch.setattr(module, where, dying)
    killed = 0
    while True:
        try:
            runner(log, live, batch=7).follow(once=True)
            break
        except Killed:
            killed += 1
    monkeypatch.undo()
    assert killed > 3
    assert runner(log, live).replay().equal


def test_two_runners_racing_apply_each_entry_once(log: Log, live: Views, runner: Running, place: Place) -> None:
    """Each with its own connections; entries keep coming meanwhile."""
    stop = threading.Event()
    others = [Views.open(place("views"), BINDING) for _ in range(2)]
    followers = [
        threading.Thread(target=runner(log, other, batch=3).follow, args=(stop,), kwargs={"poll_seconds": 0.01})
        for other in others
    ]
    for follower in followers:
        follower.start()
    for batch in batches(3, history(3, 150)):
        log.append(batch)
    last = runner(log, live, batch=5)
    last.follow(once=True)
    stop.set()
    join(*followers)
    for other in others:
        other.close()
    assert last.position() == log.last_position()
    assert last.replay().equal


def test_a_rebuild_swapped_in_under_a_follower_is_noticed(log: Log, live: Views, runner: Running, place: Place) -> None:
    """Answers never go back in time, and the follower goes on in the new file."""
    events = history(8, 80)
    log.append([draft(event) for event in events[:50]])
    follower = runner(log, live)
    follower.follow(once=True)
    with Views.open(place("views"), BINDING) as other:
        assert runner(log, other).rebuild(stop=20) == 50
    log.append([draft(event) for event in events[50:]])
    assert follower.follow(once=True) == 80
    assert follower.replay().equal
    assert len(list(place.folder.glob("views.db*"))) <= 4  # the link, one generation, its WAL
    if place.owner_url is not None:
        with driver_of(place.owner_url) as driver:
            left = driver.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'views\\_%'").fetchall()
        assert len(left) == 1


def test_deleting_the_views_loses_nothing(log: Log, live: Views, runner: Running, place: Place) -> None:
    """They are made again from the log alone."""
    log.append([draft(event) for event in history(2, 60)])
    runner(log, live).follow(once=True)
    before = rows(live)
    live.close()
    for file in place.folder.glob("views.db*"):
        file.unlink()
    if place.url is not None:
        with driver_of(place.url) as driver:
            (name,) = driver.execute("SELECT generation FROM views.pointer").fetchone() or ("",)
            driver.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
    with Views.open(place("views"), BINDING) as again:
        runner(log, again).follow(once=True)
        assert rows(again) == before


def test_a_difference_is_found_and_named(log: Log, live: Views, runner: Running) -> None:
    """A row somebody changed, took away or put in does not pass for an answer."""
    log.append([draft(event) for event in history(2, 60)])
    follower = runner(log, live)
    follower.follow(once=True)
    with live.transaction() as driver:
        first, second = rows(live)[0], rows(live)[1]
        driver.execute("UPDATE status SET segments = ? WHERE contact = ? AND purpose = ?", (b"[]", *first[:2]))
        driver.execute(
            "DELETE FROM status WHERE contact = ? AND purpose = ? AND channel = ? AND address = ?", second[:4]
        )
        views.put_rows(driver, [], [(b"\xff" * 16, "p", "email", b"", b"[]", None, 1, b"")])
    found = follower.replay()
    assert not found.equal
    assert {one.what for one in found.listed} >= {"altered", "missing", "extra"}


def test_the_gate_serves_no_stale_stop(log: Log, live: Views, runner: Running) -> None:
    """An opt-out in the log binds before any follower has seen it; so does one of a contact just linked."""
    person, other = contact(1), contact(2)
    yes: dict[str, Any] = {"stream": person, "source": "t", "address": address(1), "by": "data_subject"}
    log.append(
        [
            draft(e.ControllerDescribed(stream=LEDGER_STREAM, source="t", country="US")),
            draft(e.CountryEvidenced(**yes, hints=(e.CountryHint("US", "declared"),))),
            draft(e.OptedOut(stream=other, source="t")),
        ]
    )
    follower = runner(log, live)
    follower.follow(once=True)
    assert [status.segments[0].decision.allowed for status in follower.current(person)] == [True]
    log.append([draft(e.ContactsLinked(stream=other, source="t", other=person))])
    (status,) = follower.current(person)
    assert status.segments[0].decision.reason == "opted_out"
    log.append([draft(e.ContactsUnlinked(stream=other, source="t", other=person))])
    assert follower.current(person)[0].segments[0].decision.allowed
    log.append([draft(e.OptedOut(**yes))])
    asked_now = follower.current(person)
    assert asked_now[0].segments[0].decision.reason == "opted_out"
    follower.follow(once=True)
    assert follower.current(person) == asked_now


def test_another_rule_set_in_force_makes_the_rows_outdated(log: Log, live: Views, runner: Running) -> None:
    """A new release brings other rules and nobody adopted any: the gate judges anew, the follower rebuilds."""
    log.append([draft(event) for event in history(4, 40) if not isinstance(event, e.PolicyAdopted)])
    runner(log, live).follow(once=True)
    less = next(one for key, one in POLICIES.items() if key != POLICIES[None].hash and key)
    released = runner(log, live, policy_of=lambda _: less)
    assert released.current(contact(1))[0].segments[0].decision.policy == less.hash
    released.follow(once=True)
    assert released.replay().equal
    with live.snapshot() as driver:
        assert views.held(driver).policy == less.hash


def test_rows_are_read_back_as_they_were_judged(log: Log, live: Views, runner: Running, place: Place) -> None:
    """Packing loses nothing but the policy's hash, which the generation holds."""
    log.append([draft(event) for event in history(6, 100)])
    follower = runner(log, live)
    follower.follow(once=True)
    with scanning(place("log")) as source:
        setting = bulk.setting_at(source, 10**6, POLICIES.__getitem__)
    for number in range(5):
        for status in follower.current(contact(number)):
            starts = [segment.start for segment in status.segments]
            assert starts == sorted(set(starts))
            assert status.next_change == (starts[1] if len(starts) > 1 else None)
            assert [s.decision.changes_at for s in status.segments] == [*starts[1:], None]
            assert all(segment.decision.policy == setting.policy.hash for segment in status.segments)
