"""Which path leads where, by what scope, under which limit: the legacy paths and the dated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

from tests.hubspot import rest_contacts as contacts
from tests.hubspot import rest_properties as properties
from tests.hubspot import rest_records as records
from tests.hubspot import rest_search
from tests.hubspot import rest_subscriptions as subscriptions
from tests.hubspot import rest_subscriptions_v3 as v3
from tests.hubspot.calls import Answer, Call
from tests.hubspot.state import State

VERSIONS = ("2026-03", "2026-09")
Handler: TypeAlias = Callable[[State, Call], Answer]
_READ, _WRITE = "crm.objects.contacts.read", "crm.objects.contacts.write"
_SEE, _SET = "communication_preferences.read", "communication_preferences.write"
_BATCH = "communication_preferences.statuses.batch"


class Route(NamedTuple):
    """`scopes`: any one of them will do; empty: none is needed. `kind`: the limit that counts."""

    method: str
    path: str
    handler: Handler
    scopes: tuple[str, ...]
    kind: str = "call"


def _contacts(root: str) -> Iterator[Route]:
    yield Route("GET", root, contacts.listed, (_READ,))
    yield Route("POST", root, contacts.create, (_WRITE,))
    yield Route("POST", f"{root}/batch/read", contacts.batch_read, (_READ,))
    yield Route("POST", f"{root}/batch/update", contacts.batch_update, (_WRITE,))
    yield Route("POST", f"{root}/search", rest_search.search, (_READ,), "search")
    yield Route("POST", f"{root}/merge", contacts.merge, (_WRITE,))
    yield Route("POST", f"{root}/gdpr-delete", contacts.gdpr_delete, (_WRITE,))
    yield Route("GET", f"{root}/{{id}}", contacts.read, (_READ,))
    yield Route("PATCH", f"{root}/{{id}}", contacts.update, (_WRITE,))
    yield Route("DELETE", f"{root}/{{id}}", contacts.archive, (_WRITE,))


def _properties(root: str) -> Iterator[Route]:
    read, write = ("crm.schemas.contacts.read", _READ), ("crm.schemas.contacts.write",)
    yield Route("GET", root, properties.listed, read)
    yield Route("POST", root, properties.create, write)
    yield Route("POST", f"{root}/batch/create", properties.create_batch, write)
    yield Route("GET", f"{root}/groups", properties.groups, read)
    yield Route("POST", f"{root}/groups", properties.create_group, write)
    yield Route("GET", f"{root}/{{name}}", properties.read, read)


def _preferences(root: str) -> Iterator[Route]:
    both = "communication_preferences.read_write"
    see, change = (_SEE, both), (_SET, both)
    read, write = (f"{_BATCH}.read",), (f"{_BATCH}.write",)
    yield Route("GET", f"{root}/definitions", subscriptions.definitions, see)
    yield Route("POST", f"{root}/statuses/batch/read", subscriptions.batch_read, read)
    yield Route("POST", f"{root}/statuses/batch/write", subscriptions.batch_write, write)
    yield Route("POST", f"{root}/statuses/batch/unsubscribe-all", subscriptions.batch_unsubscribe_all, write)
    yield Route("POST", f"{root}/statuses/batch/unsubscribe-all/read", subscriptions.batch_read_all, read)
    yield Route("GET", f"{root}/statuses/{{email}}", subscriptions.statuses, see)
    yield Route("POST", f"{root}/statuses/{{email}}", subscriptions.set_status, change)
    yield Route("GET", f"{root}/statuses/{{email}}/unsubscribe-all", subscriptions.unsubscribed_all, see)
    yield Route("POST", f"{root}/statuses/{{email}}/unsubscribe-all", subscriptions.unsubscribe_all, change)
    yield Route("POST", f"{root}/links/generate", subscriptions.links, see)


def _preferences_v3(root: str) -> Iterator[Route]:
    both = "communication_preferences.read_write"
    yield Route("GET", f"{root}/status/email/{{email}}", v3.status_v3, (_SEE, both))
    yield Route("POST", f"{root}/subscribe", v3.subscribe_v3, (_SET, both))
    yield Route("POST", f"{root}/unsubscribe", v3.unsubscribe_v3, (_SET, both))


def _deals(root: str) -> Iterator[Route]:
    yield Route("GET", root, records.deals, ("crm.objects.deals.read",))
    yield Route("POST", f"{root}/batch/read", records.deals_batch, ("crm.objects.deals.read",))


def _imports(root: str) -> Iterator[Route]:
    yield Route("GET", root, records.imports, ("crm.import",))
    yield Route("POST", root, records.import_file, ("crm.import",))
    yield Route("GET", f"{root}/{{id}}", records.imported, ("crm.import",))
    yield Route("GET", f"{root}/{{id}}/errors", records.import_errors, ("crm.import",))


def _forms(root: str) -> Iterator[Route]:
    yield Route("GET", root, records.forms, ("forms",))
    yield Route("GET", f"{root}/{{form}}", records.form, ("forms",))


def _all() -> Iterator[Route]:
    """Dated paths that the notes do not show follow the pattern of those that they do."""
    for kind in ("contacts", "0-1"):
        yield from _contacts(f"/crm/v3/objects/{kind}")
        yield from _properties(f"/crm/v3/properties/{kind}")
    for kind in ("deals", "0-3"):
        yield from _deals(f"/crm/v3/objects/{kind}")
        yield Route("GET", f"/crm/v3/pipelines/{kind}", records.pipelines, ("crm.objects.deals.read",))
    yield from _imports("/crm/v3/imports")
    yield from _forms("/marketing/v3/forms")
    yield from _preferences("/communication-preferences/v4")
    yield from _preferences_v3("/communication-preferences/v3")
    yield Route("GET", "/communication-preferences/v3/definitions", v3.definitions_v3, (_SEE,))
    for version in VERSIONS:
        for kind in ("contacts", "0-1"):
            yield from _contacts(f"/crm/objects/{version}/{kind}")
            yield from _properties(f"/crm/properties/{version}/{kind}")
        for kind in ("deals", "0-3"):
            yield from _deals(f"/crm/objects/{version}/{kind}")
            yield Route("GET", f"/crm/pipelines/{version}/{kind}", records.pipelines, ("crm.objects.deals.read",))
        yield from _imports(f"/crm/imports/{version}")
        yield from _forms(f"/marketing/forms/{version}")
        yield from _preferences(f"/communication-preferences/{version}")
    yield from _preferences_v3("/communication-preferences/2026-09")
    yield Route("POST", "/communication-preferences/2026-09/resubscribe", v3.resubscribe, (_SET,))
    yield Route("GET", "/email/public/v1/subscriptions/timeline", records.timeline, ("content",))
    yield Route("GET", "/email/public/v1/events", records.events, ("content",))
    yield Route("GET", "/form-integrations/v1/submissions/forms/{form}", records.submissions, ("forms",))
    submit = "/submissions/v3/integration"
    yield Route("POST", f"{submit}/submit/{{portal}}/{{form}}", records.submit, (), "submission")
    yield Route("POST", f"{submit}/secure/submit/{{portal}}/{{form}}", records.submit, ("forms",))


class _Node:
    __slots__ = ("any", "literal", "name", "routes")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.name = ""
        self.routes: dict[str, Route] = {}


class Routes:
    """Finds the route of a path as it was sent: a part of it may hold an escaped slash."""

    def __init__(self) -> None:
        self._root = _Node()
        for route in _all():
            node = self._root
            for part in route.path.strip("/").split("/"):
                if part.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                    node.name = part[1:-1]
                else:
                    node = node.literal.setdefault(part, _Node())
            node.routes[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str], bool]:
        """(the route, what varies in the path, whether the path is known at all)."""
        given: dict[str, str] = {}
        node: _Node | None = self._root
        for part in path.strip("/").split("/"):
            assert node is not None
            found = node.literal.get(part)
            if found is None and node.any is not None:
                found = node.any
                given[found.name] = unquote(part)
            if found is None:
                return None, {}, False
            node = found
        assert node is not None
        return node.routes.get(method), given, bool(node.routes)
