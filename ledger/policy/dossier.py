"""The facts of a person as policy reads them: the group united, corrected stops taken out.

Stops come from every linked contact; grants from the contact that owns the address alone,
so that a merge can only ever take away (P14).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.contact import Contact, Entries, Entry, StopLink, latest_per_record, stop_links_of
from ledger.terms import BEGINNING, END, any_covers, stopped_channels, stopped_purposes

CONTEMPORANEOUS = frozenset({"property_history", "subscription_timeline", "form_record"})
"""Sources accepted as recording when it happened, until an evidence map says otherwise (P10)."""

reaches = lru_cache(maxsize=16_384)(any_covers)
"""`any_covers`, remembered: the same few scopes are asked for the same few names, contact after contact."""
_purposes, _channels = lru_cache(maxsize=4_096)(stopped_purposes), lru_cache(maxsize=4_096)(stopped_channels)


AT_ONCE = timedelta(seconds=5)
"""Within this time of an opt-in or its request nobody receives, reads and follows a mail."""


class Erasure(NamedTuple):
    """Key and data are destroyed from `begins` on; only a consent given after `over` counts (P8)."""

    begins: datetime
    over: datetime
    position: int


class Dossier:
    """One contact (the first, owner of the address) and those linked with it."""

    __slots__ = ("_group", "owner", "stops", "undone")

    def __init__(self, contacts: Sequence[Contact]) -> None:
        self.owner = contacts[0]
        self._group = contacts
        if len(contacts) == 1 and not self.owner.corrections:
            self.undone: frozenset[int] = frozenset()
            self.stops: Entries = self.owner.stops
        else:
            # Each record's corrections take back its own stops: a merge lifts nothing.
            mine = tuple((c, c.undone) for c in contacts)
            self.undone = frozenset(
                n.position for c, undone in mine for n in (*c.stops, *c.reviews) if n.position in undone
            )
            self.stops = tuple(s for c in contacts for s in c.stops if s.position not in self.undone)
        for contact in contacts:
            if contact.reviews:
                self.stops += tuple(
                    r
                    for r in contact.reviews
                    if isinstance(r.event, e.ReviewDecided)
                    and r.event.outcome == "stop"
                    and r.position not in self.undone
                )

        if any(contact.stop_links for contact in contacts):
            self.stops += tuple(_written_alike(self.stops, stop_links_of(contacts)))

    @property
    def held(self) -> Entry | None:
        """The review that holds this person, if one stands open: under review means no."""
        for contact in self._group:
            standing: Entry | None = None
            for entry in contact.reviews:
                if isinstance(entry.event, e.ReviewDecided):
                    if entry.event.outcome == "hold":
                        standing = entry
                    elif entry.event.outcome == "release_hold":
                        standing = None
            if standing is not None:
                return standing
        return None

    @property
    def endings(self) -> Entries:
        """Endings of contracts, from every linked contact: like a stop, an ending takes away alone."""
        if len(self._group) == 1:
            return self.owner.endings
        return tuple(n for contact in self._group for n in contact.endings)

    @property
    def erased(self) -> Erasure | None:
        """The owner's erasures as one. A linked contact's destroy its own data alone."""
        entries = self.owner.erasures
        if not entries:
            return None
        # Never later than it was recorded: an erasure is done when it is written down.
        begun = [min(n.event.recorded_at or BEGINNING, n.event.occurred_from or END) for n in entries]
        return Erasure(min(begun), max(n.event.latest for n in entries), entries[-1].position)

    @property
    def newest(self) -> datetime:
        """The last moment any fact of the owner that a rule reads may have begun, or any stop may have come."""
        owner = self.owner
        newest = max([n.event.latest for n in self.stops], default=BEGINNING)
        for entries in (
            owner.opt_ins,
            owner.confirmations,
            owner.contracts,
            self.endings,
            owner.enquiries,
            owner.sendings,
            owner.activity,
        ):
            for entry in entries:
                began = entry.event.occurred_from
                if began is not None and began > newest:
                    newest = began
        return newest

    def held_later(self, since: datetime) -> tuple[datetime, ...]:
        """When somebody came to hold uses that may keep a consent alive, of those that nobody held by `since` (P10)."""
        owner = self.owner
        uses = (owner.opt_ins, owner.confirmations, owner.contracts, owner.endings, owner.sendings, owner.activity)
        if all(not entries or (entries[-1].event.recorded_at or BEGINNING) <= since for entries in uses):
            return ()
        return tuple(
            held
            for entries in uses
            for entry in entries
            if (held := usable_from(entry.event)) > since and held > entry.event.latest
        )

    def is_by_machine(self, confirmed: e.Event, opted_in: e.Event) -> bool:
        """True for a confirmation that its source says a machine made, or that came so soon after the opt-in, or its
        request, that nobody can have read a mail.

        A scanner follows every link. A time that is known by minute or day alone does not count as at once.
        """
        if confirmed.by == "system":
            return True
        requests = [n.event for n in self.owner.sendings if isinstance(n.event, e.OptInRequested)]
        return any(_is_at_once(before, confirmed) for before in (opted_in, *requests))

    def owns(self, address: str | None) -> bool:
        """Whether the address still belongs to the owner (unlinked: it does not)."""
        linked = True
        for entry in self.owner.addresses:
            if entry.event.address == address and address is not None:
                linked = isinstance(entry.event, e.AddressLinked)
        return linked

    def stops_for(self, purpose: str, channel: str, address: str | None, at: datetime) -> list[Entry]:
        """Stops that cover this cell and have begun by `at`."""
        return [s for s in self.stops if s.event.earliest <= at and self.covers(s, purpose, channel, address)]

    @staticmethod
    def covers(entry: Entry, purpose: str, channel: str, address: str | None) -> bool:
        """Whether a stop's scope takes in this purpose, channel and address."""
        stop = entry.event
        if not isinstance(stop, e.Stop):
            return True  # a review that stops, stops everything
        if stop.address_only and stop.address is not None and stop.address != address:
            return False
        if not reaches(_channels(stop.channels), channel) or not reaches(_purposes(stop.purposes), purpose):
            return False
        if not stop.except_purposes:
            return True
        return not any(_carved_out(purpose, kept) for kept in stop.except_purposes)

    def is_about(self, event: e.Event, address: str | None) -> bool:
        """Whether a fact is for certain about this address; one that names none, where it can be placed."""
        return not self.owner.scattered if event.address is None else event.address == address

    def facts(self, entries: Entries, address: str | None) -> list[Entry]:
        """The owner's facts about this address, or about no address in particular, as far as those can be placed."""
        return [n for n in entries if self.is_about(n.event, address)]

    @staticmethod
    def possible(entries: Entries, address: str | None) -> list[Entry]:
        """Facts that may be about this address, for what can only forbid."""
        return [n for n in entries if n.event.address is None or n.event.address == address]

    def consents(self, address: str | None) -> list[Entry]:
        """Opt-ins of this very address."""
        return [n for n in self.owner.opt_ins if n.event.address == address]

    def recipient(self, address: str | None) -> Recipient:
        """What is known of the recipient, latest description of each trait."""
        own = self.facts(self.owner.described, address)
        described = [n for c in self._group for n in c.described]
        return Recipient(own, described, address) if described else UNDESCRIBED

    def claims(self) -> list[Entry]:
        """What the CRM claims now, record by record and field by field."""
        return _current_claims(self.owner.claims)

    def country_entries(self) -> list[Entry]:
        """The latest signs of a country of the whole group: those of each record, and of each address without one."""
        found = tuple(n for c in self._group for n in c.countries)
        if len(found) < 2:
            return list(found)
        by_address: dict[str | None, list[Entry]] = {}
        for entry in found:
            by_address.setdefault(entry.event.address if entry.event.record is None else None, []).append(entry)
        return [n for entries in by_address.values() for n in latest_per_record(tuple(entries)).values()]


class Recipient:
    """Traits of the recipient: what was said last of each, by its own time; a minor once said stays one.

    Traits that may open a basis are the owner's alone; whether it is a minor, any linked record may say.
    """

    __slots__ = (
        "age",
        "corporate_subscriber",
        "informed_of_objection",
        "minor",
        "minor_position",
        "position",
        "professional",
        "role_address",
        "role_relevant",
        "ward",
        "ward_age",
    )

    def __init__(self, own: Sequence[Entry], described: Sequence[Entry], address: str | None) -> None:
        self.professional: bool | None = None
        self.corporate_subscriber: bool | None = None
        self.role_address: bool | None = None
        self.role_relevant: str | None = None
        self.informed_of_objection: bool | None = None
        self.minor: bool | None = None
        self.age: int | None = None
        self.position: int | None = None
        self.minor_position: int | None = None
        self.ward = False
        self.ward_age: int | None = None
        for position, _, event in sorted(own, key=_said_at) if len(own) > 1 else own:
            assert isinstance(event, e.RecipientDescribed)  # noqa: S101 - filed by type
            self.position = position
            self.ward = self.ward or event.minor is True
            if event.age is not None:
                self.ward_age = event.age if self.ward_age is None else min(self.ward_age, event.age)
            for trait in ("professional", "corporate_subscriber", "role_address", "role_relevant"):
                value = getattr(event, trait)
                if value is not None:
                    setattr(self, trait, value)
            if event.informed_of_objection is not None:
                self.informed_of_objection = event.informed_of_objection
        for position, _, event in described:
            if event.address is not None and event.address != address:
                continue
            assert isinstance(event, e.RecipientDescribed)  # noqa: S101 - filed by type
            if self.position is None:
                self.position = position
            is_younger = event.age is not None and (self.age is None or event.age < self.age)
            if event.minor or (is_younger and not self.minor):
                self.minor_position = position
            self.minor = True if self.minor or event.minor else (event.minor if event.minor is not None else self.minor)
            if event.age is not None:
                self.age = event.age if self.age is None else min(self.age, event.age)

    def is_ward(self, digital_age: int) -> bool:
        """Whether the owner's own record, not one merely linked with it, knows a minor."""
        return self.ward or (self.ward_age is not None and self.ward_age < digital_age)


UNDESCRIBED = Recipient((), (), None)


def _said_at(entry: Entry) -> tuple[datetime, int]:
    event = entry.event
    return (event.captured_at or event.occurred_from or event.recorded_at or BEGINNING, entry.position)


def _written_alike(stops: Entries, links: Iterable[StopLink]) -> Iterator[Entry]:
    """Each stop of one address alone once more for every address that may be another spelling of it."""
    partners: dict[str, set[str]] = {}
    for link in links:
        if link.address is not None and link.alike is not None:
            partners.setdefault(link.address, set()).add(link.alike)
            partners.setdefault(link.alike, set()).add(link.address)
    for stop in stops:
        address = stop.event.address
        if address in partners and getattr(stop.event, "address_only", False):
            reached, waiting = {address}, [address]
            while waiting:
                fresh = partners[waiting.pop()] - reached
                reached |= fresh
                waiting += fresh
            for alike in sorted(reached - {address}):
                yield stop._replace(event=msgspec.structs.replace(stop.event, address=alike))


def _is_at_once(before: e.Event, after: e.Event) -> bool:
    if before.occurred_from is None or after.occurred_from is None:
        return False
    if any(
        event.precision != "exact" or event.occurred_to not in (None, event.occurred_from) for event in (before, after)
    ):
        return False
    return timedelta() <= after.occurred_from - before.occurred_from <= AT_ONCE


def usable_from(event: e.Event) -> datetime:
    """The moment from which a grant may be relied on: its end, and somebody's provable hold of it (P10)."""
    held = event.recorded_at or BEGINNING
    if event.captured_at is not None and event.captured_by in CONTEMPORANEOUS:
        held = min(held, event.captured_at)
    return max(event.latest, held)


def _carved_out(purpose: str, kept: str) -> bool:
    """A family is never kept: a stop of everything but everything would stop nothing."""
    return kept in (purpose, purpose.rsplit(".", 1)[-1])


def _current_claims(entries: Entries) -> list[Entry]:
    by_field: dict[str, list[Entry]] = {}
    for entry in entries:
        if isinstance(entry.event, e.BasisClaimed):
            by_field.setdefault(entry.event.field, []).append(entry)
    found = [n for claims in by_field.values() for n in latest_per_record(tuple(claims)).values()]
    return [n for n in found if isinstance(n.event, e.BasisClaimed) and n.event.claims]
