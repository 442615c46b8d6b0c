"""`make demo-streams`: PostgreSQL, Kafka, ledger, publisher and a mirror as real processes, and the way of a fact.

It lies with the tests and is not shipped: the two servers it starts are the ones of the tests (`tests.services`).
Everything lies in a folder of its own and is thrown away; the exit code is 1 when a fact took more than two seconds,
130 after Ctrl-C.
"""

from __future__ import annotations

import io
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa
from rich.console import Console

from adapters.kafka.mirror_schema import cells, contacts
from adapters.kafka.topics import EVENTS, STATUS
from adapters.report.screen import WIDTH, Screen
from adapters.wiring import now
from projections.announcing import MOMENTS
from tests.services import kafka, postgres
from tests.services.program import Program, until
from tests.services.reading import Found, Reader
from tests.services.shared import MissingError

MOST_SECONDS = 2.0
"""From the moment a fact is posted until its answer is on the status topic."""
PERSON, PURPOSE = "ana@example.org", "marketing.similar"
SIGN_UP: dict[str, Any] = {
    "act": "unticked_box",
    "purposes": [PURPOSE],
    "channels": ["email"],
    "to": ["own"],
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
    "by": "data_subject",
}


class Here(NamedTuple):
    """What runs, and where it is told what it does."""

    screen: Screen
    shop: httpx.Client
    mailer: httpx.Client
    topics: Reader
    mirror: sa.Engine


class Stopwatch:
    """Prints each thing that happened with the seconds since the fact was posted."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._from = time.monotonic()

    def tell(self, what: str, at: float | None = None) -> float:
        """Print it; the seconds."""
        took = (at or time.monotonic()) - self._from
        self._screen.wrapped(f"  {took:7.3f} s ", what, 12)
        return took


def main() -> int:
    """Run it; the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # told as it happens, to a pipe too
    screen = Screen(Console(width=WIDTH, soft_wrap=True, highlight=False))
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupted)
    try:
        with _taking_down(screen) as stack:
            here = _bring_up(stack, screen)
            took = max(_story(here))
    except KeyboardInterrupt:
        screen.line("interrupted; everything was taken down")
        return 130
    except MissingError as error:
        screen.line(str(error), "bold")
        return 1
    fast = took <= MOST_SECONDS
    screen.line(f"The slower of the two was on the status topic after {took:.3f} s; {MOST_SECONDS:.0f} s are allowed.")
    return 0 if fast else 1


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


def _bring_up(stack: ExitStack, screen: Screen) -> Here:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="consent-ledger-demo-")))
    folder.chmod(0o755)  # PostgreSQL may run as another user
    stack.callback(screen.line, f"  deleted {folder}")
    screen.line("UP", "bold")
    if not kafka.kept().exists():
        screen.line("  Kafka is fetched by Maven, this once")
    env = _settings(folder, _postgres(stack, screen, folder), _kafka(stack, screen, folder))
    _command(env, "streams", "setup")
    writer, reader = (_key(env, "shop", "writer"), _key(env, "mailer", "reader"))
    ledger = _program(stack, screen, env, "ledger", "serve", "--port", "0")
    publisher = _program(stack, screen, env, "publisher", "streams", "publish")
    worker = _program(
        stack,
        screen,
        env,
        "reader elsewhere",
        "streams",
        "worker",
        "mirror",
    )
    _await(ledger, ledger.ready)
    _await(publisher, lambda: "is the active one" in publisher.said())
    _await(worker, worker.ready)
    shop, mailer = (
        stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{ledger.port}", headers=key, timeout=20))
        for key in (writer, reader)
    )
    mirror = sa.create_engine(env["CONSENT_LEDGER_MIRROR_URL"])
    stack.callback(mirror.dispose)
    topics = stack.enter_context(closing(Reader(env["CONSENT_LEDGER_KAFKA"], [EVENTS, STATUS])))
    return Here(screen, shop, mailer, topics, mirror)


def _postgres(stack: ExitStack, screen: Screen, folder: Path) -> str:
    """A server with a database that is set up; its URL for the program."""
    place = folder / "postgres"
    place.mkdir()
    server = postgres.Server(place)
    _ended(stack, screen, "PostgreSQL", server.stop, server.kill)
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
    _ended(stack, screen, "Kafka", broker.kill, broker.kill)  # its data is thrown away: nothing need be finished
    broker.start()
    screen.line(f"  {'Kafka ' + kafka.version():<20} {broker.url}")
    return broker.url


def _settings(folder: Path, database: str, servers: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    return kept | {
        "CONSENT_LEDGER_DIR": str(folder / "ledger"),
        "CONSENT_LEDGER_DATABASE_URL": database,
        "CONSENT_LEDGER_KAFKA": servers,
        "CONSENT_LEDGER_MIRROR_URL": f"sqlite:///{folder / 'mirror.db'}",
        "CONSENT_LEDGER_METRICS_PORT": "0",
        "NO_COLOR": "1",
    }


def _command(env: Mapping[str, str], *words: str) -> str:
    """Run a command to its end; what it printed."""
    command = [sys.executable, "-m", "adapters.cli", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"consent-ledger {' '.join(words)}: {done.stderr}")
    return done.stdout


def _key(env: Mapping[str, str], name: str, role: str) -> dict[str, str]:
    """A new key, as the header that carries it."""
    secret = _command(env, "keys", "add", "--name", name, "--role", role).strip()
    return {"authorization": f"Bearer {secret}"}


def _program(stack: ExitStack, screen: Screen, env: Mapping[str, str], what: str, *words: str) -> Program:
    log = Path(env["CONSENT_LEDGER_DIR"]).parent / f"{'-'.join(words[:3])}.log"
    started = Program(list(words), env, log, alone=True)
    _ended(stack, screen, f"consent-ledger {' '.join(words)}", started.stop, started.kill)
    screen.line(f"  {what:<20} consent-ledger {' '.join(words)}")
    return started


def _ended(stack: ExitStack, screen: Screen, what: str, stop: Callable[[], object], kill: Callable[[], None]) -> None:
    """Have it ended politely, and by force if that takes too long."""

    def end() -> None:
        try:
            stop()
        except subprocess.TimeoutExpired:
            kill()
        screen.line(f"  ended {what}")

    stack.callback(end)


def _await(program: Program, ready: Callable[[], bool]) -> None:
    until(lambda: ready() or not program.runs, 60, program.said)
    if not program.runs:
        raise RuntimeError(program.said())


# --- the story ------------------------------------------------------------------------------------


def _story(here: Here) -> Iterator[float]:
    """What is told; the seconds each fact took to the status topic."""
    screen = here.screen
    screen.line()
    screen.line("BEFORE", "bold")
    declared = {"hints": [{"country": "GB", "kind": "declared"}]}
    here.shop.post("/v1/facts", json=_fact("country_evidenced", declared)).raise_for_status()
    screen.wrapped("  ", f"Somebody in Britain is known, by an address alone. {_gate(here)}", 2)
    screen.line()
    screen.line("AN OPT-IN", "bold")
    yield _follow(here, "opted_in", SIGN_UP)
    screen.wrapped("  ", f"{_gate(here)}", 2)
    screen.line()
    screen.line("AN OPT-OUT", "bold")
    yield _follow(here, "opted_out", {"by": "data_subject"})
    screen.wrapped("  ", f"{_gate(here)}", 2)


def _follow(here: Here, kind: str, fields: Mapping[str, Any]) -> float:
    """Post a fact, and tell where it comes by; the seconds until its answer is on the status topic."""
    watch = Stopwatch(here.screen)
    posted = here.shop.post("/v1/facts", json=_fact(kind, fields))
    posted.raise_for_status()
    position, contact = posted.json()["position"], posted.json()["contact"]
    watch.tell(f"POST /v1/facts: {posted.status_code}, the log has it at position {position}, of contact {contact}")
    event = here.topics.find(EVENTS, lambda one: one.header("ce_position") == str(position))
    watch.tell(
        f"{EVENTS}, {_place(event)}: {event.header('ce_type')}, version {event.header('ce_streamversion')}", event.at
    )
    status = here.topics.find(STATUS, lambda one: one.key == contact and one.revision >= position * MOMENTS)
    value = status.json()
    cell = next(one for one in value["cells"] if one["purpose"] == PURPOSE and one["channel"] == "email")
    took = watch.tell(
        f"{STATUS}, {_place(status)}: revision {value['revision']}, cause {value['cause']}; {PURPOSE} by e-mail: "
        + _answer(cell["allowed"], cell["reason"]),
        status.at,
    )
    until(lambda: _mirrored(here, contact)[0] >= status.revision, 20)
    revision, allowed, reason = _mirrored(here, contact)
    watch.tell(f"the mirror's table: revision {revision}, {_answer(allowed, reason)}")
    return took


def _fact(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    data = {"person": {"email": PERSON}, "occurred_from": now().isoformat(), **fields}
    return {"source": "shop", "id": secrets.token_hex(8), "type": f"contact.{kind}.v1", "data": data}


def _gate(here: Here) -> str:
    """What the gate says now."""
    asked = here.mailer.post("/v1/gate", json={"email": PERSON, "purpose": PURPOSE})
    asked.raise_for_status()
    answer = asked.json()
    rule = f" by {answer['rule']}" if answer["allowed"] else ""
    return f"The gate, asked for {PURPOSE} by e-mail: {_answer(answer['allowed'], answer['reason'])}{rule}."


def _answer(allowed: bool, reason: str) -> str:
    return f"{'allowed' if allowed else 'not allowed'} ({reason})"


def _place(found: Found) -> str:
    return f"partition {found.partition}, offset {found.offset}"


def _mirrored(here: Here, contact: str) -> tuple[int, bool, str]:
    """What the mirror holds of the cell told of: revision, allowed, reason."""
    wanted = (contacts.c.contact == contact, cells.c.purpose == PURPOSE, cells.c.channel == "email")
    query = sa.select(contacts.c.revision, cells.c.allowed, cells.c.reason).join_from(
        contacts, cells, contacts.c.contact == cells.c.contact
    )
    with here.mirror.connect() as connection:
        row = connection.execute(query.where(*wanted)).first()
    return (row.revision, row.allowed, row.reason) if row else (-1, False, "absent")


if __name__ == "__main__":
    sys.exit(main())
