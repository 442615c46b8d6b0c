"""The condition that decides an answer: found for every shipped case, at any moment, and never at odds with itself."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contact import Contact, Entry
from ledger.policy import shipped
from ledger.policy.cases import Prepared, prepare
from ledger.terms import BEGINNING
from projections.explain import Explanation, weigh
from projections.groups import Kin
from projections.matter import IN_TIME

CASES = {case.id: prepare(case) for case in shipped.all_cases()}
DECIDES = {
    "de-consent-silent-25-months": "lapsed",
    "fr-3y-no-contact": "lapsed",
    "ca-implied-purchase-expired": "lapsed",
    "gb-backdated-grant": "recorded_later",
    "de-softoptin-before-uwg-2004": "not_in_force",
    "ro-free-account-law-declared-2019": "not_in_force",
    "pl-softoptin-after-pke": "no_longer_in_force",
    "us-no-postal-address": "message",
    "gb-flag-claim-open": "claimed",
    "eu-inteligo-2025~bare-account": "not_accepted",
    "us-text-message": "nothing",
}


def explained(case: Prepared, later: timedelta = timedelta()) -> Explanation:
    """A case put to the engine at its moment, or so much later."""
    question = msgspec.structs.replace(case.question, at=case.question.at + later)
    person = Kin(case.contacts, case.contacts[0])
    return weigh(person, _entries(case.contacts), question, _policy(), case.catalogue)


def _entries(contacts: tuple[Contact, ...]) -> list[Entry]:
    found = {
        entry.position: entry
        for contact in contacts
        for value in msgspec.structs.asdict(contact).values()
        if isinstance(value, tuple)
        for entry in value
    }
    return [found[position] for position in sorted(found)]


_policy = cache(shipped.policy)


@pytest.mark.parametrize("case", DECIDES)
def test_the_condition_that_decides_a_case(case: str) -> None:
    """The kind that the case was written to show."""
    assert explained(CASES[case]).cause.kind == DECIDES[case]


@given(
    case=st.sampled_from(sorted(CASES)),
    days=st.one_of(st.just(0), st.integers(-6_000, 6_000)),
)
def test_what_is_met_is_never_what_is_missing(case: str, days: int) -> None:
    """Conditions that are met, contradicted and missing are three sets, and a gap is always named."""
    found = explained(CASES[case], timedelta(days=days))
    conditions = found.grounds.conditions if found.grounds is not None else ()
    met = {one.name for one in conditions if one.met is True}
    cause = found.cause
    assert not met & {*cause.missing, *cause.unmet}
    assert not {*cause.missing} & {*cause.unmet}
    assert (cause.kind == "proven") == found.decision.allowed
    if cause.kind in IN_TIME:
        assert IN_TIME[cause.kind] in cause.missing
    if cause.kind == "missing":
        assert cause.missing
    if cause.kind == "unmet":
        assert cause.unmet


@given(case=st.sampled_from(sorted(CASES)), days=st.integers(-6_000, 6_000))
def test_an_allowed_answer_shows_a_trial_that_counts_at_that_moment(case: str, days: int) -> None:
    """Not one that has lapsed since: "allowed since" is read from it."""
    found = explained(CASES[case], timedelta(days=days))
    if found.decision.allowed:
        assert found.grounds is not None
        at = CASES[case].question.at + timedelta(days=days)
        assert found.grounds.start <= at < found.grounds.until
        assert {*found.grounds.evidence} <= {*found.decision.evidence}


@given(case=st.sampled_from(sorted(CASES)), days=st.integers(-6_000, 6_000))
def test_a_lapse_lies_in_the_past_and_a_late_record_in_the_future(case: str, days: int) -> None:
    """The day that a sentence names is on the right side of the moment asked about."""
    cause = explained(CASES[case], timedelta(days=days)).cause
    at = CASES[case].question.at + timedelta(days=days)
    if cause.kind in ("lapsed", "no_longer_in_force"):
        assert cause.since is not None
        assert BEGINNING < cause.since <= at
    if cause.kind in ("recorded_later", "begins_later") or (cause.kind == "not_in_force" and cause.since):
        assert cause.since is not None
        assert cause.since > at or CASES[case].question.law_at is not None


@pytest.mark.parametrize(
    ("case", "counted_from"),
    [
        ("de-consent-silent-25-months", "contact"),
        ("ca-implied-purchase-expired", "fact"),
        ("fr-customer-four-years", "fact"),
        ("nl-service-long-after", "end"),
        ("xx-service-after-contract", "end"),
        ("de-doi-mail-too-late", "one_mail"),
    ],
)
def test_a_period_runs_from_what_the_rule_says(case: str, counted_from: str) -> None:
    """From the fact, from its end, or from the last contact: a sentence says which."""
    assert explained(CASES[case]).cause.counted_from == counted_from
