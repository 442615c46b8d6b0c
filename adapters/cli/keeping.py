"""`consent-ledger check`, `backup` and `restore`: a ledger kept sound, and brought back where it is not."""

from __future__ import annotations

import typer

from adapters.cli.options import JsonOut, LedgerDir


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)


def check(json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """Read the whole ledger, log, vault and answers, and name what is damaged, missing or changed: exit code 4."""
    from adapters.cli.checking import run_check

    raise typer.Exit(run_check(ledger, json=json))
