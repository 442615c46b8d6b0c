"""A database that somebody else keeps locked: said at once and everywhere, while questions are answered."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters.web.process import eventually, serving
from tests.adapters.web.test_serve import key
from tests.adapters.web.world import ANA, SIMILAR, fact
from tests.waiting import BUDGET

MANY = 100
"""Callers at once: more than there are turns, and threads."""


@contextmanager
def locked(home: Path, part: str) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    path = home / "consent-ledger" / f"{part}.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=BUDGET)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def sent_at_once(url: str, writer: dict[str, str]) -> list[httpx.Response]:
    """Many stops, each of another person."""
    limits = httpx.Limits(max_connections=MANY)
    async with httpx.AsyncClient(timeout=BUDGET, limits=limits) as client:
        facts = [fact("objected", f"stop-{n}", f"{n}.{ANA}") for n in range(MANY)]
        return await asyncio.gather(*(client.post(f"{url}/v1/facts", json=one, headers=writer) for one in facts))


@pytest.mark.parametrize("part", ["vault", "log"])
def test_it_is_said_and_questions_go_on(tmp_path: Path, part: str) -> None:
    """Nobody waits for as long as the lock is held, however many there are; and then nothing is lost."""
    writer, dpo, lines = key(tmp_path, "writer"), key(tmp_path, "dpo"), list[dict[str, Any]]()
    with serving(tmp_path, lines, http_lock_seconds=2) as (url, _), httpx.Client(timeout=BUDGET) as client:
        assert client.post(f"{url}/v1/facts", json=fact(), headers=writer).status_code == 201
        with locked(tmp_path, part):
            refused = asyncio.run(sent_at_once(url, writer))
            ready = client.get(f"{url}/readyz")
            assert client.get(f"{url}/livez").status_code == 200
            gate = client.post(f"{url}/v1/gate", json=SIMILAR, headers=dpo)
            why = client.post(f"{url}/v1/why", json=SIMILAR, headers=dpo)
        assert {answer.status_code for answer in refused} == {503}
        assert {answer.headers["content-type"] for answer in refused} == {"application/problem+json"}
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert (ready.status_code, ready.json()["detail"][:27]) == (503, "nothing can be recorded: th")
        assert (gate.status_code, gate.json()["reason"]) == (200, "opted_out")
        assert (why.status_code, why.json()["decision"]["allowed"]) == (200, False)
        assert eventually(lambda: client.get(f"{url}/readyz").status_code == 200)
        # Sent again until each is acknowledged: where the machine is slow, some wait too long once more.
        assert eventually(lambda: {one.status_code for one in asyncio.run(sent_at_once(url, writer))} == {200})
    away = [line for line in lines if line["event"] == "database.away"]
    assert away
    assert {line["error"] for line in away} == {"OperationalError"}


def test_where_every_connection_is_at_work_whoever_comes_is_told(tmp_path: Path) -> None:
    """None of them is ended for that: what is being recorded comes first."""
    writer = key(tmp_path, "writer")
    lines = list[dict[str, Any]]()
    with serving(tmp_path, lines, http_connections=3, http_lock_seconds=BUDGET) as (url, _), ExitStack() as stack:

        async def served_and_refused() -> tuple[list[httpx.Response], httpx.Response]:
            limits = httpx.Limits(max_connections=3)
            async with httpx.AsyncClient(timeout=BUDGET, limits=limits) as client, httpx.AsyncClient() as late:
                facts = [fact("objected", n, f"{n}.{ANA}") for n in range(3)]
                at_work = [
                    asyncio.create_task(client.post(f"{url}/v1/facts", json=one, headers=writer)) for one in facts
                ]
                answer: httpx.Response | None = None
                while answer is None or answer.status_code != 503:
                    # Until all three are in, the one that comes is let in and answered, or gives way to one of them.
                    with suppress(httpx.TransportError):
                        answer = await late.get(f"{url}/livez", headers={"connection": "close"})
                held.close()
                return await asyncio.gather(*at_work), answer

        held = stack.enter_context(ExitStack())
        held.enter_context(locked(tmp_path, "vault"))
        at_work, refused = asyncio.run(served_and_refused())
    assert refused.json()["detail"] == "there are as many connections as may be"
    assert [answer.status_code for answer in at_work] == [201] * 3
    assert "full" in {line["reason"] for line in lines if line["event"] == "connections.ended"}
