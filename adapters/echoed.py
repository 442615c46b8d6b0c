"""Stops that `hubspot sync` wrote into HubSpot, as an export of contacts shows them again: they are nobody's word.

A row shows that somebody is off, not who took them off. Where our own write took them off, and nothing since then
shows them on or that they came back of themselves, the row says no more than that. The stop counts all the same; it
is not said to be the person's own. In doubt it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from adapters.hubspot.changes import SYSTEM
from adapters.hubspot.facts import ALL_MAIL, NOT_OPTED_OUT
from adapters.hubspot.rows import Row
from adapters.hubspot.sync.store import PART, Book, Last
from adapters.tokens import token_of
from adapters.wiring import House
from ledger import events as e
from ledger.contact import Contact, Entry

NOTHING_WRITTEN: frozenset[str] = frozenset()
_APART = timedelta(seconds=60)
"""Between HubSpot's clock and ours, and between a write and the note of it."""


class Shown(NamedTuple):
    """A row, whose it is, and the moment it speaks of."""

    row: Row
    contact: str
    at: datetime


def written_by_us(house: House, shown: Sequence[Shown]) -> list[frozenset[str]]:
    """What of each row's opt-outs we wrote: types by their tokens, `ALL_MAIL` for every mail."""
    found = [NOTHING_WRITTEN] * len(shown)
    off = [n for n, one in enumerate(shown) if one.contact and (one.row.opted_out or one.row.opted_out_of)]
    if not off or not _has_book(house):
        return found
    records = house.ledger.vault.records_in(SYSTEM, {shown[n].contact for n in off if shown[n].row.record_id is None})
    writes: dict[int, list[Last]] = {}
    with Book.open(house) as book:
        for n in off:
            row, contact, at = shown[n]
            own = [row.record_id] if row.record_id else records.get(contact, [])
            if len(own) == 1 and (done := [one for one in book.last(own[0]) if _took_off(one, at)]):
                writes[n] = done
    folds = house.contacts(list({shown[n].contact for n in writes}))
    known_as = house.catalogue.declared.known_as
    for n, done in writes.items():
        found[n] = frozenset(
            kind
            for write in done
            if not _is_back(folds[shown[n].contact], write.at)
            for kind in (map(token_of, known_as(token_of(write.about))) if write.about else (ALL_MAIL,))
        )
    return found


def _has_book(house: House) -> bool:
    return house.is_on_server or (house.directory / f"{PART}.db").exists()


def _took_off(write: Last, at: datetime) -> bool:
    """Whether it changed something there, and before the row was as it is."""
    return write.call in ("unsubscribe_all", "unsubscribe") and write.status == "done" and write.at <= at + _APART


def _is_back(contact: Contact, since: datetime) -> bool:
    """Whether anything shows that they were switched on since, or signed up: the opt-out may be a new one."""
    own = (*contact.opt_ins, *contact.answers, *contact.confirmations, *contact.activity)
    return any(n.event.latest > since for n in own) or any(
        _shows_on(n, since) for n in (*contact.shown, *contact.flags)
    )


def _shows_on(entry: Entry, since: datetime) -> bool:
    event = entry.event
    on = (isinstance(event, e.OptOutShown) and not event.opted_out) or (
        isinstance(event, e.MarketingStatusObserved) and NOT_OPTED_OUT in event.answered
    )
    days = (event.captured_at, event.opt_outs_on if isinstance(event, e.MarketingStatusObserved) else None)
    return on and any(day is not None and day > since for day in days)
