"""What was sent, on the command line: the audit of it, and one e-mail by what it is called."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.main import app
from ledger import events as e
from tests.adapters.why_world import ANA, World, at, classified, opted_out, sent, signed_up


def run(*arguments: object, exit_code: int = 0) -> Result:
    """Run a command in this process; fails unless it ends with the exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ana: an opt-in in 2023, mails in January, an objection made on 5 February and recorded on 1 March."""
    made = World(tmp_path)
    who = signed_up(made)
    classified(made)
    sent(made, who, at(2024, 1, 10, 9))
    sent(made, who, at(2024, 1, 10, 18), campaign="other")
    made.time = at(2024, 2, 12)
    sent(made, who, at(2024, 2, 11))
    made.time = at(2024, 3, 1)
    opted_out(made, who, at(2024, 2, 5))
    made.time = at(2024, 3, 9)
    sent(made, who, at(2024, 3, 8))
    made.ledger.close()
    return made


def audit(world: World, *more: object) -> Any:
    """The document of `audit sends`."""
    return json.loads(run("audit", "sends", "--ledger", world.directory, "--json", *more).stdout)


def test_every_mail_has_a_row_and_every_row_a_finding(world: World) -> None:
    """Between the stop and its effect is told from after it; what was known then from what is known now."""
    found = audit(world)
    assert [row["finding"] for row in found["sends"]] == ["allowed", "allowed", "after_stop", "after_stop"]
    assert [row["purpose"] for row in found["sends"]] == ["marketing.similar", None] + ["marketing.similar"] * 2
    then = [row["answer_then"] for row in found["sends"]]
    assert then[:2] == ["nothing held"] * 2
    assert then[2:] == ["allowed by the rules applied", "not allowed by the rules applied"]
    assert found["sends"][2]["stop_made"] == "2024-02-05T00:00:00Z"
    assert found["totals"]["findings"]["after_stop"] == 2
    assert found["totals"]["contacts"] == 1
    assert [row["stop_on_record"] for row in found["sends"][2:]] == [False, True]
    assert [row["days_after_stop"] for row in found["sends"]] == [None, None, 6, 32]
    assert found["totals"]["after"]["person"] == {
        "mails": 2,
        "on_record": 1,
        "day_unknown": 0,
        "median_days_after_stop": 6,
        "median_days_to_record": 25,
    }
    assert ANA not in json.dumps(found)


def test_csv_has_the_same_rows(world: World) -> None:
    """And a header of the same names."""
    rows = list(csv.DictReader(io.StringIO(run("audit", "sends", "--ledger", world.directory, "--csv").stdout)))
    assert [row["reference"] for row in rows] == [row["reference"] for row in audit(world)["sends"]]
    assert rows[0].keys() == audit(world)["sends"][0].keys()


def test_the_screen_shows_sums_and_the_gravest_first(world: World) -> None:
    """With the reference by which `why` explains it."""
    shown = run("audit", "sends", "--ledger", world.directory).stdout
    assert "E-mails sent at any time, by Example GmbH" in shown
    assert shown.index("after the person opted out ") < shown.index("allowed by the rules applied")
    sums = " ".join(shown.partition("As known")[0].split())
    assert (
        "after the person opted out 2 a median of 6 days later; this ledger recorded it 25 days later (median)" in sums
    )
    assert "on record here by then 1 this ledger had recorded it when the e-mail went out" in sums
    assert "your review" not in shown
    assert audit(world)["sends"][3]["reference"] in shown
    assert ANA not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_the_page_has_the_same_figures_and_loads_nothing(world: World, tmp_path: Path) -> None:
    """One file for its owner, addresses masked."""
    page = tmp_path / "sends.html"
    assert "wrote" in run("audit", "sends", "--ledger", world.directory, "--html", page).output
    content = page.read_text("utf-8")
    assert page.stat().st_mode & 0o077 == 0
    assert "default-src 'none'" in content
    assert not re.search(r"<(script|img|link|iframe)", content)
    assert ANA not in content
    words = " ".join(re.sub(r"<[^>]+>", " ", content).split())
    assert "After the person opted out 2 a median of 6 days later; this ledger recorded it 25 days later" in words
    assert "– of them on record here by then 1" in words
    for row in audit(world)["sends"][2:]:
        assert row["reference"] in content
        assert f"2024-02-05 {row['days_after_stop']} 2024-03-01 25" in words
    run("audit", "sends", "--ledger", world.directory, "--html", page, "--json", exit_code=2)


@pytest.mark.parametrize(
    ("finding", "code"),
    [("after_stop", 3), ("on_record", 3), ("no_basis", 0), ("stop_day_unknown", 0), ("any", 3), ("allowed", 2)],
)
def test_fail_on_a_finding(world: World, finding: str, code: int) -> None:
    """Exit 3, as everywhere."""
    run("audit", "sends", "--ledger", world.directory, "--fail-on", finding, exit_code=code)


def test_a_window_takes_whole_days(world: World) -> None:
    """`--from` a day: from its first moment; `--to` a day: to its last."""
    found = audit(world, "--from", "2024-01-10", "--to", "2024-01-10")
    assert len(found["sends"]) == 2
    assert found["asked"]["since"] == "2024-01-10T00:00:00Z"


def test_the_command_stands_beside_the_audit_of_files(tmp_path: Path) -> None:
    """A file of that name is still audited, by a path; each has its own help."""
    assert "FINDING" in run("audit", "sends", "--help").stdout
    assert "BUCKET" in run("audit", "--help").stdout
    (tmp_path / "sends").write_text("nothing", encoding="utf-8")
    missing = run("audit", tmp_path / "sends", "--ledger", tmp_path / "l", exit_code=1)
    assert type(missing.exception).__name__ == "UnreadableInput"


def why(world: World, name: str) -> Any:
    """The page about one e-mail."""
    return json.loads(run("why", "--message-id", name, "--ledger", world.directory, "--json").stdout)


def test_a_mail_is_found_by_its_reference(world: World) -> None:
    """And is judged at its own moment, alone of the mails of that day."""
    row = audit(world)["sends"][1]
    found = why(world, row["reference"])
    assert [send["position"] for send in found["sends"]] == [row["position"]]
    assert found["question"]["on"] == row["sent_at"]


@pytest.mark.parametrize("way", ["by the id of its event", "in its entry", "in its payload, with angle brackets"])
def test_a_mail_is_found_by_its_message_id(tmp_path: Path, way: str) -> None:
    """Wherever the id stands."""
    world = World(tmp_path)
    who = signed_up(world)
    world.time = at(2024, 3, 9)
    about = {"stream": who[0], "address": who[1], "source": "hubspot.events", "occurred_from": at(2024, 3, 8)}
    from ledger.application import Fact

    if way == "by the id of its event":
        fact, name = Fact(e.CampaignMailSent(**about), "sent:abc-1"), "abc-1"  # type: ignore[arg-type]
    elif way == "in its entry":
        fact, name = Fact(e.EmailSent(**about, message="abc-2")), "abc-2"  # type: ignore[arg-type]
    else:
        kept = {"message_id": "<abc.3@mail.example.de>"}
        fact, name = Fact(e.EmailSent(**about), payload=kept), "abc.3@mail.example.de"  # type: ignore[arg-type]
    position = world.ledger.record(fact).position
    world.ledger.close()
    assert [send["position"] for send in why(world, name)["sends"]] == [position]


@pytest.mark.parametrize(
    ("name", "said"), [("nothing", "no e-mail with that message id"), ("m-1", "4 e-mails bear that message id")]
)
def test_a_name_of_no_mail_or_of_several_is_refused(world: World, name: str, said: str) -> None:
    """Several are named by their references."""
    refused = run("why", "--message-id", name, "--ledger", world.directory, exit_code=1)
    assert said in str(refused.exception)


def test_one_of_address_and_message_id_is_asked_about(world: World) -> None:
    """Neither and both are no question."""
    run("why", "--ledger", world.directory, exit_code=2)
    run("why", ANA, "--message-id", "m-1", "--ledger", world.directory, exit_code=2)
    run("why", "--message-id", "m-1", "--on", "2024-01-01", "--ledger", world.directory, exit_code=2)
