"""`make demo-crm`, run with few contacts: the story in its order, and nothing left of it."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from adapters.hubspot.portal import write_portal
from tests.test_demo_streams import ROOT, left_of
from tests.waiting import BUDGET

pytestmark = pytest.mark.service

CONTACTS = 300
PARTS = [
    "UP", "PULL", "AUDIT", "DRY RUN", "APPLY", "THE WORKER", "AN OPT-OUT ELSEWHERE", "AN OPT-OUT IN HUBSPOT",
    "BEHIND OUR BACK", "AND NO WORKER", "THE ACCOUNT", "TAKEN DOWN",
]  # fmt: skip


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demo makes its own. Not pytest's: the path of a socket of PostgreSQL may be 107 bytes long."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)  # PostgreSQL may run as another user
        yield Path(made)


def run(temporary: Path, *arguments: str) -> tuple[int, str]:
    """The demo, with a folder for everything it makes; its exit code, and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo_crm", "--within", str(BUDGET), *arguments],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUDGET,
        check=False,
    )
    return done.returncode, done.stdout


def addresses(temporary: Path) -> set[str]:
    """Everybody of a portal of that many: their names are drawn by the seed alone."""
    write_portal(temporary, contacts=CONTACTS, seed=7, today=date.today())  # noqa: DTZ011
    with (temporary / "contacts.csv").open(encoding="utf-8", newline="") as file:
        return {row["Email"] for row in csv.DictReader(file) if row["Email"]}


def test_hubspot_is_kept_in_step(folder: Path, tmp_path: Path) -> None:
    """Pulled, audited, looked at, written; two opt-outs, two flips, and the account."""
    code, said = run(folder, "--contacts", str(CONTACTS))
    assert code == 0, said
    assert re.findall(r"^[A-Z][A-Z -]+$", said, re.MULTILINE) == PARTS
    told = {part: " ".join(text.split()) for part, text in parts(said).items()}
    assert f"{CONTACTS} contacts with everything HubSpot holds" in told["PULL"]
    assert re.search(r"[1-9]\d* e-mails had no basis\. [1-9]\d* went out after", told["AUDIT"])
    assert "POST /communication-preferences/v4/statuses/batch/unsubscribe-all" in told["DRY RUN"]
    assert re.search(r"taken off by HubSpot on 20\d\d-\d\d-01", told["DRY RUN"])
    assert "there is nothing to do" in told["APPLY"]
    assert "unsubscribed from all e-mail, by the worker" in told["AN OPT-OUT ELSEWHERE"]
    assert "the gate: not allowed (opted_out)" in told["AN OPT-OUT IN HUBSPOT"]
    assert "event crm.flip, receiver hubspot" in told["BEHIND OUR BACK"]
    assert "FLIPPED: " in told["AND NO WORKER"]
    assert "turned on 0 times by our app, and 2 times by others" in told["THE ACCOUNT"]
    assert max(len(line) for line in said.splitlines() if str(folder) not in line) <= 80
    assert [email for email in addresses(tmp_path) if email in said] == []
    assert left_of(folder) == []


def parts(said: str) -> dict[str, str]:
    """What was said under each heading."""
    found = re.split(rf"^({'|'.join(PARTS)})$", said, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))
