"""What became of each of many writes: HubSpot's answer to a batch, taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.hubspot.api.client import Answer, RefusedError, without_addresses
from adapters.hubspot.api.reading import objects, results
from adapters.hubspot.api.shapes import TypeChange, Written

_GONE = frozenset(("OBJECT_NOT_FOUND", "CONTACT_NOT_FOUND", "NOT_FOUND"))


def written(key: str, came: Answer | RefusedError) -> Written:
    """What became of a single write."""
    if isinstance(came, Answer):
        return Written(key, "unchanged" if _no_change(came.body) else "done", came.status, "")
    if came.status == 400 and "already" in came.message and "opted out" not in came.message:
        return Written(key, "unchanged", came.status, came.message)
    return Written(key, "gone" if came.status == 404 else "refused", came.status, came.message)


def split(keys: Sequence[str], answer: Answer, named: Mapping[str, list[dict[str, Any]]]) -> list[Written]:
    """What became of each input of a batch, in their order. `named`: the rows of the answer by key."""
    errors = objects(answer.body.get("errors")) if isinstance(answer.body, dict) else []
    return [_one(key, answer, named.get(key), errors) for key in keys]


def unanswered(answer: Answer) -> tuple[str, str] | None:
    """Why an input of a batch is not handed out that may well be there: category and words of the first such error."""
    for error in objects(answer.body.get("errors")) if isinstance(answer.body, dict) else []:
        category = str(error.get("category") or error.get("subCategory") or "")
        if category not in _GONE:
            return category, without_addresses(str(error.get("message") or "not handed out"))
    return None


def _one(
    key: str, answer: Answer, rows: Sequence[Mapping[str, Any]] | None, errors: Sequence[Mapping[str, Any]]
) -> Written:
    if rows:
        same = all(row.get("setStatusSuccessReason") == "NO_STATUS_CHANGE" for row in rows)
        return Written(key, "unchanged" if same else "done", answer.status, "")
    if not errors and answer.status != 207:
        return Written(key, "done", answer.status, "")
    # an input that is in none of the rows was not written, whether an error names it or not
    mine = next((one for one in errors if key.casefold() in set(_named(one))), None)
    error = mine or (errors[0] if len(errors) == 1 else {})
    category = str(error.get("category") or error.get("subCategory") or "")
    detail = without_addresses(str(error.get("message") or "not among what HubSpot says it wrote"))
    return Written(key, "gone" if category in _GONE else "refused", _code(error, answer), detail)


def _code(error: Mapping[str, Any], answer: Answer) -> int:
    status = str(error.get("status", ""))
    return int(status) if status.isdigit() else answer.status


def _named(error: Mapping[str, Any]) -> Iterator[str]:
    """The inputs that an error is about, as its context names them."""
    context = error.get("context")
    for held in context.values() if isinstance(context, dict) else ():
        yield from (str(one).casefold() for one in (held if isinstance(held, list) else [held]))


def rows_by_id(answer: Answer) -> dict[str, list[dict[str, Any]]]:
    """The records that a batch wrote."""
    return {str(row.get("id", "")): [row] for row in results(answer.body)}


def rows_of_types(
    keys: Sequence[str], changes: Sequence[TypeChange], answer: Answer
) -> dict[str, list[dict[str, Any]]]:
    """The statuses that a batch wrote, by the key of the change that asked for them."""
    rows = {
        (str(r.get("subscriberIdString", "")).casefold(), str(r.get("subscriptionId", ""))): r for r in _flat(answer)
    }
    found = {key: rows.get((one.email.casefold(), one.type_id)) for key, one in zip(keys, changes, strict=True)}
    return {key: [row] for key, row in found.items() if row is not None}


def _flat(answer: Answer) -> Iterator[dict[str, Any]]:
    for one in results(answer.body):
        inner = objects(one.get("statuses")) or objects(one.get("wideStatuses"))
        yield from ({"subscriberIdString": one.get("subscriberIdString"), **row} for row in inner or [one])


def _no_change(body: object) -> bool:
    reasons = [row.get("setStatusSuccessReason") for row in results(body)] or (
        [body.get("setStatusSuccessReason")] if isinstance(body, dict) else []
    )
    return bool(reasons) and all(reason == "NO_STATUS_CHANGE" for reason in reasons)
