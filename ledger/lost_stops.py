"""Files that lost a stop, or hide whether there is one: which stand open, by what is on record. Pure.

A row that may be somebody's no, cannot be read and names nobody may be anybody's; and an export of contacts of which
no column says who opted out hides every no that the CRM holds. So until such a file is mended, another lists what it
hides, or somebody answers for going on without it, nobody is shown as free to be written to; of what an export hides
alone whoever a later one shows. See docs/reference/doors.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry
from ledger.terms import BEGINNING

EXPORT = "hubspot.export"
UNREAD = "unread.file"
"""The source of an import that stands for a file that was not read and may hold opt-outs: it lost one thing, itself."""
SHOWING = frozenset({"hubspot.unsubscribes", "hubspot.subscriptions"})
"""Sources, beside an export of contacts, that show every opt-out that HubSpot holds; a plain list may not."""
A_DAY = timedelta(days=1)
"""So much older than an export may be a list of the opt-outs that it hides: files of one day come hours apart."""
_NEVER_OVER = datetime.max.replace(tzinfo=UTC)


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
    return lists_what_is_hidden(other, broken) if hides else takes_the_place(other, broken)


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


def lists_what_is_hidden(other: Entry, hiding: Entry) -> bool:
    """Whether another file lists everybody who opted out: one of HubSpot's own, at most a day older than the export.

    An export of contacts lists those it has, and no others: of whom it does, `is_shown` says.
    """
    new, old = other.event, hiding.event
    if not isinstance(new, e.ImportFinished) or not isinstance(old, e.ImportFinished) or new.hidden or new.lost:
        return False
    if new.captured_at is None or old.captured_at is None:
        return False
    return new.source in SHOWING and new.captured_at >= old.captured_at - A_DAY


def hidden_since(found: Iterable[Entry]) -> datetime | None:
    """Of the imports that stand open, the day of the newest export that hides who opted out; None: none does."""
    hiding = [n.event for n in found if isinstance(n.event, e.ImportFinished) and n.event.hidden]
    return max((event.captured_at or _NEVER_OVER for event in hiding), default=None)


def is_shown(contact: Contact, record: str | None, address: str | None, since: datetime) -> bool:
    """Whether an export that is no older than this showed the record with a column that says who opted out.

    A record without an id is known by its address.
    """
    return any(
        isinstance(n.event, e.MarketingStatusObserved)
        and n.event.opt_outs_on is not None
        and n.event.opt_outs_on >= since
        and n.event.record == record
        and (record is not None or n.event.address == address)
        for n in contact.flags
    )


def is_shown_in_part(hiding: Entry, catalogue: Catalogue) -> bool:
    """Whether an export that is no older shows of some records what this one hides."""
    old = hiding.event
    return any(
        isinstance(new, e.ImportFinished)
        and isinstance(old, e.ImportFinished)
        and new.source == EXPORT
        and not new.hidden
        and (new.captured_at or BEGINNING) >= (old.captured_at or _NEVER_OVER)
        for new in (n.event for n in catalogue.imports)
    )


def rows_are_lost(found: Iterable[Entry]) -> bool:
    """Whether of the imports that stand open one lost a row that may be anybody's stop."""
    return any(isinstance(n.event, e.ImportFinished) and n.event.lost > 0 for n in found)


def open_files(found: Iterable[Entry]) -> frozenset[str]:
    """SHA-256 of the files of which rows are lost: they count as not looked at."""
    return frozenset(
        n.event.file for n in found if isinstance(n.event, e.ImportFinished) and n.event.file and n.event.lost
    )
