"""Stored answers beside a log that is not the one they were made of, and answers that somebody changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from eventsourcing.persistence import IntegrityError

from ledger import events as e
from ledger.database import uuid_bytes
from ledger.gaps import LogDamagedError
from ledger.stores import Mark
from projections import tracking, views
from projections.announcing import Announcer
from projections.binding import Binding, Kept
from projections.gate import DAMAGED, Answer, Gate
from projections.outbox import Queued
from projections.runner import StatusRunner
from projections.tracking import Source
from projections.views import Views
from tests.projections.histories import BINDING, POLICIES, START, address, contact, draft, open_log
from tests.projections.test_gate import LATER, allowed, opted_out
from tests.services.postgres import driver_of
from tests.stores import Place

SIMILAR = "marketing.similar"
PEOPLE = range(1, 8)


class Restorable:
    """A ledger whose log can be put back to what it was, with the answers left as they are."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._open(BINDING)

    def _open(self, binding: Binding) -> None:
        self.log = open_log(self.place("log"))
        self.live = Views.open(self.place("views"), binding)
        self.runner = StatusRunner(self.log, self.place("log"), self.live, POLICIES.__getitem__)
        self.gate = Gate(self.log, self.place("log"), self.live, self.runner)

    def close(self) -> None:
        self.gate.close()
        self.live.close()
        self.log.close()

    def again(self, binding: Binding = BINDING) -> None:
        """A program that begins anew."""
        self.close()
        self._open(binding)

    def append(self, *events: e.Event) -> int:
        return self.log.append([draft(event) for event in events])[-1].position

    def ask(self, number: int) -> Answer:
        return self.gate.ask(contact(number), SIMILAR, "email", address(number), LATER)

    def serves(self, number: int) -> bool:
        """Whether the stored row is served; the gate sees other rows by the second question."""
        self.ask(number)
        return self.ask(number).current

    def status(self, number: int) -> list[bool]:
        rows = self.runner.current(contact(number))
        return [given.allowed for row in rows if row.purpose == SIMILAR and (given := row.at(LATER))]

    def cut(self, position: int) -> None:
        """The log as a backup of that position has it."""
        self._delete(f"position > {position}")

    def lose(self, position: int) -> None:
        """Take one entry out of the middle."""
        self._delete(f"position = {position}")

    def _delete(self, which: str) -> None:
        self.close()
        if self.place.owner_url is not None:
            with driver_of(self.place.owner_url) as driver:
                driver.execute("ALTER TABLE log.entry DISABLE TRIGGER ALL")
                driver.execute(f"DELETE FROM log.entry WHERE {which}".encode())  # noqa: S608 - ours
                driver.execute("ALTER TABLE log.entry ENABLE TRIGGER ALL")
                driver.execute("UPDATE log.head SET position = (SELECT coalesce(max(position), 0) FROM log.entry)")
        else:
            with closing(sqlite3.connect(self.place("log"))) as file, file:
                file.execute("DROP TRIGGER IF EXISTS entry_no_delete")
                file.execute(f"DELETE FROM entry WHERE {which}")  # noqa: S608 - ours
        self._open(BINDING)


@pytest.fixture
def here(place: Place) -> Iterator[Restorable]:
    made = Restorable(place)
    yield made
    made.close()


def filled(here: Restorable) -> int:
    """Everybody may be written to; the head, at which the answers stand."""
    for number in PEOPLE:
        here.append(*allowed(number))
    here.runner.follow(once=True)
    assert all(here.ask(number).allowed for number in PEOPLE)
    return here.log.last_position()


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_a_stop_after_an_older_log_was_put_back_counts_at_once(here: Restorable, beside: int, follows: bool) -> None:
    """Below the position of the answers, at it, and above it; whether or not somebody follows."""
    head = filled(here)
    here.append(*(e.FormSubmitted(stream=contact(90), source="t") for _ in range(4)))
    here.runner.follow(once=True)
    old = here.log.last_position()
    here.cut(head)
    while here.log.last_position() < old + beside - 1:
        here.append(e.FormSubmitted(stream=contact(91), source="t"))
    assert here.append(opted_out(3)) == old + beside
    if follows:
        here.runner.follow(once=True)
    assert not here.ask(3).allowed
    assert here.status(3) == [False]
    assert here.ask(2).allowed
    here.runner.follow(once=True)
    assert not here.ask(3).allowed
    assert here.serves(3)
    assert here.runner.replay().equal


def test_a_yes_that_the_log_has_lost_is_not_served_at_the_same_position(here: Restorable) -> None:
    """No entry of the contact is newer than its row, and the log is as long as it was."""
    here.append(e.FormSubmitted(stream=contact(3), source="t", address=address(3)))
    filled(here)
    old = here.log.last_position()
    here.cut(1)
    here.append(*allowed(2))
    while here.log.last_position() < old:
        here.append(e.FormSubmitted(stream=contact(90), source="t"))
    assert here.ask(2).allowed
    assert not here.ask(3).allowed
    assert here.status(3) != [True]
    here.runner.follow(once=True)
    assert not here.ask(3).allowed
    assert here.runner.replay().equal


def in_place(here: Restorable, position: int, which: str = "position > ") -> None:
    """The log becomes what it was at a position, under a program that goes on working on it."""
    if here.place.owner_url is not None:
        with driver_of(here.place.owner_url) as driver:
            driver.execute("ALTER TABLE log.entry DISABLE TRIGGER ALL")
            driver.execute(f"DELETE FROM log.entry WHERE {which}{position}".encode())  # noqa: S608 - ours
            driver.execute("ALTER TABLE log.entry ENABLE TRIGGER ALL")
            driver.execute("UPDATE log.head SET position = (SELECT coalesce(max(position), 0) FROM log.entry)")
        return
    with closing(sqlite3.connect(here.place("log"))) as file, file:
        file.execute("DROP TRIGGER IF EXISTS entry_no_delete")
        file.execute(f"DELETE FROM entry WHERE {which}{position}")  # noqa: S608 - ours


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("follows", [False, True])
def test_a_stop_that_is_taken_out_of_an_open_log_gives_nobody_a_yes(
    here: Restorable, later: bool, follows: bool
) -> None:
    """Whether it was the contact's newest entry or not: the answers know it, or the versions do. Others go on."""
    filled(here)
    lost = here.append(opted_out(3))
    if later:
        here.append(e.FormSubmitted(stream=contact(3), source="t"))
    here.append(e.FormSubmitted(stream=contact(90), source="t"))
    here.runner.follow(once=True)
    assert not here.ask(3).allowed
    in_place(here, lost, "position = ")
    here.append(*allowed(3))
    if follows:
        with pytest.raises(LogDamagedError):
            here.runner.follow(once=True)
    assert here.ask(3)[:1] + here.ask(3)[4:] == (None, DAMAGED)
    with pytest.raises(LogDamagedError):
        here.runner.current(contact(3))
    assert here.ask(2).allowed
    here.again()
    assert here.ask(2)[:1] + here.ask(2)[4:] == (None, DAMAGED)


@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_a_log_put_back_while_it_is_open_closes_the_gate(here: Restorable, beside: int) -> None:
    """The stop was acknowledged; with the log of before it the answer would be yes, and nobody would know."""
    head = filled(here)
    here.append(opted_out(3), opted_out(4))
    assert not here.ask(3).allowed
    in_place(here, head)
    for _ in range(2 + beside):
        here.append(e.FormSubmitted(stream=contact(91), source="t"))
    for number in (3, 2):
        assert here.ask(number)[:1] + here.ask(number)[4:] == (None, DAMAGED)
    with pytest.raises(LogDamagedError, match=f"entry {head + 2}, which it held"):
        here.runner.follow(once=True)
    here.again()
    assert here.ask(2).allowed


def test_rows_that_a_shortened_log_fits_again_are_not_served(here: Restorable) -> None:
    """They stand where the log ends now, and the stop that was acknowledged after them is gone."""
    head = filled(here)
    assert here.serves(3)
    here.append(opted_out(3))
    assert not here.ask(3).allowed
    in_place(here, head)
    assert here.ask(3)[:1] + here.ask(3)[4:] == (None, DAMAGED)


def test_rows_ahead_of_the_log_are_never_served_and_built_anew_with_an_alarm(
    here: Restorable, caplog: pytest.LogCaptureFixture
) -> None:
    """Also those who have lost their yes with the log."""
    filled(here)
    here.cut(2)
    assert here.runner.soundness.trouble is None
    assert not here.ask(5).allowed
    assert not here.serves(1)
    assert here.runner.soundness.trouble is not None
    assert here.runner.soundness.alarms == 1
    found = here.runner.replay()
    assert not found.equal
    assert found.fault is not None
    here.runner.follow(once=True)
    assert here.runner.soundness.trouble is None
    assert here.runner.position() == 2
    assert here.serves(1)
    assert here.runner.replay().equal
    told = [one for one in caplog.records if one.levelname == "ERROR"]
    assert len(told) == 1
    assert "which the log does not hold" in told[0].getMessage()


def test_nobody_is_told_of_answers_that_are_not_of_this_log(here: Restorable) -> None:
    """What waits goes on waiting, until they are built anew."""
    filled(here)
    waiting = [Queued(contact(5), 1, 1, "event", None), Queued(contact(1), 2, 1, "event", None)]
    here.cut(2)
    announcer = Announcer(here.runner, "t")
    assert announcer.announce(waiting, LATER) is None
    here.runner.follow(once=True)
    told = announcer.announce(waiting, LATER)
    assert told is not None
    assert [one.contact for one in told] == [contact(1)]


def test_rows_move_on_only_from_the_entry_they_stand_at(here: Restorable) -> None:
    """A worker that has folded another history comes too late, also where the position is the same."""
    filled(here)
    mark = here.log.mark()
    with pytest.raises(IntegrityError, match="another worker"), here.live.transaction() as driver:
        tracking.advance(
            driver, views.NAME, mark._replace(hash=b"other"), Mark(mark.position + 1, b"x"), BINDING.source
        )
    with here.live.transaction() as driver:
        tracking.advance(driver, views.NAME, mark, Mark(mark.position + 1, b"x"), BINDING.source)


def test_an_empty_log_beside_old_answers_gives_nobody_a_yes(here: Restorable) -> None:
    filled(here)
    here.cut(0)
    assert not here.ask(1).allowed
    here.append(opted_out(1))
    assert not here.ask(1).allowed
    assert not here.ask(2).allowed
    here.runner.follow(once=True)
    assert here.runner.replay().equal


@pytest.mark.parametrize("other", [Source("another", "1"), Source(BINDING.source.ledger, "2")])
def test_answers_of_another_ledger_or_epoch_are_built_anew(
    here: Restorable, other: Source, caplog: pytest.LogCaptureFixture
) -> None:
    filled(here)
    here.again(Binding(other, b"k" * 32))
    assert here.ask(1).allowed
    assert not here.serves(1)
    assert "stored answers are of another" in caplog.text
    here.runner.follow(once=True)
    assert here.serves(1)
    assert here.runner.replay().equal


@pytest.mark.parametrize("followed", [False, True])
def test_a_gap_closes_the_gate(here: Restorable, followed: bool) -> None:
    """A stop may have stood there: nothing is allowed, and whoever reads or follows is told why."""
    filled(here)
    lost = here.append(opted_out(3))
    here.append(e.FormSubmitted(stream=contact(90), source="t"))
    if followed:
        here.runner.follow(once=True)
    here.lose(lost)
    answer = here.ask(2)
    assert not answer.allowed
    assert answer.closed == DAMAGED
    for use in (lambda: here.runner.current(contact(2)), here.runner.step, here.runner.rebuild, here.runner.replay):
        with pytest.raises(LogDamagedError, match=f"misses position {lost}:"):
            use()
    assert here.runner.soundness.trouble is not None


# --- rows that somebody changed ---------------------------------------------------------------------


def rows_of(here: Restorable, number: int) -> list[Kept]:
    with here.live.snapshot() as driver:
        return views.rows_of_contact(driver, contact(number))


def put(here: Restorable, rows: list[Kept]) -> None:
    """As somebody would who may write the file and has no key."""
    with here.live.transaction() as driver:
        views.put_rows(driver, [], rows)


@pytest.mark.parametrize("how", ["content", "revision", "of another", "without a check", "an older one"])
def test_a_row_that_is_not_this_ledgers_last_is_judged_anew(
    here: Restorable, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By the gate, by the status and by the feed; the alarm names whose it is, and a comparison names the row."""
    filled(here)
    yes, of_another = rows_of(here, 3), rows_of(here, 4)
    here.append(opted_out(3))
    here.runner.follow(once=True)
    no = rows_of(here, 3)
    forged: dict[str, list[Kept]] = {
        "content": [(*n[:4], y[4], y[5], *n[6:]) for y, n in zip(yes, no, strict=True)],
        "revision": [(*y[:6], n[6], y[7]) for y, n in zip(yes, no, strict=True)],
        "of another": [(y[0], y[1], y[2], y[3], *o[4:]) for y, o in zip(yes, of_another, strict=True)],
        "without a check": [(*y[:6], n[6], b"") for y, n in zip(yes, no, strict=True)],
        "an older one": yes,
    }
    with here.live.transaction() as driver:
        driver.execute("DELETE FROM status WHERE contact = ?", (uuid_bytes(contact(3)),))
    put(here, forged[how])
    assert not here.ask(3).allowed
    assert here.status(3) == [False]
    assert here.runner.soundness.alarms >= 1
    assert contact(3) in caplog.text
    told = Announcer(here.runner, "t").announce([Queued(contact(3), 1, 1, "event", None)], START)
    assert told is not None
    assert [cell.allowed for value in told for cell in value.cells if cell.purpose == SIMILAR] == [False]
    found = here.runner.replay()
    assert found.altered == (0 if how == "an older one" else len(no))
    assert {one.what for one in found.listed} == {"differs" if how == "an older one" else "altered"}
    here.runner.rebuild()
    assert here.runner.replay().equal
    assert here.serves(3)


def test_a_row_taken_away_allows_nothing(here: Restorable) -> None:
    filled(here)
    with here.live.transaction() as driver:
        driver.execute("DELETE FROM status WHERE contact = ?", (uuid_bytes(contact(3)),))
    assert not here.ask(3).allowed
    assert here.status(3) == []


def test_kin_taken_away_do_not_part_whom_their_entries_link(here: Restorable) -> None:
    """The stop of the one still reaches the other, whoever judges."""
    filled(here)
    here.append(e.ContactsLinked(stream=contact(1), source="t", other=contact(2)), opted_out(2))
    here.runner.follow(once=True)
    assert not here.ask(1).allowed
    with here.live.transaction() as driver:
        driver.execute("DELETE FROM kin")
    here.append(e.FormSubmitted(stream=contact(1), source="t"))
    assert not here.ask(1).allowed
    here.runner.follow(once=True)
    assert here.serves(1)
    assert not here.ask(1).allowed


def test_answers_of_an_older_form_are_built_anew(here: Restorable) -> None:
    """Their tables have fewer columns."""
    filled(here)
    with here.live.transaction() as driver:
        for column in ("hash", "ledger", "epoch"):
            driver.execute(f"ALTER TABLE tracking DROP COLUMN {column}")
        driver.execute("ALTER TABLE status DROP COLUMN mac")
        driver.execute("UPDATE generation SET form = 'status/2'")
    here.again()
    assert here.ask(1).allowed
    assert not here.serves(1)
    here.runner.follow(once=True)
    assert here.serves(1)
    assert here.runner.soundness.alarms == 0
    assert here.runner.replay().equal


def test_the_key_is_in_no_text() -> None:
    binding = Binding(Source("l", "e"), b"secret key of 32 bytes, nearly..")
    assert "secret" not in repr(binding)
