"""The options of every command: each says what it takes and does, and one thing has one name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from adapters.cli.groups import show_plainly
from adapters.cli.main import app

ROOT: Any = typer.main.get_command(app)
ROOT_CONTEXT = ROOT.make_context("consent-ledger", [], resilient_parsing=True)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its name."""
    below = getattr(command, "commands", {})
    for name, one in below.items():
        yield from commands(one, (*path, name))
    if not below:
        yield " ".join(path), command


EVERY = dict(commands(ROOT))


@pytest.mark.parametrize("name", EVERY)
def test_every_option_says_what_it_does(name: str) -> None:
    """In words, and without the type of a programming language."""
    command = EVERY[name]
    show_plainly(command, ROOT_CONTEXT)
    for option in (one for one in command.params if one.param_type_name == "option" and not one.hidden):
        assert option.help, option.opts
        shown = option.display_type_rich(ROOT_CONTEXT)
        assert not (shown or "").startswith(("<bool", "<str", "<list", "<path")), (option.opts, shown)


ONE_NAME = {
    "the day asked about": {"--on"},
    "when it happened": {"--at"},
    "your name": {"--by"},
    "your role": {"--role"},
    "print the answer as JSON": {"--json"},
    "the ledger's directory": {"--ledger"},
    "the evidence map": {"--map"},
    "file that shows it": {"--evidence"},
    "read the file": {"--encoding"},
}
"""How the help of an option begins -> its one name."""


@pytest.mark.parametrize("meaning", ONE_NAME)
def test_one_thing_has_one_name(meaning: str) -> None:
    """In every command."""
    found = {
        option.opts[0]
        for command in EVERY.values()
        for option in command.params
        if option.param_type_name == "option" and not option.hidden and (option.help or "").startswith(meaning)
    }
    assert found == ONE_NAME[meaning]
