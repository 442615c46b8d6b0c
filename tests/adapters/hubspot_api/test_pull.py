"""A portal pulled over HTTP: the same answers as from its files, once, going on where it was left."""

from __future__ import annotations

import csv
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from math import inf
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from adapters.evidence_map.adopting import adopt_map
from adapters.evidence_map.reading import read_map
from adapters.hubspot.api.client import Client
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal, TypeChange
from adapters.hubspot.portal import write_portal
from adapters.hubspot.pull.asked import words_of
from adapters.hubspot.pull.cursors import Cursors
from adapters.hubspot.pull.forms import findings
from adapters.hubspot.pull.ours import OurApp, OurWrites
from adapters.hubspot.pull.pulling import KINDS, pull_all
from adapters.hubspot.pull.run import Pull
from adapters.hubspot.sync.store import Book, Result
from adapters.importing import imported
from adapters.inputs import sort_inputs
from adapters.receiving import AwayError
from adapters.wiring import House, now
from ledger import events as e
from ledger.codec import decode
from ledger.vault import RecordRow
from projections.audit import Auditor, Record
from projections.verdicts import Bucket, Verdict
from tests.hubspot.addresses import Type
from tests.hubspot.forms import consent
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import PRODUCT_NEWS, State
from tests.ledgers import open_house
from tests.stores import Place
from tests.waiting import join, until

UNLIKE = {
    "stream",
    "address",
    "record",
    "recorded_at",
    "captured_at",
    "sid",
    "commitment",
    "rows",
    "added",
    "unchanged",
}
TODAY = now().date()
ZONE = ZoneInfo("Europe/Berlin")
PULLED = (
    "contacts.csv",
    "deals.csv",
    "forms",
    "subscription-timeline.json",
    "email-events.json",
    "unsubscribes-and-bounces.csv",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portal")
    write_portal(folder, contacts=220, seed=3, today=TODAY)
    return folder


@pytest.fixture
def portal(files: Path) -> Iterator[Fake]:
    with fake(State.from_portal(files, rate=None)) as running:
        yield running


@contextmanager
def house_at(place: Place, name: str = "ledger") -> Iterator[House]:
    env = {"CONSENT_LEDGER_DATABASE_URL": place.url} if place.url else {}
    with open_house(place.folder / name, env) as house:
        yield house


@contextmanager
def pulling(house: House, served: Fake, files: Path | None = None, patience: float = 30.0) -> Iterator[Pull]:
    """A pull that waits a hundredth of what it would."""
    connection = Connection(served.url, SecretStr(served.token))
    with ExitStack() as stack:
        client = stack.enter_context(
            Client(connection, time.monotonic, lambda s: time.sleep(s / 100), random.random, patience=patience)
        )
        cursors = stack.enter_context(closing(Cursors.open(house)))
        made = Pull(house, Portal(client), cursors, now, OurApp(served.app_id))
        if files is not None:
            said = read_map(files / "audit.toml")
            adopt_map(house, said, now())
            made.wanted = said.wanted
        yield made


def pull(house: House, served: Fake, files: Path | None = None, *only: str) -> Pull:
    with pulling(house, served, files) as run:
        assert pull_all(run, only) == []
        return run


def verdicts(house: House, files: Path) -> dict[str, Verdict]:
    """Of every contact of the portal, by record id."""
    auditor = Auditor(house.policy, house.catalogue, now())
    known = house.ledger.vault.known_records("hubspot", list(json.loads((files / "truth.json").read_bytes())))
    folds = house.contacts([row.contact for row in known.values()])
    return {
        number: auditor.verdict(
            house.group_of(folds, row.contact), Record(row.contact, row.record, row.address, number, None)
        )
        for number, row in known.items()
    }


def test_the_answers_are_those_that_the_files_give(place: Place, portal: Fake, files: Path, tmp_path: Path) -> None:
    with open_house(tmp_path / "from-files", {}) as house:
        said = read_map(files / "audit.toml")
        adopt_map(house, said, now())
        inputs = sort_inputs([files / name for name in PULLED], timezone=ZONE)
        with imported(house, inputs, wanted=said.wanted, timezone=ZONE):
            from_files = verdicts(house, files)
    with house_at(place) as house:
        run = pull(house, portal, files)
        assert [said for tally in run.tallies for said in tally.taken.findings] == []
        pulled = verdicts(house, files)
        # how boxes were left, HubSpot's API does not say: that comes with the files of the forms
        with imported(house, sort_inputs([files / "forms"], timezone=ZONE), wanted=said.wanted, timezone=ZONE) as boxes:
            assert boxes.findings == []
        with_boxes = verdicts(house, files)
    assert pulled.keys() == with_boxes.keys() == from_files.keys()
    assert [number for number, one in pulled.items() if one.allowed and not from_files[number].allowed] == []
    truth = json.loads((files / "truth.json").read_bytes())
    differing = {
        number: (truth[number]["persona"], told(from_files[number]), told(one))
        for number, one in with_boxes.items()
        if told(one) != told(from_files[number])
    }
    assert differing == {}


def test_what_a_file_told_is_the_same_fact_when_it_is_pulled(place: Place, portal: Fake, files: Path) -> None:
    with house_at(place) as house:
        said = read_map(files / "audit.toml")
        adopt_map(house, said, now())
        inputs = sort_inputs([files / name for name in PULLED], timezone=ZONE)
        with imported(house, inputs, wanted=said.wanted, timezone=ZONE):
            before = verdicts(house, files)
        run = pull(house, portal, files)
        again = {
            tally.kind: (tally.taken.added, tally.taken.findings) for tally in run.tallies if tally.taken.unchanged
        }
        assert again == {kind: (0, []) for kind in ("timeline", "events", "submissions", "deals")}
        after = verdicts(house, files)
    assert {number: told(one) for number, one in after.items()} == {number: told(one) for number, one in before.items()}


def told(verdict: Verdict) -> tuple[object, ...]:
    """That HubSpot shows somebody on again who said no, its API says and the files do not: a stop all the same."""
    bucket = Bucket.STOPPED if verdict.bucket is Bucket.CONFLICT else verdict.bucket
    return verdict.allowed, bucket, verdict.basis


def log_of(house: House) -> Counter[tuple[object, ...]]:
    """What the log says, without what differs from ledger to ledger: random ids, and the moment of a pull."""
    numbers = {row.contact: number for number, row in sorted(known_records(house).items(), reverse=True)}
    entries: Counter[tuple[object, ...]] = Counter()
    for _, _, state in house.ledger.log.entries():
        event = decode(state)
        said = {name: getattr(event, name) for name in event.__struct_fields__ if name not in UNLIKE}
        dated = event.source.startswith("hubspot.") and event.source not in (
            "hubspot.export",
            "hubspot.form_definitions",
        )
        if not dated or isinstance(event, e.ImportFinished):
            said = {name: value for name, value in said.items() if name not in ("occurred_from", "occurred_to", "file")}
        entries[(type(event).__name__, numbers.get(event.stream), *map(str, said.values()))] += 1
    return entries


def known_records(house: House) -> dict[str, RecordRow]:
    return house.ledger.vault.known_records("hubspot", [str(number) for number in range(1_001, 1_300)])


def position(house: House) -> int:
    return house.ledger.log.last_position()


def events_of(house: House, email: str, kind: type[e.Event]) -> list[Any]:
    return [n.event for n in house.entries(house.find(email)[0]) if isinstance(n.event, kind)]


def test_a_second_pull_records_nothing(place: Place, portal: Fake, files: Path) -> None:
    with house_at(place) as house:
        first = pull(house, portal, files)
        assert {tally.kind for tally in first.tallies if tally.taken.added} == set(KINDS)
        before = position(house)
        calls = len(portal.state.calls)
        second = pull(house, portal, files)
        assert [tally.taken.added for tally in second.tallies] == [0] * len(KINDS)
        assert position(house) == before
        assert len(portal.state.calls) - calls < calls
        with pulling(house, portal, files) as run:
            run.cursors.forget()
            pull_all(run)
        assert position(house) == before


@pytest.mark.parametrize("calls", [7, 16, 29])
def test_killed_in_the_middle_it_goes_on_and_comes_to_the_same(
    place: Place, portal: Fake, files: Path, tmp_path: Path, calls: int
) -> None:
    with open_house(tmp_path / "whole", {}) as house:
        pull(house, portal, files)
        whole = log_of(house)
    for _ in range(2):
        with house_at(place) as house, pulling(house, portal, files) as run:
            left = iter(range(calls))

            def killed(*_: object, left: Iterator[int] = left) -> None:
                if next(left, None) is None:
                    raise KilledError

            run.portal.client.told = killed
            with pytest.raises(KilledError):
                pull_all(run)
    with house_at(place) as house:
        pull(house, portal, files)
        assert log_of(house) == whole


def test_an_outage_and_a_storm_end_in_the_same(place: Place, portal: Fake, files: Path, tmp_path: Path) -> None:
    with open_house(tmp_path / "calm", {}) as house:
        pull(house, portal, files)
        calm = log_of(house)
    with house_at(place) as house:
        portal.state.chaos.outage()
        with pulling(house, portal, files, patience=1) as run, pytest.raises(AwayError):
            pull_all(run)
        portal.state.chaos.recover()
        portal.state.chaos.fail_next(3, 503, path="/events")
        portal.state.chaos.fail_next(2, 500, path="/submissions")
        portal.state.chaos.storm_429()

        def pass_by() -> None:
            until(lambda: portal.state.made(status=429))
            portal.state.chaos.storm_429(0)

        storm = threading.Thread(target=pass_by)
        with pulling(house, portal, files, patience=inf) as run:
            storm.start()
            assert pull_all(run) == []
        join(storm)
        assert log_of(house) == calm


def test_what_is_new_is_taken_and_nothing_else(place: Place, portal: Fake, files: Path) -> None:
    with house_at(place) as house:
        pull(house, portal, files)
        row = next(row for row in rows_of(files) if not row["Unsubscribed from all email"] and row["Email"])
        before = position(house)
        portal.state.person_opts_out(row["Email"], PRODUCT_NEWS)
        assert before == position(house)
        pull(house, portal, files)
        stops = events_of(house, row["Email"], e.TypeOptedOut)[-4:]
        assert {stop.source for stop in stops} >= {"hubspot.contacts", "hubspot.statuses"}
        assert all(stop.occurred_from is not None and stop.subscription_type == "product-news" for stop in stops)
        assert position(house) - before < 20


def test_a_stop_with_a_history_counts_from_its_day_and_not_from_ever(place: Place) -> None:
    with fake(State(rate=None)) as portal, house_at(place) as house:
        portal.state.add_contact("ada@example.com")
        portal.state.person_opts_out("ada@example.com")
        pull(house, portal)
        stops = events_of(house, "ada@example.com", e.OptedOut)
        assert stops
        assert all(stop.occurred_from is not None for stop in stops)
        assert "hubspot.export" not in {stop.source for stop in stops}


def test_our_own_write_is_no_new_stop_wherever_it_comes_back(place: Place) -> None:
    with fake(State(rate=None)) as portal, house_at(place) as house, pulling(house, portal) as run:
        for name in ("ada", "bo", "cy"):
            portal.state.add_contact(f"{name}@example.com")
        change = TypeChange("ada@example.com", str(PRODUCT_NEWS), None, "consent-ledger CL-1")
        assert [one.status for one in run.portal.unsubscribe([change])] == ["done"]
        assert [one.status for one in run.portal.unsubscribe_all(["bo@example.com"])] == ["done"]
        portal.state.app_sets_status("cy@example.com", False, PRODUCT_NEWS)
        assert pull_all(run) == []
        for name, stopped in (("ada", False), ("bo", False), ("cy", True)):
            assert bool(events_of(house, f"{name}@example.com", e.Stop)) is stopped, name
        (shown,) = events_of(house, "ada@example.com", e.SubscriptionShown)[-1:]
        assert shown.state == "unsubscribed"


def test_without_the_id_of_our_app_our_own_book_tells_them(place: Place) -> None:
    with (
        fake(State(rate=None)) as portal,
        house_at(place) as house,
        Book.open(house) as book,
        pulling(house, portal) as run,
    ):
        run.ours = OurWrites(None, book)
        record = str(portal.state.add_contact("ada@example.com"))
        other = str(portal.state.add_contact("bo@example.com"))
        run.portal.unsubscribe_all(["ada@example.com"])
        portal.state.person_opts_out("bo@example.com")
        written: list[tuple[str, Literal["done", "unchanged"]]] = [(record, "done"), (other, "unchanged")]
        book.keep(
            [Result(str(uuid4()), one, "unsubscribe_all", "", status, 200, now(), "CL-1") for one, status in written]
        )
        assert pull_all(run) == []
        assert events_of(house, "ada@example.com", e.Stop) == []
        assert {stop.source for stop in events_of(house, "bo@example.com", e.OptedOut)} > {"hubspot.statuses"}


def test_switched_on_behind_a_stop_it_is_shown_and_grants_nothing(place: Place) -> None:
    with fake(State(rate=None)) as portal, house_at(place) as house:
        portal.state.add_contact("ada@example.com")
        portal.state.person_opts_out("ada@example.com", PRODUCT_NEWS)
        pull(house, portal)
        portal.state.app_sets_status("ada@example.com", True, PRODUCT_NEWS)
        pull(house, portal)
        shown = events_of(house, "ada@example.com", e.SubscriptionShown)
        assert "subscribed" in {one.state for one in shown if one.source == "hubspot.statuses"}
        before = position(house)
        pull(house, portal)
        assert position(house) == before


def test_other_words_are_another_version_and_boxes_that_are_none_are_told(place: Place, portal: Fake) -> None:
    form = next(form for form in portal.state.forms.all.values() if form.name == "Webinar registration")
    with house_at(place) as house:
        pull(house, portal, None, "forms")
        first = {n.event.form: n.event for n in house.catalogue.forms if isinstance(n.event, e.FormDescribed)}
        form.consent = consent((PRODUCT_NEWS, "You must", True), text="Other words.")
        form.updated += 1_000
        run = pull(house, portal, None, "forms")
        said = "\n".join(run.tallies[0].taken.findings)
        assert "it shows other words than before" in said
        assert "“You must” must be ticked" in said
        described = [n.event for n in house.catalogue.forms if isinstance(n.event, e.FormDescribed)]
        assert len(described) == len(first) + 1
        last = described[-1]
        assert last.form == "webinar-registration"
        assert last.document != first[last.form].document
        kept = house.ledger.log.document(last.document)
        assert kept is not None
        assert b"Other words." in kept
        assert pull(house, portal, None, "forms").tallies[0].taken.added == 0


def test_a_ticked_box_is_told() -> None:
    box = {"fieldType": "single_checkbox", "label": "News", "defaultValue": "true"}
    assert len(list(findings({"fieldGroups": [{"fields": [box]}]}))) == 1


def test_numbers_for_a_confirmation_are_what_the_portal_says_they_are() -> None:
    options = [{"value": "5", "label": "User clicked confirmation"}, {"value": "Confirmed", "label": "Bestätigt"}]
    assert words_of({"options": options}) == {"5": "User clicked confirmation"}
    assert words_of({}) == {}


def test_without_batch_scopes_it_asks_one_by_one(place: Place) -> None:
    with fake(State(rate=None)) as portal, house_at(place) as house:
        portal.state.enterprise(on=False)
        for number in range(30):
            portal.state.add_contact(f"a{number}@example.com")
        portal.state.person_opts_out("a7@example.com", PRODUCT_NEWS)
        pull(house, portal, None, "contacts", "statuses")
        assert events_of(house, "a7@example.com", e.TypeOptedOut)


def test_what_the_token_may_not_do_is_left_out_and_named(place: Place, portal: Fake, files: Path) -> None:
    portal.state.apps[portal.token].scopes.discard("crm.objects.deals.read")
    with house_at(place) as house, pulling(house, portal, files) as run:
        (refused,) = pull_all(run)
        assert refused.status == 403
        assert {tally.kind for tally in run.tallies if tally.taken.added} == set(KINDS) - {"deals"}


def test_more_changes_than_a_search_hands_out(place: Place) -> None:
    with fake(State(rate=None)) as portal, house_at(place) as house:
        portal.state.add_contact("first@example.com")
        pull(house, portal, None, "contacts")
        for number in range(450):
            portal.state.add_contact(f"n{number}@example.com")
        portal.state.person_opts_out("n449@example.com")
        pull(house, portal, None, "contacts")
        assert events_of(house, "n449@example.com", e.OptedOut)
        assert all(house.find(f"n{number}@example.com") for number in range(450))


def test_of_two_types_of_one_name_neither_hides_the_other(place: Place) -> None:
    with fake(State(rate=None)) as portal, house_at(place) as house:
        portal.state.add_type(Type(1_777, "Product News", "Of another brand"))
        portal.state.add_contact("ada@example.com")
        portal.state.add_contact("bo@example.com")
        portal.state.person_opts_out("ada@example.com", PRODUCT_NEWS)
        portal.state.person_opts_out("bo@example.com", 1_777)
        pull(house, portal)
        left = [
            {one.subscription_type for one in events_of(house, f"{name}@example.com", e.TypeOptedOut)}
            for name in ("ada", "bo")
        ]
        assert left == [{"product-news-1002"}, {"product-news-1777"}]


def test_without_the_scope_of_types_opt_outs_are_read_from_the_properties(place: Place) -> None:
    with fake(State(rate=None)) as portal, house_at(place) as house, pulling(house, portal) as run:
        scopes = portal.state.apps[portal.token].scopes
        scopes.difference_update({scope for scope in scopes if scope.startswith("communication_preferences")})
        portal.state.add_contact("ada@example.com")
        portal.state.person_opts_out("ada@example.com", PRODUCT_NEWS)
        refused = pull_all(run, ["contacts", "statuses"])
        assert [one.status for one in refused] == [403]
        assert {one.subscription_type for one in events_of(house, "ada@example.com", e.TypeOptedOut)} == {"1002"}


def rows_of(files: Path) -> list[dict[str, str]]:
    with (files / "contacts.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class KilledError(Exception):
    """In place of a signal."""
