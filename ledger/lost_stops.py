"""Files that lost a stop, or hide whether there is one: which stand open, by what is on record. Pure.

A row that may be somebody's no, cannot be read and names nobody may be anybody's; and an export of contacts of which
no column says who opted out hides every no that the CRM holds. So until such a file is mended, another shows what it
hides, or somebody answers for going on without it, nobody is shown as free to be written to. See
docs/reference/doors.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Entry

EXPORT = "hubspot.export"
SHOWING = frozenset({"hubspot.unsubscribes", "hubspot.subscriptions"})
"""Sources, beside an export of contacts, that show every opt-out that HubSpot holds; a plain list may not."""
A_DAY = timedelta(days=1)
"""So much older than an export may be a list of the opt-outs that it hides: files of one day come hours apart."""


def lost_stops(catalogue: Catalogue) -> list[Entry]:
    """The imports that stand open, for rows that are lost or for opt-outs that are hidden; in log order, one a file."""
    accepted = {n.event.file for n in catalogue.accepted if isinstance(n.event, e.LostStopsAccepted)}
    last = {n.event.file: n for n in catalogue.imports if isinstance(n.event, e.ImportFinished)}
    broken = [n for n in last.values() if isinstance(n.event, e.ImportFinished) and (n.event.lost or n.event.hidden)]
    return [
        entry
        for entry in broken
        if isinstance(entry.event, e.ImportFinished)
        and entry.event.file not in accepted
        and not any(_settles(other, entry) for other in last.values())
    ]


def _settles(other: Entry, broken: Entry) -> bool:
    old = broken.event
    hides = isinstance(old, e.ImportFinished) and old.hidden > 0
    return shows_what_is_hidden(other, broken) if hides else takes_the_place(other, broken)


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


def shows_what_is_hidden(other: Entry, hiding: Entry) -> bool:
    """Whether another file shows who opted out, of everybody in an export that does not.

    An export of as many contacts with the column does, if it is no older; so do HubSpot's own lists and events of
    opt-outs, if they are at most a day older.
    """
    new, old = other.event, hiding.event
    if not isinstance(new, e.ImportFinished) or not isinstance(old, e.ImportFinished) or new.hidden or new.lost:
        return False
    if new.captured_at is None or old.captured_at is None:
        return False
    if new.source == EXPORT:  # an older one shows nothing of whoever came since
        return new.rows >= old.rows and new.captured_at >= old.captured_at
    return new.source in SHOWING and new.captured_at >= old.captured_at - A_DAY


def open_files(found: Iterable[Entry]) -> frozenset[str]:
    """SHA-256 of the files of which rows are lost: they count as not looked at."""
    return frozenset(
        n.event.file for n in found if isinstance(n.event, e.ImportFinished) and n.event.file and n.event.lost
    )
