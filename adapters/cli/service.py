"""`consent-ledger serve` and `consent-ledger keys ...`: the HTTP service, and who may ask it."""

from __future__ import annotations

import gc
import os
import signal
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.web.keys import KeyFile

app = typer.Typer(help="API keys of the HTTP service.", no_args_is_help=True)

KeyName = Annotated[str, typer.Option(help="what the key is called, such as the system that uses it")]
RoleName = Annotated[str, typer.Option(help="writer, reader, auditor or dpo")]


def run_serve(ledger: Path | None, host: str | None, port: int | None) -> None:
    """Serve until SIGTERM or SIGINT; requests at hand are answered first."""
    import uvicorn
    from prometheus_client import CollectorRegistry

    from adapters import logs
    from adapters.cli.receivers import receivers_of
    from adapters.inbox import Inbox
    from adapters.settings import Settings
    from adapters.web.app import make_app
    from adapters.web.keys import KeyFile
    from adapters.wiring import now

    settings = Settings.read(os.environ)
    with open_house(ledger) as house, ExitStack() as stack:
        lines = logs.to_stdout(now)
        logs.take_over(lines)
        receivers = receivers_of(settings, house, stack)
        inbox = stack.enter_context(closing(Inbox.open(house))) if receivers else None
        keys, registry = KeyFile(house.directory), CollectorRegistry()
        app = make_app(house, keys, now, lines, registry, os.urandom, receivers=receivers, inbox=inbox)
        config = uvicorn.Config(
            app,
            host=host or settings.http_host,
            port=settings.http_port if port is None else port,
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=8,
        )
        gc.freeze()  # what is made by now stays: no collection need look at it again
        # The server raises the signal again once it has ended; by then there is nothing left to end.
        signal.signal(signal.SIGTERM, lambda *_: None)
        listening = _bound(config.host, config.port)
        listening.listen(config.backlog)  # whoever comes before it runs is kept waiting, not refused
        address, bound, *_ = listening.getsockname()
        lines.write("info", "service.listens", host=address, port=bound)
        uvicorn.Server(config).run([listening])
        lines.write("info", "service.ended")


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
def add(name: KeyName, role: RoleName, ledger: LedgerDir = None) -> None:
    """Make a key and show it, this once. It holds from now on; the service need not be started again."""
    from adapters.web.keys import ROLES
    from adapters.wiring import now

    known = next((one for one in ROLES if one == role), None)
    if known is None:
        raise typer.BadParameter(f"{role!r} is no role: write {', '.join(ROLES)}")
    secret = _keys(ledger).add(name, known, now(), os.urandom)
    show(f"the key {name!r} may do what a {role} may; it is not shown again:")
    typer.echo(secret)


@app.command("list")
def list_(json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """Names, roles and days; never a key."""
    import msgspec

    keys = _keys(ledger).list()
    if json:
        out(msgspec.json.encode([{"name": one.name, "role": one.role, "made_at": one.made_at} for one in keys]))
        return
    for one in keys:
        typer.echo(f"{one.name}\t{one.role}\t{one.made_at:%Y-%m-%d}")


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="the key's name, from `keys list`")], ledger: LedgerDir = None
) -> None:
    """Take a key away: from the next request on it opens nothing."""
    _keys(ledger).revoke(name)
    show(f"the key {name!r} is revoked")
