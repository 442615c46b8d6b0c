"""`make bench`: every figure, both sides in one run; writes build/bench.json and docs/benchmarks.md."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MODULES = (
    "bench_append",
    "bench_explain",
    "bench_rebuild",
    "bench_audit",
    "bench_sends",
    "bench_portal",
    "bench_postgres",
    "bench_gate",
    "bench_publish",
    "bench_mirror",
    "bench_crm",
    "bench_webhooks",
)
RESULTS = Path("build/bench.json")
PAGE = Path("docs/benchmarks.md")
HEAD = """# Benchmarks

<!-- Written by `make bench`. -->

Ratios against the raw limit or the stock library, both measured in the same run;
medians of interleaved rounds where a round is short enough to repeat.
The absolute figures are those of one small machine; the ratios and bars are what is held.

```console
$ make bench
```
"""


def main() -> int:
    """Measure, write, and say which bars do not hold; the exit code counts them not."""
    parser = argparse.ArgumentParser(prog="tests.bench")
    parser.add_argument("modules", nargs="*", default=list(MODULES), help="which to run; the others are kept")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing written: that it runs")
    asked = parser.parse_args()
    found = {} if asked.quick else _kept()
    for module in asked.modules:
        began = time.perf_counter()
        run = importlib.import_module(f"tests.bench.{module}").run
        day = time.strftime("%Y-%m-%d")
        found[module] = [line | {"day": day} for line in (run(quick=True) if asked.quick else run())]
        for line in found[module]:
            print(f"{_word(line)} {line['name']}: {line['ratio']} (bar {line['bar']})")
        print(f"    {module}: {time.perf_counter() - began:.0f} s", flush=True)
        if not asked.quick:
            _write(found)
    return 0


def _word(line: dict[str, Any]) -> str:
    return "   " if line["bar"] is None else "ok " if line["holds"] else "NOT"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def _kept() -> dict[str, list[dict[str, Any]]]:
    """Results of modules that are not run this time."""
    if not RESULTS.exists():
        return {}
    kept: dict[str, list[dict[str, Any]]] = {}
    for line in json.loads(RESULTS.read_text()):
        kept.setdefault(line.get("module", ""), []).append(line)
    return kept


def _write(found: dict[str, list[dict[str, Any]]]) -> None:
    lines = [line | {"module": module} for module in MODULES for line in found.get(module, [])]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(lines, indent=1) + "\n")
    PAGE.write_text(f"{HEAD}\n{_machine()}\n\n{_table(lines)}\n", encoding="utf-8")


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"Measured on: {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}."
    )


def _table(lines: Iterable[dict[str, Any]]) -> str:
    rows = ["| what | ours | reference | ratio | bar | holds | day |", "|---|--:|--:|--:|--:|---|---|"]
    for line in lines:
        holds = "–" if line["bar"] is None else "yes" if line["holds"] else "**no**"
        bar = "–" if line["bar"] is None else line["bar"]
        figures = " | ".join(_number(line[name]) for name in ("ours", "reference", "ratio"))
        rows.append(f"| {line['name']} | {figures} | {bar} | {holds} | {line['day']} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
