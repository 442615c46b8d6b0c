"""The case format: what each word becomes, and what happens to words it does not know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger import events as e
from ledger.policy import shipped
from ledger.policy.case_events import events_of
from ledger.policy.case_table import ALIASES, TABLE, UNSPECIFIED
from ledger.policy.cases import Case, CaseError, Expected, decide, load, prepare, run

ASKED = {"at": "2024-01-15T10:00:00Z", "purpose": "marketing.similar", "channel": "email"}
OPT_IN: dict[str, Any] = {
    "by": "data_subject",
    "act": "unticked_box",
    "to": ["own"],
    "purposes": ["marketing.similar"],
    "channels": ["email"],
    "informed": True,
    "specific": True,
    "proof": "individual",
}


def item(type_: str, at: str = "2023-01-10T10:00:00Z", **detail: Any) -> dict[str, Any]:
    return {"at": at, "type": type_, "detail": detail}


def first(type_: str, at: str = "2023-01-10T10:00:00Z", **detail: Any) -> Any:
    problems: list[str] = []
    event = next(events_of(item(type_, at, **detail), 1, problems)).event
    assert problems == []
    return event


def case(*timeline: dict[str, Any], law: Any = "GB", **question: Any) -> Case:
    return Case(id="c", jurisdiction=law, timeline=timeline, question=ASKED | question, expected=Expected())


def allowed(*timeline: dict[str, Any], law: Any = "GB", **question: Any) -> bool:
    result = decide(case(*timeline, law=law, **question), shipped.policy())
    assert result.problems == ()
    return result.decision.allowed


@pytest.mark.parametrize("name", [*TABLE, *ALIASES])
def test_every_type_of_the_table_is_understood(name: str) -> None:
    """With nothing but its name, too."""
    problems: list[str] = []
    list(events_of(item(name), 1, problems))
    assert problems == []


@pytest.mark.parametrize(
    "unknown",
    [
        case(item("telepathy")),
        case(item("opt_in", **OPT_IN, aura="blue")),
        case(item("opt_in", **OPT_IN | {"act": "winked"})),
        case(item("note", mood="glad")),
        case(item("opt_out", scope={"planets": ["mars"]})),
        case(mood="glad"),
        case(recipient={"mood": "glad"}),
        case(message={"mood": True}),
    ],
)
def test_a_word_that_the_format_does_not_know_fails_the_suite(unknown: Case) -> None:
    """Else a case would guard less than its reader believes."""
    suite = run([case(), unknown], shipped.policy())
    assert not suite.passes
    assert suite.render().splitlines()[-1] == "2 cases, 0 mismatches, 1 not understood"
    assert run([case()], shipped.policy()).passes


def test_an_unknown_type_or_field_grants_nothing_and_the_case_is_decided() -> None:
    """Never a crash, never a silent yes."""
    result = decide(case(item("telepathy"), item("opt_in", **OPT_IN, aura="blue")), shipped.policy())
    assert result.problems == ("event type 'telepathy'", "opt_in: field 'aura'")
    assert result.decision.allowed
    only = decide(case(item("telepathy", **OPT_IN)), shipped.policy())
    assert not only.decision.allowed


@pytest.mark.parametrize("detail", [{"act": "winked"}, {"by": "somebody"}, {"proof": "trust me"}, {"informed": "yes"}])
def test_a_value_that_is_not_understood_is_listed_and_is_not_a_yes(detail: dict[str, Any]) -> None:
    """The field falls back to unknown."""
    result = decide(case(item("opt_in", **OPT_IN | detail)), shipped.policy())
    assert len(result.problems) == 1
    assert not result.decision.allowed


def test_null_means_unknown_whatever_the_format_takes_for_granted() -> None:
    """`seller: null` is not `own`."""
    sale = first("contract_started", kind="purchase")
    assert (sale.seller, sale.refused, sale.collected_from_person) == ("own", False, True)
    assert first("contract_started", kind="purchase", seller=None).seller is None
    assert first("address_published", no_ads_statement=None).no_ads_statement is None


def test_a_sending_without_purpose_is_marketing() -> None:
    """Unless the case says it carried none."""
    assert first("email_sent").purpose == UNSPECIFIED
    assert first("email_sent", contains_marketing=False).purpose == "service.unspecified"
    assert first("repermission_mail").purpose == "marketing.repermission"


@pytest.mark.parametrize("scope", [{}, {"scope": None}, {"scope": "all"}, {"scope": {}}, {"scope": {"channels": []}}])
def test_a_stop_without_scope_stops_all_marketing_by_every_channel(scope: dict[str, Any]) -> None:
    """The widest reading of silence."""
    stop = first("opt_out", **scope)
    assert (stop.purposes, stop.channels) == (("marketing.*",), ("*",))


def test_the_scope_of_a_stop_is_read() -> None:
    """Purposes, channels and what the person kept."""
    stop = first("objection", scope={"purposes": ["marketing"], "channels": ["all"], "except_purposes": ["newsletter"]})
    assert (stop.purposes, stop.channels, stop.except_purposes) == (("marketing.*",), ("*",), ("newsletter",))


@pytest.mark.parametrize(
    ("precision", "start", "end"),
    [
        ("day", "2023-02-10T00:00:00", "2023-02-10T23:59:59.999999"),
        ("month", "2023-02-01T00:00:00", "2023-02-28T23:59:59.999999"),
        ("year", "2023-01-01T00:00:00", "2023-12-31T23:59:59.999999"),
        ("exact", "2023-02-10T10:00:00", None),
        ("period", "2023-02-10T10:00:00", None),
        ("stylised", "2023-02-10T10:00:00", None),
    ],
)
def test_precision_is_an_interval(precision: str, start: str, end: str | None) -> None:
    """A grant counts from its end, a stop from its start; the ledger knew when it was over."""
    event = first("opt_out", "2023-02-10T10:00:00Z", date_precision=precision)
    assert event.earliest == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert event.occurred_to == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)
    assert event.recorded_at == (event.occurred_to or datetime(2023, 2, 10, 10, tzinfo=UTC))


def test_at_the_same_moment_stops_come_first_in_the_log() -> None:
    """And the time of recording orders the rest."""
    prepared = prepare(case(item("opt_in", **OPT_IN), item("opt_out")))
    anna = prepared.contacts[0]
    assert (anna.stops[0].position, anna.opt_ins[0].position) == (1, 2)
    assert not allowed(item("opt_in", **OPT_IN), item("opt_out"))


@pytest.mark.parametrize(
    ("recipient", "professional", "corporate"),
    [
        ("professional_named", True, False),
        ("role", True, None),
        ("corporate_subscriber", True, True),
        ("consumer", False, False),
        ("sole_trader", False, False),
    ],
)
def test_the_recipient_is_described(recipient: str, professional: bool, corporate: bool | None) -> None:
    """Only a legal person is a corporate subscriber."""
    event = prepare(case(recipient={"type": recipient})).contacts[0].described[0].event
    assert isinstance(event, e.RecipientDescribed)
    assert (event.professional, event.corporate_subscriber) == (professional, corporate)


def test_traits_are_found_on_the_recipient_the_message_or_any_event() -> None:
    """FR-B2B-1 needs three, wherever they stand."""
    notice = item("notice_given", informed_of_right_to_object=True)
    found = item("address_published", role_relevant="proved")
    named = {"type": "professional_named"}
    assert allowed(notice, found, law="FR", recipient=named)
    assert allowed(notice, law="FR", recipient=named | {"role_relevant": True})
    assert allowed(notice, law="FR", recipient=named, message={"role_relevant": "proved"})
    assert not allowed(notice, law="FR", recipient=named, message={"role_relevant": "claimed"})


@pytest.mark.parametrize(
    "fault",
    [
        {"unsubscribe_present": False},
        {"unsubscribe_present": True, "unsubscribe_clear": False},
        {"unsubscribe_working": False},
        {"unsubscribe_broken": True},
        {"unsubscribe_fee": True},
        {"unsubscribe_requires_login": True},
        {"sender_disguised": True},
        {"identity_concealed": True},
        {"subject_honest": False},
        {"misleading_subject": True},
    ],
)
def test_a_fault_of_the_message_forbids_in_any_words(fault: dict[str, Any]) -> None:
    """A no outweighs a yes."""
    assert not allowed(item("opt_in", **OPT_IN), message=fault)


def test_marketing_of_no_stated_purpose_is_taken_for_own_similar_products() -> None:
    """A convention of the format; the engine by itself takes the stricter reading."""
    hidden = {"purpose": "service.invoice", "message": {"contains_marketing": True}}
    assert allowed(item("contract_started", kind="purchase", opt_out_offered=True), **hidden)


def test_several_jurisdictions_must_all_allow() -> None:
    """In the case or in the question."""
    consent = item("opt_in", **OPT_IN)
    assert allowed(consent, law=["GB", "CA"])
    assert not allowed(consent, law=["GB", "DE"])
    assert not allowed(consent, law="GB", jurisdictions=["GB", "XX"])


def test_a_confirmation_verifies_the_mailbox_and_a_verified_opt_in_its_channels() -> None:
    """BGH I ZR 164/09: a mailbox proves no phone."""
    two = OPT_IN | {"channels": ["email", "phone"]}
    confirmed = item("double_opt_in_confirmation", "2023-01-11T10:00:00Z")
    assert allowed(item("opt_in", **two), confirmed, law="DE")
    assert not allowed(item("opt_in", **two), confirmed, law="DE", channel="phone")
    assert allowed(item("opt_in", **two, address_verified=True), law="DE", channel="phone")


@pytest.mark.parametrize(
    "spoilt", [{"freely_given": False}, {"pre_ticked": True}, {"conditional": True}, {"separate": False}]
)
def test_a_circumstance_that_spoils_consent_makes_it_none(spoilt: dict[str, Any]) -> None:
    """GDPR 4(11), 7(2), 7(4)."""
    assert not allowed(item("opt_in", **OPT_IN, **spoilt))


def test_a_charity_may_be_named_as_the_sender() -> None:
    """Instead of at each gift."""
    gift = item("donation", "2026-02-10T10:00:00Z", opt_out_offered=True, collected_directly=True)
    asked = {"at": "2026-03-10T10:00:00Z", "purpose": "marketing.charitable"}
    assert allowed(gift, **asked, sender={"charity": True})
    assert not allowed(gift, **asked)


def test_an_enquiry_during_a_sale_is_one_and_a_note_decides_nothing() -> None:
    """PECR 22(3)(a): negotiations for a sale are enough; a remark is no fact."""
    assert allowed(item("sale_enquiry", "2023-12-10T10:00:00Z", opt_out_offered=True))
    assert not allowed(item("note", note="asked for a quote, and was offered a way to refuse"))
    assert allowed(item("sale_enquiry", "2023-12-10T10:00:00Z", opt_out_offered=True), item("note"))


ENDS = {"after": "contract_ended", "period": "P1Y", "end_of": "year"}
MONTHS = {"after": "contract_ended", "period": "P1M", "end_of": "month"}


@pytest.mark.parametrize(
    ("rule", "ended", "end"),
    [
        (ENDS, "2023-05-03T10:00:00Z", "2025-01-01T00:00:00"),
        ({"after": "contract_ended"}, "2023-05-03T10:00:00Z", "2023-05-04T00:00:00"),
        ({"after": "contract_cancelled", "period": "P6M"}, "2023-08-31T10:00:00Z", "2024-03-01T00:00:00"),
        (MONTHS, "2023-11-30T10:00:00Z", "2024-01-01T00:00:00"),
        ({"after": "contract_ended", "kind": "lease"}, "2023-05-03T10:00:00Z", None),
        (ENDS, "2022-05-03T10:00:00Z", None),
    ],
)
def test_the_end_of_a_consent_may_count_from_another_event(rule: Any, ended: str, end: str | None) -> None:
    """From the first such event after it; while there is none, it has no end by that rule."""
    given = item("opt_in", **OPT_IN, valid_until_rule=rule)
    prepared = prepare(case(given, item("contract_ended", ended, kind="purchase")))
    assert prepared.problems == ()
    opt_in: Any = prepared.contacts[0].opt_ins[0].event
    assert opt_in.valid_until == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)


def test_an_end_that_was_not_known_yet_ends_nothing() -> None:
    """`known_at`: only what was recorded by then counts."""
    rule = {"after": "contract_ended"}
    told = item("contract_ended", "2023-05-03T10:00:00Z", kind="purchase", recorded_at="2024-02-01")
    story = item("opt_in", **OPT_IN, valid_until_rule=rule), told
    assert not allowed(*story)
    assert allowed(*story, known_at="2024-01-10")


@pytest.mark.parametrize(
    "rule", [{}, "P1Y", {"after": "rain"}, {"after": "contract_ended", "period": "soon"}, {"after": "note"}, {"end": 1}]
)
def test_a_rule_that_cannot_be_read_fails_the_suite_and_keeps_no_consent_alive(rule: Any) -> None:
    """The widest reading would be a consent without end."""
    result = decide(case(item("opt_in", **OPT_IN, valid_until_rule=rule)), shipped.policy())
    assert len(result.problems) == 1
    assert not result.decision.allowed


def test_only_a_consent_ends_by_a_rule() -> None:
    """Elsewhere the field is not known."""
    result = decide(case(item("enquiry", valid_until_rule=ENDS)), shipped.policy())
    assert result.problems == ("enquiry: field 'valid_until_rule'",)


def test_a_contract_may_say_that_the_address_was_verified() -> None:
    """As a fact of its own, at the same moment."""
    prepared = prepare(case(item("contract_started", kind="purchase", address_verified=True)))
    contact = prepared.contacts[0]
    (verified,) = [n.event for n in contact.confirmations if isinstance(n.event, e.AddressVerified)]
    assert verified.earliest == contact.contracts[0].event.earliest
    plain = prepare(case(item("contract_started", kind="purchase", address_verified=False)))
    assert plain.contacts[0].confirmations == ()
    assert plain.problems == ()


def test_what_a_form_said_counts_for_the_facts_that_came_by_it() -> None:
    """By the form's name, or the moment; what the fact says itself is not overwritten."""
    form = item("form_submission", form="order", informed=True, opt_out_offered=True)
    silent = {key: value for key, value in OPT_IN.items() if key != "informed"}

    def opt_in_of(**detail: Any) -> Any:
        return prepare(case(form, item("opt_in", **silent | detail))).contacts[0].opt_ins[0].event

    def sale_of(at: str = "2023-01-10T10:00:00Z", **detail: Any) -> Any:
        return prepare(case(form, item("contract_started", at, **detail))).contacts[0].contracts[0].event

    def sale_by(other: dict[str, Any]) -> Any:
        return prepare(case(other, item("contract_started"))).contacts[0].contracts[0].event

    assert (opt_in_of().informed, opt_in_of(form="order").informed) == (True, True)
    assert (opt_in_of(form="survey").informed, opt_in_of(informed=False).informed) == (None, False)
    assert (sale_of().refusal_offered, sale_of("2023-03-01T10:00:00Z").refusal_offered) == (True, None)
    assert sale_of(refusal_offered=False).refusal_offered is False
    assert sale_by(item("form_submission", opt_out_offered=False)).refusal_offered is False
    assert sale_by(item("form_submission", opt_out_offered=True, person="b")).refusal_offered is None


def test_what_is_no_case_file_is_refused_with_a_reason() -> None:
    """One kind of error."""
    for data in (b"", b"{}", b"[1]", b"\xff", b'[{"id": "x"}]'):
        with pytest.raises(CaseError, match="not a case file"):
            load(data)
    with pytest.raises(CaseError, match="cannot be asked"):
        prepare(Case(id="x", timeline=(), question={}))
    assert load(b'{"cases": []}') == []
