"""A HubSpot portal: what can be asked of it, and the few things that are written to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from adapters.hubspot.api.client import Answer, Call, RefusedError
from adapters.hubspot.api.preferences import BATCH, Preferences, chunks
from adapters.hubspot.api.properties import GROUP, GROUP_LABEL, PROPERTIES
from adapters.hubspot.api.reading import contact_of, milliseconds, page_of, results
from adapters.hubspot.api.shapes import (
    AddressState,
    Capabilities,
    ContactRead,
    Page,
    SubscriptionType,
    TypeChange,
    TypeState,
    Written,
)
from adapters.hubspot.api.writing import rows_by_id, split, unanswered, written

__all__ = [
    "AddressState",
    "Capabilities",
    "ContactRead",
    "Page",
    "Portal",
    "RefusedError",
    "SubscriptionType",
    "TypeChange",
    "TypeState",
    "Written",
]

Raw = dict[str, Any]
PAGE, PAGE_WITH_HISTORY = 100, 50
SEARCHED = 200
MOST_FOUND = 10_000
"""However many a search finds, it hands out no more."""
EVENTS = 1_000
SUBMISSIONS = 50
_DEAL = "dealname,dealstage,closedate,pipeline,amount,hs_is_closed_won"


class Portal(Preferences):
    """Everything raises AwayError, and whatever only reads RefusedError. Thread-safe."""

    def contacts(self, after: str | None, properties: Sequence[str], history: Sequence[str] = ()) -> Page[ContactRead]:
        """All contacts, page by page."""
        query = {"limit": str(PAGE_WITH_HISTORY if history else PAGE), "archived": "false"}
        query |= {"properties": ",".join(properties)} if properties else {}
        query |= {"propertiesWithHistory": ",".join(history)} if history else {}
        page = page_of(self._get("contacts", _after(query, after)))
        return Page([contact_of(one) for one in page.items], page.after, page.total)

    def changed_contacts(
        self, since: datetime, after: str | None, properties: Sequence[str], until: datetime | None = None
    ) -> Page[ContactRead]:
        """Those modified since then, the earliest first; `MOST_FOUND` at most: go on from the last one's time."""
        span: Raw = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": milliseconds(since)}
        if until is not None:
            span |= {"operator": "BETWEEN", "highValue": milliseconds(until)}
        body: Raw = {
            "filterGroups": [{"filters": [span]}],
            "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
            "properties": list(properties),
            "limit": SEARCHED,
        }
        if after is not None:
            body["after"] = after
        page = page_of(self._post("contacts.search", body, searching=True))
        return Page([contact_of(one) for one in page.items], page.after, page.total)

    def changed_at(self, moment: datetime, beyond: str, properties: Sequence[str]) -> Page[ContactRead]:
        """Those modified at that very moment, by their ids, from the next one on: so that any number is handed out."""
        at: Raw = {"propertyName": "lastmodifieddate", "operator": "EQ", "value": milliseconds(moment)}
        return self._by_ids(at, beyond, properties)

    def with_further_addresses(self, beyond: str, properties: Sequence[str]) -> Page[ContactRead]:
        """Those that have more than one address, by their ids, from the next one on."""
        return self._by_ids({"propertyName": "hs_additional_emails", "operator": "HAS_PROPERTY"}, beyond, properties)

    def _by_ids(self, which: Raw, beyond: str, properties: Sequence[str]) -> Page[ContactRead]:
        after: Raw = {"propertyName": "hs_object_id", "operator": "GT", "value": beyond}
        body: Raw = {
            "filterGroups": [{"filters": [which, after]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": list(properties),
            "limit": SEARCHED,
        }
        page = page_of(self._post("contacts.search", body, searching=True))
        return Page([contact_of(one) for one in page.items], page.after, page.total)

    def count_contacts(self) -> int | None:
        """How many contacts there are, where HubSpot says it."""
        body: Raw = {"filterGroups": [], "properties": ["hs_object_id"], "limit": 1}
        return page_of(self._post("contacts.search", body, searching=True)).total

    def read_contacts(
        self,
        ids: Sequence[str],
        properties: Sequence[str],
        by: Literal["id", "email"] = "id",
        history: Sequence[str] = (),
        *,
        whole: bool = False,
    ) -> dict[str, ContactRead]:
        """Contacts by id, or by address as it was given; those that are not there are absent.

        whole  RefusedError for one that is not handed out for any other reason
        """
        extra: Raw = {"idProperty": "email"} if by == "email" else {}
        extra |= {"propertiesWithHistory": list(history)} if history else {}
        asked = list(properties) if by == "id" else list(dict.fromkeys(("email", "hs_additional_emails", *properties)))
        parts = list(chunks(list(dict.fromkeys(ids)), PAGE_WITH_HISTORY if history else BATCH))
        calls = [
            self._batch("contacts.read", [{"id": one} for one in part], {"properties": asked, **extra})
            for part in parts
        ]
        found: dict[str, ContactRead] = {}
        for part, came in zip(parts, self.client.calls(calls), strict=True):
            if isinstance(came, RefusedError):
                raise came
            if whole and (error := unanswered(came)) is not None:
                raise RefusedError(calls[0], came.status, *error)
            known = {key: one for one in map(contact_of, results(came.body)) for key in _keys(one, by)}
            found |= {one: known[one.casefold()] for one in part if one.casefold() in known}
        return found

    def update_contacts(self, changes: Mapping[str, Mapping[str, str]]) -> list[Written]:
        """Set properties by record id. What became of each, in their order. Raises AwayError."""
        parts = list(chunks(list(changes)))
        came = self.client.calls([self._update(part, changes) for part in parts])
        return [one for part, answer in zip(parts, came, strict=True) for one in self._updated(part, changes, answer)]

    def _updated(
        self, ids: Sequence[str], changes: Mapping[str, Mapping[str, str]], came: Answer | RefusedError
    ) -> Iterator[Written]:
        """A batch that is refused whole for one of its records is halved, until it is known which."""
        if isinstance(came, Answer):
            yield from split(ids, came, rows_by_id(came))
        elif len(ids) == 1 or came.status not in (400, 404, 409):
            yield from (written(one, came) for one in ids)
        else:
            halves = [ids[: len(ids) // 2], ids[len(ids) // 2 :]]
            for half, answer in zip(halves, self.client.calls([self._update(h, changes) for h in halves]), strict=True):
                yield from self._updated(half, changes, answer)

    def _update(self, ids: Sequence[str], changes: Mapping[str, Mapping[str, str]]) -> Call:
        return self._batch("contacts.update", [{"id": one, "properties": dict(changes[one])} for one in ids], {})

    def properties(self) -> list[Raw]:
        """The definitions of every property of a contact."""
        return results(self._get("properties", {}))

    def ensure_properties(self) -> list[str]:
        """Make those of our own properties that are missing; the names of those made."""
        there = {str(one.get("name")) for one in self.properties()}
        missing = [name for name in PROPERTIES if name not in there]
        if not missing:
            return []
        groups = {str(one.get("name")) for one in results(self._get("property_groups", {}))}
        if GROUP not in groups:
            self._make("property_groups", {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1})
        for name in missing:
            self._make("properties", {"name": name, "groupName": GROUP, **PROPERTIES[name]})
        return missing

    def timeline(self, start: datetime | None, after: str | None, until: datetime | None = None) -> Page[Raw]:
        """Changes of subscriptions, the latest first."""
        query = _between(start, until) | {"limit": str(EVENTS)}
        return page_of(self._get("timeline", _after(query, after, "offset")), "timeline")

    def events(
        self, start: datetime | None, after: str | None, kind: str | None = None, until: datetime | None = None
    ) -> Page[Raw]:
        """E-mail events, of one type or all, the latest first."""
        query = _between(start, until) | {"limit": str(EVENTS)} | ({"eventType": kind} if kind else {})
        return page_of(self._get("events", _after(query, after, "offset")), "events")

    def forms(self, after: str | None) -> Page[Raw]:
        """Definitions of forms."""
        return page_of(self._get("forms", _after({"limit": str(PAGE)}, after)))

    def submissions(self, form: str, after: str | None) -> Page[Raw]:
        """What was sent in by a form, the latest first."""
        call = Call("GET", self.client.path("submissions"), {"form": form}, _after({"limit": str(SUBMISSIONS)}, after))
        return page_of(self.client.call(call).body)

    def deals(self, after: str | None) -> Page[Raw]:
        """Deals with the ids of their contacts."""
        query = {"limit": str(PAGE), "properties": _DEAL, "associations": "contacts", "archived": "false"}
        return page_of(self._get("deals", _after(query, after)))

    def pipelines(self) -> Page[Raw]:
        """Pipelines of deals, with their stages."""
        return page_of(self._get("pipelines", {}))

    def imports(self, after: str | None) -> Page[Raw]:
        """Imports that were made in the portal."""
        return page_of(self._get("imports", _after({"limit": str(PAGE)}, after)))

    def _get(self, name: str, query: Mapping[str, str]) -> Any:
        return self.client.call(Call("GET", self.client.path(name), query=query)).body

    def _post(self, name: str, body: Any, *, searching: bool = False) -> Any:
        return self.client.call(Call("POST", self.client.path(name), body=body, searching=searching)).body

    def _batch(self, name: str, inputs: Sequence[Raw], extra: Raw) -> Call:
        return Call("POST", self.client.path(name), body={"inputs": list(inputs), **extra})

    def _make(self, name: str, body: Raw) -> None:
        """Made already by whoever was quicker, it is there as well."""
        try:
            self._post(name, body)
        except RefusedError as error:
            if error.status != 409:
                raise


def _after(query: Mapping[str, str], after: str | None, name: str = "after") -> dict[str, str]:
    return {**query, name: after} if after is not None else dict(query)


def _between(start: datetime | None, until: datetime | None) -> dict[str, str]:
    bounds = {"startTimestamp": start, "endTimestamp": until}
    return {name: milliseconds(moment) for name, moment in bounds.items() if moment is not None}


def _keys(contact: ContactRead, by: str) -> Iterator[str]:
    if by == "id":
        # one that was merged away is handed out as the one that it became
        merged = contact.properties.get("hs_merged_object_ids") or ""
        yield from (contact.id, *(one.strip() for one in merged.split(";") if one.strip()))
        return
    yield from (one.casefold() for one in (contact.email, *contact.also) if one)
