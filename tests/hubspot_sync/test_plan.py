"""From what is wanted and what is shown to the calls, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest

from adapters.hubspot.sync import plan as plans
from adapters.hubspot.sync.desired import Answer, Held, Standing, meanings
from adapters.hubspot.sync.plan import Allowance, Plan, RecordShown, Scene, next_update
from ledger.terms import MARKETING_PURPOSES

YES = Answer(True, "soft_opt_in", "proven", False, False, 7)
NO = Answer(False, None, "no_basis", False, False, 3)
OUT = Answer(False, None, "opted_out", True, False, 5)
CONTACT, ADDRESS, EMAIL = "11111111-0000-0000-0000-000000000000", "a" * 36, "a@example.com"
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MEANT = meanings((("1", "News"), ("2", "Surveys"), ("3", "Odd")), {"news": ("marketing.similar",)})
SAID = {
    "consent_ledger_verdict": "marketing",
    "consent_ledger_basis": "soft_opt_in",
    "consent_ledger_reason": "proven",
    "consent_ledger_reference": "CL-11111111-7",
}


class Type(NamedTuple):
    type_id: str
    state: str


class State(NamedTuple):
    types: tuple[Type, ...]
    all_out: bool = False


def answers(given: Mapping[str, Answer], rest: Answer = NO) -> dict[str, Answer]:
    return {purpose: given.get(purpose.removeprefix("marketing."), rest) for purpose in MARKETING_PURPOSES}


def scene(
    given: dict[str, Answer],
    types: str = "???",
    shown: Mapping[str, str | None] = {},
    *,
    all_out: bool = False,
    subscribe: bool = True,
) -> Scene:
    """`types`: of each of the three, `+` on, `-` off, `?` nobody decided."""
    words = {"+": "subscribed", "-": "unsubscribed", "?": "not_specified"}
    states = tuple(Type(str(place), words[one]) for place, one in enumerate(types, 1))
    record = RecordShown("901", shown, (Held(EMAIL, CONTACT, ADDRESS),), (CONTACT,))
    standing = Standing(CONTACT, 1, {ADDRESS: given})
    return Scene([record], {CONTACT: standing}, {EMAIL: State(states, all_out)}, MEANT, subscribe, AT)


def told(made: Plan) -> list[str]:
    return [f"{step.call} {step.type_id or ''}".strip() for step in made.steps if step.call != "update"]


def verdict(made: Plan) -> str | None:
    return next((step.properties["consent_ledger_verdict"] for step in made.steps if step.properties), None)


ALLOWED, STOPPED, NOTHING = answers({"similar": YES}), answers({}, OUT), answers({})


@pytest.mark.parametrize(
    ("shown", "steps"),
    [
        (scene(STOPPED), ["unsubscribe_all"]),
        (scene(STOPPED, "---"), ["unsubscribe_all"]),
        (scene(STOPPED, "+++", all_out=True), []),
        (scene(answers({"similar": OUT})), ["unsubscribe 1"]),
        (scene(answers({"similar": OUT}), "+??"), ["unsubscribe 1"]),
        (scene(answers({"similar": OUT}), "-??"), []),
        (scene(answers({"similar": OUT}), all_out=True), []),
        (scene(answers({"survey": OUT})), []),
        (scene(NOTHING, "+++"), []),
        (scene(ALLOWED), ["subscribe 1"]),
        (scene(ALLOWED, "+??"), []),
        # never over what somebody turned off, nor beside a stop that the ledger has not heard of
        (scene(ALLOWED, "-??"), []),
        (scene(ALLOWED, all_out=True), []),
        (scene(ALLOWED, shown={"hs_email_optout": "true"}), []),
        (scene(ALLOWED, "?-?"), []),
        (scene(ALLOWED, "??-"), []),
        (scene(ALLOWED, subscribe=False), []),
        # what an undeclared type left stops, the ledger holds: that stop is heard
        (scene(answers({"similar": YES}, OUT), "?-?"), ["subscribe 1"]),
    ],
)
def test_subscriptions(shown: Scene, steps: list[str]) -> None:
    assert told(plans.plan(shown, Allowance())) == steps


def test_a_step_carries_its_reference_and_its_basis() -> None:
    made = plans.plan(scene(ALLOWED, shown=SAID | {"hs_marketable_status": "true"}), Allowance())
    (step,) = made.steps
    assert (step.legal_basis, step.explanation) == (
        "LEGITIMATE_INTEREST_CLIENT",
        "consent-ledger CL-11111111-7: soft_opt_in",
    )
    assert step.reference == "CL-11111111-7"


@pytest.mark.parametrize(
    ("given", "shown", "allowance", "written", "counts"),
    [
        # (raises, waiting, demotions)
        (ALLOWED, {"hs_marketable_status": "true"}, Allowance(), "marketing", (0, 0, 0)),
        (ALLOWED, {"hs_marketable_status": "false"}, Allowance(), "awaiting_approval", (0, 1, 0)),
        (ALLOWED, {}, Allowance(), "awaiting_approval", (0, 1, 0)),
        (ALLOWED, {}, Allowance(left=1), "marketing", (1, 0, 0)),
        (ALLOWED, {}, Allowance(frozenset(("901",))), "marketing", (0, 0, 0)),
        (ALLOWED, SAID, Allowance(frozenset(("901",))), None, (0, 0, 0)),
        (ALLOWED, SAID, Allowance(), "awaiting_approval", (0, 1, 0)),
        (ALLOWED, SAID | {"hs_marketable_status": "true"}, Allowance(), None, (0, 0, 0)),
        (STOPPED, SAID | {"hs_marketable_status": "true"}, Allowance(), "non_marketing", (0, 0, 1)),
        (STOPPED, SAID | {"hs_marketable_status": "false"}, Allowance(), "non_marketing", (0, 0, 0)),
        (NOTHING, {}, Allowance(left=5), "non_marketing", (0, 0, 0)),
    ],
)
def test_verdicts(
    given: dict[str, Answer],
    shown: dict[str, str],
    allowance: Allowance,
    written: str | None,
    counts: tuple[int, int, int],
) -> None:
    made = plans.plan(scene(given, shown=shown), allowance)
    assert verdict(made) == written
    assert (len(made.raises), len(made.waiting), len(made.demotions)) == counts


@pytest.mark.parametrize(
    ("given", "shown", "written", "held_back"),
    [
        (ALLOWED, {"hs_marketable_status": "false"}, "undecided", 1),
        (ALLOWED, {"hs_marketable_status": "true"}, "undecided", 1),
        (ALLOWED, {"consent_ledger_verdict": "non_marketing"}, "undecided", 1),
        (ALLOWED, SAID | {"hs_marketable_status": "true"}, None, 0),
        (STOPPED, SAID | {"hs_marketable_status": "true"}, "non_marketing", 0),
    ],
)
def test_while_stops_are_lost_nobody_is_raised_and_nothing_is_switched_on(
    given: dict[str, Answer], shown: dict[str, str], written: str | None, held_back: int
) -> None:
    """Whatever was approved; nobody is demoted for it either, and every stop is written."""
    whole = scene(given, shown=shown)
    made = plans.plan(whole._replace(stops_lost=True), Allowance(frozenset(("901",)), 5))
    assert (verdict(made), len(made.held_back)) == (written, held_back)
    assert (made.raises, made.waiting) == ((), ())
    assert not [step for step in made.steps if step.call == "subscribe"]
    assert len(made.demotions) == (given is STOPPED)
    stops = [step.call for step in made.steps if step.call != "update"]
    assert stops == [step.call for step in plans.plan(whole, Allowance()).steps if step.call.startswith("unsub")]


@pytest.mark.parametrize(
    ("shown", "held_back"),
    [({}, 1), ({"r1": AT - timedelta(seconds=1)}, 1), ({"r2": AT}, 1), ({"r1": AT}, 0), ({"r1": AT + TICK}, 0)],
)
@pytest.mark.parametrize("known", ["r1", None])
def test_whoever_no_export_shows_that_is_no_older_than_the_hiding_one_is_held_back(
    shown: dict[str, datetime], held_back: int, known: str | None
) -> None:
    """Record by record: an export said of this very one whether it opted out; of one without a reference none can."""
    whole = scene(ALLOWED)
    records = [record._replace(known=known) for record in whole.records]
    standings = {CONTACT: whole.standings[CONTACT]._replace(shown=shown)}
    made = plans.plan(
        whole._replace(records=records, standings=standings, hidden_since=AT), Allowance(frozenset(("901",)), 5)
    )
    assert len(made.held_back) == (held_back if known else 1)
    assert bool([step for step in made.steps if step.call == "subscribe"]) is not bool(made.held_back)


def test_that_it_was_looked_at_is_no_difference() -> None:
    shown = SAID | {"hs_marketable_status": "true", "consent_ledger_checked_at": "2020-01-01T00:00:00Z"}
    made = plans.plan(scene(ALLOWED, "+??", shown), Allowance())
    assert made == Plan(equal=2)


def test_a_demotion_that_hubspot_waits_with_is_pending() -> None:
    shown = {"hs_marketable_status": "true", "hs_marketable_until_renewal": "true"}
    (waiting,) = plans.plan(scene(STOPPED, shown=shown), Allowance()).demotions
    assert waiting.pending


def test_stops_come_first() -> None:
    stop, allowed = scene(answers({"similar": OUT})), scene(ALLOWED)
    other = RecordShown("902", {}, (Held("b@example.com", CONTACT, "b" * 36),), (CONTACT,))
    standing = Standing(CONTACT, 1, {ADDRESS: ALLOWED, "b" * 36: answers({"similar": OUT})})
    both = allowed._replace(
        records=[*allowed.records, other],
        standings={CONTACT: standing},
        states={EMAIL: allowed.states[EMAIL], "b@example.com": stop.states[EMAIL]},
    )
    calls = [step.call for step in plans.plan(both, Allowance()).steps]
    assert calls == ["unsubscribe", "update", "update", "subscribe"]


@pytest.mark.parametrize(
    ("day", "today", "then"),
    [
        (1, date(2026, 11, 25), date(2026, 12, 1)),
        (31, date(2026, 11, 25), date(2026, 11, 30)),
        (31, date(2026, 11, 30), date(2026, 12, 31)),
        (31, date(2027, 2, 1), date(2027, 2, 28)),
        (30, date(2028, 2, 1), date(2028, 2, 29)),
        (25, date(2026, 12, 25), date(2027, 1, 25)),
        (26, date(2026, 11, 25), date(2026, 11, 26)),
    ],
)
def test_the_next_update(day: int, today: date, then: date) -> None:
    assert next_update(day, today) == then
