"""The tables of the page about one person: purposes, the three clocks, each no."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from adapters.report import wording
from adapters.report.why import Why, WhyRow, WhySend, WhyStop
from adapters.report.why_blocks import Drawing, Para, Table, happened, line, stamp
from adapters.report.why_drawing import LEGEND, caption, drawing

SHOWN = 8
"""Facts of the history on the page itself; the rest stand in the annex."""
STOPS_SHOWN = 3
SENDS_SHOWN = 2
_HISTORY = ("", "what", "happened", "source held it since", "we hold it since", "note")
_WEIGHTS = (3, 45, 14, 14, 14, 10)


def purposes(why: Why) -> Table:
    """One line for all purposes that have the same answer."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for one in why.answers:
        because = (f"{wording.basis(one.basis)}: " if one.basis else "") + one.reason
        until = (one.changes_at.isoformat() if one.changes_at else "no end set") if one.basis else ""
        alike.setdefault((one.verdict, because, until), []).append(wording.purpose(one.purpose))
    rows = tuple(("; ".join(names), *answer) for answer, names in alike.items())
    return Table("", ("for", "answer", "because", "until"), rows, (34, 24, 32, 10))


# --- the three clocks ----------------------------------------------------------------------------


def timeline(why: Why) -> tuple[Drawing, Table]:
    """The drawing and its twin in words, of the facts that say most."""
    rows = shown(why.timeline, why)
    return Drawing(drawing(rows, why.question.on), caption(rows), LEGEND), _history(rows)


def whole_history(why: Why) -> Table:
    """Every fact."""
    return _history(in_time(told(why.timeline)))


def shown(rows: Sequence[WhyRow], why: Why) -> list[WhyRow]:
    """The facts that say most, as many as the page holds, in the order they happened."""
    ordered = in_time(told(rows))
    if len(ordered) <= SHOWN:
        return ordered
    asked = {send.position for send in why.sends}
    near = sorted(ordered, key=lambda row: (_weight(row, asked), abs(_moment(row) - why.question.on)))
    kept = {id(row) for row in near[:SHOWN]}
    return [row for row in ordered if id(row) in kept]


def told(rows: Sequence[WhyRow]) -> list[WhyRow]:
    """What the person did, and what was done: links between records are told apart."""
    return [row for row in rows if row.kind != "link"]


def in_time(rows: Sequence[WhyRow]) -> list[WhyRow]:
    """In the order they happened, as far as that is known."""
    return sorted(rows, key=lambda row: (_moment(row), row.position or 0))


def _moment(row: WhyRow) -> datetime:
    return row.happened_from or row.happened_to or row.held_since or row.recorded_at


def _weight(row: WhyRow, asked: set[int | None]) -> int:
    if row.position in asked or row.note in ("counts", "corrected"):
        return 0
    return {"stop": 0, "grant": 1, "send": 2, "link": 3, "other": 3}[row.kind]


def _history(rows: Sequence[WhyRow]) -> Table:
    return Table("", _HISTORY, tuple(_row(number, row) for number, row in enumerate(rows, 1)), _WEIGHTS)


def _row(number: int, row: WhyRow) -> tuple[str, ...]:
    where = f" [{row.position}]" if row.position else ""
    source = f", {line(wording.source(row.source), 40)}" if row.source else ""
    other = ", on a linked record" if row.linked else ""
    return (
        str(number),
        f"{line(row.what, 320)}{source}{other}{where}",
        happened(row.happened_from, row.happened_to, row.precision),
        stamp(row.held_since) if row.held_since else "not shown",
        stamp(row.recorded_at),
        row.note or "",
    )


# --- each no -------------------------------------------------------------------------------------


def stops(why: Why) -> Table:
    """Each objection: received, effective, held, recorded, and the sends after it."""
    rows = tuple(_stop(one) for one in why.stops[:STOPS_SHOWN])
    more = len(why.stops) - STOPS_SHOWN
    return Table(
        f"{more} more: see the history" if more > 0 else "",
        ("what, and how far it reaches", "received", "effective", "recorded", "sent in between", "sent since"),
        rows,
        (31, 15, 15, 15, 13, 11),
    )


def _stop(one: WhyStop) -> tuple[str, ...]:
    where = f" [{one.position}]" if one.position else ""
    words = f": “{line(one.words, 120)}”" if one.words else ""
    back = "; taken back as a mistake" if one.taken_back else ""
    return (
        f"{line(one.what, 80)}{words}; {one.scope}{back}{where}",
        happened(one.received_from, one.received_to, one.precision),
        _from(one.effective),
        stamp(one.recorded),
        _sends(one.between),
        _sends(one.after),
    )


def _sends(sends: Sequence[WhySend]) -> str:
    if not sends:
        return "none on record"
    shown_ = ", ".join(sent_at(send)[:10] for send in sends[:SENDS_SHOWN])
    more = len(sends) - SENDS_SHOWN
    return f"{len(sends)}: {shown_}" + (f" and {more} more" if more > 0 else "")


def sent_at(send: WhySend) -> str:
    """When an e-mail went out."""
    return happened(send.at, None, send.precision)


def sends_after(why: Why) -> Iterator[Para | Table]:
    """Every send after a no, for the annex: only of a no whose sends did not fit on the page."""
    for stop in why.stops:
        if max(len(stop.between), len(stop.after)) <= SENDS_SHOWN:
            continue
        yield Para(f"After {line(stop.what, 80)} [{stop.position}], effective {_from(stop.effective)}:")
        rows = [("between effect and record", send) for send in stop.between]
        rows += [("since it is recorded", send) for send in stop.after]
        yield Table(
            "",
            ("when", "sent", "subject", "purpose"),
            tuple(
                (
                    label,
                    sent_at(send),
                    line(send.subject or "", 120),
                    wording.purpose(send.purpose) if send.purpose else "not classified",
                )
                for label, send in rows
            ),
            (24, 18, 38, 20),
        )


def _from(moment: datetime | None) -> str:
    return stamp(moment) if moment else "always, as its day is unknown"
