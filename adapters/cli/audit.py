"""`audit`, `demo` and `import`: from files to a folder of answers, with progress on long work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.auditing import AuditRun
from adapters.audits_kept import keeping_earlier
from adapters.cli.demo import record_other_records
from adapters.cli.options import EXIT, console, ledger_directory, moment, open_house, out, show
from adapters.countries import CODES
from adapters.crew import Brief
from adapters.dates import Order
from adapters.encodings import Ask
from adapters.evidence_map.adopting import Adopted, adopt_map
from adapters.evidence_map.narrowing import narrowed_by
from adapters.evidence_map.reading import EvidenceMap, read_map
from adapters.evidence_map.writing import extend_map, remember_columns, write_map
from adapters.files import check_folder
from adapters.hubspot.demo import write_demo_export
from adapters.importing import NOTHING_WANTED, TOMORROW, Imported, Opened, imported, look_at
from adapters.inputs import Inputs, refuse_unused, sort_inputs
from adapters.kept_out import with_theirs
from adapters.looked import remember
from adapters.losses import accept, losses_of
from adapters.portals import Insisted
from adapters.report import lost, prose
from adapters.report.documents import audit_json
from adapters.report.files import write_outputs
from adapters.report.text import render_audit
from adapters.review.sheet import ReviewSheet
from adapters.standing import Standing
from adapters.statements import Found, NameFound, united
from adapters.tabular import UnreadableInput
from adapters.tokens import token_of
from adapters.wiring import House, now
from ledger.commands import CommandRefusedError
from ledger.terms import MARKETING_PURPOSES
from projections.verdicts import Audit, Bucket, Money

LOST = "lost_stops"
FAIL_ON = (*Bucket, LOST)
"""What an audit can be made to fail on."""
MAP = "audit.toml"
"""The evidence map, where no other is named: in the ledger's directory, as it belongs to one controller too."""
_NEAR = 3
"""How many columns are offered in the place of one that is not there."""
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
    date_format: str | None = None
    columns: tuple[str, ...] = ()
    stops: tuple[Path, ...] = ()
    map: Path | None = None
    keep_nothing: bool = False
    tier: int | None = None
    price: float | None = None
    currency: str | None = None
    step: int | None = None
    renewal: str | None = None
    json: bool = False
    fail_on: str | None = None
    accepted: tuple[str, ...] = ()
    by: str | None = None
    same_company: bool = False

    @property
    def losses(self) -> list[tuple[str, int]]:
        """File -> how many of its lost rows somebody goes on without. Raises a usage error."""
        pairs = [text.rpartition("=") for text in self.accepted]
        if not all(file and number.isdigit() for file, _, number in pairs):
            raise typer.BadParameter("--accept-lost-stops takes FILE=N, e.g. --accept-lost-stops unsubscribes.csv=3")
        if pairs and not (self.by or "").strip():
            raise typer.BadParameter("--accept-lost-stops needs --by NAME: who answers for it")
        return [(file, int(number)) for file, _, number in pairs]

    @property
    def names(self) -> dict[str, str]:
        """Header -> property, of the columns named by hand. Raises a usage error."""
        pairs = [text.rpartition("=") for text in self.columns]
        if not all(header and name for header, _, name in pairs):
            raise typer.BadParameter("--column takes HEADER=PROPERTY, e.g. --column 'Meine Spalte=legal_basis'")
        return {header.strip(): name.strip() for header, _, name in pairs}

    @property
    def order(self) -> Order | None:
        """Which comes first in `03/04/2024`, if somebody said so. Raises a usage error."""
        match self.date_format:
            case None | "d/m/y" | "m/d/y":
                return self.date_format
        raise typer.BadParameter("--date-format takes d/m/y (the day first) or m/d/y (the month first)")

    @property
    def zone(self) -> ZoneInfo | None:
        """The export's time zone. Raises a usage error for a name nobody knows."""
        try:
            return ZoneInfo(self.timezone) if self.timezone else None
        except (ZoneInfoNotFoundError, ValueError):
            raise typer.BadParameter(
                f"--timezone takes the name of a time zone, e.g. Europe/Berlin; not {self.timezone!r}"
            ) from None


def run_audit(files: Sequence[Path], ledger: Path | None, asked: Asked) -> int:
    """Audit the files, or without any what the ledger holds; the exit code."""
    at = moment(asked.at) or now()
    _check(asked)
    if asked.keep_nothing and not files:
        raise typer.BadParameter("--keep-nothing needs files: without files, an audit looks at what a ledger holds")
    folder = asked.out or Path(f"consent-audit-{at:%Y-%m-%d}")
    check_folder(folder)
    with ExitStack() as stack:
        if asked.keep_nothing:
            ledger = Path(stack.enter_context(TemporaryDirectory(prefix="consent-ledger-"))) / "ledger"
        path, evidence_map = _map(asked, folder if asked.keep_nothing else ledger_directory(ledger))
        inputs = _inputs(files, asked, evidence_map)  # first: what cannot be read leaves no new ledger behind
        if files:
            _refuse_without_contacts(inputs)
        opened = _look(inputs, asked, evidence_map)
        made = {"make": bool(files), "quietly": asked.keep_nothing, "files": asked.keep_nothing}
        house = stack.enter_context(open_house(ledger, **made))
        if not files:
            _refuse_empty(house)
        audit, written = _audit(house, inputs, opened, Mapped(path, evidence_map), asked, at, folder)
    if asked.json:
        out(audit_json(audit))
    else:
        render_audit(audit, console(), folder, written)
    return EXIT.FINDINGS if _fails(audit, asked.fail_on) else EXIT.OK


def _fails(audit: Audit, on: str | None) -> bool:
    if on == LOST:
        return any(not one.accepted_by for one in audit.lost_stops)
    return on is not None and audit.buckets[on].contacts > 0


def run_demo(folder: Path, ledger: Path | None, *, json: bool) -> int:
    """Audit the made-up export, in a ledger of its own."""
    check_folder(folder)
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
    with open_house(where, make=True, files=True) as house:
        new = record_other_records(house)
    if new:
        show(f"{new} facts were recorded from the company's other files, as `consent-ledger record` would")
    return run_audit([export], where, asked)


def run_import(files: Sequence[Path], ledger: Path | None, asked: Asked) -> int:
    """Take the files in; the exit code."""
    _check(asked)
    _, evidence_map = _map(asked, ledger_directory(ledger))
    inputs = _inputs(files, asked, evidence_map)
    opened = _look(inputs, asked, evidence_map)
    with open_house(ledger, make=True) as house:
        _adopt(house, evidence_map, asked)
        with _imported(house, inputs, opened, asked, evidence_map) as done:
            counts = {
                "rows": done.rows,
                "records": done.records,
                "added": done.added,
                "unchanged": done.unchanged,
                "older": done.older,
                "rejected": len(done.rejected),
            }
            _accept(house, asked)
            rejected, findings = done.rejected, [*done.warnings, *done.findings]
            unread = losses_of(house, house.catalogue, done)
            counts["lost"] = sum(one.lost for one in unread if one.stands)
    if asked.json:
        out(msgspec.json.encode(counts))
    else:
        for sentence in lost.sentences(unread):
            show(prose.plain(sentence))
        show(", ".join(f"{count} {name}" for name, count in counts.items()))
        for finding in findings:
            show(finding)
        for row in rejected[:20]:
            show(f"{row.file}, row {row.row}, was not read ({row.column or 'the row'}): {row.reason}")
    return EXIT.OK


def _check(asked: Asked) -> None:
    if asked.fail_on is not None and asked.fail_on not in FAIL_ON:
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(FAIL_ON)}")
    _ = asked.losses, moment(asked.renewal)
    if asked.purpose is not None and asked.purpose not in MARKETING_PURPOSES:
        raise typer.BadParameter(f"--purpose takes one of {', '.join(MARKETING_PURPOSES)}")
    for code in (asked.sender_country, asked.assume_country):
        if code is not None and code.upper() not in CODES:
            raise typer.BadParameter(f"{code!r} is not the code of a country: write two letters, e.g. DE")


class Mapped(NamedTuple):
    """Where the evidence map is, or will be written, and what it says."""

    path: Path
    evidence_map: EvidenceMap | None


def _refuse_without_contacts(inputs: Inputs) -> None:
    if not inputs.contacts:
        raise UnreadableInput(
            "no_contacts_export",
            "None of these files is a contacts export, so there is nobody to give an answer for.",
            "Give the contacts export too (the same one as before costs little), or use `consent-ledger import`.",
        )


def _refuse_empty(house: House) -> None:
    if not any(True for _ in Standing(house).records()):
        raise UnreadableInput(
            "nothing_held",
            "This ledger holds no record of a CRM yet, so there is nobody to give an answer for.",
            "Give the contacts export, or bring them with `consent-ledger hubspot pull`.",
        )


def _audit(
    house: House, inputs: Inputs, opened: Opened | None, mapped: Mapped, asked: Asked, at: datetime, folder: Path
) -> tuple[Audit, list[Path]]:
    house.refuse_other_controller(asked.controller)
    path, evidence_map = mapped
    adopted = _adopt(house, evidence_map, asked)
    with _imported(house, inputs, opened, asked, evidence_map) as done:
        _accept(house, asked)
        controller, catalogue = house.describe_controller(
            asked.controller or _named_at_terminal(house, asked),
            _upper(asked.sender_country),
            _upper(asked.assume_country),
        )
        run = AuditRun(
            house,
            done,
            catalogue,
            at=max(at, now()) if asked.at is None else at,
            controller=controller,
            purpose=asked.purpose,
            timezone=asked.timezone,
            money=_money(asked, evidence_map),
        )
        with (
            _progress(f"judging {done.records} records", done.records) as step,
            keeping_earlier(folder) as earlier,
        ):
            verdicts = run.counted(done.crew.verdicts(Brief(run.audit.at, asked.purpose)), step)
            written = write_outputs(
                run.audit,
                verdicts,
                done.rejected,
                folder,
                [ReviewSheet(house.policy, house.ledger.stamp)],
                held=with_theirs(house, done.held),
            )
        remember(house, run.audit)
        said = _keep_map(path, done.found, run, asked.names)
    if adopted is not None and not asked.json:
        show(f"the map {path} is adopted: {adopted.recorded} declarations were recorded, {adopted.withdrawn} withdrawn")
    for line in (said, *(f"the earlier audit in {folder} is kept in {place}" for place in earlier)):
        if line:
            show(line)
    return run.audit, written


def _accept(house: House, asked: Asked) -> None:
    """Record whose losses somebody answers for. Raises a usage error that says what was lost."""
    for file, rows in asked.losses:
        problem = accept(house, file, rows, asked.by or "")
        if problem:
            raise typer.BadParameter(problem)


def _map(asked: Asked, home: Path) -> tuple[Path, EvidenceMap | None]:
    """Where the evidence map is, or will be written, and what it says."""
    path = asked.map or home / MAP
    if asked.map is None and not path.exists():
        return path, None
    return path, read_map(path)


def _adopt(house: House, evidence_map: EvidenceMap | None, asked: Asked) -> Adopted | None:
    """Record what the map declares. One that nobody named, and that declares nothing yet, takes nothing back."""
    if evidence_map is None or (asked.map is None and not evidence_map.stanzas):
        return None
    narrowed = narrowed_by(house, evidence_map)
    if narrowed is not None:
        raise CommandRefusedError(
            f"{narrowed.as_text()} Nothing was adopted. If that is right, adopt the map by itself first: "
            f"consent-ledger map adopt {evidence_map.path}"
        )
    return adopt_map(house, evidence_map, now())


def _keep_map(path: Path, found: Found, run: AuditRun, names: Mapping[str, str]) -> str:
    """Write the map for a person to fill in; of one that is there, only add what it does not speak of yet.

    What was done, in a sentence; empty: nothing.
    """
    lists = {token_of(name): NameFound(name, count) for name, count in sorted(run.lists.items()) if name.strip()}
    found = united([found, Found(lists=lists)])
    if not path.exists():
        write_map(path, found, run.audit.controller, run.audit.at)
        remember_columns(path, names)
        return f"wrote the evidence map {path}: say there what forms, sales and lists showed"
    added, columns = extend_map(path, found), remember_columns(path, names)
    done = [f"{added} declarations that it lacks, as comments for you to fill in"] if added else []
    done += [f"what --column says of {columns} column{'s' * (columns != 1)}"] if columns else []
    return f"wrote into {path}: {', and '.join(done)}" if done else ""


def _inputs(files: Sequence[Path], asked: Asked, evidence_map: EvidenceMap | None) -> Inputs:
    inputs = sort_inputs(
        files,
        encoding=asked.encoding,
        timezone=asked.zone,
        ask=_ask(asked),
        stops=asked.stops,
        order=asked.order,
        until=now() + TOMORROW,
        names=_names(asked, evidence_map),
        evidence_map=evidence_map.path if evidence_map else None,
    )
    refuse_unused(inputs)
    return inputs


def _names(asked: Asked, evidence_map: EvidenceMap | None) -> dict[str, str]:
    """Header -> property: what the map says, and over it what the command line says."""
    return {**(evidence_map.columns if evidence_map else {}), **asked.names}


def _money(asked: Asked, evidence_map: EvidenceMap | None) -> Money | None:
    """What was said of the price, the command line first; nothing is assumed."""
    said = evidence_map.money if evidence_map else None
    renewal = moment(asked.renewal)
    given = {
        "tier": asked.tier,
        "price": asked.price,
        "currency": asked.currency,
        "step": asked.step,
        "renewal": renewal.date() if renewal else None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if said is None:
        return msgspec.convert(given, Money) if given else None
    return msgspec.structs.replace(said, **given)


def _upper(code: str | None) -> str | None:
    return code.upper() if code else None


@contextmanager
def _imported(
    house: House, inputs: Inputs, opened: Opened | None, asked: Asked, evidence_map: EvidenceMap | None
) -> Iterator[Imported]:
    with ExitStack() as stack:
        with _progress("reading and recording", None) as step:
            done = stack.enter_context(
                imported(
                    house,
                    inputs,
                    wanted=evidence_map.wanted if evidence_map else NOTHING_WANTED,
                    encoding=asked.encoding,
                    timezone=asked.zone,
                    names=_names(asked, evidence_map),
                    order=asked.order,
                    ask=_ask(asked),
                    progress=step,
                    insisted=_insisted(asked),
                    opened=opened,
                )
            )
        yield done


def _look(inputs: Inputs, asked: Asked, evidence_map: EvidenceMap | None) -> Opened | None:
    """The contacts exports, looked at: one that is to be refused leaves no new ledger behind."""
    if not inputs.contacts:
        return None
    names = _names(asked, evidence_map)
    opened = look_at(
        inputs, encoding=asked.encoding, timezone=asked.zone, ask=_ask(asked), names=names, order=asked.order
    )
    _refuse_absent(asked, opened)
    return opened


def _refuse_absent(asked: Asked, opened: Opened) -> None:
    """Raise UnreadableInput (no_such_column) where --column names one that no contacts export has."""
    headers = [label for table, _ in opened.export.tables for label in table.header if label]
    known = {label.strip().casefold() for label in headers}
    absent = [label for label in asked.names if label.strip().casefold() not in known]
    if absent:
        wanted = absent[0].strip().casefold()
        near = get_close_matches(wanted, known, n=_NEAR) or [label for label in known if wanted in label][:_NEAR]
        named = [label for label in dict.fromkeys(headers) if label.strip().casefold() in near]
        raise UnreadableInput(
            "no_such_column",
            f"No contacts export has a column “{absent[0]}”.",
            f"Did you mean {' or '.join(f'“{label}”' for label in named)}?"
            if named
            else f"Their columns are: {', '.join(dict.fromkeys(headers))}.",
        )


def _insisted(asked: Asked) -> Insisted:
    """Whether somebody says that the export is of this ledger's company: an option, or the person at the terminal."""
    said = asked.same_company or asked.controller is not None
    return Insisted(said, _confirm if sys.stdin.isatty() and not asked.json else None)


def _confirm(question: str) -> bool:
    return typer.confirm(question, default=False, err=True)


def _named_at_terminal(house: House, asked: Asked) -> str | None:
    """The company's name, from the person at the terminal, if any, where nobody has given it yet."""
    if asked.json or not sys.stdin.isatty() or house.controller_name(house.catalogue):
        return None
    named = typer.prompt(
        "Which company does this belong to? (leave it empty to go on without a name)",
        default="",
        show_default=False,
        err=True,
    )
    return str(named).strip() or None


def _ask(asked: Asked) -> Ask | None:
    """Who is asked about an encoding that the bytes do not settle: the person at the terminal, if any."""
    return _ask_encoding if sys.stdin.isatty() and not asked.json else None


def _ask_encoding(candidates: Sequence[str], previews: Mapping[str, Sequence[str]]) -> str | None:
    """Which of the encodings reads right, for a person at a terminal; None: go on with the first."""
    for number, name in enumerate(candidates, start=1):
        show(f"{number}. {name}")
        for line in previews.get(name, ()):
            show(f"     {line}")
    chosen = typer.prompt("Which of these reads right?", default=1, type=int, err=True)
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
