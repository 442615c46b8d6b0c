"""Live against rebuilt: two generations compared row by row, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ledger.database import Driver, uuid_text
from projections import views
from projections.status import Row

MOST_LISTED = 1_000


class Difference(NamedTuple):
    """One cell that is not the same. `missing`: only rebuilt has it; `extra`: only live."""

    what: Literal["missing", "extra", "differs"]
    contact: str
    purpose: str
    channel: str
    address: str | None


class Differences(NamedTuple):
    """What a comparison found; `listed` holds the first of `differing`."""

    position: int
    rows: int
    differing: int
    listed: tuple[Difference, ...]
    same_setting: bool

    @property
    def equal(self) -> bool:
        """Whether live and rebuilt are the same to the byte."""
        return self.differing == 0 and self.same_setting


def compare(live: Driver, rebuilt: Driver) -> Differences:
    """Compare two generations that stand at one position."""
    ours, theirs = views.held(live), views.held(rebuilt)
    listed: list[Difference] = []
    rows = count = 0
    for mine, other in _side_by_side(views.all_rows(live), views.all_rows(rebuilt)):
        rows += other is not None
        if mine != other:
            count += 1
            if count <= MOST_LISTED:
                listed.append(_difference(mine, other))
    kin = views.all_kin(live) == views.all_kin(rebuilt)
    return Differences(theirs.position, rows, count, tuple(listed), ours == theirs and kin)


def _side_by_side(mine: Iterator[Row], theirs: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    left, right = next(mine, None), next(theirs, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[:4] < right[:4]):
            yield left, None
            left = next(mine, None)
        elif left is None or right[:4] < left[:4]:
            yield None, right
            right = next(theirs, None)
        else:
            yield left, right
            left, right = next(mine, None), next(theirs, None)


def _difference(mine: Row | None, other: Row | None) -> Difference:
    row = mine or other
    assert row is not None  # noqa: S101 - one side has it
    contact, purpose, channel, address, *_ = row
    what: Literal["missing", "extra", "differs"] = "differs"
    if mine is None or other is None:
        what = "missing" if mine is None else "extra"
    return Difference(what, uuid_text(contact), purpose, channel, uuid_text(address) if address else None)
