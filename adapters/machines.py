"""Confirmations that no person can have made: of most of a file from one network address, or after one delay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

MACHINE = 5
"""So many people, and most of a file, do not confirm from one network address, or after one delay: a machine did."""


def are_by_machine(confirmed: Iterable[tuple[timedelta | None, str]]) -> bool:
    """Whether one delay, or one network address, stands behind most of the confirmations of a file.

    confirmed  of each: how long after the sign-up it came, None: not known; and from which network address, empty: not
               known
    """
    delays, addresses = Counter[timedelta](), Counter[str]()
    number = 0
    for delay, address in confirmed:
        number += 1
        if delay is not None:
            delays[delay] += 1
        if address.strip():
            addresses[address.strip().casefold()] += 1
    most = max((*addresses.values(), *delays.values()), default=0)
    return most >= MACHINE and most * 2 > number


def doubt(name: str) -> str:
    """What is said of such a file."""
    return (
        f"{name}: most confirmations come from one network address, or after one and the same delay. "
        "Confirmed by a machine? They are not taken for an act of the person."
    )
