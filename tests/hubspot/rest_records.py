"""The calls about everything else: timeline, e-mail events, forms, submissions, deals, pipelines, imports."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from itertools import islice
from typing import Any

from tests.hubspot import mail
from tests.hubspot.calls import Answer, Call, batch, checked_limit, invalid, not_found, number, page
from tests.hubspot.forms import Form
from tests.hubspot.imports import Import
from tests.hubspot.journal import iso
from tests.hubspot.state import State


def timeline(state: State, call: Call) -> Answer:
    """What became of subscriptions, the newest first."""
    kind, recipient = call.query.get("changeType"), call.query.get("recipient")

    def wanted(row: Mapping[str, Any]) -> bool:
        types = kind is None or any(change["changeType"] == kind for change in row["changes"])
        return types and recipient in (None, row["recipient"])

    found = _rows(state.mail.timeline, "timestamp", wanted, call)
    return Answer(200, {"hasMore": found.more, "offset": found.offset, "timeline": found.rows})


def events(state: State, call: Call) -> Answer:
    """What became of mails, the newest first."""
    asked = {
        name: call.query[parameter]
        for name, parameter in (
            ("type", "eventType"), ("recipient", "recipient"), ("emailCampaignId", "campaignId"), ("appId", "appId")
        )
        if parameter in call.query
    }  # fmt: skip

    def wanted(row: Mapping[str, Any]) -> bool:
        return all(str(row.get(name)) == value for name, value in asked.items())

    found = _rows(state.mail.events, "created", wanted, call)
    return Answer(200, {"hasMore": found.more, "offset": found.offset, "events": found.rows})


def forms(state: State, call: Call) -> Answer:
    """A page of forms."""
    archived = call.query.get("archived") == "true"
    every = [form.shown() for form in state.forms.all.values() if form.archived == archived]
    return Answer(200, _numbered(every, call, 100))


def form(state: State, call: Call) -> Answer:
    """One form."""
    return Answer(200, _form(state, call).shown())


def submissions(state: State, call: Call) -> Answer:
    """What was sent in by a form, the newest first; nothing in it says what was agreed to."""
    limit = checked_limit(call.query.get("limit", 20), 50)
    rows = sorted(_form(state, call).submissions, key=lambda row: int(row["submittedAt"]), reverse=True)
    try:
        first = int(b64decode(call.query.get("after", ""))) if call.query.get("after") else 0
    except ValueError:
        raise invalid("after is nothing that was given out") from None
    # counted from the oldest, so that one which comes in meanwhile moves nothing
    end = len(rows) - first if first else 0
    taken = rows[end : end + limit]
    left = len(rows) - end - len(taken)
    return Answer(200, page(taken, b64encode(str(left).encode()).decode() if left else None))


def submit(state: State, call: Call) -> Answer:
    """The public way in: a person sends a form."""
    if call.path["portal"] != str(state.portal_id):
        raise not_found("There is no such portal")
    state.forms.submit(_form(state, call).id, call.json())
    return Answer(200, {"inlineMessage": "Thank you."})


def deals(state: State, call: Call) -> Answer:
    """A page of deals."""
    limit, after = call.limit(100), number(call.query.get("after", 0), "after")
    names, ends = call.listed("properties"), "contacts" in call.listed("associations")
    found = list(islice((deal for deal in _ordered(state) if deal.id > after), limit + 1))
    rows = [deal.shown(names, associations=ends) for deal in found[:limit]]
    return Answer(200, page(rows, found[limit - 1].id if len(found) > limit else None))


def deals_batch(state: State, call: Call) -> Answer:
    """Up to a hundred deals."""
    body, inputs = call.json(), call.inputs()
    started = iso(state.journal.now())
    rows: list[Any] = []
    missing: list[str] = []
    for one in inputs:
        found = state.sales.deals.get(number(one.get("id"), "id"))
        if found is None:
            missing.append(str(one["id"]))
        else:
            rows.append(found.shown(list(body.get("properties") or []), associations=False))
    message = "Could not get some DEAL objects, they may be deleted or not exist. Check that ids are valid."
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": missing}}
    return batch(rows, [error] if missing else [], started, iso(state.journal.now()))


def pipelines(state: State, call: Call) -> Answer:
    """The pipelines of deals, with what each stage means."""
    return Answer(200, page(state.sales.shown(), None))


def imports(state: State, call: Call) -> Answer:
    """A page of imports."""
    return Answer(200, _numbered([one.shown() for one in state.imports.all.values()], call, 100))


def imported(state: State, call: Call) -> Answer:
    """One import."""
    return Answer(200, _import(state, call).shown())


def import_errors(state: State, call: Call) -> Answer:
    """Rows of it that were not taken."""
    return Answer(200, _numbered(_import(state, call).errors, call, 500))


def import_file(state: State, call: Call) -> Answer:
    """A file is imported."""
    return Answer(200, state.imports.receive(call.body, call.content_type).shown())


def _rows(rows: list[dict[str, Any]], time: str, wanted: Any, call: Call) -> mail.Rows:
    try:
        return mail.page(rows, time, wanted, call.query)
    except ValueError:
        raise invalid("startTimestamp, endTimestamp, limit and offset are numbers") from None


def _numbered(rows: list[dict[str, Any]], call: Call, most: int) -> dict[str, Any]:
    limit, first = call.limit(most, min(most, 100)), number(call.query.get("after", 0), "after")
    end = first + limit
    return page(rows[first:end], end if end < len(rows) else None)


def _form(state: State, call: Call) -> Form:
    found = state.forms.all.get(call.path["form"])
    if found is None:
        raise not_found("There is no such form")
    return found


def _import(state: State, call: Call) -> Import:
    found = state.imports.all.get(number(call.path["id"], "id"))
    if found is None:
        raise not_found("There is no such import")
    return found


def _ordered(state: State) -> Any:
    return iter(state.sales.deals.values())
