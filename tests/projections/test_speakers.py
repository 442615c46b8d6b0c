"""Who is stopped by a review, or by others, is not counted as somebody who said no; and nobody's no is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from ledger import events as e
from ledger.policy.judge import STOP_REASONS, STOPPED, judge
from ledger.policy.question import Question
from ledger.policy.shipped import policy
from ledger.terms import BY_OUR_WRITE
from projections.verdicts import REASONS, Bucket, Speaker, speaker_of
from tests.projections.test_verdicts import (
    ADDRESS,
    BOUNCE,
    CLAIM,
    HOLD,
    MARKED,
    NOW,
    OPT_IN,
    OPTED_OUT,
    SALE,
    SCHEDULED,
    UNMARKED,
    audited,
    fact,
    given,
)

REVIEW = fact(e.ReviewDecided, at=NOW, outcome="stop", by="officer")
OWN = fact(e.OptedOut, at=NOW - timedelta(days=40), by="data_subject", channels=("email",))
PARTLY = fact(e.OptedOut, by="data_subject", purposes=("marketing.similar",), channels=("email",))
COMPLAINT = fact(e.Complained, by="data_subject", via="hubspot")


def by(party: str, kind: type[e.Event] = e.OptedOut, **more: Any) -> e.Event:
    """A stop of all e-mail, by some party."""
    return fact(kind, by=party, channels=("email",), **more)


@pytest.mark.parametrize(
    ("facts", "speaker", "reason"),
    [
        ((OPTED_OUT,), "person", "opted_out"),
        ((REVIEW,), "review", "review_stop"),
        ((CLAIM, REVIEW), "review", "review_stop"),
        ((OPT_IN, REVIEW), "review", "review_stop"),
        ((OPTED_OUT, REVIEW), "person", "opted_out"),
        ((REVIEW, OPTED_OUT), "person", "opted_out"),
        ((COMPLAINT, REVIEW), "person", "complained"),
        ((PARTLY, REVIEW), "review", "review_stop"),
        ((OWN, OPT_IN, REVIEW), "review", "review_stop"),
        ((OWN, OPT_IN), None, "proven"),
        ((by("unknown"),), "person", "opted_out"),
        ((by("agent"),), "person", "opted_out"),
        ((by("guardian", e.Objected),), "person", "objected"),
        ((by("officer"),), "others", "stopped_by_others"),
        ((by("third_party", e.TypeOptedOut, subscription_type="news"),), "others", "stopped_by_others"),
        ((by("system"),), "others", "stopped_by_others"),
        ((by("system", via="suppression"),), "person", "suppressed"),
        ((by("system", e.Objected, via="hashed_list"),), "person", "objected"),
        ((by("system", e.Objected, via="domain_stop"),), "person", "objected"),
        ((by("officer"), COMPLAINT), "person", "complained"),
        ((by("officer"), REVIEW), "others", "stopped_by_others"),
        ((by("system", via=BY_OUR_WRITE),), "others", "stopped_by_others"),
        ((by("system", via=BY_OUR_WRITE), REVIEW), "review", "review_stop"),
        ((by("system", via=BY_OUR_WRITE), by("officer"), REVIEW), "others", "stopped_by_others"),
        ((by("system", via=BY_OUR_WRITE), OPTED_OUT), "person", "opted_out"),
        ((OPT_IN, by("system", via=BY_OUR_WRITE)), "others", "stopped_by_others"),
        ((HOLD,), None, "under_review"),
        ((fact(e.RecipientDescribed, minor=True),), None, "minor"),
        ((BOUNCE,), None, "nothing_known"),
    ],
)
def test_who_stopped_is_told_apart(facts: tuple[e.Event, ...], speaker: str | None, reason: str) -> None:
    """Reason by reason; the flag in the CRM has no say in it, though it may be the reason for the action."""
    verdict = audited(given(MARKED, *facts))
    assert (verdict.stopped_by, verdict.reason) == (speaker, reason)
    assert (verdict.bucket is Bucket.STOPPED) == (speaker is not None)
    assert audited(given(SCHEDULED, *facts)).stopped_by == speaker


def test_every_reason_of_a_stop_has_one_speaker_and_a_sentence() -> None:
    """A new kind of stop is either the person's or not."""
    company = {reason for reason in STOPPED if speaker_of(reason) is not Speaker.PERSON}
    assert company == {"review_stop", "stopped_by_others"}
    assert set(STOP_REASONS.values()) <= REASONS.keys()


OWN_STOPS = (OPTED_OUT, OWN, PARTLY, COMPLAINT, by("unknown"))
ANYTHING = st.lists(st.sampled_from((SALE, CLAIM, OPT_IN, BOUNCE, HOLD, by("officer"), *OWN_STOPS)), max_size=5)


@hypothesis.given(ANYTHING, st.sampled_from((MARKED, UNMARKED, SCHEDULED)))
def test_a_review_makes_no_no_and_loses_none(facts: list[e.Event], flag: e.Event) -> None:
    """Who was stopped stays counted as before; who never said no is not counted so because a review decided."""
    before, after = audited(given(flag, *facts)), audited(given(flag, *facts, REVIEW))
    assert after.bucket is Bucket.STOPPED
    if before.bucket is Bucket.STOPPED:
        assert (after.stopped_by, after.reason) == (before.stopped_by, before.reason)
        assert after.stopped_all == before.stopped_all
    elif not any(one in OWN_STOPS for one in facts):
        assert after.stopped_by is not Speaker.PERSON
    if after.stopped_by is Speaker.REVIEW:
        assert not after.stopped_all


@hypothesis.given(ANYTHING, st.randoms(use_true_random=False))
def test_the_order_of_what_is_recorded_does_not_decide_who_spoke(facts: list[e.Event], random: Any) -> None:
    """The same facts in another order."""
    mixed = [*facts, REVIEW]
    random.shuffle(mixed)
    assert audited(given(MARKED, *mixed)).stopped_by == audited(given(MARKED, *facts, REVIEW)).stopped_by


CLOCKS = ("occurred_from", "captured_at", "recorded_at")
EARLIER = [
    fact(kind, at=NOW - timedelta(days=days), by="data_subject", channels=("email",))
    for kind, days in ((e.Complained, 80), (e.Objected, 60), (e.OptedOut, 20))
]
BETWEEN = [
    msgspec.structs.replace(OPT_IN, **dict.fromkeys(CLOCKS, NOW - timedelta(days=days))) for days in (70, 50, 10)
]


@hypothesis.given(st.lists(st.sampled_from((*EARLIER, *BETWEEN, REVIEW, by("officer"), SALE)), max_size=6))
def test_a_page_gives_the_reason_that_the_gate_gives(facts: list[e.Event]) -> None:
    """With every trial written down, and without: the answer is the same, and so is who spoke."""
    contact = given(MARKED, *facts)
    question = Question(purpose="marketing.similar", channel="email", at=NOW, address=ADDRESS)
    plain, traced = judge([contact], question, policy()), judge([contact], question, policy(), trace=[])
    assert plain.same_answer(traced)
    assert plain.reason == traced.reason
