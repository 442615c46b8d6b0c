"""`consent-ledger hubspot`: the group of commands about HubSpot."""

from __future__ import annotations

import typer

app = typer.Typer(help="HubSpot: pull, keep in step.", no_args_is_help=True)
