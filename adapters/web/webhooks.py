"""Webhooks in: known to be the sender's, on disk, and answered; what they say is worked out afterwards."""

from __future__ import annotations

from collections import Counter

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from adapters.receiving import MOST_BYTES, Accepted, Receiver, Refused, Sent
from adapters.web.operations import Operation, Parameter, Service, answered, bytes_of
from adapters.web.problems import ProblemError
from adapters.web.shapes import Delivered

_KINDS = {400: "malformed", 401: "unsigned", 404: "not-found", 413: "too-large", 503: "unavailable"}
_NAME = Parameter("name", "path", {"type": "string", "pattern": "^[a-z]{1,32}$"}, "the sender, such as hubspot")
_TAIL = Parameter(
    "tail",
    "path",
    {"type": "string", "minLength": 1, "pattern": "^[^/?#]+$"},
    "what some senders add to the path, such as a secret",
)


async def webhook(service: Service, request: Request) -> Response:
    """What a sender posts. 200: all of it is on disk, and will be done, once."""
    receiver = _receiver(service, request)
    sent = _sent(service, request, await bytes_of(request, MOST_BYTES))
    return answered(await service.deliveries.run(_take, service, receiver, sent))


async def check(service: Service, request: Request) -> Response:
    """Whether the sender is listened to here, as some ask before they send. Changes nothing, whatever it says."""
    receiver = _receiver(service, request)
    await run_in_threadpool(_accepted, service, receiver, _sent(service, request, b""))
    return answered(Delivered(0, 0))


def _receiver(service: Service, request: Request) -> Receiver:
    receiver = service.receivers.get(str(request.path_params["name"]))
    if receiver is None:
        raise ProblemError("not-found", "no webhooks of that name are set up")
    if request.method not in receiver.methods:
        raise ProblemError("method-not-allowed")
    return receiver


def _sent(service: Service, request: Request, body: bytes) -> Sent:
    """The request; what stands in a header twice is joined, and so is no signature."""
    headers: dict[str, str] = {}
    for raw, value in request.scope["headers"]:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return Sent(request.method, str(request.path_params.get("tail", "")), headers, body, service.clock())


def _accepted(service: Service, receiver: Receiver, sent: Sent) -> Accepted:
    accepted = receiver.accept(sent)
    if isinstance(accepted, Refused):
        service.metrics.webhook_refusals.labels(receiver.name, str(accepted.status)).inc()
        raise ProblemError(_KINDS[accepted.status], accepted.reason)
    return accepted


def _take(service: Service, receiver: Receiver, sent: Sent) -> Delivered:
    deliveries = _accepted(service, receiver, sent).deliveries
    if service.inbox is None or not deliveries:
        return Delivered(0, 0)
    new = service.inbox.keep(receiver.name, deliveries, sent.at)
    if service.actor is not None:
        service.actor.wake()
    for status, count in Counter("new" if one else "repeated" for one in new).items():
        service.metrics.webhooks.labels(receiver.name, status).inc(count)
    return Delivered(len(new), sum(new))


_FAILS = ("unsigned", "not-found")
OPERATIONS = (
    Operation(
        "webhook",
        "POST",
        "/webhooks/{name}",
        "Take what a sender of webhooks brings",
        webhook,
        bytes,
        {200: Delivered},
        _FAILS,
        (_NAME,),
    ),
    Operation(
        "webhook_below",
        "POST",
        "/webhooks/{name}/{tail}",
        "Do the same for senders whose secret is in the path",
        webhook,
        bytes,
        {200: Delivered},
        _FAILS,
        (_NAME, _TAIL),
    ),
    Operation(
        "webhook_check",
        "GET",
        "/webhooks/{name}",
        "Say whether a sender is listened to; this changes nothing",
        check,
        None,
        {200: Delivered},
        ("malformed", *_FAILS),
        (_NAME,),
    ),
    Operation(
        "webhook_check_below",
        "GET",
        "/webhooks/{name}/{tail}",
        "Do the same for senders whose secret is in the path",
        check,
        None,
        {200: Delivered},
        ("malformed", *_FAILS),
        (_NAME, _TAIL),
    ),
)
