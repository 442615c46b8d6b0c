"""The search for contacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.hubspot.calls import Answer, Call, checked_limit, invalid, number, page
from tests.hubspot.contacts import Contact
from tests.hubspot.journal import millis
from tests.hubspot.rest_contacts import names_of, shown
from tests.hubspot.state import State

MOST_FOUND, MOST_OF_A_SEARCH = 200, 10_000
_TIMES = frozenset({"lastmodifieddate", "createdate"})


def search(state: State, call: Call) -> Answer:
    """Contacts that fit; never beyond the ten thousandth."""
    body = call.json()
    limit = checked_limit(body.get("limit", 10), MOST_FOUND)
    first = number(body.get("after") or 0, "after")
    if first + limit > MOST_OF_A_SEARCH:
        raise invalid(f"Paging through search results is limited to {MOST_OF_A_SEARCH} results")
    groups = [[_filter(one) for one in group.get("filters", [])] for group in body.get("filterGroups") or []]
    found = [
        contact
        for contact in state.contacts.by_id.values()
        if not contact.archived and (not groups or any(all(fits(contact) for fits in group) for group in groups))
    ]
    for sort in reversed(body.get("sorts") or []):
        name, down = (sort, False) if isinstance(sort, str) else (sort["propertyName"], sort.get("direction"))
        found.sort(key=_order(str(name)), reverse=down == "DESCENDING")
    rows = [shown(one, names_of(body, "properties"), ()) for one in found[first : first + limit]]
    after = first + limit if first + limit < len(found) else None
    return Answer(200, page(rows, after, total=len(found)))


def _order(name: str) -> Callable[[Contact], Any]:
    if name in _TIMES:
        return lambda contact: contact.modified if name == "lastmodifieddate" else contact.created
    if name == "hs_object_id":
        return lambda contact: contact.id
    return lambda contact: contact.properties.get(name, "")


def _filter(one: Mapping[str, Any]) -> Callable[[Contact], bool]:
    name, operator = str(one.get("propertyName")), one.get("operator")
    take = _order(name)

    def value(given: object) -> Any:
        try:
            return (
                millis(str(given)) if name in _TIMES else number(given, name) if name == "hs_object_id" else str(given)
            )
        except ValueError:
            raise invalid(f"{name} cannot be compared with that") from None

    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda contact: bool(contact.shown(name)) == (operator == "HAS_PROPERTY")
    if operator in ("IN", "NOT_IN"):
        several = {value(each) for each in one.get("values") or ()}
        return lambda contact: (take(contact) in several) == (operator == "IN")
    if operator == "BETWEEN":
        low, high = value(one.get("value")), value(one.get("highValue"))
        return lambda contact: bool(low <= take(contact) <= high)
    compared = value(one.get("value"))
    tests: dict[object, Callable[[Contact], bool]] = {
        "EQ": lambda contact: bool(take(contact) == compared),
        "NEQ": lambda contact: bool(take(contact) != compared),
        "LT": lambda contact: bool(take(contact) < compared),
        "LTE": lambda contact: bool(take(contact) <= compared),
        "GT": lambda contact: bool(take(contact) > compared),
        "GTE": lambda contact: bool(take(contact) >= compared),
        "CONTAINS_TOKEN": lambda contact: str(compared).strip("*").lower() in str(take(contact)).lower(),
    }
    if operator not in tests:
        raise invalid(f"{operator} is no operator")
    return tests[operator]
