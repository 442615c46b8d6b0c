"""Periods and dates: windows run on calendar dates of the recipient's jurisdiction."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.terms import END

_iso = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DB]))?\Z")


class Period(NamedTuple):
    """An ISO 8601 period of months and days. `B` is ours: business days, Monday to Friday."""

    months: int = 0
    days: int = 0
    business: bool = False


@lru_cache(maxsize=256)
def period(text: str) -> Period:
    """Read `P2Y`, `P6M`, `P180D`, `P10B`. Raises ValueError for anything else."""
    found = _iso.match(text)
    if found is None or text == "P":
        raise ValueError(f"{text!r} is not a period: write P2Y, P6M, P30D or P10B (business days)")
    years, months, days, unit = found.groups()
    return Period(int(years or 0) * 12 + int(months or 0), int(days or 0), unit == "B")


def add(day: date, span: Period) -> date:
    """A date some months and days later; the 31st becomes the last day of a shorter month."""
    if span.months:
        total = day.month - 1 + span.months
        year, month = day.year + total // 12, total % 12 + 1
        day = date(year, month, min(day.day, monthrange(year, month)[1]))
    if span.business:
        return _business_days(day, span.days)
    return day + timedelta(days=span.days)


def _business_days(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar date of a moment in a place."""
    return moment.astimezone(zone).date()


def end_of_window(moment: datetime, span: Period, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) after the last day of a window that opened at `moment`.

    CASL s 10(10): allowed iff the date of sending <= date of the event + window.
    """
    try:
        day = moment.astimezone(zone).date()
    except OverflowError:  # an unknown moment stands at an end of the calendar, and has no local date there
        day = moment.date()
    return _end(day, span, zone)


@lru_cache(maxsize=65_536)
def _end(day: date, span: Period, zone: ZoneInfo) -> datetime:
    try:
        return start_of_day(add(day, span) + timedelta(days=1), zone)
    except (OverflowError, ValueError):  # past the last year there is
        return END


@lru_cache(maxsize=8192)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Midnight at a place, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
