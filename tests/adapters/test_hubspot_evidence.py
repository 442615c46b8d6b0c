"""HubSpot's files of evidence, fact by fact: what grants nothing is not told, and no stop is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from adapters.inputs import sort_inputs
from adapters.statements import Evidence, Statement, Wanted
from adapters.tabular import Rejected
from ledger import events as e

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1709290800000  # 2024-03-01 11:00 UTC
AT = datetime(2024, 3, 1, 11, tzinfo=UTC)


def read(
    folder: Path, name: str, content: str | dict[str, Any] | list[Any], wanted: Wanted | None = None
) -> tuple[list[Statement], list[Rejected], Evidence]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else msgspec.json.encode(content))
    rejected: list[Rejected] = []
    (file,) = sort_inputs([path], timezone=BERLIN).evidence
    return list(file.statements(wanted or Wanted(), rejected.append)), rejected, file


def names(told: Sequence[Statement]) -> list[str]:
    return [type(one.event).__name__ for one in told]


# --- forms

SUBMISSIONS = (
    "Conversion Date,Conversion ID,Form name,Email,Comment,News,Terms\n"
    "2024-03-01 12:00,c-1,Guide,ada@example.com,hello,Checked,Yes\n"
    "2024-03-02 12:00,c-2,Guide,bo@example.com,,Not Checked,Yes\n"
    "2024-03-03 12:00,c-3,Guide,cy@example.com,no,,Yes\n"
)


def test_a_submission_says_that_a_form_was_sent_in_and_nothing_of_its_answers(tmp_path: Path) -> None:
    told, rejected, file = read(tmp_path, "f.csv", SUBMISSIONS)
    assert (names(told), rejected, file.rows) == (["FormSubmitted"] * 3, [], 3)
    event = told[0].event
    assert isinstance(event, e.FormSubmitted)
    assert (event.form, event.by, event.via) == ("guide", "data_subject", "form")
    assert (event.occurred_from, event.captured_at, event.captured_by) == (AT, AT, "form_record")
    assert all(one.payload is None for one in told)
    assert {one.email for one in told} == {"ada@example.com", "bo@example.com", "cy@example.com"}


def test_columns_of_yes_and_no_are_counted_as_boxes_and_others_are_not(tmp_path: Path) -> None:
    _, _, file = read(tmp_path, "f.csv", SUBMISSIONS)
    form = file.found.forms["guide"]
    assert (form.rows, str(form.first), str(form.last)) == (3, "2024-03-01", "2024-03-03")
    assert {box: (found.ticked, found.unticked) for box, found in form.boxes.items()} == {
        "news": (1, 1),
        "terms": (3, 0),
    }


def test_only_a_wanted_box_is_told_and_an_empty_answer_is_none(tmp_path: Path) -> None:
    told, _, _ = read(tmp_path, "f.csv", SUBMISSIONS, Wanted({"guide": frozenset({"news"})}))
    answers = [one for one in told if isinstance(one.event, e.BoxAnswered)]
    assert [
        (one.email, one.event.box, one.event.ticked) for one in answers if isinstance(one.event, e.BoxAnswered)
    ] == [
        ("ada@example.com", "news", True),
        ("bo@example.com", "news", False),
    ]


def test_an_answer_that_is_neither_yes_nor_no_ticks_nothing(tmp_path: Path) -> None:
    content = "Submitted at,Email,News\n2024-03-01 12:00,ada@example.com,maybe\n2024-03-01 12:01,bo@example.com,yes\n"
    told, _, _ = read(tmp_path, "Guide 2024-11-20 (2).csv", content, Wanted({"guide": frozenset({"news"})}))
    assert names(told) == ["FormSubmitted", "FormSubmitted", "BoxAnswered"]
    assert told[2].email == "bo@example.com"


def test_submissions_of_the_api_are_read_with_their_values_by_name(tmp_path: Path) -> None:
    values = [
        {"name": "email", "value": "ada@example.com", "objectTypeId": "0-1"},
        {"name": "news", "value": "true"},
        {"name": "conversionId", "value": "typed in by somebody"},
    ]
    page = {"results": [{"conversionId": "c-9", "submittedAt": NOON, "values": values, "pageUrl": "https://x"}]}
    told, rejected, _ = read(tmp_path, "guide.json", page, Wanted({"guide": frozenset({"news"})}))
    assert (names(told), rejected) == (["FormSubmitted", "BoxAnswered"], [])
    assert told[0].event.occurred_from == AT
    assert told[0].source_id == "form:c-9"


def test_a_submission_nobody_can_date_is_rejected(tmp_path: Path) -> None:
    content = "Submitted at,Email\nlast spring,ada@example.com\n"
    told, rejected, _ = read(tmp_path, "f.csv", content)
    assert told == []
    assert (rejected[0].row, rejected[0].column) == (2, "Submitted at")


# --- deals


def test_a_won_deal_is_told_of_each_contact_and_others_are_passed_over(tmp_path: Path) -> None:
    content = (
        "Record ID,Deal Name,Deal Stage,Pipeline,Close Date,Associated Contact IDs,Email\n"
        "1,A,Closed Won (Shop),Shop,2024-03-01,7;8,\n"
        "2,B,Abgeschlossen und gewonnen,Shop,,,ada@example.com\n"
        "3,C,closedlost,Shop,2024-03-01,9,\n"
        "4,D,appointmentscheduled,Shop,2024-03-01,9,\n"
        "5,E,closedwon,Shop,2024-03-01,,\n"
    )
    told, rejected, file = read(tmp_path, "deals.csv", content)
    assert [(one.email, one.record_id) for one in told] == [(None, "7"), (None, "8"), ("ada@example.com", None)]
    event = told[0].event
    assert isinstance(event, e.DealWon)
    assert (event.deal, event.pipeline, event.precision, event.captured_by) == ("1", "shop", "day", "deal_record")
    assert event.occurred_from == datetime(2024, 2, 29, 23, tzinfo=UTC)
    assert (told[2].event.occurred_from, told[2].event.captured_at) == (None, None)
    assert [(one.row, one.reason) for one in rejected] == [(6, "a won deal without a contact")]
    assert file.found.pipelines["shop"].count == 3


def test_a_flag_that_says_not_won_goes_before_the_stage(tmp_path: Path) -> None:
    deal = {"id": "1", "properties": {"dealstage": "closedwon", "hs_is_closed_won": "false", "closedate": None}}
    won = {"id": "2", "properties": {"dealstage": "98221", "hs_is_closed_won": "true", "closedate": "2024-03-01"}}
    contacts = {"associations": {"contacts": {"results": [{"id": "7", "type": "x"}, {"id": "8", "type": "x"}]}}}
    told, _, _ = read(tmp_path, "deals.json", {"results": [deal | contacts, won | contacts]})
    assert [(one.record_id, one.source_id) for one in told] == [("7", "deal:2:7"), ("8", "deal:2:8")]


# --- subscriptions


def change(**fields: Any) -> dict[str, Any]:
    return {
        "timestamp": NOON,
        "portalId": 1,
        "recipient": "ada@example.com",
        "changes": [{"timestamp": NOON, "source": "SOURCE_RECIPIENT", "changeType": "SUBSCRIPTION_STATUS", **fields}],
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"change": "UNSUBSCRIBED", "subscriptionId": 5}, ("TypeOptedOut", "data_subject")),
        ({"change": "UNSUBSCRIBED", "changeType": "PORTAL_STATUS", "subscriptionId": 5}, ("OptedOut", "data_subject")),
        ({"change": "UNSUBSCRIBED"}, ("OptedOut", "data_subject")),
        (
            {"change": "UNSUBSCRIBED", "source": "SOURCE_HUBSPOT_CUSTOMER", "subscriptionId": 5},
            ("TypeOptedOut", "officer"),
        ),
        ({"change": "SUBSCRIBED", "subscriptionId": 5}, None),
        ({"change": "SUBSCRIBED", "subscriptionId": 5, "formName": "Guide", "source": "SOURCE_IMPORT"}, None),
        ({"change": "SUBSCRIBED", "subscriptionId": 5, "formName": "Guide", "source": "SOURCE_NEW"}, None),
        ({"change": "SUBSCRIBED", "subscriptionId": 5, "formName": "Guide"}, ("BoxAnswered", "data_subject")),
        ({"change": "CONFIRMED", "subscriptionId": 5}, ("DoubleOptInConfirmed", "data_subject")),
        ({"change": "CONFIRMED", "subscriptionId": 5, "source": "SOURCE_HUBSPOT_CUSTOMER"}, None),
        ({"change": "CONFIRMATION_REQUESTED", "subscriptionId": 5}, ("OptInRequested", "system")),
        ({"change": "BOUNCED", "changeType": "PORTAL_BOUNCE"}, ("Bounced", "system")),
        ({"change": "NOT_SPECIFIED", "subscriptionId": 5}, None),
    ],
)
def test_a_change_of_subscription(tmp_path: Path, fields: dict[str, Any], expected: tuple[str, str] | None) -> None:
    wanted = Wanted({"guide": frozenset({"type.5"})})
    told, rejected, _ = read(tmp_path, "t.json", {"timeline": [change(**fields)]}, wanted)
    assert rejected == []
    assert [(type(one.event).__name__, one.event.by) for one in told] == ([expected] if expected else [])
    for one in told:
        assert (one.event.occurred_from, one.event.captured_at) == (AT, AT)
        assert one.event.captured_by == "subscription_timeline"


def test_a_type_switched_on_by_a_form_is_a_box_of_it_told_where_wanted(tmp_path: Path) -> None:
    timeline = {"timeline": [change(change="SUBSCRIBED", subscriptionName="Product News", formName="Guide")]}
    told, _, file = read(tmp_path, "t.json", timeline)
    assert told == []
    assert file.found.forms["guide"].boxes["type.product-news"].ticked == 1
    assert file.found.types["product-news"].count == 1


def test_a_change_nobody_knows_is_named_for_it_may_be_an_opt_out(tmp_path: Path) -> None:
    told, rejected, _ = read(tmp_path, "t.json", {"timeline": [change(change="VANISHED", subscriptionId=5)]})
    assert told == []
    assert "VANISHED" in rejected[0].reason


def test_each_change_of_one_entry_is_read(tmp_path: Path) -> None:
    entry = change(change="UNSUBSCRIBED", subscriptionId=5)
    entry["changes"].append({**entry["changes"][0], "subscriptionId": 6})
    told, _, _ = read(tmp_path, "t.json", {"timeline": [entry]})
    assert [(one.row, one.event.subscription_type) for one in told if isinstance(one.event, e.TypeOptedOut)] == [
        (2, "5"),
        (3, "6"),
    ]


# --- unsubscribes and bounces


def test_unsubscribes_and_bounces(tmp_path: Path) -> None:
    content = (
        "Email,Contact ID,Unsubscribed from all email,Subscription type,Reason,Date,Spam report\n"
        "a@example.com,,Yes,,Unsubscribed,2024-03-01 12:00,\n"
        "b@example.com,2,No,Product News,Unsubscribed,,\n"
        "c@example.com,3,No,,Soft bounce,2024-03-01 12:00,\n"
        "d@example.com,4,No,,Marked as spam,2024-03-01 12:00,\n"
        "e@example.com,5,perhaps,,,,\n"
        "f@example.com,6,No,,Gone fishing,,\n"
        "g@example.com,7,No,,,,Yes\n"
        "h@example.com,8,No,,,,\n"
    )
    told, rejected, file = read(tmp_path, "u.csv", content)
    assert (rejected, file.rows) == ([], 8)
    assert [((one.email or "")[0], type(one.event).__name__) for one in told] == [
        ("a", "OptedOut"), ("b", "TypeOptedOut"), ("c", "Bounced"), ("d", "Complained"),
        ("e", "OptedOut"), ("f", "OptedOut"), ("g", "Complained"),
    ]  # fmt: skip
    assert (told[0].event.captured_at, told[0].event.captured_by) == (AT, "event_log")
    undated = told[1].event
    assert (undated.occurred_from, undated.occurred_to, undated.captured_at, undated.captured_by) == (None,) * 4
    assert undated.precision == "unknown"


def test_columns_of_types_say_which_were_left(tmp_path: Path) -> None:
    content = "Email,Opted out of email: News,Opted out of email: Offers,Spam report\na@example.com,Yes,No,\n"
    told, _, _ = read(tmp_path, "u.csv", content)
    assert [one.event.subscription_type for one in told if isinstance(one.event, e.TypeOptedOut)] == ["news"]
    assert len(told) == 1


def test_a_stop_with_an_address_nobody_can_read_is_listed_as_one(tmp_path: Path) -> None:
    content = "Email,Contact ID,Reason,Date\nnot an address,,Unsubscribed,\nnot one either,7,Unsubscribed,\n"
    told, rejected, _ = read(tmp_path, "u.csv", content)
    assert [(one.email, one.record_id) for one in told] == [(None, "7")]
    assert rejected[0].row == 2
    assert rejected[0].may_stop


# --- e-mail events


def event(number: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"e-{number}", "type": kind, "recipient": "ada@example.com", "created": NOON, **fields}


def test_what_events_say(tmp_path: Path) -> None:
    events = [
        event(1, "SENT", emailCampaignId=5, subject="Hello", **{"from": "shop@example.com"}),
        event(2, "DELIVERED", sentBy={"id": "e-1", "created": NOON}),
        event(3, "OPEN"),
        event(4, "CLICK", sentBy={"id": "e-1", "created": NOON}),
        event(5, "CLICK", filteredEvent=True),
        event(6, "BOUNCE", category="MAILBOX_FULL"),
        event(7, "BOUNCE", category="UNKNOWN_USER"),
        event(8, "SPAMREPORT"),
        event(9, "STATUSCHANGE", portalSubscriptionStatus="UNSUBSCRIBED", source="SOURCE_HUBSPOT_CUSTOMER"),
        event(
            10, "STATUSCHANGE", subscriptions=[{"id": 5, "status": "UNSUBSCRIBED"}, {"id": 6, "status": "SUBSCRIBED"}]
        ),
        event(11, "STATUSCHANGE", portalSubscriptionStatus="SUBSCRIBED"),
        event(12, "DROPPED", dropReason="PREVIOUSLY_UNSUBSCRIBED_MESSAGE"),
        event(13, "DROPPED", dropReason="PREVIOUS_SPAM"),
        event(14, "DROPPED", dropReason="PREVIOUSLY_BOUNCED"),
        event(15, "DROPPED", dropReason="NON_MARKETABLE_CONTACT"),
    ]
    told, rejected, file = read(tmp_path, "e.json", {"events": events})
    assert rejected == []
    assert [(one.row - 1, type(one.event).__name__) for one in told] == [
        (1, "CampaignMailSent"), (4, "Clicked"), (6, "Bounced"), (7, "Bounced"), (8, "Complained"), (9, "OptedOut"),
        (10, "TypeOptedOut"), (12, "OptedOut"), (13, "Complained"), (14, "Bounced"),
    ]  # fmt: skip
    sent = told[0]
    assert isinstance(sent.event, e.CampaignMailSent)
    assert (sent.event.message, sent.event.campaign, sent.event.purpose) == ("e-1", "5", None)
    assert sent.payload == {"message_id": "e-1", "campaign": "5", "subject": "Hello", "from": "shop@example.com"}
    assert [one.event.kind for one in told if isinstance(one.event, e.Bounced)] == ["soft", "hard", "hard"]
    assert told[5].event.by == "officer"
    dropped = told[7].event
    assert (dropped.occurred_from, dropped.occurred_to) == (None, AT)
    assert file.found.campaigns["5"].count == 1


@pytest.mark.parametrize(("kinds", "expected"), [
    (("DELIVERED", "PROCESSED", "SENT"), 1), (("DELIVERED", "PROCESSED"), 1), (("DELIVERED",), 1), (("OPEN",), 0),
])  # fmt: skip
def test_one_mail_is_told_once_however_many_events_tell_of_it(
    tmp_path: Path, kinds: tuple[str, ...], expected: int
) -> None:
    by = {"sentBy": {"id": "e-1", "created": NOON - 1000}}
    events = [event(1, kind) if kind == "SENT" else event(n, kind, **by) for n, kind in enumerate(kinds, 2)]
    told, _, _ = read(tmp_path, "e.json", {"events": events})
    assert len(told) == expected
    assert all(one.source_id == "sent:e-1" for one in told)


def test_a_file_of_one_type_is_known_by_its_name(tmp_path: Path) -> None:
    content = "id,recipient,created,emailCampaignId\ne-1,ada@example.com,1709290800000,5\n"
    assert names(read(tmp_path, "email_event_spam_report.csv", content)[0]) == ["Complained"]
    assert names(read(tmp_path, "email_event_bounce.csv", content)[0]) == ["Bounced"]


def test_a_type_of_event_nobody_knows_is_named(tmp_path: Path) -> None:
    told, rejected, _ = read(tmp_path, "e.json", {"events": [event(1, "TELEPORTED")]})
    assert told == []
    assert "TELEPORTED" in rejected[0].reason


def test_a_campaigns_recipients(tmp_path: Path) -> None:
    content = (
        "Recipient,Sent At (Your time zone),Not Sent Reason,Bounce Reason,Bounce,Spam Report,Unsubscribed\n"
        "a@example.com,2024-03-01 12:00,,,No,No,Yes\n"
        "b@example.com,2024-03-01 12:00,,UNKNOWN_USER,Yes,No,No\n"
        "c@example.com,2024-03-01 12:00,Previously unsubscribed,,,,\n"
        "d@example.com,2024-03-01 12:00,,,,true,\n"
    )
    told, rejected, _ = read(tmp_path, "March news 2024-03-02.csv", content)
    assert rejected == []
    assert [((one.email or "")[0], type(one.event).__name__) for one in told] == [
        ("a", "CampaignMailSent"), ("a", "OptedOut"), ("b", "CampaignMailSent"), ("b", "Bounced"), ("c", "OptedOut"),
        ("d", "CampaignMailSent"), ("d", "Complained"),
    ]  # fmt: skip
    assert isinstance(told[0].event, e.CampaignMailSent)
    assert told[0].event.campaign == "march-news"
    assert told[1].event.earliest == AT
    assert (told[4].event.occurred_from, told[4].event.occurred_to) == (None, AT)


def test_an_address_where_a_name_belongs_never_becomes_a_token(tmp_path: Path) -> None:
    told, _, _ = read(tmp_path, "e.json", {"events": [event(1, "SENT", campaignName="bo@example.com")]})
    assert isinstance(told[0].event, e.CampaignMailSent)
    assert told[0].event.campaign == "masked-address"


# --- a no that stands where nobody looks


@pytest.mark.parametrize(
    ("form", "label", "cell"),
    [
        ("Unsubscribe", "Comment", "hello"),
        ("Abmeldung vom Newsletter", "Comment", ""),
        ("Contact", "Please unsubscribe me", "Checked"),
        ("Contact", "I do not want marketing", "Yes"),
        ("Contact", "Unsubscribe reason", "too many mails"),
    ],
)
def test_a_form_by_which_somebody_may_have_left_holds_them(tmp_path: Path, form: str, label: str, cell: str) -> None:
    head = f"Conversion Date,Conversion ID,Form name,Email,{label}\n"
    told, rejected, _ = read(tmp_path, "f.csv", head + f"2024-03-01 12:00,c-1,{form},ada@example.com,{cell}\n")
    assert names(told) == ["FormSubmitted"]
    assert [(one.row, one.may_stop) for one in rejected] == [(2, True)]


def test_a_box_left_open_or_declared_holds_nobody(tmp_path: Path) -> None:
    head = "Conversion Date,Conversion ID,Form name,Email,No newsletter\n"
    rows = "2024-03-01 12:00,c-1,Contact,ada@example.com,No\n2024-03-01 12:00,c-2,Contact,bo@example.com,Yes\n"
    _, rejected, _ = read(tmp_path, "f.csv", head + rows, Wanted({"contact": frozenset({"no-newsletter"})}))
    assert not rejected


def test_a_row_of_unsubscribes_that_says_nothing_is_held(tmp_path: Path) -> None:
    head = "Email,Unsubscribed from all email,Subscription type,Reason,Date\n"
    rows = "ada@example.com,,,,2024-03-01\nbo@example.com,No,,,2024-03-01\ncy@example.com,,,Spam,2024-03-01\n"
    told, rejected, _ = read(tmp_path, "u.csv", head + rows)
    assert names(told) == ["Complained"]
    assert [(one.row, one.may_stop) for one in rejected] == [(2, True)]


def test_events_that_share_an_id_lose_no_stop(tmp_path: Path) -> None:
    events = [
        {"id": "7", "type": kind, "recipient": who, "created": NOON, "portalSubscriptionStatus": "UNSUBSCRIBED"}
        for who in ("ada@example.com", "bo@example.com")
        for kind in ("SPAMREPORT", "STATUSCHANGE")
    ]
    told, _, _ = read(tmp_path, "e.json", {"events": events})
    assert len({one.source_id for one in told}) == len(told) == 4


def test_a_row_of_unsubscribes_whose_types_say_no_holds_nobody(tmp_path: Path) -> None:
    head = "Email,Unsubscribed from all email,Opted out of email: News,Reason,Date\n"
    _, rejected, _ = read(tmp_path, "u.csv", head + "ada@example.com,,No,,2024-03-01\nbo@example.com,,,,2024-03-01\n")
    assert [one.row for one in rejected] == [3]
