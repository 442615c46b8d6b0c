"""Mails that HubSpot did not send because of an opt-out: news only of an opt-out that nobody knew of.

It drops a mail for what it knew by then, and says neither since when nor of which type. Beside a stop that the
ledger holds with its time, such a stop of everything, from no time that is known, would say less and count for more:
it would undo an opt-in that came in between, since HubSpot goes on dropping for whoever opted in elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from adapters.addresses import address_of
from adapters.hubspot.api.reading import when
from adapters.hubspot.labels import fold
from adapters.wiring import House
from ledger import events as e
from ledger.contact import Contact

_LEFT, _ONE_TYPE = "previouslyunsubscribed", "previouslyunsubscribedmessage"


class _Drop(NamedTuple):
    email: str
    at: datetime
    of_one_type: bool


def without_known(house: House, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without the drops for a stop that the ledger holds of that address, of before."""
    drops = [_drop(row) for row in rows]
    emails = {one.email for one in drops if one is not None}
    known = {email: found for email in emails if (found := house.ledger.vault.find_address(email)) is not None}
    folds = house.contacts(sorted({contact for contact, _ in known.values()}))
    return [row for row, one in zip(rows, drops, strict=True) if one is None or not _is_known(one, known, folds)]


def _drop(row: Mapping[str, Any]) -> _Drop | None:
    """A drop for an opt-out, of a mail to an address at a time."""
    reason, at, email = (
        fold(str(row.get("dropReason") or "")),
        when(row.get("created")),
        address_of(str(row.get("recipient") or "")),
    )
    if not reason.startswith(_LEFT) or at is None or email is None:
        return None
    return _Drop(email, at, reason.startswith(_ONE_TYPE))


def _is_known(drop: _Drop, known: Mapping[str, tuple[str, str]], folds: Mapping[str, Contact]) -> bool:
    if drop.email not in known:
        return False
    contact, address = known[drop.email]
    return any(
        entry.event.address in (None, address)
        and entry.event.occurred_from is not None
        and entry.event.latest <= drop.at
        and _may_explain(entry.event, of_one_type=drop.of_one_type)
        for entry in folds[contact].stops
    )


def _may_explain(stop: e.Event, *, of_one_type: bool) -> bool:
    if isinstance(stop, e.TypeOptedOut):
        return of_one_type
    return isinstance(stop, e.OptedOut) and (not stop.channels or bool({"*", "email"} & set(stop.channels)))
