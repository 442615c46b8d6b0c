"""The person as the log tells it: `Contact`, and `evolve` that folds one entry into it.

`evolve` files facts, with the times that can be true of them (see `ledger.plausibility`), and weighs none:
an entry cannot be rejected once it is in the log, so the fold
never raises and never decides. Linked contacts fold alone; `group_of` says who belongs together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.plausibility import bounded
from ledger.terms import BEGINNING


class Entry(NamedTuple):
    """An event with its place: `position` in the log, `version` in its stream; both from 1, no gaps."""

    position: int
    version: int
    event: e.Event


Entries = tuple[Entry, ...]


class Contact(msgspec.Struct, frozen=True, gc=False):
    """One stream, folded: entries by what they can be used for, each in log order.

    `linked` holds the ids of contacts merged with this one; `undone` the positions of corrected stops.
    `scattered`: its records were shown with several addresses, so what names no address is about none of them for
    certain; see `placed`.
    """

    contact: str
    version: int = 0
    position: int = 0
    recorded_at: datetime = BEGINNING
    stops: Entries = ()
    opt_ins: Entries = ()
    confirmations: Entries = ()
    contracts: Entries = ()
    endings: Entries = ()
    enquiries: Entries = ()
    support: Entries = ()
    published: Entries = ()
    sendings: Entries = ()
    activity: Entries = ()
    answers: Entries = ()
    deals: Entries = ()
    bounces: Entries = ()
    described: Entries = ()
    countries: Entries = ()
    claims: Entries = ()
    flags: Entries = ()
    shown: Entries = ()
    addresses: Entries = ()
    reviews: Entries = ()
    links: Entries = ()
    stop_links: Entries = ()
    corrections: Entries = ()
    erasures: Entries = ()
    scattered: bool = False

    @property
    def linked(self) -> frozenset[str]:
        """Contacts merged with this one and not unmerged since."""
        state: dict[str, bool] = {}
        for entry in self.links:
            event = entry.event
            assert isinstance(event, e.ContactsLinked | e.ContactsUnlinked)  # noqa: S101 - filed by type
            state[event.other] = isinstance(event, e.ContactsLinked)
        return frozenset(other for other, on in state.items() if on)

    @property
    def undone(self) -> frozenset[int]:
        """Positions of stops that `correct` took back."""
        return frozenset(entry.event.undoes for entry in self.corrections if isinstance(entry.event, e.Corrected))


PLACES: dict[type[e.Event], str | None] = {
    e.OptedIn: "opt_ins",
    e.OptInRequested: "sendings",
    e.DoubleOptInConfirmed: "confirmations",
    e.FormSubmitted: "activity",
    e.BoxAnswered: "answers",
    e.OptedOut: "stops",
    e.TypeOptedOut: "stops",
    e.Objected: "stops",
    e.OptOutObstructed: "stops",
    e.Complained: "stops",
    e.ErasureRequested: "stops",
    e.ErasureCompleted: "erasures",
    e.AccessRequested: None,
    e.AccessAnswered: None,
    e.NoteAdded: None,
    e.ContractStarted: "contracts",
    e.ContractEnded: "endings",
    e.Enquired: "enquiries",
    e.Donated: "support",
    e.AddressPublished: "published",
    e.EmailSent: "sendings",
    e.CampaignMailSent: "sendings",
    e.LetterSent: None,
    e.Clicked: "activity",
    e.Opened: "activity",
    e.Bounced: "bounces",
    e.MarketingStatusObserved: "flags",
    e.BasisClaimed: "claims",
    e.OptOutShown: "shown",
    e.SubscriptionShown: None,
    e.DealWon: "deals",
    e.CountryEvidenced: "countries",
    e.RecipientDescribed: "described",
    e.AddressLinked: "addresses",
    e.AddressUnlinked: "addresses",
    e.AddressVerified: "confirmations",
    e.ContactsLinked: "links",
    e.ContactsUnlinked: "links",
    e.StopsLinked: "stop_links",
    e.StopsUnlinked: "stop_links",
    e.SystemMigrated: None,
    e.ReviewDecided: "reviews",
    e.Corrected: "corrections",
    e.ImportFinished: None,
    e.LostStopsAccepted: None,
    e.ControllerDescribed: None,
    e.NoticePublished: None,
    e.FormDescribed: None,
    e.EvidenceMapAdopted: None,
    e.PolicyAdopted: None,
    e.FormDeclared: None,
    e.MinorDeclared: None,
    e.SaleDeclared: None,
    e.TypeDeclared: None,
    e.CampaignDeclared: None,
    e.ImportDeclared: None,
    e.TypeNamed: None,
    e.DomainStopped: None,
}
"""Where each event is filed; None: kept in the log, of no use to any question about this person."""


def evolve(contact: Contact, entry: Entry) -> Contact:
    """Fold one entry. Total: never raises, never decides."""
    return extend(contact, (entry,))


def extend(contact: Contact, entries: Iterable[Entry]) -> Contact:
    """Fold many: the same as `evolve` one after the other, at a fraction of the cost."""
    filed: dict[str, list[Entry]] = {}
    last: Entry | None = None
    for last in entries:
        place = PLACES[type(last.event)]
        if place is not None:
            event = bounded(last.event)
            entry = last if event is last.event else last._replace(event=event)
            if place in filed:
                filed[place].append(entry)
            else:
                filed[place] = [entry]
    if last is None:
        return contact
    changes = {place: (*getattr(contact, place), *new) for place, new in filed.items()}
    return msgspec.structs.replace(
        contact,
        version=last.version,
        position=last.position,
        recorded_at=last.event.recorded_at or contact.recorded_at,
        **changes,
    )


def fold(contact: str, entries: Iterable[Entry]) -> Contact:
    """A stream from its beginning."""
    return extend(Contact(contact), entries)


_ABOUT_A_GROUP = ("stops", "reviews", "corrections", "countries", "erasures", "links", "stop_links", "addresses")
_NOT_PLACED = frozenset(("contact", "version", "position", "recorded_at", "scattered", *_ABOUT_A_GROUP))
PLACED = tuple(name for name in Contact.__struct_fields__ if name not in _NOT_PLACED)
"""What counts for one address. The rest counts for a whole group, or says who belongs to it."""
_MAY_FORBID = ("activity", "confirmations", "bounces")


def placed(owner: Contact, tied: Sequence[Contact]) -> Contact:
    """The contact with what is known of no address in particular, as it counts for the contact's addresses.

    `tied`: those with whom its records or addresses met, however far. Where all of them together have one address,
    what any of their records said without an address is about that one. Where they have several, it cannot be placed:
    in another order of arrival it would stand with another of them. It then allows nothing; where it may forbid, as
    signs of life after a bounce do, it counts for each.
    """
    if not tied and len(owner.addresses) < 2:
        return owner
    scattered = len({entry.event.address for contact in (owner, *tied) for entry in contact.addresses}) > 1
    changes: dict[str, Entries] = {}
    for place in _MAY_FORBID if scattered else PLACED:
        theirs = [n for contact in tied for n in getattr(contact, place) if n.event.address is None]
        if theirs:
            changes[place] = tuple(sorted((*getattr(owner, place), *theirs), key=_position))
    return msgspec.structs.replace(owner, scattered=scattered, **changes) if changes or scattered else owner


def stops_alone(contact: Contact) -> Contact:
    """What of a contact passes over a stop link: its stops, what else only forbids, and what takes that back.

    That a minor stands behind it, that a review holds it, that a contract has ended or that it is in a country whose
    law is asked as well, would count if the two had been known as one from the beginning; so it counts whichever of
    the facts that tell who is who came first. So do the addresses, which say where a fact can be placed.
    """
    return Contact(
        contact.contact,
        contact.version,
        contact.position,
        contact.recorded_at,
        stops=contact.stops,
        endings=contact.endings,
        answers=contact.answers,
        described=tuple(n for n in contact.described if _says_minor(n.event)),
        countries=contact.countries,
        addresses=contact.addresses,
        reviews=contact.reviews,
        stop_links=contact.stop_links,
        corrections=contact.corrections,
    )


def _position(entry: Entry) -> int:
    return entry.position


def _says_minor(event: e.Event) -> bool:
    return isinstance(event, e.RecipientDescribed) and (event.minor is not None or event.age is not None)


class StopLink(NamedTuple):
    """A tie between two contacts (in order), or between two addresses of one; see `events.StopsLinked`."""

    one: str
    other: str
    record: str | None
    address: str | None
    alike: str | None


def stop_links_of(contacts: Iterable[Contact]) -> set[StopLink]:
    """The stop links that hold. One that was taken away links nobody, whichever entry came first."""
    on: set[StopLink] = set()
    off: set[StopLink] = set()
    for contact in contacts:
        for entry in contact.stop_links:
            event = entry.event
            assert isinstance(event, e.StopsLinked | e.StopsUnlinked)  # noqa: S101 - filed by type
            pair = min(event.stream, event.other), max(event.stream, event.other)
            link = StopLink(*pair, event.record, event.address, event.alike)
            (on if isinstance(event, e.StopsLinked) else off).add(link)
    return on - off


def latest_per_record(entries: Entries) -> dict[str | None, Entry]:
    """What each record showed last, by the source's own time and then by position."""
    newest: dict[str | None, Entry] = {}
    for entry in entries:
        held = newest.get(entry.event.record)
        if held is None or _shown_at(held) <= _shown_at(entry):
            newest[entry.event.record] = entry
    return newest


def _shown_at(entry: Entry) -> tuple[datetime, int]:
    event = entry.event
    return (
        event.captured_at or event.occurred_to or event.occurred_from or event.recorded_at or BEGINNING,
        entry.position,
    )


def undeliverable(contact: Contact, address: str | None) -> Entry | None:
    """The bounce that still stands against the address, if any (P5): never a legal fact."""
    standing: Entry | None = None
    for entry in sorted(contact.bounces, key=_shown_at) if len(contact.bounces) > 1 else contact.bounces:
        event = entry.event
        if isinstance(event, e.Bounced) and event.address in (None, address):
            if event.kind == "cleared":
                standing = None
            elif event.kind != "soft":
                standing = entry
    return standing
