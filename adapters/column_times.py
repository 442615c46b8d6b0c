"""The times in the columns of a table, each by how its whole column writes what one cell does not settle."""

from __future__ import annotations

from adapters.dates import ALONE, Habit, Habits, needs_column
from adapters.tabular import Rejected, Table
from adapters.times import Span, TimeReader


class ColumnTimes:
    """Reads the times of one table. Its rows go by once more when the first cell needs to know its column.

    doubts  sentences about columns that do not tell day from month; grows while cells are read
    """

    def __init__(self, table: Table, times: TimeReader) -> None:
        self.doubts: list[str] = []
        self._table, self._times = table, times
        self._habits: list[Habits] | None = None

    def read(self, cell: str, index: int) -> Span | None:
        """The time that a cell of a column states, trimmed; None where it states none."""
        if not cell:
            return None
        return self._times.read(cell, self._habit(index) if needs_column(cell) else ALONE)

    def _habit(self, index: int) -> Habit:
        if self._habits is None:
            self._habits = _learn(self._table)
        if index >= len(self._habits):
            return ALONE
        learnt = self._habits[index]
        if learnt.unsettled and learnt.habit.order is None and self._times.order is None:
            label = self._table.header[index] if index < len(self._table.header) else ""
            said = _doubt(self._table.name, label or f"column {index + 1}", learnt)
            if said not in self.doubts:
                self.doubts.append(said)
        elif learnt.habit.order == "m/d/y" and self._times.order is None:
            label = self._table.header[index] if index < len(self._table.header) else ""
            said = (
                f"{self._table.name}, {label or f'column {index + 1}'}: all days are read month first, "
                "since some of them cannot be read day first."
            )
            if said not in self.doubts:
                self.doubts.append(said)
        return learnt.habit


def _learn(table: Table) -> list[Habits]:
    learnt = [Habits() for _ in table.header]
    for _, cells in table.rows(_passed_over, ragged=True):
        learnt.extend(Habits() for _ in cells[len(learnt) :])
        for habits, cell in zip(learnt, cells, strict=False):
            if cell:
                habits.see(cell.strip())
    return learnt


def _passed_over(_: Rejected) -> None:
    """Whoever reads the rows says which of them cannot be taken in."""


def _doubt(file: str, column: str, learnt: Habits) -> str:
    cells = "1 cell" if learnt.unsettled == 1 else f"{learnt.unsettled} cells"
    return (
        f"{file}, {column}: nothing in this column tells whether the day or the month comes first ({cells}, such as "
        f"“{learnt.example}”). An opt-out counts over both readings, an opt-in from the later one. "
        "Say which it is with --date-format d/m/y or m/d/y."
    )
