"""Lists that say row by row who said no: a file's name decides nothing alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.inputs import sort_inputs
from adapters.statements import Statement, Wanted
from adapters.tabular import Rejected, UnreadableInput
from ledger import events as e


def read(path: Path) -> tuple[dict[str, set[str]], list[Rejected], str]:
    """What each address is said to have done, what was rejected, and the kind of the file."""
    (file,) = sort_inputs([path]).evidence
    rejected: list[Rejected] = []
    said: dict[str, set[str]] = {}
    for one in file.statements(Wanted(), rejected.append):
        said.setdefault(one.email or one.record_id or "", set()).add(_word(one))
    return said, rejected, file.kind


def _word(one: Statement) -> str:
    return {e.OptedOut: "left", e.Complained: "complained", e.Bounced: "bounced"}[type(one.event)]


def lay(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("opt-outs.csv", ("email,doNotEmail", "a@x.org,1", "b@x.org,0", "c@x.org,TRUE", "d@x.org,"), {"a": 1, "c": 1}),
        ("opt-outs.csv", ("email,subscribed", "a@x.org,yes", "b@x.org,no"), {"b": 1}),
        ("opt-outs.csv", ("email,status", "a@x.org,unsubscribed", "b@x.org,active"), {"a": 1}),
        ("opt-outs.csv", ("email,reason", "a@x.org,by phone", "b@x.org,"), {"a": 1, "b": 1}),
        ("opt-outs.csv", ("email,suppressed,reason", "a@x.org,yes,by phone", "b@x.org,no,by phone"), {"a": 1}),
        ("opt-outs.csv", ("email,Name,Date", "a@x.org,Ana,2026-01-02"), {"a": 1}),
        ("do not mail.csv", ("email", "a@x.org"), {"a": 1}),
        ("do-not-contact.csv", ("email", "a@x.org"), {"a": 1}),
        ("doNotContact.csv", ("Email,City", "a@x.org,Ulm"), {"a": 1}),
        ("subscribers.csv", ("Email,Tags,Status", "a@x.org,x,Unsubscribed", "b@x.org,y,Active"), {"a": 1}),
    ],
)
def test_a_column_says_who_said_no(tmp_path: Path, name: str, lines: tuple[str, ...], expected: dict[str, int]) -> None:
    said, rejected, _ = read(lay(tmp_path, name, *lines))
    assert said == {f"{letter}@x.org": {"left"} for letter in expected}
    assert not rejected


@pytest.mark.parametrize(
    "title",
    [
        "newsletter unsubscribes removed",
        "contacts without opt-outs",
        "list excluding unsubscribed",
        "audience cleaned of suppressions",
        "customers not in suppression list",
        "not unsubscribed",
        "no opt outs",
        "Kunden ohne Abgemeldete",
        "contacts_opt-outs_removed",
        "UnsubscribesRemoved",
    ],
)
def test_a_name_that_may_mean_who_is_left_is_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(UnreadableInput) as refused:
        sort_inputs([lay(tmp_path, f"{title}.csv", "Email,First Name", "a@x.org,Ana")])
    assert refused.value.code == "ambiguous"
    assert title in str(refused.value)


@pytest.mark.parametrize(
    "lines",
    [
        ("email,flag", "a@x.org,yes", "b@x.org,no"),
        ("email,Spalte 2", "a@x.org,1", "b@x.org,0"),
        ("email,status", "a@x.org,A7", "b@x.org,B9"),
    ],
)
def test_a_column_of_which_nobody_can_tell_is_refused(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableInput) as refused:
        sort_inputs([lay(tmp_path, "opt-outs.csv", *lines)])
    assert refused.value.code == "ambiguous"
    assert lines[0].split(",")[1] in str(refused.value)


def test_a_status_nobody_can_read_may_be_a_stop(tmp_path: Path) -> None:
    said, rejected, _ = read(lay(tmp_path, "opt-outs.csv", "email,status", "a@x.org,unsubscribed", "b@x.org,B9"))
    assert said == {"a@x.org": {"left"}}
    (one,) = rejected
    assert one.row == 3
    assert one.may_stop
    assert "B9" in one.reason


SERVICES = {
    "ses": {
        "SuppressedDestinationSummaries": [
            {"EmailAddress": "a@x.org", "Reason": "BOUNCE", "LastUpdateTime": "2026-02-03T10:11:12+00:00"},
            {"EmailAddress": "b@x.org", "Reason": "COMPLAINT", "LastUpdateTime": "2026-02-03T10:11:12+00:00"},
        ]
    },
    "sendgrid bounces": [
        {"created": 1443651125, "email": "a@x.org", "reason": "550 5.7.1 blocked as spam", "status": "5.7.1"},
    ],
    "sendgrid invalid": [
        {"created": 1449953655, "email": "a@x.org", "reason": "Mail domain mentioned in email address is unknown"}
    ],
    "sendgrid spam": [{"created": 1443651141, "email": "b@x.org", "ip": "10.63.202.100"}],
    "sendgrid group": [
        {"email": "c@x.org", "group_id": 1, "group_name": "Weekly", "created_at": 1410986704},
    ],
    "brevo": {
        "count": 3,
        "contacts": [
            {
                "email": f"{letter}@x.org",
                "senderEmail": "us@y.org",
                "reason": {"code": code, "message": "whatever"},
                "blockedAt": "2026-02-03T10:11:12Z",
            }
            for letter, code in (("a", "hardBounce"), ("b", "contactFlaggedAsSpam"), ("c", "unsubscribedViaMA"))
        ],
    },
    "klaviyo": [
        {"Email": "a@x.org", "Suppression Reason": "HARD_BOUNCE", "Timestamp": "2026-02-03T10:11:12Z"},
        {"Email": "b@x.org", "Suppression Reason": "SPAM_COMPLAINT", "Timestamp": "2026-02-03T10:11:12Z"},
        {"Email": "c@x.org", "Suppression Reason": "USER_SUPPRESSED", "Timestamp": "2026-02-03T10:11:12Z"},
    ],
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_suppression_list_is_known_by_its_columns(tmp_path: Path, service: str) -> None:
    """Whatever it is called: a bounce is no stop, a complaint and an unsubscribe are."""
    path = tmp_path / "people.json"
    path.write_text(json.dumps(SERVICES[service]))
    said, rejected, kind = read(path)
    meant = {"a@x.org": {"bounced"}, "b@x.org": {"complained"}, "c@x.org": {"left"}}
    assert said
    assert said == {email: meant[email] for email in said}
    assert kind == "suppressions"
    assert not rejected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("EMAIL,FIRSTNAME,EMAIL_BLACKLISTED", "a@x.org,A,true", "b@x.org,B,false"), {"a@x.org": {"left"}}),
        (
            (
                "Email,Klaviyo ID,Email Marketing Consent,Email Suppressions",
                "a@x.org,1,SUBSCRIBED,",
                "b@x.org,2,SUBSCRIBED,SPAM_COMPLAINT",
                "c@x.org,3,UNSUBSCRIBED,",
                "d@x.org,4,NEVER_SUBSCRIBED,HARD_BOUNCE",
            ),
            {"b@x.org": {"complained"}, "c@x.org": {"left"}, "d@x.org": {"bounced"}},
        ),
    ],
)
def test_an_export_of_a_service_says_who_left(
    tmp_path: Path, lines: tuple[str, ...], expected: dict[str, set[str]]
) -> None:
    said, rejected, _ = read(lay(tmp_path, "people.csv", *lines))
    assert said == expected
    assert not rejected


@pytest.mark.parametrize(
    "label",
    [
        *("Newsletter abbestellt", "Kein Newsletter", "Consent withdrawn", "No newsletter", "Newsletter gekündigt"),
        *("Sans newsletter", "Newsletter stop", "Permission denied", "Abonnement beendet", "Refus newsletter"),
        *("Einwilligung widerrufen", "Do not want newsletter", "consentWithdrawn"),
    ],
)
def test_a_yes_in_a_column_of_a_no_is_a_stop(tmp_path: Path, label: str) -> None:
    said, rejected, _ = read(lay(tmp_path, "opt-outs.csv", f"email,{label}", "a@x.org,ja", "b@x.org,nein"))
    assert (said, rejected) == ({"a@x.org": {"left"}}, [])


@pytest.mark.parametrize(
    "label",
    [
        *("Inactive", "Newsletter lapsed", "Subscription over", "Marketing permission void", "Not unsubscribed"),
        *("Opt-out reversed", "Newsletter: nie wieder", "Opted in until last year"),
    ],
)
def test_a_column_whose_words_may_turn_it_round_is_asked_about(tmp_path: Path, label: str) -> None:
    with pytest.raises(UnreadableInput, match="does not understand") as refused:
        read(lay(tmp_path, "opt-outs.csv", f"email,{label}", "a@x.org,yes", "b@x.org,no"))
    assert refused.value.code == "ambiguous"


def test_a_good_status_hides_no_other(tmp_path: Path) -> None:
    lines = (
        "Email,Tags,Status,List Status,Unsubscribed",
        "a@x.org,,Active,Unsubscribed,",
        "b@x.org,,Active,Active,yes",
    )
    said, _, _ = read(lay(tmp_path, "subscribers.csv", *lines, "c@x.org,,Active,Active,no"))
    assert said == {"a@x.org": {"left"}, "b@x.org": {"left"}}


def test_who_is_refused_for_columns_reads_no_word_of_a_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput) as refused:
        read(lay(tmp_path, "k.csv", "Email,Email Marketing Consent", "a@x.org,perhaps", "b@x.org,so so"))
    assert "is named as" not in str(refused.value)
