"""`consent-ledger database`: a PostgreSQL database for the ledger, set up by the owner of its tables."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from adapters.cli.options import DATABASE_URL, EXIT, LedgerDir, show

app = typer.Typer(help="PostgreSQL: set up, migrate, check.", no_args_is_help=True)

OWNER_URL = "CONSENT_LEDGER_OWNER_URL"


@app.command()
def upgrade(
    writer: Annotated[str, typer.Option(help="the role the program works as; it must exist")],
    owner_url: Annotated[
        str | None, typer.Option(help=f"the database, as the role that owns its tables; else {OWNER_URL}")
    ] = None,
) -> None:
    """Set a database up for the ledger, or bring it to this program's version.

    The owner is used here alone. The writer may add to the log, and never change it.
    """
    from ledger.setting_up import upgrade as run

    url = owner_url or os.environ.get(OWNER_URL)
    if url is None:
        show(f"name the database: --owner-url postgresql://OWNER@HOST/DATABASE, or {OWNER_URL}")
        raise typer.Exit(EXIT.USAGE)
    before, after = run(url, writer)
    if before == after:
        show(f"version {after}, as before; {writer} may add to the log and no more")
    else:
        show(f"from {f'version {before}' if before else 'nothing'} to version {after}; {writer} may add to the log")


@app.command()
def check() -> None:
    """Say whether the database that the environment names is safe to work with, and how far the log has come."""
    from adapters.settings import Settings
    from adapters.wiring import now
    from ledger.log import Log

    url = Settings.read(os.environ).database_url
    if url is None:
        show(f"no database is named: set {DATABASE_URL}")
        raise typer.Exit(EXIT.USAGE)
    with Log.open(url, now) as log:
        show(
            "The database is set up and durable, and this role can only add to the log, which holds "
            f"{log.last_position()} entries."
        )


@app.command()
def restored(ledger: LedgerDir = None) -> None:
    """Begin a new epoch, once a database was brought back from a backup: answers and readers begin anew.

    Stop whatever works on the database first.
    """
    from adapters.settings import Settings
    from adapters.wiring import House, now, place_of
    from ledger.epochs import begin_epoch

    where = ledger or Settings.read(os.environ).dir
    place = place_of(where, os.environ)
    if place.database_url is None:
        show(f"no database is named: set {DATABASE_URL}; a ledger in files is brought back by `consent-ledger restore`")
        raise typer.Exit(EXIT.USAGE)
    epoch = begin_epoch(place, now, os.urandom, os.environ)
    with House.open(where, os.environ) as house:
        position = house.runner.rebuild()
    show(f"epoch {epoch} begins with {position} entries; every answer was made anew from them")
    show("What was recorded after the backup is not in it: record it again from the systems it came from.")
