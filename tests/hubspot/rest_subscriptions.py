"""The calls about subscriptions: v3, v4 and the dated ones, which have the shape of v4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from tests.hubspot.addresses import LEGAL_BASES, Address, Status
from tests.hubspot.calls import Answer, Call, RefusedError, batch, invalid, number
from tests.hubspot.journal import iso
from tests.hubspot.state import State

_STATES: Mapping[object, Status] = {
    "SUBSCRIBED": "SUBSCRIBED",
    "UNSUBSCRIBED": "UNSUBSCRIBED",
    "NOT_SPECIFIED": "NOT_SPECIFIED",
}


def definitions(state: State, call: Call) -> Answer:
    """The subscription types."""
    return _complete(state, definitions_of(state))


def statuses(state: State, call: Call) -> Answer:
    """Where an address stands with each type."""
    _channel(call.query)
    return _complete(state, _statuses(state, state.addresses.of(email_of(call.path["email"]))))


def set_status(state: State, call: Call) -> Answer:
    """Set one type, to whatever is asked: this call does turn on whoever had opted out."""
    email = email_of(call.path["email"])
    state.chaos.check_lock(email)
    return _complete(state, [_set(state, call, email, call.json())])


def unsubscribed_all(state: State, call: Call) -> Answer:
    """Whether an address is out of all e-mail: no results where it is not."""
    _channel(call.query)
    return _complete(state, _wide(state.addresses.of(email_of(call.path["email"]))))


def unsubscribe_all(state: State, call: Call) -> Answer:
    """Out of all e-mail. There is no call that undoes it."""
    _channel(call.query)
    email = email_of(call.path["email"])
    state.chaos.check_lock(email)
    reason = state.addresses.set_all(email, True, call.actor, state.journal.now())
    return _complete(state, _statuses(state, state.addresses.of(email), reason))


def batch_read(state: State, call: Call) -> Answer:
    """Where up to a hundred addresses stand."""
    _channel(call.query)
    return _each(
        state,
        call,
        lambda email: {"subscriberIdString": email, "statuses": _statuses(state, state.addresses.of(email))},
    )


def batch_read_all(state: State, call: Call) -> Answer:
    """Whether they are out of all e-mail."""
    _channel(call.query)
    return _each(
        state, call, lambda email: {"subscriberIdString": email, "wideStatuses": _wide(state.addresses.of(email))}
    )


def batch_unsubscribe_all(state: State, call: Call) -> Answer:
    """Up to a hundred addresses out of all e-mail."""
    _channel(call.query)
    state.chaos.check_lock(*(_subscriber(one) for one in call.inputs()))

    def out(email: str) -> dict[str, Any]:
        reason = state.addresses.set_all(email, True, call.actor, state.journal.now())
        address = state.addresses.of(email)
        statuses = _statuses(state, address, reason)
        return {"subscriberIdString": email, "statuses": statuses, "wideStatuses": _wide(address)}

    return _each(state, call, out)


def batch_write(state: State, call: Call) -> Answer:
    """Set one type for each of up to a hundred addresses; what one gets wrong, the others do not suffer."""
    inputs = call.inputs()
    state.chaos.check_lock(*(_subscriber(one) for one in inputs))
    started = iso(state.journal.now())
    results: list[Any] = []
    errors: list[dict[str, Any]] = []
    for one in inputs:
        given = one if isinstance(one, dict) else {}
        email = _subscriber(one)
        refusal = state.chaos.refusal(email) or _fault(state, email, given)
        if refusal is None:
            results.append(_set(state, call, email, given))
        else:
            errors.append(refusal)
    return batch(results, errors, started, iso(state.journal.now()))


def links(state: State, call: Call) -> Answer:
    """Links with which the person can decide themselves."""
    _channel(call.query)
    body = call.json()
    email = email_of(body.get("subscriberIdString"))
    site, token = "https://preferences.example", f"{crc32(email.encode()):08x}"
    made = {
        "subscriberIdString": email,
        "managePreferencesUrl": f"{site}/manage/{token}",
        "unsubscribeAllUrl": f"{site}/unsubscribe-all/{token}",
    }
    if body.get("subscriptionId"):
        made["unsubscribeSingleUrl"] = f"{site}/unsubscribe/{body['subscriptionId']}/{token}"
    return Answer(200, made)


def _set(state: State, call: Call, email: str, given: Mapping[str, Any]) -> dict[str, Any]:
    type_id, status, basis, explanation = _wanted(state, given)
    at = state.journal.now()
    reason = state.addresses.set_type(
        email, type_id, status, call.actor, at, legal_basis=basis, explanation=explanation
    )
    return _status(state, state.addresses.of(email), type_id) | {"setStatusSuccessReason": reason}


def _wanted(state: State, given: Mapping[str, Any]) -> tuple[int, Status, str | None, str | None]:
    status = _STATES.get(given.get("statusState"))
    if status is None:
        raise invalid("statusState is one of SUBSCRIBED, UNSUBSCRIBED, NOT_SPECIFIED")
    type_id = type_of(state, given.get("subscriptionId"))
    _channel(given)
    return type_id, status, *legal(state, given, status)


def _fault(state: State, email: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        email_of(email)
        _wanted(state, given)
    except RefusedError as error:
        context = {"ids": [email], "subscriptionId": [str(given.get("subscriptionId"))]}
        return {"status": "error", "category": error.category, "message": error.message, "context": context}
    return None


def _each(state: State, call: Call, make: Any) -> Answer:
    started = iso(state.journal.now())
    results: list[Any] = []
    errors: list[dict[str, Any]] = []
    for one in call.inputs():
        email = _subscriber(one)
        refusal = state.chaos.refusal(email)
        if refusal is None and "@" not in email:
            message = "The subscriber is no e-mail address"
            refusal = {
                "status": "error",
                "category": "VALIDATION_ERROR",
                "message": message,
                "context": {"ids": [email]},
            }
        if refusal is None:
            results.append(make(email.strip().lower()))
        else:
            errors.append(refusal)
    return batch(results, errors, started, iso(state.journal.now()))


def legal(state: State, given: Mapping[str, Any], status: Status) -> tuple[str | None, str | None]:
    basis, explanation = given.get("legalBasis") or None, given.get("legalBasisExplanation") or None
    if basis is not None and basis not in LEGAL_BASES:
        raise invalid(f"legalBasis is one of {', '.join(sorted(LEGAL_BASES))}")
    if state.data_privacy and basis is not None and explanation is None:
        raise invalid("legalBasisExplanation is required with legalBasis: data privacy settings are on")
    if state.data_privacy and status == "SUBSCRIBED" and basis is None:
        raise invalid("legalBasis and legalBasisExplanation are required: data privacy settings are on")
    return basis, explanation


def type_of(state: State, given: object) -> int:
    type_id = number(given, "subscriptionId")
    if type_id not in state.addresses.types:
        raise invalid(f"There is no subscription type {type_id}")
    return type_id


def email_of(given: object) -> str:
    text = str(given or "").strip().lower()
    if "@" not in text:
        raise invalid("The subscriber is no e-mail address")
    return text


def _subscriber(one: object) -> str:
    """Inputs are addresses, or objects with one."""
    if isinstance(one, dict):
        one = one.get("subscriberIdString") or one.get("id")
    return str(one or "").strip().lower()


def _channel(given: Mapping[str, Any]) -> None:
    if given.get("channel") != "EMAIL":
        raise invalid("channel is required, and EMAIL is all there is")


def definitions_of(state: State) -> list[dict[str, Any]]:
    return [
        {
            "id": str(one.id),
            "name": one.name,
            "description": one.description,
            "purpose": "Marketing",
            "communicationMethod": "Email",
            "isActive": one.active,
            "isDefault": False,
            "isInternal": False,
            "createdAt": iso(0),
            "updatedAt": iso(0),
        }
        for one in state.addresses.types.values()
    ]


def _statuses(state: State, address: Address, reason: str | None = None) -> list[dict[str, Any]]:
    rows = [_status(state, address, type_id) for type_id in state.addresses.types]
    return [row | {"setStatusSuccessReason": reason} for row in rows] if reason else rows


def _status(state: State, address: Address, type_id: int) -> dict[str, Any]:
    own = address.types.get(type_id)
    row: dict[str, Any] = {
        "channel": "EMAIL",
        "businessUnitId": 0,
        "subscriberIdString": address.email,
        "subscriptionId": type_id,
        "subscriptionName": state.addresses.types[type_id].name,
        "status": own.status if own else "NOT_SPECIFIED",
        "source": own.source if own else "",
    }
    if own is not None:
        row["timestamp"] = iso(own.at)
        if own.legal_basis:
            row |= {"legalBasis": own.legal_basis, "legalBasisExplanation": own.explanation}
    return row


def _wide(address: Address) -> list[dict[str, Any]]:
    if not address.all_out:
        return []
    return [
        {
            "channel": "EMAIL",
            "subscriberIdString": address.email,
            "wideStatusType": "PORTAL_WIDE",
            "status": "UNSUBSCRIBED",
            "timestamp": iso(address.all_at),
        }
    ]


def _complete(state: State, results: list[Any]) -> Answer:
    at = iso(state.journal.now())
    return Answer(200, {"status": "COMPLETE", "startedAt": at, "completedAt": at, "results": results})
