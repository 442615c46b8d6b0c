"""Calls to HubSpot: at its pace, tried again while that may help, refusals told without an address in them.

Every call may be made twice: those that read change nothing, and those that write set a state that stays the same
when it is set again.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import httpx2
import msgspec

from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.rates import LOCKED, Pace, asked_for, back_off
from adapters.receiving import AwayError
from adapters.unique_keys import TWICE, RepeatedKeyError, require_unique_keys

PATIENCE = 120.0
THREADS = 16
SEARCHES = 5
"""A second, for a whole portal; no header says so."""
_TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
_AGAIN = frozenset((408, 423, 425, 429, 477))
_LOCKED = 423
_TOO_MANY = 429
_SAID = 300

_address = re.compile(r"[^\s\"'<>()\[\]{},;:=/]+(@|%40)[^\s\"'<>()\[\]{},;:=/]+")


class Call(NamedTuple):
    """One call. `path`: a template, filled in from `about`, which is never told to anybody."""

    method: Literal["GET", "POST", "PATCH"]
    path: str
    about: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    body: Any = None
    searching: bool = False


class Answer(NamedTuple):
    """What came back. `body`: the JSON, None where there was none."""

    status: int
    body: Any


class RefusedError(Exception):
    """HubSpot will not do it, however often it is asked. `scopes`: what the token may not do, where it says so."""

    def __init__(self, call: Call, status: int, category: str, message: str, scopes: Sequence[str] = ()) -> None:
        self.call, self.status, self.category, self.message = call, status, category, message
        self.scopes = tuple(scopes)
        said = f"HubSpot refused {call.method} {call.path} ({status}{f' {category}' if category else ''}): {message}"
        if status == 401:
            said = "HubSpot does not know the token of CONSENT_LEDGER_HUBSPOT_TOKEN: give it a valid one"
        elif scopes:
            said = f"{said.rstrip('.')}. The token lacks: {', '.join(scopes)}"
        super().__init__(said)


class Client:
    """Thread-safe. Close it, or use it as a context manager.

    clock, sleep  monotonic seconds, and how to wait; `random`: from 0 up to 1
    patience      seconds for which one call is tried
    told          is handed every call with what came of it, from whichever thread made it
    """

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        random: Callable[[], float],
        transport: httpx2.BaseTransport | None = None,
        *,
        patience: float = PATIENCE,
        threads: int = THREADS,
        told: Callable[[Call, Answer | Exception], None] = lambda _, __: None,
    ) -> None:
        # they write down whole URLs, and those may hold addresses
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.connection = connection
        self.patience, self.told = patience, told
        self._clock, self._sleep, self._random = clock, sleep, random
        self._pace = Pace(clock, sleep)
        self._searches = Pace(clock, sleep, SEARCHES, 1.0)
        self._stopped = threading.Event()
        self._http = httpx2.Client(
            headers={
                "Authorization": f"Bearer {connection.token.get_secret_value()}",
                "Accept": "application/json",
                "User-Agent": "consent-ledger",
            },
            timeout=_TIMEOUT,
            transport=transport,
            limits=httpx2.Limits(max_connections=threads, max_keepalive_connections=threads, keepalive_expiry=30.0),
        )
        self._pool = ThreadPoolExecutor(threads, "hubspot")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections and threads. Idempotent."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)
        self._http.close()

    @property
    def rate(self) -> float | None:
        """Calls a second that HubSpot allows, as far as it said."""
        return self._pace.rate

    @property
    def day(self) -> tuple[int, int] | None:
        """Calls left today and those of a whole day, as far as HubSpot said."""
        return self._pace.day

    def path(self, name: str) -> str:
        """See `Connection.path`."""
        return self.connection.path(name)

    def call(self, call: Call) -> Answer:
        """Raises RefusedError; AwayError when patience is at its end, or the day's calls are used up."""
        try:
            answer = self._call(call)
        except (RefusedError, AwayError) as error:
            self.told(call, error)
            raise
        self.told(call, answer)
        return answer

    def calls(self, calls: Sequence[Call]) -> list[Answer | RefusedError]:
        """What came of each, in their order; several are under way at a time. Raises AwayError."""
        if len(calls) == 1:
            return [self._tried(calls[0])]
        futures: list[Future[Answer | RefusedError]] = [self._pool.submit(self._tried, call) for call in calls]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()

    def _tried(self, call: Call) -> Answer | RefusedError:
        try:
            return self.call(call)
        except RefusedError as error:
            return error

    def _call(self, call: Call) -> Answer:
        began, attempt = self._clock(), 0
        while True:
            if self._pace.spent:
                raise AwayError("the day's calls to HubSpot are used up; it counts anew at midnight of the portal")
            paces = (self._searches, self._pace) if call.searching else (self._pace,)
            if not all(pace.wait(self.patience - (self._clock() - began)) for pace in paces):
                raise AwayError("HubSpot asks to be left alone for longer than there is patience")
            waiting = self._once(call, attempt)
            if isinstance(waiting, Answer):
                return waiting
            seconds, why = waiting
            if self._stopped.is_set() or self._clock() - began + seconds > self.patience:
                raise AwayError(f"HubSpot does not answer {call.method} {call.path} now ({why})")
            self._sleep(seconds)
            attempt += 1

    def _once(self, call: Call, attempt: int) -> Answer | tuple[float, str]:
        """The answer, or how long to wait for another, and why."""
        path = call.path.format(**{name: quote(text, safe="") for name, text in call.about.items()})
        wait = partial(back_off, attempt, self._random)
        try:
            got = self._http.request(
                call.method,
                self.connection.url.rstrip("/") + path,
                params=dict(call.query) or None,
                content=None if call.body is None else msgspec.json.encode(call.body),
                headers=None if call.body is None else {"Content-Type": "application/json"},
            )
        except httpx2.RequestError as error:  # an answer that cannot be unpacked is none, too
            return wait(), type(error).__name__
        self._pace.learn(got.headers)
        if got.status_code < 400 and not got.is_redirect:
            return Answer(got.status_code, _json(call, got))
        if got.status_code not in _AGAIN and got.status_code < 500:
            raise _refusal(call, got)
        if got.status_code == _TOO_MANY:
            return self._slower(call, got, wait)
        asked = asked_for(got.headers)
        return wait(asked, LOCKED if got.status_code == _LOCKED else 0.0), str(got.status_code)

    def _slower(self, call: Call, got: httpx2.Response, wait: Callable[..., float]) -> tuple[float, str]:
        """Too many calls: all threads wait, not only the one that was told."""
        said = _object(got)
        if "DAILY" in str(said.get("policyName", "")).upper():
            self._pace.exhaust()
            raise AwayError("the day's calls to HubSpot are used up; it counts anew at midnight of the portal")
        seconds = wait(asked_for(got.headers))
        (self._searches if call.searching else self._pace).hold(seconds)
        return seconds, str(_TOO_MANY)


def without_addresses(text: str) -> str:
    """What HubSpot says, fit to be told: short, and no address in it."""
    return _address.sub("…", text)[:_SAID]


def _json(call: Call, got: httpx2.Response) -> Any:
    if not got.content:
        return None
    try:
        require_unique_keys(got.content)
        return msgspec.json.decode(got.content)
    except RepeatedKeyError as error:
        raise RefusedError(call, got.status_code, "", f"the answer cannot be relied on: {TWICE}") from error
    except msgspec.DecodeError as error:
        raise RefusedError(call, got.status_code, "", "the answer is not JSON; is that HubSpot's API?") from error


def _object(got: httpx2.Response) -> Mapping[str, Any]:
    try:
        said = msgspec.json.decode(got.content)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _refusal(call: Call, got: httpx2.Response) -> RefusedError:
    said = _object(got)
    message = without_addresses(str(said.get("message") or got.reason_phrase or "no reason given"))
    return RefusedError(call, got.status_code, str(said.get("category", "")), message, tuple(_scopes(said)))


def _scopes(said: Mapping[str, Any]) -> list[str]:
    """What a token would have to be allowed; HubSpot names it in more than one place."""
    contexts = [said.get("context"), *(one.get("context") for one in said.get("errors") or () if isinstance(one, dict))]
    found: dict[str, None] = {}
    for context in contexts:
        if isinstance(context, dict):
            for name in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
                held = context.get(name)
                found.update(dict.fromkeys(map(str, held if isinstance(held, list) else ())))
    return list(found)
