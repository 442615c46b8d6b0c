"""A change of a property says the same whichever way it comes; our own comes back as no stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.hubspot.changes import Change, Changes
from ledger import codec
from ledger import events as e

AT = datetime(2026, 2, 1, 9, 12, 33, 120_000, UTC)
OURS = "4711"


def changes() -> Changes:
    return Changes({"77": "Product News"}, lambda change: change.source_id == OURS)


def said(name: str, value: str, source: str = "CRM_UI", source_id: str = "userId:1") -> list[e.Event]:
    found = changes().facts(Change("501", name, value, AT, source, source_id))
    for one in found:
        codec.check(one.event)
        assert one.event.occurred_from == one.event.captured_at == AT
    assert len({one.source_id for one in found}) == len(found)
    return [one.event for one in found]


@pytest.mark.parametrize(
    ("source", "by"),
    [
        ("EMAIL", "data_subject"),
        ("FORM", "data_subject"),
        ("CRM_UI", "officer"),
        ("IMPORT", "officer"),
        ("", "unknown"),
    ],
)
def test_an_opt_out_is_a_stop_whoever_set_it(source: str, by: str) -> None:
    stop, shown = said("hs_email_optout", "true", source)
    assert isinstance(stop, e.OptedOut)
    assert (stop.by, stop.channels) == (by, ("email",))
    assert isinstance(shown, e.OptOutShown)
    assert shown.opted_out


@pytest.mark.parametrize("value", ["false", "", "no"])
def test_an_opt_out_lifted_is_shown_and_lifts_nothing(value: str) -> None:
    (shown,) = said("hs_email_optout", value)
    assert isinstance(shown, e.OptOutShown)
    assert not shown.opted_out
    assert shown.via == "hubspot.crm-ui"


def test_what_is_not_understood_counts_as_a_stop() -> None:
    assert isinstance(said("hs_email_optout", "perhaps")[0], e.OptedOut)
    assert isinstance(said("hs_email_optout_77", "perhaps")[0], e.TypeOptedOut)


def test_leaving_a_type_names_the_type_as_its_files_do() -> None:
    (stop,) = said("hs_email_optout_77", "true", "EMAIL")
    assert isinstance(stop, e.TypeOptedOut)
    assert stop.subscription_type == "product-news"
    (unknown,) = said("hs_email_optout_78", "true", "EMAIL")
    assert isinstance(unknown, e.TypeOptedOut)
    assert unknown.subscription_type == "78"


def test_our_own_write_comes_back_as_what_is_shown() -> None:
    for name in ("hs_email_optout", "hs_email_optout_77"):
        found = said(name, "true", "INTEGRATION", OURS)
        assert not any(isinstance(event, e.Stop) for event in found)
        assert any(isinstance(event, e.Stop) for event in said(name, "true", "INTEGRATION", "another"))


def test_a_type_switched_on_grants_nothing() -> None:
    (shown,) = said("hs_email_optout_77", "false", "IMPORT")
    assert isinstance(shown, e.SubscriptionShown)
    assert (shown.state, shown.via) == ("subscribed", "hubspot.import")
    (cleared,) = said("hs_email_optout_77", "", "IMPORT")
    assert isinstance(cleared, e.SubscriptionShown)
    assert cleared.state == "not_specified"


def test_marks_and_claims() -> None:
    (marked,) = said("hs_marketable_status", "true")
    assert isinstance(marked, e.MarketingStatusObserved)
    assert marked.marketing is True
    (unsaid,) = said("hs_marketable_status", "")
    assert isinstance(unsaid, e.MarketingStatusObserved)
    assert unsaid.marketing is None
    (claim,) = said("hs_legal_basis", "Freely given consent from contact;Performance of a contract")
    assert isinstance(claim, e.BasisClaimed)
    assert claim.claims == ("consent", "contract")
    (confirmed,) = said("hs_emailconfirmationstatus", "Confirmed from previous behavior")
    assert isinstance(confirmed, e.BasisClaimed)
    assert (confirmed.field, confirmed.claims) == ("double_opt_in", ())


def test_complaints_and_bounces() -> None:
    assert isinstance(said("hs_email_quarantined_reason", "RECIPIENT_COMPLAINT")[0], e.Complained)
    (bounced,) = said("hs_email_hard_bounce_reason", "UNKNOWN_USER")
    assert isinstance(bounced, e.Bounced)
    assert (bounced.kind, bounced.reason) == ("hard", "unknown_user")
    assert said("hs_email_hard_bounce_reason", "") == []
    assert said("hs_email_bad_address", "false") == []


def test_what_is_not_watched_says_nothing() -> None:
    assert said("firstname", "Ada") == []
    assert said("consent_ledger_verdict", "marketing") == []


def test_the_same_change_is_one_fact_and_another_moment_another() -> None:
    change = Change("501", "hs_email_optout", "true", AT, "EMAIL")
    first, again = (changes().facts(change) for _ in range(2))
    assert first == again
    later = changes().facts(change._replace(at=AT + timedelta(milliseconds=1)))
    assert {one.source_id for one in later}.isdisjoint(one.source_id for one in first)
