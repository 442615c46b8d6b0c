"""CI's closing line is the sum of its runs, and never better than they were."""

from __future__ import annotations

import pytest

from tests.closing import add_up


def test_two_runs_are_added_up() -> None:
    fast = "....\n3100 passed, 2 warnings in 700.50s (0:11:40)\n"
    slow = "== test-slow\n======= 1 failed, 511 passed, 1 warning in 1000.25s (0:16:40) =======\n"
    assert add_up([fast, slow]) == ("1 failed, 3611 passed, 3 warnings in 1700.75s (0:28:20)", False)


def test_what_another_run_takes_is_not_counted() -> None:
    assert add_up(["8 passed, 2 deselected in 1.50s", "2 passed, 8 deselected in 2.25s"]) == (
        "10 passed in 3.75s",
        True,
    )


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("", "5 passed, 1 error in 1.00s"),
        ("Traceback\nKilled", "5 passed, 1 error in 1.00s"),
        ("no tests ran in 0.50s", "5 passed, 1 error in 1.50s"),
        ("1 skipped in 0.50s", "5 passed, 1 skipped in 1.50s"),
        ("1 passed, 1 error in 0.50s", "6 passed, 1 error in 1.50s"),
        ("1 xpassed in 0.50s", "5 passed, 1 xpassed in 1.50s"),
    ],
)
def test_a_run_that_did_not_pass_is_seen(broken: str, line: str) -> None:
    for logs in ([broken, "5 passed in 1.00s"], ["5 passed in 1.00s", broken]):
        assert add_up(logs) == (line, False)


def test_the_last_closing_line_of_a_log_counts() -> None:
    """What a test prints may look like a closing line; pytest's own comes last."""
    assert add_up(["9 passed in 9.00s\nmore\n3 passed in 2.00s\n"]) == ("3 passed in 2.00s", True)


def test_nothing_at_all_is_no_success() -> None:
    assert add_up([]) == ("no tests ran in 0.00s", False)
