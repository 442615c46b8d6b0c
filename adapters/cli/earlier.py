"""Options by a name that they had before: still taken, shown nowhere, so that one thing has one name."""

from __future__ import annotations

from collections.abc import Sequence

EARLIER: dict[str, dict[str, str]] = {
    "audit": {"--at": "--on"},
    "backup": {"--to": "--out"},
    "doctor keys": {"--fail": "--fail-on=any"},
    "generate portal": {"--today": "--on"},
    "hubspot pull": {"--from-start": "--full"},
    "keys add": {"--expires": "--until"},
    "note": {"--text": "--note"},
    "record": {"--by": "--actor"},
    "record opt-in": {"--to": "--sender"},
    "restore": {"--to": "--ledger"},
}
"""Command, or the group of it -> the earlier name of an option -> the name that it has now."""


def renamed(words: Sequence[str]) -> list[str]:
    """The words of a command line, with every option by the name that it has now."""
    names = EARLIER.get(words[0], {}) | EARLIER.get(" ".join(words[:2]), {}) if words else {}
    end = words.index("--") if "--" in words else len(words)
    return [_renamed(word, names) for word in words[:end]] + list(words[end:])


def _renamed(word: str, names: dict[str, str]) -> str:
    name, equals, value = word.partition("=")
    return f"{names[name]}{equals}{value}" if name in names else word
