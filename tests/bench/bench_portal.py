"""Every file of a portal taken in and audited, against the time Python takes to parse them; and one page as PDF."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from adapters.hubspot.portal import write_portal
from tests.bench.bench_audit import _line

CONTACTS = 50_000
TODAY = date(2026, 11, 20)


def run(folder: Path = Path("build/bench"), *, quick: bool = False) -> list[dict[str, Any]]:
    """Seconds of the whole set of files, and of one `why` as PDF."""
    contacts = CONTACTS // 50 if quick else CONTACTS
    portal = folder / f"portal-files-{contacts}"
    if not portal.exists():
        write_portal(portal, contacts=contacts, seed=7, today=TODAY)
    home = folder / "portal"
    shutil.rmtree(home, ignore_errors=True)
    parsing = min(_parse(portal) for _ in range(3))
    files = [str(path) for path in _files(portal)]
    options = ["--stops", str(portal / "objections.csv"), "--map", str(portal / "audit.toml"), "--json"]
    options += ["--ledger", str(home / "ledger"), "--out", str(home / "out"), "--sender-country", "DE"]
    taken = _seconds("audit", *files, *options)
    page = home / "why.pdf"
    whom = _somebody(portal)
    written = min(_seconds("why", whom, "--ledger", str(home / "ledger"), "--pdf", str(page)) for _ in range(3))
    return [
        _line(
            f"all files of {contacts:,} contacts, s, against parsing them in Python", taken, parsing, 12.0, at_most=True
        ),
        _line("one why as PDF, s, start of the program included", written, 1.0, 1.0, at_most=True),
    ]


def _files(portal: Path) -> list[Path]:
    names = ("contacts.csv", "forms", "deals.csv", "unsubscribes-and-bounces.csv", "subscription-timeline.json")
    return [portal / name for name in (*names, "email-events.json", "mailchimp-audience.zip")]


def _parse(portal: Path) -> float:
    """Every cell and value of every file made a Python object, by csv and json, and let go."""
    started = time.perf_counter()
    for path in [*_files(portal), portal / "objections.csv"]:
        for _ in _values(path):
            pass
    return time.perf_counter() - started


def _values(path: Path) -> Iterator[object]:
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            yield from _values(inner)
    elif path.suffix == ".json":
        yield json.loads(path.read_bytes())
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    yield from csv.reader(io.TextIOWrapper(member, "utf-8", newline=""))
    else:
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.reader(file)


def _somebody(portal: Path) -> str:
    with (portal / "forms" / "newsletter-footer.csv").open(newline="", encoding="utf-8") as file:
        return next(csv.DictReader(file))["Email"]


def _seconds(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "adapters.cli", *arguments], check=True, capture_output=True)
    return time.perf_counter() - started
