"""What a page says would change an answer: it is recorded here, and the answer is asked for again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.whys import Asked, answer
from ledger import events as e
from tests.adapters.why_world import ANA, World, at, opened, signed_up

Who = tuple[str, str]
OWN = "a new opt-in of the person, with its evidence, for what is sent after it (asking for it by e-mail is itself "
OWN += "marketing)"
GUARDIAN = "a guardian's consent, with its evidence, for what is sent after it"
CORRECTED = "if the opt-out was a mistake, its correction with evidence"
RELEASED = "the answer to the review"
LINKED = "a record that this address belongs to this contact again"
LATER = at(2024, 9, 2)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Nobody yet."""
    return World(tmp_path / "ledger")


def _about(who: Who) -> dict[str, Any]:
    return {"stream": who[0], "address": who[1], "source": "cli"}


def _stopped(world: World, who: Who) -> int:
    return world.record(e.Objected(**_about(who), by="data_subject", occurred_from=at(2024, 1, 20)))


def _minor(world: World, who: Who) -> int:
    return world.record(e.RecipientDescribed(**_about(who), minor=True))


def _minor_and_stopped(world: World, who: Who) -> int:
    _minor(world, who)
    return _stopped(world, who)


def _held(world: World, who: Who) -> int:
    return world.record(e.ReviewDecided(stream=who[0], source="review", outcome="hold", question="customers"))


def _unlinked(world: World, who: Who) -> int:
    return world.record(e.AddressUnlinked(**_about(who)))


def _erased(world: World, who: Who) -> int:
    return world.record(e.ErasureCompleted(stream=who[0], source="cli"))


def _opt_in(world: World, who: Who, _: int, by: str = "data_subject") -> None:
    world.time = at(2024, 9, 1)
    world.record(
        e.OptedIn(
            **_about(who),
            act="unticked_box",
            by=by,  # type: ignore[arg-type]
            purposes=("marketing.similar",),
            channels=("email",),
            to=("own",),
            informed=True,
            specific=True,
            proof="individual",
            address_verified=True,
            occurred_from=at(2024, 8, 1),
        )
    )


def _guardian(world: World, who: Who, _: int) -> None:
    _opt_in(world, who, _, "guardian")


def _correct(world: World, who: Who, fact: int) -> None:
    world.record(e.Corrected(**_about(who), undoes=fact))


def _release(world: World, who: Who, _: int) -> None:
    world.record(e.ReviewDecided(stream=who[0], source="review", outcome="release_hold", question="customers"))


def _link(world: World, who: Who, _: int) -> None:
    world.record(e.AddressLinked(**_about(who)))


DOES: dict[str, Callable[[World, Who, int], None]] = {
    OWN: _opt_in,
    GUARDIAN: _guardian,
    CORRECTED: _correct,
    RELEASED: _release,
    LINKED: _link,
}


@pytest.mark.parametrize(
    ("forbids", "offered"),
    [
        (_stopped, {CORRECTED, OWN}),
        (_minor, {GUARDIAN}),
        (_minor_and_stopped, {GUARDIAN}),
        (_held, {RELEASED}),
        (_unlinked, {LINKED}),
        (_erased, {OWN}),
    ],
)
def test_each_thing_that_is_offered_changes_the_answer_and_nothing_else_does(
    tmp_path: Path, forbids: Callable[[World, Who], int], offered: set[str]
) -> None:
    """Of everything that could be recorded, the page names just what turns this no into a yes."""
    for remedy, do in DOES.items():
        world = World(tmp_path / str(len(remedy)))
        who = signed_up(world)
        fact = forbids(world, who)
        question = Asked(LATER, purpose="marketing.similar")
        with opened(world.directory) as house:
            before = answer(house, ANA, question)
        assert before.verdict == "not allowed by the rules applied"
        assert set(before.would_change) == offered
        if remedy == CORRECTED and forbids not in (_stopped, _minor_and_stopped):
            continue  # there is no opt-out to correct
        do(world, who, fact)
        with opened(world.directory) as house:
            after = answer(house, ANA, question)
        assert (after.verdict == "allowed by the rules applied") == (remedy in offered), remedy


def test_an_opt_out_does_not_end_a_message_that_is_no_marketing(world: World) -> None:
    """Given a contract and an allowed service message, then the page does not say that an opt-out would end it."""
    who = signed_up(world)
    world.record(e.ContractStarted(**_about(who), kind="purchase", by="data_subject", occurred_from=at(2024, 1, 5)))
    question = Asked(LATER, purpose="service.invoice")
    with opened(world.directory) as house:
        before = answer(house, ANA, question)
    assert before.would_change == (
        "it is not marketing: an opt-out would not end it, the erasure of the person's data would",
    )
    world.record(e.OptedOut(**_about(who), by="data_subject", occurred_from=at(2024, 1, 20), purposes=("*",)))
    with opened(world.directory) as house:
        after = answer(house, ANA, question)
        assert after.verdict == "allowed by the rules applied"
        assert [stop.scope for stop in after.stops] == ["all marketing, by every channel"]
    world.record(e.ErasureCompleted(stream=who[0], source="cli"))
    with opened(world.directory) as house:
        assert answer(house, ANA, question).verdict != "allowed by the rules applied"


def test_what_nothing_can_change_is_not_offered(world: World) -> None:
    """A purpose that no rule knows is the question's fault; the law of a day does not change by a new record."""
    signed_up(world)
    with opened(world.directory) as house:
        unknown = answer(house, ANA, Asked(LATER, purpose="nonsense"))
        assert unknown.would_change == ("a question about a purpose that a rule knows",)
        before_the_law = answer(house, ANA, Asked(LATER, law_at=at(2000, 1, 1)))
        assert before_the_law.would_change == ()


def test_a_fact_that_came_too_late_is_not_offered_more_evidence(world: World) -> None:
    """Given a purchase after the day asked about, then evidence about it would not help, and is not asked for."""
    who = world.person(ANA, "1")
    world.controller()
    world.record(e.CountryEvidenced(**_about(who), hints=(e.CountryHint(country="DE", kind="declared"),)))
    world.record(e.ContractStarted(**_about(who), kind="purchase", by="data_subject", occurred_from=at(2024, 1, 5)))
    with opened(world.directory) as house:
        found = answer(house, ANA, Asked(at(2023, 3, 1), purpose="marketing.similar"))
    assert found.would_change == (OWN,)
