"""What holds for every history: no event that should not can ever turn a no into a yes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import msgspec
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from ledger import events as e
from ledger.policy import shipped
from ledger.policy.judge import Bench, judge, segments
from ledger.policy.question import Decision
from ledger.terms import BEGINNING
from tests.ledger.policy.histories import (
    LAST,
    LAWS,
    STEP,
    Asked,
    History,
    ask,
    descriptions,
    folds,
    grants,
    histories,
    merged_with,
    moment,
    noises,
    others,
    questions,
    relations,
    sales,
    steps,
    stops,
    uses,
)
from tests.ledger.policy.story import ANNA, DOUBLE, day, happened, opted_in

some = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
KNOWN_LAWS = [law for law in LAWS if law != "XX"]


def test_the_histories_are_rich_in_what_is_allowed() -> None:
    """Or the properties below would hold of nothing."""
    seen: Counter[str] = Counter()

    @seed(2015)  # one sample, always the same: a statement about the strategies, not about chance
    @settings(some, max_examples=600, phases=[Phase.generate], database=None)
    @given(histories, questions)
    def sample(history: History, asked: Asked) -> None:
        decision = ask(history, asked)
        seen[decision.basis or "no"] += 1

    sample()
    total = sum(seen.values())
    assert seen["no"] < 0.85 * total
    assert len(seen) >= 5


@some
@given(histories, stops(), questions)
def test_a_stop_added_never_turns_no_into_yes(history: History, stop: e.Event, asked: Asked) -> None:
    """P1."""
    if ask([*history, stop], asked).allowed:
        assert ask(history, asked).allowed


@some
@given(histories, st.lists(noises(), min_size=1, max_size=2), questions)
def test_an_import_a_flag_an_open_a_claim_or_a_review_added_never_does(
    history: History, added: History, asked: Asked
) -> None:
    """P3, P12."""
    if ask([*history, *added], asked).allowed:
        assert ask(history, asked).allowed


@some
@given(histories, others, steps, questions)
def test_a_merge_never_does(history: History, other: History, step: int, asked: Asked) -> None:
    """P14: stops of all, grants of the one asked about."""
    if ask([*history, *merged_with(other, moment(step))], asked).allowed:
        assert ask(history, asked).allowed


@some
@given(histories, others, steps, questions)
def test_separating_restores_what_each_had(history: History, other: History, step: int, asked: Asked) -> None:
    """P14: unmerge is the whole undoing."""
    joined = merged_with(other, moment(step))
    apart = e.ContactsUnlinked(stream=ANNA, source="test", recorded_at=LAST + STEP, by="officer", other=DOUBLE)
    mine, after = ask(history, asked), ask([*history, *joined, apart], asked)
    assert (mine.allowed, mine.basis, mine.reason) == (after.allowed, after.basis, after.reason)


NARROWER: tuple[dict[str, object], ...] = (
    {"purposes": ("marketing.similar",)},
    {"channels": ("email",)},
    {"channels": ("post",)},
    {"informed": None},
    {"specific": False},
    {"proof": "sample_form"},
    {"to": ()},
    {"by": "unknown"},
    {"act": "silence"},
)


@some
@given(histories, st.sampled_from(NARROWER), questions)
def test_narrowing_a_grant_never_does(history: History, less: dict[str, object], asked: Asked) -> None:
    """A grant never exceeds its wording; what is unknown of it is never rounded up."""
    narrower = [
        msgspec.structs.replace(event, **less)
        if isinstance(event, e.OptedIn) and event.purposes == ("marketing.*",)
        else event
        for event in history
    ]
    if ask(narrower, asked).allowed:
        assert ask(history, asked).allowed


@some
@given(histories, stops(), questions)
def test_widening_a_stop_never_does(history: History, stop: e.Event, asked: Asked) -> None:
    """A wider stop covers all that a narrower one did."""
    wide = msgspec.structs.replace(stop, purposes=("*",), channels=("*",), except_purposes=(), address_only=False)
    if ask([*history, wide], asked).allowed:
        assert ask([*history, stop], asked).allowed


@settings(some, max_examples=200)
@given(histories, questions, st.sampled_from(KNOWN_LAWS))
def test_unknown_law_allows_only_what_every_known_law_allows(history: History, asked: Asked, law: str) -> None:
    """1.9: by e-mail, while all are in force."""
    asked = asked._replace(channel="email", law=("XX",))
    if ask(history, asked).allowed:
        assert ask(history, asked._replace(law=(law,))).allowed


@some
@given(histories, questions, st.sampled_from(KNOWN_LAWS))
def test_one_more_candidate_law_never_does(history: History, asked: Asked, law: str) -> None:
    """Several laws: yes only if all say yes."""
    if ask(history, asked._replace(law=(*asked.law, law))).allowed:
        assert ask(history, asked).allowed


@some
@given(histories, histories, questions)
def test_the_answer_at_a_known_moment_does_not_depend_on_what_was_recorded_later(
    history: History, later: History, asked: Asked
) -> None:
    """Two histories that are the same up to a moment give the same answer as known then."""
    known_at = asked.at
    then = [event for event in history if (event.recorded_at or BEGINNING) <= known_at]
    after = [event for event in later if (event.recorded_at or BEGINNING) > known_at]
    seen = [event for event in [*then, *after] if (event.recorded_at or BEGINNING) <= known_at]
    assert ask(seen, asked) == ask(then, asked)


@some
@given(histories, st.one_of(grants(), sales(), relations(), uses()), questions)
def test_a_grant_or_a_use_that_nobody_held_yet_never_does(history: History, late: e.Event, asked: Asked) -> None:
    """P10: recorded after the message, by a source that does not record as it happens. Neither is it a sign of life."""
    late = msgspec.structs.replace(late, recorded_at=asked.at + STEP, captured_by=None, captured_at=None)
    assume(not isinstance(late, e.ContractEnded))
    if ask([*history, late], asked).allowed:
        assert ask(history, asked).allowed


def test_a_sale_keeps_a_consent_alive_from_when_somebody_held_it() -> None:
    """A consent of 2020 lapses in 2022. The sale of 2021 is entered in 2023: it tells nothing of 2022."""
    sale = happened(e.ContractStarted, "2021-06-01", kind="purchase")
    late = happened(e.ContractStarted, "2021-06-01", kind="purchase", recorded_at="2023-03-01")

    def decide(at: str, *history: e.Event) -> Decision:
        asked = Asked(day(at), ("DE",), "marketing.similar", "email", None)
        return ask([opted_in("2020-01-10"), *history], asked)

    assert decide("2021-12-01").allowed
    assert not decide("2022-06-01").allowed
    assert decide("2022-06-01", sale).allowed
    assert not decide("2022-06-01", late).allowed
    assert decide("2022-06-01", late).changes_at == day("2023-03-01")
    assert decide("2023-04-01", late).allowed


@some
@given(
    histories,
    st.lists(st.one_of(stops(), uses(), relations(), descriptions()), max_size=4),
    questions,
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_does_not_change_the_answer(
    history: History, more: History, asked: Asked, random: Random
) -> None:
    """Asked after all was recorded: positions, and times of recording after the facts, may be any."""
    events = [
        msgspec.structs.replace(event, captured_at=None, captured_by=None)
        for event in (*history, *more)
        if event.occurred_from is not None
    ]
    asked = asked._replace(at=LAST + STEP)
    arrived = [event.recorded_at for event in events]
    random.shuffle(arrived)
    shuffled = [
        msgspec.structs.replace(n, recorded_at=max(at or BEGINNING, n.occurred_to or n.earliest))
        for n, at in zip(events, arrived, strict=True)
    ]
    random.shuffle(shuffled)
    one, two = ask(events, asked), ask(shuffled, asked, in_order_given=True)
    assert (one.allowed, one.basis, one.rules) == (two.allowed, two.basis, two.rules)


@some
@given(steps, st.integers(0, 2), steps, st.integers(0, 2), st.sampled_from(LAWS), st.booleans())
def test_where_times_overlap_the_stop_wins(
    given_from: int, given_for: int, stopped_from: int, stopped_for: int, law: str, stop_first: bool
) -> None:
    """On a tie, and wherever it is not known which came first."""
    assume(stopped_from + stopped_for >= given_from)
    assume(given_from + given_for >= stopped_from)
    full = opted_in("2015-01-01", purposes=("marketing.*",))
    grant = msgspec.structs.replace(
        full,
        occurred_from=moment(given_from),
        occurred_to=moment(given_from + given_for),
        recorded_at=BEGINNING,
    )
    stop = e.OptedOut(
        stream=ANNA,
        source="test",
        occurred_from=moment(stopped_from),
        occurred_to=moment(stopped_from + stopped_for),
        recorded_at=BEGINNING,
    )
    asked = Asked(
        moment(max(given_from + given_for, stopped_from + stopped_for)),
        (law,),
        "marketing.similar",
        "email",
        None,
    )
    assert not ask([stop, grant] if stop_first else [grant, stop], asked, in_order_given=True).allowed


@some
@given(histories, stops(), questions)
def test_nothing_but_the_persons_own_later_opt_in_lifts_a_stop(history: History, stop: e.Event, asked: Asked) -> None:
    """P2, P3: whatever else comes later, and in whatever order."""
    assume(asked.purpose.startswith("marketing."))
    wide = msgspec.structs.replace(stop, purposes=("*",), channels=("*",), address_only=False)
    assume(wide.earliest <= asked.at)
    if ask([*history, wide], asked).allowed:
        own = [
            event
            for event in history
            if isinstance(event, e.OptedIn)
            and event.by in ("data_subject", "guardian")
            and event.earliest > wide.latest
        ]
        assert own
        others = [event for event in history if event not in own]
        assert not ask([*others, wide], asked).allowed


@some
@given(histories, stops(), steps, questions)
def test_a_correction_or_an_unmerge_takes_back_a_stop_and_nothing_else(
    history: History, stop: e.Event, step: int, asked: Asked
) -> None:
    """P11: with the correction the answer is as if the stop had not been."""
    at = LAST + STEP
    entered = [msgspec.structs.replace(stop, recorded_at=BEGINNING), *history]
    undo = e.Corrected(stream=ANNA, source="test", by="officer", recorded_at=at, undoes=1)
    without, undone = ask(history, asked), ask([*entered, undo], asked)
    assert (without.allowed, without.basis) == (undone.allowed, undone.basis)


@some
@given(histories, questions, st.lists(steps, min_size=1, max_size=6), st.sampled_from((0, 1, -1, 7)))
def test_segments_agree_with_judge_at_every_moment(
    history: History, asked: Asked, moments: list[int], hours: int
) -> None:
    """A reader picks the segment by its clock and is told what `judge` would tell."""
    contacts, question, policy = folds(history), asked.question(), shipped.policy()
    since = asked.at
    found = segments(Bench(contacts, policy), question, since)
    assert found[0].start == since
    for at in [since + (moment(n) - moment(0)) + timedelta(hours=hours) for n in moments]:
        if at < since:
            continue
        segment = [s for s in found if s.start <= at][-1]
        there = judge(contacts, msgspec.structs.replace(question, at=at), policy)
        assert segment.decision.same_answer(there)
        assert segment.decision.changes_at == there.changes_at


@some
@given(histories, questions)
def test_changes_at_is_the_moment_the_answer_changes(history: History, asked: Asked) -> None:
    """Not before, and then."""
    contacts, question, policy = folds(history), asked.question(), shipped.policy()
    decision = judge(contacts, question, policy)
    if decision.changes_at is not None:
        assert decision.changes_at > asked.at
        there = judge(contacts, msgspec.structs.replace(question, at=decision.changes_at), policy)
        assert not there.same_answer(decision)
        before = decision.changes_at - timedelta(microseconds=1)
        assert judge(contacts, msgspec.structs.replace(question, at=before), policy).same_answer(decision)
