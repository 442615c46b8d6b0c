"""Is it alive, is it ready, what does it measure, what can be asked: without a key, and about nobody."""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from adapters.web.operations import Operation, Service, answered
from adapters.web.problems import ProblemError
from adapters.web.shapes import Live, Ready


async def live(_service: Service, _request: Request) -> Response:
    """The process answers."""
    return answered(Live())


async def ready(service: Service, _request: Request) -> Response:
    """The database answers, facts can be recorded, and the rows are not too far behind."""
    lag = await service.reads.run(_lag, service)
    await service.reads.run(_assert_writable, service)
    if not service.follower.alive:
        raise ProblemError("unavailable", "nothing keeps the answers in step with the log")
    if service.actor is not None and not service.actor.alive:
        raise ProblemError("unavailable", "nothing works on the webhooks that came in")
    if service.runner.soundness.trouble is not None:
        raise ProblemError("unavailable", service.runner.soundness.trouble)
    if lag > service.most_lag:
        raise ProblemError("unavailable", f"the answers are {lag} entries behind the log")
    return answered(Ready(lag))


async def metrics(service: Service, _request: Request) -> Response:
    """For Prometheus. A database that is away leaves its gauges as they were."""
    with suppress(*service.house.away, ProblemError):
        await service.reads.run(_measure, service)
    return Response(service.metrics.page(), media_type=CONTENT_TYPE_LATEST)


def _lag(service: Service) -> int:
    position = service.house.ledger.log.last_position()
    lag = service.follower.lag()
    service.metrics.position.set(position)
    service.metrics.lag.set(lag)
    return lag


def _assert_writable(service: Service) -> None:
    """ProblemError 503 while questions are answered and nothing can be recorded."""
    try:
        service.house.assert_writable()
        if service.inbox is not None:
            service.inbox.assert_writable()
    except service.house.away as error:
        raise ProblemError(
            "unavailable", "nothing can be recorded: the database is locked, or does not answer"
        ) from error


def _measure(service: Service) -> None:
    _lag(service)
    service.metrics.alarms.set(service.runner.soundness.alarms)
    if service.inbox is not None:
        waiting, dead = service.inbox.counts()
        service.metrics.webhooks_waiting.set(waiting)
        service.metrics.webhooks_dead.set(dead)


OPERATIONS = (
    Operation("live", "GET", "/livez", "Say whether the process answers", live, None, {200: Live}),
    Operation("ready", "GET", "/readyz", "Say whether the service can answer questions", ready, None, {200: Ready}),
    Operation("metrics", "GET", "/metrics", "Give the measures for Prometheus", metrics, None, {200: str}),
)
