"""Files that lost a stop: which of them stand open, by the imports and acceptances on record. Pure.

A row that may be somebody's no, cannot be read and names nobody may be anybody's. So until its file is mended or
somebody answers for going on without it, nobody is shown as free to be written to. See docs/reference/doors.md.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Entry


def lost_stops(catalogue: Catalogue) -> list[Entry]:
    """The imports whose lost rows stand open, in log order, one for each file."""
    accepted = {n.event.file for n in catalogue.accepted if isinstance(n.event, e.LostStopsAccepted)}
    last = {n.event.file: n for n in catalogue.imports if isinstance(n.event, e.ImportFinished)}
    broken = [n for n in last.values() if isinstance(n.event, e.ImportFinished) and n.event.lost]
    return [
        entry
        for entry in broken
        if isinstance(entry.event, e.ImportFinished)
        and entry.event.file not in accepted
        and not any(takes_the_place(later, entry) for later in last.values())
    ]


def takes_the_place(later: Entry, broken: Entry) -> bool:
    """Whether a file read later is the broken one, mended or exported again: of the same source, known by the same
    name, and with as many rows at least as could be read of the broken one. What it lost itself, it lost anew.
    """
    new, old = later.event, broken.event
    return (
        isinstance(new, e.ImportFinished)
        and isinstance(old, e.ImportFinished)
        and later.position > broken.position
        and new.source == old.source
        and new.named is not None
        and new.named == old.named
        and new.rows >= old.rows - old.lost
    )


def open_files(found: Iterable[Entry]) -> frozenset[str]:
    """SHA-256 of the files that stand open."""
    return frozenset(n.event.file for n in found if isinstance(n.event, e.ImportFinished) and n.event.file)
