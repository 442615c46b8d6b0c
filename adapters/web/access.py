"""Who may do what: one table, and nothing that is not in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from starlette.requests import Request

from adapters.logs import Lines
from adapters.web.keys import Key, KeyFile, Role
from adapters.web.problems import ProblemError
from adapters.web.rates import Limits

MAY: dict[str, frozenset[Role]] = {
    "record_fact": frozenset({"writer", "dpo"}),
    "record_facts": frozenset({"writer"}),
    "gate": frozenset({"reader", "dpo"}),
    "gate_batch": frozenset({"reader", "dpo"}),
    "status": frozenset({"reader", "auditor", "dpo"}),
    "contact_status": frozenset({"reader", "auditor", "dpo"}),
    "why": frozenset({"auditor", "dpo"}),
    "history": frozenset({"auditor", "dpo"}),
}
"""Operation -> roles. A writer reads nothing; a reader learns what is allowed now, not what happened."""
READ_PEOPLE = frozenset[Role]({"dpo"})
"""Roles that may be shown whose address a fact may have been meant for."""
WEBHOOKS = ("webhook", "webhook_below", "webhook_check", "webhook_check_below")
OPEN = frozenset({"live", "ready", "metrics", "openapi", *WEBHOOKS})
"""Operations without a key: they tell nothing about anybody. To webhooks, what the sender signs with is the key."""
FACTS = frozenset({"record_fact", "record_facts"})
"""Operations that may bring a stop: they count a request themselves, once they have seen that it brings none."""
COUNTED = frozenset({"ready", "metrics", "openapi"})
"""Open operations that are counted by source. A webhook is not: who signed it is known when the work is done."""


def header_of(request: Request, name: bytes) -> bytes:
    """A header by its lower-case name; empty where there is none. The framework's own would decode them all."""
    for found, value in request.scope["headers"]:
        if found == name:
            return bytes(value)
    return b""


class Access:
    """Lets a request through, or raises."""

    def __init__(self, keys: KeyFile, limits: Limits, clock: Callable[[], datetime], lines: Lines) -> None:
        self._keys, self._limits, self._clock, self._lines = keys, limits, clock, lines
        self._warned: dict[str, date] = {}

    def warn(self) -> None:
        """A line for each key that ends soon, or has. KeysError when no key can be read."""
        for key in self._keys.list():
            self._warn(key, self._clock())

    def _warn(self, key: Key, now: datetime) -> None:
        """Once a day, while it is used."""
        days = key.days_left(now)
        if days is not None and self._warned.get(key.name) != now.date():
            self._warned[key.name] = now.date()
            self._lines.write(
                "warning", "key.expired" if key.has_ended(now) else "key.expires", key_name=key.name, days=days
            )

    def admit(self, request: Request, operation: str) -> None:
        """Let a request through that nobody needs a key for. ProblemError 429."""
        if operation in COUNTED:
            self._limits.count_source(request.scope)

    def require(self, request: Request, operation: str) -> Key:
        """The key of a request that may do this.

        ProblemError 401, 403 or 429; KeysError when no key can be read.
        """
        scheme, _, secret = header_of(request, b"authorization").partition(b" ")
        key = self._keys.find(secret.strip()) if scheme.lower() == b"bearer" else None
        now = self._clock()
        if key is not None and key.expires_at is not None:
            self._warn(key, now)
        if key is None or key.has_ended(now):
            if operation not in FACTS:
                self._limits.count_source(request.scope)
            detail = "send a key as Authorization: Bearer clk_..." if key is None else "this key has expired"
            raise ProblemError("unauthenticated", detail)
        if operation not in FACTS:
            self._limits.count_key(key)
        if key.role not in MAY[operation]:
            raise ProblemError("forbidden", f"this needs a key with the role {' or '.join(sorted(MAY[operation]))}")
        return key
