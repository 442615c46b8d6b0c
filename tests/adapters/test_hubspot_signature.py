"""Whose a request is: HubSpot's published example, and everything that is only like it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hubspot import notices
from adapters.hubspot.hearing import is_hint, records_of
from adapters.hubspot.signature import signature, signed_url
from adapters.receiving import MOST_ITEMS, Accepted, Delivery, Refused, Sent
from tests.adapters.hubspot_hooks import NEXT, PUBLIC, SECRET, URL, body_of, notice, receiver, sent, signed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def accepted(request: Sent, *secrets: str, public_url: str = PUBLIC) -> Accepted | Refused:
    return receiver(*secrets, public_url=public_url).accept(request)


def test_the_published_example() -> None:
    secret, body = b"-".join((b"y" * 8, *(b"y" * 4,) * 3, b"y" * 12)), b"{'example_field':'example_value'}"
    url, stamp = "https://www.example.com/webhook_uri", "1693657560000"
    made = signature(secret, "POST", url, body, stamp)
    assert made == b"K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="


def test_what_is_escaped_in_a_url_is_signed_as_hubspot_writes_it() -> None:
    listed = "%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B"
    assert signed_url(f"https://a.example/{listed}") == "https://a.example/:/?@!$'()*,;"
    assert signed_url(f"https://a.example/{listed.lower()}") == "https://a.example/:/?@!$'()*,;"
    assert signed_url("https://a.example/%20%25%2B%23%253A") == "https://a.example/%20%25%2B%23%253A"
    body = body_of(notice())
    request = sent(body, NOW, url="https://a.example/eu:1/webhooks/hubspot")
    assert isinstance(accepted(request, public_url="https://a.example/eu%3A1"), Accepted)


def test_hubspots_own_is_taken_and_nobody_elses() -> None:
    body = body_of(notice())
    assert isinstance(accepted(sent(body, NOW)), Accepted)
    for forged in (
        sent(body, NOW, secret=NEXT),
        sent(body, NOW, method="PUT"),
        sent(body, NOW, url=f"{URL}?x=1"),
        sent(body, NOW, url="http://consent.example.org/webhooks/hubspot"),
        sent(body, NOW)._replace(body=body.replace(b"501", b"502")),
        sent(body, NOW)._replace(headers={}),
    ):
        refused = accepted(forged)
        assert isinstance(refused, Refused)
        assert refused.status == 401


@pytest.mark.parametrize("header", ["x-hubspot-signature-v3", "x-hubspot-request-timestamp"])
@pytest.mark.parametrize("value", [None, "", "x", "é", "1" * 400, "0", "-1", "1693657560000, 1693657560000"])
def test_a_header_that_is_missing_or_none_is_refused(header: str, value: str | None) -> None:
    request = sent(body_of(notice()), NOW)
    headers = {name: text for name, text in request.headers.items() if name != header}
    refused = accepted(request._replace(headers=headers if value is None else headers | {header: value}))
    assert isinstance(refused, Refused)
    assert refused.status == 401


def test_a_stamp_that_is_signed_and_no_number_is_refused() -> None:
    for stamp in ("", "soon", "12.5", "٣", "9" * 20):
        body = body_of(notice())
        value = signature(SECRET.encode(), "POST", URL, body, stamp).decode() if stamp != "٣" else "x"
        headers = {"x-hubspot-signature-v3": value, "x-hubspot-request-timestamp": stamp}
        assert isinstance(accepted(Sent("POST", "", headers, body, NOW)), Refused)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_older_versions_are_not_looked_at(version: str) -> None:
    """They hold no moment: what was sent once could be sent again for ever."""
    body = body_of(notice())
    text = SECRET.encode() + (b"" if version == "v1" else f"POST{URL}".encode()) + body
    headers = {
        "x-hubspot-signature": hashlib.sha256(text).hexdigest(),
        "x-hubspot-signature-version": version,
        "x-hubspot-request-timestamp": str(int(NOW.timestamp() * 1_000)),
    }
    refused = accepted(Sent("POST", "", headers, body, NOW))
    assert isinstance(refused, Refused)
    assert refused.status == 401


@pytest.mark.parametrize(
    ("late_ms", "taken"), [(0, True), (300_000, True), (300_001, False), (-60_000, True), (-60_001, False)]
)
def test_the_window(late_ms: int, taken: bool) -> None:
    assert isinstance(accepted(sent(body_of(notice()), NOW, late_ms=late_ms)), Accepted) is taken


def test_both_secrets_hold_while_one_is_changed() -> None:
    for secret in (SECRET, NEXT):
        request = sent(body_of(notice()), NOW, secret=secret)
        assert isinstance(accepted(request, SECRET, NEXT), Accepted)
    assert isinstance(accepted(sent(body_of(notice()), NOW, secret=NEXT), SECRET), Refused)


def test_who_asks_for_another_host_is_not_believed() -> None:
    """Signed for a URL of the attacker's choosing, by a secret of another app, or said in a header."""
    body = body_of(notice())
    elsewhere = "https://evil.example/webhooks/hubspot"
    for spoof in ("host", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-original-url", "x-rewrite-url"):
        headers = signed(body, NOW, url=elsewhere) | {spoof: "evil.example"}
        assert isinstance(accepted(Sent("POST", "", headers, body, NOW)), Refused)
        assert isinstance(accepted(Sent("POST", "", signed(body, NOW) | {spoof: "evil.example"}, body, NOW)), Accepted)


# --- what stands in it ---------------------------------------------------------------------------


def taken(body: bytes) -> list[Delivery] | Refused:
    found = accepted(sent(body, NOW))
    return found if isinstance(found, Refused) else list(found.deliveries)


def delivered(*notices: Any) -> list[Delivery]:
    found = taken(body_of(*notices))
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"{}",
        b"null",
        b'"x"',
        b"[",
        b"[1,",
        b"[]x",
        b"[" * 500_000,
        b'[{"a":' * 100_000,
        json.dumps(notice()).encode(),
    ],
)
def test_what_is_no_array_is_refused(body: bytes) -> None:
    refused = taken(body)
    assert isinstance(refused, Refused)
    assert refused.status == 400


def test_too_many_at_once_are_refused() -> None:
    refused = taken(body_of(*(notice(at=n) for n in range(10_000))))
    assert isinstance(refused, Refused)
    assert refused.status == 413
    found = delivered(*(notice(at=n) for n in range(MOST_ITEMS)))
    assert len({one.key for one in found}) == MOST_ITEMS


def test_an_empty_array_is_nothing() -> None:
    assert taken(b"[]") == []


WRONG: list[Any] = [
    1,
    None,
    [],
    "x",
    {},
    notice(occurredAt="yesterday"),
    notice(occurredAt=1.5),
    notice(objectId={"a": 1}),
    notice(objectId="501; drop"),
    notice(objectId=-5),
    notice(propertyValue=["true"]),
    notice(subscriptionType=7),
    notice(portalId=None),
    notice(isSensitive="no"),
    notice() | {"deep": json.loads("[" * 200 + "]" * 200)},
]


@pytest.mark.parametrize("wrong", WRONG[:-1], ids=range(len(WRONG) - 1))
def test_a_notice_that_is_none_is_kept_and_holds_up_no_other(wrong: Any) -> None:
    found = delivered(notice(at=1), wrong, notice(at=2))
    assert len(found) == 3
    assert [one.key.startswith("unread:") for one in found] == [False, True, False]
    assert found[1].occurred_at is None


@pytest.mark.parametrize("moment", [0, -1, -(10**18), 10**18])
def test_a_notice_at_a_moment_that_cannot_be_is_read_all_the_same(moment: int) -> None:
    """It may be a stop; when it happened is unknown, which the fold decides for every source alike."""
    assert [one.key.startswith("unread:") for one in delivered(notice(occurredAt=moment))] == [False]


def test_a_field_that_is_not_known_is_left_out() -> None:
    (one,) = delivered(WRONG[-1])
    assert not one.key.startswith("unread:")


def test_a_repeat_has_the_key_of_the_first_and_nothing_else_has() -> None:
    (first,) = delivered(notice())
    (again,) = delivered(notice(attemptNumber=7))
    assert first.key == again.key
    other: dict[str, Any] = {
        "portalId": 1,
        "subscriptionId": 1,
        "subscriptionType": "contact.creation",
        "objectId": 1,
        "propertyName": "hs_legal_basis",
        "occurredAt": int((NOW - timedelta(days=1)).timestamp() * 1_000),
        "eventId": 1,
    }
    keys = {one.key for name, value in other.items() for one in delivered(notice(**{name: value}))}
    assert len(keys | {first.key}) == len(other) + 1


def test_nothing_lies_below() -> None:
    refused = accepted(sent(body_of(notice()), NOW)._replace(tail="x"))
    assert isinstance(refused, Refused)
    assert refused.status == 404


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(_json | st.fixed_dictionaries({}, optional=dict.fromkeys(notice(), _json)), max_size=4))
@settings(max_examples=300)
def test_whatever_is_signed_is_kept_or_refused(items: list[Any]) -> None:
    """And each is either a notice that can be heard, or one to be looked at."""
    found = taken(json.dumps(items).encode())
    assert isinstance(found, list)
    assert len(found) == len(items)
    for one in found:
        read = notices.read(one.body)
        assert isinstance(read, notices.Notice) != one.key.startswith("unread:")
        if isinstance(read, notices.Notice):
            assert one.key == read.key
            records_of(read)
            is_hint(read)


@given(st.binary(max_size=64))
@settings(max_examples=300)
def test_any_bytes_are_refused_or_an_array(body: bytes) -> None:
    found = taken(body)
    assert isinstance(found, list) or found.status == 400
