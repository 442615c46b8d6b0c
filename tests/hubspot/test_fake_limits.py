"""The fake itself, over HTTP: keys, scopes, limits, and trouble that is switched on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.hubspot.service import Fake, fake
from tests.hubspot.state import State

CONTACTS = "/crm/v3/objects/contacts"


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def slow(hands: Hands) -> Iterator[Fake]:
    with fake(State(clock=hands, rate=3)) as running:
        yield running


def client(here: Fake, token: str | None = None) -> httpx.Client:
    return httpx.Client(base_url=here.url, headers={"Authorization": f"Bearer {token or here.token}"})


def test_every_answer_says_how_much_is_left(slow: Fake, hands: Hands) -> None:
    with client(slow) as api:
        answers = [api.get(CONTACTS) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        left = [one.headers["X-HubSpot-RateLimit-Remaining"] for one in answers]
        assert left == ["2", "1", "0", "0"]
        assert answers[0].headers["X-HubSpot-RateLimit-Max"] == "3"
        assert answers[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
        assert answers[0].headers["X-HubSpot-RateLimit-Daily"] == "650000"
        assert answers[2].headers["X-HubSpot-RateLimit-Daily-Remaining"] == "649997"
        said = answers[3].json()
        assert said["message"] == "You have reached your ten_secondly_rolling limit."
        assert (said["errorType"], said["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
        hands.now += 10.001
        assert api.get(CONTACTS).status_code == 200


def test_another_app_has_a_limit_of_its_own(slow: Fake) -> None:
    with client(slow) as ours, client(slow, slow.other_token) as other:
        assert [ours.get(CONTACTS).status_code for _ in range(4)][-1] == 429
        assert other.get(CONTACTS).status_code == 200


def test_searches_are_five_a_second_and_say_nothing(slow: Fake, hands: Hands) -> None:
    with client(slow) as api:
        answers = [api.post(f"{CONTACTS}/search", json={}) for _ in range(6)]
        assert [one.status_code for one in answers] == [200] * 5 + [429]
        assert answers[5].json()["policyName"] == "SECONDLY"
        assert not any(name.startswith("x-hubspot") for one in answers for name in one.headers)
        hands.now += 1.001
        assert api.post(f"{CONTACTS}/search", json={}).status_code == 200


def test_a_day_has_an_end_too(slow: Fake, hands: Hands) -> None:
    slow.state.rates[slow.token].daily = 1
    with client(slow) as api:
        api.get(CONTACTS)
        assert api.get(CONTACTS).json()["policyName"] == "DAILY"
        hands.now += 86_400
        assert api.get(CONTACTS).status_code == 200


def test_a_token_that_is_none_is_refused(here: Fake) -> None:
    with client(here, "none") as api:
        refused = api.get(CONTACTS)
        assert (refused.status_code, refused.json()["category"]) == (401, "INVALID_AUTHENTICATION")
        assert "correlationId" in refused.json()


def test_a_scope_that_is_lacking_is_named(here: Fake, api: httpx.Client) -> None:
    here.state.apps[here.token].scopes.discard("crm.import")
    refused = api.get("/crm/v3/imports")
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["context"] == {"requiredGranularScopes": ["crm.import"]}


def test_what_is_not_there_is_not_found(api: httpx.Client) -> None:
    assert api.get("/crm/v9/objects/contacts").status_code == 404
    assert api.delete(CONTACTS).status_code == 405
    assert api.post(f"{CONTACTS}/batch/read", content=b"{").status_code == 400


def test_an_outage_ends_by_itself_or_when_it_is_ended(slow: Fake, hands: Hands) -> None:
    with client(slow) as api:
        slow.state.chaos.outage(30, 504)
        assert api.get(CONTACTS).status_code == 504
        hands.now += 31
        assert api.get(CONTACTS).status_code == 200
        slow.state.chaos.outage()
        assert api.get(CONTACTS).status_code == 502
        slow.state.chaos.recover()
        assert api.get(CONTACTS).status_code == 200


def test_a_storm_of_429(slow: Fake, hands: Hands) -> None:
    with client(slow) as api:
        slow.state.chaos.storm_429(5)
        stormed = api.get(CONTACTS)
        assert (stormed.status_code, stormed.headers["X-HubSpot-RateLimit-Remaining"]) == (429, "0")
        hands.now += 6
        assert api.get(CONTACTS).status_code == 200


def test_calls_go_wrong_and_some_are_done_all_the_same(here: Fake, api: httpx.Client) -> None:
    record = here.state.add_contact("ada@example.org")
    inputs = {"inputs": [{"id": str(record), "properties": {"firstname": "Ada"}}]}
    here.state.chaos.fail_next(1, 500)
    assert api.post(f"{CONTACTS}/batch/update", json=inputs).status_code == 500
    assert "firstname" not in here.state.contact(record).properties
    here.state.chaos.fail_next(1, 502, path="batch/update", done=True)
    assert api.get(CONTACTS).status_code == 200
    assert api.post(f"{CONTACTS}/batch/update", json=inputs).status_code == 502
    assert here.state.contact(record).properties["firstname"] == "Ada"


def test_a_locked_record_is_423_and_for_two_seconds(slow: Fake, hands: Hands) -> None:
    record = slow.state.add_contact("ada@example.org")
    slow.state.limit(None)
    inputs = {"inputs": [{"id": str(record), "properties": {"firstname": "Ada"}}]}
    slow.state.chaos.lock(record)
    slow.state.chaos.lock("ada@example.org")
    path = f"/communication-preferences/v4/statuses/{quote('ada@example.org')}/unsubscribe-all"
    with client(slow) as api:
        assert api.post(f"{CONTACTS}/batch/update", json=inputs).status_code == 423
        assert api.post(path, params={"channel": "EMAIL"}).status_code == 423
        hands.now += 2
        assert api.post(f"{CONTACTS}/batch/update", json=inputs).status_code == 200
        assert api.post(path, params={"channel": "EMAIL"}).status_code == 200


def test_one_of_a_batch_may_be_refused(here: Fake, api: httpx.Client) -> None:
    records = [here.state.add_contact(f"p{n}@example.org") for n in range(2)]
    here.state.chaos.refuse(records[0], "CONFLICT", "not now")
    inputs = [{"id": str(one), "properties": {"firstname": "Ada"}} for one in records]
    done = api.post(f"{CONTACTS}/batch/update", json={"inputs": inputs})
    assert done.status_code == 207
    assert done.json()["errors"][0]["context"] == {"ids": [str(records[0])]}
    here.state.chaos.allow(records[0])
    assert api.post(f"{CONTACTS}/batch/update", json={"inputs": inputs}).status_code == 200


def test_answers_may_be_late(here: Fake, api: httpx.Client) -> None:
    here.state.chaos.latency(0.1)
    begun = time.monotonic()
    api.get(CONTACTS)
    assert time.monotonic() - begun >= 0.1


def test_every_call_is_counted(here: Fake, api: httpx.Client) -> None:
    api.get(f"{CONTACTS}/77")
    assert here.state.made("contacts", 404) == [("GET", f"{CONTACTS}/{{id}}", 404)]
