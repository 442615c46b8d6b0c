"""What the commands share: options, exit codes, consoles, dates, and opening the ledger."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from adapters.wiring import House


DATABASE_URL = "CONSENT_LEDGER_DATABASE_URL"


class EXIT(IntEnum):
    """Exit codes, the same for every command."""

    OK = 0
    ERROR = 1
    USAGE = 2
    FINDINGS = 3
    VERIFICATION = 4
    UNREADABLE = 5
    TEMPORARY = 75
    INTERRUPTED = 130


def Flag(*names: str, **settings: Any) -> Any:  # noqa: N802 - reads like typer.Option
    """An on/off option without its `--no-` twin."""
    return typer.Option(*names, **settings)


LedgerDir = Annotated[
    Path | None,
    typer.Option(help="the ledger's directory; ./consent-ledger, or CONSENT_LEDGER_DIR", show_default=False),
]
JsonOut = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]


def moment(text: str | None) -> datetime | None:
    """A day (its last moment, UTC) or an RFC 3339 time. Raises a usage error that says what to write."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date: write 2026-11-23 or 2026-11-23T10:00:00+01:00") from None
    if len(text) == len("2026-11-23"):
        return found.replace(hour=23, minute=59, second=59, microsecond=999999, tzinfo=UTC)
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone: add Z or +01:00")
    return found.astimezone(UTC)


def open_house(directory: Path | None, make: bool = False, quietly: bool = False, files: bool = False) -> House:
    """Open a ledger; only commands that write facts make one that is not there, and say so.

    `files`: in files, whatever the environment says.
    """
    from adapters.settings import Settings
    from adapters.wiring import House, is_ledger

    env = {name: text for name, text in os.environ.items() if not (files and name == DATABASE_URL)}
    settings = Settings.read(env)
    where = directory or settings.dir
    if not is_ledger(where) and settings.database_url is None:
        if not make:
            show(f"there is no ledger in {where}: `consent-ledger audit FILE` makes one, --ledger names another")
            raise typer.Exit(EXIT.ERROR)
        if not quietly:
            show(
                f"made a new ledger in {where}; it belongs to one controller. "
                f"Keep {where / 'keys'} safe, and apart from backups of the rest."
            )
    elif not is_ledger(where) and settings.keys is None and not (where / "keys").exists():
        if not make:
            show(f"there are no keys in {where}: --ledger names the directory that holds those of this database")
            raise typer.Exit(EXIT.ERROR)
        show(f"made keys in {where / 'keys'}: without them the vault is noise. Keep them, and apart from its backups.")
    return House.open(where, env)


def console(stderr: bool = False) -> Console:
    """A rich console: plain when piped or NO_COLOR is set."""
    from rich.console import Console

    piped = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=80 if piped and "COLUMNS" not in os.environ else None, highlight=False)


def show(text: str) -> None:
    """A line for the person, not for the pipe."""
    typer.echo(text, err=True)


def out(data: bytes) -> None:
    """The result, as bytes, to the pipe."""
    sys.stdout.write(data.decode())
    if not data.endswith(b"\n"):
        sys.stdout.write("\n")
