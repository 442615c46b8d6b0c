"""The days and times that a cell can mean, as people and programs write them, without a zone applied.

Some ways of writing can be read in two ways (`03/04/2024`) or are any number (`45363`). One cell does not settle
them; what the whole column writes does: see `Habit`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from adapters.months import MONTHS
from ledger.plausibility import FIRST_PLAUSIBLE

Order = Literal["d/m/y", "m/d/y"]
Numbers = Literal["serial", "day", "seconds", "milliseconds"]


class Written(NamedTuple):
    """A moment as a cell writes it, aware if the cell names a zone. `whole`: it names a day and no time."""

    moment: datetime
    whole: bool


class Habit(msgspec.Struct, frozen=True, gc=False):
    """How a column writes what one cell alone does not settle.

    order    which comes first in `03/04/2024`; None: nothing in the column tells
    numbers  what its bare numbers count; None: nothing, or several things
    """

    order: Order | None = None
    numbers: Numbers | None = None


ALONE = Habit(numbers="milliseconds")
"""What a cell says by itself: a number so long can be nothing else."""

_ZONE = r"(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
_TAIL = (
    r"(?:(?:,?\s+(?:at\s+|um\s+|à\s+|kl\.?\s+)?|T)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})"
    r"(?:[.,](?P<part>\d{1,9}))?)?\s*(?P<half>[ap]\.?m\.?)?" + _ZONE + r")?\s*\Z"
)
_ISO = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _TAIL, re.IGNORECASE
).match
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[T ]?(?P<hour>\d{2}):?(?P<minute>\d{2})"
    r"(?::?(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?" + _ZONE + r")\s*\Z",
    re.IGNORECASE,
).match
_EITHER = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[/.-])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4})" + _TAIL, re.IGNORECASE
).match
_WEEKDAY = r"(?:[^\W\d_]+\.?,\s*|[^\W\d_]+\s+(?=\d))?"
_DAY_NAMED = re.compile(
    _WEEKDAY + r"(?P<day>\d{1,2})(?:\.|st|nd|rd|th|er|º)?[\s/-]\s*(?:de\s+)?(?P<name>[^\W\d_]+)\.?,?[\s/-]\s*(?:de\s+)?"
    r"(?P<year>\d{4})" + _TAIL,
    re.IGNORECASE,
).match
_NAME_FIRST = re.compile(
    r"(?:[^\W\d_]+\.?,\s*)?(?P<name>[^\W\d_]+)\.?[\s/-]\s*(?P<day>\d{1,2})(?:st|nd|rd|th)?,?[\s/-]\s*(?P<year>\d{4})"
    + _TAIL,
    re.IGNORECASE,
).match
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[\s/-](?P<name>[^\W\d_]+)[\s/-](?P<day>\d{1,2})" + _TAIL, re.IGNORECASE).match
_EASTERN = re.compile(
    r"(?P<year>\d{4})\s*[年년]\s*(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日일]?" + _TAIL, re.IGNORECASE
).match
_NUMBER = re.compile(r"(?P<whole>\d{5}|\d{8}|\d{10}|\d{12,13})(?P<part>\.\d{1,12})?\Z").match
_KINDS: dict[int, Numbers] = {5: "serial", 8: "day", 10: "seconds", 12: "milliseconds", 13: "milliseconds"}
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zone
_FINNISH = ("kuuta", "kuu")


def readings(cell: str, habit: Habit = ALONE, until: datetime | None = None) -> list[Written]:
    """What a cell can mean: nothing, one moment, or two where neither cell nor column tells day from month.

    until  no bare number counts to a later moment; nor does any to one before 1990
    """
    if cell[4:5] == "-":
        try:  # nearly every cell
            return [Written(datetime.fromisoformat(cell), len(cell) == 10)]
        except ValueError:
            pass
    number = _NUMBER(cell)
    if number:
        return _counted(number, habit.numbers, until)
    either = _EITHER(cell)
    if either:
        return _either(either, habit.order)
    for pattern in (_ISO, _COMPACT, _EASTERN):
        found = pattern(cell)
        if found:
            return _made(found, int(found["month"]), int(found["day"]))
    for pattern in (_DAY_NAMED, _NAME_FIRST, _YEAR_FIRST):
        found = pattern(cell)
        month = _month(found["name"]) if found else None
        if found and month:
            return _made(found, month, int(found["day"]))
    return []


def needs_column(cell: str) -> bool:
    """Whether what a cell means depends on the rest of its column."""
    number = _NUMBER(cell)
    return _KINDS[len(number["whole"])] != "milliseconds" if number else bool(_EITHER(cell))


class Habits:
    """The cells of one column gone by, and what they tell of its habit."""

    def __init__(self) -> None:
        self._numbers: Counter[Numbers] = Counter()
        self._orders: Counter[Order] = Counter()
        self._dotted = True
        self.unsettled = 0
        self.example = ""

    def see(self, cell: str) -> None:
        """Learn from one cell."""
        number = _NUMBER(cell)
        if number:
            self._numbers[_KINDS[len(number["whole"])]] += 1
            return
        either = _EITHER(cell)
        if not either or either["one"] == either["two"]:
            return
        one, two = int(either["one"]), int(either["two"])
        if one > 12 >= two:
            self._orders["d/m/y"] += 1
        elif two > 12 >= one:
            self._orders["m/d/y"] += 1
        elif one <= 12 and two <= 12:
            self._dotted = self._dotted and either["mark"] == "."
            self.unsettled += 1
            self.example = self.example or cell

    @property
    def habit(self) -> Habit:
        """What all of them tell."""
        order = next(iter(self._orders)) if len(self._orders) == 1 else None
        if not self._orders and self._dotted and self.unsettled:
            order = "d/m/y"  # with dots nobody writes the month first, as long as no cell shows it
        return Habit(order, next(iter(self._numbers)) if len(self._numbers) == 1 else None)


def _counted(number: re.Match[str], kind: Numbers | None, until: datetime | None) -> list[Written]:
    if kind is None or _KINDS[len(number["whole"])] != kind:
        return []
    count = float(number[0])
    try:
        if kind == "day":
            day = number["whole"]
            moment, whole = datetime(int(day[:4]), int(day[4:6]), int(day[6:])), True  # noqa: DTZ001
        elif kind == "serial":
            moment, whole = _SERIAL_ZERO + timedelta(seconds=round(count * 86_400)), not number["part"]
        else:
            per_second = 1000 if kind == "milliseconds" else 1
            moment, whole = datetime.fromtimestamp(count / per_second, UTC), False
    except (ValueError, OverflowError, OSError):
        return []
    bound = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if bound < FIRST_PLAUSIBLE or (until is not None and bound > until) or (kind == "day" and number["part"]):
        return []
    return [Written(moment, whole)]


def _either(found: re.Match[str], order: Order | None) -> list[Written]:
    one, two = int(found["one"]), int(found["two"])
    if order is None and found["mark"] == "." and two <= 12:
        order = "d/m/y"
    by_day = _made(found, two, one) if order != "m/d/y" else []
    by_month = _made(found, one, two) if order != "d/m/y" else []
    return list(dict.fromkeys([*by_day, *by_month]))


def _made(found: re.Match[str], month: int, day: int) -> list[Written]:
    parts = found.groupdict()
    whole = parts.get("hour") is None
    hour, half = int(parts.get("hour") or 0), (parts.get("half") or "")[:1].lower()
    if half and not 1 <= hour <= 12:
        return []
    hour = hour % 12 + 12 * (half == "p") if half else hour
    microsecond = int(f"{parts.get('part') or '0':0<6}"[:6])
    try:
        return [
            Written(
                datetime(
                    int(parts["year"]),
                    month,
                    day,
                    hour,
                    int(parts.get("minute") or 0),
                    int(parts.get("second") or 0),
                    microsecond,
                    tzinfo=_zone(parts.get("zone")),
                ),
                whole,
            )
        ]
    except ValueError:
        return []


def _zone(text: str | None) -> timezone | None:
    """Raises ValueError for an offset of a day or more."""
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if text[0] == "-" else offset)


def _month(name: str) -> int | None:
    folded = _folded(name)
    for ending in _FINNISH:
        folded = folded.removesuffix(ending) or folded
    return _months().get(folded)


@cache
def _months() -> dict[str, int]:
    return {name: month for month, names in MONTHS.items() for name in _names(names)}


def _names(joined: str) -> Iterator[str]:
    for name in joined.split("|"):
        folded = _folded(name)
        yield folded.removesuffix("kuu") or folded


def _folded(name: str) -> str:
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKD", name.casefold())))
