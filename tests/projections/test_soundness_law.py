"""The law of stored answers: whatever log stands beside them, and whatever somebody did to them, no yes comes of it.

Every answer of the gate is the one that the log as it is now gives. Of rows that somebody changed, copied, put back
or took away it may be a no instead, and never a yes that a fresh judgement denies.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import events as e
from ledger.database import uuid_text
from projections import views
from projections.binding import Kept
from projections.status import answer_at
from tests.projections.histories import batches, history
from tests.projections.test_gate import LATER
from tests.projections.test_soundness import Restorable
from tests.stores import Place

Cell = tuple[str, str, str, str | None]


@contextmanager
def ledger() -> Iterator[Restorable]:
    with TemporaryDirectory() as folder, closing(Restorable(Place(Path(folder)))) as here:
        yield here


def record(here: Restorable, seed: int, events: list[e.Event]) -> None:
    for batch in batches(seed, events):
        here.log.append(batch)


def kept(here: Restorable) -> list[Kept]:
    with here.live.snapshot() as driver:
        return list(views.all_rows(driver))


def cell_of(row: Kept) -> Cell:
    return uuid_text(row[0]), row[1], row[2], uuid_text(row[3]) if row[3] else None


def said(here: Restorable, cells: list[Cell]) -> dict[Cell, bool]:
    return {cell: here.gate.ask(*cell, LATER).allowed for cell in cells}


def true(here: Restorable) -> dict[Cell, bool]:
    """Every cell, by rows built anew from the log."""
    here.runner.rebuild()
    return {cell_of(row): (given := answer_at(row[4], "", LATER)) is not None and given.allowed for row in kept(here)}


@given(seed=st.integers(0, 10_000), follows=st.booleans(), place=st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_beside_any_other_log_the_gate_answers_by_the_log(seed: int, follows: bool, place: float) -> None:
    """The log is put back to any place, and goes on otherwise from there, with fewer or more entries than before."""
    dice = random.Random(seed)
    with ledger() as here:
        record(here, seed, history(seed, 60))
        here.runner.follow(once=True)
        cells = [cell_of(row) for row in kept(here)]
        kept_entries = int(place * 59)
        here.cut(kept_entries)
        record(here, seed + 1, history(seed + 1, dice.choice((60 - kept_entries, dice.randrange(1, 70)))))
        if follows:
            here.runner.follow(once=True)
        before = said(here, cells)
        judged = true(here)
        assert before == {cell: judged.get(cell, False) for cell in cells}


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_no_row_that_somebody_forged_gives_a_yes(seed: int) -> None:
    """Without links: an older row of one who is linked is the one thing that a row cannot show."""
    dice = random.Random(seed)
    links = (e.ContactsLinked, e.ContactsUnlinked)
    events = [one for one in history(seed, 120) if not isinstance(one, links)]
    with ledger() as here:
        record(here, seed, events[:60])
        here.runner.follow(once=True)
        older = kept(here)
        record(here, seed + 1, events[60:])
        here.runner.follow(once=True)
        rows = kept(here)
        forged = {row[:4]: row for row in rows}
        for _ in range(len(rows)):
            one, other = dice.choice(rows), dice.choice(older + rows)
            place = dice.randrange(4, 8)
            match dice.randrange(4):
                case 0:  # an older row put back
                    forged[other[:4]] = other
                case 1:  # another's answer, with all that belongs to it
                    forged[one[:4]] = (*one[:4], *other[4:])
                case 2:  # a part of another
                    forged[one[:4]] = (*one[:place], other[place], *one[place + 1 :])  # type: ignore[assignment]
                case _:
                    forged.pop(one[:4], None)
        with here.live.transaction() as driver:
            driver.execute("DELETE FROM status")
            views.put_rows(driver, [], forged.values())
        answers = said(here, [cell_of(row) for row in older + rows])
        judged = true(here)
        assert not [cell for cell, yes in answers.items() if yes and not judged.get(cell, False)]
