"""What was looked at so far, and what was not: from the imports on record. And how the audit before this ended."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from adapters.kinds import KINDS
from adapters.wiring import House
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.lost_stops import lost_stops, open_files
from projections.verdicts import Audit, Before, Bucket, Looked

LAST = "last-audit.json"
"""In the ledger's directory; can be deleted, then the next audit has nothing to compare with."""
_SETTLED_BY = {"forms": "bring_form_record", "deals": "bring_sale_record", "subscriptions": "bring_confirmation"}
_COULD_STOP = ("unsubscribes", "events", "opt_outs", "stops", "audience")


def looked_at(house: House, catalogue: Catalogue, audit: Audit) -> list[Looked]:
    """Every kind of source, those looked at first, then by how many records they could change."""
    found = [_of_kind(house, catalogue, kind, audit) for kind in KINDS]
    return sorted(found, key=lambda one: (not one.looked_at, -one.could_change))


def _of_kind(house: House, catalogue: Catalogue, kind: str, audit: Audit) -> Looked:
    imported = imported_of(house, catalogue, kind)
    return Looked(
        kind=kind,
        looked_at=imported.files > 0,
        files=imported.files,
        facts=imported.facts,
        taken_on=imported.taken_on,
        first=imported.first,
        last=imported.last,
        could_change=0 if imported.files else _could_change(kind, audit),
    )


class Imported(NamedTuple):
    """What was taken in of one kind of source: files and facts, when the newest was taken, over which days."""

    files: int
    facts: int
    taken_on: datetime | None
    first: date | None
    last: date | None


def imports_of(catalogue: Catalogue, kind: str) -> list[e.ImportFinished]:
    """The imports on record of a kind of source; none: it was not looked at. A file that lost a stop is none."""
    unread = open_files(lost_stops(catalogue))
    return [
        n.event
        for n in catalogue.imports
        if isinstance(n.event, e.ImportFinished)
        and n.event.source.rpartition(".")[2] == kind
        and n.event.file not in unread
    ]


def imported_of(house: House, catalogue: Catalogue, kind: str) -> Imported:
    """What the imports on record say of a kind of source."""
    imports = imports_of(catalogue, kind)
    said = [house.payload(event) for event in imports]
    return Imported(
        files=len({event.file for event in imports}),
        facts=sum(_count(one.get("facts")) or event.added for one, event in zip(said, imports, strict=True)),
        taken_on=max((event.captured_at for event in imports if event.captured_at), default=None),
        first=min((date.fromisoformat(str(one["first"])) for one in said if "first" in one), default=None),
        last=max((date.fromisoformat(str(one["last"])) for one in said if "last" in one), default=None),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _could_change(kind: str, audit: Audit) -> int:
    """Records that ask for this source; or, of a source of stops, those now shown as allowed."""
    if kind in _COULD_STOP:
        return audit.buckets[Bucket.BASIS_PROVEN].contacts
    return audit.next_steps.get(_SETTLED_BY.get(kind, ""), 0)


class _Kept(msgspec.Struct):
    at: datetime
    buckets: dict[str, int]
    stopped_by: dict[str, int] | None = None


def last_audit(house: House) -> Before | None:
    """How the audit before this one ended; None: there was none, or its note is gone."""
    path = house.directory / LAST
    if not path.exists():
        return None
    kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    return Before(at=kept.at, buckets=kept.buckets, stopped_by=kept.stopped_by)


def remember(house: House, audit: Audit) -> None:
    """Keep how this audit ended, for the next one to compare with."""
    buckets, stopped_by = (
        {name: count.contacts for name, count in sums.items()} for sums in (audit.buckets, audit.stopped_by)
    )
    kept = _Kept(audit.at, buckets, stopped_by)
    place = os.open(house.directory / LAST, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(place, "wb") as file:
        file.write(msgspec.json.encode(kept))
