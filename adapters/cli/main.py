"""`consent-ledger`: the command line. Thin: parse, open the ledger, call one thing, print its answer.

Imports that cost time stand inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli import policy, record
from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, moment, show

app = typer.Typer(
    name="consent-ledger",
    help="Why may we write to this person, since when, until when, and can we prove it?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(record.app, name="record")
app.add_typer(policy.app, name="policy")

Known = Annotated[str | None, typer.Option(metavar="DATE", help="with what was recorded by then")]
Law = Annotated[str | None, typer.Option(metavar="DATE", help="under the law declared by then")]
On = Annotated[str | None, typer.Option(metavar="DATE", help="the day asked about; today")]
Files = Annotated[list[Path], typer.Argument(help="HubSpot contacts export: CSV, or a ZIP of several")]
Controller = Annotated[str | None, typer.Option(help="name of the legal entity that sends")]
Country = Annotated[str | None, typer.Option(help="the sender's country, two letters (DE, GB, US ...)")]
Assumed = Annotated[str | None, typer.Option(help="country of recipients about whom nothing is known")]
Out = Annotated[Path | None, typer.Option(help="folder for the report and the lists")]
At = Annotated[str | None, typer.Option(metavar="DATE", help="ask for this day instead of today")]
PurposeOption = Annotated[str | None, typer.Option(help="one purpose, e.g. marketing.similar")]
Zone = Annotated[str | None, typer.Option(help="time zone of the export's times, e.g. Europe/Berlin")]
Encoding = Annotated[str | None, typer.Option(help="read the files in this encoding")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="HEADER=PROPERTY", help="what a column is, e.g. 'Meine Spalte=legal_basis'"),
]
FailOn = Annotated[str | None, typer.Option(metavar="BUCKET", help="exit 3 if a record falls into it")]


@app.command()
def audit(
    files: Files,
    controller: Controller = None,
    sender_country: Country = None,
    assume_country: Assumed = None,
    out: Out = None,
    ledger: LedgerDir = None,
    at: At = None,
    purpose: PurposeOption = None,
    timezone: Zone = None,
    encoding: Encoding = None,
    columns: Columns = None,
    json: JsonOut = False,
    fail_on: FailOn = None,
) -> None:
    """Audit a HubSpot contacts export, contact by contact: is there a basis, which, on what evidence."""
    from adapters.cli.audit import Asked, run_audit

    asked = Asked(
        controller=controller,
        sender_country=sender_country,
        assume_country=assume_country,
        out=out,
        at=at,
        purpose=purpose,
        timezone=timezone,
        encoding=encoding,
        columns=tuple(columns or ()),
        json=json,
        fail_on=fail_on,
    )
    raise typer.Exit(run_audit(files, ledger, asked))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="folder for everything the demo writes")] = Path("build/demo"),
    ledger: LedgerDir = None,
    json: JsonOut = False,
) -> None:
    """Audit a made-up export of some hundreds of contacts with every situation in it."""
    from adapters.cli.audit import run_demo

    raise typer.Exit(run_demo(out, ledger, json=json))


@app.command("import")
def import_(
    files: Files,
    ledger: LedgerDir = None,
    timezone: Zone = None,
    encoding: Encoding = None,
    columns: Columns = None,
    json: JsonOut = False,
) -> None:
    """Take a HubSpot contacts export into the ledger, without a report."""
    from adapters.cli.audit import Asked, run_import

    asked = Asked(timezone=timezone, encoding=encoding, columns=tuple(columns or ()), json=json)
    raise typer.Exit(run_import(files, ledger, asked))


@app.command()
def why(
    email: str,
    on: On = None,
    purpose: Annotated[str, typer.Option(help="the purpose asked about")] = "marketing.similar",
    channel: Annotated[str, typer.Option(help="email, sms, phone or post")] = "email",
    known_at: Annotated[str | None, typer.Option(metavar="DATE", help="with what was recorded by then")] = None,
    law_at: Annotated[str | None, typer.Option(metavar="DATE", help="under the law declared by then")] = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Why may, or may not, this address be written to: the rule, its conditions, the evidence."""
    from adapters.cli.people import run_why

    raise typer.Exit(run_why(email, ledger, purpose, channel, moment(on), moment(known_at), moment(law_at), json))


@app.command()
def status(email: str, json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """What is allowed now for an address, purpose by purpose, and until when."""
    from adapters.cli.people import run_status

    raise typer.Exit(run_status(email, ledger, json))


@app.command()
def history(email: str, json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """Every fact the ledger holds about an address, with its clocks."""
    from adapters.cli.people import run_history

    raise typer.Exit(run_history(email, ledger, json))


ByName = Annotated[str, typer.Option("--by", help="your name")]
Role = Annotated[str, typer.Option(help="your role")]
Reason = Annotated[str, typer.Option(help="why")]
Evidence = Annotated[list[Path] | None, typer.Option(help="file that shows it; kept beside the log")]


@app.command()
def correct(
    position: Annotated[int, typer.Argument(help="position of the stop, from `history`")],
    by: ByName,
    role: Role,
    reason: Reason,
    evidence: Evidence = None,
    ledger: LedgerDir = None,
) -> None:
    """Take back a stop that was recorded by mistake. Listed in every report."""
    from adapters.cli.people import run_correct

    raise typer.Exit(run_correct(position, ledger, by, role, reason, evidence or []))


@app.command()
def merge(
    first: str,
    second: str,
    by: ByName,
    role: Role,
    reason: Reason,
    evidence: Evidence = None,
    ledger: LedgerDir = None,
) -> None:
    """Say that two addresses belong to one person: stops are united, grants stay where they are."""
    from adapters.cli.people import run_link

    raise typer.Exit(run_link(first, second, ledger, by, role, reason, evidence or [], undo=False))


@app.command()
def unmerge(
    first: str,
    second: str,
    by: ByName,
    role: Role,
    reason: Reason,
    evidence: Evidence = None,
    ledger: LedgerDir = None,
) -> None:
    """Take a merge back."""
    from adapters.cli.people import run_link

    raise typer.Exit(run_link(first, second, ledger, by, role, reason, evidence or [], undo=True))


@app.command()
def replay(
    compare: Annotated[bool, Flag("--compare", help="compare the rebuilt status with the live one")] = False,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Rebuild the status of every contact from the log alone."""
    from adapters.cli.people import run_replay

    raise typer.Exit(run_replay(ledger, compare, json))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"consent-ledger {version('consent-ledger')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, Flag("--version", callback=_version, is_eager=True, help="print the version")] = False,
) -> None:
    """Nothing of this is legal advice: every answer names the rules it applied."""


def main() -> None:
    """The console script: errors become one clear line and an exit code (docs/reference/cli.md)."""
    from adapters import is_ours

    if not is_ours():
        show("another package named `adapters` shadows this one; install consent-ledger in a venv of its own")
        sys.exit(EXIT.ERROR)
    from adapters.cli.errors import explained

    sys.exit(explained(app))
