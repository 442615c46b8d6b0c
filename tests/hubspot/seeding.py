"""A portal out of the files that `consent-ledger generate portal` writes: what they show is how it begins."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.hubspot.addresses import Status
from tests.hubspot.definitions import OPTOUT, REASON, REASON_ID
from tests.hubspot.forms import Form, consent
from tests.hubspot.imports import Import
from tests.hubspot.journal import PERSON, Actor, Change, by_form, iso, stamp, user
from tests.hubspot.wordings import COLUMNS, FORMS, flag, value_of

if TYPE_CHECKING:
    from tests.hubspot.contacts import Contact
    from tests.hubspot.state import State

ZONE = ZoneInfo("Europe/Berlin")
"""Of the portal: its files are written in it, and do not say so."""
_OPENED = datetime(2021, 1, 1, tzinfo=UTC)
_paragraph = re.compile(r"<p>([^<]+)</p>").search
_BOUNCED = ("BOUNCE", "SPAMREPORT", "DROPPED")
Row = Mapping[str, str]
_Left = Mapping[tuple[str, int | None], int]


def seed_portal(state: State, folder: Path) -> None:
    """Fill an empty portal with what is in the folder. Nothing of it counts as done since the fake began."""
    timeline = json.loads((folder / "subscription-timeline.json").read_text("utf-8"))["timeline"]
    events = json.loads((folder / "email-events.json").read_text("utf-8"))["events"]
    state.mail.load(timeline, events)
    left = _subscriptions(state, folder, timeline)
    back = _came_back(timeline)
    bounced = {event["recipient"]: event["created"] for event in state.mail.events if event["type"] in _BOUNCED}
    for row in _table(folder / "contacts.csv"):
        _contact(state, row, left, back, bounced.get(row["Email"]))
    _forms(state, folder)
    for row in _table(folder / "deals.csv"):
        _deal(state, row)
    _imports(state)


def _subscriptions(state: State, folder: Path, timeline: list[dict[str, Any]]) -> _Left:
    """Set every address; when each left, by (address, type)."""
    ids = {kind.name: kind.id for kind in state.addresses.types.values()}
    said: list[tuple[int, str, int | None, Status]] = []
    for told in timeline:
        for change in told["changes"]:
            status: Status = "UNSUBSCRIBED" if change["change"] == "UNSUBSCRIBED" else "SUBSCRIBED"
            if change["change"] in ("SUBSCRIBED", "UNSUBSCRIBED", "CONFIRMED"):
                said.append((change["timestamp"], told["recipient"], change.get("subscriptionId"), status))
    for row in _table(folder / "unsubscribes-and-bounces.csv"):
        if row["Reason"] == "Unsubscribed" and "@" in row["Email"]:
            kind = None if flag(row["Unsubscribed from all email"]) else ids[row["Subscription type"]]
            said.append((_moment(row["Date"]), row["Email"], kind, "UNSUBSCRIBED"))
    left: dict[tuple[str, int | None], int] = {}
    for at, email, kind, status in sorted(said, key=lambda one: one[0]):
        state.addresses.known(email, kind, status, at, "Subscription page")
        if status == "UNSUBSCRIBED":
            left.setdefault((email.lower(), kind), at)
    return left


def _came_back(timeline: list[dict[str, Any]]) -> dict[str, tuple[int, Actor]]:
    """When an address was last turned on by a form, and by which."""
    rows = sorted(timeline, key=lambda row: int(row["timestamp"]))
    return {
        row["recipient"].lower(): (change["timestamp"], by_form(change["formId"], change["formName"]))
        for row in rows
        for change in row["changes"]
        if change["change"] == "SUBSCRIBED" and "formId" in change
    }


def _contact(state: State, row: Row, left: _Left, back: Mapping[str, tuple[int, Actor]], bounced: int | None) -> None:
    values = {name: value_of(label, row[label]) for label, name in COLUMNS.items() if row.get(label)}
    also = [part for part in row["Additional email addresses"].split(";") if part.strip()]
    created, modified = _moment(row["Create Date"]), _moment(row["Last Modified Date"])
    contact = state.contacts.add(
        values, _origin(row), created, record_id=int(row["Record ID"]), also=also, quietly=True
    )
    contact.modified = max(created, modified)
    if "hs_email_hard_bounce_reason_enum" in contact.properties:
        contact.properties["hs_email_hard_bounce_reason"] = contact.properties["hs_email_hard_bounce_reason_enum"]
    for name in contact.properties:
        if bounced and ("quarantined" in name or "bounce" in name):
            contact.history[name] = [Change(bounced, PERSON, "property", name, None, contact.shown(name), contact.id)]
    cells: list[tuple[int | None, str]] = [(None, "Unsubscribed from all email")]
    cells += [(kind.id, f"Opted out of email: {kind.name}") for kind in state.addresses.types.values()]
    for kind, label in cells:
        at = left.get((contact.email, kind))
        _optout(state, contact, kind, flag(row.get(label, "")), at, back.get(contact.email))


def _optout(
    state: State, contact: Contact, kind: int | None, shown: bool, at: int | None, back: tuple[int, Actor] | None
) -> None:
    """What the contact shows is what counts: an opt-out that it does not show was lifted by them, or by somebody."""
    if not contact.email or (at is None and not shown):
        return
    name = OPTOUT if kind is None else f"{OPTOUT}_{kind}"
    since = at or contact.modified
    state.addresses.known(contact.email, kind, "UNSUBSCRIBED" if shown else "SUBSCRIBED", since, "Subscription page")
    past = [Change(since, PERSON, "property", name, None, "true", contact.id)]
    if not shown:
        when, who = back if back and back[0] > since else (max(contact.modified, since + 1), user())
        past.append(Change(when, who, "property", name, "true", "false", contact.id))
    contact.history[name] = past
    contact.properties[name] = "true" if shown else "false"


def _origin(row: Row) -> Actor:
    reason, name = row["Marketing contact status source type"], row["Marketing contact status source name"]
    if reason == "CONTACT_IMPORT":
        return Actor("import", "IMPORT", "", name)
    if reason == "FORM_SUBMISSION":
        return by_form("", name)
    return Actor("app", "INTEGRATION", "4210777", name) if reason == "INTEGRATOR_SET" else user()


def _forms(state: State, folder: Path) -> None:
    shown: dict[str, list[dict[str, Any]]] = {}
    for one in tomllib.loads((folder / "audit.toml").read_text("utf-8")).get("form", []):
        shown.setdefault(one["form"], []).append(one)
    for known in FORMS:
        versions = sorted(shown.get(known.name, []), key=_day)
        created, updated = (_day(versions[0]), _day(versions[-1])) if versions else (stamp(_OPENED),) * 2
        required = bool(versions and versions[-1].get("required"))
        boxes = [(known.type_id, label, required) for label in known.boxes]
        page = folder / "evidence" / f"{known.file}.html"
        words = _paragraph(page.read_text("utf-8")) if page.exists() else None
        text = words[1] if words else "News of Nordlicht Geräte GmbH by e-mail."
        form = Form(known.guid, known.name, created, updated, consent(*boxes, text=text))
        state.forms.all[form.id] = form
        sent = folder / "forms" / f"{known.file}.csv"
        form.submissions = [_submission(row, known.boxes) for row in _table(sent)] if sent.exists() else []


def _submission(row: Row, boxes: tuple[str, ...]) -> dict[str, Any]:
    """What the API gives of one: the boxes are not among its values."""
    named = {"Email": "email", "First name": "firstname"}
    own = ("Conversion Date", "Conversion ID", "Form name", "Conversion Page", *boxes)
    return {
        "conversionId": row["Conversion ID"],
        "submittedAt": _moment(row["Conversion Date"]),
        "pageUrl": row["Conversion Page"],
        "values": [
            {"name": named.get(label, re.sub(r"\W+", "_", label.lower())), "value": value, "objectTypeId": "0-1"}
            for label, value in row.items()
            if label not in own
        ],
    }


def _deal(state: State, row: Row) -> None:
    pipeline = state.sales.pipeline(row["Pipeline"])
    closed = _moment(row["Close Date"]) if row["Close Date"] else None
    properties = {
        "dealname": row["Deal Name"],
        "dealstage": state.sales.stage(pipeline, row["Deal Stage"]),
        "pipeline": pipeline,
        "amount": row["Amount"],
        "closedate": iso(closed) if closed else "",
    }
    contacts = tuple(int(part) for part in row["Associated Contact IDs"].split(";") if part.strip())
    state.sales.add(properties, contacts, closed or stamp(_OPENED), int(row["Deal ID"]))


def _imports(state: State) -> None:
    """One for each name that contacts were imported under: all of them as marketing contacts."""
    names: dict[str, int] = {}
    for contact in state.contacts.by_id.values():
        if contact.properties.get(REASON) == "CONTACT_IMPORT":
            name = contact.properties.get(REASON_ID, "")
            names[name] = min(contact.created, names.get(name, contact.created))
    for place, (name, at) in enumerate(sorted(names.items())):
        request = {"name": name, "marketableContactImport": True, "importOperations": {"0-1": "UPSERT"}}
        made = Import(600_001 + place, name, at, request, marketing=True)
        state.imports.all[made.id] = made


def _table(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _moment(text: str) -> int:
    return stamp(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE))


def _day(version: Mapping[str, Any]) -> int:
    day: date = version.get("shown_from", _OPENED.date())
    return stamp(datetime(day.year, day.month, day.day, tzinfo=UTC))
