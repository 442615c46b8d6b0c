"""Every call of a portal over HTTP, on the old paths and on dated ones."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from adapters.hubspot.api.client import Client
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal, TypeChange
from adapters.hubspot.api.properties import PROPERTIES
from adapters.wiring import now
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import CUSTOMER_SERVICE, PRODUCT_NEWS, State


@pytest.fixture
def served() -> Iterator[Fake]:
    with fake(State(rate=None)) as running:
        yield running


@pytest.fixture(params=["legacy", "2026-03"])
def portal(served: Fake, request: pytest.FixtureRequest) -> Iterator[Portal]:
    connection = Connection(served.url, SecretStr(served.token), request.param)
    with Client(connection, time.monotonic, lambda s: time.sleep(s / 100), random.random, patience=20) as client:
        yield Portal(client)


def test_contacts_are_listed_searched_and_read(served: Fake, portal: Portal) -> None:
    began = now()
    numbers = [
        str(served.state.add_contact(f"n{place}@example.com", also=[f"m{place}@example.com"])) for place in range(120)
    ]
    served.state.person_opts_out("n7@example.com")
    first = portal.contacts(None, ["email"], ["hs_email_optout"])
    rest = portal.contacts(first.after, ["email"], ["hs_email_optout"])
    assert (len(first.items), len(rest.items)) == (50, 50)
    seven = next(one for one in first.items if one.email == "n7@example.com")
    assert [change.value for change in seven.history["hs_email_optout"]][-1] == "true"
    assert portal.count_contacts() == 120
    found = portal.changed_contacts(began - timedelta(minutes=1), None, ["email"])
    assert len(found.items) == 120
    read = portal.read_contacts([*numbers, "999999999"], ["email"])
    assert list(read) == numbers
    by_email = portal.read_contacts(["N7@example.com", "nobody@example.com"], ["email"], by="email")
    assert {key: one.id for key, one in by_email.items()} == {"N7@example.com": seven.id}


def test_our_properties_are_made_once_and_written(served: Fake, portal: Portal) -> None:
    number = str(served.state.add_contact("ada@example.com"))
    assert portal.ensure_properties() == list(PROPERTIES)
    assert portal.ensure_properties() == []
    came = portal.update_contacts({number: {"consent_ledger_verdict": "marketing"}, "999999999": {"lastname": "x"}})
    assert [(one.key, one.status) for one in came] == [(number, "done"), ("999999999", "gone")]
    refused = portal.update_contacts({number: {"hs_email_optout": "false"}})
    assert [one.status for one in refused] == ["refused"]


@pytest.mark.parametrize("enterprise", [True, False])
def test_subscriptions_are_switched_off_and_nobody_is_switched_on_again(
    served: Fake, portal: Portal, enterprise: bool
) -> None:
    served.state.enterprise(enterprise)
    assert portal.may().batch_write is enterprise
    assert [one.name for one in portal.types()][:1] == ["Marketing Information"]
    for name in ("ada", "bo", "cy"):
        served.state.add_contact(f"{name}@example.com")
    off = TypeChange("ada@example.com", str(PRODUCT_NEWS), "LEGITIMATE_INTEREST_OTHER", "consent-ledger CL-1")
    assert [one.status for one in portal.unsubscribe([off])] == ["done"]
    assert [one.status for one in portal.unsubscribe([off])] == ["unchanged"]
    assert [one.status for one in portal.unsubscribe_all(["bo@example.com"])] == ["done"]
    states = portal.states(["ada@example.com", "bo@example.com", "cy@example.com"])
    ada = next(one for one in states["ada@example.com"].types if one.type_id == str(PRODUCT_NEWS))
    assert (ada.state, ada.explanation) == ("unsubscribed", "consent-ledger CL-1")
    assert [states[f"{name}@example.com"].all_out for name in ("ada", "bo", "cy")] == [False, True, False]
    on = [
        TypeChange(f"{name}@example.com", str(kind), "LEGITIMATE_INTEREST_OTHER", "consent-ledger CL-2")
        for name, kind in (("ada", PRODUCT_NEWS), ("bo", CUSTOMER_SERVICE), ("cy", PRODUCT_NEWS))
    ]
    assert [one.status for one in portal.subscribe(on)] == ["refused", "refused", "done"]
    assert served.state.turned_on() == []


def test_what_the_portal_holds_is_listed(served: Fake, portal: Portal) -> None:
    served.state.add_contact("ada@example.com")
    served.state.person_opts_out("ada@example.com", PRODUCT_NEWS)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    assert len(portal.timeline(long_ago, None).items) == 1
    assert len(portal.events(long_ago, None, "STATUSCHANGE").items) == 1
    assert portal.events(now() + timedelta(days=1), None, "STATUSCHANGE").items == []
    assert portal.pipelines().items
    for page in (portal.forms(None), portal.deals(None), portal.imports(None)):
        assert page.after is None
    assert all(portal.may())


def test_a_locked_record_and_a_storm_are_waited_for(served: Fake, portal: Portal) -> None:
    number = served.state.add_contact("ada@example.com")
    portal.ensure_properties()
    served.state.chaos.lock(number, 0.1)
    served.state.chaos.storm_429(0.2)
    (came,) = portal.update_contacts({str(number): {"lastname": "Byron"}})
    assert came.status == "done"
    assert served.state.made(status=429)


def test_the_pace_of_the_portal_is_learnt_and_kept(served: Fake, portal: Portal) -> None:
    served.state.limit(190)
    portal.types()
    assert portal.client.rate == pytest.approx(19 * 0.95)
