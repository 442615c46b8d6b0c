"""The portal's days: everything is counted back from the day of the export, so that no portal grows stale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
"""The portal's own zone: its CSV files are written in it and do not say so."""
LATEST = 3
"""Days before the export in which nothing happened: no zone makes anything later than the export itself."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Moments of one portal, exported at the beginning of `today`."""

    today: date

    @property
    def exported(self) -> datetime:
        """When the files left HubSpot."""
        return datetime.combine(self.today, time(), UTC)

    @property
    def opened(self) -> date:
        """When the portal's oldest form was first shown."""
        return date(self.today.year - 5, 1, 1)

    @property
    def refusal_since(self) -> date:
        """Since when the online shop offers refusal at checkout. At least 48 months ago."""
        return date(self.today.year - 4, 1, 1)

    @property
    def unticked_since(self) -> date:
        """Since when the checkout's box is not ticked before; for the year before it was."""
        return date(self.today.year - 3, 1, 1)

    @property
    def optional_since(self) -> date:
        """Since when the webinar's box need not be ticked."""
        return self.today - timedelta(days=570)

    @property
    def signed(self) -> date:
        """When the data protection officer signed the evidence map and the answers."""
        return self.today - timedelta(days=LATEST)

    @property
    def renewal(self) -> date:
        """When the contract with HubSpot is renewed: the next first of March."""
        this_year = date(self.today.year, 3, 1)
        return this_year if this_year > self.today else date(self.today.year + 1, 3, 1)

    def ago(self, random: Random, farthest: int, nearest: int = LATEST) -> datetime:
        """A moment between so many days ago, in whole minutes."""
        return self.exported - timedelta(minutes=random.randrange(nearest * 1_440, farthest * 1_440))

    def within(self, random: Random, first: date, last: date) -> datetime:
        """A moment between two days, well away from both."""
        days = (last - first).days - 8
        begun = datetime.combine(first, time(), UTC) + timedelta(days=4)
        return begun + timedelta(minutes=random.randrange(days * 1_440))


def local(moment: datetime) -> str:
    """As HubSpot writes a time into a CSV file."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


def stamp(moment: datetime) -> int:
    """As HubSpot's API writes a time: milliseconds."""
    return round(moment.timestamp() * 1000)
