"""What would be left out of HubSpot for good, were only those looked at of whom the ledger has news."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.hubspot.pull.cursors import Cursors
from adapters.hubspot.pull.ours import OurApp
from adapters.hubspot.pull.pulling import pull_all
from adapters.hubspot.pull.run import Pull
from adapters.hubspot.sync.apply import MOST
from adapters.hubspot.sync.changed import CURSOR, changed
from ledger import events as e
from ledger.database import chunks
from ledger.vault import Registration
from tests.hubspot.state import APP, PRODUCT_NEWS
from tests.hubspot_sync.world import World, world

ADA, BOB = "ada@example.com", "bob@example.com"
SIGNED = ("Ada Officer", "DPO", "a test")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "ledger") as made:
        made.declares("product-news", "marketing.similar")
        yield made


def run(here: World) -> list[str]:
    """As `hubspot sync --apply` does; whom it looked at."""
    position, looked_at = here.book.cursor(CURSOR)
    head, began = here.house.ledger.log.last_position(), here.clock.tick()
    found = list(dict.fromkeys([*here.book.unfinished(), *changed(here.house, position, looked_at, began)]))
    for part in chunks(found, MOST):
        here.sync.apply(part)
    here.book.advance(CURSOR, head, began)
    return found


def verdict(here: World, record: int) -> str | None:
    return here.state.contact(record).properties.get("consent_ledger_verdict")


def in_the_middle(here: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, after: bool) -> None:
    """Once, `act` before or after records are written."""
    update, acted = here.portal.update_contacts, list[bool]()

    def updated(changes: Any) -> Any:
        done = update(changes) if after else None
        if not acted:
            acted.append(True)
            act()
        return update(changes) if done is None else done

    monkeypatch.setattr(here.portal, "update_contacts", updated)


def test_a_stop_made_while_the_record_was_deleted_is_there_when_it_is_back(here: World) -> None:
    record = here.person(ADA)
    run(here)
    here.state.delete(record)
    here.opts_out(ADA)
    run(here)
    here.state.restore(record)
    assert run(here) == [here.contact(ADA)]
    assert here.state.address(ADA).all_out
    assert run(here) == []


def test_what_was_approved_is_raised_though_nothing_changed(here: World) -> None:
    record = here.person(ADA)
    here.opts_in(ADA, "marketing.similar")
    run(here)
    assert verdict(here, record) == "awaiting_approval"
    here.book.approve(1, 0, SIGNED, here.clock.tick())
    run(here)
    assert verdict(here, record) == "marketing"
    assert run(here) == []


def test_a_stop_of_who_has_an_address_on_anothers_record_is_written(here: World) -> None:
    """The ledger knows the one only by address, and the record as the other's."""
    here.house.ledger.register_many([Registration(BOB, "shop", "7")])
    record = here.state.add_contact(ADA, also=[BOB])
    here.house.ledger.register_many([Registration(ADA, "hubspot", str(record))])
    run(here)
    here.opts_out(BOB)
    assert run(here) == [here.contact(BOB)]
    assert here.state.address(BOB).all_out
    assert not here.state.address(ADA).all_out


def test_a_stop_is_written_to_a_record_that_a_pull_finds_later(here: World) -> None:
    """HubSpot says nothing of the record that would be news of the person."""
    here.house.ledger.register_many([Registration(ADA, "shop", "7")])
    here.opts_out(ADA)
    with closing(Cursors.open(here.house)) as cursors:
        for email in (BOB, ADA):
            here.state.add_contact(email)
            pull_all(Pull(here.house, here.portal, cursors, here.clock.now, OurApp(APP)))
            here.clock.at += timedelta(hours=2)
            run(here)
    assert here.state.address(ADA).all_out


def test_whoever_writes_last_looks_again(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs at once: the slower one has read nothing of the stop, and writes after the other has written it."""
    record = here.person(ADA)
    here.opts_in(ADA, "marketing.similar")
    here.book.approve(5, 0, SIGNED, here.clock.tick())

    def the_other() -> None:
        here.opts_out(ADA)
        here.sync.apply([here.contact(ADA)])
        assert verdict(here, record) == "non_marketing"

    in_the_middle(here, monkeypatch, the_other, after=False)
    here.sync.apply([here.contact(ADA)])
    assert verdict(here, record) == "non_marketing"
    assert here.state.address(ADA).all_out


def test_nobody_is_subscribed_once_the_ledger_holds_a_stop(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a moment: the stop came after the answers were read, and before the subscription was to be written."""
    here.person(ADA)
    here.opts_in(ADA, "marketing.similar")
    in_the_middle(here, monkeypatch, lambda: here.says(ADA, e.Objected, by="data_subject"), after=True)
    here.sync.apply([here.contact(ADA)])
    assert here.state.address(ADA).all_out
    assert not any(one.after == "SUBSCRIBED" for one in here.state.changes())
    assert PRODUCT_NEWS not in here.state.address(ADA).types


def test_a_stop_of_one_holds_up_no_subscription_of_another(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for email in (ADA, BOB):
        here.person(email)
        here.opts_in(email, "marketing.similar")
    in_the_middle(here, monkeypatch, lambda: here.says(ADA, e.Objected, by="data_subject"), after=True)
    here.sync.apply([here.contact(ADA), here.contact(BOB)])
    assert here.state.address(ADA).all_out
    assert here.state.address(BOB).types[PRODUCT_NEWS].status == "SUBSCRIBED"
