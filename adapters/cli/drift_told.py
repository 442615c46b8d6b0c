"""Differences between HubSpot and the ledger as rows: on a screen, as CSV, as JSON. No address in any of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from adapters.hubspot.api.properties import PROPERTIES
from adapters.hubspot.drift.comparing import KINDS, Kind
from adapters.hubspot.drift.looking import Drift, Side
from adapters.hubspot.drift.remedies import KINDS as TOLD
from adapters.hubspot.drift.remedies import OWN_ACT, PENDING
from adapters.hubspot.sync.desired import reference
from adapters.report import wording
from adapters.report.cells import Sheet, reading_cell
from adapters.report.masking import mask_email
from adapters.report.screen import Screen
from adapters.why_words import reason_in_words

SCHEMA = "consent-ledger/drift/1"
WRITERS: dict[Side, str] = {"ledger": "this ledger", "crm": "HubSpot", "unknown": "nobody knows who"}
"""Who wrote what HubSpot shows, in words."""
_TOKEN = re.compile(r"\(([a-z_]+)\)")
_PROPERTY = re.compile(r"(consent_ledger_[a-z_]+) ([^,]+)")


class DriftRow(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `flipped`: somebody else turned on what a stop covers; `by`: who, in HubSpot's words."""

    ref: str
    kind: Kind
    flipped: bool
    reference: str
    record_id: str
    email_masked: str
    subscription_type: str | None
    ledger: str
    crm: str
    since: datetime
    last_writer: Side
    by: str
    remedies: tuple[str, ...]
    by_hand: str
    next_update: date | None = None
    ignored_until: datetime | None = None


class Found(NamedTuple):
    """All differences, the gravest first, and what came with looking."""

    rows: list[DriftRow]
    contacts: int
    ignored: int
    recorded: int


def row_of(one: Drift, next_update: date | None) -> DriftRow:
    """A difference in words. `next_update`: when HubSpot next changes what it holds pending."""
    about, told = one.difference, TOLD[one.difference.kind]
    return DriftRow(
        ref=one.ref,
        kind=about.kind,
        flipped=one.flipped,
        reference=reference(about.contact, about.position) if about.position else f"CL-{about.contact[:8]}",
        record_id=about.record,
        email_masked=mask_email(about.email),
        subscription_type=about.about or None,
        ledger=about.ledger,
        crm=about.crm,
        since=one.since,
        last_writer=one.last_writer,
        by=one.by,
        remedies=() if about.pending else told.remedies,
        by_hand=PENDING if about.pending else OWN_ACT if one.own_act else told.by_hand,
        next_update=next_update if about.pending else None,
        ignored_until=one.ignored.until if one.ignored else None,
    )


def as_json(found: Found) -> bytes:
    """The document."""
    document = {
        "schema": SCHEMA,
        "contacts": found.contacts,
        "ignored": found.ignored,
        "flips_recorded": found.recorded,
        "kinds": {kind: sum(row.kind == kind for row in found.rows) for kind in KINDS},
        "differences": found.rows,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def write_csv(rows: Sequence[DriftRow]) -> None:
    """One difference a row, to the pipe: what a machine goes by, then the tokens of it in words."""
    names = DriftRow.__struct_fields__
    sheet = Sheet(sys.stdout, (*names, "kind in words", "ledger in words", "crm in words", "last writer in words"))
    for row in rows:
        cells = [_cell(getattr(row, name)) for name in names]
        cells += [TOLD[row.kind].what, _in_words(row.ledger), _in_words(row.crm), WRITERS[row.last_writer]]
        sheet.add(*map(reading_cell, cells))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "; ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def render(found: Found, most: int, screen: Screen) -> None:
    """By kind, the gravest first. `most`: of each; 0: all."""
    screen.line(f"{found.contacts:,} contacts were compared; {len(found.rows):,} differences were found", style="bold")
    pending = sum(row.by_hand == PENDING for row in found.rows)
    if pending:
        screen.line(f"{pending:,} of them end by themselves, at HubSpot's next update")
    if found.ignored:
        screen.line(f"{found.ignored:,} are left alone for now (--all shows them)")
    if found.recorded:
        screen.line(f"{found.recorded:,} facts were recorded: somebody turned on what a stop covers", style="bold red")
    for kind in KINDS:
        rows = [row for row in found.rows if row.kind == kind]
        if not rows:
            continue
        screen.line()
        screen.line(f"{TOLD[kind].what}: {len(rows):,}", style="bold")
        if TOLD[kind].by_hand:
            screen.wrapped("", TOLD[kind].by_hand, 2)
        for row in rows[: most or None]:
            for label, text in _told(row):
                screen.wrapped(label, text, 16)
        if most and len(rows) > most:
            screen.line(f"  and {len(rows) - most:,} more; --show 0, --csv and --json show all")


def _in_words(side: str) -> str:
    """One side for a person: a legal basis or a reason in brackets, and our own properties, by their words."""
    side = _PROPERTY.sub(lambda found: f"{_label(found[1])}: {_value(found[2])}", side)
    return _TOKEN.sub(lambda found: f"({_value(found[1])})", side)


def _value(token: str) -> str:
    return wording.BASES.get(token) or reason_in_words(token)


def _label(name: str) -> str:
    label = str(PROPERTIES[name]["label"]) if name in PROPERTIES else name.replace("_", " ")
    return label.rpartition(": ")[2]


def _told(row: DriftRow) -> Iterator[tuple[str, str]]:
    kind = f", type {row.subscription_type}" if row.subscription_type else ""
    flip = "FLIPPED: " if row.flipped else ""
    by = f" ({row.by})" if row.by else ""
    yield row.ref, f"{flip}{row.email_masked}, record {row.record_id}{kind}, {row.reference}"
    yield "", f"ledger: {_in_words(row.ledger)}; HubSpot: {_in_words(row.crm)}"
    yield "", f"since {row.since:%Y-%m-%d %H:%M}; last written by {WRITERS[row.last_writer]}{by}"
    update = f" on {row.next_update}" if row.next_update else ""
    remedies = ", ".join(f"drift {name}" for name in row.remedies)
    yield "", remedies or f"{row.by_hand}{update}"
    if row.by_hand == OWN_ACT:
        yield "", OWN_ACT
