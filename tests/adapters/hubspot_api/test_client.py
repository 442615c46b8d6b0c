"""Calls to HubSpot: paced, tried again, refused, and never with an address in what is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from adapters.hubspot.api.client import Answer, Call, Client, RefusedError
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal, TypeChange
from adapters.hubspot.api.rates import Pace, back_off
from adapters.receiving import AwayError
from tests.clocks import Time

Handler = Callable[[httpx2.Request], httpx2.Response]


def client_of(handler: Handler, time: Time | None = None, version: str = "legacy", **more: Any) -> Client:
    time = time or Time()
    connection = Connection("https://hubspot.example/", SecretStr("t0ken"), version)
    return Client(connection, time.clock, time.sleep, lambda: 1.0, httpx2.MockTransport(handler), **more)


def answers(*given: httpx2.Response) -> Handler:
    left: Iterator[httpx2.Response] = iter(given)
    return lambda _: next(left)


def test_tries_again_what_may_pass_and_then_answers() -> None:
    time = Time()
    outage = [httpx2.Response(502), httpx2.Response(423), httpx2.Response(429, headers={"Retry-After": "7"})]
    with client_of(answers(*outage, httpx2.Response(200, json={"ok": 1})), time) as client:
        assert client.call(Call("GET", "/x")) == Answer(200, {"ok": 1})
    assert len(time.slept) >= 3
    assert any(seconds >= 2 for seconds in time.slept)  # a lock
    assert any(seconds >= 7 for seconds in time.slept)  # as it asked


def test_is_patient_and_no_longer() -> None:
    time = Time()

    def gone(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route to ada@example.com", request=request)

    told: list[Any] = []
    with (
        client_of(gone, time, patience=60, told=lambda *one: told.append(one)) as client,
        pytest.raises(AwayError) as raised,
    ):
        client.call(Call("GET", "/statuses/{email}", {"email": "ada@example.com"}))
    assert time.now <= 60
    assert time.now > 20
    assert "ada" not in str(raised.value)
    assert "/statuses/{email}" in str(raised.value)
    assert len(told) == 1


def test_a_refusal_is_not_asked_again_and_names_the_scope() -> None:
    body = {
        "status": "error",
        "message": "This app hasn't been granted all required scopes for ada@example.com.",
        "category": "MISSING_SCOPES",
        "errors": [{"message": "x", "context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
    }
    with client_of(answers(httpx2.Response(403, json=body))) as client, pytest.raises(RefusedError) as raised:
        client.call(Call("GET", "/crm/{id}", {"id": "7"}))
    assert raised.value.scopes == ("crm.objects.contacts.read",)
    assert "crm.objects.contacts.read" in str(raised.value)
    assert "ada" not in str(raised.value)


def test_an_answer_that_says_a_key_twice_is_refused() -> None:
    """Readers drop one of the two, and it may be the opt-out."""
    body = b'{"results": [{"status": "NOT_SUBSCRIBED", "status": "SUBSCRIBED"}]}'
    with client_of(answers(httpx2.Response(200, content=body))) as client, pytest.raises(RefusedError, match="twice"):
        client.call(Call("GET", "/x"))


def test_the_day_that_is_used_up_is_not_waited_for() -> None:
    spent = {"X-HubSpot-RateLimit-Daily": "1000", "X-HubSpot-RateLimit-Daily-Remaining": "0"}
    with client_of(answers(httpx2.Response(200, json={}, headers=spent))) as client:
        client.call(Call("GET", "/x"))
        with pytest.raises(AwayError, match="used up"):
            client.call(Call("GET", "/x"))
    with (
        client_of(answers(httpx2.Response(429, json={"policyName": "DAILY"}))) as client,
        pytest.raises(AwayError, match="used up"),
    ):
        client.call(Call("GET", "/x"))


def test_the_pace_is_what_the_headers_say() -> None:
    time = Time()
    pace = Pace(time.clock, time.sleep)
    pace.wait()
    assert pace.rate is None
    pace.learn({"x-hubspot-ratelimit-max": "100", "x-hubspot-ratelimit-interval-milliseconds": "10000"})
    for _ in range(1_000):
        pace.wait()
    assert 100 <= time.now <= 110  # 1,000 calls at 95 of 100 in ten seconds
    pace.learn({"x-hubspot-ratelimit-max": "many"})
    assert pace.rate == pytest.approx(9.5)


def test_in_no_ten_seconds_are_there_more_calls_than_allowed() -> None:
    time = Time()
    pace = Pace(time.clock, time.sleep, 100, 10.0)
    went = []
    for turn in range(600):
        if turn % 150 == 0:
            time.now += 60
        pace.wait()
        went.append(time.now)
    assert max(sum(at <= other < at + 10 for other in went) for at in went) <= 101


def test_backing_off_doubles_and_is_never_shorter_than_asked() -> None:
    assert [back_off(attempt, lambda: 1.0) for attempt in range(3)] == [0.5, 1.0, 2.0]
    assert back_off(20, lambda: 1.0) == 30.0
    assert back_off(0, lambda: 0.0) == 0.25
    assert back_off(0, lambda: 0.0, asked=9) >= 9


def test_an_address_is_quoted_in_a_path() -> None:
    seen: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.raw_path.decode())
        return httpx2.Response(200, json={"results": []})

    with client_of(handler) as client:
        client.call(Call("GET", "/statuses/{email}/all", {"email": "a/b+c?@example.com"}, {"channel": "EMAIL"}))
    assert seen == ["/statuses/a%2Fb%2Bc%3F%40example.com/all?channel=EMAIL"]


def test_many_calls_keep_their_order_and_their_refusals() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        number = int(request.url.path.rpartition("/")[2])
        return httpx2.Response(404 if number % 7 == 0 else 200, json={"n": number})

    with client_of(handler) as client:
        came = client.calls([Call("GET", "/{n}", {"n": str(number)}) for number in range(50)])
    assert [one.body["n"] if isinstance(one, Answer) else None for one in came] == [
        None if number % 7 == 0 else number for number in range(50)
    ]


def portal_of(routes: dict[str, Callable[[Any], httpx2.Response]], version: str = "legacy") -> Portal:
    def handler(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        for path, answer in routes.items():
            if request.url.path.endswith(path):
                return answer(body)
        return httpx2.Response(404, json={"message": "no such path"})

    return Portal(client_of(handler, version=version))


def test_a_batch_is_told_apart_record_by_record() -> None:
    def update(body: Any) -> httpx2.Response:
        ids = [one["id"] for one in body["inputs"]]
        if "bad" in ids:
            return httpx2.Response(400, json={"message": "Property values were not valid", "category": "VALIDATION"})
        if "gone" in ids:
            error = {"category": "OBJECT_NOT_FOUND", "message": "Could not get", "context": {"ids": ["gone"]}}
            return httpx2.Response(
                207, json={"results": [{"id": i} for i in ids if i != "gone"], "errors": [error], "numErrors": 1}
            )
        return httpx2.Response(200, json={"results": [{"id": i} for i in ids]})

    portal = portal_of({"/crm/v3/objects/contacts/batch/update": update})
    came = portal.update_contacts({name: {"x": "1"} for name in ("1", "bad", "2", "gone", "3")})
    assert [(one.key, one.status) for one in came] == [
        ("1", "done"),
        ("bad", "refused"),
        ("2", "done"),
        ("gone", "gone"),
        ("3", "done"),
    ]


def test_types_are_switched_off_at_once_or_one_by_one() -> None:
    changes = [
        TypeChange("Ada@example.com", "7", None, "consent-ledger CL-1"),
        TypeChange("b@example.com", "8", None, "x"),
    ]

    def write(body: Any) -> httpx2.Response:
        assert all(one["statusState"] == "UNSUBSCRIBED" for one in body["inputs"])
        rows = [
            {**one, "status": "UNSUBSCRIBED", "setStatusSuccessReason": "NO_STATUS_CHANGE"}
            for one in body["inputs"]
            if one["subscriptionId"] == 7
        ]
        return httpx2.Response(207, json={"results": rows, "errors": [{"message": "b@example.com is no good"}]})

    at_once = portal_of({"/statuses/batch/write": write}).unsubscribe(changes)
    assert [(one.key, one.status) for one in at_once] == [
        ("Ada@example.com", "unchanged"),
        ("b@example.com", "refused"),
    ]
    assert "b@" not in at_once[1].detail

    def single(body: Any) -> httpx2.Response:
        assert body["statusState"] == "UNSUBSCRIBED"
        return httpx2.Response(200, json={"results": [{"setStatusSuccessReason": "REQUESTED_CHANGE_OCCURRED"}]})

    singly = portal_of({"/statuses/Ada@example.com": single, "/statuses/b@example.com": single})
    assert [one.status for one in singly.unsubscribe(changes)] == ["done", "done"]


def test_on_goes_by_the_call_that_refuses_who_opted_out() -> None:
    def subscribe(body: Any) -> httpx2.Response:
        if body and body["emailAddress"].startswith("a"):
            return httpx2.Response(400, json={"message": "a@example.com has opted out and cannot be subscribed"})
        return httpx2.Response(200, json={})

    portal = portal_of({"/communication-preferences/v3/subscribe": subscribe}, version="2026-03")
    came = portal.subscribe([TypeChange("a@example.com", "1", None, "x"), TypeChange("b@example.com", "1", None, "x")])
    assert [one.status for one in came] == ["refused", "done"]


def test_states_are_the_same_read_either_way() -> None:
    row = {
        "subscriberIdString": "ada@example.com",
        "subscriptionId": 7,
        "subscriptionName": "News",
        "status": "UNSUBSCRIBED",
        "timestamp": "2026-02-01T09:12:33Z",
        "source": "form",
    }
    wide = {"subscriberIdString": "ada@example.com", "status": "UNSUBSCRIBED", "timestamp": "2026-03-01T00:00:00Z"}
    at_once = portal_of(
        {
            "/batch/read": lambda body: httpx2.Response(200, json={"results": [row] if body["inputs"] else []}),
            "/unsubscribe-all/read": lambda _: httpx2.Response(
                200, json={"results": [{"subscriberIdString": "ada@example.com", "wideStatuses": [wide]}]}
            ),
        }
    )
    singly = portal_of(
        {
            "/statuses/Ada@example.com": lambda _: httpx2.Response(200, json={"results": [row]}),
            "/Ada@example.com/unsubscribe-all": lambda _: httpx2.Response(200, json={"results": [wide]}),
        }
    )
    states = at_once.states(["Ada@example.com", "b@example.com"])
    assert states == singly.states(["Ada@example.com", "b@example.com"])
    ada = states["Ada@example.com"]
    assert ada.all_out
    assert ada.all_out_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert [(one.type_id, one.state) for one in ada.types] == [("7", "unsubscribed")]
    assert not states["b@example.com"].all_out


def test_a_wait_longer_than_patience_is_no_wait() -> None:
    time = Time()
    slow = httpx2.Response(429, headers={"Retry-After": "86400"})
    with client_of(answers(slow), time, patience=5) as client:
        for _ in range(2):  # the second is not sent at all
            with pytest.raises(AwayError):
                client.call(Call("GET", "/x"))
    assert time.now < 10


def test_an_answer_that_cannot_be_unpacked_is_asked_for_again() -> None:
    broken = httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=Once(b"no gzip"))
    with client_of(answers(broken, httpx2.Response(200, json={"ok": 1}))) as client:
        assert client.call(Call("GET", "/x")) == Answer(200, {"ok": 1})


class Once(httpx2.SyncByteStream):
    """Bytes as they come over the line."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self.data


def test_what_hubspot_takes_for_no_address_holds_up_no_other() -> None:
    row = {"subscriberIdString": "ada@example.com", "subscriptionId": 7, "status": "UNSUBSCRIBED"}
    odd = httpx2.Response(400, json={"category": "VALIDATION_ERROR", "message": "no address"})
    portal = portal_of(
        {
            "/statuses/ada@example.com": lambda _: httpx2.Response(200, json={"results": [row]}),
            "/ada@example.com/unsubscribe-all": lambda _: httpx2.Response(200, json={"results": []}),
            "/statuses/odd@example.com": lambda _: odd,
            "/odd@example.com/unsubscribe-all": lambda _: odd,
        }
    )
    states = portal.states(["odd@example.com", "ada@example.com"])
    assert [len(states[one].types) for one in states] == [0, 1]
    with pytest.raises(RefusedError):
        portal.states(["odd@example.com"])
