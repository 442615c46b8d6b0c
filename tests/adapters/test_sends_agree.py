"""What `audit sends` says of an e-mail is what the page about that e-mail says, over a whole made-up portal."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.main import app

LOOKED_AT = 12
"""E-mails of each finding whose page is asked for."""


def run(*arguments: object) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portal with all its files, taken in at once: a first import, long after most of it happened."""
    here = tmp_path_factory.mktemp("portal")
    portal, ledger = here / "portal", here / "ledger"
    run("generate", "portal", "--contacts", 300, "--seed", 7, "--out", portal)
    files = ("contacts.csv", "forms", "deals.csv", "unsubscribes-and-bounces.csv", "subscription-timeline.json")
    more = ("--stops", portal / "objections.csv", "--map", portal / "audit.toml", "--timezone", "Europe/Berlin")
    named = ("--controller", "Nordlicht", "--sender-country", "DE", "--out", here / "out", "--ledger", ledger)
    run("audit", *(portal / name for name in files), portal / "email-events.json", *more, *named)
    return ledger


@pytest.fixture(scope="module")
def found(ledger: Path) -> Any:
    """The document of `audit sends`."""
    return json.loads(run("audit", "sends", "--ledger", ledger, "--json"))


def test_a_first_import_says_what_was_sent_after_an_opt_out(found: Any) -> None:
    """This ledger had nothing on record then; the people had opted out all the same."""
    person = found["totals"]["after"]["person"]
    rows = [row for row in found["sends"] if row["stopped_by"] == "person" and row["finding"] == "after_stop"]
    assert person["mails"] == len(rows) > 10
    assert person["on_record"] == 0
    days = sorted(row["days_after_stop"] for row in rows if row["days_after_stop"] is not None)
    assert person["day_unknown"] == len(rows) - len(days)
    assert person["median_days_after_stop"] == days[(len(days) - 1) // 2]
    assert days[0] >= 0
    assert found["totals"]["findings"]["stop_day_unknown"] > 0


def test_the_sums_are_those_of_the_rows(found: Any) -> None:
    """Every e-mail in one finding, and the parts of those after a stop add up."""
    totals = found["totals"]
    counted: dict[str, int] = defaultdict(int)
    for row in found["sends"]:
        counted[row["finding"]] += 1
    assert {name: number for name, number in totals["findings"].items() if number} == dict(counted)
    assert sum(one["mails"] for one in totals["after"].values()) == counted["after_stop"]


@pytest.mark.parametrize("finding", ["after_stop", "stop_day_unknown", "no_basis", "cannot_be_shown", "allowed"])
def test_the_page_of_a_mail_says_the_same(ledger: Path, found: Any, finding: str) -> None:
    """The answer, the stop, when it was made, when it was recorded, and that the e-mail went out between or after."""
    rows = [row for row in found["sends"] if row["finding"] == finding]
    assert rows
    for row in rows[:: max(1, len(rows) // LOOKED_AT)]:
        page = json.loads(run("why", "--message-id", row["reference"], "--ledger", ledger, "--json"))
        assert page["verdict"] == row["answer_now"], row["reference"]
        stops = {stop["position"]: stop for stop in page["stops"] if not stop.get("taken_back")}
        if row["stop_position"] is None:
            assert finding in ("no_basis", "cannot_be_shown", "allowed")
            continue
        stop = stops[row["stop_position"]]
        assert (stop.get("effective"), stop["recorded"]) == (row["stop_made"], row["stop_recorded"])
        between = row["position"] in [send["position"] for send in stop.get("between", ())]
        after = row["position"] in [send["position"] for send in stop.get("after", ())]
        assert (between, after) == (not row["stop_on_record"], bool(row["stop_on_record"]))
        assert (stop.get("effective") is None) == (row["days_after_stop"] is None or finding != "after_stop")
