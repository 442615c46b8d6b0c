"""One line and one measure a request: the route's template, never the path, and no word of what was sent."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.logs import Lines
from adapters.metrics import Metrics
from adapters.web.problems import SAFE

_METHODS = frozenset({"GET", "POST"})


class Observed:
    """Plain ASGI around the application: a request has an id, which its answer and its line carry."""

    def __init__(self, app: ASGIApp, lines: Lines, metrics: Metrics, random: Callable[[int], bytes]) -> None:
        self._app, self._lines, self._metrics, self._random = app, lines, metrics, random

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and say how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        scope["request_id"] = request = self._random(8).hex()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] += ((b"x-request-id", request.encode()), *SAFE)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._note(scope, request, status, time.perf_counter() - began)

    def _note(self, scope: Scope, request: str, status: int, seconds: float) -> None:
        route = scope.get("template", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.request_seconds(route, method, str(status)).observe(seconds)
        self._lines.write(
            "info", "request", route=route, method=method, status=status, ms=round(seconds * 1e3, 3), request=request
        )
