"""A stop with one odd field, of any sender: it stops, or waits for somebody to look at it; it is never nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from prometheus_client import CollectorRegistry

from adapters.esp.ses import SesReceiver
from adapters.inbox import Inbox
from adapters.logs import Lines
from adapters.metrics import Metrics
from adapters.receiving import Accepted, Heard, Receiver, Refused, Sent
from adapters.webhooks import Actor
from ledger import events as e
from tests.adapters import hubspot_hooks as hubspot
from tests.adapters.senders import test_mailchimp_webhooks as mailchimp
from tests.adapters.senders import test_postmark as postmark
from tests.adapters.senders import test_sendgrid as sendgrid
from tests.adapters.senders import test_ses as ses
from tests.adapters.senders.world import ANA, BEN, NOW, TOPIC, Sns, World, posted, world

ODD: Mapping[str, Any] = {
    "null": None,
    "nought": 0,
    "large": 10**30,
    "less": -5,
    "yes": True,
    "no": False,
    "list": [],
    "object": {},
    "empty": "",
    "blank": "  ",
    "snow": "\u2603garb\0",
    "part": 1.5,
    "long": "x" * 5_000,
    "digits": "1700000000000",
}
Make = Callable[[Any], Sent]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.known(ANA)
        yield made


def odd(said: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same without each of its fields, and with each of them odd."""
    for name in said:
        yield f"{name} missing", {field: value for field, value in said.items() if field != name}
        yield from ((f"{name} {how}", {**said, name: value}) for how, value in ODD.items())


def lost(held: World, receiver: Receiver, make: Make, said: Mapping[str, Any]) -> list[str]:
    """What of it came to nothing. A refusal is no loss: its sender sends again, and it is counted."""
    found = []
    for about, one in odd(said):
        answer = receiver.accept(make(one))
        if isinstance(answer, Accepted) and not all(map(counts, _heard(held, receiver, answer))):
            found.append(about)
    return found


def _heard(held: World, receiver: Receiver, answer: Accepted) -> list[Heard]:
    return list(receiver.hear(held.house, answer.deliveries)) or [Heard()]


def counts(heard: Heard) -> bool:
    """Whether it stops somebody, or waits for a person."""
    return bool(heard.problem or heard.later or any(isinstance(one.event, e.Stop) for one in heard.sayings))


@pytest.mark.parametrize(
    "said",
    [
        sendgrid.event("unsubscribe"),
        sendgrid.event("group_unsubscribe", asm_group_id=7),
        sendgrid.event("spamreport"),
        sendgrid.event("dropped", reason="Unsubscribed Address"),
    ],
    ids=lambda said: str(said["event"]),
)
def test_sendgrid(held: World, said: dict[str, Any]) -> None:
    assert lost(held, sendgrid.RECEIVER, sendgrid.signed, said) == []


@pytest.mark.parametrize(
    "said",
    [
        postmark.CHANGED,
        postmark.BOUNCE | {"RecordType": "SpamComplaint"},
        postmark.BOUNCE | {"Type": "Unsubscribe"},
    ],
    ids=["changed", "complaint", "bounce"],
)
def test_postmark(held: World, said: dict[str, Any]) -> None:
    """`SuppressSending` false says that somebody was switched on again."""
    assert lost(held, postmark.RECEIVER, postmark.sent, said) in ([], ["SuppressSending no"])


def test_mailchimp(held: World) -> None:
    said = {
        "type": "unsubscribe",
        "fired_at": mailchimp.FIRED,
        "data[list_id]": mailchimp.LIST,
        "data[action]": "unsub",
        "data[reason]": "manual",
        "data[email]": ANA,
    }

    def make(fields: Mapping[str, object]) -> Sent:
        return Sent("POST", mailchimp.SECRET, {}, urlencode(fields).encode(), NOW)

    assert lost(held, mailchimp.RECEIVER, make, said) == []


def test_ses(held: World) -> None:
    """What is odd may lie deep within; nobody is left out because a list of topics cannot be read."""
    keys = Sns()
    receiver = SesReceiver([TOPIC], keys.fetch, lambda: NOW)

    def make(event: object) -> Sent:
        return posted(keys.notification(event))

    topics = ses.subscription(ses.preferences(False, News="OptOut"), ses.preferences(False, News="OptIn"))
    everything = ses.subscription(ses.preferences(True), ses.preferences(False))
    for event in (ses.COMPLAINT, everything, topics):
        assert lost(held, receiver, make, event) == []
    for event, name in ((ses.COMPLAINT, "complaint"), (everything, "subscription"), (topics, "subscription")):

        def within(part: object, event: dict[str, Any] = event, name: str = name) -> Sent:
            return make({**event, name: part})

        assert lost(held, receiver, within, event[name]) == []

    def of_topic(topic: object) -> Sent:
        after = {"unsubscribeAll": False, "topicSubscriptionStatus": [topic]}
        return make(ses.subscription(after, ses.preferences(False, News="OptIn")))

    assert lost(held, receiver, of_topic, {"topicName": "News", "subscriptionStatus": "OptOut"}) == []


def test_a_complaint_that_names_nobody_is_of_whom_the_mail_went_to(held: World) -> None:
    keys = Sns()
    receiver = SesReceiver([TOPIC], keys.fetch, lambda: NOW)
    nobody = {**ses.COMPLAINT, "complaint": {**ses.COMPLAINT["complaint"], "complainedRecipients": []}}
    held.take(receiver, posted(keys.notification(nobody)))
    assert held.may(ANA) == (False, "complained")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"propertyName": "hs_email_optout_77"},
        {"propertyName": "hs_email_quarantined_reason", "propertyValue": "RECIPIENT_COMPLAINT"},
        {"subscriptionType": "object.propertyChange", "objectTypeId": "0-1"},
    ],
    ids=["all", "type", "complaint", "object"],
)
def test_hubspot(held: World, fields: dict[str, Any]) -> None:
    """A property that was cleared, one that is not watched, and an object that is no contact are what they say."""
    receiver, now = hubspot.receiver(), datetime(2026, 12, 1, tzinfo=UTC)

    def make(said: object) -> Sent:
        return hubspot.sent(hubspot.body_of(said), now)

    said = hubspot.notice(**fields)
    names = {f"propertyName {how}" for how, value in ODD.items() if isinstance(value, str) and value.strip()}
    values = {"propertyValue empty", "propertyValue no", "propertyValue nought"}
    if said["propertyName"] == "hs_email_quarantined_reason":  # another reason is a bounce
        values = {f"propertyValue {how}" for how in ODD if how != "null"}
    others = {f"objectTypeId {how}" for how, value in ODD.items() if isinstance(value, str) and value.strip()}
    assert set(lost(held, receiver, make, said)) <= names | values | others


@pytest.mark.parametrize(
    "fields",
    [
        {"occurredAt": "1780000000000"},
        {"occurredAt": None},
        {"occurredAt": "yesterday"},
        {"eventId": None},
        {"subscriptionId": [1]},
        {"sourceId": True},
        {"isSensitive": "no"},
        {"changeSource": " "},
        {"changeSource": 7},
        {"propertyValue": True},
        {"propertyValue": 1},
        {"mergedObjectIds": None},
    ],
    ids=str,
)
def test_a_stop_of_hubspot_stops_whatever_else_of_it_cannot_be_read(held: World, fields: dict[str, Any]) -> None:
    receiver, now = hubspot.receiver(), datetime(2026, 12, 1, tzinfo=UTC)
    (heard,) = held.take(receiver, hubspot.sent(hubspot.body_of(hubspot.notice(**fields)), now))
    assert heard.problem is None
    assert any(isinstance(one.event, e.OptedOut) for one in heard.sayings)


def test_two_notices_that_differ_in_their_value_alone_are_two(held: World) -> None:
    """HubSpot promises of no event id that it is unique."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    body = hubspot.body_of(hubspot.notice(value="false"), hubspot.notice(value="true"))
    heard = held.take(hubspot.receiver(), hubspot.sent(body, now))
    assert sum(isinstance(one.event, e.OptedOut) for each in heard for one in each.sayings) == 1


def test_one_bad_item_of_a_list_takes_no_other_with_it(held: World) -> None:
    """The others of a request that its sender signed count; the bad one is kept, to be looked at."""
    bad = (b"7", b"null", b'"ana"', b'{"event": "unsubscribe", "event": "open"}', b"[[]]", b"{}")
    for number, item in enumerate(bad):
        good = sendgrid.event("unsubscribe", number, email=f"person{number}@example.org")
        body = b"[" + item + b", " + json.dumps(good).encode() + b"]"
        heard = held.take(sendgrid.RECEIVER, sendgrid.signed(body=body))
        assert sorted(bool(one.problem) for one in heard) == [False, True]
        assert any(isinstance(one.event, e.OptedOut) for each in heard for one in each.sayings)
        notice = hubspot.body_of(hubspot.notice(600 + number))[1:-1]
        now = datetime(2026, 12, 1, tzinfo=UTC)
        told = held.take(hubspot.receiver(), hubspot.sent(b"[" + item + b", " + notice + b"]", now))
        assert [bool(one.problem) for one in told] == [True, False]


def test_two_events_of_sendgrid_with_one_id_hide_nothing_of_each_other(held: World) -> None:
    held.known(BEN)
    one_id = [sendgrid.event("bounce"), sendgrid.event("unsubscribe"), sendgrid.event("spamreport", email=BEN)]
    assert len(held.take(sendgrid.RECEIVER, sendgrid.signed(*one_id))) == 3
    assert held.may(ANA)[0] is False
    assert held.may(BEN) == (False, "complained")


def test_a_refusal_is_for_a_body_and_not_for_one_item() -> None:
    for body in (b"", b"{", b"{}", b"\xff", b"7"):
        assert isinstance(sendgrid.RECEIVER.accept(sendgrid.signed(body=body)), Refused)


def test_a_stop_under_an_id_that_is_somebody_elses_is_set_aside(held: World) -> None:
    """It is recorded of nobody, so somebody must look; the same stop told again is no loss."""
    held.known(BEN)
    events = [sendgrid.event("unsubscribe"), sendgrid.event("unsubscribe", email=BEN), sendgrid.event("spamreport", 2)]
    log = io.StringIO()
    with closing(Inbox.open(held.house)) as inbox:
        lines, metrics = Lines(log, lambda: NOW), Metrics(CollectorRegistry())
        actor = Actor(held.house, inbox, [sendgrid.RECEIVER], lines, metrics, lambda: NOW, "one")
        for one in events:
            answer = sendgrid.RECEIVER.accept(sendgrid.signed(one))
            assert isinstance(answer, Accepted)
            inbox.keep("sendgrid", answer.deliveries, NOW)
            while actor.act():
                pass
        (dead,) = inbox.rows(["dead"])
        assert dead.problem is not None
        assert "somebody else" in dead.problem
        assert inbox.counts() == (0, 1)
    assert held.may(ANA)[0] is False
    assert "marker" not in log.getvalue()
