"""What was looked at, what was not, how to get it, and how many contacts it could change."""

from __future__ import annotations

from adapters.kinds import KINDS
from adapters.report import wording
from adapters.report.prose import Block, Grid
from projections.verdicts import Audit, Looked


def name(one: Looked) -> str:
    """The kind of source in words."""
    return KINDS[one.kind].name if one.kind in KINDS else one.kind


def settles(one: Looked) -> str:
    """What it can show."""
    return KINDS[one.kind].settles if one.kind in KINDS else ""


def get(one: Looked) -> str:
    """Where to get it."""
    return KINDS[one.kind].get if one.kind in KINDS else ""


def seen(audit: Audit) -> list[Looked]:
    """What was looked at."""
    return [one for one in audit.looked_at if one.looked_at]


def missing(audit: Audit) -> tuple[list[Looked], list[Looked]]:
    """What was not: first what contacts could change by, most first; then the rest."""
    places = {kind: place for place, kind in enumerate(KINDS)}
    unseen = sorted(
        (one for one in audit.looked_at if not one.looked_at),
        key=lambda one: (-one.could_change, places.get(one.kind, len(places)), one.kind),
    )
    return [one for one in unseen if one.could_change], [one for one in unseen if not one.could_change]


def taken(one: Looked) -> str:
    """The day a source was taken from its system."""
    return wording.day(one.taken_on.date()) if one.taken_on else "not known"


def period(one: Looked) -> str:
    """What time its facts speak of."""
    if one.first is None or one.last is None:
        return "not known"
    return wording.day(one.first) if one.first == one.last else f"{wording.day(one.first)} – {wording.day(one.last)}"


def blocks(audit: Audit) -> list[Block]:
    """Two tables: looked at, and not."""
    found: list[Block] = []
    if looked := seen(audit):
        found.append(
            Grid(
                "Looked at",
                ("Source", "Period", "Taken on", "Files", "Facts"),
                tuple((name(one), period(one), taken(one), one.files, one.facts) for one in looked),
                (3, 4),
            )
        )
    asked, others = missing(audit)
    if asked or others:
        found.append(
            Grid(
                "Not looked at",
                ("Source", "Contacts it could change", "How to get it"),
                tuple((name(one), one.could_change, get(one)) for one in (*asked, *others)),
                (1,),
            )
        )
    return found
