"""Who may do what, cell by cell; and keys, which are shown once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.routing import Route

from adapters.web.access import MAY, OPEN
from adapters.web.app import OPERATIONS
from adapters.web.keys import ROLES, Key, KeyFile, KeysError, Role
from adapters.wiring import now
from tests.adapters.web.world import MARKER, SIMILAR, Served, fact, served

NOBODY = "00000000-0000-4000-8000-000000000001"
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "record_fact": ("POST", "/v1/facts", fact()),
    "record_facts": ("POST", "/v1/facts/batch", {"facts": [fact()]}),
    "gate": ("POST", "/v1/gate", SIMILAR),
    "gate_batch": ("POST", "/v1/gate/batch", {"emails": [SIMILAR["email"]], "purpose": SIMILAR["purpose"]}),
    "status": ("POST", "/v1/status", {"email": SIMILAR["email"]}),
    "contact_status": ("GET", f"/v1/contacts/{NOBODY}/status", None),
    "why": ("POST", "/v1/why", SIMILAR),
    "history": ("GET", f"/v1/contacts/{NOBODY}/history", None),
    "webhook": ("POST", "/webhooks/nobody", {}),
    "webhook_below": ("POST", "/webhooks/nobody/secret", {}),
    "webhook_check": ("GET", "/webhooks/nobody", None),
    "webhook_check_below": ("GET", "/webhooks/nobody/secret", None),
    "live": ("GET", "/livez", None),
    "ready": ("GET", "/readyz", None),
    "metrics": ("GET", "/metrics", None),
    "openapi": ("GET", "/openapi.json", None),
}
TABLE = {
    "record_fact": "writer dpo",
    "record_facts": "writer",
    "gate": "reader dpo",
    "gate_batch": "reader dpo",
    "status": "reader auditor dpo",
    "contact_status": "reader auditor dpo",
    "why": "auditor dpo",
    "history": "auditor dpo",
    "webhook": "writer reader auditor dpo none unknown malformed",
    "webhook_below": "writer reader auditor dpo none unknown malformed",
    "webhook_check": "writer reader auditor dpo none unknown malformed",
    "webhook_check_below": "writer reader auditor dpo none unknown malformed",
    "live": "writer reader auditor dpo none unknown malformed",
    "ready": "writer reader auditor dpo none unknown malformed",
    "metrics": "writer reader auditor dpo none unknown malformed",
    "openapi": "writer reader auditor dpo none unknown malformed",
}
"""Written down a second time on purpose: a slip in the program's table is a failing cell here."""
WITHOUT: dict[str, dict[str, bytes]] = {
    "none": {},
    "unknown": {"authorization": b"Bearer clk_" + b"A" * 43},
    "malformed": {"authorization": b"Bearer \xff\x80"},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("access") / "ledger") as service:
        yield service


@pytest.mark.parametrize("who", [*ROLES, *WITHOUT])
@pytest.mark.parametrize("operation", [operation.name for operation in OPERATIONS])
def test_each_cell(service: Served, operation: str, who: str) -> None:
    method, path, body = REQUESTS[operation]
    headers = WITHOUT[who] if who in WITHOUT else {"authorization": f"Bearer {service.secrets[who]}".encode()}
    answer = service.send(method, path, json=body, headers=headers)
    if who in TABLE[operation].split():
        assert answer.status_code in (200, 201, 404)
    elif who in WITHOUT:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    else:
        assert answer.status_code == 403


def test_a_refused_fact_is_not_recorded(tmp_path: Path) -> None:
    with served(tmp_path / "ledger") as service:
        for role in ("reader", "auditor", None):
            assert service.post("/v1/facts", fact(), role).status_code in (401, 403)
        assert service.post("/v1/facts/batch", {"facts": [fact()]}, "dpo").status_code == 403
        assert service.house.ledger.log.last_position() == 0


def test_every_route_stands_in_the_table(service: Served) -> None:
    """An operation that nobody thought about is no operation."""
    assert {operation.name for operation in OPERATIONS} == MAY.keys() | OPEN
    assert not MAY.keys() & OPEN
    routes = [(route.name, route.path) for route in service.app.routes if isinstance(route, Route)]
    assert routes == [(operation.name, operation.path) for operation in OPERATIONS]
    assert len(routes) == len(service.app.routes)


@pytest.mark.parametrize("operation", [operation.name for operation in OPERATIONS])
def test_the_straight_way_answers_as_the_routes_do(service: Served, operation: str) -> None:
    """Below another root no path is an operation's own, so that routes are tried: heads and bodies are the same."""
    method, path, body = REQUESTS[operation]
    for headers in ({}, {"content-type": "text/plain"}, service.key("dpo"), service.key("writer")):
        service.send(method, path, json=body, headers=headers)  # so that a fact is known to both
        straight = service.send(method, path, json=body, headers=headers)
        below = AsyncClient(transport=ASGITransport(service.app, False, "/below"), base_url="http://ledger")
        routed = service.run.run(below.request(method, "/below" + path, json=body, headers=headers))
        changing = {"x-request-id", "content-length"}
        assert (straight.status_code, straight.headers.keys()) == (routed.status_code, routed.headers.keys())
        assert {k: v for k, v in straight.headers.items() if k not in changing} == {
            k: v for k, v in routed.headers.items() if k not in changing
        }
        if "json" in straight.headers["content-type"]:
            assert straight.json().keys() == routed.json().keys()


def test_a_key_is_kept_as_a_digest_that_only_the_owner_reads(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path)
    secret = keys.add("shop", "writer", now(), os.urandom)
    assert len(secret) == len("clk_") + 43
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    kept = keys.path.read_text()
    assert secret not in kept
    assert secret[4:] not in kept
    found = keys.find(secret.encode())
    assert isinstance(found, Key)
    assert (found.name, found.role) == ("shop", "writer")
    assert keys.find(secret[:-1].encode()) is None
    assert keys.find(b"") is None


def test_a_key_holds_and_ends_without_a_restart(tmp_path: Path) -> None:
    with served(tmp_path / "ledger") as service:
        other = KeyFile(tmp_path / "ledger")  # as another process would
        secret = other.add("late", "reader", now(), os.urandom)
        header = {"authorization": f"Bearer {secret}"}
        assert service.send("POST", "/v1/gate", json=SIMILAR, headers=header).status_code == 200
        other.revoke("late")
        assert service.send("POST", "/v1/gate", json=SIMILAR, headers=header).status_code == 401


def test_names_are_taken_once_and_unknown_ones_are_told(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path)
    keys.add("shop", "writer", now(), os.urandom)
    with pytest.raises(KeysError, match="already"):
        keys.add("shop", "reader", now(), os.urandom)
    with pytest.raises(KeysError, match="no key"):
        keys.revoke("till")
    assert [(key.name, key.role) for key in keys.list()] == [("shop", "writer")]


@pytest.mark.parametrize("broken", ["open", "garbled", "gone"])
def test_keys_that_cannot_be_trusted_open_nothing(tmp_path: Path, broken: str) -> None:
    with served(tmp_path / "ledger") as service:
        assert service.allowed() is False
        if broken == "open":
            service.keys.path.chmod(0o644)
            service.keys.path.write_bytes(service.keys.path.read_bytes() + b"\n")
        elif broken == "garbled":
            service.keys.path.write_text(MARKER)
        else:
            service.keys.path.unlink()
        assert service.post("/v1/gate", SIMILAR).status_code == (401 if broken == "gone" else 503)


def test_roles_are_the_four(service: Served) -> None:
    found: set[Role] = {role for roles in MAY.values() for role in roles}
    assert found == set(ROLES) == service.secrets.keys()
