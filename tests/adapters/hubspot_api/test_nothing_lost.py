"""What a pull could lose at an edge: a moment that many share, half an answer, an old explanation, a new address."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from pydantic import SecretStr

from adapters.hubspot.api.client import Client
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal, RefusedError
from adapters.hubspot.api.reading import address_state, contact_of, milliseconds, page_of, type_of, when
from adapters.hubspot.changes import Changes
from adapters.hubspot.layouts import SUBSCRIPTIONS
from adapters.hubspot.naming import names_of
from adapters.hubspot.pull.cursors import Cursors
from adapters.hubspot.pull.ours import OurApp, OurWrites
from adapters.hubspot.pull.pulling import pull_all
from adapters.hubspot.pull.run import Pull
from adapters.hubspot.pull.statuses import facts_of
from adapters.hubspot.said import acted
from adapters.hubspot.subscriptions import SubscriptionEvents
from adapters.hubspot.sync.store import Book, Result
from adapters.losses import accept, standing_files
from adapters.receiving import AwayError
from adapters.wiring import House, now
from ledger import events as e
from ledger.plausibility import bounded
from tests.hubspot import rest_search
from tests.hubspot.addresses import TypeState
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import PRODUCT_NEWS, State
from tests.ledgers import open_house


@pytest.fixture
def portal() -> Iterator[Fake]:
    with fake(State(rate=None)) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "ledger", {}) as opened:
        yield opened


@contextmanager
def pulling(house: House, served: Fake) -> Iterator[Pull]:
    connection = Connection(served.url, SecretStr(served.token))
    with (
        Client(connection, time.monotonic, lambda s: time.sleep(s / 100), random.random, patience=10) as client,
        closing(Cursors.open(house)) as cursors,
    ):
        yield Pull(house, Portal(client), cursors, now, OurApp(served.app_id))


def test_a_stop_that_names_nobody_is_counted_though_nothing_was_added(house: House, portal: Fake) -> None:
    """It is no file that could be mended; what it may hold is on record until somebody answers for it."""
    rows = [{"timestamp": 1709280000000, "recipient": who, "changes": [{"change": "UNSUBSCRIBED",
             "changeType": "PORTAL_STATUS", "source": "SOURCE_RECIPIENT"}]} for who in ("mrs smith", None)]  # fmt: skip
    with pulling(house, portal) as run:
        for again in ("first", "second"):
            tally = run.begin("timeline", "subscriptions")
            run.take(tally, SUBSCRIPTIONS, SubscriptionEvents, again, rows if again == "first" else [])
            run.finish(tally, "hubspot.subscriptions")
    (stands,) = standing_files(house, house.catalogue)
    assert (stands[0], stands[2]) == ("hubspot.subscriptions", 2)
    assert accept(house, "hubspot.subscriptions", 2, "Dana Weiss") == ""
    assert standing_files(house, house.catalogue) == []


def pull(house: House, served: Fake, *only: str) -> list[RefusedError]:
    with pulling(house, served) as run:
        return pull_all(run, only)


def stops(house: House, email: str, kind: type[e.Stop] = e.Stop) -> list[e.Stop]:
    found = house.find(email)
    return [n.event for n in house.entries(found[0]) if isinstance(n.event, kind)]


def test_more_contacts_changed_in_one_moment_than_a_search_hands_out(
    portal: Fake, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_search, "MOST_OF_A_SEARCH", 400)
    portal.state.add_contact("first@example.com")
    assert pull(house, portal, "contacts") == []
    for number in range(650):
        portal.state.add_contact(f"n{number}@example.com")
    portal.state.person_opts_out("n649@example.com")
    moment = max(one.modified for one in portal.state.contacts.by_id.values())
    for one in portal.state.contacts.by_id.values():
        one.modified = moment
    portal.state.add_contact("last@example.com")
    assert pull(house, portal, "contacts") == []
    assert stops(house, "n649@example.com")
    assert all(house.find(f"{name}@example.com") for name in ("last", *(f"n{number}" for number in range(650))))


def test_a_moment_is_the_same_there_and_back() -> None:
    began = datetime(2026, 3, 1, tzinfo=UTC)
    for thousandth in range(1_000):
        at = began + timedelta(milliseconds=thousandth)
        assert when(milliseconds(at)) == at


def test_an_address_that_left_two_brands_left_when_it_left_the_last() -> None:
    wide = [{"status": "UNSUBSCRIBED", "timestamp": f"2026-0{month}-01T00:00:00Z"} for month in (3, 6)]
    assert address_state("ada@example.com", [], wide).all_out_at == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "statuses"), [("statuses", []), ("contacts", [207])])
def test_of_whom_a_batch_answers_nothing_nothing_is_taken_for_granted(
    portal: Fake, house: House, kind: str, statuses: list[int]
) -> None:
    record = portal.state.add_contact("ada@example.com")
    portal.state.add_contact("bo@example.com")
    assert pull(house, portal, "contacts", "statuses") == []
    portal.state.person_opts_out("ada@example.com", PRODUCT_NEWS)
    portal.state.person_opts_out("bo@example.com", PRODUCT_NEWS)
    key = "ada@example.com" if kind == "statuses" else record
    portal.state.chaos.refuse(key, "INTERNAL_ERROR", "Try again.")
    assert [one.status for one in pull(house, portal, kind)] == statuses
    if statuses:
        portal.state.chaos.allow(key)
        assert pull(house, portal, kind) == []
    assert stops(house, "ada@example.com", e.TypeOptedOut)
    assert stops(house, "bo@example.com", e.TypeOptedOut)


@pytest.mark.parametrize("source", ["Subscription page", "CRM user", "Recipient", "Workflow"])
def test_an_old_explanation_of_ours_makes_no_echo_of_what_others_did(portal: Fake, house: House, source: str) -> None:
    portal.state.add_contact("ada@example.com")
    portal.state.person_opts_out("ada@example.com", PRODUCT_NEWS)
    address = portal.state.addresses.all["ada@example.com"]
    at = address.types[PRODUCT_NEWS].at
    address.types[PRODUCT_NEWS] = TypeState("UNSUBSCRIBED", at, source, "PROCESS_AND_STORE", "consent-ledger CL-1: yes")
    assert pull(house, portal, "statuses") == []
    assert stops(house, "ada@example.com", e.TypeOptedOut)


def test_a_platform_is_nobodys_form() -> None:
    assert acted("AUTOMATION_PLATFORM") == "officer"


def test_a_form_that_is_not_handed_out_holds_up_no_other(portal: Fake, house: House) -> None:
    first, second = portal.state.forms.add("First"), portal.state.forms.add("Second")
    portal.state.person_opts_in("ada@example.com", second)
    portal.state.chaos.fail_next(1, 404, path=f"/submissions/forms/{first}")
    with pulling(house, portal) as run:
        assert pull_all(run, ["submissions"]) == []
        assert any("404" in said for tally in run.tallies for said in tally.taken.findings)
    assert house.find("ada@example.com")


def test_many_who_got_another_address_are_no_other_portal(portal: Fake, house: House) -> None:
    records = [portal.state.add_contact(f"n{number}@old.example") for number in range(30)]
    portal.state.person_opts_out("n3@old.example")
    assert pull(house, portal) == []
    for number, record in enumerate(records):
        portal.state.user_sets(record, email=f"n{number}@new.example")
    portal.state.person_opts_out("n7@new.example")
    with pulling(house, portal) as run:
        assert pull_all(run) == []
        assert [said for tally in run.tallies for said in tally.taken.findings if "differs" in said] == []
    assert stops(house, "n7@new.example", e.OptedOut)


def test_a_mail_that_was_dropped_for_a_stop_that_is_known_is_no_stop_of_everything(portal: Fake, house: House) -> None:
    for name in ("ada", "bo"):
        portal.state.add_contact(f"{name}@example.com")
    portal.state.person_opts_out("ada@example.com", PRODUCT_NEWS)
    assert pull(house, portal) == []
    at = portal.state.journal.now()
    for name in ("ada", "bo"):
        portal.state.mail.event("DROPPED", f"{name}@example.com", at, dropReason="PREVIOUSLY_UNSUBSCRIBED_MESSAGE")
    portal.state.mail.event("DROPPED", "ada@example.com", at, dropReason="PREVIOUSLY_BOUNCED")
    assert pull(house, portal) == []
    assert stops(house, "ada@example.com", e.OptedOut) == []
    assert stops(house, "bo@example.com", e.OptedOut)  # of whom nothing else is known
    assert any(isinstance(n.event, e.Bounced) for n in house.entries(house.find("ada@example.com")[0]))
    portal.state.mail.event("DROPPED", "ada@example.com", at, dropReason="PREVIOUSLY_UNSUBSCRIBED_PORTAL")
    assert pull(house, portal) == []
    assert stops(house, "ada@example.com", e.OptedOut)


def test_without_the_timeline_a_further_address_is_looked_at_itself(house: House) -> None:
    late = [0.0]

    def clock() -> float:
        return time.time() + late[0]

    with fake(State(rate=None, clock=clock)) as portal, pulling(house, portal) as run:
        run.clock = lambda: datetime.fromtimestamp(clock(), UTC)
        portal.state.add_contact("ada@example.com", also=["ada.further@example.com"])
        assert pull_all(run) == []
        portal.state.apps[portal.token].scopes.discard("content")
        for hours in (3, 6):
            late[0] = hours * 3_600.0
            if hours == 6:
                portal.state.person_opts_out("ada.further@example.com", PRODUCT_NEWS)
            pull_all(run)
        assert stops(house, "ada.further@example.com", e.TypeOptedOut)


def test_what_somebody_did_beside_a_write_of_ours_is_theirs(portal: Fake, house: House) -> None:
    record = str(portal.state.add_contact("ada@example.com"))
    portal.state.person_opts_out("ada@example.com", PRODUCT_NEWS)  # on the page where one does that
    with Book.open(house) as book, pulling(house, portal) as run:
        write = Result(str(uuid4()), record, "unsubscribe", str(PRODUCT_NEWS), "done", 200, now(), "CL-1")
        book.keep([write])
        run.ours = OurWrites(None, book)
        assert pull_all(run, ["statuses"]) == []
    assert stops(house, "ada@example.com", e.TypeOptedOut)


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", {}, True, 10**30, "2026-13-01T00:00:00Z"], ids=str)
def test_a_change_whose_moment_cannot_be_read_is_kept_and_counts_from_ever(house: House, timestamp: object) -> None:
    versions = [
        {"value": "false", "timestamp": "2026-02-01T10:00:00Z", "sourceType": "CRM_UI"},
        {"value": "true", "timestamp": timestamp, "sourceType": "  "},
    ]
    read = contact_of({"id": "501", "propertiesWithHistory": {"hs_email_optout": versions}})
    facts = [
        said.event for change in read.history["hs_email_optout"] for said in Changes({}, lambda _: False).facts(change)
    ]
    (stop,) = (one for one in facts if isinstance(one, e.OptedOut))
    held = msgspec.structs.replace(stop, recorded_at=now())
    assert bounded(held).occurred_from is None
    assert len(read.history["hs_email_optout"]) == 2


@pytest.mark.parametrize("status", ["UNSUBSCRIBED_ALL", "Abgemeldet", "OPTED_OUT", " unsubscribed ", True, None])
def test_a_state_that_is_not_understood_counts_as_a_stop(status: object) -> None:
    row = {"subscriptionId": "1", "subscriptionName": "News", "status": status}
    read = address_state("ana@example.org", [row], [{"status": status}])
    assert ([one.state for one in read.types], read.all_out) == (["unsubscribed"], True)


def test_when_somebody_left_all_mail_is_unknown_where_one_of_its_times_is() -> None:
    """What came after the one that can be read may have come before the other."""
    rows = [{"status": "UNSUBSCRIBED", "timestamp": at} for at in ("2026-02-01T10:00:00Z", "later")]
    assert address_state("ana@example.org", [], rows).all_out_at is None
    assert address_state("ana@example.org", [], rows[:1]).all_out_at == datetime(2026, 2, 1, 10, tzinfo=UTC)


def test_a_row_that_names_no_type_stops_and_ends_no_pull() -> None:
    read = address_state("ana@example.org", [{"status": "UNSUBSCRIBED", "source": "  ", "subscriptionName": " "}], [])
    ((event, _),) = facts_of(read, frozenset(), frozenset())
    assert isinstance(event, e.TypeOptedOut)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "",
        {},
        {"results": None},
        {"results": {}},
        {"data": []},
        {"status": "error"},
        {"results": [], "paging": {"next": {"link": "https://api.example/next"}}},
        {"results": [], "paging": {"next": {"after": None, "link": "x"}}},
        {"results": [], "hasMore": True},
    ],
    ids=str,
)
def test_a_page_that_cannot_be_read_is_not_the_last_one(body: object) -> None:
    """A pull that took it for the end would ask for changes alone from then on, and never see who came after it."""
    with pytest.raises(AwayError):
        page_of(body)


@pytest.mark.parametrize("body", [{"results": []}, {"results": [], "paging": None}, {"results": [], "hasMore": False}])
def test_a_page_without_a_next_one_is_the_last(body: object) -> None:
    assert page_of(body).after is None


@pytest.mark.parametrize("odd", [None, "", "\u2603", [], {}, 10**15, -1, True], ids=str)
def test_no_answer_of_another_form_ends_the_program(odd: object) -> None:
    """It is read as far as it can be."""
    named: dict[str, Any] = {"id": "1", "name": odd}
    for body in ({"id": odd}, {"id": "1", "properties": odd, "propertiesWithHistory": odd}, named):
        contact_of(body)
        names_of([type_of(body)])
    address_state("ana@example.org", [{"status": odd, "subscriptionId": odd}], [{"status": odd, "timestamp": odd}])
    assert page_of({"results": [], "paging": odd}).after is None
    assert page_of({"results": [odd], "paging": {"next": odd}}).after is None
