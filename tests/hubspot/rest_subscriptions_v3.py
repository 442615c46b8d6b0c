"""The calls about subscriptions in version 3, and those of the newest version that are like them."""

from __future__ import annotations

from typing import Any

from tests.hubspot.addresses import Address, Status
from tests.hubspot.calls import Answer, Call, invalid, not_found
from tests.hubspot.rest_subscriptions import definitions_of, email_of, legal, type_of
from tests.hubspot.state import State


def definitions_v3(state: State, call: Call) -> Answer:
    """The subscription types."""
    return Answer(200, {"subscriptionDefinitions": definitions_of(state)})


def status_v3(state: State, call: Call) -> Answer:
    """Where an address stands: who opted out and who was never asked look alike."""
    address = state.addresses.of(email_of(call.path["email"]))
    return Answer(200, {"recipient": address.email, "subscriptionStatuses": _rows_v3(state, address)})


def subscribe_v3(state: State, call: Call) -> Answer:
    """Turn a type on for somebody who is not opted out of it: whoever is, is refused."""
    if not state.v3_subscribe:
        raise not_found("This version of the API is no longer there.")
    email, type_id, basis, explanation = _asked_v3(state, call)
    address = state.addresses.of(email)
    if address.out(type_id):
        raise invalid("The contact has unsubscribed and cannot be subscribed again through this API.")
    return _done_v3(state, call, (email, type_id, basis, explanation), "SUBSCRIBED")


def unsubscribe_v3(state: State, call: Call) -> Answer:
    """Turn a type off."""
    return _done_v3(state, call, _asked_v3(state, call, "UNSUBSCRIBED"), "UNSUBSCRIBED")


def resubscribe(state: State, call: Call) -> Answer:
    """The dated call that does turn on whoever had opted out."""
    return _done_v3(state, call, _asked_v3(state, call), "SUBSCRIBED")


def _asked_v3(state: State, call: Call, status: Status = "SUBSCRIBED") -> tuple[str, int, str | None, str | None]:
    body = call.json()
    email = email_of(body.get("emailAddress"))
    state.chaos.check_lock(email)
    if not isinstance(body.get("subscriptionId"), str):
        raise invalid("subscriptionId is a string of digits")
    return email, type_of(state, body["subscriptionId"]), *legal(state, body, status)


def _done_v3(state: State, call: Call, asked: tuple[str, int, str | None, str | None], status: Status) -> Answer:
    email, type_id, basis, explanation = asked
    at = state.journal.now()
    state.addresses.set_type(email, type_id, status, call.actor, at, legal_basis=basis, explanation=explanation)
    rows = _rows_v3(state, state.addresses.of(email))
    return Answer(200, next(row for row in rows if row["id"] == str(type_id)))


def _rows_v3(state: State, address: Address) -> list[dict[str, Any]]:
    rows = []
    for kind in state.addresses.types.values():
        own = address.types.get(kind.id)
        on = own is not None and own.status == "SUBSCRIBED" and not address.all_out
        row: dict[str, Any] = {
            "id": str(kind.id),
            "name": kind.name,
            "description": kind.description,
            "status": "SUBSCRIBED" if on else "NOT_SUBSCRIBED",
            "sourceOfStatus": "PORTAL_WIDE_STATUS" if address.all_out else "SUBSCRIPTION_STATUS",
        }
        if own is not None and own.legal_basis:
            row |= {"legalBasis": own.legal_basis, "legalBasisExplanation": own.explanation}
        rows.append(row)
    return rows
