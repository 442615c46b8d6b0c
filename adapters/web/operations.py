"""What an operation of the service is, and what all of them share: reading a body, waiting for a position."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from adapters.addresses import address_of
from adapters.identification import Person, UnknownPersonError, identify, names_known
from adapters.inbox import Inbox
from adapters.metrics import Metrics
from adapters.reasons import Reason
from adapters.receiving import Receiver
from adapters.unique_keys import TWICE, RepeatedKeyError, are_unique, require_unique_keys
from adapters.web.access import header_of
from adapters.web.following import Follower
from adapters.web.problems import ProblemError, wrong
from adapters.web.rates import Limits
from adapters.web.shapes import Whom
from adapters.webhooks import Actor
from adapters.wiring import House
from projections.runner import StatusRunner

T = TypeVar("T")
MOST_ASKED_BYTES = 16_384
"""A question is short."""
_LOOK_SECONDS = 0.02
_HANGS_AFTER = 5
"""Times a turn's seconds: a database that is locked says so by itself before, one that hangs never does."""
_encode = msgspec.json.Encoder().encode


class Turns:
    """Threads of one kind: so many at once, and whoever waits too long is told to come again."""

    def __init__(self, most: int, seconds: float) -> None:
        self._free, self._seconds = asyncio.Semaphore(most), seconds

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """What a function returns that asks a database. ProblemError 503 where it does not come to an end.

        Its thread then goes on, and keeps its turn for as long: what it was to record may still be recorded.
        """
        try:
            await asyncio.wait_for(self._free.acquire(), self._seconds)
        except TimeoutError:
            raise ProblemError("unavailable", "too many requests wait for the database") from None
        task = asyncio.ensure_future(run_in_threadpool(call, *args))
        task.add_done_callback(self._end)
        done, _ = await asyncio.wait({task}, timeout=_HANGS_AFTER * self._seconds)
        if not done:
            raise ProblemError("unavailable", "the database does not answer")
        return task.result()

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._free.release()
        if not task.cancelled():
            task.exception()  # seen, if nobody waits for it any more


class Service(NamedTuple):
    """What the operations work with. `wait_seconds`: how long a read waits for its `min_position`.

    facts, deliveries, reads  the turns of those who write to the ledger, and to the inbox; of those who read
    receivers, inbox, actor  the senders of webhooks that are set up, where what they send waits, and who does it
    """

    house: House
    runner: StatusRunner
    follower: Follower
    metrics: Metrics
    clock: Callable[[], datetime]
    wait_seconds: float
    most_lag: int
    limits: Limits
    facts: Turns
    deliveries: Turns
    reads: Turns
    receivers: Mapping[str, Receiver] = MappingProxyType({})
    inbox: Inbox | None = None
    actor: Actor | None = None


class Parameter(NamedTuple):
    """A parameter of the path, the query or the header."""

    name: str
    place: str
    schema: dict[str, Any]
    about: str


class Operation(NamedTuple):
    """One operation, as it is served and as it is documented.

    asks     the shape of its body, or its JSON Schema; bytes: whatever is sent; None: it has none
    answers  status -> shape of the body
    fails    kinds of problems beside those that every operation has
    """

    name: str
    method: str
    path: str
    about: str
    handle: Callable[[Service, Request], Awaitable[Response]]
    asks: Any
    answers: dict[int, Any]
    fails: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()


MIN_POSITION = Parameter(
    "min_position",
    "query",
    {"type": "integer", "minimum": 0, "maximum": 2**53 - 1},
    "answer only with what stands up to this position of the log, or fail with 412",
)


CONTACT = Parameter(
    "contact",
    "path",
    {
        "type": "string",
        "pattern": "^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|CL-[0-9a-f]{8}-[0-9]{1,15}|"
        "([a-z][a-z0-9_.-]*:)?[0-9]{1,20})$",
    },
    "a contact id, as other answers tell it, a reference (CL-...) or a record id",
)


def answered(body: Any, status: int = 200) -> Response:
    """A shape as JSON."""
    return _Answer(_encode(body), status)


class _Answer(Response):
    """JSON, with the heads it always has: to work them out takes longer than to write the JSON."""

    def __init__(self, body: bytes, status: int) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]


async def read(service: Service, call: Callable[..., T], *args: Any) -> T:
    """What a function returns that reads little. Of files at once: to find a thread would take longer.

    A server may be out of reach, and nothing else may wait for it. ProblemError 503.
    """
    return await service.reads.run(call, *args) if service.house.is_on_server else call(*args)


async def body_of(request: Request, most: int) -> bytes:
    """The body, which is JSON and not too long. ProblemError 413, 415."""
    kind = header_of(request, b"content-type")
    if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
        raise ProblemError("unsupported-media-type")
    return await bytes_of(request, most)


async def bytes_of(request: Request, most: int) -> bytes:
    """The body, whatever it is, and not too long. ProblemError 413."""
    length = header_of(request, b"content-length")
    if length and int(length) > most:
        raise ProblemError("too-large", f"the body may hold at most {most} bytes")
    read, more = b"", True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        read += message.get("body", b"")
        if len(read) > most:
            raise ProblemError("too-large", f"the body may hold at most {most} bytes")
        more = message.get("more_body", False)
    return read


def decoded(data: bytes, decoder: msgspec.json.Decoder[T], names: tuple[bytes, ...] = ()) -> T:
    """A body as its shape. ProblemError 400 where it is no JSON, 422 where it is another shape.

    names  every key that the shape has, quoted, where nothing in it is an object: most bodies are known by them to
           have no key twice, and need not be read for that
    """
    try:
        if not (names and are_unique(data, names)):
            require_unique_keys(data)
        return decoder.decode(data)
    except RepeatedKeyError:
        raise ProblemError("malformed", f"the body is not JSON: {TWICE}") from None
    except msgspec.ValidationError as error:
        raise ProblemError("invalid", errors=[wrong(error)]) from None
    except (ValueError, RecursionError):
        raise ProblemError("malformed", "the body is not JSON") from None


async def arrive(service: Service, request: Request) -> int:
    """The position the log stands at, once it has come to `min_position`. ProblemError 412, 422.

    An answer is always made of the whole log, rows or no rows, so it is the log that is waited for. That it does
    not come is no failure of the service: whoever asks may name any number.
    """
    last_position = service.house.ledger.log.last_position
    position = await read(service, last_position)
    if not request.scope["query_string"]:
        return position
    wanted = whole(request, "min_position", 0, 2**53 - 1)
    if wanted is None:
        return position
    loop = asyncio.get_running_loop()
    until = loop.time() + service.wait_seconds
    while position < wanted:
        if loop.time() >= until:
            raise ProblemError("behind", f"the log stands at position {position}")
        await asyncio.sleep(_LOOK_SECONDS)
        position = await read(service, last_position)
    return position


def whole(request: Request, name: str, least: int, most: int) -> int | None:
    """A whole number of the query; None: it is not there. ProblemError 422."""
    said = request.query_params.get(name)
    if said is None:
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 16 and least <= int(said) <= most):
        raise ProblemError("invalid", errors=[Reason(name, f"must be a whole number from {least} to {most}")])
    return int(said)


def whom(house: House, asked: Whom) -> tuple[str, str | None] | None:
    """(contact, address id) of who is named; None: somebody whom this ledger does not know. ProblemError 422."""
    if asked.email is not None and asked.contact is asked.reference is asked.record is asked.address is None:
        return house.ledger.vault.find_address(address_of(asked.email) or asked.email)
    person = person_of(house, asked)
    return None if person is None else (person.contact, person.address)


def person_of(house: House, asked: Whom) -> Person | None:
    """Who is named; None: somebody whom this ledger does not know. ProblemError 422 for none, or for two ways."""
    ways = [way for way in (asked.email, asked.reference, asked.record, asked.contact) if way is not None]
    if len(ways) != 1 or (asked.address and not asked.contact):
        raise ProblemError("invalid", "name an email, a reference, a record, or a contact together with its address")
    if asked.contact is not None:
        return Person(asked.contact, asked.address, None)
    try:
        return identify(house.ledger, ways[0])
    except UnknownPersonError:
        return None


def contact_of(request: Request, house: House) -> str:
    """The contact of the path, by its id, a reference or a record id; what is none of them, is nobody's."""
    contact = str(request.path_params["contact"])
    if names_known(contact):
        try:
            return identify(house.ledger, contact).contact
        except UnknownPersonError:
            raise ProblemError("not-found", "this ledger has no such reference") from None
    try:
        msgspec.convert({"contact": contact}, Whom)
    except msgspec.ValidationError:
        raise ProblemError("not-found", "this ledger has no such contact") from None
    return contact
