"""Who may do what: one table, and nothing that is not in it."""

from __future__ import annotations

from starlette.requests import Request

from adapters.web.keys import Key, KeyFile, Role
from adapters.web.problems import ProblemError

MAY: dict[str, frozenset[Role]] = {
    "record_fact": frozenset({"writer"}),
    "record_facts": frozenset({"writer"}),
    "gate": frozenset({"reader", "dpo"}),
    "status": frozenset({"reader", "auditor", "dpo"}),
    "contact_status": frozenset({"reader", "auditor", "dpo"}),
    "why": frozenset({"auditor", "dpo"}),
    "history": frozenset({"auditor", "dpo"}),
}
"""Operation -> roles. A writer reads nothing; a reader learns what is allowed now, not what happened."""
WEBHOOKS = ("webhook", "webhook_below", "webhook_check", "webhook_check_below")
OPEN = frozenset({"live", "ready", "metrics", "openapi", *WEBHOOKS})
"""Operations without a key: they tell nothing about anybody. To webhooks, what the sender signs with is the key."""


def header_of(request: Request, name: bytes) -> bytes:
    """A header by its lower-case name; empty where there is none. The framework's own would decode them all."""
    for found, value in request.scope["headers"]:
        if found == name:
            return bytes(value)
    return b""


class Access:
    """Lets a request through, or raises."""

    def __init__(self, keys: KeyFile) -> None:
        self._keys = keys

    def require(self, request: Request, operation: str) -> Key:
        """The key of a request that may do this. ProblemError 401 or 403; KeysError when no key can be read."""
        scheme, _, secret = header_of(request, b"authorization").partition(b" ")
        key = self._keys.find(secret.strip()) if scheme.lower() == b"bearer" else None
        if key is None:
            raise ProblemError("unauthenticated", "send a key as Authorization: Bearer clk_...")
        if key.role not in MAY[operation]:
            raise ProblemError("forbidden", f"this needs a key of {' or '.join(sorted(MAY[operation]))}")
        return key
