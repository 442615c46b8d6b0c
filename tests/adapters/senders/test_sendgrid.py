"""SendGrid: signed events, each once; one mail told of twice is one; a group joined again revives nothing."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.esp.sendgrid import SIGNATURE, TIMESTAMP, WINDOW, SendGridReceiver
from adapters.receiving import MOST_BYTES, MOST_ITEMS, Accepted, Sent
from adapters.tokens import token_of
from ledger import events as e
from tests.adapters.senders.world import ANA, BEN, NOW, World, only, refused, world

KEY = ec.derive_private_key(0x5EED, ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey = KEY, encoding: Encoding = Encoding.DER) -> bytes:
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


RECEIVER = SendGridReceiver(base64.b64encode(public()).decode())
SECOND = int(NOW.timestamp()) - 60


@pytest.fixture
def held(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.known(ANA)
        yield made


def event(kind: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    said = {
        "email": ANA,
        "event": kind,
        "timestamp": SECOND,
        "sg_event_id": f"ZXZlbnQ{number:03}-_w==",
        "sg_message_id": f"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.{number}",
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
    }
    return said | fields


def signed(*events: object, body: bytes | None = None, at: datetime = NOW, on: datetime = NOW) -> Sent:
    body = json.dumps(events).encode() + b"\r\n" if body is None else body
    stamp = str(int(on.timestamp()))
    signature = KEY.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    return Sent("POST", "", {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: stamp}, body, at)


# --- whose it is ---------------------------------------------------------------------------------

PUBLISHED_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1"
    "flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
PUBLISHED_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
PUBLISHED_AT = 1_600_112_502
PUBLISHED_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)


def test_the_published_vector_passes_and_no_byte_of_it_may_change() -> None:
    receiver = SendGridReceiver(PUBLISHED_KEY)
    headers = {SIGNATURE: PUBLISHED_SIGNATURE, TIMESTAMP: str(PUBLISHED_AT)}
    sent = Sent("POST", "", headers, PUBLISHED_BODY, datetime.fromtimestamp(PUBLISHED_AT + 5, UTC))
    answer = receiver.accept(sent)
    assert isinstance(answer, Accepted)
    assert len(answer.deliveries) == 1
    for place in range(0, len(PUBLISHED_BODY), 17):
        changed = bytearray(PUBLISHED_BODY)
        changed[place] ^= 1
        assert refused(receiver.accept(sent._replace(body=bytes(changed)))) == 401
    assert refused(receiver.accept(sent._replace(body=PUBLISHED_BODY.rstrip()))) == 401


def test_the_key_may_be_pem_and_must_be_of_its_curve() -> None:
    receiver = SendGridReceiver(public(encoding=Encoding.PEM).decode())
    assert isinstance(receiver.accept(signed(event("bounce"))), Accepted)
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    larger = ec.generate_private_key(ec.SECP384R1())
    for wrong in (other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), public(larger), b"", b"key"):
        with pytest.raises(ValueError, match="P-256"):
            SendGridReceiver(base64.b64encode(wrong).decode())
    with pytest.raises(ValueError, match="P-256"):
        SendGridReceiver("not base64!")


def test_forged_it_is_refused() -> None:
    sent = signed(event("spamreport"))
    later = str(int(sent.headers[TIMESTAMP]) + 1)
    stranger = ec.generate_private_key(ec.SECP256R1())
    theirs = stranger.sign(sent.headers[TIMESTAMP].encode() + sent.body, ec.ECDSA(SHA256()))
    for headers in (
        {},
        {SIGNATURE: sent.headers[SIGNATURE]},
        {TIMESTAMP: sent.headers[TIMESTAMP]},
        {**sent.headers, TIMESTAMP: later},
        {**sent.headers, TIMESTAMP: "١٦٠٠"},
        {**sent.headers, TIMESTAMP: "9" * 5_000},
        {**sent.headers, SIGNATURE: "é"},
        {**sent.headers, SIGNATURE: base64.b64encode(theirs).decode()},
    ):
        assert refused(RECEIVER.accept(sent._replace(headers=headers))) == 401
    assert refused(RECEIVER.accept(sent._replace(body=sent.body + b" "))) == 401


def test_replayed_after_its_window_or_from_the_future_it_is_refused() -> None:
    for late in (timedelta(minutes=-4), timedelta(0), WINDOW):
        assert isinstance(RECEIVER.accept(signed(event("bounce"), at=NOW + late)), Accepted)
    for late in (WINDOW + timedelta(seconds=1), timedelta(minutes=-6), timedelta(days=-400)):
        assert refused(RECEIVER.accept(signed(event("bounce"), at=NOW + late))) == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * (MOST_BYTES + 1), 413),
        (b"[" + b"{}," * MOST_ITEMS + b"{}]", 413),
        (b"", 400),
        (b"[" * 100_000, 400),
        (b"{}", 400),
        (b"\xff", 400),
    ],
)
def test_what_is_no_list_of_events_is_refused(body: bytes, status: int) -> None:
    assert refused(RECEIVER.accept(signed(body=body))) == status


# --- what it says --------------------------------------------------------------------------------


def test_a_complaint_stops_all_advertising_and_a_group_joined_again_revives_nothing(held: World) -> None:
    assert held.may(ANA)[0]
    (complaint,) = only(held.take(RECEIVER, signed(event("spamreport"))))
    assert isinstance(complaint, e.Complained)
    assert complaint.occurred_from == datetime.fromtimestamp(SECOND, UTC)
    (shown,) = only(held.take(RECEIVER, signed(event("group_resubscribe", 2, asm_group_id=10, timestamp=SECOND + 9))))
    assert isinstance(shown, e.SubscriptionShown)
    assert (shown.subscription_type, shown.state) == (token_of("SendGrid group 10"), "subscribed")
    assert held.may(ANA) == (False, "complained")


def test_a_group_left_stops_by_the_name_of_the_group(held: World) -> None:
    (stop,) = only(held.take(RECEIVER, signed(event("group_unsubscribe", asm_group_id=10))))
    assert isinstance(stop, e.TypeOptedOut)
    assert (stop.subscription_type, stop.by) == (token_of("SendGrid group 10"), "data_subject")
    assert not held.may(ANA)[0]
    (all_of_it,) = only(held.take(RECEIVER, signed(event("group_unsubscribe", 2))))
    assert isinstance(all_of_it, e.OptedOut)


def test_an_unsubscribe_stops(held: World) -> None:
    (stop,) = only(held.take(RECEIVER, signed(event("unsubscribe"))))
    assert isinstance(stop, e.OptedOut)
    assert held.may(ANA) == (False, "opted_out")


@pytest.mark.parametrize(("type_", "kind"), [("bounce", "hard"), ("blocked", "soft"), (None, "hard")])
def test_bounces(held: World, type_: str | None, kind: str) -> None:
    (bounced,) = only(held.take(RECEIVER, signed(event("bounce", type=type_, reason=f"550 no such user {ANA}"))))
    assert isinstance(bounced, e.Bounced)
    assert (bounced.kind, bounced.reason) == (kind, None)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Bounced Address", e.Bounced),
        ("Invalid", e.Bounced),
        ("Unsubscribed Address", e.OptedOut),
        ("Spam Reporting Address", e.Complained),
        ("Recipient List over Package Quota", None),
    ],
)
def test_what_was_dropped_was_known_by_then(held: World, reason: str, kind: type[e.Event] | None) -> None:
    found = only(held.take(RECEIVER, signed(event("dropped", reason=reason))))
    assert [type(one) for one in found] == ([kind] if kind else [])
    for one in found:
        assert one.occurred_from is None
        assert one.occurred_to == datetime.fromtimestamp(SECOND, UTC)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", list(itertools.permutations(("processed", "delivered"))))
def test_a_mail_taken_in_and_delivered_is_one(held: World, order: tuple[str, str], together: bool) -> None:
    mail = event("", category=["Winter Sale", "x"])
    told = [
        mail | {"event": kind, "sg_event_id": kind, "timestamp": SECOND + place} for place, kind in enumerate(order)
    ]
    requests = [signed(*told)] if together else [signed(one) for one in told]
    held.take(RECEIVER, *requests)
    (sent,) = held.events(ANA)
    assert isinstance(sent, e.CampaignMailSent)
    assert (sent.message, sent.campaign) == (mail["sg_message_id"], "winter-sale")
    assert held.house.payload(sent) == {"message_id": mail["sg_message_id"], "smtp_id": mail["smtp-id"]}
    held.seen.clear()
    count = held.count()
    bens = [one | {"email": BEN, "sg_event_id": f"ben's {one['sg_event_id']}"} for one in told]
    held.take(RECEIVER, *requests, signed(*bens))
    assert held.count() == count + 2  # Ben's address, and his mail


def test_an_id_that_may_not_stand_in_the_log_stays_in_the_payload(held: World) -> None:
    (sent,) = only(held.take(RECEIVER, signed(event("processed", sg_message_id="-_odd@id"))))
    assert isinstance(sent, e.EmailSent)
    assert sent.message is None
    assert held.house.payload(held.events(ANA)[0])["message_id"] == "-_odd@id"


def test_an_address_where_a_name_belongs_does_not_reach_the_log(held: World) -> None:
    (sent,) = only(held.take(RECEIVER, signed(event("processed", category=ANA))))
    assert isinstance(sent, e.CampaignMailSent)
    assert sent.campaign == "masked-address"
    (stop,) = only(held.take(RECEIVER, signed(event("group_unsubscribe", 2, asm_group_id=ANA))))
    assert isinstance(stop, e.TypeOptedOut)
    assert stop.subscription_type == token_of("SendGrid group masked-address")


@pytest.mark.parametrize("kind", ["open", "click", "deferred", "account_status_change"])
def test_others_are_accepted_and_not_kept(kind: str) -> None:
    assert RECEIVER.accept(signed(event(kind))) == Accepted([])


@pytest.mark.parametrize(
    "said",
    [
        event("list_unsubscribe"),
        event("spamreport", email="nobody"),
        event("bounce", email=["x"]),
        event("delivered", timestamp="soon"),
        event("delivered", timestamp=4_000_000_000),
    ],
)
def test_what_cannot_be_understood_says_so_without_naming_anybody(held: World, said: dict[str, Any]) -> None:
    (heard,) = held.take(RECEIVER, signed(said))
    assert heard.problem
    assert "@" not in heard.problem
    assert not heard.sayings


def test_one_that_cannot_be_understood_holds_no_other_up(held: World) -> None:
    heard = held.take(RECEIVER, signed(event("spamreport", email="nobody"), event("unsubscribe", 2)))
    assert [bool(one.problem) for one in heard] == [True, False]
    assert held.may(ANA) == (False, "opted_out")


@pytest.mark.parametrize("timestamp", [None, True, -1e9, 10**18, "x", 4_000_000_000])
def test_a_stop_without_a_time_counts_from_ever(held: World, timestamp: object) -> None:
    (stop,) = only(held.take(RECEIVER, signed(event("unsubscribe", timestamp=timestamp))))
    assert stop.occurred_from is None
    assert not held.may(ANA)[0]


def test_repeated_replayed_and_in_any_order_it_is_the_same(tmp_path: Path) -> None:
    story = [
        event("group_unsubscribe", 1, asm_group_id=3),
        event("group_resubscribe", 2, asm_group_id=3, timestamp=SECOND + 5),
        event("processed", 3),
        event("delivered", 4, sg_message_id=event("processed", 3)["sg_message_id"]),
    ]
    for place, order in enumerate(itertools.permutations(story)):
        with world(tmp_path / str(place)) as made:
            made.known(ANA)
            made.take(RECEIVER, signed(*order, *order), signed(*reversed(order)))
            made.seen.clear()
            count = made.count()
            made.take(RECEIVER, *(signed(one) for one in order))
            assert made.count() == count
            assert len(made.events(ANA)) == 3
            assert not made.may(ANA)[0]
