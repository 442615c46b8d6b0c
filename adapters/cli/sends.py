"""`consent-ledger audit sends`: every e-mail sent, with its answer as known then and as known now."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.completion import sent_findings
from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, console, moment, open_house, show

if TYPE_CHECKING:
    from adapters.report.sends import SentRow
    from projections.sends import Totals

_DAY = len("2026-11-23")


def fail_on_words() -> tuple[str, ...]:
    """What it can be made to fail on."""
    from adapters.report.sends import FINDINGS

    return (*(name for name in FINDINGS if name != "allowed"), "on_record", "any")


def sends(
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="the first day, or moment")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="the last day, or moment")] = None,
    csv: Annotated[bool, Flag("--csv", help="print every e-mail as CSV")] = False,
    json: JsonOut = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write a page: the figures, and the newest of each finding")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="FINDING",
            help="exit 3 if there is one: after_stop, on_record, stop_day_unknown, no_basis, cannot_be_shown; any",
            autocompletion=sent_findings,
        ),
    ] = None,
    ledger: LedgerDir = None,
) -> None:
    """Audit what was sent: every e-mail, with its answer as known then and as known now.

    Those sent after a stop, counted by when the person made it, and how much later this ledger recorded it;
    those of which that day is unknown; and those without a basis.
    """
    from adapters.files import check_file, write_whole
    from adapters.report.sends import SHOWN, Head, json_parts, render, write_csv
    from adapters.report.sends_page import SHOWN as ON_PAGE
    from adapters.report.sends_page import sends_page
    from adapters.sends import sent_rows
    from adapters.wiring import now
    from ledger.terms import BEGINNING, END
    from projections.sends import Totals, Window

    if sum((csv, json, html is not None)) > 1:
        raise typer.BadParameter("--csv, --json and --html are answers of their own: ask for one")
    if html is not None:
        check_file(html)
    if fail_on is not None and fail_on not in fail_on_words():
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(fail_on_words())}")
    first, last = _first(since), moment(until)
    totals = Totals()
    with open_house(ledger) as house:
        rows = sent_rows(house, Window(first or BEGINNING, last or END), totals, only_found=not (csv or json))
        head = Head(
            controller=house.controller_name(house.catalogue),
            since=first,
            until=last,
            asked_at=now(),
            rule_set=house.policy.hash,
        )
        if csv:
            write_csv(rows, sys.stdout)
        elif json:
            for part in json_parts(head, rows, totals):
                sys.stdout.write(part.decode())
        elif html is not None:
            write_whole(html, sends_page(head, totals, _gravest(rows, ON_PAGE)).encode())
            show(f"wrote {html}")
        else:
            render(head, totals, _gravest(rows, SHOWN), console())
    raise typer.Exit(EXIT.FINDINGS if _fails(totals, fail_on) else EXIT.OK)


def _gravest(rows: Iterator[SentRow], count: int) -> list[SentRow]:
    """The newest of each finding, the gravest finding first; reads the rows to their end."""
    from adapters.report.sends import FINDINGS

    newest: dict[str, list[tuple[datetime, int, SentRow]]] = {finding: [] for finding in FINDINGS}
    for row in rows:
        kept = newest[row.finding]
        heapq.heappush(kept, (row.sent_at, row.position, row))
        if len(kept) > count:
            heapq.heappop(kept)
    return [row for kept in newest.values() for _, _, row in sorted(kept, key=lambda one: one[:2], reverse=True)]


def _fails(totals: Totals, fail_on: str | None) -> bool:
    if fail_on is None:
        return False
    found: dict[str, int] = {name: count for name, count in totals.findings.items() if name != "allowed"}
    found["on_record"] = sum(sums.on_record for sums in totals.after.values())
    return any(found.values()) if fail_on == "any" else found[fail_on] > 0


def _first(text: str | None) -> datetime | None:
    """A day begins with its first moment, where `moment` takes its last."""
    found = moment(text)
    if found is None or text is None or len(text) != _DAY:
        return found
    return found.replace(hour=0, minute=0, second=0, microsecond=0)
