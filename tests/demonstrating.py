"""What the demonstrations share: servers and programs brought up as real processes, and taken down whatever happens.

They lie with the tests and are not shipped: the servers they start are the ones of the tests (`tests.services`).
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from adapters.report.screen import WIDTH, Screen
from tests.services import kafka, postgres
from tests.services.program import Program
from tests.services.shared import MissingError
from tests.waiting import BUDGET, until


class Stopwatch:
    """Prints each thing that happened with the seconds since it was begun."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._from = time.monotonic()

    def tell(self, what: str, at: float | None = None) -> float:
        """Print it; the seconds."""
        took = (at or time.monotonic()) - self._from
        self._screen.wrapped(f"  {took:7.3f} s ", what, 12)
        return took


def shown(story: Callable[[ExitStack, Screen], int]) -> int:
    """Show a story; the exit code: its own, 130 after Ctrl-C, 1 where something is missing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # told as it happens, to a pipe too
    screen = Screen(Console(width=WIDTH, soft_wrap=True, highlight=False))
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupted)
    try:
        with _taking_down(screen) as stack:
            return story(stack, screen)
    except KeyboardInterrupt:
        screen.line("interrupted; everything was taken down")
        return 130
    except MissingError as error:
        screen.line(str(error), "bold")
        return 1


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


# --- up and down ----------------------------------------------------------------------------------


@contextmanager
def _taking_down(screen: Screen) -> Iterator[ExitStack]:
    """Whatever happens: end what was started, the last one first, and take the folder away."""
    with ExitStack() as stack:
        try:
            yield stack
        finally:
            for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(name, signal.SIG_IGN)  # it is being done
            screen.line()
            screen.line("TAKEN DOWN", "bold")
            stack.close()
            screen.line(f"  left behind: {_left_behind()}")


def _left_behind() -> str:
    jars = kafka.kept()
    return f"Kafka's programs in {jars.parent.name}/{jars.name}, for the next time" if jars.exists() else "nothing"


def servers(stack: ExitStack, screen: Screen) -> dict[str, str]:
    """A folder, a PostgreSQL and a Kafka; the environment in which the program works with them."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="consent-ledger-demo-")))
    folder.chmod(0o755)  # PostgreSQL may run as another user
    stack.callback(screen.line, f"  deleted {folder}")
    screen.line("UP", "bold")
    if not kafka.kept().exists():
        screen.line("  Kafka is fetched by Maven, this once")
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    return kept | {
        "CONSENT_LEDGER_DATABASE_URL": _postgres(stack, screen, folder),
        "CONSENT_LEDGER_KAFKA": _kafka(stack, screen, folder),
        "CONSENT_LEDGER_DIR": str(folder / "ledger"),
        "CONSENT_LEDGER_METRICS_PORT": "0",
        "NO_COLOR": "1",
    }


def _postgres(stack: ExitStack, screen: Screen, folder: Path) -> str:
    """A server with a database that is set up; its URL for the program."""
    place = folder / "postgres"
    place.mkdir()
    server = postgres.Server(place)
    ended(stack, screen, "PostgreSQL", server.stop, server.kill)
    server.start()
    postgres.prepare(server.url)
    url = stack.enter_context(postgres.fresh(server.url)).url
    with postgres.driver_of(url) as driver:
        version = str(driver.info.parameter_status("server_version")).partition(" ")[0]
    screen.line(f"  {'PostgreSQL ' + version:<20} 127.0.0.1:{server.port}")
    return url


def _kafka(stack: ExitStack, screen: Screen, folder: Path) -> str:
    """A broker; its bootstrap servers."""
    broker = kafka.Broker(folder / "kafka")
    ended(stack, screen, "Kafka", broker.kill, broker.kill)  # its data is thrown away: nothing need be finished
    broker.start()
    screen.line(f"  {'Kafka ' + kafka.version():<20} {broker.url}")
    return broker.url


def command(env: Mapping[str, str], *words: str) -> str:
    """Run a command to its end; what it printed."""
    line = [sys.executable, "-m", "adapters.cli", *words]
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=BUDGET, check=False)
    if done.returncode:
        raise RuntimeError(f"consent-ledger {' '.join(words)}: {done.stderr}")
    return done.stdout


def key(env: Mapping[str, str], name: str, role: str) -> dict[str, str]:
    """A new key, as the header that carries it."""
    secret = command(env, "keys", "add", "--name", name, "--role", role).strip()
    return {"authorization": f"Bearer {secret}"}


def program(stack: ExitStack, screen: Screen, env: Mapping[str, str], what: str, *words: str) -> Program:
    """Start a program that runs until the end."""
    log = Path(env["CONSENT_LEDGER_DIR"]).parent / f"{'-'.join(words[:3])}.log"
    started = Program(list(words), env, log, alone=True)
    ended(stack, screen, f"consent-ledger {' '.join(words)}", partial(started.stop, 10.0), started.kill)
    screen.line(f"  {what:<20} consent-ledger {' '.join(words)}")
    return started


def ended(stack: ExitStack, screen: Screen, what: str, stop: Callable[[], object], kill: Callable[[], None]) -> None:
    """Have it ended politely, and by force if that takes too long."""

    def end() -> None:
        try:
            stop()
        except subprocess.TimeoutExpired:
            kill()
        screen.line(f"  ended {what}")

    stack.callback(end)


def awaited(one: Program, ready: Callable[[], bool]) -> None:
    """Wait until it is so. Raises RuntimeError where the program ends instead."""
    until(lambda: ready() or not one.runs, one.said)
    if not one.runs:
        raise RuntimeError(one.said())
