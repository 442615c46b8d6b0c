"""The outbox, case by case: who is told, why, in which order, and what."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ledger import events as e
from ledger.database import uuid_bytes
from ledger.terms import LEDGER_STREAM
from projections import bulk, outbox, runner, views
from projections.announcing import MOMENTS, encode
from projections.contact_status import ContactStatus, ToldRecord
from projections.status import Row
from tests.projections.histories import BINDING, POLICIES, START, address, contact
from tests.projections.outbox_world import Taken, World, world
from tests.stores import Place
from tests.waiting import join

WHOLE = POLICIES[None]
LESS = next(one for key, one in POLICIES.items() if key and one is not WHOLE)


@pytest.fixture
def w(place: Place) -> Iterator[World]:
    made = World(place)
    yield made
    made.close()


def about(number: int, **more: Any) -> dict[str, Any]:
    return {"stream": contact(number), "source": "t", "by": "data_subject", "address": address(number), **more}


def allowed_in_the_us(number: int) -> list[e.Event]:
    """An opt-out regime allows until a stop comes."""
    return [e.CountryEvidenced(**about(number), hints=(e.CountryHint("US", "declared"),))]


def bought_in_canada(number: int) -> list[e.Event]:
    """Implied consent for two years from the purchase."""
    return [
        e.CountryEvidenced(**about(number), hints=(e.CountryHint("CA", "declared"),)),
        e.ContractStarted(**about(number), kind="purchase", seller="own", occurred_from=START),
    ]


def controller(country: str = "US") -> e.Event:
    return e.ControllerDescribed(stream=LEDGER_STREAM, source="t", country=country)


def adopted(policy: str) -> e.Event:
    return e.PolicyAdopted(stream=LEDGER_STREAM, source="t", by="officer", policy=policy)


def names(taken: Taken) -> list[str]:
    return [one.contact for one, _ in taken]


def allowed(value: ContactStatus) -> list[bool]:
    return [cell.allowed for cell in value.cells]


def test_a_ledger_without_streams_has_no_outbox(w: World) -> None:
    """It costs an embedded ledger one look into an empty table."""
    w.append(controller(), *allowed_in_the_us(1), *bought_in_canada(2))
    w.runner().rebuild()
    assert w.take() == []
    assert w.look() == 0
    with w.views.snapshot() as driver:
        assert outbox.last_number(driver) is None
        assert driver.execute("SELECT count(*) FROM due").fetchone() == (0,)


def test_when_streams_begin_everybody_is_told_once_and_stops_first(w: World) -> None:
    """In order of revision, the newest first."""
    stopped = [e.OptedOut(**about(number)) for number in (4, 5)]
    w.append(controller(), *allowed_in_the_us(1), *stopped, *allowed_in_the_us(2))
    assert w.switch_on()
    assert not w.switch_on()
    sent = w.drain()
    assert names(sent) == [contact(5), contact(4), contact(2), contact(1)]
    assert [one.rank for one, _ in sent] == [outbox.AGAIN_STOPPED] * 2 + [outbox.AGAIN] * 2
    assert {value.cause for _, value in sent} == {"policy"}
    assert w.drain() == []


def test_a_change_is_told_once_with_its_cause_and_a_greater_revision(w: World) -> None:
    """Two changes before it is sent are one message, of the last."""
    w.switch_on()
    w.append(controller(), *allowed_in_the_us(1))
    first = w.drain()
    w.append(e.OptedOut(**about(1)))
    w.append(e.Complained(**about(1)))
    ((queued, value),) = w.drain()
    assert [allowed(one) for _, one in first] == [[True]]
    assert (queued.cause, allowed(value), value.cells[0].reason) == ("event", [False], "complained")
    assert value.revision == 4 * MOMENTS
    assert value.revision > first[0][1].revision


def test_a_stop_overtakes_other_news_and_everything_told_again(w: World) -> None:
    """Whatever waits: a rule set was adopted, others opted in."""
    w.switch_on()
    w.append(controller(), *[event for number in range(1, 6) for event in allowed_in_the_us(number)])
    w.drain()
    w.append(adopted(LESS.hash))
    w.append(*allowed_in_the_us(9))
    w.append(e.OptedOut(**about(3)))
    sent = w.drain()
    assert names(sent)[:2] == [contact(3), contact(9)]
    assert [one.rank for one, _ in sent[:3]] == [outbox.STOP, outbox.NEWS, outbox.AGAIN]
    assert sorted(names(sent)) == sorted(contact(number) for number in (1, 2, 3, 4, 5, 9))


def test_a_stop_that_waits_when_the_views_are_swapped_still_goes_first(w: World) -> None:
    """The generation that takes the place of another takes over what is urgent in it."""
    w.switch_on()
    w.append(controller(), *[event for number in range(1, 6) for event in allowed_in_the_us(number)])
    w.drain()
    w.append(e.OptedOut(**about(2)))
    w.runner().rebuild()
    sent = w.drain()
    assert names(sent)[0] == contact(2)
    assert [one.rank for one, _ in sent] == [outbox.STOP] + [outbox.AGAIN] * 4


def test_a_stop_that_only_a_rebuild_came_to_see_goes_first(w: World) -> None:
    """So many entries behind that building anew was quicker: they are news all the same."""
    w.switch_on()
    w.append(controller(), *[event for number in range(1, 6) for event in allowed_in_the_us(number)])
    w.drain()
    w.append(*allowed_in_the_us(3), e.OptedOut(**about(4)), follow=False)
    w.runner().rebuild()
    sent = w.drain()
    assert [(one.contact, one.rank) for one, _ in sent[:2]] == [(contact(4), outbox.STOP), (contact(3), outbox.NEWS)]
    assert {one.rank for one, _ in sent[2:]} == {outbox.AGAIN}


def test_what_was_taken_before_a_swap_is_not_taken_away_after_it(w: World) -> None:
    """A number means one thing, in whichever generation."""
    w.switch_on()
    w.append(controller(), *allowed_in_the_us(1))
    taken = w.take()
    w.runner().rebuild()
    w.done(taken)
    assert names(w.take()) == [contact(1)]


def test_what_changes_after_it_was_taken_is_told_again(w: World) -> None:
    """Also when the publisher that took it was believed dead and finishes late."""
    w.switch_on()
    w.append(controller(), *allowed_in_the_us(1))
    taken = w.take()
    w.append(e.OptedOut(**about(1)))
    w.send(taken)
    w.done(taken)
    w.drain()
    w.done(taken)
    assert allowed(w.consumer.held[contact(1)]) == [False]


def test_what_lapses_is_told_on_its_day_by_a_look_at_those_due_alone(w: World) -> None:
    """Nothing runs through all contacts: the others are not even in the table."""
    w.append(controller("CA"), *bought_in_canada(1), *[e.OptedOut(**about(number)) for number in range(2, 20)])
    w.switch_on()
    before = {value.contact: value for _, value in w.drain()}[contact(1)]
    assert any(allowed(before))
    with w.views.snapshot() as driver:
        ((_, at),) = driver.execute("SELECT contact, at FROM due").fetchall()
        assert not outbox.is_due(driver, w.later())
    assert at.startswith("2026-03-0")
    w.later(760)
    with w.views.snapshot() as driver:
        assert outbox.is_due(driver, w.now)
    ((queued, after),) = w.drain()
    assert (queued.cause, queued.contact, after.cause) == ("time", contact(1), "time")
    assert not any(cell.allowed for cell in after.cells if cell.purpose.startswith("marketing."))
    assert 0 < after.revision - before.revision < MOMENTS
    assert (after.position, after.at.isoformat()[:7]) == (before.position, "2026-03")
    assert w.drain() == []


@pytest.mark.parametrize("waits", [False, True])
def test_a_clock_that_goes_back_between_the_look_and_the_sending_undoes_no_lapse(w: World, waits: bool) -> None:
    """The look's moment is kept with what it queues, also where the contact is waiting already."""
    w.append(controller("CA"), *bought_in_canada(1))
    w.switch_on()
    if not waits:
        w.drain()
    w.later(3 * 365)
    assert w.look() == 1
    with w.views.snapshot() as driver:
        taken = outbox.take(driver, 1)
    (value,) = w.tell(taken, w.now - timedelta(days=3 * 365))
    assert not any(cell.allowed for cell in value.cells if cell.purpose.startswith("marketing."))


def test_linked_contacts_each_get_their_value_and_say_who_stands_for_them(w: World) -> None:
    """Who was in the ledger first; taken apart again, each stands for itself."""
    w.switch_on()
    w.append(controller(), *allowed_in_the_us(7), *allowed_in_the_us(1), *allowed_in_the_us(4))
    w.drain()
    w.append(e.ContactsLinked(stream=contact(1), source="t", other=contact(7)))
    w.append(e.ContactsLinked(stream=contact(4), source="t", other=contact(1)))
    w.append(e.OptedOut(**about(4)))
    told = {value.contact: value for _, value in w.drain()}
    assert {name: (one.linked, one.merged_into) for name, one in told.items()} == {
        contact(7): ((contact(1), contact(4)), None),
        contact(1): ((contact(4), contact(7)), contact(7)),
        contact(4): ((contact(1), contact(7)), contact(7)),
    }
    assert not any(any(allowed(one)) for one in told.values())
    w.append(e.ContactsUnlinked(stream=contact(1), source="t", other=contact(4)))
    told = {value.contact: value for _, value in w.drain()}
    assert {name: one.merged_into for name, one in told.items()} == {
        contact(7): None,
        contact(1): contact(7),
        contact(4): None,
    }
    assert [any(allowed(told[contact(number)])) for number in (7, 1, 4)] == [True, True, False]


def test_of_an_erased_contact_nothing_is_allowed_and_it_says_so(w: World) -> None:
    """Whoever was merged into it stands for itself from then on."""
    w.switch_on()
    w.append(controller(), *allowed_in_the_us(1), *allowed_in_the_us(2))
    w.append(e.ContractStarted(**about(1), kind="purchase", seller="own", occurred_from=START))
    w.append(e.ContactsLinked(stream=contact(2), source="t", other=contact(1)))
    w.drain()
    w.append(e.ErasureCompleted(stream=contact(1), source="t", by="system"))
    told = {value.contact: value for _, value in w.drain()}
    erased, other = told[contact(1)], told[contact(2)]
    assert erased.erased
    assert {(cell.allowed, cell.reason) for cell in erased.cells} == {(False, "erased")}
    assert len(erased.cells) == 2
    assert (other.erased, other.merged_into, any(allowed(other))) == (False, None, True)
    assert erased.merged_into == contact(2)


def test_a_policy_is_told_of_to_everybody_and_the_revision_grows(w: World) -> None:
    """Though no entry of theirs is new."""
    w.switch_on()
    w.append(controller(), *allowed_in_the_us(1), e.OptedOut(**about(2)))
    before = {value.contact: value for _, value in w.drain()}
    w.append(adopted(LESS.hash))
    after = {value.contact: value for _, value in w.drain()}
    assert list(after) == [contact(2), contact(1)]
    assert all(after[name].revision > before[name].revision for name in before)
    assert {value.policy for value in after.values()} == {LESS.hash}
    assert {value.cause for value in after.values()} == {"policy"}


def test_a_rebuild_that_comes_second_catches_up_where_it_is(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much came meanwhile: what it builds beside is in nobody's use, and building that anew would not end."""
    w.switch_on()
    w.append(controller(), *[event for number in range(1, 6) for event in allowed_in_the_us(number)])
    w.drain()
    monkeypatch.setattr(runner, "FAR_BEHIND", 2)
    built: list[str] = []
    whole = bulk.build

    def overtaken(*given: Any) -> int:
        """The first is overtaken by another worker, who sees a rule set that this one has not."""
        built.append(given[2])
        position = whole(*given)
        if len(built) == 1:
            w.append(adopted(LESS.hash), e.OptedOut(**about(3)))
            assert len(built) == 2
        assert len(built) < 4
        return position

    monkeypatch.setattr(bulk, "build", overtaken)
    w.runner().rebuild()
    assert w.views.generations.current() == built[0]
    with w.views.snapshot() as driver:
        held = views.held(driver)
        assert (held.position, held.policy) == (w.log.last_position(), LESS.hash)
    told = {value.contact: value for _, value in w.drain()}
    assert not any(allowed(told[contact(3)]))
    assert {value.policy for value in told.values()} == {LESS.hash}


def test_a_generation_in_use_is_kept_though_the_old_one_cannot_be_taken_away(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost just after everybody was sent to the new one."""
    w.switch_on()
    w.append(controller(), *allowed_in_the_us(1))
    generations = w.views.generations
    whole, old = generations.discard, generations.current()

    def lost(name: str) -> None:
        if name == old:
            raise OSError
        whole(name)

    monkeypatch.setattr(generations, "discard", lost)
    with pytest.raises(OSError):
        w.runner().rebuild()
    with w.views.snapshot() as driver:
        assert views.held(driver).position == w.log.last_position()
    assert names(w.drain()) == [contact(1)]


def test_many_cells_of_one_contact_do_not_end_the_reading_of_all(w: World) -> None:
    """A page that holds one contact alone is read again, longer."""
    w.append(controller(), *[e.Clicked(**about(1, address=address(n))) for n in range(9)], *allowed_in_the_us(2))
    with w.views.snapshot() as driver:
        pages = list(outbox._everybody(driver, size=3))
        assert sum(len(page) for page in pages) == 2
        assert sorted(len(held) for page in pages for held in page.values()) == [1, 9]


def test_record_ids_are_named_only_where_somebody_gives_them() -> None:
    """And are in the value when they are."""
    with world(records=lambda _: (ToldRecord("hubspot", "17"),)) as w:
        w.switch_on()
        w.append(controller(), *allowed_in_the_us(1))
        ((_, value),) = w.drain()
        assert value.records == (ToldRecord("hubspot", "17"),)
    with world() as w:
        w.switch_on()
        w.append(controller(), *allowed_in_the_us(1))
        ((_, value),) = w.drain()
        assert value.records == ()


def test_equal_revisions_are_equal_bytes(w: World) -> None:
    """Whoever sends a value again, and whenever, says the same."""
    w.switch_on()
    w.append(controller("CA"), *bought_in_canada(1))
    ((queued, value),) = w.take()
    w.later(30)
    (again,) = w.tell([queued], w.now)
    assert encode(again) == encode(value)
    w.runner().rebuild()
    (built,) = w.tell([queued], w.now)
    assert encode(built) == encode(value)


def test_a_contact_without_rows_is_not_told_of(w: World) -> None:
    """It is in the log, and in no projection: silence means not allowed."""
    w.append(controller())
    with w.views.snapshot() as driver:
        assert views.rows_of_contact(driver, contact(1)) == []
    assert w.tell([outbox.Queued(contact(1), 1, 0, "event", None)], w.now) == []


def test_generations_that_were_left_are_closed(w: World) -> None:
    """A service that runs for months keeps no connection, and no disk, for each swap."""
    w.append(controller(), *allowed_in_the_us(1))
    left = []
    for _ in range(3):
        left.append(w.views._database())
        w.runner().rebuild()
        with w.views.snapshot() as driver:
            assert views.held(driver).position == 2
    assert [one.closed for one in left] == [True, True, False]


def test_of_threads_that_notice_a_swap_one_opens_what_all_use(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is lost on the way: a publisher reads the answers while they are followed."""
    w.append(controller(), *allowed_in_the_us(1))
    opened: list[str] = []
    generations = w.views.generations
    whole = generations.open

    def slowly(name: str, *rest: Any) -> Any:
        opened.append(name)
        time.sleep(0.05)
        return whole(name, *rest)

    w.runner().rebuild()
    together = threading.Barrier(4)
    monkeypatch.setattr(generations, "open", slowly)

    def read() -> None:
        together.wait()
        with w.views.snapshot() as driver:
            assert views.held(driver).position

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    join(*readers)
    assert len(opened) == len(set(opened)) == 1


def test_of_those_told_again_who_loses_something_comes_first(w: World) -> None:
    """Though something else stays allowed; a contact that loses nothing waits behind."""

    def row(number: int, purpose: str, allowed: bool, revision: int) -> Row:
        segments = f'[["2026-01-01T00:00:00Z",{"true" if allowed else "false"}]]'.encode()
        return (uuid_bytes(contact(number)), purpose, "email", b"", segments, None, revision)

    both = ("marketing.other", "marketing.similar")
    before = [row(number, purpose, True, 1) for number in (1, 2) for purpose in both]
    after = [row(1, both[0], True, 2), row(1, both[1], True, 2), row(2, both[0], True, 2), row(2, both[1], False, 2)]
    w.switch_on()
    with w.views.transaction() as driver:
        views.put_rows(driver, [], map(BINDING.kept, before))
        outbox.queue(driver, after, ())
        assert [(one.contact, one.rank) for one in outbox.take(driver, 10)] == [
            (contact(2), outbox.AGAIN_STOPPED),
            (contact(1), outbox.AGAIN),
        ]
