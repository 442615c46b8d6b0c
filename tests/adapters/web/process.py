"""A process that serves, with settings of a test's own and as few files as it names; what is said to it by sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from tests.adapters.web.test_serve import PROGRAM
from tests.waiting import BUDGET


def run(home: Path, *words: str, files: int | None = None) -> subprocess.CompletedProcess[str]:
    """The program, once, to its end."""
    return subprocess.run(
        [*_bounded(files), PROGRAM, *words], cwd=home, capture_output=True, text=True, timeout=BUDGET, check=False
    )


def _bounded(files: int | None) -> list[str]:
    """What stands before a command that may open so many files; None: as many as this process may."""
    return [] if files is None else ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"]


@contextmanager
def serving(
    home: Path, lines: list[dict[str, Any]], files: int | None = None, **settings: object
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A process that serves; its URL. Afterwards `lines` holds what it logged."""
    made = run(home, "init", "--if-absent")
    assert made.returncode == 0, made.stderr
    process = subprocess.Popen(
        [*_bounded(files), PROGRAM, "serve", "--port", "0"],
        cwd=home,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **{f"CONSENT_LEDGER_{name.upper()}": str(value) for name, value in settings.items()}},
    )
    assert process.stdout is not None
    reader = Thread(target=_take_down, args=(process.stdout, lines))
    reader.start()  # a pipe that nobody empties would hold the service up
    try:
        listens = list[dict[str, Any]]()

        def is_up() -> bool:
            listens[:] = [line for line in lines if line["event"] == "service.listens"]
            return bool(listens) or process.poll() is not None

        assert eventually(is_up)
        yield f"http://127.0.0.1:{listens[0]['port']}", process
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=BUDGET)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def _take_down(pipe: Iterable[str], lines: list[dict[str, Any]]) -> None:
    for line in pipe:
        lines.append(json.loads(line))  # noqa: PERF401 - whoever waits sees each as it comes


def eventually(true: Callable[[], bool]) -> bool:
    """Wait for a condition; whether it came."""
    until = time.monotonic() + BUDGET
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def connected(url: str, data: bytes = b"") -> Iterator[socket.socket]:
    """A connection that has sent so much."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=BUDGET) as made:
        made.sendall(data)
        yield made


def rest_of(connection: socket.socket) -> bytes:
    """Everything until it is closed by the other side; TimeoutError when it is not."""
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return found


def problem_of(answer: bytes) -> dict[str, Any]:
    """The last problem in what came."""
    head, _, body = answer.rpartition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    said: dict[str, Any] = json.loads(body)
    return said
