"""Connections of the service: how many at once, how long each may take, how much it may send.

uvicorn reads HTTP; it waits for half a request for ever, and takes a head of any size. Here a head, a body and the
taking of an answer have their time, and sizes their bound. When there are as many connections as may be, one that
keeps us waiting gives way to the one that comes: half requests can never keep out whole ones.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from typing import Any, Literal, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from adapters.logs import Lines
from adapters.web import problems
from adapters.web.problems import ProblemError

FILES_KEPT = 512
"""Files the process may open beside its connections: databases, and connections that are on their way in."""
BACKLOG = 128
"""Connections that may wait to be let in."""
MOST_MESSAGE_BYTES = 16_777_216
"""Bytes of one request on the wire, however they are cut: four times the longest body that any operation takes."""
_TICK_SECONDS = 0.5

Awaited = Literal["head", "body", "nothing"]
"""What a connection's peer has yet to send."""


class ConnectionLimits(NamedTuple):
    """What a connection may take.

    most          connections at once
    head_seconds  from its first byte, or from the connection, until a request's head is here
    body_seconds  from there until its body is; and until an answer is taken
    head_bytes    request line and headers together
    headers       how many of them
    """

    most: int
    head_seconds: float
    body_seconds: float
    head_bytes: int
    headers: int


class FilesError(RuntimeError):
    """The process may open too few files to serve anybody."""


def connections_within_files(wanted: int) -> int:
    """How many connections there can be, at most as many as wanted; the soft limit of files is raised for them.

    Raises FilesError when there is no room for any.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + FILES_KEPT
    if soft != resource.RLIM_INFINITY and soft < enough:
        soft = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    found = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft - FILES_KEPT)
    if found < 1:
        raise FilesError(
            f"the service may open {soft} files, and needs {FILES_KEPT} beside its connections: raise `ulimit -n`"
        )
    return found


class Door:
    """All connections of one service: lets them in, and sends away those that are over their time."""

    def __init__(self, limits: ConnectionLimits, lines: Lines) -> None:
        self.limits = limits
        self._lines = lines
        self._inside: dict[Connection, None] = {}
        self._ended: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._tick = min(_TICK_SECONDS, limits.head_seconds / 4, limits.body_seconds / 4)

    def protocol(self) -> type[asyncio.Protocol]:
        """What uvicorn makes of each connection."""
        return type("Connection", (Connection,), {"door": self})

    def enter(self, connection: Connection) -> None:
        """Let a connection in; another gives way where there are too many, else this one is refused."""
        self._inside[connection] = None
        if len(self._inside) > self.limits.most:
            self._make_room(connection)
        if self._timer is None:
            self._timer = connection.loop.call_later(self._tick, self._look, connection.loop)

    def leave(self, connection: Connection) -> None:
        """It is gone."""
        self._inside.pop(connection, None)

    def report(self) -> None:
        """A line for each reason for which connections were ended since the last one."""
        for reason, count in self._ended.items():
            self._lines.write("warning", "connections.ended", reason=reason, count=count)
        self._ended.clear()

    def _make_room(self, newcomer: Connection) -> None:
        """The oldest half request goes, of the address that has most of them; else the oldest that is idle."""
        others = [one for one in self._inside if one is not newcomer]
        waited_for = [one for one in others if one.is_waited_for()] or [one for one in others if one.is_idle()]
        if not waited_for:
            self._ended["full"] += 1
            newcomer.refuse("unavailable", "there are as many connections as may be")
            return
        peers = Counter(one.peer for one in waited_for)
        most = max(peers.values())
        self._ended["room"] += 1
        goes = min((one for one in waited_for if peers[one.peer] == most), key=lambda one: one.since)
        self.leave(goes)
        goes.transport.abort()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is over its time, and report it; again while there is anybody."""
        now = loop.time()
        for one in list(self._inside):
            late = one.overdue(now)
            if late is not None:
                self._ended[late] += 1
                one.end(late)
        self.report()
        self._timer = loop.call_later(self._tick, self._look, loop) if self._inside else None


class Connection(HttpToolsProtocol):
    """One connection. `awaits`: what its peer owes, `since` when."""

    door: Door

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected: the first head is awaited."""
        super().connection_made(transport)
        self.peer = str(self.client[0]) if self.client else ""
        self.refused = False
        self._stalled: float | None = None
        self._closing: float | None = None
        self._await("head")
        self.door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        super().connection_lost(exc)
        self.door.leave(self)

    def _await(self, awaited: Awaited) -> None:
        self.awaits: Awaited = awaited
        self.since = self.loop.time()
        if awaited == "head":
            self._taken = self._head = self._headers = 0

    # --- what it takes --------------------------------------------------------------------------

    def is_idle(self) -> bool:
        """Nothing is owed by either side."""
        return self.awaits == "nothing" and self._is_answered()

    def is_waited_for(self) -> bool:
        """It has sent half a request, or does not take its answer, or was told to go."""
        return self.awaits != "nothing" or self._stalled is not None or self.transport.is_closing()

    def _is_answered(self) -> bool:
        cycle = self._newest()
        return cycle is None or (cycle.response_complete and not self.pipeline)

    def _newest(self) -> RequestResponseCycle | None:
        """The request whose head came last; None before the first."""
        return self.cycle

    def overdue(self, now: float) -> str | None:
        """What it is over its time with; None: nothing."""
        limits = self.door.limits
        if self.transport.is_closing():
            self._closing = now if self._closing is None else self._closing
            return "answer" if now - self._closing > limits.body_seconds else None
        if self._stalled is not None and now - self._stalled > limits.body_seconds:
            return "answer"
        if self.awaits == "nothing" or self.flow.read_paused:  # paused: it is we who do not read
            return None
        if self.awaits == "head" and not self._is_answered():
            return None  # the answer to the request before comes first
        allowed = limits.head_seconds if self.awaits == "head" else limits.body_seconds
        return self.awaits if now - self.since > allowed else None

    def end(self, reason: str) -> None:
        """Close it: with an answer where it can still take one."""
        if reason == "answer":
            self.transport.abort()
        else:
            self.refuse("too-slow", f"the {reason} of the request did not come in time")

    def refuse(self, kind: str, detail: str = "") -> None:
        """Answer with a problem, unless an answer has begun or another comes first, and close."""
        self.refused = True
        if self.transport.is_closing():
            return
        answerable, cycle = self._can_answer(), self._newest()
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # nobody else answers it now
            cycle.message_event.set()
        if answerable:
            self.transport.write(self._problem(kind, detail))
        self.transport.close()

    def _can_answer(self) -> bool:
        if self._is_answered():
            return self.awaits == "head"
        return self.awaits == "body" and not self.cycle.response_started and not self.pipeline

    def _problem(self, kind: str, detail: str) -> bytes:
        answer = problems.response(ProblemError(kind, detail), "")
        headers = [*self.server_state.default_headers, *answer.raw_headers, *problems.SAFE, (b"connection", b"close")]
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return STATUS_LINE[answer.status_code] + head + b"\r\n" + bytes(answer.body)

    # --- what comes -----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read on, within bounds."""
        if self.refused:
            return
        if self.is_idle():
            self._await("head")
        self._taken += len(data)
        super().data_received(data)
        if self.awaits == "head" and self._taken > self.door.limits.head_bytes:
            self.refuse("head-too-large")
        elif self._taken > MOST_MESSAGE_BYTES:
            self.refuse("too-large")

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP."""
        del msg
        self.refuse("malformed")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self.refused:
            return
        if self.awaits != "head":
            self._await("head")
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._head += len(url)
        if not self.refused and self._head <= self.door.limits.head_bytes:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; behind a body in pieces, one that nobody reads."""
        self._head += len(name) + len(value) + 4
        self._headers += 1
        if self._is_too_large():
            if self.awaits == "body":
                self.refuse("head-too-large")
        elif self.awaits == "head" and not self.refused:
            super().on_header(name, value)

    def _is_too_large(self) -> bool:
        limits = self.door.limits
        return self._head > limits.head_bytes or self._headers > limits.headers

    def on_headers_complete(self) -> None:
        """The head is here: it is answered, as soon as the ones before are."""
        if self.refused:
            return
        if self._is_too_large():
            self.refuse("head-too-large", "too many headers, or too long")
            return
        super().on_headers_complete()
        self._await("body")

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if not self.refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is here."""
        if self.refused:
            return
        super().on_message_complete()
        self._await("nothing")

    def pause_writing(self) -> None:
        """Its peer does not take what we answer."""
        super().pause_writing()
        self._stalled = self.loop.time()

    def resume_writing(self) -> None:
        """It takes it again."""
        super().resume_writing()
        self._stalled = None


def server_options(door: Door, proxies: str) -> dict[str, Any]:
    """What uvicorn has to be given beside the application and a place; `proxies` are believed whom they speak for."""
    return {
        "http": door.protocol(),
        "ws": "none",
        "backlog": BACKLOG,
        "forwarded_allow_ips": proxies,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 8,
    }
