"""The portal's files, as HubSpot and Mailchimp write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import itemgetter
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from adapters.hubspot.demo import HEADER, Cells
from adapters.hubspot.portal.desk import FORMS, Audience, Desk
from adapters.hubspot.portal.people import Person

_FLAG = HEADER.index("Marketing contact status source type") + 1
CONTACTS = (*HEADER[:_FLAG], "Marketing contact status source name", *HEADER[_FLAG:])
UNSUBSCRIBES = ("Email", "Contact ID", "Unsubscribed from all email", "Subscription type", "Reason", "Date")
DEALS = ("Deal ID", "Deal Name", "Deal Stage", "Pipeline", "Close Date", "Amount", "Associated Contact IDs")
_MEMBER = (
    "Email Address", "First Name", "Last Name", "MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME",
    "CONFIRM_IP", "CC", "REGION",
)  # fmt: skip
_LAST = ("LEID", "EUID", "NOTES", "TAGS")
_STATES = {
    "subscribed": ("LAST_CHANGED",),
    "unsubscribed": (
        "UNSUB_TIME",
        "UNSUB_CAMPAIGN_TITLE",
        "UNSUB_CAMPAIGN_ID",
        "UNSUB_REASON",
        "UNSUB_REASON_OTHER",
    ),
    "cleaned": ("CLEAN_TIME", "CLEAN_CAMPAIGN_TITLE", "CLEAN_CAMPAIGN_ID"),
}
_AUDIENCE = "7f3e9a21b0"


def write_contacts(folder: Path, people: Iterable[Person]) -> Path:
    """The contacts export."""
    rows = ([who.cells.get(label, "") for label in CONTACTS] for who in people)
    return _write(folder / "contacts.csv", CONTACTS, rows)


def write_records(folder: Path, desk: Desk) -> Iterator[Path]:
    """Everything HubSpot holds beside its contacts; the newest first, as it exports them."""
    (folder / "forms").mkdir(exist_ok=True)
    for form in FORMS:
        header = (
            "Conversion Date",
            "Conversion ID",
            "Form name",
            "Email",
            "First name",
            *form.boxes,
            "Conversion Page",
        )
        newest = sorted(desk.submissions[form.file], key=itemgetter(0), reverse=True)
        yield _write(folder / "forms" / f"{form.file}.csv", header, (row for _, row in newest))
    newest = sorted(desk.unsubscribes, key=itemgetter(0), reverse=True)
    yield _write(folder / "unsubscribes-and-bounces.csv", UNSUBSCRIBES, (row for _, row in newest))
    yield _write(folder / "deals.csv", DEALS, desk.deals)
    yield _write(folder / "objections.csv", ("email", "date", "words"), desk.objections)
    timeline = sorted(desk.timeline, key=itemgetter("timestamp"), reverse=True)
    yield write_json(folder / "subscription-timeline.json", {"hasMore": False, "offset": "", "timeline": timeline})
    events = sorted(desk.events, key=itemgetter("created"), reverse=True)
    yield write_json(folder / "email-events.json", {"hasMore": False, "offset": "", "events": events})


def write_audience(folder: Path, audience: Audience, today: date) -> Path:
    """The old Mailchimp audience: one file a state, in a ZIP that says when it was made."""
    made = (today.year, today.month, today.day, 0, 0, 0)
    path = folder / "mailchimp-audience.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for state, columns in _STATES.items():
            header = (*_MEMBER, *columns, *_LAST)
            members: list[Cells] = getattr(audience, state)
            text = io.StringIO()
            _rows(text, header, ([cells[label] for label in header] for cells in members))
            info = ZipInfo(f"{state}_email_audience_export_{_AUDIENCE}.csv", made)
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, text.getvalue())
    return path


def write_json(path: Path, value: Mapping[str, object]) -> Path:
    """One JSON object, an entry a line."""
    entries = (msgspec.json.encode(name) + b": " + _lined(held) for name, held in value.items())
    path.write_bytes(b"{\n" + b",\n".join(entries) + b"\n}\n")
    return path


def _lined(value: object) -> bytes:
    if not isinstance(value, list):
        return msgspec.json.encode(value)
    return b"[\n" + b",\n".join(map(msgspec.json.encode, value)) + b"\n]"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        _rows(file, header, rows)
    return path


def _rows(file: io.StringIO | io.TextIOWrapper, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
