"""The fake over HTTP: what comes before a call is handed on, and what its answer looks like."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from tests.hubspot.calls import Answer, Call, RefusedError, not_found
from tests.hubspot.control import add_control
from tests.hubspot.journal import Actor
from tests.hubspot.routes import Route, Routes
from tests.hubspot.state import App, State

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_ANYBODY = App(0, "Anybody", set())


def make_app(state: State) -> FastAPI:
    """One portal's API. Every path goes one way, so that none forgets key, scopes, limits or trouble."""
    routes = Routes()
    app = FastAPI(title="Fake HubSpot", docs_url=None, redoc_url=None, openapi_url=None)

    async def answer(request: Request) -> Response:
        body = await request.body()
        if state.chaos.seconds:
            await asyncio.sleep(state.chaos.seconds)
        path = request.scope["raw_path"].decode("ascii")
        with state.lock:
            return _answer(state, routes, request, path, body)

    add_control(app, state)
    app.add_route("/{path:path}", answer, methods=_METHODS)
    return app


def _answer(state: State, routes: Routes, request: Request, path: str, body: bytes) -> Response:
    method = request.method
    route, given, known = routes.find(method, path)
    kind = route.kind if route else "call"
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    app = state.apps.get(token)
    headers: Mapping[str, str] = {}
    try:
        if route is None:
            raise RefusedError(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed") if known else not_found()
        app = _allowed(app, route)
        rates = state.rates.get(token) or state.anybody
        rates.check(kind)
        headers = rates.headers(kind)
        trouble = state.chaos.met(path)
        if trouble is None or trouble.done:
            actor = app.actor if app is not _ANYBODY else Actor("person", "FORM")
            content_type = request.headers.get("content-type", "")
            call = Call(method, route.path, given, request.query_params, body, content_type, actor)
            made = route.handler(state, call)
        if trouble is not None:
            raise RefusedError(trouble.status, "INTERNAL_ERROR", "There was a problem with the request.")
    except RefusedError as error:
        rates = state.rates.get(token) or state.anybody
        made = Answer(error.status, error.body(state.mail.identifier()))
        if error.status == 429:
            made.body["requestId"] = state.mail.identifier()  # type: ignore[index]
        headers = rates.headers(kind) if app is not None else {}
        if error.status == 429 and headers:
            headers = {**headers, "X-HubSpot-RateLimit-Remaining": "0"}
    state.calls.append((method, route.path if route else "", made.status))
    return _response(made, headers)


def _response(made: Answer, headers: Mapping[str, str]) -> Response:
    content = b"" if made.body is None else msgspec.json.encode(made.body)
    media = None if made.body is None else "application/json;charset=utf-8"
    return Response(content, made.status, dict(headers), media)


def _allowed(app: App | None, route: Route) -> App:
    if not route.scopes:
        return app or _ANYBODY
    if app is None:
        raise RefusedError(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
        )
    if not app.scopes.intersection(route.scopes):
        message = "This app hasn't been granted all required scopes to make this call."
        lacking: list[Mapping[str, Any]] = [
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(route.scopes)},
            }
        ]
        raise RefusedError(403, "MISSING_SCOPES", message, lacking)
    return app
