"""The HTTP service as one application, made of what is handed in; nothing happens at import."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.fact_models import models
from adapters.inbox import Inbox
from adapters.logs import Lines, described
from adapters.metrics import Metrics
from adapters.receiving import Receiver
from adapters.web import answers, facts, gate, health, history, problems, webhooks
from adapters.web.access import MAY, OPEN, Access
from adapters.web.following import Follower
from adapters.web.keys import KeyFile, KeysError
from adapters.web.observing import Observed
from adapters.web.openapi import document
from adapters.web.operations import Operation, Service, Turns
from adapters.web.problems import ProblemError
from adapters.web.rates import UNLIMITED, Limits
from adapters.webhooks import Actor
from adapters.wiring import House
from ledger.codec import BrokenEntryError
from ledger.damage import DamagedError
from ledger.gaps import LogDamagedError


async def show_document(_service: Service, _request: Request) -> Response:
    """What can be asked."""
    return Response(_openapi_json(), media_type="application/json")


UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""The framework's own measures and logs, all off: they could hold what was sent. Ours tell nothing of it."""
_WITHOUT_A_LEDGER = ("live", "metrics", "openapi")
"""What is answered also while parts of the ledger do not fit."""
FACT_TURNS, DELIVERY_TURNS, READ_TURNS = 20, 8, 12
"""The forty threads that a server has, so that none who writes keeps a reader waiting, or a sender of webhooks."""
OPERATIONS: tuple[Operation, ...] = (
    *gate.OPERATIONS,  # first, since it is asked most: routes are tried in this order
    *facts.OPERATIONS,
    *answers.OPERATIONS,
    *history.OPERATIONS,
    *webhooks.OPERATIONS,
    *health.OPERATIONS,
    Operation("openapi", "GET", "/openapi.json", "This document", show_document, None, {200: dict}),
)


def make_app(
    house: House,
    keys: KeyFile,
    clock: Callable[[], datetime],
    lines: Lines,
    registry: CollectorRegistry,
    random: Callable[[int], bytes],
    *,
    wait_seconds: float = 2.0,
    most_lag: int = 10_000,
    receivers: Sequence[Receiver] = (),
    inbox: Inbox | None = None,
    limits: Limits | None = None,
    lock_seconds: float = 30.0,
) -> FastAPI:
    """The application. While it runs, a thread keeps the rows in step with the log, and one does what webhooks bring.

    wait_seconds  how long a read waits for its `min_position`
    most_lag      entries the rows may be behind, before it says that it is not ready
    receivers     senders of webhooks, whose deliveries wait in `inbox`: without one, ValueError
    lock_seconds  how long a fact, or a delivery, waits for others who write to its database
    limits        how often a key, or a source without one, may ask; None: as often as it likes
    """
    if receivers and inbox is None:
        raise ValueError("what webhooks bring needs an inbox")
    models()  # made once, here, and not by the first fact
    metrics = Metrics(registry)
    follower = Follower(house.runner, house.ledger, house.away, lines)
    named = {one.name: one for one in receivers}
    actor = Actor(house, inbox, receivers, lines, metrics, clock, random(8).hex()) if inbox and receivers else None
    limits = limits or Limits(UNLIMITED, UNLIMITED, time.monotonic)
    turns = _turns(house, inbox, lock_seconds)
    how = (clock, wait_seconds, most_lag, limits)
    service = Service(house, house.runner, follower, metrics, *how, *turns, named, inbox, actor)
    app = FastAPI(
        title="consent-ledger",
        openapi_url=None,  # ours is an operation like the others, and has no pages with scripts from elsewhere
        redirect_slashes=False,
        telemetry=UNTOLD,
        lifespan=_beside([follower, *([actor] if actor else [])]),
    )
    access = Access(keys, limits, clock, lines)
    with suppress(KeysError):  # a request says so, and the file may be mended while the service runs
        access.warn()
    endpoints = [_Endpoint(one, service, access) for one in OPERATIONS]
    for one, endpoint in zip(OPERATIONS, endpoints, strict=True):
        app.router.routes.append(Route(one.path, endpoint, methods=[one.method], name=one.name))
    _explain_errors(app, house.away, lines)
    app.add_middleware(_Straight, endpoints=endpoints, handlers=app.exception_handlers)
    app.add_middleware(Observed, lines=lines, metrics=metrics, random=random)
    return app


def _turns(house: House, inbox: Inbox | None, seconds: float) -> tuple[Turns, Turns, Turns]:
    """The turns of facts, deliveries and reads; from now on their databases wait no longer than that for others."""
    house.wait_at_most(seconds)
    if inbox is not None:
        inbox.wait_at_most(seconds)
    return Turns(FACT_TURNS, seconds), Turns(DELIVERY_TURNS, seconds), Turns(READ_TURNS, seconds)


class _Thread(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


def _beside(threads: Sequence[_Thread]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What runs while the application does."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            for one in threads:
                one.start()
                stack.callback(one.stop)
            yield

    return lifespan


def openapi() -> dict[str, Any]:
    """The OpenAPI document of this version."""
    return document(OPERATIONS, version("consent-ledger"))


@cache
def _openapi_json() -> bytes:
    return json.dumps(openapi()).encode()


class _Endpoint:
    """An operation behind its roles. LookupError for one that no table names: nothing is open by oversight.

    Plain ASGI: an operation reads its own body and is documented from itself, so that nothing of what the
    framework would work out for each request is needed.
    """

    def __init__(self, operation: Operation, service: Service, access: Access) -> None:
        if operation.name not in MAY.keys() | OPEN:
            raise LookupError(f"nothing says who may {operation.name}")
        self.operation, self._service, self._access = operation, service, access
        self._guarded = operation.name in MAY
        self._query = {one.name for one in operation.parameters if one.place == "query"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. ProblemError where it cannot."""
        operation, request = self.operation, Request(scope, receive)
        scope["template"] = operation.path
        if not self._guarded:
            self._access.admit(request, operation.name)
        else:
            scope["key"] = self._access.require(request, operation.name)
            if scope["query_string"] and not self._query.issuperset(request.query_params):
                raise ProblemError("invalid", "the query holds a parameter that this service does not know")
        if operation.name not in _WITHOUT_A_LEDGER:
            misfits = self._service.house.ledger.replaced()
            if misfits:
                raise ProblemError("unavailable", "; ".join(one.text for one in misfits))
        response = await operation.handle(self._service, request)
        await response(scope, receive, send)


class _Straight:
    """A request for just the path and method of an operation goes to it; routes are tried for all others.

    To try routes takes as long as a look-up in the ledger, and comes to the same.
    """

    def __init__(self, app: ASGIApp, endpoints: Iterable[_Endpoint], handlers: Mapping[Any, Any]) -> None:
        explained = {kind: handler for kind, handler in handlers.items() if kind is not Exception}
        self._straight = {
            (one.operation.method, one.operation.path): ExceptionMiddleware(one, explained)
            for one in endpoints
            if "{" not in one.operation.path
        }
        self._routes = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve by the operation, else by the routes."""
        straight = self._straight.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        await (straight or self._routes)(scope, receive, send)


def _explain_errors(app: FastAPI, away: tuple[type[Exception], ...], lines: Lines) -> None:
    """Every error as a problem, whoever raised it."""

    def sent(request: Request, error: ProblemError, headers: Any = None) -> Response:
        return problems.response(error, request.scope.get("request_id", ""), headers)

    async def problem(request: Request, error: Any) -> Response:
        return sent(request, error)

    async def framework(request: Request, error: Any) -> Response:
        return sent(request, problems.of_status(error.status_code), error.headers)

    async def unreadable(request: Request, _error: Exception) -> Response:
        return sent(request, ProblemError("malformed"))

    async def silent(request: Request, error: Exception) -> Response:
        lines.write("warning", "database.away", request=request.scope.get("request_id", ""), **described(error))
        return sent(request, ProblemError("unavailable", "the database is locked, or does not answer"))

    async def damaged(request: Request, error: Exception) -> Response:
        said = (
            str(error) if isinstance(error, LogDamagedError) else "a store is damaged; `consent-ledger check` names it"
        )
        return sent(request, ProblemError("unavailable", said))

    async def keyless(request: Request, _error: Exception) -> Response:
        return sent(request, ProblemError("unavailable", "no key can be read"))

    async def failed(request: Request, _error: Exception) -> Response:
        return sent(request, ProblemError("failed"))

    app.add_exception_handler(ProblemError, problem)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(ClientDisconnect, unreadable)
    for kind in away:
        app.add_exception_handler(kind, silent)
    app.add_exception_handler(KeysError, keyless)
    for kind in (DamagedError, BrokenEntryError):
        app.add_exception_handler(kind, damaged)
    app.add_exception_handler(Exception, failed)
