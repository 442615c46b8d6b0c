"""`consent-ledger`: the command line. Thin: parse, open the ledger, call one thing, print its answer.

Imports that cost time stand inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli import (
    database,
    dlq,
    doctor,
    drift,
    gate,
    hubspot,
    hubspot_sync,
    keeping,
    policy,
    publish,
    record,
    review,
    sends,
    service,
    streams,
    webhooks,
)
from adapters.cli import map as map_
from adapters.cli.completion import agreements, audiences, audited, buckets, channels, orders, purposes
from adapters.cli.groups import TwoWords
from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, moment, show
from adapters.cli.panels import arrange

app = typer.Typer(
    name="consent-ledger",
    cls=TwoWords,
    help="Why may we write to this person, since when, until when, and can we prove it?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(record.app, name="record")
app.add_typer(policy.app, name="policy")
app.add_typer(map_.app, name="map")
app.add_typer(review.app, name="review")
app.add_typer(database.app, name="database")
app.add_typer(streams.app, name="streams")
streams.app.command()(publish.publish)
app.add_typer(dlq.app, name="dlq")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(service.app, name="keys")
app.add_typer(hubspot.app, name="hubspot")
hubspot_sync.add_to(hubspot.app)
app.add_typer(doctor.app, name="doctor")
app.add_typer(drift.app, name="drift")
keeping.add_to(app)

Known = Annotated[str | None, typer.Option(metavar="DATE", help="answer with what was recorded by that day")]
Law = Annotated[str | None, typer.Option(metavar="DATE", help="answer by the rules that were known by that day")]
On = Annotated[str | None, typer.Option(metavar="DATE", help="the day that you ask about; otherwise today")]
Files = Annotated[list[Path], typer.Argument(help="exports as downloaded, or folders of them")]
AuditFiles = Annotated[
    list[Path] | None,
    typer.Argument(
        help="exports as downloaded, or folders of them; none: what the ledger holds", autocompletion=audited
    ),
]
Controller = Annotated[str | None, typer.Option(help="name of the legal entity that sends")]
Country = Annotated[str | None, typer.Option(help="the sender's country, two letters (DE, GB, US ...)")]
Assumed = Annotated[str | None, typer.Option(help="country of recipients about whom nothing is known")]
Out = Annotated[Path | None, typer.Option(help="folder for the report and the lists")]
PurposeOption = Annotated[str | None, typer.Option(help="one purpose, e.g. marketing.similar", autocompletion=purposes)]
Zone = Annotated[str | None, typer.Option(help="time zone of the export's times, e.g. Europe/Berlin")]
Encoding = Annotated[str | None, typer.Option(help="read the files in this encoding")]
DateFormat = Annotated[
    str | None,
    typer.Option(
        metavar="ORDER",
        help="the order of day and month in dates such as 03/04/2024: d/m/y or m/d/y",
        autocompletion=orders,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="HEADER=PROPERTY", help="what a column is, e.g. 'Meine Spalte=legal_basis'"),
]
Stops = Annotated[
    list[Path] | None,
    typer.Option("--stops", metavar="FILE", help="objections kept elsewhere: address, date, words"),
]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="the evidence map; else audit.toml in the ledger's directory"),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        metavar="BUCKET",
        help="exit 3 if a record falls into it; lost_stops: if a row may be an unread stop",
        autocompletion=buckets,
    ),
]
Accepted = Annotated[
    list[str] | None,
    typer.Option("--accept-lost-stops", metavar="FILE=N", help="go on without N rows of FILE that may be stops"),
]
By = Annotated[str | None, typer.Option(metavar="NAME", help="who answers for --accept-lost-stops")]
SameCompany = Annotated[
    bool, Flag("--same-company", help="this export is of this ledger's company, though it shares hardly anybody")
]


@app.command()
def audit(
    files: AuditFiles = None,
    controller: Controller = None,
    sender_country: Country = None,
    assume_country: Assumed = None,
    out: Out = None,
    ledger: LedgerDir = None,
    on: On = None,
    purpose: PurposeOption = None,
    timezone: Zone = None,
    encoding: Encoding = None,
    date_format: DateFormat = None,
    columns: Columns = None,
    stops: Stops = None,
    map: Map = None,  # noqa: A002 - the option's name
    keep_nothing: Annotated[
        bool, Flag("--keep-nothing", help="leave nothing behind but the output folder: no ledger")
    ] = False,
    tier: Annotated[int | None, typer.Option(help="marketing contacts your plan includes")] = None,
    price: Annotated[float | None, typer.Option(help="what you pay a month for them")] = None,
    currency: Annotated[str | None, typer.Option(help="of the price, e.g. EUR")] = None,
    step: Annotated[int | None, typer.Option(help="by how many contacts a tier of your plan grows")] = None,
    renewal: Annotated[str | None, typer.Option(metavar="DATE", help="when your contract is renewed")] = None,
    json: JsonOut = False,
    fail_on: FailOn = None,
    accepted: Accepted = None,
    by: By = None,
    same_company: SameCompany = False,
) -> None:
    """Audit a portal: its contacts export, and whatever else shows what people said and did.

    FILES are exports as they were downloaded (CSV, XLSX, JSON, ZIP) or folders
    of them. Without any, what the ledger holds is audited: the records that it
    was shown by exports, `hubspot pull` and webhooks.
    """
    from adapters.cli.audit import Asked, run_audit

    asked = Asked(
        controller=controller,
        sender_country=sender_country,
        assume_country=assume_country,
        out=out,
        at=on,
        purpose=purpose,
        timezone=timezone,
        encoding=encoding,
        date_format=date_format,
        columns=tuple(columns or ()),
        stops=tuple(stops or ()),
        map=map,
        keep_nothing=keep_nothing,
        tier=tier,
        price=price,
        currency=currency,
        step=step,
        renewal=renewal,
        json=json,
        fail_on=fail_on,
        accepted=tuple(accepted or ()),
        by=by,
        same_company=same_company,
    )
    raise typer.Exit(run_audit(files or [], ledger, asked))


app.command("audit sends")(sends.sends)
app.command()(gate.gate)


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
    date_format: DateFormat = None,
    columns: Columns = None,
    stops: Stops = None,
    map: Map = None,  # noqa: A002 - the option's name
    json: JsonOut = False,
    accepted: Accepted = None,
    by: By = None,
    same_company: SameCompany = False,
) -> None:
    """Take exports into the ledger, without a report."""
    from adapters.cli.audit import Asked, run_import

    asked = Asked(
        timezone=timezone,
        encoding=encoding,
        date_format=date_format,
        columns=tuple(columns or ()),
        stops=tuple(stops or ()),
        map=map,
        json=json,
        accepted=tuple(accepted or ()),
        by=by,
        same_company=same_company,
    )
    raise typer.Exit(run_import(files, ledger, asked))


generate = typer.Typer(help="Make made-up data to try things with.", no_args_is_help=True)
app.add_typer(generate, name="generate")


@generate.command("portal")
def generate_portal(
    out: Annotated[Path, typer.Option(help="folder for its files")] = Path("portal"),
    contacts: Annotated[int, typer.Option(help="how many contacts", min=1)] = 1_000,
    seed: Annotated[int, typer.Option(help="the same seed makes the same portal")] = 1,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="the day that the export is made; otherwise today")
    ] = None,
) -> None:
    """Make up a messy portal with all its files, and the truth about every contact in it."""
    from adapters.cli.portal import run_generate

    raise typer.Exit(run_generate(out, contacts, seed, moment(on)))


@app.command()
def why(
    email: Annotated[str | None, typer.Argument(help="an address, a reference (CL-...) or a record id")] = None,
    on: On = None,
    message_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="instead of an address: one e-mail, by its id or reference in `audit sends`"),
    ] = None,
    purpose: Annotated[
        str | None,
        typer.Option(help="the purpose that you ask about; otherwise all marketing purposes", autocompletion=purposes),
    ] = None,
    channel: Annotated[str, typer.Option(help="email, sms, phone or post", autocompletion=channels)] = "email",
    known_at: Known = None,
    law_at: Law = None,
    audience: Annotated[
        str, typer.Option("--for", help="counsel; or person: fit to send to the person", autocompletion=audiences)
    ] = "counsel",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="write the page as one HTML file")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="write the page as PDF, to be filed")] = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Explain why this address may be written to, or why it was: the e-mail, the rule, its conditions, the evidence."""
    from adapters.cli.people import asked_of, run_why

    if audience not in ("counsel", "person"):
        raise typer.BadParameter(f"--for takes counsel or person, not {audience!r}")
    if (email is None) == (message_id is None):
        raise typer.BadParameter("name either an address or, with --message-id, an e-mail")
    if message_id is not None and on is not None:
        raise typer.BadParameter("an e-mail has its own moment: leave --on out beside --message-id")
    asked = asked_of(on, purpose, channel, moment(known_at), moment(law_at))
    person = audience == "person"
    code = run_why(email, ledger, asked, message_id=message_id, person=person, html=html, pdf=pdf, json=json)
    raise typer.Exit(code)


@app.command("note")
def add_note(
    email: Annotated[str, typer.Argument(help="an address, a reference (CL-...) or a record id")],
    by: Annotated[str, typer.Option("--by", help="your name")],
    role: Annotated[str, typer.Option(help="your role")],
    note: Annotated[str, typer.Option(help="words to keep, encrypted")],
    ledger: LedgerDir = None,
) -> None:
    """Note something about a person, as counsel or officer. It decides nothing; later pages for counsel show it."""
    from adapters.cli.notes import run_note

    raise typer.Exit(run_note(email, ledger, by, role, note))


Whom = Annotated[str, typer.Argument(help="an address, a reference (CL-...) or a record id")]


@app.command()
def status(email: Whom, json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """Look an address up: what is allowed now, purpose by purpose, and until when."""
    from adapters.cli.people import run_status

    raise typer.Exit(run_status(email, ledger, json))


@app.command()
def history(email: Whom, json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """Look up every fact that the ledger holds about an address, with its times."""
    from adapters.cli.people import run_history

    raise typer.Exit(run_history(email, ledger, json))


ByName = Annotated[str, typer.Option("--by", help="your name")]
Role = Annotated[str, typer.Option(help="your role")]
Reason = Annotated[str, typer.Option(help="why; it is kept with what is recorded")]
Evidence = Annotated[list[Path] | None, typer.Option(help="file that shows it; kept beside the log")]
SecondName = Annotated[str | None, typer.Option("--second", help="the name of the other person, where two are needed")]
SecondRole = Annotated[str | None, typer.Option("--second-role", help="the role of the other person")]


@app.command()
def correct(
    stop: Annotated[str, typer.Argument(metavar="POSITION|CL-...", help="the opt-out, by its position or reference")],
    by: ByName,
    role: Role,
    reason: Reason,
    evidence: Evidence = None,
    second: SecondName = None,
    second_role: SecondRole = None,
    yes: Annotated[bool, Flag("--yes", help="do it without asking")] = False,
    ledger: LedgerDir = None,
) -> None:
    """Take back a stop that was recorded by mistake. Listed in every report.

    Shows what it takes back and what the answers become, and asks; where nobody can be asked it only shows, and
    ends with 3.
    """
    from adapters.cli.correcting import run_correct, second_of
    from ledger.commands import Signature

    signed = Signature(name=by, role=role, reason=reason)
    raise typer.Exit(run_correct(stop, ledger, signed, second_of(second, second_role), evidence or [], yes=yes))


@app.command("two-people")
def two_people(
    wanted: Annotated[
        bool,
        typer.Argument(metavar="yes|no", help="whether every correction needs two people", autocompletion=agreements),
    ],
    by: ByName,
    role: Role,
    reason: Reason,
    second: SecondName = None,
    second_role: SecondRole = None,
    ledger: LedgerDir = None,
) -> None:
    """Say whether every correction of this ledger needs two people. To end it takes two."""
    from adapters.cli.correcting import run_two_people, second_of
    from ledger.commands import Signature

    signed = Signature(name=by, role=role, reason=reason)
    raise typer.Exit(run_two_people(wanted, ledger, signed, second_of(second, second_role)))


First = Annotated[str, typer.Argument(help="an address, a reference (CL-...) or a record id")]
Other = Annotated[str, typer.Argument(help="the same person's other one")]


def _link(name: str, text: str, *, undo: bool) -> None:
    @app.command(name, help=text)
    def command(
        first: First,
        second: Other,
        by: ByName,
        role: Role,
        reason: Reason,
        evidence: Evidence = None,
        ledger: LedgerDir = None,
    ) -> None:
        from adapters.cli.people import run_link

        raise typer.Exit(run_link(first, second, ledger, by, role, reason, evidence or [], undo=undo))


_link("merge", "Say that two addresses belong to one person: stops are united, grants stay where they are.", undo=False)
_link("unmerge", "Take a merge back.", undo=True)


@app.command()
def replay(
    compare: Annotated[bool, Flag("--compare", help="compare the rebuilt status with the live one")] = False,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Rebuild the status of every contact from the log alone."""
    from adapters.cli.people import run_replay

    raise typer.Exit(run_replay(ledger, compare, json))


@app.command()
def init(
    if_absent: Annotated[bool, Flag("--if-absent", help="exit 0 when there is a ledger already")] = False,
    ledger: LedgerDir = None,
) -> None:
    """Make a ledger: its keys, its vault and its log. `audit`, `import`, `record` and `demo` do so by themselves."""
    from adapters.cli.making import run_init

    raise typer.Exit(run_init(ledger, if_absent=if_absent))


@app.command()
def upgrade(ledger: LedgerDir = None) -> None:
    """Give a ledger made by an earlier version its identity, once its keys are seen to open its vault."""
    from adapters.cli.making import run_upgrade

    raise typer.Exit(run_upgrade(ledger))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on; CONSENT_LEDGER_HTTP_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; CONSENT_LEDGER_HTTP_PORT")] = None,
    ledger: LedgerDir = None,
) -> None:
    """Serve facts, the gate, status, why and history over HTTP, to whoever has a key (see `keys`)."""
    service.run_serve(ledger, host, port)


@app.command()
def find(text: Annotated[list[str], typer.Argument(help="words: take back, expire, dead letter ...")]) -> None:
    """Find the command that does something, by any words of its help."""
    from adapters.cli.finding import run_find

    raise typer.Exit(run_find(typer.main.get_command(app), " ".join(text)))


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


arrange(app)


def main() -> None:
    """The console script: errors become one clear line and an exit code (docs/reference/cli.md)."""
    from adapters import is_ours

    if not is_ours():
        show("another package named `adapters` shadows this one; install consent-ledger in a venv of its own")
        sys.exit(EXIT.ERROR)
    from adapters.cli.errors import explained

    sys.exit(explained(app))
