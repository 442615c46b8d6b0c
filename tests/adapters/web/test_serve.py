"""The service as it is run: keys by the command line, a process that serves, and ends when told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.adapters.web.world import ANA, MARKER, SIMILAR, fact
from tests.waiting import BUDGET

PROGRAM = Path(sys.executable).parent / "consent-ledger"


def program(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *words], cwd=home, capture_output=True, text=True, timeout=BUDGET, check=False)


def key(home: Path, role: str) -> dict[str, str]:
    assert program(home, "init", "--if-absent").returncode == 0
    done = program(home, "keys", "add", "--role", role, "--name", role)
    assert done.returncode == 0, done.stderr
    return {"authorization": f"Bearer {done.stdout.strip()}"}


@contextmanager
def serving(home: Path, lines: list[dict[str, Any]]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A process that serves; its URL. Afterwards `lines` holds what it logged."""
    process = subprocess.Popen([PROGRAM, "serve", "--port", "0"], cwd=home, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "service.listens":
                break
        yield f"http://127.0.0.1:{lines[-1]['port']}", process
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=BUDGET)
        lines += [json.loads(line) for line in rest.splitlines()]
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    writer, reader = key(tmp_path, "writer"), key(tmp_path, "reader")
    lines: list[dict[str, Any]] = []
    with serving(tmp_path, lines) as (url, process):
        recorded = httpx.post(f"{url}/v1/facts", json=fact(), headers=writer, timeout=BUDGET)
        asked = httpx.post(f"{url}/v1/gate", json=SIMILAR, headers=reader, timeout=BUDGET)
    assert (recorded.status_code, asked.json()["reason"]) == (201, "opted_out")
    assert process.returncode == 0
    assert lines[-1]["event"] == "service.ended"
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/v1/facts", "/v1/gate"]
    assert MARKER not in json.dumps(lines)
    status = program(tmp_path, "status", ANA, "--json")
    assert json.loads(status.stdout)["status"][0]["allowed"] is False


def test_an_answer_at_hand_is_given_before_it_ends(tmp_path: Path) -> None:
    """Told to end while somebody waits for a position, it lets the wait run out."""
    reader = key(tmp_path, "reader")
    lines: list[dict[str, Any]] = []
    with (
        serving(tmp_path, lines) as (url, process),
        closing(HTTPConnection(urlsplit(url).netloc, timeout=BUDGET)) as line,
    ):
        body = json.dumps(SIMILAR).encode()
        headers = reader | {"content-type": "application/json", "content-length": str(len(body))}
        line.putrequest("POST", "/v1/gate?min_position=99")
        for name, value in (headers | {"expect": "100-continue"}).items():
            line.putheader(name, value)
        line.endheaders()
        assert line.sock.recv(1_000).startswith(b"HTTP/1.1 100 ")  # from here on it has the request at hand
        line.send(body)
        process.send_signal(signal.SIGTERM)
        waited = line.getresponse()
    assert waited.status == 412
    assert process.returncode == 0


def test_keys_are_shown_once_and_revoked(tmp_path: Path) -> None:
    secret = key(tmp_path, "dpo")["authorization"].removeprefix("Bearer ")
    listed = program(tmp_path, "keys", "list")
    assert listed.stdout.split("\t")[:2] == ["dpo", "dpo"]
    assert secret not in listed.stdout + (tmp_path / "consent-ledger/api-keys.json").read_text()
    assert json.loads(program(tmp_path, "keys", "list", "--json").stdout)[0]["role"] == "dpo"
    assert program(tmp_path, "keys", "revoke", "dpo").returncode == 0
    assert program(tmp_path, "keys", "list").stdout == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("keys", "add", "--role", "admin", "--name", "x"), 2, "not a role"),
        (("keys", "revoke", "nobody"), 1, "no key"),
        (("keys", "list", "--ledger", "elsewhere"), 1, "there is no ledger"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    key(tmp_path, "writer")
    done = program(tmp_path, *words)
    assert done.returncode == code
    assert said in done.stderr


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    key(tmp_path, "writer")
    done = program(tmp_path, "keys", "add", "--role", "reader", "--name", "writer")
    assert (done.returncode, done.stdout) == (1, "")
    assert (tmp_path / "consent-ledger").stat().st_mode & 0o777 == 0o700
