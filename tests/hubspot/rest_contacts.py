"""The calls about contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from tests.hubspot.calls import Answer, Call, RefusedError, batch, invalid, not_found, number, page
from tests.hubspot.contacts import Contact
from tests.hubspot.journal import Change, iso
from tests.hubspot.state import State

USUAL = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
ALWAYS = ("createdate", "hs_object_id", "lastmodifieddate")
MOST, MOST_WITH_HISTORY = 100, 50


def listed(state: State, call: Call) -> Answer:
    """A page of contacts."""
    history = call.listed("propertiesWithHistory")
    limit = call.limit(MOST_WITH_HISTORY if history else MOST)
    after = number(call.query.get("after", 0), "after")
    archived = call.query.get("archived") == "true"
    names = call.listed("properties")
    found = list(islice(state.contacts.after(after, archived=archived), limit + 1))
    rows = [shown(one, names, history) for one in found[:limit]]
    return Answer(200, page(rows, found[limit - 1].id if len(found) > limit else None))


def read(state: State, call: Call) -> Answer:
    """One contact."""
    contact = _one(state, call)
    return Answer(200, shown(contact, call.listed("properties"), call.listed("propertiesWithHistory")))


def create(state: State, call: Call) -> Answer:
    """A new contact."""
    given = _checked(state, [call.json()])[0]
    email = given.get("email", "")
    if email and state.contacts.find(email):
        raise RefusedError(409, "CONFLICT", "Contact already exists.")
    at = state.journal.now()
    contact = state.contacts.add(given, call.actor, at)
    state.show(contact, at=at)
    return Answer(201, shown(contact, list(given), ()))


def update(state: State, call: Call) -> Answer:
    """Other values for one contact."""
    contact = _one(state, call)
    given = _checked(state, [call.json()])[0]
    state.chaos.check_lock(contact.id)
    _write(state, contact, given, call)
    return Answer(200, shown(contact, list(given), ()))


def archive(state: State, call: Call) -> Answer:
    """Delete a contact, so that it can be restored."""
    contact = _one(state, call)
    state.contacts.delete(contact, call.actor, state.journal.now())
    return Answer(204)


def batch_read(state: State, call: Call) -> Answer:
    """Up to a hundred contacts, by id or by address."""
    body = call.json()
    history = names_of(body, "propertiesWithHistory")
    inputs = call.inputs(MOST_WITH_HISTORY if history else MOST)
    names, by = names_of(body, "properties"), body.get("idProperty")
    if by not in (None, "", "hs_object_id", "email"):
        raise invalid(f"{by} is no unique property of contacts")
    started = iso(state.journal.now())
    rows, missing, refused = [], [], []
    for key in (_key(one) for one in inputs):
        contact = state.contacts.find(key) if (by == "email") != key.isdecimal() else None
        refusal = state.chaos.refusal(key)
        if refusal is not None:
            refused.append(refusal)
        elif contact is None or contact.archived:
            missing.append(key)
        else:
            rows.append(shown(contact, names, history))
    return batch(rows, refused + _missing(missing), started, iso(state.journal.now()))


def batch_update(state: State, call: Call) -> Answer:
    """Other values for up to a hundred contacts."""
    inputs = call.inputs()
    given = _checked(state, inputs)
    keys = [_key(one) for one in inputs]
    state.chaos.check_lock(*keys)
    started = iso(state.journal.now())
    rows, missing, refused = [], [], []
    for key, values in zip(keys, given, strict=True):
        contact = state.contacts.find(key)
        refusal = state.chaos.refusal(key)
        if refusal is not None:
            refused.append(refusal)
        elif contact is None or contact.archived:
            missing.append(key)
        else:
            _write(state, contact, values, call)
            rows.append(shown(contact, list(values), ()))
    return batch(rows, refused + _missing(missing), started, iso(state.journal.now()))


def merge(state: State, call: Call) -> Answer:
    """Two contacts become one."""
    body = call.json()
    kept = state.contacts.find(number(body.get("primaryObjectId"), "primaryObjectId"))
    gone = state.contacts.find(number(body.get("objectIdToMerge"), "objectIdToMerge"))
    if kept is None or gone is None:
        raise not_found()
    if kept is gone:
        raise invalid("A contact cannot be merged with itself")
    state.merge(kept.id, gone.id, call.actor)
    return Answer(200, shown(kept, (), ()))


def gdpr_delete(state: State, call: Call) -> Answer:
    """Delete for good; an address that nobody has is kept out from now on."""
    body = call.json()
    key = str(body.get("objectId") or "")
    if not key:
        raise invalid("Some required fields were not set: [objectId]")
    if body.get("idProperty") == "email":
        state.gdpr_delete(key, call.actor)
    elif (contact := state.contacts.find(number(key, "objectId"))) is None:
        raise not_found()
    else:
        state.gdpr_delete(contact.id, call.actor)
    return Answer(204)


def shown(contact: Contact, names: Iterable[str], history: Iterable[str]) -> dict[str, Any]:
    """A contact as the API gives it: what was asked for, and what is always there."""
    tell = contact.shown
    made: dict[str, Any] = {
        "id": str(contact.id),
        "properties": {name: tell(name) for name in ((*ALWAYS, *names) if names else USUAL)},
        "createdAt": iso(contact.created),
        "updatedAt": iso(contact.modified),
        "archived": contact.archived,
    }
    if history:
        past = {name: [_version(one) for one in reversed(contact.past(name))] for name in history}
        made["propertiesWithHistory"] = {name: versions for name, versions in past.items() if versions}
        made["properties"] |= {name: tell(name) for name in history}
    if contact.archived:
        made["archivedAt"] = iso(contact.archived_at)
    return made


def _version(change: Change) -> dict[str, Any]:
    actor = change.actor
    made: dict[str, Any] = {"value": change.after, "timestamp": iso(change.at), "sourceType": actor.source}
    if actor.id:
        made["sourceId"] = actor.id
    if actor.label:
        made["sourceLabel"] = actor.label
    if actor.id.startswith("userId:"):
        made["updatedByUserId"] = int(actor.id.removeprefix("userId:"))
    return made


def _one(state: State, call: Call) -> Contact:
    by_email = call.query.get("idProperty") == "email"
    key = call.path["id"]
    contact = state.contacts.find(key) if by_email or key.isdecimal() else None
    if contact is None or contact.archived != (call.query.get("archived") == "true"):
        raise not_found()
    return contact


def _checked(state: State, inputs: list[Any]) -> list[dict[str, str]]:
    """The values of each, where all of them may be written."""
    made: list[dict[str, str]] = []
    faults: list[dict[str, Any]] = []
    for one in inputs:
        given = one.get("properties") if isinstance(one, dict) else None
        if not isinstance(given, dict):
            raise invalid("Some required fields were not set: [properties]")
        faults.extend(state.definitions.faults(given))
        made.append({str(name): _text(value) for name, value in given.items()})
    if faults:
        said = "; ".join(f"{fault['error']}: {fault['message']}" for fault in faults[:20])
        errors = [
            {"message": fault["message"], "code": fault["error"], "context": {"propertyName": [fault["name"]]}}
            for fault in faults[:20]
        ]
        raise invalid(f"Property values were not valid: {said}", errors)
    return made


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _write(state: State, contact: Contact, given: Mapping[str, str], call: Call) -> None:
    owner = state.contacts.find(given["email"]) if given.get("email") else None
    if owner is not None and owner is not contact:
        raise RefusedError(409, "CONFLICT", "Another contact has this address already.")
    at = state.journal.now()
    for name, value in given.items():
        state.contacts.set(contact, name, value, call.actor, at)


def _key(one: object) -> str:
    if not isinstance(one, dict) or not one.get("id"):
        raise invalid("Some required fields were not set: [id]")
    return str(one["id"])


def names_of(body: Mapping[str, Any], name: str) -> list[str]:
    found = body.get(name) or []
    if not isinstance(found, list):
        raise invalid(f"{name} is a list")
    return [str(one) for one in found]


def _missing(keys: list[str]) -> list[dict[str, Any]]:
    if not keys:
        return []
    message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    return [{"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": keys}}]
