"""Printing plain lines within a console's width, in whatever encoding the terminal has."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from adapters.report.masking import printable

_ASCII = str.maketrans({"→": "->", "·": "|", "…": "...", "–": "-", "’": "'", "“": '"', "”": '"', "£": "GBP "})
WIDTH = 80


class Screen:
    """A console that neither reads markup in foreign text nor fails on a character it cannot show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii = console.options.ascii_only
        self.width = max(40, min(console.width, 100))

    def line(self, text: str = "", style: str = "") -> None:
        """One line, as it is; not wrapped, so that a path can be copied."""
        self._console.print(Text(self._fit(text), style=style), soft_wrap=True, highlight=False)

    def wrapped(self, label: str, text: str, indent: int, style: str = "") -> None:
        """A label and a text beside it, wrapped under its own start."""
        body = Text(self._fit(printable(text, 2000)))
        lines = body.wrap(self._console, self.width - indent, justify="left", overflow="fold") or [Text("")]
        for number, part in enumerate(lines):
            part.rstrip()
            head = Text(self._fit(label).ljust(indent) if number == 0 else " " * indent, style=style)
            self._console.print(head + part, soft_wrap=True, highlight=False)

    def columns(self, left: str, middle: str, right: str = "") -> None:
        """A name, a number set to the right, and what follows from it, wrapped where there is no room for it."""
        row = f"{self._fit(left):<30}{middle:>10}  "
        if len(row) + len(right) <= self.width:
            self.line(f"{row}{right}".rstrip())
        else:
            self.wrapped(row, right, len(row))

    def _fit(self, text: str) -> str:
        if not self._ascii:
            return text
        return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
