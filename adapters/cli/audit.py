"""`audit`, `demo` and `import`: from files to a folder of answers, with progress on long work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.auditing import AuditRun
from adapters.cli.demo import record_other_records
from adapters.cli.options import EXIT, console, moment, open_house, out, show
from adapters.crew import Brief
from adapters.hubspot.demo import write_demo_export
from adapters.importing import Imported, imported
from adapters.report.documents import audit_json
from adapters.report.files import write_outputs
from adapters.report.text import render_audit
from adapters.wiring import House, now
from ledger.terms import MARKETING_PURPOSES
from projections.verdicts import Audit, Bucket

DEMO_CONTROLLER = "Sample Goods GmbH"


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of an audit, as they were typed."""

    controller: str | None = None
    sender_country: str | None = None
    assume_country: str | None = None
    out: Path | None = None
    at: str | None = None
    purpose: str | None = None
    timezone: str | None = None
    encoding: str | None = None
    columns: tuple[str, ...] = ()
    json: bool = False
    fail_on: str | None = None

    @property
    def names(self) -> dict[str, str]:
        """Header -> property, of the columns named by hand. Raises a usage error."""
        pairs = [text.rpartition("=") for text in self.columns]
        if not all(header and name for header, _, name in pairs):
            raise typer.BadParameter("--map takes HEADER=PROPERTY, e.g. --map 'Meine Spalte=legal_basis'")
        return {header.strip(): name.strip() for header, _, name in pairs}

    @property
    def zone(self) -> ZoneInfo | None:
        """The export's time zone. Raises a usage error for a name nobody knows."""
        try:
            return ZoneInfo(self.timezone) if self.timezone else None
        except (ZoneInfoNotFoundError, ValueError):
            raise typer.BadParameter(f"no time zone {self.timezone!r}; write e.g. Europe/Berlin") from None


def run_audit(files: Sequence[Path], ledger: Path | None, asked: Asked) -> int:
    """Audit the files; the exit code."""
    at = moment(asked.at) or now()
    _check(asked)
    with open_house(ledger, make=True) as house:
        audit, folder, written = _audit(house, files, asked, at)
    if asked.json:
        out(audit_json(audit))
    else:
        render_audit(audit, console(), folder, written)
    failing = asked.fail_on is not None and audit.buckets[asked.fail_on].contacts > 0
    return EXIT.FINDINGS if failing else EXIT.OK


def run_demo(folder: Path, ledger: Path | None, *, json: bool) -> int:
    """Audit the made-up export, in a ledger of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    export = folder / "demo-export.csv"
    if not export.exists():
        write_demo_export(export)
    asked = Asked(
        controller=DEMO_CONTROLLER,
        sender_country="DE",
        out=folder / "audit",
        timezone="Europe/Berlin",
        json=json,
    )
    where = ledger or folder / "ledger"
    with open_house(where, make=True) as house:
        new = record_other_records(house)
    if new:
        show(f"recorded {new} facts from the company's other files, as `consent-ledger record` would")
    return run_audit([export], where, asked)


def run_import(files: Sequence[Path], ledger: Path | None, asked: Asked) -> int:
    """Take the files in; the exit code."""
    with open_house(ledger, make=True) as house, _imported(house, files, asked) as done:
        counts = {
            "rows": done.rows,
            "records": done.records,
            "added": done.added,
            "unchanged": done.unchanged,
            "rejected": len(done.rejected),
        }
        rejected = done.rejected
    if asked.json:
        out(msgspec.json.encode(counts))
    else:
        show(", ".join(f"{count} {name}" for name, count in counts.items()))
        for row in rejected[:20]:
            show(f"rejected: {row.file} row {row.row}, {row.column or 'row'}: {row.reason}")
    return EXIT.OK


def _check(asked: Asked) -> None:
    if asked.fail_on is not None and asked.fail_on not in list(Bucket):
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(Bucket)}")
    if asked.purpose is not None and asked.purpose not in MARKETING_PURPOSES:
        raise typer.BadParameter(f"--purpose takes one of {', '.join(MARKETING_PURPOSES)}")
    for code in (asked.sender_country, asked.assume_country):
        if code is not None and not (len(code) == 2 and code.isalpha()):
            raise typer.BadParameter(f"{code!r} is no country: write two letters, e.g. DE")


def _audit(house: House, files: Sequence[Path], asked: Asked, at: datetime) -> tuple[Audit, Path, list[Path]]:
    folder = asked.out or Path(f"consent-audit-{at:%Y-%m-%d}")
    house.refuse_other_controller(asked.controller)
    with _imported(house, files, asked) as done:
        controller, catalogue = house.describe_controller(
            asked.controller, _upper(asked.sender_country), _upper(asked.assume_country)
        )
        run = AuditRun(
            house,
            done,
            catalogue,
            at=max(at, now()) if asked.at is None else at,
            controller=controller,
            purpose=asked.purpose,
            timezone=asked.timezone,
        )
        with _progress(f"judging {done.records} records", done.records) as step:
            verdicts = run.counted(done.crew.verdicts(Brief(run.audit.at, asked.purpose)), step)
            written = write_outputs(run.audit, verdicts, done.rejected, folder)
    return run.audit, folder, written


def _upper(code: str | None) -> str | None:
    return code.upper() if code else None


@contextmanager
def _imported(house: House, files: Sequence[Path], asked: Asked) -> Iterator[Imported]:
    with ExitStack() as stack:
        with _progress("reading and recording", None) as step:
            done = stack.enter_context(
                imported(
                    house,
                    files,
                    encoding=asked.encoding,
                    timezone=asked.zone,
                    names=asked.names,
                    ask=_ask_encoding if sys.stdin.isatty() and not asked.json else None,
                    progress=step,
                )
            )
        yield done


def _ask_encoding(candidates: Sequence[str], previews: Mapping[str, Sequence[str]]) -> str | None:
    """Which of the encodings reads right, for a person at a terminal; None: go on with the first."""
    for number, name in enumerate(candidates, start=1):
        show(f"{number}. {name}")
        for line in previews.get(name, ()):
            show(f"     {line}")
    chosen = typer.prompt("which of these reads right?", default=1, type=int, err=True)
    return candidates[chosen - 1] if 0 < chosen <= len(candidates) else None


@contextmanager
def _progress(text: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr at a terminal; nothing when piped."""
    screen = console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.update(task, completed=done)
