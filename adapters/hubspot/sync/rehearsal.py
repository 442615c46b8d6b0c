"""The exact calls that a plan comes to, without making them: the portal's own code, before a client that only notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from adapters.hubspot.api.client import Answer, Call, Client, RefusedError
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.api.shapes import Capabilities
from adapters.hubspot.sync.plan import Plan
from adapters.hubspot.sync.writing import write


class Shown(NamedTuple):
    """A call as it would be made: the path as a template, the addresses in the body masked."""

    method: str
    path: str
    body: Any


def rehearsed(plan: Plan, portal: Portal, mask: Callable[[str], str]) -> list[Shown]:
    """The calls that writing a plan makes, in their order."""
    client = _Noting(portal.client.connection)
    write(_Rehearsed(client, portal.may()), plan.steps)
    hidden = {step.email: mask(step.email) for step in plan.steps if step.email}
    return [Shown(one.method, one.path, _masked(one.body, hidden)) for one in client.made]


class _Noting(Client):
    """Nothing of it reaches the network."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.made: list[Call] = []

    def calls(self, calls: Sequence[Call]) -> list[Answer | RefusedError]:
        self.made += calls
        return [Answer(200, None) for _ in calls]


class _Rehearsed(Portal):
    def __init__(self, client: Client, may: Capabilities) -> None:
        super().__init__(client)
        self._may = may


def _masked(body: Any, hidden: Mapping[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _masked(value, hidden) for name, value in body.items()}
    if isinstance(body, list):
        return [_masked(value, hidden) for value in body]
    return hidden.get(body, body) if isinstance(body, str) else body
