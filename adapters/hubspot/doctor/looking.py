"""The whole look at a portal: a few dozen calls, none of which changes anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.hubspot.api.client import Call, RefusedError
from adapters.hubspot.api.portal import Page, Portal
from adapters.hubspot.api.reading import milliseconds, page_of
from adapters.hubspot.doctor.menus import BY_HAND
from adapters.hubspot.doctor.probing import (
    MARKETABLE,
    definitions,
    marketing_status,
    of_credentials,
    of_properties,
    probed,
)
from adapters.hubspot.doctor.settings import SOURCES, Origin, Seen, of_settings
from adapters.hubspot.doctor.shapes import SEVERITIES, Diagnosis, Rates

SOURCE, SOURCE_ID = "hs_marketable_reason_type", "hs_marketable_reason_id"
CONFIRMATION, BASIS = "hs_emailconfirmationstatus", "hs_legal_basis"
RECENT = timedelta(days=90)
LATEST, MOST_ORIGINS = 200, 20
"""Marketing contacts of a source whose origin is looked at, the latest first; origins of a source that are told."""
MOST_PAGES = 50

Filter = Mapping[str, str]
_MARKETING: Filter = {"propertyName": MARKETABLE, "operator": "EQ", "value": "true"}


def looked(portal: Portal, at: datetime) -> Diagnosis:
    """Everything that can be known. Raises AwayError, and RefusedError where the token is not known."""
    client = portal.client
    abilities = probed(client)
    known = definitions(client)
    seen = _seen(portal, at)
    found = [*of_credentials(abilities), *of_settings(seen), *of_properties(known)]
    day = client.day
    return Diagnosis(
        url=client.connection.url,
        version=client.connection.version,
        contacts=seen.contacts,
        marketing=_count(portal, _MARKETING),
        rates=Rates(per_second=client.rate, day=day[1] if day else None, day_left=day[0] if day else None),
        findings=tuple(sorted(found, key=lambda one: SEVERITIES.index(one.severity))),
        abilities=(*abilities, marketing_status(known)),
        unknown=BY_HAND,
    )


def _seen(portal: Portal, at: datetime) -> Seen:
    return Seen(
        forms=_all(portal.forms),
        imports=_all(portal.imports),
        origins=list(_origins(portal, at)),
        contacts=_count(portal),
        confirmations=_count(portal, _has(CONFIRMATION)),
        bases=_count(portal, _has(BASIS)),
    )


def _all(pages: Callable[[str | None], Page[dict[str, Any]]]) -> Sequence[Mapping[str, Any]] | None:
    """Every item; None: they may not be read."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    for _ in range(MOST_PAGES):
        try:
            page = pages(after)
        except RefusedError:
            return None
        found += page.items
        after = page.after
        if after is None:
            break
    return found


def _origins(portal: Portal, at: datetime) -> Iterator[Origin]:
    """What made marketing contacts, by source: each origin that is among the latest ones, counted in full."""
    lately: Filter = {"propertyName": "createdate", "operator": "GTE", "value": milliseconds(at - RECENT)}
    for source in SOURCES:
        of_source = (_MARKETING, _is(SOURCE, source))
        for identifier, _ in _latest(portal, of_source).most_common(MOST_ORIGINS):
            of_one = (*of_source, _is(SOURCE_ID, identifier)) if identifier else of_source
            contacts, recent = _count(portal, *of_one), _count(portal, *of_one, lately)
            yield Origin(source, identifier, contacts or 0, recent or 0)


def _latest(portal: Portal, filters: Sequence[Filter]) -> Counter[str]:
    body = {
        "filterGroups": [{"filters": list(filters)}],
        "sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}],
        "properties": [SOURCE_ID],
        "limit": LATEST,
    }
    page = _search(portal, body)
    rows = page.items if page is not None else ()
    return Counter(str((one.get("properties") or {}).get(SOURCE_ID) or "") for one in rows)


def _count(portal: Portal, *filters: Filter) -> int | None:
    groups = [{"filters": list(filters)}] if filters else []
    page = _search(portal, {"filterGroups": groups, "properties": ["hs_object_id"], "limit": 1})
    return None if page is None else page.total


def _search(portal: Portal, body: Mapping[str, Any]) -> Page[dict[str, Any]] | None:
    """None: it may not be searched, or not by that."""
    call = Call("POST", portal.client.path("contacts.search"), body=body, searching=True)
    try:
        return page_of(portal.client.call(call).body)
    except RefusedError:
        return None


def _has(name: str) -> Filter:
    return {"propertyName": name, "operator": "HAS_PROPERTY"}


def _is(name: str, value: str) -> Filter:
    return {"propertyName": name, "operator": "EQ", "value": value}
