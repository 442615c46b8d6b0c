"""`consent-ledger hubspot`: the portal's records into the ledger, and what HubSpot is told of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from adapters.cli.completion import pulled_kinds
from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, console, open_house, out, show

if TYPE_CHECKING:
    from adapters.evidence_map.reading import EvidenceMap
    from adapters.hubspot.api.client import Client
    from adapters.hubspot.pull.run import Told
    from adapters.wiring import House

app = typer.Typer(help="HubSpot: pull, keep in step.", no_args_is_help=True)

_MAP = "audit.toml"
_EVERY = 5.0
"""Seconds between two lines on the progress where there is no terminal to draw on."""


@app.command()
def pull(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="KIND",
            help="contacts, timeline, events, statuses, forms, submissions, deals",
            autocompletion=pulled_kinds,
        ),
    ] = None,
    full: Annotated[bool, Flag("--full", help="look at everything again; what is known stays as it is")] = False,
    map: Annotated[  # noqa: A002 - the option's name
        Path | None,
        typer.Option("--map", metavar="FILE", help="the evidence map; else audit.toml in the ledger's directory"),
    ] = None,
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", help="how long to try again while HubSpot does not answer", min=0)
    ] = 120,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Take what is new in the portal into the ledger; the first time, everything.

    Stopped half-way, it goes on from there. CONSENT_LEDGER_HUBSPOT_TOKEN gives access.
    """
    asked = _Asked(tuple(only or ()), map, full, patience, json)
    raise typer.Exit(_pull(asked, ledger))


@contextmanager
def opened_client(patience: float | None = None) -> Iterator[Client]:
    """A client of the portal that the environment names. Raises SettingsError."""
    from importlib.util import find_spec

    from adapters.settings import Settings

    if find_spec("httpx2") is None:
        show("this needs the package for HubSpot: pip install 'consent-ledger[hubspot]'")
        raise typer.Exit(EXIT.ERROR)
    from adapters.hubspot.api.client import PATIENCE
    from adapters.hubspot.api.opening import client_of

    with client_of(Settings.read(os.environ), patience=PATIENCE if patience is None else patience) as client:
        yield client


class _Asked(NamedTuple):
    """The options of a pull, as they were typed."""

    only: tuple[str, ...]
    map: Path | None
    full: bool
    patience: float
    json: bool


def _pull(asked: _Asked, ledger: Path | None) -> int:
    from adapters.cli.hubspot_said import as_json, summary
    from adapters.hubspot.api.portal import Portal
    from adapters.hubspot.pull.cursors import Cursors
    from adapters.hubspot.pull.ours import OurWrites
    from adapters.hubspot.pull.pulling import KINDS, pull_all
    from adapters.hubspot.pull.run import Pull
    from adapters.hubspot.sync.store import Book
    from adapters.importing import NOTHING_WANTED
    from adapters.receiving import AwayError
    from adapters.settings import Settings
    from adapters.wiring import now

    for kind in asked.only:
        if kind not in KINDS:
            raise typer.BadParameter(f"--only takes one of {', '.join(KINDS)}")
    with (
        opened_client(asked.patience) as client,
        open_house(ledger) as house,
        closing(Cursors.open(house)) as cursors,
        Book.open(house) as book,
        _progress(client, quiet=asked.json) as told,
    ):
        said = _adopted(house, asked.map)
        if asked.full:
            cursors.forget()
        wanted = said.wanted if said else NOTHING_WANTED
        ours = OurWrites(Settings.read(os.environ).hubspot_app, book)
        run = Pull(house, Portal(client), cursors, now, ours, wanted, told)
        try:
            refused = pull_all(run, asked.only)
        except AwayError:
            show("what was pulled so far is kept, and the same command goes on from there")
            raise
        out((as_json if asked.json else summary)(run.tallies, refused))
    if not asked.json:
        for error in refused:
            show(str(error))
    return EXIT.ERROR if refused else EXIT.OK


def _adopted(house: House, named: Path | None) -> EvidenceMap | None:
    """The evidence map, adopted as an import adopts it: of boxes, only those that it speaks of are kept."""
    from adapters.evidence_map.adopting import adopt_map
    from adapters.evidence_map.reading import read_map
    from adapters.wiring import now

    path = named or house.directory / _MAP
    if named is None and not path.exists():
        return None
    said = read_map(path)
    if named is not None or said.stanzas:
        adopt_map(house, said, now())
    return said


@contextmanager
def _progress(client: Client, *, quiet: bool) -> Iterator[Told]:
    """What is under way, on stderr: a line that is drawn again at a terminal, else a line now and then."""
    from adapters.cli.hubspot_said import Pace

    screen = console(stderr=True)
    pace = Pace(time.monotonic)
    if not screen.is_terminal:
        last = [time.monotonic()]

        def plain(kind: str, done: int, total: int | None) -> None:
            line = pace.line(kind, done, total, client.rate)
            if not quiet and time.monotonic() - last[0] >= _EVERY:
                last[0] = time.monotonic()
                show(line)

        yield plain
        return
    with screen.status("asking HubSpot") as status:
        yield lambda kind, done, total: status.update(pace.line(kind, done, total, client.rate))
