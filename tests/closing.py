"""The closing lines of several pytest runs as a line of the same form: `python -m tests.closing LOG...`.

A run that wrote no closing line broke off: it counts as an error. What a run deselected is left out, for
another run takes it. The exit code is 1 unless everything that ran passed: a skipped test passed nothing.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

ORDER = ("failed", "passed", "skipped", "xfailed", "xpassed", "warnings", "errors")
"""The order in which pytest names its counts."""
PASSING = {"passed", "xfailed", "warnings"}

_SINGULAR = {"error": "errors", "warning": "warnings"}
_closing = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+|no tests ran) in ([\d.]+)s\b", re.MULTILINE).findall
_counts = re.compile(r"(\d+) ([a-z]+)").findall


def add_up(logs: Iterable[str]) -> tuple[str, bool]:
    """The line that closes all these runs, and whether all of them passed."""
    sums, seconds = Counter[str](), 0.0
    for log in logs:
        lines = _closing(log)
        if not lines or lines[-1][0] == "no tests ran":
            sums["errors"] += 1
        if lines:
            counts, took = lines[-1]
            sums.update({_SINGULAR.get(word, word): int(number) for number, word in _counts(counts)})
            seconds += float(took)
    line = ", ".join(f"{sums[word]} {_in_words(word, sums[word])}" for word in ORDER if sums[word])
    at_length = f" ({timedelta(seconds=int(seconds))})" if seconds >= 60 else ""
    passed = sums["passed"] > 0 and not any(sums[word] for word in set(ORDER) - PASSING)
    return f"{line or 'no tests ran'} in {seconds:.2f}s{at_length}", passed


def _in_words(word: str, number: int) -> str:
    return word.removesuffix("s") if number == 1 and word in _SINGULAR.values() else word


if __name__ == "__main__":
    line, passed = add_up(
        Path(file).read_text("utf-8", "replace") if Path(file).exists() else "" for file in sys.argv[1:]
    )
    print(line)
    raise SystemExit(not passed)
