"""`consent-ledger doctor`: what of a CRM's settings makes trouble, and what its API lets us do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.completion import endings, severities
from adapters.cli.options import EXIT, JsonOut, LedgerDir, console, open_house, out, show

if TYPE_CHECKING:
    from adapters.hubspot.doctor.shapes import Diagnosis
    from adapters.report.screen import Screen

app = typer.Typer(help="Look over settings of a CRM or of the service, changing nothing.", no_args_is_help=True)
_INDENT = 10


@app.callback()
def doctor() -> None:
    """Look over settings of a CRM or of the service, changing nothing."""


@app.command()
def keys(
    ledger: LedgerDir = None,
    fail_on: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help=f"exit 3 if there is one: {', '.join(endings())}", autocompletion=endings),
    ] = None,
) -> None:
    """Look for API keys of the HTTP service that expire within 30 days, or have expired."""
    from adapters.cli.service import end_of
    from adapters.web.keys import KeyFile
    from adapters.wiring import now

    if fail_on not in (None, *endings()):
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(endings())}")
    with open_house(ledger) as house:
        ending = [key for key in KeyFile(house.directory).list() if key.days_left(now()) is not None]
    ended = [key for key in ending if key.has_ended(now())]
    grave = {None: [], "expired": ended, "any": ending}[fail_on]
    for key in ending:
        typer.echo(f"{key.name}\t{key.role}\t{end_of(key, now())}")
    show(
        f"{len(ending)} to replace: make a new key with `keys add`, hand it over, and revoke the old one"
        if ending
        else "no key expires within 30 days"
    )
    raise typer.Exit(EXIT.FINDINGS if grave else EXIT.OK)


@app.command()
def hubspot(
    json: JsonOut = False,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="SEVERITY",
            help="exit 3 if there is one: high, medium, low (and graver)",
            autocompletion=severities,
        ),
    ] = None,
) -> None:
    """Look over a HubSpot portal: what sets marketing by itself, what is no real yes, what its API lets us do.

    Some dozens of calls, none of which changes anything. CONSENT_LEDGER_HUBSPOT_TOKEN opens HubSpot.
    """
    import msgspec

    from adapters.cli.hubspot_sync import portal_opened
    from adapters.hubspot.doctor.looking import looked
    from adapters.hubspot.doctor.shapes import SEVERITIES
    from adapters.report.screen import Screen
    from adapters.wiring import now

    if fail_on is not None and fail_on not in SEVERITIES:
        raise typer.BadParameter(f"--fail-on takes one of {', '.join(SEVERITIES)}")
    with portal_opened() as portal:
        found = looked(portal, now())
    if json:
        out(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        _render(found, Screen(console()))
    grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on in SEVERITIES else ()
    raise typer.Exit(EXIT.FINDINGS if any(one.severity in grave for one in found.findings) else EXIT.OK)


def _render(found: Diagnosis, screen: Screen) -> None:
    screen.line(f"HubSpot at {found.url}, API {found.version}", style="bold")
    contacts = "unknown" if found.contacts is None else f"{found.contacts:,}"
    marketing = "unknown" if found.marketing is None else f"{found.marketing:,}"
    screen.line(f"{contacts} contacts, {marketing} of them marketing")
    screen.line()
    screen.line(f"{len(found.findings)} findings", style="bold")
    for one in found.findings:
        screen.wrapped(one.severity, f"{one.where}: {one.said}", _INDENT, style="bold red" * (one.severity == "high"))
        screen.wrapped("", f"change: {one.change}", _INDENT)
    screen.line()
    screen.line("What the credentials and this portal's API allow", style="bold")
    for able in found.abilities:
        scope = f" [{able.scope}]" if able.scope else ""
        said = f": {able.said}" if able.said else ""
        screen.wrapped(able.can, f"{able.name}{scope}{said}", _INDENT)
    _rates(found, screen)
    screen.line()
    screen.line("What HubSpot's API does not show: look by hand", style="bold")
    for unknown in found.unknown:
        screen.wrapped("-", f"{unknown.what}: {unknown.look}", 2)


def _rates(found: Diagnosis, screen: Screen) -> None:
    rates = found.rates
    pace = "not said" if rates.per_second is None else f"{rates.per_second:.1f} a second used here"
    day = "not said" if rates.day is None else f"{rates.day_left:,} of {rates.day:,} left today"
    screen.line()
    screen.line(f"Calls: {pace}; {day}")
