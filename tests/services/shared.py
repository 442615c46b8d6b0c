"""One service for all processes of a test run: the first that needs it starts it, the run's end stops it.

The run's folder is handed to pytest-xdist's workers by the environment. What lies in it is one JSON
file a service: its address and the process id to end.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_FOLDER = "CONSENT_LEDGER_TEST_RUN"
_PREFIX = "consent-ledger-tests-"
_OWNER = "owner.pid"


class MissingError(RuntimeError):
    """A program that a service needs is not on this machine; says which, and how to get it."""


_unmarked: str | None = None
"""The test that runs now, where it is not marked as one that needs a service."""


def mark(test: str | None) -> None:
    """Name the test that runs now and may start no service; None: it may."""
    global _unmarked  # noqa: PLW0603 - of this process, as the tests are
    _unmarked = test


def check_mark() -> None:
    """Raises AssertionError where a test needs a service without a mark that says so: `make test` would start it."""
    assert _unmarked is None, f"{_unmarked} needs a service: mark it `service`"


class Running(NamedTuple):
    """A service: where it answers, the process to end (None: not ours), and the signal that ends it politely."""

    url: str
    pid: int | None
    signal: int = signal.SIGTERM


def open_run() -> None:
    """Name the folder of this run; workers inherit it."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o755)  # a service may run as another user
    (folder / _OWNER).write_text(str(os.getpid()))
    os.environ[_FOLDER] = str(folder)


def sweep() -> None:
    """End what runs left that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder / _OWNER
        if owner.exists() and not _lives(int(owner.read_text())):
            _close(folder, 5.0)


def shared(name: str, start: Callable[[Path], Running]) -> str:
    """The service's URL; `start(folder)` is called by whoever comes first, with a folder for its data."""
    check_mark()
    run = Path(os.environ[_FOLDER])
    held = run / f"{name}.json"
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not held.exists():
            data = run / name
            data.mkdir(mode=0o755, exist_ok=True)
            started = start(data)
            held.write_text(json.dumps(started._asdict()))
        return str(json.loads(held.read_text())["url"])


def close_run(seconds: float = 20.0) -> None:
    """End every service of this run, politely and then by force, and take its folder away."""
    _close(Path(os.environ.pop(_FOLDER)), seconds)


def _close(run: Path, seconds: float) -> None:
    pids: list[int] = []
    for held in run.glob("*.json"):
        service = Running(**json.loads(held.read_text()))
        if service.pid is not None and _serves(service.pid, run):
            pids.append(service.pid)
            with suppress(ProcessLookupError):
                os.kill(service.pid, service.signal)
    until = time.monotonic() + seconds
    for pid in pids:
        while _lives(pid) and time.monotonic() < until:
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(run, ignore_errors=True)


def _serves(pid: int, run: Path) -> bool:
    """Whether a process is still the one that was started for this run: its number may be another's by now."""
    command = Path(f"/proc/{pid}/cmdline")
    return str(run).encode() in command.read_bytes() if command.exists() else not Path("/proc").exists()


def _lives(pid: int) -> bool:
    with suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
