"""`consent-ledger serve` and `consent-ledger keys ...`: the HTTP service, and who may ask it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.completion import roles
from adapters.cli.options import JsonOut, LedgerDir, moment, open_house, out, show

if TYPE_CHECKING:
    from adapters.settings import Settings
    from adapters.web.connections import ConnectionLimits
    from adapters.web.keys import Key, KeyFile
    from adapters.web.rates import Limits

app = typer.Typer(help="API keys of the HTTP service.", no_args_is_help=True)

KeyName = Annotated[str, typer.Option(help="what the key is called, such as the system that uses it")]
RoleName = Annotated[
    str, typer.Option(help="what the key may do: writer, reader, auditor or dpo", autocompletion=roles)
]


def _refuse_unwritable(home: Path) -> None:
    """Raises SetupError for a ledger in files that may only be read: the service would answer nothing."""
    from ledger.database import SetupError
    from ledger.sqlite import cannot_be_written

    if cannot_be_written(home / "vault.db"):
        raise SetupError(f"{home} cannot be written here, and the service writes its answers there: serve it elsewhere")


def run_serve(ledger: Path | None, host: str | None, port: int | None) -> None:
    """Serve until SIGTERM or SIGINT; requests at hand are answered first."""
    import uvicorn
    from prometheus_client import CollectorRegistry

    from adapters import logs
    from adapters.cli.receivers import receivers_of
    from adapters.inbox import Inbox
    from adapters.settings import Settings
    from adapters.web.app import make_app
    from adapters.web.connections import Door, server_options
    from adapters.web.keys import KeyFile
    from adapters.wiring import now

    settings = Settings.read(os.environ)
    with open_house(ledger) as house, ExitStack() as stack:
        _refuse_unwritable(house.directory)
        lines = logs.to_stdout(now)
        logs.take_over(lines)
        receivers = receivers_of(settings, house, stack)
        inbox = stack.enter_context(closing(Inbox.open(house))) if receivers else None
        keys, registry = KeyFile(house.directory), CollectorRegistry()
        limits = _limits(settings)
        app = make_app(
            house,
            keys,
            now,
            lines,
            registry,
            os.urandom,
            receivers=receivers,
            inbox=inbox,
            limits=limits,
            lock_seconds=settings.http_lock_seconds,
        )
        door = Door(_connection_limits(settings), lines)
        config = uvicorn.Config(
            app,
            host=host or settings.http_host,
            port=settings.http_port if port is None else port,
            log_config=None,
            **server_options(door, settings.http_proxies),
        )
        gc.freeze()  # what is made by now stays: no collection need look at it again
        # The server raises the signal again once it has ended; by then there is nothing left to end.
        signal.signal(signal.SIGTERM, lambda *_: None)
        listening = _bound(config.host, config.port)
        listening.listen(config.backlog)  # whoever comes before it runs is kept waiting, not refused
        address, bound, *_ = listening.getsockname()
        lines.write("info", "service.listens", host=address, port=bound, count=door.limits.most)
        uvicorn.Server(config).run([listening])
        door.report()
        lines.write("info", "service.ended")


def _limits(settings: Settings) -> Limits:
    """How often a key, or a source without one, may ask."""
    from adapters.web.rates import Limits, Rate

    return Limits(
        Rate(settings.http_key_rate, settings.http_key_burst),
        Rate(settings.http_source_rate, settings.http_source_burst),
        time.monotonic,
    )


def _connection_limits(settings: Settings) -> ConnectionLimits:
    """What connections may take. FilesError where the process may open too few files."""
    from adapters.web.connections import ConnectionLimits, connections_within_files

    return ConnectionLimits(
        connections_within_files(settings.http_connections),
        settings.http_head_seconds,
        settings.http_body_seconds,
        settings.http_head_bytes,
        settings.http_headers,
    )


def _bound(host: str, port: int) -> socket.socket:
    """A socket bound there. Raises OSError, where uvicorn's own way would end the process."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    found.set_inheritable(True)
    return found


def _keys(ledger: Path | None) -> KeyFile:
    from adapters.web.keys import KeyFile

    with open_house(ledger) as house:
        return KeyFile(house.directory)


@app.command("add")
def add(
    name: KeyName,
    role: RoleName,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="the last day on which the key works, or a moment; otherwise it never expires"
        ),
    ] = None,
    ledger: LedgerDir = None,
) -> None:
    """Make a key and show it, this once. It holds from now on; the service need not be started again."""
    from adapters.web.keys import ROLES
    from adapters.wiring import now

    known = next((one for one in ROLES if one == role), None)
    if known is None:
        raise typer.BadParameter(f"{role!r} is not a role: write {', '.join(ROLES)}")
    ends = moment(until)
    if ends is not None and ends <= now():
        raise typer.BadParameter(f"{until!r} has passed: name a day to come")
    secret = _keys(ledger).add(name, known, now(), os.urandom, ends)
    end = "" if ends is None else f" until {ends:%Y-%m-%d %H:%M} UTC"
    show(f"the key {name!r} has the role {role}{end}; it is not shown again:")
    typer.echo(secret)


@app.command("list")
def list_(json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """List the keys: their names, roles and days, never a key itself."""
    import msgspec

    from adapters.wiring import now

    keys = _keys(ledger).list()
    if json:
        fields = ("name", "role", "made_at", "expires_at")
        out(msgspec.json.encode([{field: getattr(one, field) for field in fields} for one in keys]))
        return
    for one in keys:
        typer.echo(f"{one.name}\t{one.role}\t{one.made_at:%Y-%m-%d}\t{end_of(one, now())}")


def end_of(key: Key, now: datetime) -> str:
    """Until when a key holds, in words; empty: until it is revoked."""
    if key.expires_at is None:
        return ""
    if key.has_ended(now):
        return f"expired {key.expires_at:%Y-%m-%d}"
    days = key.days_left(now)
    soon = "" if days is None else ", today" if days == 0 else f", in {days} day{'s' * (days != 1)}"
    return f"expires {key.expires_at:%Y-%m-%d}{soon}"


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="the key's name, from `keys list`")], ledger: LedgerDir = None
) -> None:
    """Take a key away: from the next request on it opens nothing."""
    _keys(ledger).revoke(name)
    show(f"the key {name!r} is revoked")
