"""What HubSpot should show, as tables of answers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from adapters.hubspot.sync.desired import (
    Answer,
    Held,
    Standing,
    explanation,
    legal_basis,
    meanings,
    wanted_address,
    wanted_record,
)
from ledger.terms import MARKETING_PURPOSES, Basis

YES = Answer(True, "explicit_consent", "proven", False, False, 7)
CHARITY = Answer(True, "charity_soft_opt_in", "proven", False, False, 8)
NO = Answer(False, None, "no_basis", False, False, 3)
CLAIMED = Answer(False, None, "claimed", False, True, 4)
OUT = Answer(False, None, "opted_out", True, False, 5)
HELD_AND_OUT = Answer(False, None, "under_review", True, True, 6)
A, B = "a" * 36, "b" * 36
ONE, TWO = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
TYPES = (("1", "Product News"), ("2", "Surveys"), ("3", "Odd Mail"), ("4", "Everything"))
DECLARED = {
    "product-news": ("marketing.similar", "marketing.other"),
    "surveys": ("marketing.survey",),
    "everything": ("marketing.*",),
}


def of(given: Mapping[str, Answer], rest: Answer = NO) -> dict[str, Answer]:
    return {purpose: given.get(purpose.removeprefix("marketing."), rest) for purpose in MARKETING_PURPOSES}


def standing(contact: str = ONE, **addresses: Mapping[str, Answer]) -> Standing:
    return Standing(contact, 1, {{"a": A, "b": B}[name]: answers for name, answers in addresses.items()})


MEANT = meanings(TYPES, DECLARED)


def test_types_mean_what_is_declared_of_their_names() -> None:
    assert MEANT.types == {
        "1": ("marketing.similar", "marketing.other"),
        "2": ("marketing.survey",),
        "3": None,
        "4": MARKETING_PURPOSES,
    }
    assert MEANT.nameless == (
        "marketing.third_party",
        "marketing.charitable",
        "marketing.political",
        "marketing.repermission",
    )


@pytest.mark.parametrize(
    ("answers", "types", "all_out", "unheard"),
    [
        pytest.param(of({}), {}, False, "1234", id="without a basis nothing is changed"),
        pytest.param(of({}, CLAIMED), {}, False, "1234", id="an open question changes nothing"),
        pytest.param(
            of({}, OUT), dict.fromkeys("1234", "unsubscribed"), True, "", id="a stop of everything leaves everything"
        ),
        pytest.param(
            of({}, HELD_AND_OUT),
            dict.fromkeys("1234", "unsubscribed"),
            True,
            "",
            id="a review does not hide a stop",
        ),
        pytest.param(
            of({"survey": OUT}),
            {"2": "unsubscribed", "4": "unsubscribed"},
            False,
            "13",
            id="a stop of one purpose leaves the types that may carry it, and no undeclared one",
        ),
        pytest.param(
            of({"similar": OUT, "other": YES}),
            {"1": "unsubscribed", "4": "unsubscribed"},
            False,
            "23",
            id="a type with a stopped purpose is left, whatever else it is for",
        ),
        pytest.param(of({"similar": YES, "other": CHARITY}), {"1": "subscribed"}, False, "1234", id="all its purposes"),
        pytest.param(of({"similar": YES}), {}, False, "1234", id="one of its purposes is not enough"),
        pytest.param(
            of({"similar": YES, "other": YES, "survey": YES}, OUT),
            {"1": "subscribed", "2": "subscribed", "4": "unsubscribed"},
            False,
            "12",
            id="an undeclared type left stops what no declared one means; a later opt-in of the rest stands",
        ),
    ],
)
def test_an_address(answers: dict[str, Answer], types: dict[str, str], all_out: bool, unheard: str) -> None:
    wanted = wanted_address(standing(a=answers), A, MEANT)
    assert {kind: one.state for kind, one in wanted.types.items()} == types
    assert (wanted.all_out is not None) is all_out
    assert wanted.unheard == set(unheard)


def test_the_strictest_basis_is_told() -> None:
    wanted = wanted_address(standing(a=of({"similar": CHARITY, "other": YES})), A, MEANT)
    assert wanted.types["1"].answer == YES
    assert explanation(ONE, YES) == "consent-ledger CL-11111111-7: explicit_consent"
    assert explanation(ONE, OUT) == "consent-ledger CL-11111111-5: opted_out"


def test_every_basis_has_a_word_of_hubspot() -> None:
    assert {basis.value: legal_basis(basis) for basis in Basis} == {
        "explicit_consent": "CONSENT_WITH_NOTICE",
        "soft_opt_in": "LEGITIMATE_INTEREST_CLIENT",
        "charity_soft_opt_in": "LEGITIMATE_INTEREST_CLIENT",
        "implied_consent": "LEGITIMATE_INTEREST_OTHER",
        "inferred_consent": "LEGITIMATE_INTEREST_OTHER",
        "legitimate_interest_b2b": "LEGITIMATE_INTEREST_PQL",
        "opt_out_regime": "NON_GDPR",
        "contract": "PERFORMANCE_OF_CONTRACT",
        "not_marketing": "LEGITIMATE_INTEREST_OTHER",
    }


ALLOWED, STOPPED, OPEN = of({"similar": YES}), of({}, OUT), of({"similar": CLAIMED})
HERE, ALSO = Held("a@example.com", ONE, A), Held("b@example.com", ONE, B)
OTHERS, UNKNOWN = Held("b@example.com", TWO, B), Held("x@example.com", None, None)


@pytest.mark.parametrize(
    ("standings", "held", "verdict", "reason"),
    [
        ([standing(a=ALLOWED)], [HERE], "marketing", "proven"),
        ([standing(a=OPEN)], [HERE], "undecided", "claimed"),
        ([standing(a=of({}))], [HERE], "non_marketing", "no_basis"),
        ([standing(a=STOPPED)], [HERE], "non_marketing", "opted_out"),
        # HubSpot writes to the primary address
        ([standing(a=ALLOWED, b=STOPPED)], [HERE, ALSO], "marketing", "proven"),
        ([standing(a=ALLOWED, b=STOPPED)], [ALSO, HERE], "non_marketing", "opted_out"),
        # two contacts on one record: the strictest, whoever's address is the primary one
        ([standing(a=ALLOWED), standing(TWO, b=STOPPED)], [HERE, OTHERS], "non_marketing", "opted_out"),
        ([standing(a=ALLOWED), standing(TWO, b=OPEN)], [OTHERS, HERE], "undecided", "claimed"),
        ([standing(a=ALLOWED), standing(TWO, b=ALLOWED)], [HERE, OTHERS], "marketing", "proven"),
        # an address nobody here knows is allowed nothing
        ([standing(a=ALLOWED)], [UNKNOWN, HERE], "non_marketing", "address_unknown"),
        ([standing(a=ALLOWED)], [HERE, UNKNOWN], "marketing", "proven"),
        ([standing(a=ALLOWED)], [], "non_marketing", "no_address"),
        ([standing()], [], "non_marketing", "no_address"),
    ],
)
def test_a_record(standings: list[Standing], held: list[Held], verdict: str, reason: str) -> None:
    wanted = wanted_record(standings, held)
    assert (wanted.verdict, wanted.reason) == (verdict, reason)
    assert wanted.reference.startswith(f"CL-{wanted.contact[:8]}-")
    assert (wanted.basis is not None) is (verdict == "marketing")


def test_a_type_without_a_name_is_known_by_its_number() -> None:
    assert meanings([("7", "")], {"7": ("marketing.similar",)}).types == {"7": ("marketing.similar",)}
