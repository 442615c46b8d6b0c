"""HTML by hand, safely: every plain string is escaped; only what these functions made is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

from adapters.report.masking import printable

Html = NewType("Html", str)
"""Text that is markup already. Made here and by literals in this package, never from outside."""

Cell = str | int | tuple[Html]
"""A table cell. Markup travels in a one-tuple, so that a forgotten wrap escapes rather than injects."""


def text(value: object, limit: int = 400) -> Html:
    """Foreign or plain text as markup: escaped, control characters shown as such."""
    return Html(escape(printable(str(value), limit), quote=True))


def join(parts: Iterable[Html], between: str = "") -> Html:
    """Several pieces of markup as one."""
    return Html(between.join(parts))


def code(value: object) -> Html:
    """A name, hash or command."""
    return Html(f"<code>{text(value)}</code>")


def linked_files(markup: Html, names: Iterable[str]) -> Html:
    """The markup with each of these file names, where it stands as code and in no link, as a link to the file.

    A Markdown file is linked to the page beside it that shows the same.
    """
    pattern = "|".join(re.escape(f"<code>{text(name)}</code>") for name in sorted(names))
    parts = re.split(r"(<a .*?</a>)", markup, flags=re.DOTALL)
    return Html("".join(part if part.startswith("<a ") else _linked(pattern, part) for part in parts))


def _linked(pattern: str, part: str) -> str:
    def linked(found: re.Match[str]) -> str:
        name = found[0].removeprefix("<code>").removesuffix("</code>")
        return (
            f'<a href="{name.removesuffix(".md")}.html">{found[0]}</a>'
            if name.endswith(".md")
            else (f'<a href="{name}">{found[0]}</a>')
        )

    return re.sub(pattern, linked, part) if pattern else part


def link(label: str, address: str) -> Html:
    """A link to follow by hand; nothing is loaded from it."""
    return Html(f'<a href="{escape(address, quote=True)}" rel="noreferrer">{text(label)}</a>')


def paragraph(*parts: Html, kind: str = "") -> Html:
    """One paragraph."""
    attribute = f' class="{kind}"' if kind else ""
    return Html(f"<p{attribute}>{join(parts)}</p>")


def bullets(items: Iterable[Html]) -> Html:
    """A plain list."""
    return Html("<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")


def facts(pairs: Iterable[tuple[str, Html]]) -> Html:
    """Names and what is known of them."""
    return Html(
        '<dl class="facts">' + "".join(f"<div><dt>{text(k)}</dt><dd>{v}</dd></div>" for k, v in pairs) + "</dl>"
    )


def section(anchor: str, title: str, *parts: Html) -> Html:
    """One part of the page, named by its heading."""
    return Html(
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">'
        f'<h2 id="{anchor}-title">{text(title)}</h2>{join(parts)}</section>'
    )


def table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[Cell]], numbers: Iterable[int] = ()) -> Html:
    """A table with a caption. The first cell of a row is its header; `numbers` are set to the right.

    On a narrow screen each row becomes a block and its cells carry their column's name (`data-label`);
    the roles keep it a table for a screen reader there.
    """
    right = set(numbers)
    head = "".join(
        f'<th scope="col" role="columnheader"{_side(column, right)}>{text(name)}</th>'
        for column, name in enumerate(headers)
    )
    body = "".join(_row(row, headers, right) for row in rows)
    return Html(
        f'<table role="table"><caption>{text(caption)}</caption><thead role="rowgroup">'
        f'<tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
    )


def _row(row: Sequence[Cell], headers: Sequence[str], right: set[int]) -> str:
    first, *rest = (_content(cell) for cell in row)
    cells = "".join(
        f'<td role="cell" data-label="{text(headers[column])}"{_side(column, right)}>{cell}</td>'
        for column, cell in enumerate(rest, start=1)
    )
    return f'<tr role="row"><th scope="row" role="rowheader"{_side(0, right)}>{first}</th>{cells}</tr>\n'


def _content(cell: Cell) -> str:
    if isinstance(cell, tuple):
        return cell[0]
    return f"{cell:,}" if isinstance(cell, int) else text(cell)


def _side(column: int, right: set[int]) -> str:
    return ' class="n"' if column in right else ""
