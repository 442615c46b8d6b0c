"""A Mailchimp audience: proof only where the act's own time and address are held."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.inputs import sort_inputs
from adapters.mailchimp.audience import AudienceMembers
from adapters.statements import Statement, Wanted
from adapters.tabular import Rejected, UnreadableInput
from ledger import events as e

HEADER = "Email Address,First Name,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP"
MEMBERS = {
    "subscribed_email_audience_export_0a1b2c.csv": f"{HEADER},LAST_CHANGED,LEID\n"
    "double@example.com,D,2024-01-01 09:00:00,192.0.2.1,2024-01-01 09:05:00,192.0.2.1,,1\n"
    "single@example.com,S,2024-01-01 09:00:00,192.0.2.1,2024-01-01 09:00:00,192.0.2.1,,2\n"
    "admin@example.com,A,,,2024-02-01 09:05:00,198.51.100.7,,3\n"
    "import@example.com,I,2024-01-01 09:00:00,,2024-01-01 09:05:00,,,4\n"
    "unconfirmed@example.com,U,2024-01-01 09:00:00,192.0.2.1,2024-01-01 09:05:00,,,5\n",
    "unsubscribed_email_audience_export_0a1b2c.csv": f"{HEADER},UNSUB_TIME,UNSUB_REASON,UNSUB_REASON_OTHER,LEID\n"
    "gone@example.com,G,2023-01-01 09:00:00,192.0.2.1,,,2024-03-01 08:00:00,NORMAL,,6\n"
    "cross@example.com,C,,,,,2024-03-01 08:00:00,ABUSE,this is spam,7\n"
    "undated@example.com,N,,,,,,,,8\n"
    "no address,N,,,,,2024-03-01 08:00:00,,,9\n",
    "cleaned_email_audience_export_0a1b2c.csv": f"{HEADER},CLEAN_TIME,LEID\n"
    "back@example.com,B,,,,,2024-03-02 08:00:00,10\n",
    "nonsubscribed_email_audience_export_0a1b2c.csv": f"{HEADER},LAST_CHANGED,LEID\n"
    "never@example.com,N,2024-01-01 09:00:00,192.0.2.1,2024-01-01 09:05:00,192.0.2.1,,11\n",
}


@pytest.fixture
def audience(tmp_path: Path) -> Path:
    path = tmp_path / "audience.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return path


def read(path: Path) -> tuple[dict[str, list[Statement]], list[Rejected]]:
    rejected: list[Rejected] = []
    told: dict[str, list[Statement]] = {}
    for file in sort_inputs([path]).evidence:
        assert isinstance(file, AudienceMembers)
        assert (file.kind, file.system) == ("audience", "mailchimp")
        for one in file.statements(Wanted(), rejected.append):
            told.setdefault((one.email or "").partition("@")[0], []).append(one)
    return told, rejected


def test_only_members_whose_own_act_is_on_record_signed_up(audience: Path) -> None:
    told, _ = read(audience)
    kinds = {name: [type(one.event).__name__ for one in said] for name, said in told.items()}
    assert kinds == {
        "double": ["FormSubmitted", "DoubleOptInConfirmed"],
        "single": ["FormSubmitted"],
        "unconfirmed": ["FormSubmitted"],
        "gone": ["OptedOut"],
        "cross": ["OptedOut", "Complained"],
        "undated": ["OptedOut"],
        "back": ["Bounced"],
    }
    submitted, confirmed = (one.event for one in told["double"])
    assert isinstance(submitted, e.FormSubmitted)
    assert isinstance(confirmed, e.DoubleOptInConfirmed)
    assert submitted.form == "mailchimp.0a1b2c"
    assert (submitted.occurred_from, submitted.captured_by) == (datetime(2024, 1, 1, 9, tzinfo=UTC), "form_record")
    assert confirmed.verifies_channel == "email"


def test_stops_are_dated_by_mailchimp_and_none_is_lost(audience: Path) -> None:
    told, rejected = read(audience)
    assert told["gone"][0].event.occurred_from == datetime(2024, 3, 1, 8, tzinfo=UTC)
    assert told["undated"][0].event.occurred_from is told["undated"][0].event.captured_at is None
    assert [(one.row, one.may_stop) for one in rejected] == [(5, True)]


def test_members_and_sign_ups_are_counted(audience: Path) -> None:
    files = sort_inputs([audience]).evidence
    for file in files:
        list(file.statements(Wanted(), lambda _: None))
    assert [file.found.lists["0a1b2c"].count for file in files] == [1, 1, 5, 4]
    assert files[2].found.forms["mailchimp-0a1b2c"].rows == 3


def test_a_file_that_does_not_say_its_state_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    path.write_text(MEMBERS["subscribed_email_audience_export_0a1b2c.csv"])
    with pytest.raises(UnreadableInput) as caught:
        sort_inputs([path])
    assert caught.value.code == "unknown_state"


@pytest.mark.parametrize(
    ("people", "address", "delay", "counted"),
    [
        (6, "192.0.2.{}", "09:{:02}:30", 6),
        (4, "192.0.2.9", "09:00:30", 4),
        (6, "192.0.2.9", "09:{:02}:30", 0),
        (6, "192.0.2.{}", "09:00:30", 0),
    ],
)
def test_what_a_machine_confirmed_is_no_act_of_the_person(
    tmp_path: Path, people: int, address: str, delay: str, counted: int
) -> None:
    """One network address or one delay for five and most of the file; that is told, with the file's name."""
    rows = [
        f"p{n}@example.com,2024-01-01 09:00:00,198.51.100.{n},2024-01-01 {delay.format(n)},{address.format(n)},{n}"
        for n in range(1, people + 1)
    ]
    path = tmp_path / "subscribed_email_audience_export_77.csv"
    path.write_text("\n".join(("Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID", *rows)) + "\n")
    (file,) = sort_inputs([path]).evidence
    told = list(file.statements(Wanted(), lambda _: None))
    confirmed = [one.event for one in told if isinstance(one.event, e.DoubleOptInConfirmed)]
    assert len(confirmed) == people
    assert sum(event.by == "data_subject" for event in confirmed) == counted
    assert sum(isinstance(one.event, e.FormSubmitted) for one in told) == people
    assert bool(file.doubts) is (counted == 0)
