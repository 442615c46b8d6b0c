"""How a run of the tests ends where something is missing, and how often a property is tried."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.properties import EXAMPLES
from tests.waiting import BUDGET

ROOT = Path(__file__).parent.parent
NEEDED = """
import pytest
from tests.services.shared import MissingError

@pytest.mark.service
def test_of_a_service():
    raise MissingError("there is no such program: install it")

def test_of_a_service_without_a_mark():
    raise MissingError("there is no such program: install it")

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.mark.xfail
def test_known_to_fail():
    assert False

def test_that_passes():
    pass
"""
WHOLE = """
import pytest
pytest.importorskip("no_such_module_at_all")
"""
KINDS = """
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

counts = {"plain": 0, "few": 0, "many": 0, "method": 0, "machine": 0}

@given(st.integers())
def test_plain(x):
    counts["plain"] += 1

@settings(max_examples=7)
@given(st.integers())
def test_few(x):
    counts["few"] += 1

@settings(max_examples=400)
@given(st.integers())
def test_many(x):
    counts["many"] += 1

class TestMethod:
    @settings(max_examples=7)
    @given(st.integers())
    def test_method(self, x):
        counts["method"] += 1

class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        counts["machine"] += 1

    @rule(x=st.integers())
    def step(self, x):
        pass

TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=7, stateful_step_count=2)

def test_counts():
    print(counts)
"""


CLOCKS = {"monotonic", "perf_counter", "time", "process_time"}


def decides_by_time(node: ast.AST) -> bool:
    """Whether it asserts that a clock shows less than something."""
    return isinstance(node, ast.Assert) and any(
        isinstance(one, ast.Compare)
        and any(isinstance(operator, ast.Lt | ast.LtE) for operator in one.ops)
        and any(isinstance(part, ast.Attribute) and part.attr in CLOCKS for part in ast.walk(one.left))
        for one in ast.walk(node.test)
    )


def run(folder: Path, *arguments: str, **env: str) -> str:
    """What pytest prints of the tests in a folder, run as ours are."""
    kept = {key: value for key, value in os.environ.items() if key not in {"CI", EXAMPLES, "PYTEST_ADDOPTS"}}
    ours = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *ours, "--rootdir", str(folder), *arguments, str(folder)],
        cwd=ROOT,
        env=kept | env,
        capture_output=True,
        text=True,
        timeout=BUDGET,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("ci", "line"), [("", "1 passed, 4 skipped, 1 xfailed"), ("true", "2 failed, 1 passed, 1 xfailed, 2 errors")]
)
def test_what_is_skipped_here_has_failed_in_ci(tmp_path: Path, ci: str, line: str) -> None:
    (tmp_path / "test_needed.py").write_text(NEEDED)
    (tmp_path / "test_whole.py").write_text(WHOLE)
    said = run(tmp_path, "--continue-on-collection-errors", CI=ci)
    assert re.findall(r"^([\w ,]+) in [\d.]+s", said, re.MULTILINE) == [line], said
    assert ("no test may be skipped" in said) == bool(ci)


@pytest.mark.parametrize(
    ("wanted", "least"),
    [
        ("", {"plain": 100, "few": 7, "many": 400, "method": 7, "machine": 7}),
        ("250", {"plain": 250, "few": 250, "many": 400, "method": 250, "machine": 250}),
    ],
)
def test_a_property_is_tried_so_often(tmp_path: Path, wanted: str, least: dict[str, int]) -> None:
    """Of each kind, and however many it says itself."""
    (tmp_path / "test_kinds.py").write_text(KINDS)
    said = run(tmp_path, "-s", **{EXAMPLES: wanted})
    counts = ast.literal_eval(said[said.index("{") : said.index("}") + 1])
    for kind, count in least.items():
        assert count <= counts[kind] <= 1.5 * count + 10, (kind, counts)


def test_no_test_asserts_that_something_was_quick() -> None:
    """How long a wait may take, `tests/waiting.py` says for all; how fast something is, `make bench` measures."""
    spun = (
        "test_the_broker_is_away_and_the_ledger_goes_on"  # of its processor time, which a busy machine does not add to
    )
    found = [
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef) and any(map(decides_by_time, ast.walk(function)))
    ]
    assert [one for one in found if not one.endswith(f": {spun}")] == []
    assert len(found) == 1


@pytest.mark.parametrize(
    ("line", "decides"),
    [
        ("assert time.monotonic() - began < 1.0", True),
        ("assert a and time.perf_counter() <= end", True),
        ("assert time.monotonic() - began >= 0.1", False),
        ("assert position < 3", False),
    ],
)
def test_what_decides_by_time_is_recognised(line: str, decides: bool) -> None:
    assert any(map(decides_by_time, ast.walk(ast.parse(line)))) == decides


@pytest.mark.parametrize("name", ["contacts.csv", "contacts (1) [new].csv", "that's it.csv"])
def test_make_audit_takes_any_file_name(tmp_path: Path, name: str) -> None:
    """Blanks, brackets and quotes, as browsers and people write them."""
    (tmp_path / name).write_text("Record ID,Email,Marketing contact status\n5,ida@example.org,Marketing contact\n")
    given = [f"BIN={Path(sys.executable).parent}", f"FILE={tmp_path / name}"]
    asked = f"ARGS=--ledger '{tmp_path}/ledger' --out '{tmp_path}/out'"
    command = ["make", "-C", str(ROOT), "-o", ".venv/.ready", "audit", *given, asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUDGET)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").exists()
