"""Amazon SES by SNS: signed by a certificate of SNS, from a topic that is allowed; complaints and what was left."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.esp.ses import WINDOW, SesReceiver
from adapters.esp.sns import AGAIN, MOST_CERTIFICATES, at_sns, is_of_region, signed_text
from adapters.receiving import MOST_BYTES, MOST_ITEMS, Accepted, AwayError, Delivery, Refused
from adapters.tokens import token_of
from ledger import events as e
from tests.adapters.senders.world import (
    ANA,
    BEN,
    HOST,
    NOW,
    PEM,
    TOPIC,
    Sns,
    World,
    certificate,
    only,
    posted,
    refused,
    world,
)

MAIL = {"timestamp": "2026-03-02T11:40:01.123Z", "messageId": "EXAMPLE7c191be45", "destination": [ANA]}
COMPLAINT: dict[str, Any] = {
    "eventType": "Complaint",
    "complaint": {
        "complainedRecipients": [{"emailAddress": ANA}],
        "timestamp": "2026-03-02T11:41:02.669Z",
        "feedbackId": "01000157c44f053b-example",
        "complaintFeedbackType": "abuse",
        "complaintSubType": None,
    },
    "mail": MAIL,
}


def preferences(everything: bool, **topics: str) -> dict[str, Any]:
    states = [{"topicName": name, "subscriptionStatus": state} for name, state in topics.items()]
    return {"unsubscribeAll": everything, "topicSubscriptionStatus": states}


def subscription(after: object, before: object, at: str = "2026-03-02T11:50:00.910Z") -> dict[str, Any]:
    held: dict[str, object] = {"contactList": "Readers", "timestamp": at, "source": "UnsubscribeHeader"}
    held |= {"newTopicPreferences": after, "oldTopicPreferences": before}
    return {"eventType": "Subscription", "subscription": held, "mail": MAIL}


@pytest.fixture(scope="module")
def keys() -> Sns:
    return Sns()


@pytest.fixture
def sns(keys: Sns) -> Sns:
    keys.pages, keys.asked = {PEM: certificate(keys.key, NOW - timedelta(days=9), NOW + timedelta(days=9))}, []
    keys.fetching = keys.pages.get
    return keys


@pytest.fixture
def receiver(sns: Sns) -> SesReceiver:
    return SesReceiver([TOPIC], sns.fetch, lambda: NOW)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.known(ANA)
        yield made


# --- whose it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_a_signed_message_is_taken_and_its_certificate_fetched_once(
    sns: Sns, receiver: SesReceiver, version: str, subject: dict[str, str]
) -> None:
    for number in range(3):
        answer = receiver.accept(posted(sns.notification(COMPLAINT, number, version, **subject)))
        assert isinstance(answer, Accepted)
        assert len(answer.deliveries) == 1
    assert sns.asked == [PEM]


def test_the_text_that_is_signed_is_names_and_values_by_name() -> None:
    said = {"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": "a\nb", "Timestamp": "now"}
    assert signed_text(said) == b"Message\na\nb\nMessageId\nm\nTimestamp\nnow\nTopicArn\nt\nType\nNotification\n"
    assert signed_text(said | {"Subject": "s"}) == (
        b"Message\na\nb\nMessageId\nm\nSubject\ns\nTimestamp\nnow\nTopicArn\nt\nType\nNotification\n"
    )
    begins = said | {"Type": "SubscriptionConfirmation", "Token": "k", "SubscribeURL": "u", "Subject": "s"}
    assert signed_text(begins) == (
        b"Message\na\nb\nMessageId\nm\nSubscribeURL\nu\nTimestamp\nnow\nToken\nk\nTopicArn\nt\n"
        b"Type\nSubscriptionConfirmation\n"
    )
    assert signed_text(said | {"Message": 7}) is None
    assert signed_text(said | {"Type": []}) is None


def test_forged_it_is_refused(sns: Sns, receiver: SesReceiver) -> None:
    said = sns.notification(COMPLAINT)
    for field in ("Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SignatureVersion"):
        values: list[object] = [None, "", "x", 7, [], f"{said[field]} "]
        for value in values:
            assert refused(receiver.accept(posted(said | {field: value}))) in (400, 401)
    assert refused(receiver.accept(posted(said | {"Subject": "added"}))) == 401
    assert refused(receiver.accept(posted(said | {"SignatureVersion": "1"}))) == 401
    assert refused(receiver.accept(posted(said | {"Type": "SubscriptionConfirmation"}))) == 401
    assert refused(receiver.accept(posted(Sns().notification(COMPLAINT)))) == 401


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        PEM.replace("https", "http"),
        PEM.replace("sns.eu", "sns.evil.eu"),
        PEM.replace("amazonaws.com", "amazonaws.com.evil.example"),
        PEM.replace("amazonaws.com", "amazonaws.com:8443"),
        PEM.replace("https://", "https://sns.eu-central-1.amazonaws.com@evil.example/"),
        PEM.replace("https://", "https://user@"),
        "https://evil.example/sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com\\@evil.example/a.pem",
        "https://sns.eu-central-1.amazonaws.com\n/a.pem",
        "https://[/a.pem",
        f"{HOST}/?Action=GetTopicAttributes&x=.pem",
        f"{HOST}/a.pem?x=y",
        f"{HOST}/a.crt",
        f"{PEM}#x.pem",
    ],
)
def test_a_certificate_is_fetched_from_sns_alone(sns: Sns, receiver: SesReceiver, url: str | None) -> None:
    assert refused(receiver.accept(posted(sns.notification(COMPLAINT) | {"SigningCertURL": url}))) == 401
    assert sns.asked == []


def test_hosts_of_sns() -> None:
    assert at_sns("https://sns.cn-north-1.amazonaws.com.cn/a.pem")
    assert at_sns("https://sns.us-gov-west-1.amazonaws.com/a.pem")
    assert not at_sns("https://SNS.us-east-1.amazonaws.com./a.pem")


@pytest.mark.parametrize(
    "host", ["sns.us-east-1.amazonaws.com", "sns.eu-central-1.amazonaws.com.cn", "sns.eu.amazonaws.com"]
)
def test_a_certificate_of_another_region_than_the_topics_is_never_fetched(
    sns: Sns, receiver: SesReceiver, host: str
) -> None:
    elsewhere = {"SigningCertURL": PEM.replace("sns.eu-central-1.amazonaws.com", host)}
    assert refused(receiver.accept(posted(sns.notification(COMPLAINT) | elsewhere))) == 401
    assert sns.asked == []


def test_the_region_of_a_topic_names_its_host() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:mail"
    assert is_of_region("https://sns.cn-north-1.amazonaws.com.cn/a.pem", topic)
    assert not is_of_region("https://sns.cn-north-1.amazonaws.com/a.pem", topic)
    assert is_of_region("https://sns.us-gov-west-1.amazonaws.com/a.pem", topic.replace("cn-north-1", "us-gov-west-1"))
    sovereign = topic.replace("cn-north-1", "eusc-de-east-1").replace("aws-cn", "aws-eusc")
    assert is_of_region("https://sns.eusc-de-east-1.amazonaws.eu/a.pem", sovereign)
    assert not is_of_region("https://sns.eusc-de-east-1.amazonaws.com/a.pem", sovereign)
    for none in (None, 7, "", "arn:aws:sqs:cn-north-1:123456789012:mail", "arn:aws:sns::123456789012:mail"):
        assert not is_of_region("https://sns.cn-north-1.amazonaws.com.cn/a.pem", none)


@pytest.mark.parametrize(
    ("common", "hosts", "status"),
    [
        ("evil.amazonaws.com", (), 503),
        ("sns.amazonaws.com.evil.example", ("sns.evil.example",), 503),
        ("amazon", ("sns.amazonaws.com",), 200),
    ],
)
def test_a_certificate_counts_if_it_was_made_out_to_sns(
    sns: Sns, receiver: SesReceiver, common: str, hosts: tuple[str, ...], status: int
) -> None:
    sns.pages[PEM] = certificate(sns.key, NOW - timedelta(days=9), NOW + timedelta(days=9), common, *hosts)
    answer = receiver.accept(posted(sns.notification(COMPLAINT)))
    assert (200 if isinstance(answer, Accepted) else refused(answer)) == status


@pytest.mark.parametrize(
    ("region", "suffix", "common", "status"),
    [
        ("eu-central-1", "amazonaws.com", "sns.amazonaws.com", 200),
        ("eu-south-1", "amazonaws.com", "sns-signing.eu-south-1.amazonaws.com", 200),
        ("eu-central-2", "amazonaws.com", "sns-signing.eu-central-2.amazonaws.com", 200),
        ("eu-central-2", "amazonaws.com", "sns-signing.eu-south-1.amazonaws.com", 503),
        ("us-gov-east-1", "amazonaws.com", "sns-us-gov-west-1.amazonaws.com", 200),
        ("eu-central-1", "amazonaws.com", "sns-us-gov-west-1.amazonaws.com", 503),
        ("cn-north-1", "amazonaws.com.cn", "sns-cn-north-1.amazonaws.com.cn", 200),
        ("cn-north-1", "amazonaws.com.cn", "sns.amazonaws.com", 503),
        ("eusc-de-east-1", "amazonaws.eu", "sns-signing.eusc-de-east-1.amazonaws.eu", 200),
    ],
)
def test_a_certificate_is_made_out_to_the_name_of_its_region(
    sns: Sns, region: str, suffix: str, common: str, status: int
) -> None:
    """Given the name that Amazon signs with in a region, then its complaint is taken; that of another one is not."""
    topic, pem = TOPIC.replace("eu-central-1", region), f"https://sns.{region}.{suffix}/a.pem"
    sns.pages[pem] = certificate(sns.key, NOW - timedelta(days=9), NOW + timedelta(days=9), common)
    receiver = SesReceiver([topic], sns.fetch, lambda: NOW)
    answer = receiver.accept(posted(sns.notification(COMPLAINT, TopicArn=topic) | {"SigningCertURL": pem}))
    assert (200 if isinstance(answer, Accepted) else refused(answer)) == status


def test_another_topic_is_refused_before_anything_is_fetched(sns: Sns, receiver: SesReceiver) -> None:
    assert refused(receiver.accept(posted(sns.notification(COMPLAINT, TopicArn=f"{TOPIC}-2")))) == 401
    assert sns.asked == []
    with pytest.raises(ValueError, match="ARN"):
        SesReceiver([], sns.fetch, lambda: NOW)


@pytest.mark.parametrize(
    ("begins", "ends"), [(NOW + timedelta(days=1), NOW + timedelta(days=2)), (NOW - timedelta(days=9), NOW)]
)
def test_a_certificate_counts_within_its_time(sns: Sns, begins: datetime, ends: datetime) -> None:
    sns.pages[PEM] = certificate(sns.key, begins, ends)
    receiver = SesReceiver([TOPIC], sns.fetch, lambda: NOW + timedelta(seconds=1))
    assert refused(receiver.accept(posted(sns.notification(COMPLAINT)))) == 401


@pytest.mark.parametrize("page", [None, b"", b"<html>", b"x\n", b"-----BEGIN CERTIFICATE-----\nx"])
def test_without_the_certificate_sns_is_told_to_come_again(sns: Sns, page: bytes | None) -> None:
    time = [NOW]
    receiver = SesReceiver([TOPIC], sns.fetch, lambda: time[0])
    good, sns.pages[PEM] = sns.pages[PEM], page
    for _ in range(3):
        assert refused(receiver.accept(posted(sns.notification(COMPLAINT)))) == 503
    assert sns.asked == [PEM]
    sns.pages[PEM] = good
    time[0] += AGAIN
    assert isinstance(receiver.accept(posted(sns.notification(COMPLAINT))), Accepted)


def test_a_certificate_of_another_kind_of_key_or_within_a_page_is_none(sns: Sns, receiver: SesReceiver) -> None:
    assert sns.pages[PEM] is not None
    sns.pages[PEM] = b"<pre>\n" + (sns.pages[PEM] or b"")
    assert refused(receiver.accept(posted(sns.notification(COMPLAINT)))) == 503
    sns.pages[PEM] = certificate(ec.generate_private_key(ec.SECP256R1()), NOW, NOW)
    assert refused(SesReceiver([TOPIC], sns.fetch, lambda: NOW).accept(posted(sns.notification(COMPLAINT)))) == 503


def test_urls_that_somebody_makes_up_are_not_all_fetched(sns: Sns, receiver: SesReceiver) -> None:
    def away(url: str) -> bytes | None:
        raise AwayError(url)

    sns.fetching = away
    for number in range(4 * MOST_CERTIFICATES):
        made_up = {"SigningCertURL": f"{HOST}/{number}.pem"}
        assert refused(receiver.accept(posted(sns.notification(COMPLAINT) | made_up))) == 503
    assert len(sns.asked) == MOST_CERTIFICATES


def test_replayed_after_its_window_or_from_the_future_it_is_refused(sns: Sns, receiver: SesReceiver) -> None:
    said = sns.notification(COMPLAINT)
    assert isinstance(receiver.accept(posted(said, NOW + WINDOW - timedelta(minutes=1))), Accepted)
    assert refused(receiver.accept(posted(said, NOW + WINDOW))) == 401
    assert refused(receiver.accept(posted(said, NOW - timedelta(hours=1)))) == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * (MOST_BYTES + 1), 413),
        (b"", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"\xff", 400),
        (b'{"Type": ["Notification"], "MessageId": "x"}', 400),
    ],
)
def test_what_is_no_message_is_refused(receiver: SesReceiver, body: bytes, status: int) -> None:
    assert refused(receiver.accept(posted(body))) == status


# --- a subscription begins and ends --------------------------------------------------------------


def beginning(sns: Sns, url: str, topic: str = TOPIC) -> dict[str, Any]:
    fields = {"Type": "SubscriptionConfirmation", "MessageId": "b", "TopicArn": topic, "Message": "You have chosen"}
    return sns.sign(fields | {"Timestamp": "2026-03-02T11:59:58.000Z", "Token": "2336412f37", "SubscribeURL": url})


CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"


def test_a_subscription_is_confirmed_when_it_is_heard_and_not_before(
    sns: Sns, receiver: SesReceiver, held: World
) -> None:
    sns.pages[CONFIRM] = b"<ConfirmSubscriptionResponse/>"
    answer = receiver.accept(posted(beginning(sns, CONFIRM)))
    assert isinstance(answer, Accepted)
    assert sns.asked == [PEM]
    assert only(held.hear(receiver, list(answer.deliveries))) == []
    assert sns.asked == [PEM, CONFIRM]


@pytest.mark.parametrize(
    "url",
    [
        CONFIRM.replace(HOST, "https://evil.example"),
        CONFIRM.replace(HOST, "http://169.254.169.254"),
        CONFIRM.replace("ConfirmSubscription", "Unsubscribe"),
        CONFIRM.replace("mail-events", "another"),
        CONFIRM,  # nobody there gives it out
    ],
)
def test_a_confirmation_leads_to_sns_for_this_topic_alone(
    sns: Sns, receiver: SesReceiver, held: World, url: str
) -> None:
    (heard,) = held.take(receiver, posted(beginning(sns, url)))
    assert heard.problem is not None
    assert sns.asked == [PEM] + [CONFIRM] * (url == CONFIRM)


def test_a_confirmation_that_nobody_answers_is_tried_again(sns: Sns, receiver: SesReceiver, held: World) -> None:
    answer = receiver.accept(posted(beginning(sns, CONFIRM)))
    assert isinstance(answer, Accepted)

    def away(url: str) -> bytes | None:
        raise AwayError("does not answer")

    sns.fetching = away
    complaint = receiver.accept(posted(sns.notification(COMPLAINT)))
    assert isinstance(complaint, Accepted)
    waits, told = receiver.hear(held.house, [*answer.deliveries, *complaint.deliveries])
    assert waits.later
    assert told.sayings
    assert not told.later


def test_a_delivery_of_a_topic_that_is_allowed_no_more_confirms_nothing(sns: Sns, held: World) -> None:
    before = SesReceiver([TOPIC], sns.fetch, lambda: NOW)
    answer = before.accept(posted(beginning(sns, CONFIRM)))
    assert isinstance(answer, Accepted)
    after = SesReceiver([f"{TOPIC}-2"], sns.fetch, lambda: NOW)
    assert after.hear(held.house, answer.deliveries)[0].problem
    assert sns.asked == [PEM]


def test_the_end_of_a_subscription_is_said(sns: Sns, receiver: SesReceiver, held: World) -> None:
    ended = beginning(sns, CONFIRM) | {"Type": "UnsubscribeConfirmation"}
    (heard,) = held.take(receiver, posted(sns.sign(ended)))
    assert "ended" in (heard.problem or "")
    assert sns.asked == [PEM]


def test_the_word_that_a_topic_works_says_nothing(sns: Sns, receiver: SesReceiver, held: World) -> None:
    first = "Successfully validated SNS topic for Amazon SES event publishing."
    assert only(held.take(receiver, posted(sns.notification(first)))) == []
    for number, other in enumerate(("Hello", [], {}, "{"), start=2):
        (heard,) = held.take(receiver, posted(sns.notification(other, number)))
        assert heard.problem


# --- what it says --------------------------------------------------------------------------------


def heard_of(held: World, receiver: SesReceiver, sns: Sns, event: object, number: int = 1) -> list[e.Event]:
    return only(held.take(receiver, posted(sns.notification(event, number))))


@pytest.mark.parametrize("name", ["eventType", "notificationType"])
def test_a_complaint_stops_all_advertising_and_joining_again_revives_nothing(
    sns: Sns, receiver: SesReceiver, held: World, name: str
) -> None:
    assert held.may(ANA)[0]
    old = {name: "Complaint"} | {field: COMPLAINT[field] for field in ("complaint", "mail")}
    (complaint,) = heard_of(held, receiver, sns, old)
    assert isinstance(complaint, e.Complained)
    assert complaint.occurred_from == datetime(2026, 3, 2, 11, 41, 2, 669_000, UTC)
    heard_of(held, receiver, sns, subscription(preferences(False, News="OptIn"), preferences(True)), 2)
    assert held.may(ANA) == (False, "complained")


def test_moved_out_of_the_spam_folder_is_no_complaint(sns: Sns, receiver: SesReceiver, held: World) -> None:
    kind = {"complaint": COMPLAINT["complaint"] | {"complaintFeedbackType": "not-spam"}}
    assert heard_of(held, receiver, sns, COMPLAINT | kind) == []


def test_everybody_who_may_have_complained_did(sns: Sns, receiver: SesReceiver, held: World) -> None:
    held.known(BEN)
    both = [{"emailAddress": f"Ana <{ANA}>"}, {"emailAddress": "?"}, "?", {"emailAddress": BEN}]
    heard = held.take(receiver, posted(sns.notification(COMPLAINT | {"complaint": {"complainedRecipients": both}})))
    # who the two others are, a person has to find out
    assert [bool(one.problem) for one in heard] == [False, True, True, False]
    assert held.may(ANA) == held.may(BEN) == (False, "complained")


def test_a_message_that_tells_of_too_many_is_refused(sns: Sns, receiver: SesReceiver) -> None:
    many: dict[str, Any] = {"complaint": {"complainedRecipients": [{}] * (MOST_ITEMS + 1)}}
    assert refused(receiver.accept(posted(sns.notification(COMPLAINT | many)))) == 413


@pytest.mark.parametrize(
    ("kind", "as_"), [("Permanent", "hard"), ("Transient", "soft"), ("Undetermined", "soft"), ("New", "soft")]
)
def test_bounces(sns: Sns, receiver: SesReceiver, held: World, kind: str, as_: str) -> None:
    bounce = {"bounceType": kind, "bouncedRecipients": [{"emailAddress": ANA, "diagnosticCode": f"no {ANA}"}]}
    event = {"eventType": "Bounce", "bounce": {**bounce, "timestamp": "2026-03-02T11:41:00.000Z"}, "mail": MAIL}
    (bounced,) = heard_of(held, receiver, sns, event)
    assert isinstance(bounced, e.Bounced)
    assert bounced.kind == as_


@pytest.mark.parametrize("order", list(itertools.permutations(("Send", "Delivery"))))
def test_a_mail_sent_and_delivered_is_one(sns: Sns, receiver: SesReceiver, held: World, order: tuple[str, str]) -> None:
    told = {
        "Send": {"eventType": "Send", "send": {}, "mail": MAIL},
        "Delivery": {
            "eventType": "Delivery",
            "delivery": {"timestamp": "2026-03-02T11:40:09.000Z", "recipients": [ANA]},
            "mail": MAIL,
        },
    }
    for number, kind in enumerate(order):
        heard_of(held, receiver, sns, told[kind], number)
    (sent,) = held.events(ANA)
    assert isinstance(sent, e.EmailSent)
    assert sent.message == MAIL["messageId"]
    assert sent.occurred_from == datetime(2026, 3, 2, 11, 40, 1, 123_000, UTC)


def test_leaving_everything_stops_and_topics_that_stood_so_are_shown(
    sns: Sns, receiver: SesReceiver, held: World
) -> None:
    event = subscription(preferences(True, News="OptOut"), preferences(False, News="OptOut"))
    stop, shown = heard_of(held, receiver, sns, event)
    assert isinstance(stop, e.OptedOut)
    assert isinstance(shown, e.SubscriptionShown)
    assert (shown.subscription_type, shown.state) == (token_of("SES Readers News"), "unsubscribed")
    assert held.may(ANA) == (False, "opted_out")


def test_leaving_a_topic_stops_by_its_name(sns: Sns, receiver: SesReceiver, held: World) -> None:
    event = subscription(
        preferences(False, News="OptOut", Jobs="OptIn"), preferences(False, News="OptIn", Jobs="OptIn")
    )
    (left,) = heard_of(held, receiver, sns, event)
    assert isinstance(left, e.TypeOptedOut)
    assert (left.subscription_type, left.by) == (token_of("SES Readers News"), "data_subject")
    assert not held.may(ANA)[0]


@pytest.mark.parametrize("after", [{}, None, {"unsubscribeAll": "yes"}])
def test_preferences_that_are_not_understood_are_a_stop(
    sns: Sns, receiver: SesReceiver, held: World, after: object
) -> None:
    assert isinstance(heard_of(held, receiver, sns, subscription(after, None))[0], e.OptedOut)


@pytest.mark.parametrize("kind", ["Open", "Click", "Reject", "DeliveryDelay", "Rendering Failure"])
def test_others_are_accepted_and_not_kept(sns: Sns, receiver: SesReceiver, kind: str) -> None:
    assert receiver.accept(posted(sns.notification({"eventType": kind, "mail": MAIL}))) == Accepted()


@pytest.mark.parametrize(
    "event",
    [
        {"eventType": "ListUnsubscribe", "mail": MAIL},
        {"eventType": "Complaint"},
        {"eventType": "Bounce", "bounce": {"bouncedRecipients": [{"emailAddress": "nobody"}]}},
        {"eventType": "Send", "mail": MAIL | {"timestamp": "soon"}},
        {"eventType": "Subscription", "subscription": {}},
    ],
)
def test_what_cannot_be_understood_says_so_without_naming_anybody(
    sns: Sns, receiver: SesReceiver, held: World, event: dict[str, Any]
) -> None:
    (heard,) = held.take(receiver, posted(sns.notification(event)))
    assert heard.problem
    assert "@" not in heard.problem
    assert not heard.sayings


def test_repeated_replayed_and_in_any_order_it_is_the_same(sns: Sns, tmp_path: Path) -> None:
    receiver = SesReceiver([TOPIC], sns.fetch, lambda: NOW)
    left, joined = preferences(True), preferences(False)
    story = [
        posted(sns.notification(subscription(left, joined), 1)),
        posted(sns.notification(subscription(joined, left, "2026-03-02T11:55:00.000Z"), 2)),
        posted(sns.notification({"eventType": "Send", "mail": MAIL}, 3)),
    ]
    for place, order in enumerate(itertools.permutations(story)):
        with world(tmp_path / str(place)) as made:
            made.known(ANA)
            made.take(receiver, *order, *order)
            made.seen.clear()
            count = made.count()
            made.take(receiver, *order)
            assert made.count() == count
            assert len(made.events(ANA)) == 3
            assert made.may(ANA) == (False, "opted_out")


def test_what_it_kept_is_all_it_hears(receiver: SesReceiver, held: World) -> None:
    (heard,) = receiver.hear(held.house, [Delivery("k", None, b"{}")])
    assert heard.problem
    assert isinstance(receiver.accept(posted(b"")), Refused)
