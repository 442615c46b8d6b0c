"""What the credentials may do and what the portal's API has: tried, never assumed, by calls that change nothing.

A write is tried with nothing in it: who may not do it is told so, who may is told that something is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from adapters.hubspot.api.client import Answer, Call, Client, RefusedError
from adapters.hubspot.api.properties import PROPERTIES
from adapters.hubspot.api.reading import results
from adapters.hubspot.doctor.menus import CHANGE
from adapters.hubspot.doctor.shapes import Ability, Can, Finding

NOBODY = "nobody@example.invalid"
_EMAIL = {"channel": "EMAIL"}
_ONE = {"limit": "1"}
_AWAY = frozenset((404, 405, 410))
MARKETABLE = "hs_marketable_status"


class Probe(NamedTuple):
    """One call. `path`: a name of `Connection.path`; `without`: what it means when it may not be made."""

    name: str
    scope: str
    method: str
    path: str
    without: str
    needed: bool = True
    about: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    body: Any = None


_PREFERENCES, _BATCH = "communication_preferences", "communication_preferences.statuses.batch"
PROBES = (
    Probe("read contacts", "crm.objects.contacts.read", "GET", "contacts", "nothing can be pulled", query=_ONE),
    Probe(
        "write contacts", "crm.objects.contacts.write", "POST", "contacts.update", "the verdict cannot be written",
        body={"inputs": []},
    ),
    Probe("read properties", "crm.schemas.contacts.read", "GET", "properties", "histories cannot be found"),
    Probe(
        "make properties", "crm.schemas.contacts.write", "POST", "properties", "ours have to be made by hand",
        needed=False, body={},
    ),
    Probe("read subscriptions", f"{_PREFERENCES}.read", "GET", "types", "opt-outs of types are not seen"),
    Probe(
        "unsubscribe", f"{_PREFERENCES}.write", "POST", "status", "a stop cannot reach HubSpot",
        about={"email": NOBODY}, query=_EMAIL, body={},
    ),
    Probe(
        "read subscriptions in batches", f"{_BATCH}.read", "POST", "statuses.read", "two calls for each address",
        needed=False, query=_EMAIL, body={"inputs": []},
    ),
    Probe(
        "unsubscribe in batches", f"{_BATCH}.write", "POST", "statuses.write", "one call for each address",
        needed=False, body={"inputs": []},
    ),
    Probe(
        "subscribe, where HubSpot guards opt-outs (v3)", f"{_PREFERENCES}.write", "POST", "subscribe",
        "nobody is subscribed from here; the person's own form still does", needed=False, body={},
    ),
    Probe("history of subscriptions", "content", "GET", "timeline", "older opt-outs are not seen", query=_ONE),
    Probe("e-mail events", "content", "GET", "events", "what was sent cannot be audited", query=_ONE),
    Probe("forms", "forms", "GET", "forms", "what people were shown is not seen", query=_ONE),
    Probe("deals", "crm.objects.deals.read", "GET", "deals", "sales are not seen", False, query=_ONE),
    Probe("pipelines", "crm.objects.deals.read", "GET", "pipelines", "which stage is won is not seen", False),
    Probe("imports", "crm.import", "GET", "imports", "which imports set marketing is not seen", False, query=_ONE),
)  # fmt: skip


def probed(client: Client) -> tuple[Ability, ...]:
    """What came of each. Raises AwayError; RefusedError where the token is not known at all."""
    calls = [_call(client, probe) for probe in PROBES]
    found = []
    for probe, came in zip(PROBES, client.calls(calls), strict=True):
        if isinstance(came, RefusedError) and came.status == 401:
            raise came
        can = _can(came)
        said = "" if can == "yes" else probe.without
        found.append(Ability(name=probe.name, can=can, scope=probe.scope, needed=probe.needed, said=said))
    return tuple(found)


def _call(client: Client, probe: Probe) -> Call:
    method: Any = probe.method
    return Call(method, client.path(probe.path), probe.about, probe.query, probe.body)


def _can(came: Answer | RefusedError) -> Can:
    if isinstance(came, Answer) or came.status not in _AWAY | {403}:
        return "yes"
    return "forbidden" if came.status == 403 else "not there"


def of_credentials(abilities: Sequence[Ability]) -> Iterator[Finding]:
    """What is needed and may not be done."""
    for one in abilities:
        if one.needed and one.can != "yes":
            yield Finding(
                severity="high",
                kind="credentials",
                where=one.scope or one.name,
                said=f"{one.name}: {one.can}, so {one.said}",
                change=CHANGE["credentials"],
            )


def definitions(client: Client) -> dict[str, Mapping[str, Any]] | None:
    """The properties of contacts by name; None: they may not be read."""
    try:
        body = client.call(Call("GET", client.path("properties"))).body
    except RefusedError:
        return None
    return {str(one.get("name")): one for one in results(body)}


def marketing_status(known: Mapping[str, Mapping[str, Any]] | None) -> Ability:
    """Whether the property that bills a contact can be set by a call, as its own definition says."""
    definition = (known or {}).get(MARKETABLE)
    told = None if definition is None else (definition.get("modificationMetadata") or {}).get("readOnlyValue")
    can: Can = "unknown" if told is None else "forbidden" if told else "yes"
    said = {
        "unknown": "its definition is not handed out",
        "forbidden": "read-only: a workflow of the portal sets it by our verdict, or an import",
        "yes": "its definition says it is writable; this program does not write it all the same",
    }[can]
    return Ability(name="set the marketing status", can=can, scope=None, needed=False, said=said)


def of_properties(known: Mapping[str, Mapping[str, Any]] | None) -> Iterator[Finding]:
    """Our own properties: there, and of the right type."""
    if known is None:
        return
    missing = [name for name in PROPERTIES if name not in known]
    if missing:
        yield Finding(
            severity="low",
            kind="property_missing",
            where=", ".join(missing),
            said="not there yet",
            change=CHANGE["property_missing"],
        )
    for name, wanted in PROPERTIES.items():
        said = _differs(wanted, known[name]) if name in known else ""
        if said:
            change = CHANGE["property_differs"].format(where=name)
            yield Finding(severity="high", kind="property_differs", where=name, said=said, change=change)


def _differs(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    said = [
        f"{field} is {there.get(field)}, not {wanted[field]}"
        for field in ("type", "fieldType")
        if there.get(field) != wanted[field]
    ]
    options = {str(one.get("value")) for one in there.get("options") or ()}
    said += [f"lacks the option {one['value']}" for one in wanted.get("options", ()) if one["value"] not in options]
    return "; ".join(said)
