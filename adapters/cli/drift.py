"""`consent-ledger drift`: where HubSpot and the ledger differ, and the three remedies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.completion import differences
from adapters.cli.options import Flag, JsonOut, LedgerDir

app = typer.Typer(
    help="Compare ledger and HubSpot: who differs, since when, which side wrote last, and the remedy.",
    invoke_without_command=True,
)
Ref = Annotated[str, typer.Argument(metavar="REF", help="a difference, D-..., from `drift`")]


@app.callback()
def drift(
    context: typer.Context,
    json: JsonOut = False,
    csv: Annotated[bool, Flag("--csv", help="print the differences as CSV")] = False,
    everything: Annotated[bool, Flag("--all", help="those that are ignored for now as well")] = False,
    most: Annotated[int, typer.Option("--show", help="how many to show of each kind; 0: all", min=0)] = 10,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write the counts for Prometheus (textfile collector)")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="exit 3 if there is one: a kind; flip (the alarm); any", autocompletion=differences
        ),
    ] = None,
    ledger: LedgerDir = None,
) -> None:
    """Compare ledger and HubSpot: who differs, since when, which side wrote last, and the remedy.

    Writes nothing to HubSpot. A flip, that somebody turned on what a stop covers, is recorded as a fact, once.
    """
    if context.invoked_subcommand is not None:
        return
    from adapters.cli.drift_run import run_drift

    raise typer.Exit(
        run_drift(ledger, json=json, csv=csv, everything=everything, most=most, metrics=metrics, fail_on=fail_on)
    )


@app.command()
def push(ref: Ref, ledger: LedgerDir = None) -> None:
    """Write the ledger's side to HubSpot, for the contact of one difference. Turns nobody on."""
    from adapters.cli.drift_run import run_push

    raise typer.Exit(run_push(ledger, ref))


@app.command()
def record(ref: Ref, ledger: LedgerDir = None) -> None:
    """Take HubSpot's side in as evidence: an opt-out as a stop; what is on as shown, which grants nothing."""
    from adapters.cli.drift_run import run_record

    raise typer.Exit(run_record(ledger, ref))


@app.command()
def ignore(
    ref: Ref,
    until: Annotated[str, typer.Option(metavar="DATE", help="the last day on which the difference is left alone")],
    by: Annotated[str, typer.Option("--by", help="your name")],
    reason: Annotated[str, typer.Option(help="why; it is kept with what is recorded")],
    ledger: LedgerDir = None,
) -> None:
    """Leave one difference as it is until a day."""
    from adapters.cli.drift_run import run_ignore

    raise typer.Exit(run_ignore(ledger, ref, until, by, reason))
