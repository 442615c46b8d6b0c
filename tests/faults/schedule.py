"""What goes wrong, in which order and for how long: all of it from a seed."""

from __future__ import annotations

import random
from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "broker killed",
    "broker stopped",
    "mirror killed in a batch",
    "facts worker killed in a batch",
    "publisher killed in a batch",
    "mirrors join and leave",
    "network cut",
    "network slow",
    "network stalled",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Step(NamedTuple):
    """A fault, the seconds it lasts, and those of peace after it."""

    kind: Kind
    seconds: float
    peace: float


def schedule(seed: int, outage: float) -> list[Step]:
    """Every kind of fault once, in an order of the seed. `outage`: seconds the broker is killed for."""
    dice = random.Random(seed)
    steps = []
    for kind in dice.sample(KINDS, len(KINDS)):
        seconds = outage if kind == "broker killed" else dice.uniform(1.0, min(outage, 4.0))
        steps.append(Step(kind, round(seconds, 2), round(dice.uniform(0.2, 1.5), 2)))
    return steps
