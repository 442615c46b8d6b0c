"""Rows to facts: what stops, stops; nothing grants; the same file again is the same facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.hubspot.demo import write_demo_export
from adapters.hubspot.export import Row, read_export
from adapters.hubspot.facts import Fact, Person, facts_of
from ledger import codec
from ledger.events import (
    BasisClaimed,
    Bounced,
    Complained,
    CountryEvidenced,
    CountryHint,
    DoubleOptInConfirmed,
    Event,
    MarketingStatusObserved,
    OptedIn,
    OptedOut,
    OptOutShown,
    RecipientDescribed,
    ReviewDecided,
    Stop,
    TypeOptedOut,
)
from ledger.terms import BEGINNING

AT = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
LATER = AT + timedelta(days=3)
PERSON = Person(
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
)


def row(**said: Any) -> Row:
    common: dict[str, Any] = {
        "file": "f.csv",
        "row": 2,
        "record_id": "7",
        "email": "ada@example.com",
        "raw": b"",
    }
    return Row(**(common | said))


def events(at: datetime = AT, *, known_claims: bool = False, **said: Any) -> list[Event]:
    """What the row says, apart from that it was seen."""
    found = [event for event, _, _ in facts_of(row(**said), PERSON, at, known_claims=known_claims)]
    return [event for event in found if not isinstance(event, MarketingStatusObserved) or event.marketing is not None]


def source_ids(at: datetime = AT, **said: Any) -> set[str]:
    return {source_id for _, source_id, _ in facts_of(row(**said), PERSON, at)}


def test_a_row_that_says_nothing_is_no_fact() -> None:
    assert events() == []


def test_a_row_is_seen_on_its_day_with_what_it_answers() -> None:
    """Be it with nothing: an older row that says otherwise is superseded."""
    (seen, _, _), *_ = facts_of(row(legal_basis=(), opted_out=False, quarantined=False), PERSON, AT)
    assert isinstance(seen, MarketingStatusObserved)
    assert (seen.captured_at, seen.marketing) == (AT, None)
    assert seen.answered == ("legal_basis", "not_opted_out", "takes_mail")


def test_the_mark_is_recorded_as_seen_and_grants_nothing() -> None:
    (event,) = events(marketing=True, until_next_update=False, marketing_reason="form_submission", lifecycle="customer")
    assert event == MarketingStatusObserved(
        stream=PERSON.contact,
        address=PERSON.address,
        record=PERSON.record,
        source="hubspot.export",
        by="system",
        occurred_from=AT,
        captured_at=AT,
        captured_by="import_file",
        marketing=True,
        until_next_update=False,
        reason="form_submission",
        lifecycle="customer",
    )
    assert events(lifecycle="customer", form_submissions=3) == []


def test_unsubscribed_from_all_stops_all_marketing_by_email_from_the_beginning() -> None:
    shown, stop = events(opted_out=True)
    assert isinstance(shown, OptOutShown)
    assert shown.opted_out
    assert isinstance(stop, OptedOut)
    assert (stop.purposes, stop.channels, stop.by, stop.via) == (
        ("marketing.*",), ("email",), "data_subject", "hubspot",
    )  # fmt: skip
    assert (stop.earliest, stop.occurred_to, stop.precision) == (BEGINNING, AT, "unknown")
    (shown,) = events(opted_out=False)
    assert isinstance(shown, OptOutShown)
    assert not shown.opted_out


def test_every_type_left_is_a_stop_of_its_own() -> None:
    first, second = events(opted_out_of=("News", "Marketing Information"))
    assert isinstance(first, TypeOptedOut)
    assert isinstance(second, TypeOptedOut)
    assert (first.subscription_type, second.subscription_type) == ("news", "marketing-information")
    assert (first.via, first.purposes, first.channels) == ("hubspot_type", ("marketing.*",), ("email",))
    assert len(source_ids(opted_out_of=("News", "Marketing Information"))) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"quarantined": True, "quarantine": ("on_list_import",)}, [("quarantined", "on_list_import")]),
        ({"quarantined": True}, [("quarantined", None)]),
        ({"quarantine": ("other",)}, [("quarantined", "other")]),
        ({"hard_bounce": "unknown_user", "invalid": True}, [("hard", "unknown_user"), ("invalid", None)]),
        ({"quarantined": False, "invalid": False}, []),
    ],
)
def test_what_does_not_take_mail_is_suspended(said: dict[str, Any], expected: list[object]) -> None:
    found = events(**said)
    assert all(isinstance(event, Bounced) for event in found)
    assert [(event.kind, event.reason) for event in found if isinstance(event, Bounced)] == expected


def test_a_complaint_is_a_stop() -> None:
    (complaint,) = events(quarantined=True, quarantine=("recipient_complaint",))
    assert isinstance(complaint, Complained)
    assert (complaint.by, complaint.earliest) == ("data_subject", BEGINNING)
    complaint, bounced = events(quarantine=("recipient_complaint", "blocklist_remediation"))
    assert isinstance(complaint, Complained)
    assert isinstance(bounced, Bounced)


def test_claims_are_claims_and_an_emptied_field_clears_one_known_of() -> None:
    basis, confirmation = events(legal_basis=("consent", "contract"), double_opt_in=("confirmation",))
    assert isinstance(basis, BasisClaimed)
    assert isinstance(confirmation, BasisClaimed)
    assert (basis.field, basis.claims) == ("legal_basis", ("consent", "contract"))
    assert (confirmation.field, confirmation.claims) == ("double_opt_in", ("confirmation",))
    assert events(legal_basis=(), double_opt_in=()) == []
    (cleared,) = events(legal_basis=(), known_claims=True)
    assert isinstance(cleared, BasisClaimed)
    assert cleared.claims == ()


def test_place_and_role() -> None:
    hints = (CountryHint(country="DE", kind="declared"), CountryHint(country="US", kind="ip"))
    place, role = events(email="info@example.com", hints=hints)
    assert isinstance(place, CountryEvidenced)
    assert place.hints == hints
    assert isinstance(role, RecipientDescribed)
    assert role.role_address


def test_a_source_id_is_of_record_field_value_address_and_moment() -> None:
    one = source_ids(marketing=True)
    assert source_ids(marketing=True) == one
    assert source_ids(marketing=True, raw=b"other cells", row=9, file="copy.csv") == one
    others = [
        source_ids(AT + timedelta(microseconds=5), marketing=True),
        source_ids(marketing=False),
        source_ids(LATER, marketing=True),
        source_ids(marketing=True, record_id="8"),
        source_ids(marketing=True, email="bo@example.com"),
        source_ids(marketing=True, record_id=None),
    ]
    assert len(set().union(one, *others)) == 7
    assert "ada" not in "".join(set().union(one, *others))


def test_a_value_that_comes_back_later_is_a_new_fact() -> None:
    days = [AT, AT + timedelta(days=1), AT + timedelta(days=2)]
    seen = [source_ids(day, marketing=value) for day, value in zip(days, (True, False, True), strict=True)]
    assert len(set().union(*seen)) == 3


def read_all(path: Path) -> list[Fact]:
    export = read_export([path])
    list(export.rows())
    assert export.newest is not None
    at = export.newest.latest
    return [fact for found in export.rows() for fact in facts_of(found, PERSON, at, known_claims=True)]


def test_reading_the_same_file_again_gives_the_same_facts_all_fit_for_the_log(tmp_path: Path) -> None:
    path = tmp_path / "demo.csv"
    write_demo_export(path)
    facts = read_all(path)
    assert read_all(path) == facts
    content: dict[str, Event] = {}
    for event, source_id, payload in facts:
        codec.check(event)
        entry = codec.stamp(codec.encode(event), codec.instant(LATER))
        assert codec.encode(codec.decode_strict(entry)) == entry
        assert payload is None
        assert content.setdefault(source_id, event) == event
        assert not isinstance(event, OptedIn | DoubleOptInConfirmed)
        if isinstance(event, Stop):
            assert event.earliest == BEGINNING
    kinds = {type(event) for event, _, _ in facts}
    assert kinds == {
        MarketingStatusObserved, OptOutShown, OptedOut, TypeOptedOut, Complained, Bounced, BasisClaimed,
        CountryEvidenced, RecipientDescribed, ReviewDecided,
    }  # fmt: skip
