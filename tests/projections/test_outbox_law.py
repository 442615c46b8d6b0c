"""The law of the outbox: who applies what it sends, in any legal interleaving, ends with exactly the projection."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projections.histories import batches, history
from tests.projections.outbox_world import Taken, World, without_cause, world
from tests.stores import Place


@given(seed=st.integers(0, 10_000), steps=st.lists(st.sampled_from("aaaaffffllttsssdkzr"), min_size=10, max_size=60))
@settings(max_examples=60)
def test_who_reads_the_topic_alone_ends_with_exactly_the_projection(seed: int, steps: list[str]) -> None:
    """Appends, portions, looks, sends, doubles, kills between send and done, late sends of a second publisher,
    rebuilds, days that pass; links, erasures and adopted rule sets are in the histories."""
    with world(seed) as w:
        live_through(w, seed, steps)


@pytest.mark.parametrize("seed", range(4))
def test_and_so_it_is_in_every_database(place: Place, seed: int) -> None:
    """A few of the same, where a fresh database costs more than all the rest."""
    w = World(place, seed)
    try:
        live_through(w, seed, random.Random(seed).choices("aaaaffffllttsssdkzr", k=60))
    finally:
        w.close()


def live_through(w: World, seed: int, steps: Iterable[str]) -> None:
    """Take these steps, then let everything arrive, and compare."""
    dice = random.Random(seed)
    arriving = batches(seed, history(seed, 120))
    held: list[Taken] = []
    w.switch_on()
    for step in steps:
        match step:
            case "a":
                w.log.append(next(arriving, []))
            case "f":
                w.runner(batch=1 + dice.randrange(9)).step()
            case "l":
                w.later(dice.choice((0, 1, 40, 400)))
                w.look()
            case "r":
                w.runner().rebuild()
            case _:
                publish(w, step, held, dice)
    w.drain()
    for late in held:  # a publisher that was believed dead
        w.send(late)
    assert without_cause(w.consumer.held) == without_cause(w.projection())


def publish(w: World, step: str, held: list[Taken], dice: random.Random) -> None:
    """One act of some publisher. `held`: what they have read and hold, sent or not."""
    if step == "t":
        held.append(w.take(1 + dice.randrange(4)))
    elif held and step == "s":
        w.send(held[dice.randrange(len(held))])  # and holds it: it is sent again, or late
    elif held and step == "d":
        sent = held.pop(0)
        w.send(sent)
        w.done(sent)
    elif held and step == "z":
        w.send(held[0])
        w.done(held[0])
    elif held and step == "k":
        held.pop()
