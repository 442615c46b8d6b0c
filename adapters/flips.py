"""Flips: a CRM shows somebody switched on again whom a stop held off, without an opt-in of the person's own since.

Whoever did it, the stop stands here, and nothing is allowed by it. But the CRM may write to the person now, so it
is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapters.recording import Recorded, Saying
from adapters.wiring import House
from ledger import events as e
from ledger.contact import Contact, Entry


def flips(house: House, pairs: Iterable[tuple[Saying, Recorded]]) -> list[int]:
    """Positions of newly recorded facts that show a flip."""
    return [
        told.position
        for said, told in pairs
        if told.status == "recorded" and shows_on(said.event) and _is_flip(house, told)
    ]


def shows_on(event: e.Event) -> bool:
    """Whether an event says that a CRM may write to somebody."""
    return (isinstance(event, e.OptOutShown) and not event.opted_out) or (
        isinstance(event, e.SubscriptionShown) and event.state == "subscribed"
    )


def _is_flip(house: House, told: Recorded) -> bool:
    entries = house.entries(told.contact)
    shown = next((entry.event for entry in entries if entry.position == told.position), None)
    if shown is None:
        return False
    group = house.group_of(house.contacts([told.contact]), told.contact)
    return standing_stop(group, shown) is not None


def standing_stop(group: Sequence[Contact], shown: e.Event) -> Entry | None:
    """The last stop that was against what is shown, at the moment it is shown; None: there is none.

    A stop of one subscription type is no more than that; a stop of all is one of every type.
    """
    undone = frozenset(position for contact in group for position in contact.undone)
    opted_in = max(
        (
            entry.event.latest
            for contact in group
            for entry in contact.opt_ins
            if entry.event.by == "data_subject" and _same_address(entry.event, shown)
        ),
        default=None,
    )
    standing = [
        entry
        for contact in group
        for entry in contact.stops
        if entry.position not in undone
        and _against(entry.event, shown)
        and entry.event.earliest < shown.earliest
        and (opted_in is None or opted_in <= entry.event.earliest)
    ]
    return max(standing, key=lambda entry: entry.event.earliest, default=None)


def _against(stop: e.Event, shown: e.Event) -> bool:
    if isinstance(stop, e.TypeOptedOut) and not (
        isinstance(shown, e.SubscriptionShown) and shown.subscription_type == stop.subscription_type
    ):
        return False
    if isinstance(stop, e.Stop):
        by_mail = not stop.channels or bool({"*", "email"} & set(stop.channels))
        return by_mail and (not stop.address_only or _same_address(stop, shown))
    return False


def _same_address(event: e.Event, shown: e.Event) -> bool:
    return event.address is None or shown.address is None or event.address == shown.address
