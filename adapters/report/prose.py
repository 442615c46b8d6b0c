"""Text that is written once and shown twice: as HTML on the page and as Markdown beside it.

A paragraph is a string of our own words in which backticks set a name apart. What somebody else wrote goes
through `said` first, which marks where it begins and ends; both renderings escape what stands between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from adapters.report import markup
from adapters.report.markup import Cell, Html
from adapters.report.masking import printable

_OPEN, _CLOSE = "\x02", "\x03"
# `printable` takes control characters out of foreign text, so nothing foreign can close its own mark.
_SPANS = re.compile(f"(`[^`{_OPEN}]*`|{_OPEN}[^{_CLOSE}]*{_CLOSE})")
# Besides what Markdown reads, what some readers make a link of by themselves.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&@]|:(?=//)|(?<=[Ww]{3})\.)")
_OWN_MARKDOWN = re.compile(r"([\\*_\[\]<>|~])")


class Points(NamedTuple):
    """A list, one sentence a line."""

    items: tuple[str, ...]


class Quoted(NamedTuple):
    """Wording ready to be used as it stands."""

    wording: str


class Grid(NamedTuple):
    """A table; `numbers` are the columns set to the right."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]
    numbers: tuple[int, ...] = ()


Block = str | Points | Quoted | Grid
"""A string alone is a paragraph."""


def said(value: object, limit: int = 200) -> str:
    """What somebody else wrote, for a place among our own words."""
    return f"{_OPEN}{printable(str(value), limit)}{_CLOSE}"


def foreign(value: object, limit: int = 200) -> str:
    """What somebody else wrote, for a place in Markdown that is written by hand."""
    return _escaped(printable(str(value), limit))


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def html(blocks: Iterable[Block]) -> Html:
    """The blocks as markup."""
    return markup.join(_html(block) for block in blocks)


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown, an empty line between two."""
    return "\n\n".join(_markdown(block) for block in blocks)


def inline_html(words: str) -> Html:
    """One paragraph's words as markup."""
    return markup.join(_span_html(part) for part in _SPANS.split(words))


def plain(words: str) -> str:
    """One paragraph's words for a terminal."""
    return words.replace(_OPEN, "").replace(_CLOSE, "").replace("`", "")


def _html(block: Block) -> Html:
    match block:
        case Points(items):
            return markup.bullets(inline_html(item) for item in items)
        case Quoted(wording):
            return Html(f"<blockquote><p>{inline_html(wording)}</p></blockquote>")
        case Grid(caption, headers, rows, numbers):
            cells: list[list[Cell]] = [
                [cell if isinstance(cell, int) else (inline_html(cell),) for cell in row] for row in rows
            ]
            return markup.table(caption, headers, cells, numbers)
        case _:
            return markup.paragraph(inline_html(block))


def _span_html(part: str) -> Html:
    if part.startswith("`"):
        return markup.code(part[1:-1])
    return markup.text(part.strip(_OPEN + _CLOSE), 2000)


def _markdown(block: Block) -> str:
    match block:
        case Points(items):
            return "\n".join(f"- {_inline_markdown(item)}" for item in items)
        case Quoted(wording):
            return f"> {_inline_markdown(wording)}"
        case Grid(caption, headers, rows, numbers):
            rule = "|".join("---:" if column in numbers else "---" for column in range(len(headers)))
            lines = [_markdown_row(headers), f"|{rule}|", *(_markdown_row(row) for row in rows)]
            return f"{_inline_markdown(caption)}:\n\n" + "\n".join(lines)
        case _:
            return _inline_markdown(block)


def _markdown_row(cells: Iterable[str | int]) -> str:
    shown = (f"{cell:,}" if isinstance(cell, int) else _inline_markdown(cell) for cell in cells)
    return "| " + " | ".join(shown) + " |"


def _inline_markdown(words: str) -> str:
    return "".join(_span_markdown(part) for part in _SPANS.split(words))


def _span_markdown(part: str) -> str:
    if part.startswith("`"):
        return part
    if part.startswith(_OPEN):
        return _escaped(part[1:-1])
    return _OWN_MARKDOWN.sub(r"\\\1", part)
