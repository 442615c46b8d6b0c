"""`consent-ledger find TEXT`: which command does that?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from adapters.cli.options import EXIT, show

_MOST = 12


def run_find(root: Any, text: str) -> int:
    """Print the commands whose name, help or options have these words, best first; the exit code."""
    words = text.casefold().split()
    ranked = sorted(
        ((rank, name, line) for name, line, parts in _commands(root) if (rank := _rank(words, name, line, parts))),
        key=lambda one: (-one[0], one[1]),
    )
    if not ranked:
        show(f"no command speaks of {text!r}: `consent-ledger --help` lists them all")
        return EXIT.ERROR
    for _, name, line in ranked[:_MOST]:
        typer.echo(f"consent-ledger {name}\n    {line}")
    if len(ranked) > _MOST:
        show(f"and {len(ranked) - _MOST} more; another word narrows it down")
    return EXIT.OK


def _rank(words: list[str], name: str, line: str, parts: str) -> int:
    """3: the name has all words; 2: its help; 1: its options; 0: nothing of it."""
    texts = (name, f"{name} {line}", f"{name} {line} {parts}")
    return next((3 - place for place, text in enumerate(texts) if all(w in text.casefold() for w in words)), 0)


def _commands(command: Any, path: str = "", about: str = "") -> Iterator[tuple[str, str, str]]:
    """Every command below: its name as typed, the first sentences of its help, and what its group and options say."""
    below: dict[str, Any] = getattr(command, "commands", {})
    about = f"{about} {command.help or ''}" if path else ""
    for name, child in below.items():
        if (path, name) != ("", "find"):
            yield from _commands(child, f"{path} {name}".strip(), about)
    if path and not below:
        options = " ".join(f"{' '.join(part.opts)} {getattr(part, 'help', None) or ''}" for part in command.params)
        yield path, " ".join((command.help or "").partition("\n\n")[0].split()), f"{about} {options}"
