"""Each kind of property is tried as often as `make properties` says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.properties import EXAMPLES
from tests.waiting import BUDGET

ROOT = Path(__file__).parent.parent
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


@pytest.mark.parametrize(
    ("wanted", "least"),
    [
        ("", {"plain": 100, "few": 7, "many": 400, "method": 7, "machine": 7}),
        ("250", {"plain": 250, "few": 250, "many": 400, "method": 250, "machine": 250}),
    ],
)
def test_each_kind_is_tried_so_often(tmp_path: Path, wanted: str, least: dict[str, int]) -> None:
    (tmp_path / "test_kinds.py").write_text(KINDS)
    env = {key: value for key, value in os.environ.items() if key not in {EXAMPLES, "PYTEST_ADDOPTS"}}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-s", str(tmp_path)]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)],
        cwd=ROOT,
        env=env | ({EXAMPLES: wanted} if wanted else {}),
        capture_output=True,
        text=True,
        timeout=BUDGET,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "'plain'" in line)
    counts = ast.literal_eval(line[line.index("{") : line.index("}") + 1])
    for kind, count in least.items():
        assert count <= counts[kind] <= 1.5 * count + 10, (kind, counts)
