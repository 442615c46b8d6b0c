"""The page about one person as blocks: written once, set as HTML, as PDF and on a terminal.

Every text in a block is plain text, foreign or not; whoever sets it escapes it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from adapters.report.masking import printable
from ledger.terms import Precision

Tone = Literal["allowed", "not_allowed", "not_shown"]


class _Block(msgspec.Struct, frozen=True, tag_field="block"):
    """A part of a section."""


class Para(_Block, frozen=True, tag="para"):
    """One paragraph."""

    text: str
    small: bool = False


class Facts(_Block, frozen=True, tag="facts"):
    """Names, and what is known of each; several lines stand one below the other."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]


class Table(_Block, frozen=True, tag="table"):
    """A table; `weights`: how wide each column is, against the others."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    weights: tuple[int, ...]


class Drawing(_Block, frozen=True, tag="drawing"):
    """An SVG of our own making, what it shows in words, and what its marks mean."""

    svg: str
    alt: str
    legend: str


class Quote(_Block, frozen=True, tag="quote"):
    """The words of a kept document."""

    text: str
    source: str


class Field(_Block, frozen=True, tag="field"):
    """Room to write by hand."""

    label: str


Block = Para | Facts | Table | Drawing | Quote | Field


class Section(msgspec.Struct, frozen=True):
    """A part of the page under its own heading."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The page: what was asked, the first line, the answer, its grounds; what overflows stands in the annex."""

    kicker: str
    title: str
    meta: tuple[str, ...]
    first: tuple[str, ...]
    tone: Tone
    verdict: str
    answer: tuple[str, ...]
    sections: tuple[Section, ...]
    annex: tuple[Section, ...] = ()
    footer: tuple[str, ...] = ()
    dated: datetime


def line(value: object, limit: int = 300) -> str:
    """Foreign text for one line."""
    return printable(str(value), limit)


def lines(value: str, limit: int = 2400) -> str:
    """Foreign text that keeps its line breaks."""
    return "\n".join(printable(part, limit) for part in value.split("\n"))


def stamp(at: datetime) -> str:
    """A moment for a narrow column, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def happened(start: datetime | None, end: datetime | None, precision: Precision) -> str:
    """When something happened, as well as it is known."""
    if start is None:
        return f"by {stamp(end)[:10]}" if end else "unknown"
    if precision == "day" and end is not None and stamp(start)[11:] != "00:00":
        return f"{stamp(start)} to {stamp(end)}"  # a day of another zone than UTC
    if precision in ("day", "month", "year"):
        return stamp(start)[: {"day": 10, "month": 7, "year": 4}[precision]]
    if end is not None and end != start:
        return f"{stamp(start)[:10]} to {stamp(end)[:10]}"
    return stamp(start)
