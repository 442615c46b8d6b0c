"""Who sends half a request, too much of one, or takes no answer: ended in time, and in nobody's way.

Real sockets against a real process. Nothing here is measured: each wait is for a condition, with a generous budget.
"""

from __future__ import annotations

import json
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.web.connections import FILES_KEPT, connections_within_files
from tests.adapters.web.process import connected, eventually, problem_of, rest_of, run, serving
from tests.adapters.web.test_serve import key
from tests.adapters.web.world import SIMILAR
from tests.waiting import BUDGET

HALF_HEAD = b"POST /v1/gate HTTP/1.1\r\nHost: ledger\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nHost: ledger\r\n\r\n"
GATE = json.dumps(SIMILAR).encode()


def up_to(connection: socket.socket, last: bytes) -> bytes:
    """What comes, byte by byte, until these have."""
    found = b""
    while not found.endswith(last):
        part = connection.recv(1)
        assert part, found
        found += part
    return found


def asked(url: str, who: dict[str, str]) -> int:
    """The status of a question at the gate, by a connection of its own."""
    return httpx.post(f"{url}/v1/gate", json=SIMILAR, headers=who, timeout=BUDGET).status_code


def test_half_requests_keep_nobody_out_and_are_closed(tmp_path: Path) -> None:
    """More of them than there may be files, and all from one address."""
    reader, lines = key(tmp_path, "reader"), list[dict[str, Any]]()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2_000:
        pytest.skip("this machine lets a process open too few files to try")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2_000), hard))
    try:
        with serving(tmp_path, lines, files=1_024, http_head_seconds=3) as (url, process), ExitStack() as stack:
            half = [stack.enter_context(connected(url, HALF_HEAD)) for _ in range(1_100)]
            assert asked(url, reader) == 200
            assert httpx.get(f"{url}/livez", timeout=BUDGET).status_code == 200
            assert len(os.listdir(f"/proc/{process.pid}/fd")) < 1_024  # noqa: PTH208 - names are enough
            closed = [rest_of(one) for one in half]
            assert asked(url, reader) == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    answers = [problem_of(one) for one in closed if one]
    assert answers
    assert {answer["status"] for answer in answers} == {408}
    ended = [line for line in lines if line["event"] == "connections.ended"]
    assert {line["reason"] for line in ended} == {"room", "head"}
    assert sum(line["count"] for line in ended) == len(half)


def test_half_a_body_is_closed(tmp_path: Path) -> None:
    """With a key and without: by the one that answers first."""
    reader = key(tmp_path, "reader")["authorization"]
    with serving(tmp_path, [], http_body_seconds=1) as (url, _):
        head = HALF_HEAD + b"Content-Type: application/json\r\nContent-Length: 500\r\n"
        with connected(url, head + f"Authorization: {reader}\r\n\r\n{{".encode()) as known:
            late = rest_of(known)
        with connected(url, head + b"\r\n{") as unknown:
            refused = rest_of(unknown)
        with connected(url, HALF_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n") as in_pieces:
            assert problem_of(rest_of(in_pieces))["status"] == 401
        assert httpx.get(f"{url}/livez", timeout=BUDGET).status_code == 200
    assert late.startswith(b"HTTP/1.1 408 ")
    assert problem_of(late)["type"].endswith(":too-slow")
    assert refused.startswith(b"HTTP/1.1 401 ")


def test_an_answer_that_nobody_takes_is_given_up(tmp_path: Path) -> None:
    """Asked for long answers and never reading one, a connection is ended all the same."""
    with serving(tmp_path, [], http_body_seconds=1, http_source_rate=0) as (url, _):
        with connected(url) as greedy:
            greedy.setblocking(False)

            def is_gone() -> bool:
                try:
                    greedy.send(b"GET /openapi.json HTTP/1.1\r\nHost: ledger\r\n\r\n" * 50)
                except BlockingIOError:
                    return False
                except (ConnectionResetError, BrokenPipeError):
                    return True
                return False

            assert eventually(is_gone)
        assert httpx.get(f"{url}/livez", timeout=BUDGET).status_code == 200


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A service with small bounds, and a reader's key."""
    home = tmp_path_factory.mktemp("bounds")
    reader = key(home, "reader")["authorization"]
    with serving(home, [], http_head_bytes=4_096, http_headers=20) as (url, _):
        yield url, reader


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /livez HTTP/1.1\r\nHost: ledger\r\nX-Long: " + b"x" * 5_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: ledger\r\nX-Unfinished: " + b"x" * 5_000,
        b"GET /livez HTTP/1.1\r\nHost: ledger\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(30)) + b"\r\n",
        b"GET /livez?" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: ledger\r\n\r\n",
        b"GET /livez?" + b"x" * 5_000,
        b"\r\n" * 5_000,
    ],
    ids=["long", "unfinished", "many", "long-line", "unfinished-line", "empty-lines"],
)
def test_a_head_is_bounded(ours: tuple[str, str], sent: bytes) -> None:
    with connected(ours[0], sent) as connection:
        answer = rest_of(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close" in answer
    assert problem_of(answer)["type"].endswith(":head-too-large")
    assert httpx.get(f"{ours[0]}/livez", timeout=BUDGET).status_code == 200


def test_what_follows_a_body_is_bounded_and_changes_nothing(ours: tuple[str, str]) -> None:
    """Trailers are no headers: none of them lets anybody in, and they come to an end."""
    url, reader = ours
    head = HALF_HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    whole = b"\r\n%x\r\n" % len(GATE) + GATE + b"\r\n0\r\n"
    with connected(url, head + whole + f"Authorization: {reader}\r\nConnection: close\r\n\r\n".encode()) as sneaking:
        sneaking.shutdown(socket.SHUT_WR)
        assert problem_of(rest_of(sneaking))["status"] == 401
    with connected(url, head + whole + b"".join(b"X-%d: y\r\n" % n for n in range(30)) + b"\r\n") as many:
        assert rest_of(many).startswith(b"HTTP/1.1 4")


def test_requests_behind_each_other_are_answered_in_order(ours: tuple[str, str]) -> None:
    """As before there were bounds: two at once, then one that is too large and closes."""
    url, reader = ours
    head = HALF_HEAD + f"Authorization: {reader}\r\nContent-Type: application/json\r\n".encode()
    one = head + b"Content-Length: %d\r\n\r\n" % len(GATE) + GATE
    with connected(url, one + one) as connection:
        found = b"".join(up_to(connection, b"policy") for _ in range(2))
        connection.sendall(b"GET /livez HTTP/1.1\r\nX: " + b"x" * 5_000)
        assert b"HTTP/1.1 431 " in rest_of(connection)
    assert found.count(b"HTTP/1.1 200 ") == 2


def test_what_is_no_http_is_a_problem_too(ours: tuple[str, str]) -> None:
    with connected(ours[0], b"\x16\x03\x01 hello\r\n\r\n") as connection:
        answer = rest_of(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"cache-control: no-store" in answer
    assert problem_of(answer)["type"].endswith(":malformed")


def test_an_idle_connection_gives_way(tmp_path: Path) -> None:
    """As many as may be, all idle: whoever comes is let in, and the oldest has gone."""
    with serving(tmp_path, [], http_connections=3) as (url, _), ExitStack() as stack:
        idle = []
        for _ in range(3):
            idle.append(stack.enter_context(connected(url, LIVE)))
            assert up_to(idle[-1], b'{"alive":true}').startswith(b"HTTP/1.1 200 ")
        newest = stack.enter_context(connected(url, LIVE))
        assert up_to(newest, b'{"alive":true}').startswith(b"HTTP/1.1 200 ")
        assert rest_of(idle[0]) == b""


def test_connections_stay_below_the_files_there_may_be(tmp_path: Path) -> None:
    """And where there are too few files for any, it says so and does not start."""
    assert connections_within_files(1) == 1
    key(tmp_path, "reader")
    done = run(tmp_path, "serve", "--port", "0", files=FILES_KEPT)
    assert (done.returncode, done.stdout) == (1, "")
    assert "raise `ulimit -n`" in done.stderr
    lines = list[dict[str, Any]]()
    with serving(tmp_path, lines, files=FILES_KEPT + 20) as (url, _):
        assert httpx.get(f"{url}/livez", timeout=BUDGET).status_code == 200
    assert [line["count"] for line in lines if line["event"] == "service.listens"] == [20]
