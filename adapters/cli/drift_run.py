"""What the commands of `drift` do: look at everybody, tell, and carry out a remedy for one difference."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer

from adapters.cli.hubspot_sync import opened, settings_read, update_day
from adapters.cli.options import EXIT, console, moment, open_house, out, show
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.drift.book import DriftBook, Ignored
from adapters.hubspot.drift.comparing import KINDS
from adapters.hubspot.drift.looking import Drift, Recorder, Watch
from adapters.hubspot.drift.remedies import KINDS as TOLD
from adapters.hubspot.drift.remedies import Remedy, refusal
from adapters.hubspot.sync.apply import MOST, Sync
from adapters.hubspot.sync.changed import changed
from adapters.hubspot.sync.desired import reference
from adapters.hubspot.sync.store import Book
from adapters.report.cells import Sheet, reading_cell
from adapters.report.masking import mask_email
from adapters.report.screen import Screen
from adapters.settings import Settings
from adapters.wiring import House, now
from ledger.commands import CommandRefusedError
from ledger.database import chunks

SCHEMA = "consent-ledger/drift/1"
FLIP = "flip"


class DriftRow(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `flipped`: somebody else turned on what a stop covers; `by`: who, in HubSpot's words."""

    ref: str
    kind: str
    flipped: bool
    reference: str
    record_id: str
    email_masked: str
    subscription_type: str | None
    ledger: str
    crm: str
    since: datetime
    last_writer: str
    by: str
    remedies: tuple[str, ...]
    by_hand: str
    next_update: date | None = None
    ignored_until: datetime | None = None


class Open(NamedTuple):
    """Everything that one run needs."""

    house: House
    portal: Portal
    sync: Sync
    book: DriftBook
    watch: Watch
    settings: Settings

    @classmethod
    def of(cls, ledger: Path | None, stack: ExitStack) -> Open:
        """The ledger beside the portal that the environment names."""
        settings = settings_read()
        house, portal, sync = opened(ledger, settings, stack)
        book = stack.enter_context(DriftBook.open(house))
        written = stack.enter_context(Book.open(house))
        watch = Watch(house, portal, sync, (written, book), settings.hubspot_app)
        return cls(house, portal, sync, book, watch, settings)

    def recorder(self) -> Recorder:
        """What takes HubSpot's side in."""
        return Recorder(self.house, {one.id: one.name for one in self.portal.types()}, now)

    def row(self, one: Drift) -> DriftRow:
        """A difference in words."""
        about, told = one.difference, TOLD[one.difference.kind]
        day = update_day(self.settings, now().date()) if about.pending else None
        return DriftRow(
            ref=one.ref,
            kind=about.kind,
            flipped=one.flipped,
            reference=reference(about.contact, about.position) if about.position else f"CL-{about.contact[:8]}",
            record_id=about.record,
            email_masked=mask_email(about.email),
            subscription_type=about.about or None,
            ledger=about.ledger,
            crm=about.crm,
            since=one.since,
            last_writer=one.last_writer,
            by=one.by,
            remedies=() if about.pending else told.remedies,
            by_hand="HubSpot changes it at its next update" if about.pending else told.by_hand,
            next_update=day,
            ignored_until=one.ignored.until if one.ignored else None,
        )


class Found(NamedTuple):
    """All differences, the gravest first, and what came with looking."""

    rows: list[DriftRow]
    contacts: int
    ignored: int
    recorded: int


def run_drift(
    ledger: Path | None,
    *,
    json: bool,
    csv: bool,
    everything: bool,
    most: int,
    metrics: Path | None,
    fail_on: str | None,
) -> int:
    """Look at everybody; the exit code."""
    if json and csv:
        raise typer.BadParameter("--csv and --json are two answers: ask for one")
    if fail_on is not None and fail_on not in (*KINDS, FLIP, "any"):
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(KINDS)}, {FLIP}, any")
    with ExitStack() as stack:
        found = _look(Open.of(ledger, stack), everything)
    if metrics is not None:
        from adapters.hubspot.drift.measured import write_metrics

        write_metrics(metrics, Counter(row.kind for row in found.rows), sum(row.flipped for row in found.rows))
    if csv:
        _csv(found.rows)
    elif json:
        document = {
            "schema": SCHEMA,
            "contacts": found.contacts,
            "ignored": found.ignored,
            "flips_recorded": found.recorded,
            "kinds": {kind: sum(row.kind == kind for row in found.rows) for kind in KINDS},
            "differences": found.rows,
        }
        out(msgspec.json.format(msgspec.json.encode(document), indent=2))
    else:
        _render(found, most, Screen(console()))
    named = {None: False, "any": bool(found.rows), FLIP: any(row.flipped for row in found.rows)}
    failing = named[fail_on] if fail_on in named else any(row.kind == fail_on for row in found.rows)
    return EXIT.FINDINGS if failing else EXIT.OK


def _look(opened: Open, everything: bool) -> Found:
    """Everybody, some hundred at a time; a flip is recorded when it is met."""
    at, seen = now(), dict[str, DriftRow]()
    ignored: set[str] = set()
    everybody = changed(opened.house, 0, None, at)
    flips: dict[str, Drift] = {}
    for part in chunks(everybody, MOST):
        for one in opened.watch.over(part, at):
            if one.flipped:
                flips[one.ref] = one
            if one.ignored is not None:
                ignored.add(one.ref)
            if one.ignored is None or everything:
                seen[one.ref] = opened.row(one)
    recorded = 0
    if flips:
        recorder = opened.recorder()
        recorded = sum(told.status == "recorded" for one in flips.values() for told in recorder.record(one))
    rank: dict[str, int] = {kind: place for place, kind in enumerate(KINDS)}
    rows = sorted(seen.values(), key=lambda row: (not row.flipped, rank[row.kind], row.since, row.ref))
    return Found(rows, len(everybody), len(ignored), recorded)


def _csv(rows: Sequence[DriftRow]) -> None:
    sheet = Sheet(sys.stdout, DriftRow.__struct_fields__)
    for row in rows:
        sheet.add(*(reading_cell(_cell(getattr(row, name))) for name in DriftRow.__struct_fields__))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "; ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _render(found: Found, most: int, screen: Screen) -> None:
    screen.line(f"{found.contacts:,} contacts compared: {len(found.rows):,} differences", style="bold")
    if found.ignored:
        screen.line(f"{found.ignored:,} are left alone for now (--all shows them)")
    if found.recorded:
        screen.line(f"{found.recorded:,} facts recorded of what was turned on over a stop", style="bold red")
    for kind in KINDS:
        rows = [row for row in found.rows if row.kind == kind]
        if not rows:
            continue
        screen.line()
        screen.line(f"{TOLD[kind].what}: {len(rows):,}", style="bold")
        if TOLD[kind].by_hand:
            screen.wrapped("", TOLD[kind].by_hand, 2)
        for row in rows[: most or None]:
            for label, text in _told(row):
                screen.wrapped(label, text, 16)
        if most and len(rows) > most:
            screen.line(f"  and {len(rows) - most:,} more; --show 0, --csv and --json show all")


def _told(row: DriftRow) -> Iterator[tuple[str, str]]:
    kind = f", type {row.subscription_type}" if row.subscription_type else ""
    flip = "FLIPPED: " if row.flipped else ""
    by = f" ({row.by})" if row.by else ""
    yield row.ref, f"{flip}{row.email_masked}, record {row.record_id}{kind}, {row.reference}"
    yield "", f"ledger: {row.ledger}; HubSpot: {row.crm}"
    yield "", f"since {row.since:%Y-%m-%d %H:%M}; last written by {row.last_writer}{by}"
    update = f" on {row.next_update}" if row.next_update else ""
    remedies = ", ".join(f"drift {name}" for name in row.remedies)
    yield "", remedies or f"{row.by_hand}{update}"


# --- remedies ------------------------------------------------------------------------------------


def run_push(ledger: Path | None, ref: str) -> int:
    """The sync, for the contact of one difference; the exit code."""
    with ExitStack() as stack:
        opened = Open.of(ledger, stack)
        one = _one(opened, ref, "push")
        opened.sync.prepare()
        outcome = opened.sync.apply([one.difference.contact])
    for result in outcome.results:
        show(f"{result.call}: {result.status} {result.code} {result.detail}".rstrip())
    if not outcome.results:
        waiting = (
            "it waits for approval (`consent-ledger hubspot approve`)" if outcome.plan.waiting else "nothing to write"
        )
        show(waiting)
    return EXIT.FINDINGS if outcome.refused else EXIT.OK


def run_record(ledger: Path | None, ref: str) -> int:
    """HubSpot's side, taken in; the exit code."""
    with ExitStack() as stack:
        opened = Open.of(ledger, stack)
        one = _one(opened, ref, "record")
        if one.difference.kind == "crm_opted_out_ledger_allows" and one.last_writer == "ledger":
            raise CommandRefusedError(
                "that opt-out was written to HubSpot from here, and its stop was taken back since: recorded anew it "
                "would undo that. Turn it on by hand in HubSpot, naming the reference"
            )
        made = opened.recorder().record(one)
    for told in made:
        show(f"{told.status} at position {told.position}")
    return EXIT.ERROR if any(told.status == "conflict" for told in made) else EXIT.OK


def run_ignore(ledger: Path | None, ref: str, until: str, by: str, reason: str) -> int:
    """Leave it alone; the exit code."""
    end = moment(until)
    if end is None or end <= now():
        raise typer.BadParameter("--until names a day that lies ahead")
    with open_house(ledger) as house, DriftBook.open(house) as book:
        if book.contact_of(ref) is None:
            raise CommandRefusedError(_UNKNOWN.format(ref=ref))
        book.ignore(ref, Ignored(end, by, reason))
    show(f"{ref} is left alone until {end:%Y-%m-%d}")
    return EXIT.OK


_UNKNOWN = "{ref}: no such difference was found; `consent-ledger drift` lists them"


def _one(opened: Open, ref: str, wanted: Remedy) -> Drift:
    """The difference as it is now. Raises CommandRefusedError where there is none, or the remedy is none for it."""
    contact = opened.book.contact_of(ref)
    if contact is None:
        raise CommandRefusedError(_UNKNOWN.format(ref=ref))
    one = next((one for one in opened.watch.over([contact], now()) if one.ref == ref), None)
    if one is None:
        raise CommandRefusedError(f"{ref}: the two do not differ there any more")
    refused = refusal(one.difference.kind, wanted)
    if refused is not None:
        raise CommandRefusedError(refused)
    return one
