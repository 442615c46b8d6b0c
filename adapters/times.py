"""Times as an export writes them: usually `2024-03-01 09:12`, in a zone the file does not name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

_EARLIEST_ZONE = timedelta(hours=14)
_LATEST_ZONE = timedelta(hours=12)
_DAY = timedelta(days=1) - timedelta(microseconds=1)
_MILLISECONDS = re.compile(r"\d{12,13}\Z").match
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::\d{2})?)?\Z").match


class Span(msgspec.Struct, frozen=True, gc=False):
    """A moment as well as it is known, in UTC. `period`: any zone, or an hour that the clock showed twice."""

    earliest: datetime
    latest: datetime
    precision: Literal["exact", "day", "period"]


class TimeReader:
    """Cells -> spans. Without a zone, a time of day stands for every zone there is."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone

    def read(self, cell: str) -> Span | None:
        """The span of a cell, or None for one that is no time (`03/01/2024` is not: which is the month?)."""
        try:
            if cell[4:5] == "-":
                return self._span(datetime.fromisoformat(cell), whole=len(cell) == 10)
            if _MILLISECONDS(cell):
                moment = datetime.fromtimestamp(int(cell) / 1000, UTC)
                return Span(moment, moment, "exact")
            dotted = _DOTTED(cell)
            if dotted:
                day, month, year, hour, minute = (int(part or 0) for part in dotted.groups())
                return self._span(datetime(year, month, day, hour, minute), whole=not dotted[4])  # noqa: DTZ001
        except (ValueError, OverflowError, OSError):
            pass
        return None

    def _span(self, moment: datetime, *, whole: bool) -> Span:
        """Raises OverflowError for years no calendar here reaches."""
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
