"""What the commands share: options, exit codes, consoles, dates, and opening the ledger."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
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
        raise typer.BadParameter(f"{text!r} is not a date: write 2026-11-23 or 2026-11-23T10:00:00+01:00") from None
    if len(text) == len("2026-11-23"):
        return found.replace(hour=23, minute=59, second=59, microsecond=999999, tzinfo=UTC)
    if found.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone: add Z or +01:00")
    return found.astimezone(UTC)


def open_house(directory: Path | None, make: bool = False, quietly: bool = False, files: bool = False) -> House:
    """Open a ledger; `make`: one that is not there is made first, and that is said.

    `files`: in files, whatever the environment says. Raises as `House.open`.
    """
    from adapters.settings import Settings
    from adapters.wiring import House

    env = {name: text for name, text in os.environ.items() if not (files and name == DATABASE_URL)}
    where = directory or Settings.read(env).dir
    if make:
        make_ledger(where, env, quietly=quietly)
    return House.open(where, env)


def ledger_directory(directory: Path | None) -> Path:
    """The directory that an option names, else the environment."""
    from adapters.settings import Settings

    return directory or Settings.read(os.environ).dir


def make_ledger(where: Path, env: Mapping[str, str], *, quietly: bool = False) -> bool:
    """Make the ledger of a directory and say so; False: there is one already. Raises as `Ledger.init`."""
    from adapters.settings import Settings
    from adapters.wiring import init_ledger, is_ledger

    had_keys = (where / "keys").exists()
    if not init_ledger(where, env):
        return False
    if not quietly:
        place = where if is_ledger(where) else f"the database that {DATABASE_URL} names"
        show(f"A new ledger was made in {place}; it belongs to one company.")
        if Settings.read(env).keys is None and not had_keys:
            show(f"Its keys are in {where / 'keys'}. Nobody can read it without them: keep a copy, apart from backups.")
    return True


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
