"""Whatever comes in, and whatever was kept, is answered; and whatever is heard may be recorded."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.esp.postmark import PostmarkReceiver
from adapters.esp.sendgrid import SIGNATURE, TIMESTAMP, SendGridReceiver
from adapters.esp.ses import SesReceiver
from adapters.hearing import delivery
from adapters.mailchimp.webhooks import MailchimpReceiver
from adapters.receiving import Accepted, Delivery, Receiver, Refused, Sent
from tests.adapters.senders.world import ANA, NOW, PEM, TOPIC, Sns, World, world

SECRET = "a-long-and-secret-tail"  # noqa: S105
KEY = ec.derive_private_key(0x5EED, ec.SECP256R1())
SNS = Sns()
MAILCHIMP = MailchimpReceiver([SECRET])
POSTMARK = PostmarkReceiver("user", "password")
SENDGRID = SendGridReceiver(
    base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
)
SES = SesReceiver([TOPIC], SNS.fetch, lambda: NOW)
RECEIVERS: tuple[Receiver, ...] = (MAILCHIMP, POSTMARK, SENDGRID, SES)
MANY = settings(max_examples=120)

NAMES = [
    "RecordType", "Type", "Origin", "SuppressSending", "SuppressionReason", "MessageStream", "ChangedAt",
    "BouncedAt", "DeliveredAt", "Recipient", "Email", "Tag", "MessageID", "event", "email", "timestamp", "type",
    "reason", "category", "asm_group_id", "sg_event_id", "sg_message_id", "smtp-id", "singlesend_name",
    "eventType", "notificationType", "bounce", "complaint", "subscription", "mail", "delivery",
    "bouncedRecipients", "complainedRecipients", "complaintFeedbackType", "emailAddress", "bounceType",
    "recipients", "destination", "messageId", "contactList", "newTopicPreferences", "oldTopicPreferences",
    "unsubscribeAll", "topicSubscriptionStatus", "topicName", "subscriptionStatus", "Message", "TopicArn",
    "SubscribeURL", "fired_at", "data[email]", "data[list_id]", "data[action]", "data[reason]",
    "data[ip_signup]", "data[old_email]", "data[new_email]", "data[new_id]",
]  # fmt: skip
WORDS = [
    "SubscriptionChange", "Bounce", "SpamComplaint", "Delivery", "Recipient", "ManualSuppression", "HardBounce",
    "unsubscribe", "group_unsubscribe", "group_resubscribe", "spamreport", "bounce", "dropped", "delivered",
    "processed", "Complaint", "Send", "Subscription", "Notification", "SubscriptionConfirmation", "OptOut", "OptIn",
    "Permanent", "subscribe", "cleaned", "upemail", "abuse", "delete", "Unsubscribed Address", "2026-03-02T11:00:00Z",
    "2026-03-02 11:59:40", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01 00:00:00",
    "9999-12-31 23:59:59", ANA, f"Ana <{ANA}>", "new@example.org", TOPIC, PEM, "\x00", "Ünïcode", "İ@example.org",
]  # fmt: skip
plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
scalars = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    plain,
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
)
said = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES) | plain, inner, max_size=8)
    ),
    max_leaves=25,
)
events = st.dictionaries(st.sampled_from(NAMES), said, min_size=2, max_size=16)
headers = st.dictionaries(
    st.sampled_from(["authorization", SIGNATURE, TIMESTAMP, "content-type"]),
    st.text(max_size=60) | st.sampled_from(["Basic dXNlcjpwYXNzd29yZA==", "1772452800", "MEUCIQ=="]),
)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(Path(tmp_path_factory.mktemp("never"))) as made:
        made.known(ANA)
        yield made


def genuine(receiver: Receiver, event: object, body: bytes) -> Sent:
    """A request of the sender's own, whatever stands in it."""
    if receiver is MAILCHIMP:
        return Sent("POST", SECRET, {}, body, NOW)
    if receiver is POSTMARK:
        return Sent("POST", "", {"authorization": "Basic dXNlcjpwYXNzd29yZA=="}, body, NOW)
    if receiver is SENDGRID:
        stamp = str(int(NOW.timestamp()))
        signature = base64.b64encode(KEY.sign(stamp.encode() + body, ec.ECDSA(SHA256()))).decode()
        return Sent("POST", "", {SIGNATURE: signature, TIMESTAMP: stamp}, body, NOW)
    return Sent("POST", "", {}, json.dumps(SNS.notification(event)).encode(), NOW)


@MANY
@given(st.sampled_from(RECEIVERS), st.text(max_size=30) | st.just(SECRET), headers, st.binary(max_size=200))
def test_any_request_is_answered(receiver: Receiver, tail: str, given_: dict[str, str], body: bytes) -> None:
    answer = receiver.accept(Sent("POST", tail, given_, body, NOW))
    assert isinstance(answer, Accepted | Refused)
    assert isinstance(receiver.accept(genuine(receiver, body.hex(), body)), Accepted | Refused)


@MANY
@given(st.sampled_from(RECEIVERS), events | st.lists(events, max_size=3) | said)
def test_any_json_of_the_senders_own_is_answered_heard_and_recorded(
    held: World, receiver: Receiver, event: Any
) -> None:
    body = json.dumps(event).encode()
    if receiver is MAILCHIMP and isinstance(event, dict):
        body = urlencode({name: str(value) for name, value in event.items()}).encode()
    answer = receiver.accept(genuine(receiver, event, body))
    assert isinstance(answer, Accepted | Refused)
    if isinstance(answer, Accepted):
        again = receiver.accept(genuine(receiver, event, body))
        assert again == answer
        recorded(held, receiver, list(answer.deliveries))


@MANY
@given(st.sampled_from(RECEIVERS), st.lists(events, max_size=4), st.datetimes(timezones=st.just(UTC)))
def test_anything_kept_is_heard_and_recorded(
    held: World, receiver: Receiver, kept: list[dict[str, Any]], at: datetime
) -> None:
    for place, event in enumerate(kept):
        message = {"Type": "Notification", "MessageId": "m", "Message": json.dumps(event)}
        wrapped = {"message": message, "place": place % 2} if receiver is SES else event
        recorded(held, receiver, [delivery(str(place), None, at, wrapped)])


@MANY
@given(st.sampled_from(RECEIVERS), st.binary(max_size=80) | said.map(lambda one: json.dumps(one).encode()))
def test_anything_else_that_was_kept_says_that_it_is_none(held: World, receiver: Receiver, body: bytes) -> None:
    (heard,) = receiver.hear(held.house, [Delivery("k", None, body)])
    assert heard.problem


def recorded(held: World, receiver: Receiver, deliveries: list[Delivery]) -> None:
    """Every fact may become an entry, and a second time nothing is added."""
    for heard in held.hear(receiver, deliveries):
        assert "@" not in (heard.problem or "")
    count = held.count()
    held.hear(receiver, deliveries)
    assert held.count() == count
