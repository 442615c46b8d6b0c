"""One answer on a terminal: the send, the answer, then what it rests on. The same blocks as the page."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from adapters.report import wording
from adapters.report.screen import Screen
from adapters.report.why import Why
from adapters.report.why_blocks import Block, Facts, Para, Quote, Section, Table
from adapters.report.why_pages import page_of

_INDENT = 20
_STYLES = {wording.ALLOWED: "bold green", wording.NOT_ALLOWED: "bold red", wording.NOT_SHOWN: "bold yellow"}


def render_why(why: Why, console: Console) -> None:
    """Print the whole answer. On a screen the address is masked; a page that is filed shows it."""
    page, screen = page_of(why), Screen(console)
    screen.line(page.kicker, style="bold")
    screen.wrapped("", why.email_masked, 0)
    for said in page.meta:
        screen.wrapped("", said, 0)
    screen.line()
    for said in page.first:
        screen.wrapped("", said, 0)
    screen.line()
    screen.line(page.verdict, style=_STYLES[why.verdict])
    for said in page.answer:
        screen.wrapped("", said, 0)
    for part in (*page.sections, *page.annex):
        _section(part, screen, console)
    screen.line()
    for said in page.footer:
        screen.wrapped("", said, 0)


def _section(part: Section, screen: Screen, console: Console) -> None:
    screen.line()
    screen.line(part.title, style="bold")
    for block in part.blocks:
        _block(block, screen, console)


def _block(block: Block, screen: Screen, console: Console) -> None:
    """Drawings and room to write are for paper."""
    match block:
        case Para():
            _many(screen, "", block.text, 0)
        case Facts():
            for name, told in block.rows:
                if len(name) >= _INDENT:
                    screen.line(name, style="bold")
                for number, said in enumerate(told):
                    _many(screen, name if number == 0 and len(name) < _INDENT else "", said, _INDENT)
        case Table():
            _table(block, screen, console)
        case Quote():
            _many(screen, "", block.text, 2)
            screen.wrapped("", f"({block.source})", 2)


def _many(screen: Screen, label: str, text: str, indent: int) -> None:
    for number, said in enumerate(text.split("\n")):
        screen.wrapped(label if number == 0 else "", said, indent, style="bold")


def _table(block: Table, screen: Screen, console: Console) -> None:
    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=screen.width, header_style="dim")
    for name, weight in zip(block.headers, block.weights, strict=True):
        grid.add_column(Text(name), ratio=weight, overflow="fold")
    for row in block.rows:
        grid.add_row(*(Text(_fit(cell, console)) for cell in row))
    console.print(grid)
    if block.caption:
        screen.wrapped("", block.caption, 0)


def _fit(text: str, console: Console) -> str:
    """Letters that the terminal's encoding lacks, as question marks."""
    return text.encode(console.encoding, "replace").decode(console.encoding)
