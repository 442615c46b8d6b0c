"""Live against rebuilt: two generations compared row by row, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ledger.database import Driver, uuid_text
from projections import views
from projections.binding import Binding, Kept

MOST_LISTED = 1_000


class Difference(NamedTuple):
    """One cell that is not the same.

    what  missing: only rebuilt has it; extra: only live; altered: its check fails, so that this ledger did not
          write it as it is; differs: this ledger wrote it, and would now write another
    """

    what: Literal["missing", "extra", "differs", "altered"]
    contact: str
    purpose: str
    channel: str
    address: str | None


class Differences(NamedTuple):
    """What a comparison found; `listed` holds the first of `differing`.

    altered  of those that differ, the ones whose check fails
    fault    why the live rows are not of this log at all; None: they are
    """

    position: int
    rows: int
    differing: int
    listed: tuple[Difference, ...]
    same_setting: bool
    altered: int = 0
    fault: str | None = None

    @property
    def equal(self) -> bool:
        """Whether live and rebuilt are the same to the byte."""
        return self.differing == 0 and self.same_setting and self.fault is None


def compare(live: Driver, rebuilt: Driver, binding: Binding, fault: str | None = None) -> Differences:
    """Compare every row with one judged anew from the log; two generations that stand at one position."""
    ours, theirs = views.held(live), views.held(rebuilt)
    listed: list[Difference] = []
    rows = count = altered = 0
    for mine, other in _side_by_side(views.all_rows(live), views.all_rows(rebuilt)):
        rows += other is not None
        if mine != other:
            wrong = mine is not None and not binding.holds(mine)
            count += 1
            altered += wrong
            if count <= MOST_LISTED:
                listed.append(_difference(mine, other, wrong))
    kin = views.all_kin(live) == views.all_kin(rebuilt)
    return Differences(theirs.position, rows, count, tuple(listed), ours == theirs and kin, altered, fault)


def _side_by_side(mine: Iterator[Kept], theirs: Iterator[Kept]) -> Iterator[tuple[Kept | None, Kept | None]]:
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


def _difference(mine: Kept | None, other: Kept | None, wrong: bool) -> Difference:
    row = mine or other
    assert row is not None  # noqa: S101 - one side has it
    contact, purpose, channel, address, *_ = row
    what: Literal["missing", "extra", "differs", "altered"] = "altered" if wrong else "differs"
    if mine is None or other is None:
        what = "missing" if mine is None else "extra"
    return Difference(what, uuid_text(contact), purpose, channel, uuid_text(address) if address else None)
