"""What the commands of `drift` do: look at everybody, tell, and carry out a remedy for one difference."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import typer

from adapters.cli.drift_told import DriftRow, Found, as_json, render, row_of, write_csv
from adapters.cli.hubspot_sync import opened, settings_read, update_day
from adapters.cli.options import EXIT, console, moment, open_house, out, show
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.drift.book import DriftBook, Ignored
from adapters.hubspot.drift.comparing import KINDS
from adapters.hubspot.drift.looking import Drift, Recorder, Watch
from adapters.hubspot.drift.remedies import Remedy, refusal
from adapters.hubspot.naming import names_of
from adapters.hubspot.sync.apply import MOST, Sync
from adapters.hubspot.sync.changed import changed
from adapters.hubspot.sync.store import Book
from adapters.report.screen import Screen
from adapters.settings import Settings
from adapters.wiring import House, now
from ledger.commands import CommandRefusedError
from ledger.database import chunks

FLIP = "flip"
FAIL_ON = (*KINDS, FLIP, "any")
"""What a comparison can be made to fail on."""


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
        return Recorder(self.house, names_of(self.portal.types()), now)


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
    if fail_on is not None and fail_on not in FAIL_ON:
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(FAIL_ON)}")
    with ExitStack() as stack:
        found = _look(Open.of(ledger, stack), everything)
    if metrics is not None:
        from adapters.hubspot.drift.measured import write_metrics

        write_metrics(metrics, Counter(row.kind for row in found.rows), sum(row.flipped for row in found.rows))
    if csv:
        write_csv(found.rows)
    elif json:
        out(as_json(found))
    else:
        render(found, most, Screen(console()))
    named = {None: False, "any": bool(found.rows), FLIP: any(row.flipped for row in found.rows)}
    failing = named[fail_on] if fail_on in named else any(row.kind == fail_on for row in found.rows)
    return EXIT.FINDINGS if failing else EXIT.OK


def _look(opened: Open, everything: bool) -> Found:
    """Everybody, some hundred at a time; a flip is recorded when it is met."""
    at, seen = now(), dict[str, DriftRow]()
    ignored: set[str] = set()
    everybody = changed(opened.house, 0, None, at)
    day = update_day(opened.settings, at.date())
    flips: dict[str, Drift] = {}
    for part in chunks(everybody, MOST):
        for one in opened.watch.over(part, at):
            if one.flipped:
                flips[one.ref] = one
            if one.ignored is not None:
                ignored.add(one.ref)
            if one.ignored is None or everything:
                seen[one.ref] = row_of(one, day)
    recorded = 0
    if flips:
        recorder = opened.recorder()
        recorded = sum(told.status == "recorded" for one in flips.values() for told in recorder.record(one))
    rank: dict[str, int] = {kind: place for place, kind in enumerate(KINDS)}
    rows = sorted(seen.values(), key=lambda row: (not row.flipped, rank[row.kind], row.since, row.ref))
    return Found(rows, len(everybody), len(ignored), recorded)


_DONE = {
    "unsubscribe_all": "taken off all e-mail in HubSpot",
    "unsubscribe": "a subscription switched off in HubSpot",
    "update": "our properties of the record",
    "subscribe": "a subscription switched on in HubSpot",
}

# --- remedies ------------------------------------------------------------------------------------


def run_push(ledger: Path | None, ref: str) -> int:
    """The sync, for the contact of one difference; the exit code."""
    with ExitStack() as stack:
        opened = Open.of(ledger, stack)
        one = _one(opened, ref, "push")
        opened.sync.prepare()
        outcome = opened.sync.apply([one.difference.contact])
    for result in outcome.results:
        refusal = f", {result.detail} ({result.code})" if result.status == "refused" else ""
        show(f"{_DONE[result.call]}: {result.status}{refusal}")
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
        raise typer.BadParameter("--until takes a day that is still to come")
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
