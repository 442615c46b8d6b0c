"""Times as files write them: usually `2024-03-01 09:12`, in a zone the file does not name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from adapters.dates import ALONE, Habit, Order, Written, readings

_EARLIEST_ZONE = timedelta(hours=14)
_LATEST_ZONE = timedelta(hours=12)
_DAY = timedelta(days=1) - timedelta(microseconds=1)
_LAST_YEAR = 9998
"""Of the first year and the last, a zone decides whether there is such a moment at all: they are no times."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """A moment as well as it is known, in UTC. `period`: any zone, or an hour that the clock showed twice."""

    earliest: datetime
    latest: datetime
    precision: Literal["exact", "day", "period"]


class TimeReader:
    """Cells -> spans. Without a zone, a time of day stands for every zone there is.

    order  which comes first in `03/04/2024`, where somebody said so; else the column tells
    until  a bare number that counts to a later moment is no time
    """

    def __init__(self, zone: ZoneInfo | None, order: Order | None = None, until: datetime | None = None) -> None:
        self._zone, self.order, self.until = zone, order, until

    def within(self, zone: ZoneInfo | None) -> TimeReader:
        """The same of another zone."""
        return TimeReader(zone, self.order, self.until)

    def read(self, cell: str, habit: Habit = ALONE) -> Span | None:
        """The span of a cell, or None for one that is no time.

        `03/04/2024` is a time only of a column, by its `habit`: without one that tells day from month, it is the
        span of both readings.
        """
        if self.order is not None:
            habit = Habit(self.order, habit.numbers)
        spans = [
            self._span(found) for found in readings(cell, habit, self.until) if 1 < found.moment.year <= _LAST_YEAR
        ]
        if not spans:
            return None
        if len(spans) == 1:
            return spans[0]
        return Span(min(span.earliest for span in spans), max(span.latest for span in spans), "period")

    def _span(self, written: Written) -> Span:
        moment, whole = written
        last = moment + _DAY if whole else moment
        if moment.tzinfo is not None:
            utc = moment.astimezone(UTC)
            return Span(utc, utc, "exact")
        if self._zone is None:
            utc = moment.replace(tzinfo=UTC)
            return Span(utc - _EARLIEST_ZONE, utc + (last - moment) + _LATEST_ZONE, "period")
        # both folds: the hour the clock shows twice in autumn is not known any better
        first, second = (
            found.astimezone(UTC)
            for found in (
                moment.replace(tzinfo=self._zone, fold=0),
                last.replace(tzinfo=self._zone, fold=1),
            )
        )
        precision: Literal["exact", "day", "period"] = "day" if whole else "exact" if first == second else "period"
        return Span(min(first, second), max(first, second), precision)
