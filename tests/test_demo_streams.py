"""`make demo-streams`, run: the story in its order, and nothing left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kafka.topics import EVENTS, STATUS
from tests.waiting import BUDGET

pytestmark = pytest.mark.service

ROOT = Path(__file__).parent.parent
STEPS = ("POST /v1/facts: 201", f"{EVENTS}, partition", f"{STATUS}, partition", "the mirror's table: revision")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demo makes its own. Not pytest's: the path of a socket of PostgreSQL may be 107 bytes long."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)  # PostgreSQL may run as another user
        yield Path(made)


def start(temporary: Path) -> subprocess.Popen[str]:
    """The demo, in a session of its own and with a folder for everything it makes."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.demo_streams", "--within", str(BUDGET)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_of(temporary: Path) -> list[str]:
    """Files, and processes that were told of this folder."""
    found = [str(path) for path in temporary.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # ended, or another's
            continue
        if str(temporary).encode() in about and int(process.name) != os.getpid():
            found.append(about.decode("utf-8", "replace"))
    return found


def test_the_way_of_a_fact(folder: Path) -> None:
    """An opt-in, then an opt-out: log, events, status, mirror; the gate before and after."""
    demo = start(folder)
    said, _ = demo.communicate(timeout=BUDGET)
    assert demo.returncode == 0, said
    headings = re.findall(r"^[A-Z][A-Z -]+$", said, re.MULTILINE)
    assert headings == ["UP", "BEFORE", "AN OPT-IN", "AN OPT-OUT", "TAKEN DOWN"]
    told = " ".join(said.split())
    answers = re.findall(r"The gate, asked for marketing.similar by e-mail: (allowed|not allowed) \((\w+)\)", told)
    assert answers == [("not allowed", "no_basis"), ("allowed", "proven"), ("not allowed", "opted_out")]
    for part in told.partition("AN OPT-IN")[2].split("AN OPT-OUT"):
        found = re.findall(r"(\d+\.\d{3}) s ([^:,]+[:,] \w+)", part)
        assert [step for step in STEPS for _, what in found if what.startswith(step[:12])] == list(STEPS), part
        seconds = [float(at) for at, what in found if what.startswith(STATUS)]
        assert len(seconds) == 1
    assert max(len(line) for line in said.splitlines() if str(folder) not in line) <= 80
    assert left_of(folder) == []


def test_interrupted_it_takes_everything_down(folder: Path) -> None:
    """Ctrl-C while it comes up: what runs by then is ended."""
    demo = start(folder)
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("  ledger"):
            break
    else:
        pytest.fail("it ended by itself")
    time.sleep(0.5)
    os.kill(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=BUDGET)
    assert demo.returncode == 130, said
    assert "ended Kafka" in said
    assert left_of(folder) == []


def test_without_java_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And ends what it had started before."""
    monkeypatch.setenv("PATH", str(folder))
    demo = start(folder)
    said, _ = demo.communicate(timeout=BUDGET)
    assert demo.returncode == 1
    assert "install Java 17" in " ".join(said.split())
    assert "Traceback" not in said
    assert left_of(folder) == []
