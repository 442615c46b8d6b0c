"""What people answered for, and what it makes of the facts: given facts, when declared, then decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ledger import catalogue as catalogues
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Entry
from ledger.declared import as_declared
from ledger.log import Log
from ledger.policy import shipped
from ledger.policy.dossier import Dossier
from ledger.policy.judge import judge
from ledger.policy.question import Decision
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from projections.runner import StatusRunner
from projections.views import Views
from tests.ledger.policy.histories import (
    Asked,
    History,
    addresses,
    folds,
    histories,
    moment,
    often,
    questions,
    steps,
    times,
)
from tests.ledger.policy.story import Story, bought, day, happened, opted_in, opted_out
from tests.ledger.policy.story import given as a_story
from tests.projections.histories import BINDING, POLICIES, address, batches, contact, history, open_log
from tests.stores import Place

SHOWN = ("ab" * 32,)
WORDS = "cd" * 32
LATER = 1_000
"""Declarations stand in the log after the facts."""


def _about(key: str, fields: dict[str, Any]) -> dict[str, Any]:
    spans = {name: day(value) for name, value in fields.items() if name.startswith("shown_")}
    return {"stream": LEDGER_STREAM, "source": "evidence_map", "by": "officer", "key": key, "evidence": SHOWN} | (
        fields | spans
    )


def form(key: str = "footer", **fields: Any) -> e.FormDeclared:
    """A box that was left open, in words that were kept, with a picture of it."""
    full: dict[str, Any] = {
        "form": "footer",
        "box": "news",
        "ticked_before": False,
        "required": False,
        "purposes": ("marketing.similar",),
        "channels": ("email",),
        "to": ("own",),
        "wording": WORDS,
    }
    return e.FormDeclared(**_about(key, full | fields))


def sign_up(key: str = "footer", **fields: Any) -> e.FormDeclared:
    """A form that was for nothing but signing up."""
    return form(key, **{"box": None, "ticked_before": None, "required": None} | fields)


def sale(key: str = "shop", **fields: Any) -> e.SaleDeclared:
    """A sale that fulfils every condition of the soft opt-in."""
    full: dict[str, Any] = {
        "pipeline": "shop",
        "kind": "purchase",
        "seller": "own",
        "collected_from_person": True,
        "refusal_offered": True,
        "refusals_recorded": True,
    }
    return e.SaleDeclared(**_about(key, full | fields))


def means(kind: str, *purposes: str, **fields: Any) -> e.TypeDeclared:
    """What leaving a subscription type stops."""
    return e.TypeDeclared(**_about(f"type-{kind}", {"subscription_type": kind, "purposes": purposes} | fields))


def named(number: str, name: str) -> e.TypeNamed:
    """A CRM calls the type of this number by this name."""
    return e.TypeNamed(stream=LEDGER_STREAM, source="crm.types", number=number, name=name)


def was(campaign: str, purpose: str, **fields: Any) -> e.CampaignDeclared:
    """Which purpose a campaign had."""
    return e.CampaignDeclared(**_about(f"campaign-{campaign}", {"campaign": campaign, "purpose": purpose} | fields))


def withdrawn(said: e.Declaration) -> e.Event:
    """Taken back."""
    return msgspec.structs.replace(said, withdrawn=True)


def declared(*events: e.Event) -> Catalogue:
    """What is in force once these were recorded, one after the other."""
    catalogue = Catalogue()
    for version, event in enumerate(events, start=1):
        catalogue = catalogues.evolve(catalogue, Entry(LATER + version, version, event))
    return catalogue


def ticked(at: str | None = "2024-05-01", **fields: Any) -> e.Event:
    """A box as this person left it."""
    return happened(e.BoxAnswered, at, **{"form": "footer", "box": "news"} | fields)


def sent(at: str | None = "2024-05-01", **fields: Any) -> e.Event:
    """A form, sent in."""
    return happened(e.FormSubmitted, at, **{"form": "footer"} | fields)


def won(at: str = "2024-05-01", **fields: Any) -> e.Event:
    """A deal that a CRM shows as won."""
    return happened(e.DealWon, at, **{"pipeline": "shop", "deal": "d-1"} | fields)


def left(kind: str, at: str = "2025-01-01") -> e.Event:
    """A subscription type, left."""
    return happened(e.TypeOptedOut, at, subscription_type=kind)


def ask(story: Story, *said: e.Event, law: str = "GB", **asked: Any) -> Decision:
    """Whether they may be written to in the middle of 2025."""
    return story.asked(asked.pop("at", "2025-06-01"), law, catalogue=declared(*said), **asked)


def is_claimed(decision: Decision, *missing: str) -> bool:
    """A claim that lacks these, and no yes."""
    claim = decision.claimed
    return not decision.allowed and claim is not None and set(missing) <= set(claim.missing)


def knows_nothing(decision: Decision) -> bool:
    """Neither a yes nor a claim."""
    return not decision.allowed and decision.claimed is None and decision.reason == "no_basis"


# --- forms ---------------------------------------------------------------------------------------


def test_a_ticked_box_that_was_shown_to_be_open_is_a_consent() -> None:
    decision = ask(a_story(ticked()), form())
    assert (decision.allowed, decision.basis, decision.evidence) == (True, "explicit_consent", (1,))


UNSAID = ("act_is_affirmative", "informed", "specific", "sender_named", "purpose_covered", "proof_individual")


@pytest.mark.parametrize("fact", [ticked(), sent()])
def test_without_a_declaration_a_ticked_box_and_a_form_are_claims(fact: e.Event) -> None:
    """Of which all is unknown but who did it, and when: they may have been a yes."""
    assert is_claimed(ask(a_story(fact)), *UNSAID)
    assert is_claimed(ask(a_story(fact), form(form="another")), *UNSAID)


@pytest.mark.parametrize("act", [{"by": "system"}, {"by": "third_party"}])
def test_what_the_person_did_not_do_is_no_claim(act: dict[str, Any]) -> None:
    assert knows_nothing(ask(a_story(ticked(**act))))


def test_a_stop_stands_against_what_nobody_declared() -> None:
    """Whichever came first."""
    for on in ("2024-01-01", "2024-07-01"):
        assert ask(a_story(ticked("2024-05-01"), opted_out(on))).reason == "opted_out"


def test_a_box_that_says_who_is_a_minor_is_no_claim() -> None:
    said = e.MinorDeclared(**_about("minor", {"form": "footer", "box": "news"}))
    assert ask(a_story(ticked()), said).claimed is None


def test_a_box_left_open_by_the_person_is_nothing() -> None:
    assert knows_nothing(ask(a_story(ticked(ticked=False)), form()))


@pytest.mark.parametrize(
    "how", [{"required": True}, {"ticked_before": True}, {"ticked_before": True, "required": True}]
)
def test_a_required_or_pre_ticked_box_is_not_even_a_claim(how: dict[str, Any]) -> None:
    assert knows_nothing(ask(a_story(ticked()), form(**how)))


def test_without_evidence_it_is_claimed_and_says_on_whose_word() -> None:
    story = a_story(ticked())
    said = declared(form(evidence=()))
    assert is_claimed(ask(story, form(evidence=())), "proof_individual")
    assert as_declared(story.contacts()[0], said.declared).resting == {1: LATER + 1}


@pytest.mark.parametrize(
    ("unknown", "missing"),
    [
        ({"wording": None}, ("informed", "specific")),
        ({"ticked_before": None}, ("act_is_affirmative",)),
        ({"required": None}, ("act_is_affirmative",)),
        ({"to": ()}, ("sender_named",)),
        ({"purposes": ()}, ("purpose_covered",)),
        ({"channels": ()}, ("channel_covered",)),
    ],
)
def test_what_is_not_declared_of_a_form_stays_a_claim(unknown: dict[str, Any], missing: tuple[str, ...]) -> None:
    assert is_claimed(ask(a_story(ticked()), form(**unknown)), *missing)


@pytest.mark.parametrize("other", [{"to": ("partner",)}, {"purposes": ("marketing.survey",)}, {"channels": ("sms",)}])
def test_a_form_for_something_else_is_nothing(other: dict[str, Any]) -> None:
    assert knows_nothing(ask(a_story(ticked()), form(**other)))


def test_to_send_in_a_form_that_was_for_signing_up_alone_is_a_consent() -> None:
    assert ask(a_story(sent()), sign_up()).allowed
    assert is_claimed(ask(a_story(sent()), sign_up(evidence=())), "proof_individual")


def test_a_box_is_asked_of_its_box_and_a_form_of_its_form() -> None:
    """Where a box is declared, to have sent the form in says nothing; another box or form is not declared yet."""
    assert knows_nothing(ask(a_story(sent()), form()))
    assert is_claimed(ask(a_story(ticked()), sign_up()), *UNSAID)
    assert is_claimed(ask(a_story(ticked(box="terms")), form()), *UNSAID)
    assert is_claimed(ask(a_story(ticked(form="checkout")), form()), *UNSAID)
    assert is_claimed(ask(a_story(happened(e.FormSubmitted, "2024-05-01")), sign_up()), *UNSAID)


def test_a_type_that_a_form_switched_on_is_a_box_like_any_other() -> None:
    assert ask(a_story(ticked(box="type.product-news")), form(box="type.product-news")).allowed


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2023-12-31T23:59:59", False),
        ("2024-01-01T00:00:00", True),
        ("2024-06-30T23:59:59", True),
        ("2024-07-01T00:00:00", False),
        (None, False),
    ],
)
def test_a_declaration_speaks_of_its_own_days_alone(at: str | None, counts: bool) -> None:
    spans = {"shown_from": "2024-01-01T00:00:00", "shown_to": "2024-07-01T00:00:00"}
    assert ask(a_story(ticked(at)), form(**spans)).allowed is counts


def test_a_box_that_may_have_been_ticked_outside_those_days_is_not_spoken_of() -> None:
    spans = {"shown_from": "2024-05-01T00:00:00"}
    assert is_claimed(ask(a_story(ticked("2024-04-30", occurred_to="2024-05-02")), form(**spans)), *UNSAID)


def test_of_two_declarations_the_one_recorded_last_counts_where_it_covers() -> None:
    open_box, ticked_box = form("a"), form("b", ticked_before=True, shown_from="2024-01-01")
    assert knows_nothing(ask(a_story(ticked("2024-05-01")), open_box, ticked_box))
    assert ask(a_story(ticked("2024-05-01")), ticked_box, open_box).allowed
    assert ask(a_story(ticked("2023-05-01")), open_box, ticked_box).allowed


def test_one_without_evidence_does_not_fall_back_on_an_older_one_with() -> None:
    assert is_claimed(ask(a_story(ticked()), form("a"), form("b", evidence=())), "proof_individual")


def test_under_one_key_the_later_declaration_takes_the_place_of_the_earlier() -> None:
    assert is_claimed(ask(a_story(ticked()), form(), form(form="another")), *UNSAID)


def test_what_rests_on_a_declaration_ends_when_it_is_withdrawn() -> None:
    story = a_story(ticked())
    assert ask(story, form()).allowed
    assert is_claimed(ask(story, form(), withdrawn(form())), *UNSAID)
    assert ask(story, form(), withdrawn(form()), form()).allowed
    assert ask(story, form("a"), form("b"), withdrawn(form("b"))).allowed


def test_a_declaration_makes_no_earlier_day_than_the_fact() -> None:
    """And a fact that the ledger held only later counts from then, unless a form's own record backs it."""
    late = {"recorded_at": "2025-03-01"}
    assert knows_nothing(ask(a_story(ticked(**late)), form(), at="2025-02-01"))
    assert ask(a_story(ticked(**late)), form(), at="2025-04-01").allowed
    backed = late | {"captured_at": "2024-05-01", "captured_by": "form_record"}
    assert ask(a_story(ticked(**backed)), form(), at="2025-02-01").allowed


def test_a_later_stop_wins_over_what_was_declared_and_a_later_tick_revives() -> None:
    assert ask(a_story(ticked(), opted_out("2024-06-01")), form()).reason == "opted_out"
    assert ask(a_story(ticked(), opted_out("2024-06-01"), ticked("2024-07-01")), form()).allowed
    assert (
        ask(a_story(ticked(), opted_out("2024-06-01"), ticked("2024-07-01")), form(evidence=())).reason == "opted_out"
    )


def test_only_the_persons_own_tick_counts() -> None:
    assert knows_nothing(ask(a_story(ticked(by="system")), form()))
    assert is_claimed(ask(a_story(ticked(by="unknown")), form()), "by_data_subject")


def test_a_declared_import_grants_nothing() -> None:
    said = e.ImportDeclared(**_about("fair", {"list": "fair"}))
    assert knows_nothing(ask(a_story(happened(e.MarketingStatusObserved, "2024-05-01", marketing=True)), said))


# --- sales ---------------------------------------------------------------------------------------

CONDITIONS = ("seller_is_sender", "collected_from_person", "opt_out_offered_at_collection", "not_refused")


def test_a_won_deal_alone_is_a_claim_that_lacks_everything() -> None:
    decision = ask(a_story(won()), law="DE")
    assert is_claimed(decision, "sale_or_negotiation", *CONDITIONS)
    assert decision.claimed is not None
    assert decision.claimed.basis == "soft_opt_in"


@pytest.mark.parametrize("law", ["DE", "GB", "FR"])
def test_a_won_deal_whose_sale_is_shown_allows_similar_offers(law: str) -> None:
    decision = ask(a_story(won()), sale(), law=law)
    assert (decision.allowed, decision.basis, decision.evidence) == (True, "soft_opt_in", (1,))
    assert not ask(a_story(won()), sale(), law=law, purpose="marketing.other").allowed


def test_a_sale_declared_without_evidence_stays_a_claim_and_says_on_whose_word() -> None:
    story = a_story(won())
    assert is_claimed(ask(story, sale(evidence=()), law="DE"), *CONDITIONS)
    assert as_declared(story.contacts()[0], declared(sale(evidence=())).declared).resting == {1: LATER + 1}


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({"refusals_recorded": None}, "not_refused"),
        ({"refusals_recorded": False}, "not_refused"),
        ({"refusal_offered": None}, "opt_out_offered_at_collection"),
        ({"collected_from_person": None}, "collected_from_person"),
        ({"seller": None}, "seller_is_sender"),
        ({"kind": "unknown"}, "sale_or_negotiation"),
    ],
)
def test_what_is_not_declared_of_a_sale_stays_a_claim(said: dict[str, Any], missing: str) -> None:
    assert is_claimed(ask(a_story(won()), sale(**said), law="DE"), missing)


@pytest.mark.parametrize("said", [{"refusal_offered": False}, {"collected_from_person": False}, {"seller": "sister"}])
def test_a_sale_that_is_shown_to_lack_something_is_nothing(said: dict[str, Any]) -> None:
    assert knows_nothing(ask(a_story(won()), sale(**said), law="DE"))


def test_a_sale_speaks_of_its_pipeline_or_of_every_one() -> None:
    assert is_claimed(ask(a_story(won(pipeline="field")), sale(), law="DE"), *CONDITIONS)
    assert ask(a_story(won(pipeline="field")), sale(pipeline=None), law="DE").allowed
    assert is_claimed(ask(a_story(won("2022-05-01")), sale(shown_from="2023-01-01"), law="DE"), *CONDITIONS)


def test_whoever_said_no_was_asked_and_refused() -> None:
    """That is what `refusals_recorded` rests on: their stop stands, whatever is declared, and no new deal lifts it."""
    story = a_story(won(), opted_out("2024-05-02"), won("2024-09-01", deal="d-2"))
    assert ask(story, sale(), law="DE").reason == "opted_out"


# --- subscription types --------------------------------------------------------------------------

CONSENTED = opted_in("2024-01-01", purposes=("marketing.similar", "marketing.other", "marketing.survey"))


def allowed(story: Story, *said: e.Event) -> set[str]:
    """The purposes that are allowed."""
    return {p.partition(".")[2] for p in MARKETING_PURPOSES if ask(story, *said, purpose=p).allowed}


def test_leaving_a_type_that_nobody_declared_stops_everything() -> None:
    assert allowed(a_story(CONSENTED)) == {"similar", "other", "survey"}
    assert allowed(a_story(CONSENTED, left("news"))) == set()


def test_leaving_a_declared_type_stops_what_it_means_and_nothing_else() -> None:
    assert allowed(a_story(CONSENTED, left("news")), means("news", "marketing.similar")) == {"other", "survey"}


def test_leaving_another_type_stops_what_no_other_is_declared_to_mean() -> None:
    story = a_story(CONSENTED, left("events"))
    assert allowed(story, means("news", "marketing.similar")) == {"similar"}
    assert allowed(story, means("news", "marketing.similar"), means("polls", "marketing.survey")) == {
        "similar",
        "survey",
    }


def test_a_type_declared_without_evidence_narrows_nothing() -> None:
    story = a_story(CONSENTED, left("news"))
    assert allowed(story, means("news", "marketing.similar", evidence=())) == set()
    assert allowed(a_story(CONSENTED, left("events")), means("news", "marketing.similar", evidence=())) == set()


def test_a_type_declared_to_mean_nothing_narrows_nothing() -> None:
    assert allowed(a_story(CONSENTED, left("news")), means("news")) == set()


def test_that_one_type_means_all_marketing_says_nothing_of_another() -> None:
    """Leaving the other still stops everything: nobody said what it means."""
    assert allowed(a_story(CONSENTED, left("events")), means("news", "marketing.*")) == set()
    assert allowed(a_story(CONSENTED, left("news")), means("news", "marketing.*")) == set()


def test_a_withdrawn_meaning_stops_everything_again() -> None:
    said = means("news", "marketing.similar")
    assert allowed(a_story(CONSENTED, left("news")), said, withdrawn(said)) == set()


def test_an_opt_out_of_everything_is_never_narrowed() -> None:
    said = means("news", "marketing.similar")
    assert allowed(a_story(CONSENTED, left("news"), opted_out("2025-01-02")), said) == set()


# --- campaigns -----------------------------------------------------------------------------------


def mailed(at: str, **fields: Any) -> e.Event:
    """A mail of the spring campaign."""
    return happened(e.CampaignMailSent, at, **{"campaign": "spring", "by": "system"} | fields)


def test_a_campaign_that_is_known_to_be_marketing_shows_that_a_consent_was_in_use() -> None:
    story = a_story(opted_in("2023-01-01"), mailed("2024-06-01"))
    asked: dict[str, Any] = {"law": "DE", "at": "2025-06-01"}
    assert not ask(story, **asked).allowed
    assert ask(story, was("spring", "marketing.similar"), **asked).allowed
    for of_no_use in (
        was("spring", "service.invoice"),
        was("spring", "marketing.similar", evidence=()),
        was("autumn", "marketing.similar"),
    ):
        assert not ask(story, of_no_use, **asked).allowed


def test_what_the_source_says_of_a_mail_is_not_said_over() -> None:
    story = a_story(opted_in("2023-01-01"), mailed("2024-06-01", purpose="service.invoice"))
    assert not ask(story, was("spring", "marketing.similar"), law="DE").allowed


# --- what is not shown keeps nothing alive -------------------------------------------------------


def test_a_sign_up_that_is_not_shown_keeps_no_consent_alive() -> None:
    story = a_story(opted_in("2020-01-01"), sent("2025-01-01", by="unknown"))
    assert not ask(story, law="DE").allowed
    assert not ask(story, sign_up(evidence=()), law="DE").allowed


@pytest.mark.parametrize("how", [{"required": True}, {"ticked_before": True}])
def test_a_box_that_grants_nothing_revives_no_consent_that_lapsed(how: dict[str, Any]) -> None:
    lapsed = opted_in("2020-01-01")
    assert not ask(a_story(lapsed, ticked("2025-01-01")), form(**how), law="DE").allowed
    assert ask(a_story(lapsed, ticked("2025-01-01")), form(purposes=("marketing.other",)), law="DE").allowed


def test_a_deal_of_which_nobody_says_what_it_was_keeps_no_consent_alive() -> None:
    lapsed = opted_in("2020-01-01")
    assert not ask(a_story(lapsed, won("2025-01-01")), law="DE", purpose="marketing.similar").allowed
    assert ask(a_story(lapsed, bought("2025-01-01")), law="DE").allowed


# --- laws ----------------------------------------------------------------------------------------

some = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
FORMS, BOXES, TYPES, PIPELINES, CAMPAIGNS = ("f",), ("a", "b"), ("t", "u"), ("p",), ("c",)


@st.composite
def submissions(draw: st.DrawFn) -> History:
    """A form sent in with its boxes, as a source shows it: at one moment, by one person."""
    common = draw(times()) | {
        "address": draw(addresses),
        "by": draw(st.sampled_from(("data_subject",) * 4 + ("unknown",))),
    }
    name = draw(st.sampled_from(FORMS))
    boxes = draw(st.lists(st.sampled_from(BOXES), min_size=1, max_size=2, unique=True))
    answers = [e.BoxAnswered(**common, form=name, box=box, ticked=draw(often) is True) for box in boxes]
    return [e.FormSubmitted(**common, form=name), *answers]


@st.composite
def seen(draw: st.DrawFn) -> History:
    """What a declaration could speak of beside a form: a deal, a type left, a campaign's mail."""
    common = draw(times()) | {"address": draw(addresses), "by": "data_subject"}
    match draw(st.integers(0, 2)):
        case 0:
            return [e.DealWon(**common, pipeline=draw(st.sampled_from((*PIPELINES, None))))]
        case 1:
            return [e.TypeOptedOut(**common, subscription_type=draw(st.sampled_from(TYPES)))]
        case _:
            return [e.CampaignMailSent(**common, campaign=draw(st.sampled_from(CAMPAIGNS)))]


stories: st.SearchStrategy[History] = st.builds(
    lambda known, parts: [*known, *(event for part in parts for event in part)],
    st.one_of(st.just([]), histories),
    st.lists(st.one_of(submissions(), submissions(), seen()), min_size=2, max_size=5),
)


@st.composite
def declarations(draw: st.DrawFn, shown: bool | None = None) -> e.Declaration:
    """Anything a person may declare of those."""
    first, last = sorted((draw(steps), draw(steps)))
    is_shown = draw(often) is True if shown is None else shown
    common: dict[str, Any] = {
        "key": draw(st.sampled_from(("k", "l", "m", "n"))),
        "stream": LEDGER_STREAM,
        "source": "evidence_map",
        "by": "officer",
        "evidence": SHOWN if is_shown else (),
        "shown_from": draw(st.sampled_from((None, None, moment(first)))),
        "shown_to": draw(st.sampled_from((None, None, moment(last)))),
    }
    some_purposes = st.sampled_from((("marketing.*",),) * 3 + (("marketing.similar",), ("marketing.other",), ()))
    match draw(st.integers(0, 5)):
        case 0 | 1 | 2:
            return e.FormDeclared(
                **common,
                form=draw(st.sampled_from(FORMS)),
                box=draw(st.sampled_from((*BOXES, None))),
                ticked_before=not draw(often),
                required=draw(st.sampled_from((False, False, False, None, True))),
                purposes=draw(some_purposes),
                channels=("email", "sms"),
                to=("own",),
                wording=draw(st.sampled_from((WORDS, WORDS, None))),
            )
        case 3:
            return e.SaleDeclared(
                **common,
                pipeline=draw(st.sampled_from((*PIPELINES, None))),
                kind=draw(st.sampled_from(("purchase", "subscription", "unknown"))),
                seller="own",
                collected_from_person=draw(often),
                refusal_offered=draw(often),
                refusals_recorded=draw(often),
            )
        case 4:
            kind = draw(st.sampled_from(TYPES))
            return e.TypeDeclared(**common, subscription_type=kind, purposes=draw(some_purposes))
        case _:
            purpose = draw(st.sampled_from(("marketing.similar", "service.invoice")))
            return e.CampaignDeclared(**common, campaign=draw(st.sampled_from(CAMPAIGNS)), purpose=purpose)


said_before = st.lists(declarations(), min_size=1, max_size=6)


def answer(story: History, said: Sequence[e.Event], asked: Asked) -> Decision:
    """Put the question to the shipped rules, with these declared."""
    return judge(folds(story), asked.question(), shipped.policy(), declared(*said))


def test_the_declared_histories_are_rich_in_what_turns_yes() -> None:
    """Or the laws below would hold of nothing."""
    found: Counter[tuple[bool, bool]] = Counter()

    @seed(2016)  # one sample, always the same: a statement about the strategies, not about chance
    @settings(some, max_examples=600, phases=[Phase.generate], database=None)
    @given(stories, said_before, questions)
    def sample(story: History, said: list[e.Declaration], asked: Asked) -> None:
        found[answer(story, (), asked).allowed, answer(story, said, asked).allowed] += 1

    sample()
    assert found[False, True] > 15
    assert found[True, True] > 15


@some
@given(stories, said_before, declarations(shown=False), questions)
def test_a_declaration_added_without_evidence_never_turns_no_into_yes(
    story: History, said: list[e.Declaration], more: e.Declaration, asked: Asked
) -> None:
    fresh = msgspec.structs.replace(more, key="fresh")
    if not answer(story, said, asked).allowed:
        assert not answer(story, [*said, fresh], asked).allowed


@some
@given(stories, said_before, questions)
def test_withdrawing_every_declaration_gives_exactly_the_answer_before(
    story: History, said: list[e.Declaration], asked: Asked
) -> None:
    taken_back = [withdrawn(one) for one in said]
    assert answer(story, [*said, *taken_back], asked) == answer(story, (), asked)


@some
@given(stories, declarations(shown=False), questions)
def test_evidence_taken_away_never_does(story: History, said: e.Declaration, asked: Asked) -> None:
    """The same declaration with and without its files."""
    if not answer(story, [msgspec.structs.replace(said, evidence=SHOWN)], asked).allowed:
        assert not answer(story, [said], asked).allowed


# --- live and rebuilt ----------------------------------------------------------------------------


@pytest.fixture
def log(place: Place) -> Iterator[Log]:
    with open_log(place("log")) as log:
        yield log


@pytest.fixture
def live(place: Place) -> Iterator[Views]:
    with Views.open(place("views"), BINDING) as live:
        yield live


def with_declarations(number: int) -> list[e.Event]:
    """A random history of a few people, with what a declaration could speak of and declarations in between."""
    dice = Random(number)
    events: list[e.Event] = []
    for event in history(number, 90):
        events.append(event)
        if dice.random() < 0.5:
            events.append(_seen_or_said(dice))
    return events


def _seen_or_said(dice: Random) -> e.Event:
    who = dice.randrange(5)
    when = datetime(2024, 3, 1, 12, tzinfo=UTC) + timedelta(days=dice.randrange(-900, 60))
    about: dict[str, Any] = {"stream": contact(who), "source": "t", "address": address(who), "by": "data_subject"}
    ticked = {**about, "occurred_from": when, "captured_at": when, "captured_by": "form_record"}
    said = dice.choice(
        (
            form(box=dice.choice(("news", "other")), evidence=dice.choice((SHOWN, SHOWN, ()))),
            sign_up("sign-up", form="webinar"),
            sale(pipeline=dice.choice(("shop", None)), evidence=dice.choice((SHOWN, SHOWN, ()))),
            means("news", "marketing.similar"),
            was("spring", "marketing.similar"),
        )
    )
    return dice.choice(
        (
            e.BoxAnswered(**ticked, form="footer", box="news"),
            e.FormSubmitted(**ticked, form=dice.choice(("footer", "webinar"))),
            e.DealWon(**ticked, pipeline="shop"),
            e.TypeOptedOut(**ticked, subscription_type=dice.choice(("news", "events"))),
            e.CampaignMailSent(**ticked, campaign="spring"),
            said,
            said,
            withdrawn(said),
        )
    )


@pytest.mark.parametrize("number", range(6))
def test_rebuilt_equals_live_with_declarations_in_between(place: Place, log: Log, live: Views, number: int) -> None:
    """Byte for byte, followed in portions of any size."""
    path = place("log")
    for turn, batch in enumerate(batches(number, with_declarations(number))):
        log.append(batch)
        if turn % 3:
            StatusRunner(log, path, live, POLICIES.__getitem__, 1 + turn % 5).follow(once=True)
    follower = StatusRunner(log, path, live, POLICIES.__getitem__)
    follower.follow(once=True)
    found = follower.replay()
    assert found.equal, found.listed[:5]
    assert found.rows > 10


def test_a_declaration_and_its_withdrawal_reach_everybody_they_speak_of(place: Place, log: Log, live: Views) -> None:
    """Their own entries are old: what changed is what the ledger reads in them."""
    people = [contact(number) for number in range(4)]
    when = datetime(2024, 1, 1, tzinfo=UTC)
    facts: list[e.Event] = [e.ControllerDescribed(stream=LEDGER_STREAM, source="t", country="GB")]
    for number, who in enumerate(people):
        about: dict[str, Any] = {"stream": who, "source": "t", "address": address(number), "by": "data_subject"}
        facts.append(e.CountryEvidenced(**about, hints=(e.CountryHint("GB", "declared"),)))
        facts.append(e.BoxAnswered(**about, occurred_from=when, form="footer", box="news", ticked=number < 3))
    follower = StatusRunner(log, place("log"), live, POLICIES.__getitem__)

    def answers() -> list[bool]:
        follower.follow(once=True)
        assert follower.replay().equal
        rows = [row for who in people for row in follower.current(who)]
        return [row.segments[-1].decision.allowed for row in rows if row.purpose == "marketing.similar"]

    turns: tuple[tuple[list[e.Event], list[bool]], ...] = (
        (facts, [False] * 4),
        ([form()], [True, True, True, False]),
        ([form(evidence=())], [False] * 4),
        ([form("again")], [True, True, True, False]),
        ([withdrawn(form("again"))], [False] * 4),
    )
    for events, expected in turns:
        for batch in batches(1, events):
            log.append(batch)
        assert answers() == expected


def test_a_box_declared_to_say_so_makes_a_minor_who_gets_no_marketing() -> None:
    """P17, without any evidence beside it: it only ever forbids. Left empty, it says nothing."""
    young = e.MinorDeclared(**_about("age", {"form": "footer", "box": "young", "evidence": ()}))
    said, not_said = ticked(box="young"), ticked(box="young", ticked=False)
    assert ask(a_story(ticked(), said), form()).allowed
    assert ask(a_story(ticked(), said), form(), young).reason == "minor"
    assert ask(a_story(ticked(), not_said), form(), young).allowed


# --- one type by two names


NEWS, EVENTS = means("news", "marketing.similar"), means("events", "marketing.survey")


def stopped_by(kind: str, *said: e.Event) -> set[str]:
    """The marketing purposes that leaving a type stops."""
    story = a_story(happened(e.TypeOptedOut, "2024-05-01", subscription_type=kind))
    (stop,) = as_declared(story.contacts()[0], declared(*said).declared).contact.stops
    covers = Dossier.covers
    return {name for name in MARKETING_PURPOSES if covers(stop, name, "email", None)}


def test_a_type_left_by_a_number_that_nothing_ties_stops_everything() -> None:
    """It may be any of those that are declared by name."""
    assert stopped_by("1234", NEWS, EVENTS) == set(MARKETING_PURPOSES)
    assert stopped_by("offers", NEWS, EVENTS) == set(MARKETING_PURPOSES) - {"marketing.similar", "marketing.survey"}


def test_a_type_declared_by_number_may_be_the_one_that_is_left_by_name() -> None:
    """So what it means is not spared, until its own name is known; by another number it is another type."""
    by_number = means("77", "marketing.similar")
    assert stopped_by("offers", by_number, EVENTS) == set(MARKETING_PURPOSES) - {"marketing.survey"}
    assert "marketing.similar" not in stopped_by("offers", by_number, named("77", "news"))
    assert "marketing.similar" not in stopped_by("78", by_number)


@pytest.mark.parametrize("said", list(permutations((NEWS, EVENTS, named("1234", "news"), named("1234", "weekly")))))
def test_a_number_and_the_names_it_goes_by_are_one_type(said: tuple[e.Event, ...]) -> None:
    """Whichever was known first; a type that was named anew is the same still."""
    for kind in ("1234", "news", "weekly"):
        assert stopped_by(kind, *said) == {"marketing.similar"}


def test_a_type_declared_under_two_of_its_names_stops_what_either_means() -> None:
    """Nobody loses a stop because a declaration was written again under the new name."""
    said = (NEWS, means("weekly", "marketing.survey"), named("1", "news"), named("1", "weekly"))
    assert stopped_by("1", *said) == stopped_by("news", *said) == {"marketing.similar", "marketing.survey"}


TOKENS = ("1", "2", "news", "events")
ties = st.builds(named, st.sampled_from(TOKENS[:2]), st.sampled_from(TOKENS[2:]))
meanings = st.builds(means, st.sampled_from(TOKENS), st.sampled_from(("marketing.similar", "marketing.survey")))


@given(st.lists(ties, max_size=3), st.lists(meanings, max_size=3, unique_by=lambda said: said.key), st.randoms())
def test_whichever_is_said_first_a_type_stops_the_same_by_each_of_its_names(
    tied: list[e.Event], meant: list[e.Event], dice: Random
) -> None:
    """Over ties and declarations in any order."""
    said = [*tied, *meant]
    shuffled = dice.sample(said, len(said))
    known = declared(*said).declared
    for kind in TOKENS:
        stopped = stopped_by(kind, *said)
        assert stopped == stopped_by(kind, *shuffled)
        assert all(stopped_by(other, *said) == stopped for other in known.known_as(kind))
        own = {
            purpose
            for n in meant
            if isinstance(n, e.TypeDeclared) and n.subscription_type in known.known_as(kind)
            for purpose in n.purposes
        }
        assert own <= stopped
