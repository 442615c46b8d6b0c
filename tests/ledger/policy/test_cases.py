"""The shipped suites: no mismatch, nothing left over, and no rule that a case does not guard."""

from __future__ import annotations

import pytest

from ledger.policy import shipped
from ledger.policy.cases import Case, SuiteResult, decide, run

GUARDED = [r.id for r in shipped.policy().rules.values() if r.kind in ("basis", "message_condition")]


@pytest.mark.parametrize("name", shipped.SUITES)
def test_a_shipped_suite_is_decided_as_expected(name: str) -> None:
    """Allowed and basis, case by case."""
    result = run(shipped.suite(name), shipped.policy())
    assert result.render() == f"{len(shipped.suite(name))} cases, 0 mismatches"


@pytest.mark.parametrize("name", shipped.SUITES)
def test_nothing_of_a_shipped_suite_is_left_over(name: str) -> None:
    """Every event and field is understood."""
    assert run(shipped.suite(name), shipped.policy()).not_understood == ()


def test_case_ids_are_unique_and_every_case_names_its_source() -> None:
    """A lawyer must find the decision."""
    cases = shipped.all_cases()
    assert len({case.id for case in cases}) == len(cases)
    assert [case.id for case in cases if not (case.source and case.title and case.confidence)] == []


def test_every_counterfactual_flips_a_case_of_the_other_suite() -> None:
    """One fact changed, another answer."""
    decided = {case.id: case for case in shipped.suite("decisions")}
    for twin in shipped.suite("counterfactuals"):
        base = decided.get(twin.expected.flips or "")
        assert twin.id.split("~")[0] == twin.expected.flips
        if base is not None and "in-gb" not in twin.id and "unknown-law" not in twin.id:
            outcome = (twin.expected.allowed, twin.expected.basis)
            assert outcome != (base.expected.allowed, base.expected.basis) or not twin.expected.allowed


@pytest.mark.parametrize("rule", GUARDED)
def test_dropping_any_one_rule_breaks_a_case(rule: str) -> None:
    """Mutation: a rule no case notices is a rule nobody checked."""
    assert run(shipped.all_cases(), shipped.policy().without(rule)).mismatches


def test_an_engine_that_denies_everything_does_not_pass() -> None:
    """The suites contain enough of what is allowed."""
    allowed = [case for case in shipped.all_cases() if case.expected.allowed]
    assert len(allowed) > 0.35 * len(shipped.all_cases())


def test_a_mismatch_is_told_with_its_grounds() -> None:
    """What was expected, what was decided, on what."""
    case = Case(
        id="wrong",
        jurisdiction="GB",
        timeline=({"at": "2023-01-01T00:00:00Z", "type": "opt_out", "detail": {}},),
        question={"at": "2023-02-01T00:00:00Z", "purpose": "marketing.similar", "channel": "email"},
    )
    expects_yes = case.expected.__class__(allowed=True, basis="soft_opt_in", rules_include=("GB-PECR-22-3",))
    result = decide(
        Case(**{f: getattr(case, f) for f in case.__struct_fields__} | {"expected": expects_yes}),
        shipped.policy(),
    )
    text = SuiteResult((result,)).render()
    assert "allowed: expected allowed, decided not allowed" in text
    assert "basis: expected soft_opt_in, decided none" in text
    assert "rules: expected GB-PECR-22-3" in text
    assert "against: opted_out (GB-STOP), event 1" in text
    assert text.splitlines()[-1] == "1 cases, 1 mismatches"


def test_a_case_without_an_expected_answer_is_decided_and_never_a_mismatch() -> None:
    """So that a lawyer can ask about a history of his own."""
    case = Case(id="mine", timeline=(), question={"at": "2023-02-01", "purpose": "service.invoice"})
    assert decide(case, shipped.policy()).differences == ()
