"""Printing plain lines within a console's width, in whatever encoding the terminal has."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text

from adapters.report.masking import printable

_ASCII = str.maketrans({"→": "->", "·": "|", "…": "...", "–": "-", "’": "'", "“": '"', "”": '"', "£": "GBP "})
WIDTH = 80
FIGURE = "bold"
"""The one emphasis there is besides an alarm: what a reader looks for are the numbers."""
_FIGURES = re.compile(r"(?<![\w.,§/:-])\d[\d,]*(?:\.\d+)?(?![\w:/-])")


class Screen:
    """A console that neither reads markup in foreign text nor fails on a character it cannot show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii = console.options.ascii_only
        self.width = max(40, min(console.width, 100))

    def line(self, text: str = "", style: str = "") -> None:
        """One line, as it is; not wrapped, so that a path can be copied."""
        self._console.print(Text(self._fit(text), style=style), soft_wrap=True, highlight=False)

    def wrapped(self, label: str, text: str, indent: int, style: str = "", *, figures: bool = False) -> None:
        """A label and a text beside it, wrapped under its own start. `style` is the label's; `figures` stand out."""
        body = self._body(text)
        if figures:
            body.highlight_regex(_FIGURES, FIGURE)
        self._beside(Text.assemble((self._fit(label).ljust(indent), style)), body, indent)

    def columns(self, left: str, middle: str, right: str = "") -> None:
        """A name, a number set to the right, and what follows from it, wrapped where there is no room for it."""
        name = f"{self._fit(left):<30}"
        self._beside(Text.assemble(name, (f"{middle:>10}", FIGURE), "  "), self._body(right), len(name) + 12)

    def figure(self, label: str, number: int, what: str, indent: int) -> None:
        """A label, a number set to the right, and what it counts, wrapped beside it."""
        head = Text.assemble(self._fit(label).ljust(indent), (f"{number:>9,}", FIGURE), "  ")
        self._beside(head, self._body(what), indent + 11)

    def _body(self, text: str) -> Text:
        return Text(self._fit(printable(text, 2000)))

    def _beside(self, head: Text, body: Text, indent: int) -> None:
        """A head, and a text wrapped under its own start; the style of either is its own."""
        lines = body.wrap(self._console, max(20, self.width - indent), justify="left", overflow="fold") or [Text()]
        for number, part in enumerate(lines):
            part.rstrip()
            line = Text.assemble(head if number == 0 else " " * indent, part)
            line.rstrip()
            self._console.print(line, soft_wrap=True, highlight=False)

    def _fit(self, text: str) -> str:
        if not self._ascii:
            return text
        return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
