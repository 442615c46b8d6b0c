"""A served ledger in memory: the real application, real keys, real files; what it logs is searched at the end."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from prometheus_client import CollectorRegistry

from adapters.inbox import Inbox
from adapters.logs import Lines
from adapters.receiving import Receiver
from adapters.web.app import make_app
from adapters.web.keys import ROLES, KeyFile, Role
from adapters.wiring import House, now
from tests.ledgers import open_house

MARKER = "zq7marker"
"""Stands in everything personal that is sent, and may stand in no line and no measure."""
ANA, BEN = f"ana.{MARKER}@example.org", f"ben.{MARKER}@example.org"
SIMILAR = {"email": ANA, "purpose": "marketing.similar"}
GRANT: dict[str, Any] = {
    "act": "unticked_box",
    "purposes": ["marketing.similar"],
    "channels": ["email"],
    "to": ["own"],
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
    "by": "data_subject",
    "occurred_from": "2026-03-01T10:00:00Z",
}


def fact(type_: str = "opted_out", number: object = 1, email: str = ANA, **fields: Any) -> dict[str, Any]:
    """One fact as it is posted."""
    data = {"person": {"email": email}} | fields
    return {"source": "shop", "id": f"{MARKER}-{number}", "type": f"contact.{type_}.v1", "data": data}


class Served:
    """The service, and a client for each role. Every call is one run of an event loop."""

    def __init__(self, house: House, app: FastAPI, keys: KeyFile, run: asyncio.Runner, log: io.StringIO) -> None:
        self.house, self.app, self.keys, self.run, self.log = house, app, keys, run, log
        self.client = AsyncClient(transport=ASGITransport(app, raise_app_exceptions=False), base_url="http://ledger")
        self.secrets: dict[str, str] = {role: keys.add(role, role, now(), os.urandom) for role in ROLES}

    def post(self, path: str, body: Any, role: Role | None = "dpo", **headers: str) -> Response:
        """POST JSON as a role; None: without a key."""
        return self.send("POST", path, json=body, headers=self.key(role) | headers)

    def get(self, path: str, role: Role | None = "dpo") -> Response:
        """GET as a role."""
        return self.send("GET", path, headers=self.key(role))

    def send(self, method: str, path: str, **request: Any) -> Response:
        """Any request."""
        return self.run.run(self.client.request(method, path, **request))

    def key(self, role: Role | None) -> dict[str, str]:
        """The header of a role's key."""
        return {"authorization": f"Bearer {self.secrets[role]}"} if role else {}

    def record(self, *args: Any, **fields: Any) -> dict[str, Any]:
        """Record a fact; what became of it."""
        sent = self.post("/v1/facts", fact(*args, **fields), "writer")
        assert sent.status_code == 201, sent.text
        return dict(sent.json())

    def grant(self, email: str = ANA) -> str:
        """A person who may be written to; the contact id."""
        self.record("country_evidenced", f"country-{email}", email, hints=[{"country": "GB", "kind": "declared"}])
        return str(self.record("opted_in", f"grant-{email}", email, **GRANT)["contact"])

    def allowed(self, **asked: Any) -> bool:
        """What the gate says."""
        said = self.post("/v1/gate", SIMILAR | asked)
        assert said.status_code == 200, said.text
        return bool(said.json()["allowed"])


@contextmanager
def served(
    directory: Path,
    *,
    following: bool = True,
    env: dict[str, str] | None = None,
    receivers: Sequence[Receiver] = (),
    **settings: Any,
) -> Iterator[Served]:
    """Serve a new ledger; afterwards no marker stands in its log or its measures."""
    log = io.StringIO()
    with open_house(directory, env or {}) as house, ExitStack() as stack:
        keys = KeyFile(directory)
        settings = {"wait_seconds": 0.2} | settings
        if receivers:
            inbox = stack.enter_context(closing(Inbox.open(house)))
            settings |= {"receivers": receivers, "inbox": inbox}
        app = make_app(house, keys, now, Lines(log, now), CollectorRegistry(), os.urandom, **settings)
        with asyncio.Runner() as run:
            one = Served(house, app, keys, run, log)
            ending = AsyncExitStack()
            if following:
                run.run(ending.enter_async_context(app.router.lifespan_context(app)))
            try:
                yield one
                measures = one.get("/metrics", None).text
            finally:
                run.run(ending.aclose())
    assert "consent_ledger_http_request_duration_seconds" in measures
    assert MARKER not in measures
    assert MARKER not in log.getvalue()
