"""What goes wrong, in which order and for how long: all of it from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
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

CrmKind = Literal[
    "HubSpot fails",
    "HubSpot gone",
    "HubSpot says too many calls",
    "HubSpot slow",
    "records locked",
    "answers lost",
    "worker killed while it writes",
    "both workers killed",
    "service killed",
    "publisher killed",
    "broker away",
    "webhooks held back",
]
CRM_KINDS: tuple[CrmKind, ...] = get_args(CrmKind)


class Step(NamedTuple):
    """A fault, the seconds it lasts, and those of peace after it."""

    kind: str
    seconds: float
    peace: float


def schedule(seed: int, outage: float) -> list[Step]:
    """Every kind of fault once, in an order of the seed. `outage`: seconds the broker is killed for."""
    steps = _steps(KINDS, seed, 1.0, min(outage, 4.0))
    return [step._replace(seconds=outage) if step.kind == "broker killed" else step for step in steps]


def crm_schedule(seed: int, longest: float) -> list[Step]:
    """Every kind of fault between ledger and CRM once, in an order of the seed, each for up to so many seconds."""
    return _steps(CRM_KINDS, seed, longest / 4, longest)


def _steps(kinds: Sequence[str], seed: int, least: float, most: float) -> list[Step]:
    dice = random.Random(seed)
    return [
        Step(kind, round(dice.uniform(least, most), 2), round(dice.uniform(0.2, 1.5), 2))
        for kind in dice.sample(kinds, len(kinds))
    ]
