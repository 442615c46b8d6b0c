"""Mailchimp: known by its path alone; the same facts as in an audience's files; a new address is no new person."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from adapters.evidence import take_in
from adapters.inputs import sort_inputs
from adapters.mailchimp.webhooks import MailchimpReceiver
from adapters.receiving import MOST_BYTES, Accepted, Sent
from adapters.statements import Wanted
from ledger import events as e
from ledger.terms import LEDGER_STREAM
from tests.adapters.senders.world import ANA, BEN, NOW, World, only, refused, world

SECRET, OLDER = "a-long-and-secret-tail", "one-more-secret-of-before"
RECEIVER = MailchimpReceiver([SECRET, OLDER])
FIRED = "2026-03-02 11:59:40"
AT = datetime(2026, 3, 2, 11, 59, 40, tzinfo=UTC)
LIST = "a6b5da1054"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.known(ANA)
        yield made


def fired(kind: str, fired_at: str = FIRED, at: datetime = NOW, tail: str = SECRET, **data: str) -> Sent:
    fields = {"type": kind, "fired_at": fired_at, "data[list_id]": LIST}
    fields |= {f"data[{name}]": value for name, value in data.items()}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return Sent("POST", tail, headers, urlencode(fields).encode(), at)


def left(email: str = ANA, **data: str) -> Sent:
    fields = {"action": "unsub", "reason": "manual", "email": email} | data
    return fired("unsubscribe", FIRED, NOW, SECRET, **fields)


def test_either_secret_opens_and_nothing_else_does() -> None:
    for tail in (SECRET, OLDER, f"/{SECRET}"):
        assert isinstance(RECEIVER.accept(left()._replace(tail=tail)), Accepted)
    for tail in ("", SECRET[:-1], f"{SECRET}x", f"x/{SECRET}", SECRET.upper(), "\udcff", "ä" * 20):
        assert refused(RECEIVER.accept(left()._replace(tail=tail))) == 401
        assert refused(RECEIVER.accept(left()._replace(tail=tail, method="GET"))) == 401


@pytest.mark.parametrize("secrets", [[], [""], ["short"], [SECRET, "short"]])
def test_a_secret_that_can_be_guessed_is_none(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="16 characters"):
        MailchimpReceiver(secrets)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_look_whether_we_are_there_changes_nothing(method: str) -> None:
    assert RECEIVER.accept(left()._replace(method=method)) == Accepted()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (MOST_BYTES + 1), 413),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"type=%ff", 400),
        (b'{"type": "unsubscribe"}', 400),
        (b"&".join(b"a%d=1" % number for number in range(2_000)), 400),
        (b"type=unsubscribe&data[email]=ana@example.org&data[email]=ben@example.org", 400),
        (b"type=profile&type=unsubscribe", 400),
    ],
)
def test_what_is_no_event_is_refused(body: bytes, status: int) -> None:
    assert refused(RECEIVER.accept(Sent("POST", SECRET, {}, body, NOW))) == status


def test_an_unsubscribe_stops(held: World) -> None:
    assert held.may(ANA)[0]
    (stop,) = only(held.take(RECEIVER, left()))
    assert isinstance(stop, e.OptedOut)
    assert (stop.by, stop.channels, stop.occurred_from, stop.precision) == ("data_subject", ("email",), AT, "exact")
    assert held.may(ANA) == (False, "opted_out")


def test_whoever_is_deleted_is_stopped_and_nobody_says_by_whom(held: World) -> None:
    (stop,) = only(held.take(RECEIVER, left(action="delete")))
    assert isinstance(stop, e.OptedOut)
    assert (stop.by, stop.via) == ("unknown", "mailchimp.delete")
    assert not held.may(ANA)[0]


@pytest.mark.parametrize(
    "sent", [left(reason="abuse"), fired("cleaned", reason="abuse", email=ANA, campaign_id="4fjk2ma9xd")]
)
def test_a_complaint_stops_and_a_later_sign_up_revives_nothing(held: World, sent: Sent) -> None:
    held.take(RECEIVER, sent)
    again = fired("subscribe", "2026-03-02 12:30:00", NOW + timedelta(hours=1), email=ANA, ip_signup="192.0.2.1")
    held.take(RECEIVER, again)
    assert any(isinstance(event, e.Complained) for event in held.events(ANA))
    assert not held.may(ANA)[0]


def test_a_cleaned_address_bounced(held: World) -> None:
    (bounced,) = only(held.take(RECEIVER, fired("cleaned", reason="hard", email=ANA)))
    assert isinstance(bounced, e.Bounced)
    assert bounced.kind == "hard"


def test_a_sign_up_counts_where_mailchimp_holds_its_address_and_confirms_nothing(held: World) -> None:
    (form,) = only(held.take(RECEIVER, fired("subscribe", email=BEN, ip_signup="192.0.2.1", ip_opt="192.0.2.1")))
    assert isinstance(form, e.FormSubmitted)
    assert (form.form, form.by, form.captured_by) == (f"mailchimp.{LIST}", "data_subject", "form_record")
    (added,) = only(held.take(RECEIVER, fired("subscribe", email=ANA, ip_opt="192.0.2.1")))
    assert isinstance(added, e.SubscriptionShown)
    assert (added.subscription_type, added.state) == (f"mailchimp-{LIST}", "subscribed")


@pytest.mark.parametrize("kind", ["profile", "campaign"])
def test_what_says_nothing_is_not_kept(kind: str) -> None:
    assert RECEIVER.accept(fired(kind, email=ANA)) == Accepted()


@pytest.mark.parametrize(
    "sent", [fired("vanished", email=ANA), left(email="nobody"), fired("upemail", old_email=ANA, new_email="nobody")]
)
def test_what_cannot_be_understood_says_so_without_naming_anybody(held: World, sent: Sent) -> None:
    (heard,) = held.take(RECEIVER, sent)
    assert heard.problem is not None
    assert "@" not in heard.problem
    assert not heard.sayings


def test_a_time_that_did_not_just_pass_may_be_of_any_zone(held: World) -> None:
    (stop,) = only(held.take(RECEIVER, fired("unsubscribe", "2026-03-02 07:59:40", email=ANA)))
    assert stop.precision == "period"
    assert stop.earliest < AT < stop.latest
    (undated,) = only(held.take(RECEIVER, fired("unsubscribe", "2099-01-01 00:00:00", email=ANA)))
    assert undated.occurred_from is None
    assert not held.may(ANA)[0]


def test_repeated_replayed_and_in_any_order_it_is_the_same(tmp_path: Path) -> None:
    story = [
        fired("subscribe", "2026-03-02 11:50:00", email=BEN, ip_signup="192.0.2.1"),
        left(BEN),
        fired("subscribe", "2026-03-02 11:55:00", email=BEN),
    ]
    held: list[object] = []
    for place, order in enumerate(itertools.permutations(story)):
        with world(tmp_path / str(place)) as made:
            made.known(BEN)
            made.take(RECEIVER, *order, *order)
            made.seen.clear()  # as after the month for which keys are kept
            count = made.count()
            made.take(RECEIVER, *order)
            assert made.count() == count
            held.append((made.may(BEN), sorted(type(event).__name__ for event in made.events(BEN))))
    assert held[0] == (
        (False, "opted_out"),
        ["FormSubmitted", "OptedOut", "SubscriptionShown"],
    )
    assert all(one == held[0] for one in held)


def test_what_the_files_of_the_audience_say_too_is_one_fact(held: World, tmp_path: Path) -> None:
    header = "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP"
    with zipfile.ZipFile(tmp_path / "audience.zip", "w") as archive:
        archive.writestr(
            f"unsubscribed_email_audience_export_{LIST}.csv",
            f"{header},UNSUB_TIME,UNSUB_REASON,UNSUB_REASON_OTHER,LEID\n{ANA},,,,,{FIRED},ABUSE,,1\n",
        )
        archive.writestr(
            f"subscribed_email_audience_export_{LIST}.csv",
            f"{header},LAST_CHANGED,LEID\n{BEN},{FIRED},192.0.2.1,,,,2\n",
        )
        archive.writestr(
            f"cleaned_email_audience_export_{LIST}.csv", f"{header},CLEAN_TIME,LEID\n{BEN},,,,,{FIRED},3\n"
        )
    held.take(
        RECEIVER,
        left(reason="abuse"),
        fired("subscribe", email=BEN, ip_signup="192.0.2.1"),
        fired("cleaned", email=BEN, reason="hard"),
    )
    taken = take_in(held.house, sort_inputs([tmp_path / "audience.zip"]).evidence, Wanted())
    assert sum(one.facts for one in taken) == sum(one.unchanged for one in taken) == 4


# --- another address of the same person -----------------------------------------------------------


def moved(old: str = ANA, new: str = BEN) -> Sent:
    return fired("upemail", old_email=old, new_email=new, new_id="51da8c3259")


def test_a_new_address_is_the_same_person_and_takes_the_stops_along(held: World) -> None:
    held.take(RECEIVER, left(), moved())
    assert held.house.find(ANA)[0] == held.house.find(BEN)[0]
    assert held.may(BEN) == (False, "opted_out")
    shown = [event for event in held.events(BEN) if isinstance(event, e.SubscriptionShown)]
    assert [(one.state, one.via) for one in shown] == [("not_specified", "mailchimp.upemail")]


@pytest.mark.parametrize("stopped", [ANA, BEN])
@pytest.mark.parametrize("first", ["stop", "move"])
def test_an_address_that_is_somebodys_is_linked_and_stops_hold_for_both(held: World, stopped: str, first: str) -> None:
    held.known(BEN)
    story = [left(stopped), moved()]
    held.take(RECEIVER, *(story if first == "stop" else reversed(story)))
    assert held.house.find(ANA)[0] != held.house.find(BEN)[0]
    assert not held.may(ANA)[0]
    assert not held.may(BEN)[0]


def test_a_change_of_address_told_in_one_batch_with_what_came_before_it(held: World) -> None:
    requests = (fired("subscribe", email=BEN, ip_signup="192.0.2.1"), left(), moved())
    answers = [RECEIVER.accept(sent) for sent in requests]
    deliveries = [one for answer in answers if isinstance(answer, Accepted) for one in answer.deliveries]
    held.hear(RECEIVER, deliveries)
    assert held.may(BEN) == (False, "opted_out")
    count = held.count()
    held.hear(RECEIVER, deliveries)
    assert held.count() == count


def test_a_change_of_address_told_again_after_an_erasure_makes_nobody_known(held: World) -> None:
    (heard,) = held.take(RECEIVER, moved())
    assert all(saying.event.stream == LEDGER_STREAM for saying in heard.sayings)
    contact, _ = held.house.find(ANA)
    held.house.ledger.erasure_request(ANA, source="t")
    held.house.ledger.vault.erase(contact)
    count = held.count()
    held.seen.clear()
    held.take(RECEIVER, moved())
    assert held.count() == count
    assert held.house.ledger.vault.find_address(BEN) is None
