"""`consent-ledger audit` end to end, as its user runs it: a process from the file to the folder of answers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from adapters.hubspot.demo import write_portal_export

LARGE, SMALL = 250_000, 25_000
MAX_MEGABYTES = 700


def run(folder: Path = Path("build/bench"), *, quick: bool = False) -> list[dict[str, Any]]:
    """Rows a second, peak memory, growth from a tenth of the rows, and the same file again."""
    large, small = (LARGE // 50, SMALL // 50) if quick else (LARGE, SMALL)
    folder.mkdir(parents=True, exist_ok=True)
    small_seconds, _ = _audit(_export(folder, small), folder / "small", fresh=True)
    export = _export(folder, large)
    seconds, megabytes = _audit(export, folder / "large", fresh=True)
    again, _ = _audit(export, folder / "large", fresh=False)
    return [
        _line(f"audit of {large:,} rows, rows/s against the bar", large / seconds, 3_000, 1.0),
        _line("the same, peak memory in MB, all processes together", megabytes, MAX_MEGABYTES, 1.0, at_most=True),
        _line(f"the same, seconds against those of {small:,} rows", seconds, small_seconds, 12.0, at_most=True),
        _line("the same file again, times as fast", seconds, again, 3.0),
    ]


def _export(folder: Path, rows: int) -> Path:
    path = folder / f"portal-{rows}.csv"
    if not path.exists():
        write_portal_export(path, rows=rows, seed=7)
    return path


def _audit(export: Path, home: Path, *, fresh: bool) -> tuple[float, float]:
    """Seconds and peak megabytes of one run."""
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    command = [sys.executable, "-m", "adapters.cli", "audit", str(export), "--json"]
    command += ["--ledger", str(home / "ledger"), "--out", str(home / "out"), "--sender-country", "DE"]
    peak = 0.0
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None:
            peak = max(peak, sum(map(_megabytes, _family(child.pid))))
            time.sleep(0.25)
    if child.returncode:
        raise RuntimeError(f"the audit ended with {child.returncode}")
    return time.perf_counter() - started, peak


def _family(process: int) -> list[int]:
    """A process and all that it started."""
    found = [process]
    for one in found:
        try:
            text = Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue  # it has ended meanwhile
        found += [int(child) for child in text.split()]
    return found


def _megabytes(process: int) -> float:
    """What a process holds in memory, its share of what it shares with others included (PSS)."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _line(name: str, ours: float, reference: float, bar: float, *, at_most: bool = False) -> dict[str, Any]:
    ratio = ours / reference
    return {
        "name": name,
        "ours": round(ours, 2),
        "reference": round(reference, 2),
        "ratio": round(ratio, 3),
        "bar": f"<= {bar}" if at_most else f">= {bar}",
        "holds": ratio <= bar if at_most else ratio >= bar,
    }
