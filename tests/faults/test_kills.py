"""Audits that are killed, and several at once: nothing is lost, nothing is there twice, verdicts are equal.

`CONSENT_LEDGER_KILLS` says how often an audit is killed; a usual run kills six times.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.hubspot.portal import write_portal
from adapters.wiring import now
from tests.adapters.test_cli import rows
from tests.waiting import BUDGET, until

KILLS = int(os.environ.get("CONSENT_LEDGER_KILLS", "6"))
COMMAND = (sys.executable, "-m", "adapters.cli")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of a made-up portal; enough to be killed in the midst of."""
    folder = tmp_path_factory.mktemp("portal")
    write_portal(folder, contacts=1_500, seed=11, today=now().date())
    return sorted(path for path in folder.iterdir() if path.suffix in (".csv", ".zip") and path.stem != "objections")


def audit(portal: list[Path], ledger: Path, out: Path) -> subprocess.Popen[bytes]:
    """An audit of the portal, as a process of its own."""
    words = [*map(str, portal), "--ledger", str(ledger), "--out", str(out), "--sender-country", "DE"]
    return subprocess.Popen([*COMMAND, "audit", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def whole(portal: list[Path], ledger: Path, out: Path) -> list[dict[str, str]]:
    """An audit to its end; its verdicts without the references, which name positions and random ids."""
    process = audit(portal, ledger, out)
    _, said = process.communicate(timeout=BUDGET)
    assert process.returncode == 0, said
    listed = rows(out / "verdicts.csv")
    return [{name: value for name, value in row.items() if name != "reference"} for row in listed]


def entries(ledger: Path) -> int:
    """How many entries there are, of a ledger that a check finds sound."""
    done = subprocess.run(
        [*COMMAND, "check", "--ledger", str(ledger), "--json"], capture_output=True, check=False, timeout=BUDGET
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["problems"]) == (0, 0), found
    return int(found["entries"])


def test_an_audit_that_is_killed_goes_on_and_comes_to_the_same(portal: list[Path], tmp_path: Path) -> None:
    """Each time at another moment, some before anything was written, some in the midst of it."""
    expected = whole(portal, tmp_path / "calm", tmp_path / "calm-out")
    dice, killed, grown = random.Random(60), 0, set()
    for _ in range(KILLS):
        process = audit(portal, tmp_path / "killed", tmp_path / "killed-out")
        log = tmp_path / "killed" / "log.db-wal"
        until(lambda log=log, process=process: log.exists() or process.poll() is not None)  # type: ignore[misc]
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=dice.uniform(0.0, 1.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        grown.add(entries(tmp_path / "killed"))
    assert killed
    assert whole(portal, tmp_path / "killed", tmp_path / "killed-out") == expected
    assert max(grown) <= entries(tmp_path / "killed")
    assert not list(tmp_path.glob("**/*.part"))


def test_four_audits_at_once_come_to_the_same(portal: list[Path], tmp_path: Path) -> None:
    """On one ledger, each with its own folder."""
    expected = whole(portal, tmp_path / "calm", tmp_path / "calm-out")
    running = [audit(portal, tmp_path / "shared", tmp_path / f"out{number}") for number in range(4)]
    ended = [(process.communicate(timeout=BUDGET)[1], process.returncode) for process in running]
    assert [code for _, code in ended] == [0, 0, 0, 0], ended
    assert whole(portal, tmp_path / "shared", tmp_path / "last") == expected
    assert entries(tmp_path / "shared") > 0
