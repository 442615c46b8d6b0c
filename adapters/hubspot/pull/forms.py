"""Forms: what each shows and asks for consent by, kept as a document; and what was sent in by them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.hubspot.api.portal import Page, RefusedError
from adapters.hubspot.api.reading import milliseconds, objects, when
from adapters.hubspot.forms import FormSubmissions
from adapters.hubspot.layouts import FORMS
from adapters.hubspot.pull.run import LATE, Pull, Raw, Tally
from adapters.tokens import token_of
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM

SOURCE = "hubspot.form_definitions"
_ASKED = ("single_checkbox", "booleancheckbox", "multiple_checkboxes")
_TICKED = ("checked", "preChecked", "defaultChecked", "defaultValue")


def pull_forms(pull: Pull) -> None:
    """What every form shows now; wording that is not as it was is a new version."""
    tally = pull.begin("forms", "forms")
    found = _forms(pull, tally)
    shown = {n.event.form: n.event.document for n in pull.house.catalogue.forms if isinstance(n.event, e.FormDescribed)}
    for name, form in found.items():
        tally.taken.rows += 1
        _describe(pull, tally, name, form, shown.get(token_of(name)))
        tally.taken.findings += [f"form “{name}”: {said}" for said in findings(form)]
    pull.save(tally)
    pull.told(tally.kind, tally.taken.rows, len(found))
    pull.finish(tally, None)


def _forms(pull: Pull, tally: Tally) -> dict[str, Raw]:
    """The forms by name; those of one name by name and id."""
    forms: list[Raw] = []
    after: str | None = None
    while True:
        page = pull.portal.forms(after)
        tally.pages += 1
        forms += page.items
        after = page.after
        if after is None:
            break
    names = Counter(token_of(_name(form)) for form in forms)
    return {
        _name(form) if names[token_of(_name(form))] == 1 else f"{_name(form)} {form.get('id')}": form for form in forms
    }


def _name(form: Mapping[str, Any]) -> str:
    return str(form.get("name") or form.get("id") or "form")


def _describe(pull: Pull, tally: Tally, name: str, form: Raw, before: str | None) -> None:
    document = pull.house.ledger.log.put_document(document_of(form))
    tally.taken.facts += 1
    if document == before:
        tally.taken.unchanged += 1
        return
    updated = when(form.get("updatedAt")) or when(form.get("createdAt"))
    described = e.FormDescribed(
        stream=LEDGER_STREAM,
        source=SOURCE,
        by="system",
        via="hubspot",
        occurred_from=updated or tally.started,
        captured_at=tally.started,
        form=token_of(name),
        version=document[:12],
        document=document,
        evidence=(document,),
    )
    source_id = f"{form.get('id')}:{document}:{form.get('updatedAt') or ''}"
    receipt = pull.house.ledger.record(Fact(described, source_id))
    tally.taken.added += receipt.status == "recorded"
    tally.taken.unchanged += receipt.status == "unchanged"
    if before is not None and receipt.status == "recorded":
        tally.taken.findings.append(
            f"form “{name}”: it shows other words than before; what it showed is kept. Say in the evidence map from "
            "when on it did"
        )


def document_of(form: Mapping[str, Any]) -> bytes:
    """The parts of a form that bear on consent, in one way of writing: other bytes are another wording."""
    kept = {
        "id": form.get("id"),
        "name": form.get("name"),
        "legalConsentOptions": form.get("legalConsentOptions"),
        "fields": [
            {part: field.get(part) for part in ("name", "label", "fieldType", "required", *_TICKED) if part in field}
            for field in _fields(form)
            if field.get("fieldType") in _ASKED
        ],
    }
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def findings(form: Mapping[str, Any]) -> Iterator[str]:
    """What in a form keeps its consent from being one, each where it stands."""
    options = form.get("legalConsentOptions")
    boxes = objects(options.get("communicationsCheckboxes")) if isinstance(options, dict) else []
    # for a field that is no consent box HubSpot has no word, so its label says what it is
    single = [field for field in _fields(form) if field.get("fieldType") in _ASKED[:2]]
    for box in [*boxes, *single]:
        label = str(box.get("label") or box.get("name") or "")[:80]
        if box.get("required") is True:
            yield f"the box “{label}” must be ticked to send it in: a consent by it is not freely given"
        if any(str(box.get(part, "")).lower() in ("true", "1", "yes") for part in _TICKED):
            yield f"the box “{label}” is ticked before anybody looks at it: a consent by it is none"


def _fields(form: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for group in objects(form.get("fieldGroups")):
        yield from objects(group.get("fields"))


def pull_submissions(pull: Pull) -> None:
    """What was sent in by every form, the latest first, until what was seen before."""
    tally = pull.begin("submissions", FORMS.kind)
    for name, form in _forms(pull, tally).items():
        try:
            _pull_form(pull, tally, name, str(form.get("id")))
        except RefusedError as error:
            if error.status not in (400, 404, 410):
                raise
            tally.taken.findings.append(f"form “{name}”: HubSpot does not hand out what was sent in ({error.status})")
    pull.finish(tally, f"hubspot.{FORMS.kind}")


def _pull_form(pull: Pull, tally: Tally, name: str, number: str) -> None:
    key = f"submissions.{number}"
    since = pull.cursors.get(key).since
    known = None if since is None else int(milliseconds(since - LATE))

    def took(rows: Sequence[Raw]) -> bool:
        times = [row["submittedAt"] for row in rows if isinstance(row.get("submittedAt"), int)]
        pull.take(tally, FORMS, FormSubmissions, name, rows)
        return known is None or not times or min(times) >= known

    def fetch(_: datetime | None, after: str | None, __: datetime) -> Page[Raw]:
        return pull.portal.submissions(number, after)

    pull.walk(tally, key, fetch, took)
