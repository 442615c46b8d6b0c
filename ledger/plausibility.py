"""Claimed times bounded by known time: what is recorded at a position cannot have happened after it.

A fact's own times are claims of whoever reported it; `recorded_at` is the log's. This is the one place where the first
are held against the second, so that no door needs a rule of its own. Every fold reads facts through `bounded`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from ledger import events as e
from ledger.terms import END, IMPOSSIBLE

FIRST_PLAUSIBLE = datetime(1990, 1, 1, tzinfo=UTC)
"""No fact in a CRM is older; what claims to be is a default of some program (1899-12-30, 1970-01-01, ...)."""
SKEW = timedelta(minutes=5)
"""How far two right clocks may lie apart: a claim that is so little ahead means the moment of recording."""
FIRST_ZONE = timedelta(hours=14)
"""How long before UTC a day begins where it begins first."""
_FIRST_END = FIRST_PLAUSIBLE + FIRST_ZONE
"""What is only known to have been by an earlier moment may be of a day before `FIRST_PLAUSIBLE`, in some zone."""
_PLACEHOLDER_DAYS = (datetime(2038, 1, 19, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
"""Placeholders that are not before `FIRST_PLAUSIBLE`: the end of 32-bit time, and "never"."""
_FIRST_PLACEHOLDER = _PLACEHOLDER_DAYS[0] - FIRST_ZONE

_VAGUE = frozenset({"day", "month", "year", "period", "unknown"})
"""Precisions that say of a time without an end that it is only where the fact's own time begins."""

AnEvent = TypeVar("AnEvent", bound=e.Event)


def bounded(event: AnEvent) -> AnEvent:
    """The event with only such times as can be true; the same object where nothing is to be changed.

    - A time from `FIRST_PLAUSIBLE` to the recording stays.
    - An end of an interval after the recording becomes the recording; so does a time up to `SKEW` after it.
    - Any other time is unknown, and the precision says that an impossible one was claimed.
    - A stop that has a day, a month, a year or less, and no end of it, may have come until that is over.
    - A fact that was reported as happening when it is recorded (`precision` "recorded") has that moment.

    Idempotent. An event that was not recorded yet is returned as it is.
    """
    recorded = event.recorded_at
    if recorded is None:
        return event
    begin, end, captured = event.occurred_from, event.occurred_to, event.captured_at
    if (
        (begin is None or FIRST_PLAUSIBLE <= begin <= recorded)
        and (end is None or (_FIRST_END if begin is None else FIRST_PLAUSIBLE) <= end <= recorded)
        and (captured is None or _FIRST_END <= captured <= recorded)
        and recorded < _FIRST_PLACEHOLDER
        and event.recorded_clock is None
        and event.precision != "recorded"
        and (end is not None or event.precision not in _VAGUE or begin is None or not isinstance(event, e.Stop))
    ):
        return event  # nearly every fact
    return _bounded(event, recorded)


def _bounded(event: AnEvent, recorded: datetime) -> AnEvent:
    if event.precision == "recorded":
        if event.occurred_from is None or isinstance(event, e.Stop):
            return msgspec.structs.replace(event, occurred_from=recorded, occurred_to=None, precision="exact")
        event = msgspec.structs.replace(event, precision="exact")  # a yes with a time of its own is not given anew
    clock = min(event.recorded_clock or recorded, recorded)
    changes: dict[str, Any] = {"recorded_clock": None}
    if event.captured_at is not None:
        seen = _within(event.captured_at, clock, recorded)
        changes["captured_at"] = None if seen is None or seen < _FIRST_END else seen
    changes |= _occurred(event, END if may_lie_ahead(event) else clock, recorded)
    if isinstance(event, e.Stop) and event.occurred_to is None and event.precision in _VAGUE:
        changes |= _to_its_end(msgspec.structs.replace(event, **changes), recorded)
    if clock < recorded and isinstance(event, e.Stop | e.ReviewDecided):
        changes |= _put_back(msgspec.structs.replace(event, **changes), recorded - clock, recorded)
    return msgspec.structs.replace(event, **changes)


MAY_LIE_AHEAD = frozenset({e.ContractStarted, e.ContractEnded, e.Donated})
"""What may be agreed today for a later day; of support, a membership alone."""


def may_lie_ahead(event: e.Event) -> bool:
    """Whether the fact may be agreed today for a later day. It carries nothing before that day."""
    return type(event) in MAY_LIE_AHEAD and getattr(event, "kind", None) != "donation"


def is_ahead(event: e.Event, now: datetime) -> bool:
    """Whether a fact claims to happen after `now`, by more than clocks may lie apart, and may not."""
    return event.occurred_from is not None and event.occurred_from > now + SKEW and not may_lie_ahead(event)


def _occurred(event: e.Event, limit: datetime, recorded: datetime) -> dict[str, Any]:
    begin, end = event.occurred_from, event.occurred_to
    last = None if end is None else _end_within(end, limit)
    if begin is None:
        return {"occurred_to": None if last is None or last < _FIRST_END else last}
    first = _within(begin, limit, recorded)
    if first is None:  # nor is anything else true that the source derived from such a time
        return {"occurred_from": None, "occurred_to": None, "captured_at": None, "precision": IMPOSSIBLE}
    return {"occurred_from": first, "occurred_to": None if last is None else max(first, last)}


def _within(claim: datetime, limit: datetime, recorded: datetime) -> datetime | None:
    """The claimed moment, the recording for one only a little ahead, None for one that cannot be."""
    if claim < FIRST_PLAUSIBLE or _is_placeholder(claim):
        return None
    if claim <= limit:
        return claim
    return min(claim, recorded) if claim <= limit + SKEW else None


def _end_within(end: datetime, limit: datetime) -> datetime | None:
    """The end of an interval, not after the limit; None where it lies before anything could be."""
    return None if end < FIRST_PLAUSIBLE else min(end, limit)


def _is_placeholder(moment: datetime) -> bool:
    """Whether a moment lies on a placeholder's day, in any zone."""
    return any(
        day - FIRST_ZONE <= moment < day + timedelta(days=1) + FIRST_ZONE for day in _PLACEHOLDER_DAYS if day < END
    ) or (moment >= END - FIRST_ZONE)


def _to_its_end(stop: e.Event, recorded: datetime) -> dict[str, Any]:
    """The end of the day, month or year that a stop names by its beginning alone, in any zone; else its recording."""
    begin = stop.occurred_from
    if begin is None:
        return {}
    days = {"day": 1, "month": 31, "year": 366}.get(stop.precision)
    return {"occurred_to": recorded if days is None else min(begin + timedelta(days=days), recorded)}


def _put_back(stop: e.Event, behind: timedelta, recorded: datetime) -> dict[str, Any]:
    """A stop told while the clock lay behind the log may belong that much later in the log's time.

    Without it, a clock that once ran ahead would leave its grants after every later stop.
    """
    if stop.occurred_from is None:
        return {}
    last = stop.occurred_to or stop.occurred_from
    return {"occurred_to": recorded if recorded - last < behind else last + behind}
