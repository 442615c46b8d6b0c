"""`consent-ledger check`, `backup` and `restore`: a ledger kept sound, and brought back where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.options import JsonOut, LedgerDir


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (check, backup, restore):
        app.command()(command)


def check(json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """Read the whole ledger, log, vault and answers, and name what is damaged, missing or changed: exit code 4."""
    from adapters.cli.checking import run_check

    raise typer.Exit(run_check(ledger, json=json))


def backup(
    folder: Annotated[Path, typer.Option("--out", help="folder for the copies, empty or to be made")],
    ledger: LedgerDir = None,
    copy_keys_to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="also copy the keys, to a file outside of that folder")
    ] = None,
) -> None:
    """Copy a ledger in files, while it is used or not: log, vault and inbox of one moment, with a manifest.

    The keys are not copied unless --copy-keys-to names a place for them.
    """
    from adapters.cli.backing_up import run_backup

    raise typer.Exit(run_backup(ledger, folder, copy_keys_to))


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a backup, as `backup` made it")],
    ledger: Annotated[Path, typer.Option(help="the directory that the ledger is brought back to; it must hold none")],
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="its key file; else `keys` in that directory, or CONSENT_LEDGER_KEYS"),
    ] = None,
) -> None:
    """Bring a ledger in files back from a backup, and begin a new epoch. Nothing is overwritten."""
    from adapters.cli.backing_up import run_restore

    raise typer.Exit(run_restore(folder, ledger, keys))
