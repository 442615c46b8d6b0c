"""Ledger and portal compared: each kind of difference, since when, who wrote last, and what the remedies do."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.main import app
from adapters.hubspot.changes import SYSTEM
from adapters.hubspot.drift.book import DriftBook, Ignored
from adapters.hubspot.drift.comparing import KINDS
from adapters.hubspot.drift.remedies import KINDS as TOLD
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import PRODUCT_NEWS, State
from tests.ledgers import open_house
from tests.stores import Place

ANA = "ana@example.com"
SIGN_UP: dict[str, Any] = {
    "act": "unticked_box",
    "channels": ("email",),
    "purposes": ("marketing.*",),
    "to": ("own",),
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
    "by": "data_subject",
}


class World:
    """A ledger in a folder, beside a portal. Each step opens the ledger anew, as a command does."""

    def __init__(self, folder: Path, there: Fake, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.there, self.state = folder, there, there.state
        patch.setenv("CONSENT_LEDGER_HUBSPOT_URL", there.url)
        patch.setenv("CONSENT_LEDGER_HUBSPOT_TOKEN", there.token)
        patch.setenv("CONSENT_LEDGER_HUBSPOT_APP", str(there.app_id))
        with self.house() as house:
            house.describe_controller("Sample Goods GmbH", "DE", "DE")

    def house(self) -> House:
        return open_house(self.folder, {})

    def person(self, email: str = ANA) -> int:
        """Somebody in the portal whom the ledger knows."""
        record = self.state.add_contact(email)
        with self.house() as house:
            house.ledger.register_many([Registration(email, SYSTEM, str(record))])
        return record

    def says(self, cls: type[e.Event], email: str = ANA, ago: timedelta = timedelta(), **fields: Any) -> int:
        """The ledger hears of something that happened."""
        with self.house() as house:
            contact, address = house.find(email)
            at = datetime.now(UTC) - ago
            event = cls(stream=contact, source="shop", address=address, occurred_from=at, **fields)
            return house.ledger.record(Fact(event)).position

    def declare(self, purposes: tuple[str, ...] = ("marketing.similar",)) -> None:
        """What the type of product news means."""
        with self.house() as house:
            shot = house.ledger.log.put_document(b"screenshot")
            said = e.TypeDeclared(
                stream=LEDGER_STREAM,
                source="map",
                key="type.news",
                subscription_type="product-news",
                purposes=purposes,
                evidence=(shot,),
            )
            house.ledger.record(Fact(said))

    def topics(self, email: str = ANA) -> list[str]:
        """What the ledger holds of somebody."""
        with self.house() as house:
            return [type(entry.event).__name__ for entry in house.entries(house.find(email)[0])]

    def sync(self) -> None:
        """Bring the portal in step."""
        self.run("hubspot", "sync", "--apply")

    def run(self, *arguments: object, exit_code: int = 0) -> Result:
        """A command on both."""
        given = [str(one) for one in arguments]
        result = CliRunner().invoke(app, [*given, "--ledger", str(self.folder)])
        assert result.exit_code == exit_code, (result.output, result.exception)
        return result

    def drift(self, *more: object) -> list[dict[str, Any]]:
        """The differences."""
        found = json.loads(self.run("drift", "--json", *more).stdout)["differences"]
        assert isinstance(found, list)
        return found

    def only(self, kind: str, *more: object) -> dict[str, Any]:
        """The one difference of a kind."""
        (found,) = [one for one in self.drift(*more) if one["kind"] == kind]
        return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Both, empty."""
    with fake(State(rate=None)) as there:
        yield World(tmp_path / "ledger", there, monkeypatch)


def kinds(found: list[dict[str, Any]]) -> list[str]:
    """The kinds of differences, without those that any sync mends."""
    return [one["kind"] for one in found if one["kind"] != "property_differs"]


def test_where_both_are_in_step_nothing_differs(world: World) -> None:
    """After a sync, stopped and not."""
    world.person()
    world.person("bo@example.com")
    world.says(e.OptedOut, "bo@example.com", by="data_subject")
    world.sync()
    assert world.drift() == []


def test_an_opt_out_the_ledger_has_not_heard_of_is_found_and_recorded(world: World) -> None:
    """As a stop of the person's, at its own time; then nothing differs any more but what a sync writes."""
    world.person()
    world.says(e.OptedIn, ago=timedelta(days=3), **SIGN_UP)
    world.state.person_opts_out(ANA)
    found = world.only("crm_opted_out_ledger_allows")
    assert found["last_writer"] == "crm"
    assert found["email_masked"] == "a…@e….com"
    world.run("drift", "record", found["ref"])
    assert "OptedOut" in world.topics()
    assert "crm_opted_out_ledger_allows" not in kinds(world.drift())
    assert world.state.turned_on() == []


def test_a_flip_behind_our_back_is_alarmed_recorded_once_and_pushed_back(world: World) -> None:
    """Somebody in the portal turns on who said stop: the ledger keeps that it was shown, and grants nothing."""
    world.person()
    world.says(e.OptedOut, ago=timedelta(days=3), by="data_subject")
    world.sync()
    world.state.user_sets_status(ANA, True)
    found = world.only("crm_on_ledger_stopped")
    assert found["flipped"]
    assert found["last_writer"] == "crm"
    assert "CRM_UI" in found["by"]
    again = world.only("crm_on_ledger_stopped")
    assert again["ref"] == found["ref"]
    assert world.topics().count("OptOutShown") == 1
    world.run("drift", "--fail-on", "flip", exit_code=3)
    world.run("drift", "push", found["ref"])
    assert world.state.address(ANA).all_out
    assert "crm_on_ledger_stopped" not in kinds(world.drift())


def test_a_flip_that_a_pull_tells_too_is_one_fact(world: World) -> None:
    """Whoever tells of it first; what the record shows at the pull is a fact beside it, as of an export."""
    world.person()
    world.says(e.OptedOut, ago=timedelta(days=3), by="data_subject")
    world.sync()
    world.state.user_sets_status(ANA, True)
    assert world.only("crm_on_ledger_stopped")["flipped"]
    world.run("hubspot", "pull", "--only", "contacts")
    with world.house() as house:
        shown = [n.event for n in house.entries(house.find(ANA)[0]) if isinstance(n.event, e.OptOutShown)]
    assert [event.opted_out for event in shown if event.source == "hubspot.contacts"].count(False) == 1


def test_what_the_person_turned_on_is_no_flip(world: World) -> None:
    """It is a yes whose evidence is still to be brought: that is said before a push takes it away again."""
    world.person()
    world.says(e.OptedOut, ago=timedelta(days=3), by="data_subject")
    world.sync()
    world.state.person_opts_in(ANA, form=world.state.forms.add("Newsletter"))
    found = world.only("crm_on_ledger_stopped")
    assert not found["flipped"]
    assert found["ledger"] == "stopped (opted_out)"
    assert "ledger: stopped (opted out); HubSpot" in world.run("drift").stdout
    assert "hubspot pull" in found["by_hand"]
    assert "OptOutShown" not in world.topics()


def test_a_stop_that_was_not_pushed_yet_is_no_flip(world: World) -> None:
    """Nobody turned anything on."""
    world.person()
    world.says(e.OptedOut, by="data_subject")
    found = world.only("crm_on_ledger_stopped")
    assert not found["flipped"]
    assert found["ledger"] == "stopped (opted_out)"
    assert "ledger: stopped (opted out); HubSpot" in world.run("drift").stdout
    assert "OptOutShown" not in world.topics()


def test_a_type_that_was_turned_on_over_its_stop_is_a_flip(world: World) -> None:
    """Recorded as a subscription that is shown."""
    world.declare()
    world.person()
    world.says(e.OptedOut, ago=timedelta(days=3), by="data_subject", purposes=("marketing.similar",))
    world.sync()
    assert world.state.address(ANA).types[PRODUCT_NEWS].status == "UNSUBSCRIBED"
    world.state.app_sets_status(ANA, True, PRODUCT_NEWS)
    found = world.only("crm_on_ledger_stopped")
    assert (found["flipped"], found["subscription_type"]) == (True, str(PRODUCT_NEWS))
    assert "SubscriptionShown" in world.topics()


def test_who_opted_in_later_elsewhere_is_told_what_to_do_by_hand(world: World) -> None:
    """Nothing turns them on from here."""
    world.person()
    world.says(e.OptedOut, ago=timedelta(days=9), by="data_subject")
    world.sync()
    world.says(e.OptedIn, **SIGN_UP)
    found = world.only("opted_in_later_elsewhere")
    assert found["remedies"] == ["ignore"]
    assert "HubSpot form" in found["by_hand"]
    world.run("drift", "push", found["ref"], exit_code=1)
    assert world.state.address(ANA).all_out
    assert world.state.turned_on() == []


def test_a_subscription_without_a_basis_is_found(world: World) -> None:
    """Recorded, it is shown, and grants nothing."""
    world.declare()
    world.person()
    world.state.user_sets_status(ANA, True, PRODUCT_NEWS)
    found = world.only("crm_on_without_basis")
    world.run("drift", "record", found["ref"])
    assert "SubscriptionShown" in world.topics()
    assert "crm_on_without_basis" in kinds(world.drift())


def test_a_mark_that_differs_says_when_hubspot_changes_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pending, it is not to be mended: there is a day on which it will be."""
    monkeypatch.setenv("CONSENT_LEDGER_CRM_UPDATE_DAY", "1")
    record = world.person()
    world.state.user_sets_marketing(record, True)
    marked = world.only("marketing_mark_differs")
    assert marked["remedies"] == ["push", "record"]
    world.run("drift", "record", marked["ref"])
    assert "MarketingStatusObserved" in world.topics()
    world.sync()
    found = world.only("marketing_mark_differs")
    assert found["crm"] == "marketing until the next update"
    assert found["next_update"].endswith("-01")
    assert found["remedies"] == []
    assert "\n1 of them end by themselves, at HubSpot's next update" in world.run("drift").stdout


def test_what_somebody_wrote_into_our_properties_is_pushed_over(world: World) -> None:
    """Since when, and by whom, HubSpot remembers."""
    record = world.person()
    world.sync()
    world.state.user_sets(record, consent_ledger_verdict="undecided")
    found = world.only("property_differs")
    assert found["last_writer"] == "crm"
    world.run("drift", "push", found["ref"])
    assert world.drift() == []


def test_records_that_are_gone_or_merged_are_told(world: World) -> None:
    """The strictest answer counts for a merged record; a deleted one is named, and its stops stay."""
    first, second, third = (world.person(f"p{n}@example.com") for n in range(3))
    world.state.merge(first, second)
    world.state.delete(third)
    found = world.drift()
    assert {"merged_in_crm", "record_gone"} <= set(kinds(found))
    assert sum(one["kind"] == "merged_in_crm" for one in found) == 1


def test_what_is_ignored_is_left_out_until_its_day(world: World) -> None:
    """And is shown with --all."""
    world.person()
    world.says(e.OptedOut, by="data_subject")
    found = world.only("crm_on_ledger_stopped")
    until = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
    world.run("drift", "ignore", found["ref"], "--until", until, "--by", "Ina Ops", "--reason", "sync runs tonight")
    assert "crm_on_ledger_stopped" not in kinds(world.drift())
    assert world.only("crm_on_ledger_stopped", "--all")["ignored_until"].startswith(until)
    world.run("drift", "ignore", found["ref"], "--until", "2020-01-01", "--by", "x", "--reason", "y", exit_code=2)
    world.run("drift", "ignore", "D-none", "--until", until, "--by", "x", "--reason", "y", exit_code=1)


def test_csv_screen_and_measures_tell_the_same(world: World, tmp_path: Path) -> None:
    """No address in any of them."""
    world.person()
    world.says(e.OptedOut, by="data_subject")
    measures = tmp_path / "drift.prom"
    in_words = {"kind in words", "ledger in words", "crm in words", "last writer in words"}
    rows = list(csv.DictReader(io.StringIO(world.run("drift", "--csv", "--metrics", measures).stdout)))
    assert {row["kind"] for row in rows} == {"crm_on_ledger_stopped", "property_differs"}
    assert in_words <= rows[0].keys()
    (first,) = [row for row in rows if row["kind"] == "crm_on_ledger_stopped"]
    assert first["kind in words"] == "HubSpot would send over a stop"
    (ours,) = [row for row in rows if row["kind"] == "property_differs"]
    assert ours["ledger in words"].startswith("verdict: non marketing, reason: opted out, reference: CL-")
    assert "_" not in "".join(row[name] for row in rows for name in in_words)
    assert {(row["last_writer"], row["last writer in words"]) for row in rows} <= {
        ("unknown", "nobody knows who"), ("crm", "HubSpot"), ("ledger", "this ledger"),
    }  # fmt: skip
    assert 'consent_ledger_drift_contacts{kind="crm_on_ledger_stopped"} 1.0' in measures.read_text()
    assert 'consent_ledger_drift_contacts{kind="record_gone"} 0.0' in measures.read_text()
    shown = world.run("drift").stdout
    assert rows[0]["ref"] in shown
    assert ANA not in shown + json.dumps(rows) + measures.read_text()


def test_an_opt_out_of_ours_whose_stop_was_taken_back_is_not_recorded_anew(world: World) -> None:
    """That would undo the correction; what is to be done by hand is said."""
    world.person()
    position = world.says(e.OptedOut, by="data_subject")
    world.sync()
    world.says(e.Corrected, undoes=position)
    found = world.only("crm_opted_out_ledger_allows")
    assert found["last_writer"] == "ledger"
    refused = world.run("drift", "record", found["ref"], exit_code=1)
    assert "taken back" in str(refused.exception)


def test_what_is_kept_is_kept_on_both_stores(place: Place) -> None:
    """Since when, and what is left alone; what differs no more is forgotten."""
    first, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    env = {"CONSENT_LEDGER_DATABASE_URL": place.url} if place.url else {}
    with open_house(place.folder, env) as house, DriftBook.open(house) as book:
        assert book.found(["a", "b"], {"D-1": "a", "D-2": "b"}, first) == {"D-1": first, "D-2": first}
        book.ignore("D-1", Ignored(later, "Ina Ops", "known"))
        assert book.ignored(first) == {"D-1": Ignored(later, "Ina Ops", "known")}
        assert book.ignored(later) == {}
        assert book.found(["a"], {"D-1": "a", "D-3": "b"}, later) == {"D-1": first, "D-3": later}
        assert book.found(["a"], {}, later) == {}
        assert (book.contact_of("D-1"), book.contact_of("D-2")) == (None, "b")
        assert book.ignored(first) == {}
        assert book.reference("x", "1") == book.reference("x", "1") != book.reference("x1", "")


def test_every_kind_is_told_of() -> None:
    """In words, and with at least one thing to do."""
    assert set(TOLD) == set(KINDS)
    assert all(told.remedies or told.by_hand for told in TOLD.values())
