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


class MissingError(RuntimeError):
    """A program that a service needs is not on this machine; says which, and how to get it."""


class Running(NamedTuple):
    """A service: where it answers, the process to end (None: not ours), and the signal that ends it politely."""

    url: str
    pid: int | None
    signal: int = signal.SIGTERM


def open_run() -> None:
    """Name the folder of this run; workers inherit it."""
    folder = Path(tempfile.mkdtemp(prefix="consent-ledger-tests-"))
    folder.chmod(0o755)  # a service may run as another user
    os.environ.setdefault(_FOLDER, str(folder))


def shared(name: str, start: Callable[[Path], Running]) -> str:
    """The service's URL; `start(folder)` is called by whoever comes first, with a folder for its data."""
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
    run = Path(os.environ.pop(_FOLDER))
    pids: list[int] = []
    for held in run.glob("*.json"):
        service = Running(**json.loads(held.read_text()))
        if service.pid is not None:
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
