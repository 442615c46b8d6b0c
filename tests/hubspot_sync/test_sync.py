"""A ledger and a portal over real HTTP: what is written, what is not, and what is left after trouble."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.hubspot.sync.rehearsal import rehearsed
from adapters.report.masking import mask_email
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from tests.hubspot.state import MARKETING_INFORMATION, PRODUCT_NEWS
from tests.hubspot_sync.world import World, world

ADA = "ada@example.com"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "ledger") as made:
        made.declares("product-news", "marketing.similar")
        yield made


def verdict(here: World, record: int) -> str | None:
    return here.state.contact(record).properties.get("consent_ledger_verdict")


def status(here: World, email: str, kind: int) -> str:
    found = here.state.address(email).types.get(kind)
    return found.status if found else "NOT_SPECIFIED"


def test_a_stop_of_everything_is_an_opt_out_of_everything(here: World) -> None:
    record = here.person(ADA)
    here.opts_out(ADA)
    outcome = here.sync.apply([here.contact(ADA)])
    assert here.state.address(ADA).all_out
    assert verdict(here, record) == "non_marketing"
    assert [(one.call, one.status) for one in outcome.results] == [("unsubscribe_all", "done"), ("update", "done")]
    assert here.sync.apply([here.contact(ADA)]).results == ()


def test_a_stop_of_a_purpose_leaves_its_type_alone(here: World) -> None:
    here.person(ADA)
    here.says(ADA, e.Objected, by="data_subject", purposes=("marketing.similar",))
    here.sync.apply([here.contact(ADA)])
    assert status(here, ADA, PRODUCT_NEWS) == "UNSUBSCRIBED"
    assert status(here, ADA, MARKETING_INFORMATION) == "NOT_SPECIFIED"
    state = here.state.address(ADA).types[PRODUCT_NEWS]
    assert (state.explanation or "").startswith(f"consent-ledger CL-{here.contact(ADA)[:8]}-")


def test_what_is_allowed_is_subscribed_where_nobody_decided(here: World) -> None:
    record = here.person(ADA)
    here.opts_in(ADA, "marketing.similar")
    here.sync.apply([here.contact(ADA)])
    assert status(here, ADA, PRODUCT_NEWS) == "SUBSCRIBED"
    assert here.state.address(ADA).types[PRODUCT_NEWS].legal_basis == "CONSENT_WITH_NOTICE"
    assert verdict(here, record) == "awaiting_approval"


def test_a_later_opt_in_is_not_written_over_an_opt_out(here: World) -> None:
    here.person(ADA)
    here.opts_out(ADA)
    here.sync.apply([here.contact(ADA)])
    here.opts_in(ADA, "marketing.similar")
    assert {one.call for one in here.sync.apply([here.contact(ADA)]).results} == {"update"}
    assert here.state.address(ADA).all_out
    assert here.state.turned_on() == []


def test_without_a_basis_a_subscription_stays_as_it_is(here: World) -> None:
    record = here.person(ADA)
    here.state.person_opts_in(ADA, type_id=PRODUCT_NEWS)
    here.sync.apply([here.contact(ADA)])
    assert status(here, ADA, PRODUCT_NEWS) == "SUBSCRIBED"
    assert verdict(here, record) == "non_marketing"


def test_a_dry_run_shows_the_calls_and_makes_none(here: World) -> None:
    here.person(ADA)
    here.opts_out(ADA)
    before = len(here.state.changes())
    calls = rehearsed(here.sync.look([here.contact(ADA)]).plan, here.portal, mask_email)
    assert [(one.method, one.path) for one in calls] == [
        ("POST", "/communication-preferences/v4/statuses/batch/unsubscribe-all"),
        ("POST", "/crm/v3/objects/contacts/batch/update"),
    ]
    assert calls[0].body == {"inputs": ["a…@e….com"]}
    assert calls[1].body["inputs"][0]["properties"]["consent_ledger_verdict"] == "non_marketing"
    assert len(here.state.changes()) == before


def test_lost_stops_hold_everybody_back_until_somebody_answers_for_them(here: World) -> None:
    """And then whoever was held back is looked at again, though nothing of theirs changed."""
    record = here.person(ADA)
    here.opts_in(ADA, "marketing.similar")
    here.book.approve(2, 0, ("Ada Officer", "DPO", "the spring campaign"), here.clock.tick())
    lost = e.ImportFinished(stream=LEDGER_STREAM, source="hubspot.unsubscribes", file="ab" * 32, rows=3, lost=1)
    here.house.ledger.record(Fact(lost))
    outcome = here.sync.apply([here.contact(ADA)])
    assert (outcome.plan.held_back, outcome.plan.raises) == ((str(record),), ())
    assert (here.state.marketing.count(), verdict(here, record)) == (0, "undecided")
    assert status(here, ADA, PRODUCT_NEWS) == "NOT_SPECIFIED"
    assert here.book.unfinished() == [here.contact(ADA)]
    here.house.ledger.record(Fact(e.LostStopsAccepted(stream=LEDGER_STREAM, source="cli", file="ab" * 32, lost=1)))
    here.sync.apply(here.book.unfinished())
    assert (here.state.marketing.count(), verdict(here, record)) == (1, "marketing")
    assert status(here, ADA, PRODUCT_NEWS) == "SUBSCRIBED"
    assert here.book.unfinished() == []


def test_a_raise_waits_for_somebody_and_counts_once(here: World) -> None:
    records = [here.person(f"p{number}@example.com") for number in range(3)]
    for number in range(3):
        here.opts_in(f"p{number}@example.com", "marketing.similar")
    contacts = [here.contact(f"p{number}@example.com") for number in range(3)]
    assert len(here.sync.apply(contacts).plan.waiting) == 3
    assert here.state.marketing.count() == 0
    here.book.approve(2, 0, ("Ada Officer", "DPO", "the spring campaign"), here.clock.tick())
    outcome = here.sync.apply(contacts)
    assert (len(outcome.plan.raises), len(outcome.plan.waiting)) == (2, 1)
    assert here.state.marketing.count() == 2
    assert here.sync.apply(contacts).results == ()
    (given,) = here.book.approvals()
    assert (given.used, given.left, given.name, given.role, given.reason) == (
        2,
        0,
        "Ada Officer",
        "DPO",
        "the spring campaign",
    )
    assert sorted(str(verdict(here, one)) for one in records) == ["awaiting_approval", "marketing", "marketing"]


def test_who_was_lowered_is_raised_by_another_approval_only(here: World) -> None:
    record = here.person(ADA)
    here.opts_in(ADA, "marketing.similar")
    here.book.approve(1, 0, ("Ada Officer", "DPO", "x"), here.clock.tick())
    here.sync.apply([here.contact(ADA)])
    assert verdict(here, record) == "marketing"
    here.opts_out(ADA)
    (demotion,) = here.sync.apply([here.contact(ADA)]).plan.demotions
    assert not demotion.pending
    (waits,) = here.sync.look([here.contact(ADA)]).plan.demotions
    assert waits.pending
    here.state.marketing.update_date()
    here.opts_in(ADA, "marketing.similar")
    here.sync.apply([here.contact(ADA)])
    assert verdict(here, record) == "awaiting_approval"


def test_two_contacts_that_are_one_record_there_have_the_strictest_verdict(here: World) -> None:
    kept, gone = here.person(ADA), here.person("second@example.com")
    here.opts_in(ADA, "marketing.similar")
    here.opts_out("second@example.com")
    here.state.merge(kept, gone)
    here.sync.apply([here.contact("second@example.com")])
    assert here.state.address("second@example.com").all_out
    assert not here.state.address(ADA).all_out
    assert verdict(here, kept) == "non_marketing"


def test_a_record_that_is_gone_is_told_and_nothing_else(here: World) -> None:
    record = here.person(ADA)
    here.opts_out(ADA)
    here.state.gdpr_delete(record)
    outcome = here.sync.apply([here.contact(ADA)])
    assert (outcome.results, outcome.gone) == ((), (str(record),))


def test_without_the_batch_calls_it_is_done_one_by_one(here: World) -> None:
    here.state.enterprise(False)
    for number in range(5):
        here.person(f"p{number}@example.com")
        here.opts_out(f"p{number}@example.com")
    here.state.calls.clear()
    here.sync.apply(here.everybody())
    # no state of an address is asked for: what its record shows is enough
    assert len(here.state.made("{email}")) == 5
    assert here.sync.look(here.everybody()).plan.steps == ()
    assert all(here.state.address(f"p{number}@example.com").all_out for number in range(5))
    assert here.missing_stops() == []


def test_an_address_hubspot_does_not_hold_is_not_disclosed_to_it(here: World) -> None:
    from ledger.vault import Registration

    record = here.person(ADA)
    here.house.ledger.register_many([Registration("private@example.org", "hubspot", str(record), False)])
    here.opts_out("private@example.org")
    here.sync.apply([here.contact(ADA)])
    assert "private@example.org" not in here.state.addresses.all


def test_a_write_that_is_repeated_late_leaves_what_is_newer(tmp_path: Path) -> None:
    """While one waits to repeat its call, another hears of a stop and writes that: it stands in the end."""
    with world(tmp_path / "ledger") as here:
        record = here.person("ada@example.com")
        here.opts_in("ada@example.com")
        here.book.approve(1, 0, ("Ada", "DPO", "a test"), here.clock.tick())
        shown = here.state.contact(record).properties
        usual, between = here.clock.sleep, list[str]()

        def sleep(seconds: float) -> None:
            usual(seconds + 5)
            if not between:
                between.append("")
                here.opts_out("ada@example.com")
                here.sync.apply([here.contact("ada@example.com")])
                between[0] = shown["consent_ledger_verdict"]

        here.portal.may()
        here.client._sleep = sleep
        here.state.chaos.fail_next(1, 502, path="batch/update", done=True)
        here.sync.apply([here.contact("ada@example.com")])
        assert between == ["non_marketing"]
        assert shown["consent_ledger_verdict"] == "non_marketing"
        assert here.sync.look(here.everybody()).plan.steps == ()
