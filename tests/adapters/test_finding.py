"""The help: every command has its panel, and is found by what it does."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from adapters.cli.main import app
from adapters.cli.options import EXIT
from adapters.cli.panels import ORDER, PANELS
from tests.adapters.test_damaged import program


def test_every_command_stands_in_one_panel_and_in_its_order() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    listed = [name for names in PANELS.values() for name in names]
    assert sorted(listed) == sorted(commands)
    assert len(set(listed)) == len(listed) == len(ORDER)


def test_the_help_shows_the_panels_in_their_order(tmp_path: Path) -> None:
    shown = program(tmp_path, "--help").stdout
    places = [shown.index(f" {panel} ") for panel in PANELS]
    assert places == sorted(places)
    assert shown.index("audit ") < shown.index("record ") < shown.index("hubspot ") < shown.index("dlq ")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("take back", "correct"),
        ("look up", "status"),
        ("expire", "keys add"),
        ("dead letter", "dlq list"),
        ("opt-out", "record opt-out"),
        ("spam", "record complaint"),
        ("workbook", "review import"),
    ],
)
def test_a_command_is_found_by_what_it_does(tmp_path: Path, words: str, command: str) -> None:
    assert f"consent-ledger {command}\n" in program(tmp_path, "find", *words.split()).stdout


def test_what_no_command_speaks_of_is_said(tmp_path: Path) -> None:
    assert "--help" in program(tmp_path, "find", "pancake", code=EXIT.ERROR).stderr
