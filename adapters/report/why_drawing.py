"""The three clocks as a drawing: one column of marks a fact. Its table twin says the same in words.

Shapes tell the kinds apart, so that colour is never alone. Nothing in it is foreign text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from adapters.report.why import RowKind, WhyRow

WIDTH, HEIGHT = 720, 106
_LEFT, _RIGHT = 112, 12
_LANES = (("happened", 30), ("source held it", 55), ("we hold it", 80))
_COLOURS: dict[RowKind, str] = {
    "grant": "#1d6b3a",
    "stop": "#9b1c1c",
    "send": "#0b4f6c",
    "link": "#6a7380",
    "other": "#6a7380",
}
_LABEL = 95.0
_APART = 16.0
"""Numbers nearer than this share one label."""


def drawing(rows: Sequence[WhyRow], asked: datetime) -> str:
    """The drawing as SVG; rows are numbered from 1, as in the table."""
    moments = [asked, *(moment for row in rows for moment in _clocks(row) if moment is not None)]
    axis = _Axis(min(moments), max(moments))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="Libertinus Serif, Georgia, serif" font-size="11">'
    ]
    for name, y in _LANES:
        parts.append(f'<text x="0" y="{y + 4}" fill="#1b1f24">{name}</text>')
        parts.append(f'<path d="M{_LEFT} {y}H{WIDTH - _RIGHT}" stroke="#d5dae0" stroke-width="1" fill="none"/>')
    x = axis.place(asked)
    parts += axis.ticks(x)
    parts.append(f'<path d="M{x:.1f} 18V90" stroke="#1b1f24" stroke-width="1.2" stroke-dasharray="3 2" fill="none"/>')
    parts += _labels(rows, axis)
    for row in rows:
        parts += _fact(row, axis)
    anchor = "end" if x > WIDTH * 0.8 else "start" if x < WIDTH * 0.3 else "middle"
    parts.append(f'<text x="{x:.1f}" y="102" text-anchor="{anchor}" fill="#1b1f24">asked about</text>')
    return "".join((*parts, "</svg>"))


LEGEND = "Dots: sign-ups, contracts and the like; squares: opt-outs and objections; triangles: sends; rings: the rest."


def caption(rows: Sequence[WhyRow]) -> str:
    """What the drawing shows, for whoever cannot see it; the table beside it has every fact."""
    return (
        f"{len(rows)} facts on three lines of time: when each happened, since when its source held it, since when "
        "this ledger holds it. The table gives the same facts in words."
    )


class _Axis:
    def __init__(self, first: datetime, last: datetime) -> None:
        self._first = first
        self._span = max((last - first).total_seconds(), 86_400.0)

    def place(self, moment: datetime) -> float:
        return _LEFT + 8 + (moment - self._first).total_seconds() / self._span * (WIDTH - _LEFT - _RIGHT - 16)

    def ticks(self, asked: float) -> Iterator[str]:
        """The years, as far apart as can be read; days where all lies within one year. Not over another label."""
        first = self._first.astimezone(UTC)
        years = int(self._span // (365.25 * 86_400))
        if years < 1:
            for moment in (self._first, datetime.fromtimestamp(self._first.timestamp() + self._span, UTC)):
                x = self.place(moment)
                anchor = "start" if moment is self._first else "end"
                if abs(x - asked) > _LABEL:
                    yield f'<text x="{x:.1f}" y="102" text-anchor="{anchor}" fill="#4d5662">{moment:%Y-%m-%d}</text>'
            return
        step = 1 + years // 10
        for year in range(first.year + 1, first.year + years + 2, step):
            x = self.place(datetime(year, 1, 1, tzinfo=UTC))
            if x <= WIDTH - _RIGHT - 8:
                yield f'<path d="M{x:.1f} 26V88" stroke="#eceff2" stroke-width="1" fill="none"/>'
                if abs(x - asked) > _LABEL:
                    yield f'<text x="{x:.1f}" y="102" text-anchor="middle" fill="#4d5662">{year}</text>'


def _clocks(row: WhyRow) -> tuple[datetime | None, datetime | None, datetime]:
    return row.happened_from or row.happened_to, row.held_since, row.recorded_at


def _fact(row: WhyRow, axis: _Axis) -> Iterator[str]:
    colour = _COLOURS[row.kind]
    places = [(axis.place(m), y) for m, (_, y) in zip(_clocks(row), _LANES, strict=True) if m is not None]
    for (x1, y1), (x2, y2) in pairwise(places):
        yield f'<path d="M{x1:.1f} {y1}L{x2:.1f} {y2}" stroke="{colour}" stroke-width=".6" opacity=".5" fill="none"/>'
    start, end = row.happened_from, row.happened_to
    if start and end and end > start:
        x1, x2, y = axis.place(start), axis.place(end), _LANES[0][1]
        yield f'<path d="M{x1:.1f} {y}H{x2:.1f}" stroke="{colour}" stroke-width="4" opacity=".35" fill="none"/>'
    for x, y in places:
        yield _mark(row.kind, x, y, colour)


def _mark(kind: RowKind, x: float, y: float, colour: str) -> str:
    if kind == "stop":
        return f'<path d="M{x - 4.2:.1f} {y - 4.2:.1f}h8.4v8.4h-8.4z" fill="{colour}"/>'
    if kind == "send":
        return f'<path d="M{x:.1f} {y - 5:.1f}l5 9.2h-10z" fill="{colour}"/>'
    if kind == "grant":
        return f'<circle cx="{x:.1f}" cy="{y}" r="4.4" fill="{colour}"/>'
    return f'<circle cx="{x:.1f}" cy="{y}" r="3" fill="#ffffff" stroke="{colour}" stroke-width="1.2"/>'


def _labels(rows: Sequence[WhyRow], axis: _Axis) -> Iterator[str]:
    """The numbers, over the first clock that a fact has; close neighbours share a label."""
    placed = sorted(
        (axis.place(next(m for m in _clocks(row) if m is not None)), number) for number, row in enumerate(rows, 1)
    )
    cluster: list[tuple[float, int]] = []
    for place in [*placed, (float("inf"), 0)]:
        if cluster and place[0] - cluster[-1][0] > _APART:
            x = sum(x for x, _ in cluster) / len(cluster)
            label = _numbers([number for _, number in cluster])
            yield f'<text x="{x:.1f}" y="13" text-anchor="middle" fill="#1b1f24">{label}</text>'
            cluster = []
        cluster.append(place)


def _numbers(numbers: Sequence[int]) -> str:
    ordered = sorted(numbers)
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]}–{ordered[-1]}"
    return ", ".join(map(str, ordered))
