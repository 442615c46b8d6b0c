"""P1 to P22: one test each, in the words of docs/reference/precedence.md."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger import events as e
from ledger.catalogue import Catalogue, evolve
from ledger.contact import Entry, undeliverable
from ledger.policy import shipped
from ledger.policy.judge import liability_date
from ledger.terms import LEDGER_STREAM
from tests.ledger.policy.story import (
    ANNA,
    DOUBLE,
    HOME,
    WORK,
    bought,
    given,
    happened,
    moved,
    opted_in,
    opted_out,
)

CONSENT = opted_in("2023-01-10")


def merged(at: str = "2023-06-01") -> e.Event:
    return happened(e.ContactsLinked, at, by="system", other=DOUBLE)


@pytest.mark.parametrize("stop", [e.OptedOut, e.Objected, e.OptOutObstructed, e.Complained, e.ErasureRequested])
def test_p01_every_kind_of_stop_beats_every_basis_in_its_scope(stop: type[e.Event]) -> None:
    """GDPR 7(3), 21(3); C-741/21; OTE: an attempt that did not get through counts."""
    history = given(CONSENT, bought("2023-02-01"), happened(stop, "2023-03-01"))
    for law in ("GB", "DE", "FR", "CA", "US", "AU", "XX"):
        assert not history.asked("2023-04-01", law).allowed
    assert history.asked("2023-02-20").allowed


def test_p01_a_stop_binds_its_scope_and_no_more() -> None:
    """An opt-out of text messages leaves the newsletter."""
    history = given(CONSENT, opted_out("2023-03-01", channels=("sms",)))
    assert history.asked("2023-04-01").allowed
    assert history.asked("2023-04-01", channel="sms").reason == "opted_out"


def test_p02_only_a_later_full_opt_in_by_the_person_revives_and_only_that_consent() -> None:
    """15 USC 7704(a)(4)(B); soft and implied bases stay dead."""
    history = given(bought("2023-02-01"), opted_out("2023-03-01"), opted_in("2023-05-01"))
    decision = history.asked("2023-06-01")
    assert (decision.allowed, decision.basis) == (True, "explicit_consent")
    assert decision.evidence == (3,)
    assert not history.asked("2023-06-01", purpose="marketing.survey").allowed


@pytest.mark.parametrize(
    "flaw",
    [
        {"by": "system"},
        {"by": "unknown"},
        {"by": "third_party"},
        {"act": "pre_ticked"},
        {"informed": None},
        {"specific": False},
        {"proof": "declared"},
        {"to": ("partners_unnamed",)},
        {"occurred_from": "2023-03-01"},
    ],
)
def test_p02_an_opt_in_that_is_not_fully_valid_or_not_later_revives_nothing(flaw: dict[str, object]) -> None:
    """On a tie the stop wins."""
    assert not given(CONSENT, opted_out("2023-03-01"), opted_in("2023-05-01", **flaw)).asked("2023-06-01").allowed


def test_p03_neither_purchase_nor_import_nor_merge_nor_migration_revives() -> None:
    """Conservative Party (ICO 2021): a migration resets nothing."""
    history = given(
        CONSENT,
        opted_out("2023-03-01"),
        bought("2023-04-01"),
        happened(e.ImportFinished, "2023-04-02", by="system", rows=1),
        happened(e.SystemMigrated, "2023-04-03", by="system"),
        moved(CONSENT, stream=DOUBLE),
        happened(e.ContactsLinked, "2023-04-04", other=DOUBLE),
        happened(e.OptOutShown, "2023-04-05", by="system", opted_out=False),
        happened(e.BasisClaimed, "2023-04-06", by="officer", claims=("consent",)),
    )
    assert history.asked("2023-06-01").reason == "opted_out"


def test_p04_to_unsubscribe_is_to_withdraw_and_to_object() -> None:
    """So the soft opt-in of the same scope dies with the consent."""
    assert not given(CONSENT, bought("2023-02-01"), opted_out("2023-03-01")).asked("2023-04-01").allowed


@pytest.mark.parametrize("empty", [{"purposes": ()}, {"channels": ()}, {"purposes": (), "channels": ()}])
def test_p04_a_stop_that_names_no_scope_has_the_widest(empty: dict[str, object]) -> None:
    """Whoever leaves a list empty means everything, and never nothing."""
    for kind in (e.OptedOut, e.Objected, e.Complained):
        assert not given(CONSENT, happened(kind, "2023-03-01", **empty)).asked("2023-04-01").allowed


@pytest.mark.parametrize(
    "scope",
    [
        {"purposes": ("marketing.newsletter",)},
        {"purposes": ("Marketing.Similar",)},
        {"purposes": ("similar",)},
        {"purposes": ("marketing",)},
        {"purposes": ("marketing.survey", "newsletters")},
        {"purposes": ("service.invoice", "newsletters")},
        {"channels": ("EMAIL",)},
        {"channels": ("e-mail",)},
        {"channels": ("sms", "mail")},
        {"except_purposes": ("*",)},
        {"except_purposes": ("marketing.*",)},
    ],
)
def test_p04_a_stop_that_names_what_nobody_knows_has_the_widest_scope(scope: dict[str, object]) -> None:
    """A misspelt name may have meant any: what was taken as a stop stops."""
    for kind in (e.OptedOut, e.Objected, e.OptOutObstructed, e.Complained):
        assert not given(CONSENT, happened(kind, "2023-03-01", **scope)).asked("2023-04-01").allowed


@pytest.mark.parametrize("scope", [{"purposes": ("marketing.survey",)}, {"channels": ("sms",)}])
def test_p04_a_stop_that_names_what_is_known_stops_that_alone(scope: dict[str, object]) -> None:
    assert given(CONSENT, happened(e.OptedOut, "2023-03-01", **scope)).asked("2023-04-01").allowed


def test_p04_what_the_person_carves_out_is_kept() -> None:
    """GP v juris: objected to everything, except the newsletter."""
    kept = {"purposes": ("marketing.*",), "except_purposes": ("marketing.similar",)}
    history = given(CONSENT, happened(e.Objected, "2023-03-01", **kept))
    assert history.asked("2023-04-01").allowed
    assert not history.asked("2023-04-01", purpose="marketing.other").allowed


def test_p05_a_spam_complaint_objects_to_all_marketing_by_email() -> None:
    """A feedback loop speaks of e-mail."""
    texts = opted_in("2023-01-10", channels=("sms",))
    history = given(CONSENT, texts, happened(e.Complained, "2023-03-01", by="system"))
    assert not history.asked("2023-04-01").allowed
    assert history.asked("2023-04-01", channel="sms").allowed


def test_p05_a_hard_bounce_suspends_the_address_and_is_no_legal_fact() -> None:
    """Delivery and permission are two answers."""
    history = given(CONSENT, happened(e.Bounced, "2023-03-01", by="system", kind="hard"))
    assert history.asked("2023-04-01").allowed
    assert undeliverable(history.contacts()[0], None) is not None


def test_p05_an_address_that_lives_again_long_after_a_bounce_voids_the_consent() -> None:
    """It may be another person's by now."""
    bounce = happened(e.Bounced, "2023-03-01", by="system", kind="hard")
    history = given(CONSENT, bounce, happened(e.Clicked, "2023-11-01"))
    assert history.asked("2023-10-01").allowed
    assert not history.asked("2023-12-01").allowed


def test_p06_an_opt_out_does_not_age_and_survives_the_account() -> None:
    """Virgin: more than a year; AG Augsburg: two."""
    history = given(opted_out("2005-03-01"), bought("2006-01-01"), happened(e.ContractEnded, "2007-01-01"))
    assert history.asked("2026-01-01", "AU").reason == "opted_out"


@pytest.mark.parametrize(("law", "liable_from"), [("CA", "2024-02-20"), ("US", "2024-02-20"), ("AU", "2024-02-13")])
def test_p07_effect_at_once_grace_is_liability_not_permission(law: str, liable_from: str) -> None:
    """CASL 11(3), 15 USC 7704(a)(4): ten business days; Spam Act Sch 2 cl 6: five."""
    history = given(CONSENT, opted_out("2024-02-05"))
    assert history.asked("2024-02-05T11:59:59", law).allowed
    assert not history.asked("2024-02-05T12:00:00", law).allowed
    stop = history.contacts()[0].stops[0]
    due = liability_date(stop, shipped.policy().regime(law))
    assert due is not None
    assert due.astimezone(shipped.policy().regime(law).zone).date().isoformat() == liable_from


def test_p08_a_request_for_erasure_stops_and_the_persons_own_return_lifts_it() -> None:
    """Garante 10102462 and its counterfactual. Key shredding and the suppression hash are the vault's."""
    erased = [CONSENT, happened(e.ErasureRequested, "2023-03-01"), happened(e.ErasureCompleted, "2023-03-02")]
    imported = happened(e.ImportFinished, "2023-05-01", by="system")
    assert given(*erased[:2], imported).asked("2023-06-01").reason == "erasure_requested"
    assert given(*erased, imported).asked("2023-06-01").reason == "erased"
    assert given(*erased, imported, opted_in("2023-05-02")).asked("2023-06-01").allowed


def test_p08_of_an_erased_contact_nothing_is_left_to_write_to() -> None:
    """Whatever carried it, and for whatever purpose: only what was given after the erasure counts."""
    held = [CONSENT, bought("2023-02-01")]
    erased = happened(e.ErasureCompleted, "2023-03-02")
    late = opted_in("2023-02-20", recorded_at="2023-04-01")
    for purpose in ("marketing.similar", "service.invoice"):
        assert given(*held).asked("2023-03-01", purpose=purpose).allowed
        assert given(*held, erased).asked("2023-03-01", purpose=purpose).allowed
        assert given(*held, erased, late).asked("2023-06-01", purpose=purpose).reason == "erased"


def test_p08_the_erasure_of_a_linked_contact_takes_no_other_with_it() -> None:
    """Its key is its own. A request for erasure is a stop, and that does reach all of them."""
    linked = happened(e.ContactsLinked, "2023-02-05", other=DOUBLE)
    erased = happened(e.ErasureCompleted, "2023-03-02", stream=DOUBLE)
    assert given(CONSENT, linked, erased).asked("2023-06-01").allowed


def test_p09_a_back_dated_stop_counts_from_when_it_happened() -> None:
    """Then: allowed as far as known. Today: not allowed in fact."""
    history = given(CONSENT, opted_out("2023-03-01", recorded_at="2023-05-01"))
    assert history.asked("2023-04-01", known_at="2023-04-01").allowed
    assert not history.asked("2023-04-01").allowed


def test_p10_a_back_dated_grant_counts_from_when_somebody_provably_held_it() -> None:
    """`captured_at` of a source accepted as contemporaneous, else the moment of recording."""
    late = opted_in("2023-01-10", recorded_at="2023-05-01")
    held = opted_in("2023-01-10", recorded_at="2023-05-01", captured_at="2023-01-11", captured_by="form_record")
    said = moved(held, captured_by="spreadsheet")
    assert not given(late).asked("2023-04-01").allowed
    assert given(late).asked("2023-06-01").allowed
    assert given(held).asked("2023-04-01").allowed
    assert not given(said).asked("2023-04-01").allowed


def test_p10_of_a_month_a_grant_counts_from_its_end_and_a_stop_from_its_start() -> None:
    """What is not known is never rounded up to yes."""
    june = {"occurred_to": "2023-06-30", "precision": "month"}
    grant = opted_in("2023-06-01", **june)
    stop = opted_out("2023-06-01", **june)
    assert not given(grant).asked("2023-06-15").allowed
    assert given(grant).asked("2023-07-01").allowed
    assert not given(CONSENT, stop).asked("2023-06-01").allowed


def test_p11_a_correction_is_a_new_event_and_takes_back_a_stop() -> None:
    """Nothing is edited; the stop stays in the log."""
    history = given(CONSENT, opted_out("2023-03-01"), happened(e.Corrected, "2023-04-01", by="officer", undoes=2))
    assert history.asked("2023-05-01").allowed
    assert len(history.contacts()[0].stops) == 1


@pytest.mark.parametrize("who", ["system", "agent", "third_party", "unknown", "officer"])
def test_p12_whoever_speaks_may_stop_but_only_the_person_grants(who: str) -> None:
    """In conflict the stop wins."""
    assert not given(CONSENT, opted_out("2023-03-01", by=who)).asked("2023-04-01").allowed
    assert not given(moved(CONSENT, by=who)).asked("2023-04-01").allowed


@pytest.mark.parametrize("door", ["reply", "fax", "dpo_email", "phone", "rfc8058", "spam_folder"])
def test_p13_a_stop_by_any_door_counts_from_receipt(door: str) -> None:
    """Yesmail: a reply eaten by a spam filter counts."""
    history = given(CONSENT, happened(e.Objected, "2023-03-01", via=door, recorded_at="2023-09-01"))
    assert history.asked("2023-04-01").reason == "objected"


def test_p14_merging_joins_stops_and_moves_no_grant() -> None:
    """And separating restores what each had."""
    theirs = moved(opted_out("2023-03-01"), stream=DOUBLE)
    apart = happened(e.ContactsUnlinked, "2023-07-01", by="officer", other=DOUBLE)
    assert given(CONSENT, theirs).asked("2023-08-01").allowed
    assert not given(CONSENT, theirs, merged()).asked("2023-08-01").allowed
    assert given(CONSENT, theirs, merged(), apart).asked("2023-08-01").allowed
    assert not given(moved(CONSENT, stream=DOUBLE), merged()).asked("2023-08-01").allowed


def test_p14_a_grant_stays_with_the_address_it_was_given_for() -> None:
    """Even within one record."""
    history = given(moved(CONSENT, address=HOME))
    assert history.asked("2023-04-01", address=HOME).allowed
    assert not history.asked("2023-04-01", address=WORK).allowed


def test_p15_after_withdrawal_a_contract_carries_service_mail_only() -> None:
    """Free of advertising."""
    history = given(CONSENT, opted_out("2023-03-01"), bought("2023-04-01", kind="subscription"))
    assert not history.asked("2023-05-01").allowed
    assert history.asked("2023-05-01", purpose="service.invoice").basis == "contract"


def test_p16_a_role_address_is_milder_in_some_places_and_a_stop_binds_it() -> None:
    """PECR 22(1); not so in Germany."""
    company = happened(e.RecipientDescribed, "2023-01-01", professional=True, corporate_subscriber=True)
    other = "marketing.other"
    assert given(company).asked("2023-04-01", "GB", purpose=other).basis == "legitimate_interest_b2b"
    assert not given(company).asked("2023-04-01", "DE", purpose=other).allowed
    stop = happened(e.Objected, "2023-03-01", address=WORK, address_only=True)
    assert not given(company, stop).asked("2023-04-01", "GB", address=WORK, purpose=other).allowed
    assert given(company, stop).asked("2023-04-01", "GB", address=HOME, purpose=other).allowed


def test_p17_a_minor_gets_no_marketing_without_a_guardians_consent() -> None:
    """GDPR Art 8."""
    child = happened(e.RecipientDescribed, "2023-01-01", minor=True)
    assert given(child, CONSENT).asked("2023-04-01").reason == "minor"
    assert given(child, bought("2023-02-01")).asked("2023-04-01").reason == "minor"
    assert given(child, moved(CONSENT, by="guardian")).asked("2023-04-01").allowed


def test_p17_the_age_of_digital_consent_is_each_countrys_own() -> None:
    """Thirteen in the United Kingdom, fourteen in Austria, sixteen in Germany."""
    fourteen = given(happened(e.RecipientDescribed, "2023-01-01", age=14), CONSENT)
    assert [fourteen.asked("2023-04-01", law).allowed for law in ("GB", "AT", "DE")] == [True, True, False]


def test_p18_consent_and_sale_bind_the_same_legal_person() -> None:
    """A group company is another."""
    assert not given(moved(CONSENT, to=("sister_company",))).asked("2023-04-01").allowed
    assert not given(bought("2023-01-10", seller="sister_company")).asked("2023-04-01").allowed


def test_p19_a_stop_binds_every_linked_record() -> None:
    """C-129/21, Caloga: all databases. Receipts of propagation come with the streams."""
    history = given(moved(CONSENT, address=HOME), moved(opted_out("2023-03-01"), stream=DOUBLE, address=WORK), merged())
    assert not history.asked("2023-07-01", address=HOME).allowed


def test_p20_the_same_fact_twice_changes_nothing() -> None:
    """Idempotence by source id is the log's; to judge, a repeated fact is the same fact."""
    once = [CONSENT, opted_out("2023-03-01"), opted_in("2023-05-01")]
    twice = [event for event in once for _ in range(2)]
    for moment in ("2023-02-01", "2023-04-01", "2023-06-01"):
        assert given(*once).asked(moment).allowed == given(*twice).asked(moment).allowed


def test_p20_a_scanner_that_clicks_neither_confirms_nor_keeps_alive() -> None:
    """A machine's click is no sign of life of the person."""
    person, scanner = (happened(e.Clicked, "2024-12-01", by=by) for by in ("unknown", "system"))
    assert given(CONSENT, person).asked("2026-01-01", "FR").allowed
    assert not given(CONSENT, scanner).asked("2026-02-01", "FR").allowed


def test_p21_an_import_tells_how_many_stops_it_brought_and_their_hash() -> None:
    """Conservative Party: counted and hashed before and after. The adapters compare two systems."""
    done = e.ImportFinished(
        stream=LEDGER_STREAM,
        source="test",
        recorded_at=datetime(2024, 1, 1, tzinfo=UTC),
        stops=2,
        stops_hash="ab",
    )
    catalogue = evolve(Catalogue(), Entry(1, 1, done))
    assert [n.event for n in catalogue.imports] == [done]
    assert given(CONSENT, opted_out("2023-03-01"), moved(done, stream=ANNA)).asked("2024-02-01").reason == "opted_out"


def test_p22_an_obstructed_attempt_found_later_stops_from_the_attempt() -> None:
    """OTE, CBA: the link was dead. Finding it by canary comes with the adapters."""
    stuck = happened(e.OptOutObstructed, "2023-03-01", recorded_at="2024-01-01")
    assert given(CONSENT, stuck).asked("2023-06-01").reason == "obstructed"


@pytest.mark.parametrize("where", [HOME, None])
@pytest.mark.parametrize("ending", [{}, {"kind": "subscription"}, {"address": HOME}, {"address": WORK}])
@pytest.mark.parametrize("kind", ["subscription", "unknown"])
def test_a_contract_ends_whichever_address_it_or_its_ending_was_seen_with(
    where: str | None, ending: dict[str, Any], kind: str
) -> None:
    """CASL 10(10)(d): two years from the end. A deal names its contact by id, an ending the address."""
    contract = bought("2020-01-01", kind="subscription", address=where)
    gone = happened(e.ContractEnded, "2024-01-01", **({"kind": kind} | ending))
    assert given(contract).asked("2026-02-02", "CA", address=HOME).allowed
    assert given(contract, gone).asked("2025-12-01", "CA", address=HOME).allowed
    assert not given(contract, gone).asked("2026-02-02", "CA", address=HOME).allowed


def test_a_contract_ends_by_what_a_merged_record_says() -> None:
    """The ending was recorded before it was known who the person is."""
    contract = bought("2020-01-01", kind="subscription", address=None)
    gone = happened(e.ContractEnded, "2024-01-01", stream=DOUBLE)
    link = happened(e.ContactsLinked, "2024-02-01", other=DOUBLE)
    assert given(contract, link).asked("2026-02-02", "CA").allowed
    assert not given(contract, gone, link).asked("2026-02-02", "CA").allowed


def test_the_ending_of_another_contract_ends_none() -> None:
    """By its reference."""
    contract = bought("2020-01-01", kind="subscription", contract="c1")
    assert given(contract, happened(e.ContractEnded, "2024-01-01", contract="c2")).asked("2026-02-02", "CA").allowed
    assert not given(contract, happened(e.ContractEnded, "2024-01-01", contract="c1")).asked("2026-02-02", "CA").allowed
