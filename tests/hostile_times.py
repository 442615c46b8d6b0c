"""One table of times that no fact can have, as systems really write them, for every door to be tried with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

PLACEHOLDERS = {
    "year one": datetime(1, 1, 1, tzinfo=UTC),
    "spreadsheet zero": datetime(1899, 12, 30, tzinfo=UTC),
    "1900": datetime(1900, 1, 1, tzinfo=UTC),
    "1904": datetime(1904, 1, 1, tzinfo=UTC),
    "before the epoch": datetime(1969, 12, 31, 23, 59, 55, tzinfo=UTC),
    "the epoch": datetime(1970, 1, 1, tzinfo=UTC),
    "a second after the epoch": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    "a day after the epoch": datetime(1970, 1, 2, tzinfo=UTC),
    "before anything": datetime(1989, 12, 31, 23, tzinfo=UTC),
    "the end of 32 bits": datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
    "2100": datetime(2100, 1, 1, tzinfo=UTC),
    "the last day": datetime(9999, 12, 31, tzinfo=UTC),
    "the last second": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}
"""Name -> a moment that a source claims, and that cannot be."""

TEXTS = {
    "no day at all": "0000-00-00",
    "no time at all": "0000-00-00 00:00:00",
    **{name: moment.strftime("%Y-%m-%d").zfill(10) for name, moment in PLACEHOLDERS.items()},
}
"""The same as cells of a file write them, and those that are no date in any calendar."""


def ahead(now: datetime) -> dict[str, datetime]:
    """Times after `now`, by more than two right clocks may lie apart, and more than a test takes."""
    return {
        "in half a day": now + timedelta(hours=12),
        "in two days": now + timedelta(days=2),
        "next year": now + timedelta(days=400),
    }
