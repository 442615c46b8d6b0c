"""The HTTP service as one application, made of what is handed in; nothing happens at import."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.fact_models import models
from adapters.inbox import Inbox
from adapters.logs import Lines
from adapters.metrics import Metrics
from adapters.receiving import Receiver
from adapters.web import answers, facts, gate, health, history, problems, webhooks
from adapters.web.access import MAY, OPEN, Access
from adapters.web.following import Follower
from adapters.web.keys import KeyFile, KeysError
from adapters.web.observing import Observed
from adapters.web.openapi import document
from adapters.web.operations import Operation, Service
from adapters.web.problems import ProblemError
from adapters.webhooks import Actor
from adapters.wiring import House
from ledger.codec import BrokenEntryError
from ledger.damage import DamagedError
from ledger.gaps import LogDamagedError


async def described(_service: Service, _request: Request) -> Response:
    """What can be asked."""
    return Response(_openapi_json(), media_type="application/json")


UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""The framework's own measures and logs, all off: they could hold what was sent. Ours tell nothing of it."""
OPERATIONS: tuple[Operation, ...] = (
    *gate.OPERATIONS,  # first, since it is asked most: routes are tried in this order
    *facts.OPERATIONS,
    *answers.OPERATIONS,
    *history.OPERATIONS,
    *webhooks.OPERATIONS,
    *health.OPERATIONS,
    Operation("openapi", "GET", "/openapi.json", "This document", described, None, {200: dict}),
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
) -> FastAPI:
    """The application. While it runs, a thread keeps the rows in step with the log, and one does what webhooks bring.

    wait_seconds  how long a read waits for its `min_position`
    most_lag      entries the rows may be behind, before it says that it is not ready
    receivers     senders of webhooks, whose deliveries wait in `inbox`: without one, ValueError
    """
    if receivers and inbox is None:
        raise ValueError("what webhooks bring needs an inbox")
    models()  # made once, here, and not by the first fact
    metrics = Metrics(registry)
    follower = Follower(house.runner, house.ledger.log, house.away, lines)
    named = {one.name: one for one in receivers}
    actor = Actor(house, inbox, receivers, lines, metrics, clock, random(8).hex()) if inbox and receivers else None
    service = Service(house, house.runner, follower, metrics, clock, wait_seconds, most_lag, named, inbox, actor)

    app = FastAPI(
        title="consent-ledger",
        openapi_url=None,  # ours is an operation like the others, and has no pages with scripts from elsewhere
        redirect_slashes=False,
        telemetry=UNTOLD,
        lifespan=_beside([follower, *([actor] if actor else [])]),
    )
    access = Access(keys)
    for operation in OPERATIONS:
        app.router.routes.append(
            Route(
                operation.path,
                _Endpoint(operation, service, access),
                methods=[operation.method],
                name=operation.name,
            )
        )
    _explain_errors(app, house.away)
    app.add_middleware(Observed, lines=lines, metrics=metrics, random=random)
    return app


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
        self._operation, self._service = operation, service
        self._access = access if operation.name in MAY else None
        self._query = {one.name for one in operation.parameters if one.place == "query"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. ProblemError where it cannot."""
        operation, request = self._operation, Request(scope, receive)
        scope["template"] = operation.path
        if self._access is not None:
            self._access.require(request, operation.name)
            if scope["query_string"] and not self._query.issuperset(request.query_params):
                raise ProblemError("invalid", "the query holds a parameter that is not known here")
        response = await operation.handle(self._service, request)
        await response(scope, receive, send)


def _explain_errors(app: FastAPI, away: tuple[type[Exception], ...]) -> None:
    """Every error as a problem, whoever raised it."""

    def sent(request: Request, error: ProblemError, headers: Any = None) -> Response:
        return problems.response(error, request.scope.get("request_id", ""), headers)

    async def problem(request: Request, error: Any) -> Response:
        return sent(request, error)

    async def framework(request: Request, error: Any) -> Response:
        return sent(request, problems.of_status(error.status_code), error.headers)

    async def unreadable(request: Request, _error: Exception) -> Response:
        return sent(request, ProblemError("malformed"))

    async def silent(request: Request, _error: Exception) -> Response:
        return sent(request, ProblemError("unavailable", "the database does not answer"))

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
