"""Claimed times against known ones: whatever a source, a clock or a default says, a later stop stops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import events as e
from ledger.codec import decode, decode_strict, encode, instant, stamp
from ledger.contact import Contact, Entry, fold
from ledger.plausibility import FIRST_PLAUSIBLE, SKEW, bounded
from ledger.policy import shipped
from ledger.policy.judge import Bench, Segment, judge, segments
from ledger.policy.question import Candidate, Question
from ledger.terms import BEGINNING, END, MARKETING_PURPOSES
from tests.hostile_times import PLACEHOLDERS
from tests.ledger.policy.histories import LAWS, STEP, grants, moment, relations, sales, steps, uses
from tests.ledger.policy.story import ANNA, HOME, day, happened, opted_in, opted_out
from tests.ledger.policy.story import given as told

law = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
UNTIMED: dict[str, Any] = {"recorded_at": None, "recorded_clock": None, "captured_at": None, "captured_by": None}

moments = st.one_of(
    st.sampled_from(tuple(PLACEHOLDERS.values())),
    st.builds(lambda step, hours: moment(step) + timedelta(hours=hours), steps, st.sampled_from((0, 0, 1, -1))),
    st.integers(1, (END - BEGINNING).days).map(lambda days: BEGINNING + timedelta(days=days)),
)
"""From year 1 to 9999, those that sources really write among them."""


class Told(NamedTuple):
    """A fact, what the log's clock showed when it came, and the time it claims: `now`, none, or a moment."""

    fact: e.Event
    clock: datetime
    claim: datetime | str | None


def log_of(events: Sequence[Told]) -> list[e.Event]:
    """The facts as the log keeps them, by the rule of `LogWriter`: never before the last, the clock beside it."""
    last = BEGINNING
    stored: list[e.Event] = []
    for fact, clock, claim in events:
        last = max(last, clock)
        begin = clock if claim == "now" else claim if isinstance(claim, datetime) else None
        made = msgspec.structs.replace(
            fact,
            **UNTIMED,
            occurred_from=begin,
            occurred_to=None,
            precision="recorded" if claim == "recorded" else "exact",
        )
        stored.append(decode(stamp(encode(made), instant(last), instant(clock))))
    return stored


def person(events: Sequence[e.Event]) -> Contact:
    return fold(ANNA, [Entry(n, n, event) for n, event in enumerate(events, 1)])


def answers(events: Sequence[e.Event], code: str, since: datetime) -> list[Segment]:
    """Every answer about marketing by e-mail from a moment on."""
    bench = Bench([person(events)], shipped.policy())
    found: list[Segment] = []
    for purpose in MARKETING_PURPOSES:
        for address in (None, HOME):
            question = Question(
                purpose=purpose, channel="email", at=since, address=address, jurisdictions=(Candidate(code),)
            )
            found += segments(bench, question, since)
    return found


clocks = st.lists(st.builds(moment, steps), min_size=1, max_size=6)
"""Clocks that run ahead and are set back: each fact is met by any of them."""
facts = st.one_of(grants(), grants(), sales(), relations(), uses())
told_before = st.lists(
    st.builds(Told, facts, st.builds(moment, steps), st.one_of(st.just("now"), st.none(), moments)),
    min_size=1,
    max_size=4,
)
stop_kinds = st.sampled_from((e.OptedOut, e.Objected, e.OptOutObstructed, e.ErasureRequested))
no_claim = st.one_of(
    st.sampled_from(("now", "recorded", None)), st.sampled_from(tuple(PLACEHOLDERS.values())), st.just("ahead")
)


@law
@given(told_before, stop_kinds, st.builds(moment, steps), no_claim, st.sampled_from(LAWS))
def test_a_stop_told_now_or_of_no_possible_time_ends_every_yes_until_a_later_grant(
    before: list[Told], kind: type[e.Event], clock: datetime, claim: Any, code: str
) -> None:
    """Now by the log's clock, wherever that stands; omitted; a placeholder; ahead of its recording."""
    recorded = max([clock, *(one.clock for one in before)])
    claimed = recorded + SKEW + timedelta(days=3) if claim == "ahead" else claim
    stop = Told(kind(stream=ANNA, source="test", by="data_subject"), clock, claimed)
    stored = log_of([*before, stop])
    assert not [s for s in answers(stored, code, stored[-1].recorded_at or END) if s.decision.allowed]


@law
@given(told_before, st.builds(moment, steps), st.one_of(st.builds(moment, steps), moments), st.sampled_from(LAWS))
def test_a_stop_of_a_believable_past_blocks_every_grant_up_to_then_and_every_claim_about_the_future(
    before: list[Told], clock: datetime, claim: datetime, code: str
) -> None:
    """What is allowed after it rests on an opt-in that was given later than the stop, and could have been."""
    stop = Told(e.OptedOut(stream=ANNA, source="test", by="data_subject"), clock, claim)
    stored = log_of([*before, stop])
    known = stored[-1].recorded_at or END
    believable = FIRST_PLAUSIBLE <= claim <= known
    for segment in answers(stored, code, known):
        if segment.decision.allowed:
            assert believable
            opt_ins = [stored[p - 1] for p in segment.decision.evidence if isinstance(stored[p - 1], e.OptedIn)]
            assert opt_ins
            assert all(claim < n.earliest <= (n.recorded_at or END) for n in opt_ins)


@law
@given(told_before, st.lists(st.builds(moment, steps), min_size=1, max_size=3), st.sampled_from(LAWS))
def test_no_fact_is_shown_by_a_time_that_cannot_be(before: list[Told], at: list[datetime], code: str) -> None:
    """A yes rests on facts that had happened when they were recorded; a contract may be agreed for a later day."""
    stored = log_of(before)
    for segment in answers(stored, code, max([n.recorded_at or END for n in stored])):
        if segment.decision.allowed:
            for position in segment.decision.evidence:
                event = stored[position - 1]
                if event.occurred_from is not None and isinstance(event, e.OptedIn | e.DoubleOptInConfirmed):
                    assert FIRST_PLAUSIBLE <= event.occurred_from <= (event.recorded_at or END) + SKEW
            assert segment.start >= min(n.recorded_at or END for n in stored)
    assert at


@law
@given(facts, moments, st.one_of(st.none(), moments), st.builds(moment, steps), st.sampled_from((0, 0, 3)))
def test_bounding_is_done_once_and_leaves_only_times_that_can_be(
    fact: e.Event, begin: datetime, end: datetime | None, recorded: datetime, behind: int
) -> None:
    """And what was believable stays as it was."""
    clock = recorded - behind * STEP if behind else None
    event = msgspec.structs.replace(
        fact, **UNTIMED | {"recorded_at": recorded, "recorded_clock": clock}, occurred_from=begin, occurred_to=end
    )
    one = bounded(event)
    assert bounded(one) == one
    limit = END if isinstance(event, e.ContractStarted | e.ContractEnded | e.Donated) else recorded
    assert one.occurred_from is None or FIRST_PLAUSIBLE <= one.occurred_from <= limit
    assert one.occurred_to is None or FIRST_PLAUSIBLE <= one.occurred_to <= limit
    assert one.captured_at is None or FIRST_PLAUSIBLE <= one.captured_at <= recorded
    if FIRST_PLAUSIBLE <= begin <= (clock or recorded) and end is None and clock is None:
        assert one == event


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_stop_at_a_placeholder_is_the_widest_and_a_grant_there_is_not_shown(name: str) -> None:
    """Though the stop was recorded long after a yes, and the yes may be younger than what the stop claims."""
    claimed = {"occurred_from": PLACEHOLDERS[name]}
    stop = msgspec.structs.replace(opted_out("2025-06-01"), **claimed)
    grant = msgspec.structs.replace(opted_in("2025-06-01"), **claimed)
    assert told(opted_in("2025-01-01"), stop).asked("2025-06-02").reason == "opted_out"
    assert told(opted_in("2025-01-01"), stop, opted_in("2025-07-01")).asked("2025-07-02").allowed
    answer = told(grant).asked("2025-06-02")
    assert not answer.allowed
    assert answer.claimed is not None
    assert answer.claimed.missing == ("possible_time",)


def test_a_contract_may_begin_ahead_carries_nothing_before_and_gives_way_to_a_stop() -> None:
    """Agreed in January for June; an objection in March."""
    contract = happened(
        e.ContractStarted,
        "2025-06-01",
        recorded_at="2025-01-10",
        kind="subscription",
        seller="own",
        refusal_offered=True,
        refused=False,
        collected_from_person=True,
    )
    objection = happened(e.Objected, "2025-03-01")
    assert not told(contract).asked("2025-05-31").allowed
    assert told(contract).asked("2025-06-02", "FR").allowed
    assert not told(contract, objection).asked("2025-06-02", "FR").allowed


def test_a_stop_without_a_day_makes_a_past_message_unshown_and_the_next_not_allowed() -> None:
    """Recorded on 1 June: nobody knows whether it came before the mail of May."""
    stop = happened(e.OptedOut, None, recorded_at="2025-06-01")
    history = told(opted_in("2025-01-01"), stop)
    past, following = history.asked("2025-05-01"), history.asked("2025-06-02")
    assert (past.allowed, past.reason, past.uncertain) == (False, "stop_time_unknown", True)
    assert past.changes_at == day("2025-06-01")
    assert (following.allowed, following.reason) == (False, "opted_out")


def test_a_clock_set_back_is_written_beside_the_moment_of_recording() -> None:
    """In the order of the keys, so that the entry stays canonical."""
    draft = encode(opted_out(None))
    entry = stamp(draft, "2028-01-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z")
    event = decode_strict(entry)
    assert event.recorded_clock == datetime(2026, 12, 1, tzinfo=BEGINNING.tzinfo)
    assert b"recorded_clock" not in stamp(draft, "2026-12-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z")


def test_a_grant_of_a_clock_that_ran_ahead_does_not_outlive_a_stop_of_the_right_clock() -> None:
    """The yes is dated 2028 by mistake; the no of 2026 comes later and claims its true moment."""
    ahead, right = day("2028-01-01"), day("2026-12-02")
    stored = log_of([Told(opted_in("2028-01-01"), ahead, "now"), Told(opted_out("2026-12-02"), right, right)])
    for later in (right, ahead, ahead + timedelta(days=30), ahead + timedelta(days=3000)):
        question = Question(purpose="marketing.similar", channel="email", at=later, jurisdictions=(Candidate("FR"),))
        assert not judge([person(stored)], question, shipped.policy()).allowed


@pytest.mark.parametrize(
    ("precision", "begins", "open_until"),
    [
        ("day", "2023-03-01T00:00:00", "2023-03-01T12:00:00"),
        ("month", "2023-03-01T00:00:00", "2023-03-31T12:00:00"),
        ("year", "2023-01-01T00:00:00", "2023-12-31T12:00:00"),
        ("period", "2023-01-01T00:00:00", "2024-01-31T12:00:00"),
        ("unknown", "2023-01-01T00:00:00", "2024-01-31T12:00:00"),
    ],
)
def test_a_stop_of_a_time_without_its_end_may_have_come_until_that_is_over(
    precision: str, begins: str, open_until: str
) -> None:
    """Known to the year, it may have come in December: a yes of March is not later."""
    stop = opted_out(begins, precision=precision, recorded_at="2024-02-01")
    assert not told(opted_in(open_until), stop).asked("2024-03-01").allowed
    assert told(stop, opted_in("2024-02-10")).asked("2024-03-01").allowed


def test_a_yes_of_a_time_of_its_own_is_not_given_anew_when_it_is_recorded() -> None:
    """A source says when it happened and, as well, that it was reported as happening: the earlier counts."""
    yes = opted_in("2023-01-10", precision="recorded", recorded_at="2023-05-01")
    history = told(opted_out("2023-03-01"), yes)
    assert not history.asked("2023-06-01").allowed
    assert told(yes).asked("2023-06-01").allowed
