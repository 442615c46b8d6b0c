"""Ledger and HubSpot kept in step while everything between them fails: in the end they agree, and no stop is undone.

`CONSENT_LEDGER_CRM_SEED` is the first seed, `CONSENT_LEDGER_CRM_RUNS` how many follow, each another schedule;
`CONSENT_LEDGER_CRM_FAULT` the longest that a fault lasts, in seconds. `make soak-crm` sets the last two.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import crm_checks as check
from tests.faults.crm_acts import ALL, NEWS, Crowd
from tests.faults.crm_faults import crm_suffer
from tests.faults.crm_stage import CrmStage, crm_staged
from tests.faults.schedule import crm_schedule
from tests.hubspot.state import APP, PRODUCT_NEWS, State

pytestmark = pytest.mark.service

FIRST = int(os.environ.get("CONSENT_LEDGER_CRM_SEED", "1"))
RUNS = int(os.environ.get("CONSENT_LEDGER_CRM_RUNS", "1"))
LONGEST = float(os.environ.get("CONSENT_LEDGER_CRM_FAULT", "1.5"))
RATE = 10
"""Acts a second."""
KINDS = ("postgresql", "files")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_whatever_fails_hubspot_ends_with_the_ledgers_answers(seed: int, tmp_path: Path) -> None:
    """Every kind of fault, in the seed's order; at the end another app turns some on behind our back."""
    dice = random.Random(seed)
    with crm_staged(tmp_path, KINDS[seed % 2], seed) as stage:
        crowd = Crowd(stage.state, stage.url, stage.key(), seed, RATE)
        began = time.monotonic()
        crowd.start()
        time.sleep(2.0)  # so that there is something to lose
        try:
            for step in crm_schedule(seed, LONGEST):
                print(f"seed {seed}, {time.monotonic() - began:5.1f} s: {step.kind}, {step.seconds} s", flush=True)
                crm_suffer(stage, step, dice)
        finally:
            crowd.stop()
        took = stage.calm()
        check.nobody_was_turned_on_by_us(stage.state)
        stopped = check.stops_are_kept(stage.state, crowd)
        found = check.drift(stage, crowd)
        check.differences_are_explained(found, stage.state, crowd)
        check.properties_are_the_status_rows(stage, crowd)
        heard = check.webhooks_are_heard(stage)
        check.facts_are_recorded_once(stage, crowd)
        assert check.letters(stage) == []
        flipped = check.flipped_behind_our_back(stage, crowd)
        check.drift_names_the_flips(check.drift(stage, crowd), flipped)
        stage.sender.held = False
        stage.settle()
        check.stops_are_kept(stage.state, crowd)
        check.nobody_was_turned_on_by_us(stage.state)
        assert not [log for log in tmp_path.glob("*.log") if b"example.org" in log.read_bytes()]
        print(figures(seed, stage, crowd, took, (stopped, heard, found)), flush=True)


def figures(
    seed: int,
    stage: CrmStage,
    crowd: Crowd,
    took: float,
    came: tuple[int, tuple[int, int], list[check.Drifted]],
) -> str:
    """What a run came to."""
    stopped, (heard, dead), found = came
    answers = Counter(status for _, _, status in stage.state.calls)
    failed = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()) if status >= 400)
    again = sum(log.read_text().count("tried again") for log in stage.folder.glob("crm-*.log"))
    repeated = len(stage.sender.sent) - heard
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(one.kind for one in found).items()))
    return (
        f"seed {seed}, {KINDS[seed % 2]}, {stage.portal}: {crowd.acts.total()} acts ({len(crowd.acknowledged)} facts "
        f"and {len(crowd.complained)} complaints acknowledged, {crowd.sent_again} sent again), webhooks {heard} "
        f"({repeated} twice, {len(stage.sender.given_up)} given up by the sender, {dead} dead letters); "
        f"log {stage.house.ledger.log.last_position()}, calls {len(stage.state.calls)} ({failed}), batches tried "
        f"again {again}; killed {stage.killed}, ended by themselves {stage.by_itself}; stops {stopped}, none undone; "
        f"explained differences: {kinds}; at rest after {took:.1f} s"
    )


# --- that the checks are able to fail -------------------------------------------------------------


@pytest.fixture
def crowd() -> Crowd:
    """One portal and its people, who have said nothing yet."""
    state = State()
    crowd = Crowd(state, "http://127.0.0.1:9", {}, 1, RATE)
    for email in crowd.people:
        state.add_contact(email, quietly=True)
    return crowd


def test_a_resubscription_by_our_app_is_seen(crowd: Crowd) -> None:
    """Whoever else turns somebody on is not taken for us; we are, and the stop is missed, too."""
    email = crowd.people[0]
    crowd.leaves_there(email, None)
    assert check.stops_are_kept(crowd.state, crowd) == len(ALL)
    crowd.state.app_sets_status(email, True, PRODUCT_NEWS)
    check.nobody_was_turned_on_by_us(crowd.state)
    with pytest.raises(AssertionError, match="person0"):
        check.stops_are_kept(crowd.state, crowd)
    crowd.leaves_there(email, None)
    crowd.state.app_sets_status(email, True, PRODUCT_NEWS, app=APP)
    with pytest.raises(AssertionError, match=str(APP)):
        check.nobody_was_turned_on_by_us(crowd.state)


def test_a_stop_that_never_reached_hubspot_is_seen(crowd: Crowd) -> None:
    """Said at the ledger's own door; of a type alone; and no longer after a yes of that person's own."""
    email = crowd.people[0]
    crowd.leaves(email, NEWS)
    with pytest.raises(AssertionError, match="person0"):
        check.stops_are_kept(crowd.state, crowd)
    crowd.joins(email, NEWS)
    assert check.stops_are_kept(crowd.state, crowd) == 0


def test_a_difference_nobody_can_explain_is_seen(crowd: Crowd) -> None:
    """A kind that must not be; and one that may be, where it did not come about as that kind does."""
    record = str(crowd.state.contact(crowd.people[0]).id)
    for kind in ("crm_on_ledger_stopped", "property_differs", "record_gone", "merged_in_crm", *check.ELSEWHERE):
        one = check.Drifted(kind, crowd.people[0], record, PRODUCT_NEWS, False)
        with pytest.raises(AssertionError, match=kind):
            check.differences_are_explained([one], crowd.state, crowd)
