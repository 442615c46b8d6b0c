"""Postmark: known by name and password; suppressions stop, and switched on again they grant nothing."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.esp.postmark import PostmarkReceiver
from adapters.receiving import MOST_BYTES, Accepted, Sent
from adapters.tokens import token_of
from ledger import events as e
from tests.adapters.senders.world import ANA, NOW, World, only, posted, refused, world

RECEIVER = PostmarkReceiver("postmark", "a:password")
CHANGED = {
    "RecordType": "SubscriptionChange",
    "MessageID": "00000000-0000-4000-8000-000000000001",
    "ServerID": 23,
    "MessageStream": "newsletter",
    "ChangedAt": "2026-03-02T10:53:34.4160712Z",
    "Recipient": ANA,
    "Origin": "Recipient",
    "SuppressSending": True,
    "SuppressionReason": "ManualSuppression",
    "Tag": "march",
    "Metadata": {"example": "value"},
}
BOUNCE = {
    "RecordType": "Bounce",
    "ID": 4_323_372_036_854_775_807,
    "Type": "HardBounce",
    "MessageID": "00000000-0000-4000-8000-000000000002",
    "MessageStream": "outbound",
    "Description": f"The server was unable to deliver to {ANA}",
    "Email": ANA,
    "BouncedAt": "2026-03-02T10:50:00Z",
}
DELIVERED = {
    "RecordType": "Delivery",
    "MessageID": "00000000-0000-4000-8000-000000000003",
    "MessageStream": "outbound",
    "Recipient": ANA,
    "DeliveredAt": "2026-03-02T10:40:00-05:00",
}


@pytest.fixture
def held(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.known(ANA)
        yield made


def basic(name: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(name.encode()).decode()}"}


def sent(event: object, at: datetime = NOW, **fields: Any) -> Sent:
    said = event | fields if isinstance(event, dict) else event
    return posted(said, at)._replace(headers=basic("postmark:a:password"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic"},
        {"authorization": "Basic ?"},
        {"authorization": "Basic \udcff"},
        {"authorization": basic("postmark:a:password")["authorization"].replace("Basic", "Bearer")},
        basic("postmark:a:passwor"),
        basic("postmark:a:password2"),
        basic(":"),
    ],
)
def test_without_name_and_password_nothing_is_taken(headers: dict[str, str]) -> None:
    assert refused(RECEIVER.accept(sent(CHANGED)._replace(headers=headers))) == 401


@pytest.mark.parametrize(("user", "password"), [("", ""), ("postmark", ""), ("", "x")])
def test_no_password_is_no_receiver(user: str, password: str) -> None:
    with pytest.raises(ValueError, match="name and a password"):
        PostmarkReceiver(user, password)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * (MOST_BYTES + 1), 413),
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
    ],
)
def test_what_is_no_event_is_refused(body: bytes, status: int) -> None:
    assert refused(RECEIVER.accept(sent(body))) == status


@pytest.mark.parametrize(
    ("origin", "by"),
    [("Recipient", "data_subject"), ("Customer", "officer"), ("Admin", "third_party"), ("", "unknown")],
)
def test_a_suppression_by_hand_stops_by_the_name_of_its_stream(held: World, origin: str, by: str) -> None:
    assert held.may(ANA)[0]
    (stop,) = only(held.take(RECEIVER, sent(CHANGED, Origin=origin)))
    assert isinstance(stop, e.TypeOptedOut)
    assert (stop.by, stop.subscription_type, stop.channels) == (by, token_of("Postmark newsletter"), ("email",))
    assert stop.occurred_from == datetime(2026, 3, 2, 10, 53, 34, 416_071, UTC)
    assert not held.may(ANA)[0]


def test_a_reason_that_is_not_known_is_a_stop(held: World) -> None:
    (stop,) = only(held.take(RECEIVER, sent(CHANGED, SuppressionReason="Somehow", SuppressSending=None)))
    assert isinstance(stop, e.TypeOptedOut)


def test_switched_on_again_it_is_shown_and_revives_nothing(held: World) -> None:
    on: dict[str, Any] = {
        "SuppressSending": False,
        "SuppressionReason": None,
        "ChangedAt": "2026-03-02T11:00:00Z",
        "Origin": "Customer",
    }
    held.take(RECEIVER, sent(CHANGED))
    (shown,) = only(held.take(RECEIVER, sent(CHANGED, **on)))
    assert isinstance(shown, e.SubscriptionShown)
    assert (shown.subscription_type, shown.state, shown.via) == (
        token_of("Postmark newsletter"),
        "subscribed",
        "postmark.customer",
    )
    assert not held.may(ANA)[0]


@pytest.mark.parametrize(
    "event",
    [
        CHANGED | {"SuppressionReason": "SpamComplaint"},
        BOUNCE | {"RecordType": "SpamComplaint", "Type": "SpamComplaint"},
        BOUNCE | {"Type": "SpamComplaint"},
    ],
)
def test_a_complaint_stops_all_advertising(held: World, event: dict[str, Any]) -> None:
    (complaint,) = only(held.take(RECEIVER, sent(event)))
    assert isinstance(complaint, e.Complained)
    assert held.may(ANA) == (False, "complained")
    held.take(RECEIVER, sent(CHANGED, SuppressSending=False, SuppressionReason=None))
    assert held.may(ANA) == (False, "complained")


@pytest.mark.parametrize(
    ("kind", "as_"),
    [("HardBounce", "hard"), ("BadEmailAddress", "invalid"), ("SoftBounce", "soft"), ("Blocked", "soft")],
)
def test_bounces(held: World, kind: str, as_: str) -> None:
    (bounced,) = only(held.take(RECEIVER, sent(BOUNCE, Type=kind)))
    assert isinstance(bounced, e.Bounced)
    assert bounced.kind == as_


def test_a_suppression_for_a_bounce_is_a_bounce(held: World) -> None:
    (bounced,) = only(held.take(RECEIVER, sent(CHANGED, SuppressionReason="HardBounce")))
    assert isinstance(bounced, e.Bounced)


def test_an_unsubscribe_that_came_back_as_a_bounce_stops(held: World) -> None:
    (stop,) = only(held.take(RECEIVER, sent(BOUNCE, Type="Unsubscribe")))
    assert isinstance(stop, e.OptedOut)
    assert only(held.take(RECEIVER, sent(BOUNCE, Type="AutoResponder"))) == []


def test_a_delivery_is_a_mail_with_its_id(held: World) -> None:
    (mail,) = only(held.take(RECEIVER, sent(DELIVERED, at=NOW + timedelta(days=1))))
    assert type(mail) is e.EmailSent
    assert mail.message == DELIVERED["MessageID"]
    assert mail.occurred_from == datetime(2026, 3, 2, 15, 40, tzinfo=UTC)
    (tagged,) = only(held.take(RECEIVER, sent(DELIVERED, at=NOW + timedelta(days=1), Tag="Winter Sale")))
    assert isinstance(tagged, e.CampaignMailSent)
    assert tagged.campaign == "winter-sale"
    (kept,) = (event for event in held.events(ANA) if type(event) is e.EmailSent)
    assert held.house.payload(kept) == {"message_id": DELIVERED["MessageID"], "stream": "outbound"}


@pytest.mark.parametrize("kind", ["Open", "Click", "Inbound", "SMTPApiError"])
def test_others_are_accepted_and_not_kept(kind: str) -> None:
    assert RECEIVER.accept(sent(CHANGED, RecordType=kind)) == Accepted()


@pytest.mark.parametrize(
    "event",
    [
        CHANGED | {"RecordType": "ListUnsubscribe"},
        CHANGED | {"Recipient": "nobody"},
        CHANGED | {"Recipient": None},
        DELIVERED | {"DeliveredAt": "yesterday"},
        DELIVERED | {"DeliveredAt": "2099-01-01T00:00:00Z"},
    ],
)
def test_what_cannot_be_understood_says_so_without_naming_anybody(held: World, event: dict[str, Any]) -> None:
    (heard,) = held.take(RECEIVER, sent(event))
    assert heard.problem
    assert "@" not in heard.problem
    assert not heard.sayings


def test_a_stop_of_a_clock_that_is_wrong_does_not_wait(held: World) -> None:
    (stop,) = only(held.take(RECEIVER, sent(CHANGED, ChangedAt="2099-01-01T00:00:00Z")))
    assert stop.occurred_from is None
    assert not held.may(ANA)[0]


def test_repeated_replayed_and_in_any_order_it_is_the_same(tmp_path: Path) -> None:
    on: dict[str, Any] = {"SuppressSending": False, "SuppressionReason": None, "ChangedAt": "2026-03-02T11:00:00Z"}
    story = [sent(CHANGED), sent(CHANGED, **on), sent(BOUNCE, Type="SoftBounce")]
    for place, order in enumerate(itertools.permutations(story)):
        with world(tmp_path / str(place)) as made:
            made.known(ANA)
            made.take(RECEIVER, *order, *order)
            made.seen.clear()
            count = made.count()
            made.take(RECEIVER, *order)
            assert made.count() == count
            assert len(made.events(ANA)) == 3
            assert not made.may(ANA)[0]
