"""What to do next about each situation an audit meets: bucket, action, reason, next step."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from ledger import catalogue as catalogues
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, fold
from ledger.policy.shipped import policy
from ledger.terms import LEDGER_STREAM
from projections.audit import Auditor, Record
from projections.verdicts import NEXT_STEPS, QUESTIONS, Verdict
from tests.projections.test_verdicts import (
    ADDRESS,
    BOUNCE,
    CLAIM,
    CONTACT,
    GERMAN,
    LINKED,
    MARKED,
    NOW,
    OPT_IN,
    OPTED_OUT,
    RECORD,
    SALE,
    SENDER,
    UNMARKED,
    fact,
)

CREATED = date(2025, 5, 1)
PAPER = "a" * 64
RECENT = NOW - timedelta(days=30)


def said(event: type[e.Event], /, **fields: Any) -> Any:
    """A ledger-wide fact."""
    return event(stream=LEDGER_STREAM, source="test", recorded_at=RECENT, **fields)


FORM = said(
    e.FormDeclared, key="news", form="news", box="news", ticked_before=False, required=False,
    purposes=("marketing.*",), channels=("email",), to=("own",), wording=PAPER, evidence=(PAPER,),
)  # fmt: skip
SHOP = said(
    e.SaleDeclared, key="shop", kind="purchase", seller="own", collected_from_person=True, refusal_offered=True,
    refusals_recorded=True, evidence=(PAPER,),
)  # fmt: skip
TICKED = fact(e.BoxAnswered, form="news", box="news", by="data_subject", captured_by="form_record")
CONFIRMED = fact(
    e.DoubleOptInConfirmed, NOW - timedelta(days=30, minutes=-9), by="data_subject", captured_by="form_record"
)
DEAL = fact(e.DealWon, pipeline="shop", deal="7")
TYPE = fact(e.TypeOptedOut, subscription_type="offers", channels=("email",))
OFFERS = said(
    e.TypeDeclared, key="offers", subscription_type="offers", purposes=("marketing.other",), evidence=(PAPER,)
)


def unevidenced(declared: e.Event) -> e.Event:
    """The same, with nothing to show for it."""
    return msgspec.structs.replace(declared, evidence=())


def audited(
    *facts: e.Event, declared: tuple[e.Event, ...] = (), looked: tuple[str, ...] = (), sender: e.Event = SENDER,
    country: e.Event | None = GERMAN, **record: Any,
) -> Verdict:  # fmt: skip
    """The verdict of an audit, `looked`: kinds of files taken in before."""
    imports = [e.ImportFinished(stream=LEDGER_STREAM, source=f"hubspot.{kind}", recorded_at=RECENT) for kind in looked]
    catalogue = Catalogue()
    for n, event in enumerate((sender, *declared, *imports), start=1):
        catalogue = catalogues.evolve(catalogue, Entry(n, n, event))
    told = (LINKED, *([country] if country else []), *facts)
    contact: Contact = fold(CONTACT, [Entry(n + 100, n, event) for n, event in enumerate(told, start=1)])
    record = {"created": CREATED} | record
    asked = Record(CONTACT, RECORD, record.pop("address", ADDRESS), "101", "ana@example.com", **record)
    verdict = Auditor(policy(), catalogue, NOW).verdict([contact], asked)
    assert verdict.next_step.partition(":")[0] in NEXT_STEPS
    assert verdict.question is None or verdict.question in QUESTIONS
    return verdict


def told(verdict: Verdict) -> tuple[str, str, str, str]:
    """What a row of verdicts.csv says of it."""
    return verdict.bucket, verdict.action, verdict.reason, verdict.next_step


LEAVE = "delete_after:2028-05-01"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((MARKED, BOUNCE), ("no_basis", "set_non_marketing", "nothing_known", "none")),
        ((MARKED, fact(e.Complained, via="hubspot")), ("stopped", "set_non_marketing", "complained", "none")),
        ((MARKED, fact(e.Bounced, kind="quarantined")), ("no_basis", "set_non_marketing", "nothing_known", "none")),
        ((MARKED, fact(e.RecipientDescribed, role_address=True)),
         ("no_basis", "set_non_marketing", "nothing_known", LEAVE)),
        ((MARKED, TYPE), ("stopped", "set_non_marketing", "opted_out", "none")),
        ((MARKED, fact(e.OptInRequested, at=NOW - timedelta(days=2))),
         ("no_basis", "keep", "confirmation_pending", "bring_confirmation")),
        ((MARKED, fact(e.OptInRequested, at=NOW - timedelta(days=8))),
         ("no_basis", "set_non_marketing", "nothing_known", LEAVE)),
        ((MARKED, fact(e.BasisClaimed, field="double_opt_in", claims=("confirmation",))),
         ("basis_claimed", "review", "claimed_confirmation", "bring_confirmation")),
        ((MARKED, CLAIM), ("basis_claimed", "review", "claimed_consent", "bring_form_record")),
        ((MARKED, fact(e.BasisClaimed, claims=("contract",))),
         ("basis_claimed", "review", "claimed_sale", "bring_sale_record")),
        ((MARKED, fact(e.BasisClaimed, claims=("interest_prospect",))),
         ("basis_claimed", "review", "claimed_interest", "dpo_question:no_rule")),
        ((MARKED, fact(e.BasisClaimed, claims=("other",))),
         ("basis_claimed", "review", "claimed_interest", "dpo_question:other_claim")),
        ((MARKED, fact(e.BasisClaimed, claims=())), ("no_basis", "set_non_marketing", "nothing_known", LEAVE)),
        ((MARKED, fact(e.RecipientDescribed, minor=True)), ("no_basis", "set_non_marketing", "minor", LEAVE)),
        ((MARKED, DEAL), ("basis_claimed", "review", "claimed_evidence", "declare_sale:shop")),
        ((UNMARKED, OPT_IN), ("basis_proven", "none", "proven", "none")),
        ((MARKED, fact(e.OptedOut, via="suppression")), ("stopped", "set_non_marketing", "suppressed", "none")),
        ((MARKED, OPT_IN, OPTED_OUT), ("conflict", "review", "times_overlap", "dpo_question:times_overlap")),
        ((MARKED, CLAIM, fact(e.ReviewDecided, outcome="hold")),
         ("basis_claimed", "review", "under_review", "dpo_question:under_review")),
        ((MARKED, CLAIM, fact(e.ReviewDecided, outcome="stop")),
         ("stopped", "set_non_marketing", "review_stop", "none")),
        ((MARKED, OPT_IN, OPTED_OUT, fact(e.ReviewDecided, outcome="stop", at=NOW)),
         ("stopped", "set_non_marketing", "opted_out", "none")),
    ],
)  # fmt: skip
def test_each_situation_has_a_next_step(facts: tuple[e.Event, ...], expected: tuple[str, ...]) -> None:
    """By what is known of the person alone."""
    assert told(audited(*facts)) == expected


@pytest.mark.parametrize(
    ("facts", "declared", "expected"),
    [
        ((MARKED, TICKED, CONFIRMED), (FORM,), ("basis_proven", "keep", "proven", "none")),
        ((MARKED, TICKED), (FORM,), ("basis_claimed", "review", "claimed_evidence", "bring_confirmation")),
        ((MARKED, TICKED, CONFIRMED), (unevidenced(FORM),),
         ("basis_claimed", "review", "declared_not_evidenced", "dpo_question:declared")),
        ((MARKED, TICKED, CONFIRMED), (msgspec.structs.replace(FORM, required=True),),
         ("no_basis", "set_non_marketing", "nothing_known", "bring_form_record")),
        ((MARKED, DEAL), (SHOP,), ("basis_proven", "keep", "proven", "none")),
        ((MARKED, DEAL), (unevidenced(SHOP),),
         ("basis_claimed", "review", "declared_not_evidenced", "dpo_question:declared")),
        ((MARKED, DEAL, TYPE), (SHOP, OFFERS), ("basis_proven", "keep", "proven", "none")),
        ((MARKED, DEAL, TYPE), (SHOP, unevidenced(OFFERS)), ("stopped", "set_non_marketing", "opted_out", "none")),
    ],
)  # fmt: skip
def test_declarations_settle_what_facts_alone_leave_open(
    facts: tuple[e.Event, ...], declared: tuple[e.Event, ...], expected: tuple[str, ...]
) -> None:
    """And only with evidence beside them."""
    assert told(audited(*facts, declared=declared)) == expected


def test_what_rests_on_a_declaration_names_it() -> None:
    """The person's own record alone, or with somebody's word for what it meant."""
    assert audited(MARKED, OPT_IN, declared=(FORM,)).declaration is None
    assert audited(MARKED, TICKED, CONFIRMED, declared=(FORM,)).declaration == 2


def test_a_source_looked_at_is_not_asked_for_again() -> None:
    """What it did not settle, a person must."""
    assert audited(MARKED, CLAIM, looked=("forms",)).next_step == "dpo_question:consent"
    assert audited(MARKED, lead="form").next_step == "bring_form_record"
    assert audited(MARKED, lead="form", looked=("forms",)).next_step == "ask_at_next_own_act"
    assert audited(MARKED, lead="customer").next_step == "bring_sale_record"
    assert audited(MARKED, lead="customer", looked=("deals",)).next_step == "ask_at_next_own_act"


def test_waves_take_the_surest_first() -> None:
    """1 stopped or undeliverable, 2 nothing known, 3 has a lead; nobody who stays has one."""
    assert audited(MARKED, OPTED_OUT).wave == 1
    assert audited(MARKED, SALE, BOUNCE).wave == 1
    assert audited(MARKED).wave == 2
    assert audited(MARKED, lead="deal").wave == 3
    assert audited(MARKED, SALE).wave is None
    assert audited(MARKED, CLAIM).wave is None


def test_a_record_without_an_address_is_deleted_by_policy() -> None:
    """Nobody can write to it."""
    verdict = audited(fact(e.MarketingStatusObserved, marketing=True, address=None), address=None)
    assert told(verdict) == ("no_basis", "set_non_marketing", "no_address", LEAVE)


def test_an_unknown_country_is_judged_by_the_strictest_rules() -> None:
    """`.de` hints at Germany, `.io` at nothing; neither is a declaration."""
    hinted = fact(e.CountryEvidenced, hints=(e.CountryHint("DE", "domain"),))
    assert audited(MARKED, SALE, country=hinted).jurisdictions == ("DE", "XX")
    assert (
        told(audited(MARKED, SALE, country=hinted))[0] == "basis_claimed"
        or not audited(MARKED, SALE, country=hinted).allowed
    )
    assert not audited(MARKED, SALE, country=None).allowed


def test_without_consent_is_said_and_the_platforms_terms_stand_beside() -> None:
    """US law allows without consent where both countries are declared; HubSpot's terms do not take that as shown."""
    american = said(e.ControllerDescribed, country="US")
    there = fact(e.CountryEvidenced, hints=(e.CountryHint("US", "declared"),))
    verdict = audited(MARKED, sender=american, country=there)
    assert (verdict.bucket, verdict.basis, verdict.platform_shown) == ("basis_proven", "opt_out_regime", False)
    assert audited(MARKED, OPT_IN).platform_shown is True
    assert audited(MARKED).platform_shown is None


def test_only_who_may_be_asked_by_mail_is_named() -> None:
    """A request for consent is marketing: only a basis that covers it will do, until it ends."""
    canadian = said(e.ControllerDescribed, country="CA")
    there = fact(e.CountryEvidenced, hints=(e.CountryHint("CA", "declared"),))
    verdict = audited(MARKED, SALE, sender=canadian, country=there)
    assert (verdict.may_be_asked, verdict.ask_basis) == (True, "implied_consent")
    assert verdict.ask_until is not None
    assert not audited(MARKED, SALE).may_be_asked, "the German soft opt-in covers similar goods alone"
    assert not audited(MARKED).may_be_asked


SENT = fact(e.FormSubmitted, form="news", by="data_subject", captured_by="form_record")
EVERYWHERE = sorted({*policy().sheets, *(m for sheet in policy().sheets.values() for m in sheet.members)} - {"*"})


@pytest.mark.parametrize("code", EVERYWHERE)
@pytest.mark.parametrize(
    ("facts", "declared", "step"),
    [
        ((TICKED,), (), "declare_form:news"),
        ((SENT,), (), "declare_form:news"),
        ((SENT, CONFIRMED), (), "declare_form:news"),
        ((TICKED,), (unevidenced(FORM),), "dpo_question:declared"),
        ((DEAL,), (), "declare_sale:shop"),
        ((DEAL,), (unevidenced(SHOP),), "dpo_question:declared"),
    ],
)
def test_what_nobody_has_shown_yet_is_claimed_in_every_country(
    code: str, facts: tuple[e.Event, ...], declared: tuple[e.Event, ...], step: str
) -> None:
    """A tick, a sign-up, a won deal: never nothing. Only where no consent is asked for is more on file."""
    where = fact(e.CountryEvidenced, hints=(e.CountryHint(country=code, kind="declared"),)) if code != "XX" else None
    sender = said(e.ControllerDescribed, country=code if code != "XX" else None)
    verdict = audited(MARKED, *facts, declared=declared, sender=sender, country=where)
    if code == "US":
        assert verdict.bucket == "basis_proven"
        return
    assert (verdict.bucket, verdict.action) == ("basis_claimed", "review")
    assert verdict.next_step == step


def test_a_form_without_a_name_is_asked_about() -> None:
    assert audited(MARKED, fact(e.FormSubmitted, by="data_subject")).next_step == "dpo_question:opt_ins"
