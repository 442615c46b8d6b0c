"""An audit without files is of what the ledger holds: the same answers as with the export it was shown."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.errors import explained
from adapters.cli.main import app
from adapters.hubspot.demo import write_demo_export


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def verdicts(folder: Path) -> dict[str, tuple[str, str]]:
    with (folder / "verdicts.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["Record ID"]: (row["bucket"], row["action"]) for row in csv.DictReader(file) if row["Record ID"]}


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = explained(lambda: run(*arguments))
    return code, capsys.readouterr().err


def test_without_files_the_records_of_the_ledger_are_audited(tmp_path: Path) -> None:
    export, ledger = tmp_path / "contacts.csv", tmp_path / "ledger"
    write_demo_export(export)
    with_files = json.loads(run("audit", export, "--ledger", ledger, "--out", tmp_path / "a", "--json"))
    without = json.loads(run("audit", "--ledger", ledger, "--out", tmp_path / "b", "--json"))
    before, after = verdicts(tmp_path / "a"), verdicts(tmp_path / "b")
    unread = after.keys() - before.keys()  # rows that could not be read are of people under review
    assert before.keys() <= after.keys()
    assert {after[record] for record in unread} == {("no_basis", "review")}
    # what only the rows beside each other tell (a record that stands twice, an address that two share) needs the rows
    differ = {record for record in before if after[record] != before[record]}
    assert all(before[record][0] == "conflict" for record in differ)
    assert without["totals"]["contacts"] == len(after)
    assert any(
        note.startswith("No contacts export was given, so this audit does not look") for note in without["notes"]
    )
    assert "does not look for record ids that stand twice" in (tmp_path / "b" / "report.html").read_text("utf-8")
    assert not any("No contacts export" in note for note in with_files["notes"])
    assert without["ledger_position"] == with_files["ledger_position"]


def test_a_stop_recorded_since_counts(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    (tmp_path / "c.csv").write_text("Record ID,Email,Marketing contact status\n5,ida@example.org,Marketing contact\n")
    run("import", tmp_path / "c.csv", "--ledger", ledger)
    run("record", "opt-out", "ida@example.org", "--ledger", ledger)
    run("audit", "--ledger", ledger, "--out", tmp_path / "out")
    assert verdicts(tmp_path / "out") == {"5": ("stopped", "set_non_marketing")}


def test_stops_may_come_with_it(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    (tmp_path / "c.csv").write_text("Record ID,Email,Marketing contact status\n5,ida@example.org,Marketing contact\n")
    (tmp_path / "s.csv").write_text("email\nida@example.org\n")
    run("import", tmp_path / "c.csv", "--ledger", ledger)
    run("audit", "--stops", tmp_path / "s.csv", "--ledger", ledger, "--out", tmp_path / "out")
    assert verdicts(tmp_path / "out") == {"5": ("stopped", "set_non_marketing")}


def test_where_there_is_no_ledger_or_nobody_in_it_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no ledger is made for it."""
    code, said = refused(capsys, "audit", "--ledger", tmp_path / "none", "--out", tmp_path / "out")
    assert code == 1
    assert "no ledger" in said
    assert not (tmp_path / "none").exists()
    run("init", "--ledger", tmp_path / "ledger")
    code, said = refused(capsys, "audit", "--ledger", tmp_path / "ledger", "--out", tmp_path / "out")
    assert code == 5
    assert "hubspot pull" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content", ["", "Record ID,Email\n", "a,b\n1,2\n", "Record ID,Email,Marketing contact status\n1,not one,x\n"]
)
@pytest.mark.parametrize("command", ["audit", "import"])
def test_a_failed_start_leaves_no_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, content: str
) -> None:
    (tmp_path / "c.csv").write_text(content)
    assert refused(capsys, command, tmp_path / "c.csv", "--ledger", tmp_path / "ledger")[0] == 5
    assert not (tmp_path / "ledger").exists()
