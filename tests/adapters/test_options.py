"""The options of every command: each says what it takes and does, and one thing has one name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import adapters
import ledger
from adapters.cli.earlier import EARLIER, renamed
from adapters.cli.groups import show_plainly
from adapters.cli.main import app
from tests.adapters.test_damaged import program

ROOT: Any = typer.main.get_command(app)
ROOT_CONTEXT = ROOT.make_context("consent-ledger", [], resilient_parsing=True)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its name."""
    below = getattr(command, "commands", {})
    for name, one in below.items():
        yield from commands(one, (*path, name))
    if path and (not below or command.params):
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
    "the day ": {"--on"},
    "when it happened": {"--at"},
    "your name": {"--by"},
    "who acted": {"--actor"},
    "your role": {"--role"},
    "why;": {"--reason"},
    "words to keep": {"--note"},
    "print the answer as JSON": {"--json"},
    "the ledger's directory": {"--ledger"},
    "folder for": {"--out"},
    "the evidence map": {"--map"},
    "file that shows it": {"--evidence"},
    "read the file": {"--encoding"},
    "exit 3 if": {"--fail-on"},
    "the last day on which": {"--until"},
    "look at every": {"--full"},
    "do it without asking": {"--yes"},
}
"""How the help of an option begins -> its one name."""

SAID_FOR_EACH = {
    "--all": "as well",
    "--apply": "write",
    "--by": "",
    "--category": "what was",
    "--channel": "",
    "--csv": "as CSV",
    "--encoding": "in this encoding",
    "--fail-on": "exit 3 if",
    "--full": "look at every",
    "--html": "write",
    "--kind": "",
    "--ledger": "the ledger",
    "--on": "the day ",
    "--open": "it may hold personal data",
    "--out": "folder for",
    "--policy": "the rule set to",
    "--purpose": "purpose",
    "--reason": "why;",
    "--role": "",
    "--seller": "`own`",
    "--show": "how many",
    "--until": "the last day on which",
    "--yes": "do it without asking",
}
"""The options whose help is worded for each command, and what it says in all of them."""


def options() -> Iterator[tuple[str, Any]]:
    """Every option that the help shows, with its command."""
    for name, command in EVERY.items():
        for option in command.params:
            if option.param_type_name == "option" and not option.hidden:
                yield name, option


@pytest.mark.parametrize("meaning", ONE_NAME)
def test_one_thing_has_one_name(meaning: str) -> None:
    """In every command."""
    found = {option.opts[0] for _, option in options() if (option.help or "").startswith(meaning)}
    assert found == ONE_NAME[meaning]


def test_options_of_one_help_have_one_name_and_options_of_one_name_one_help() -> None:
    """Apart from those that each command words for itself."""
    names, helps = defaultdict(set), defaultdict(set)
    for _, option in options():
        names[option.help].add("/".join((*option.opts, *option.secondary_opts)))
        helps[option.opts[0]].add(option.help)
    assert {text: found for text, found in names.items() if len(found) > 1} == {}
    several = {name: found for name, found in helps.items() if len(found) > 1}
    assert several.keys() == SAID_FOR_EACH.keys()
    for name, found in several.items():
        assert all(SAID_FOR_EACH[name] in text for text in found), (name, found)


def below(name: str) -> Iterator[tuple[str, Any]]:
    """A command, or those of a group."""
    return ((full, one) for full, one in EVERY.items() if full == name or full.startswith(f"{name} "))


@pytest.mark.parametrize("name", EARLIER)
def test_an_earlier_name_is_still_taken_and_shown_nowhere(name: str) -> None:
    for old, new in EARLIER[name].items():
        shown = {option for _, one in below(name) for option in chain(*(part.opts for part in one.params))}
        assert old not in shown
        assert new.partition("=")[0] in shown
        words = [*name.split(), old, "x", "--", old]
        assert renamed(words) == [*name.split(), new, "x", "--", old]
        assert renamed([*name.split(), f"{old}=x"]) == [*name.split(), f"{new}=x"]


def test_an_earlier_name_does_what_it_did(tmp_path: Path) -> None:
    """At the command line itself."""
    for words in (
        ("init", "--ledger", "L"),
        ("record", "opt-out", "ana@example.com", "--by", "agent", "--ledger", "L"),
        ("backup", "--to", "B", "--ledger", "L"),
        ("restore", "B", "--to=R", "--keys", "L/keys"),
    ):
        program(tmp_path, *words)
    assert '"agent"' in program(tmp_path, "history", "ana@example.com", "--json", "--ledger", "R").stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("au", {"audit"}),
        ("audit s", {"sends"}),
        ("audit contacts.csv s", set()),
        ("audit --fail-on c", {"conflict"}),
        ("audit sends --fail-on a", {"after_stop", "any"}),
        ("audit --date-format ", {"d/m/y", "m/d/y"}),
        ("why ana@example.com --purpose marketing.s", {"marketing.similar", "marketing.survey"}),
        ("why ana@example.com --channel ", {"email", "sms", "phone", "post"}),
        ("why ana@example.com --for ", {"counsel", "person"}),
        ("record opt-in ana@example.com --act w", {"written"}),
        ("record opt-out ana@example.com --except-purpose marketing.c", {"marketing.charitable"}),
        ("record opt-out ana@example.com --via le", {"letter"}),
        ("record opt-out ana@example.com --actor o", {"officer"}),
        ("record contract ana@example.com --kind p", {"purchase"}),
        ("keys add --role a", {"auditor"}),
        ("hubspot pull --only f", {"forms"}),
        ("drift --fail-on f", {"flip"}),
        ("doctor hubspot --fail-on ", {"high", "medium", "low"}),
        ("doctor keys --fail-on ", {"expired", "any"}),
        ("two-people ", {"yes", "no"}),
        ("streams worker ", {"mirror", "facts", "crm"}),
    ],
)
def test_the_shell_completes_values_and_second_words(typed: str, offered: set[str]) -> None:
    words = f"consent-ledger {typed}"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_CONSENT_LEDGER_COMPLETE": "complete_bash"}
    done = CliRunner().invoke(app, [], prog_name="consent-ledger", env=asked)
    assert set(done.stdout.split()) == offered


NO_VERBS = {
    "a",
    "an",
    "the",
    "what",
    "how",
    "who",
    "which",
    "whether",
    "why",
    "may",
    "is",
    "was",
    "asked",
    "one",
    "names",
}
"""Words that begin a note rather than a sentence about what a command does."""


@pytest.mark.parametrize("name", EVERY)
def test_the_help_of_a_command_is_a_sentence_that_begins_with_what_it_does(name: str) -> None:
    first = (EVERY[name].help or "").partition("\n\n")[0].strip()
    assert first[:1].isupper(), first
    assert first.endswith("."), first
    assert first.split()[0].lower() not in NO_VERBS, first


def test_no_message_says_that_something_is_none_of_what_is_known_here() -> None:
    """It says what there is to write instead: `--purpose must be one of these: ...`."""
    folders = [Path(adapters.__path__[0]), Path(ledger.__path__[0])]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(files) > 100
    said = [
        (path.name, node.value)
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
        if re.search(r"\bis no (\w+ ){1,3}(known here|this program)", node.value)
    ]
    assert said == []
