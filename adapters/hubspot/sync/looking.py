"""What the ledger answers and what HubSpot shows of some contacts, read in as few calls as the portal allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from adapters.hubspot.api.portal import ContactRead, Portal, SubscriptionType
from adapters.hubspot.changes import SYSTEM
from adapters.hubspot.sync.desired import Held, Meanings, Standing, meanings, wanted_address
from adapters.hubspot.sync.plan import ALL_OUT, READ, RecordShown, Scene, StateShown, merged_ids
from adapters.hubspot.sync.standing import Asked, asked, standings
from adapters.hubspot.sync.store import Book
from adapters.wiring import House
from ledger.lost_stops import hidden_since, lost_stops, rows_are_lost

_LOOKS = 100
"""After so many looks the portal's types are read again, where no state of an address names a new one."""


class Shown(NamedTuple):
    """A subscription as a property of the record shows it: that it was left, or that it was not."""

    type_id: str
    state: str


class ShownState(NamedTuple):
    """An address as the properties of its record show it."""

    types: tuple[Shown, ...]
    all_out: bool


class Looking:
    """One ledger and one portal. Raises AwayError when HubSpot does not answer, RefusedError when it will not."""

    def __init__(self, house: House, portal: Portal, book: Book, clock: Callable[[], datetime]) -> None:
        self._house, self._portal, self._book, self._clock = house, portal, book, clock
        self._types: list[SubscriptionType] = []
        self._looks = 0

    def scene(self, contacts: Iterable[str], *, thrifty: bool = False) -> tuple[Scene, tuple[str, ...]]:
        """What a plan is made of, and the records that HubSpot does not hold any more.

        The ledger is asked after HubSpot was read: nothing that it heard meanwhile is missed.
        `thrifty`: only as much is read as a plan needs, where each state would be two calls.
        """
        people = list(contacts)
        ids = self._house.ledger.vault.records_in(SYSTEM, people)
        own = [one for found in ids.values() for one in found]
        wanted = list(dict.fromkeys((*own, *self._book.shared(people))))
        all_states = not thrifty or self._portal.may().batch_read
        if self._looks % _LOOKS == 0 or not self._types:
            self._types = self._portal.types()
        self._looks += bool(wanted)
        properties = READ if all_states else (*READ, *(f"{ALL_OUT}_{one.id}" for one in self._types))
        read = self._portal.read_contacts(wanted, properties) if wanted else {}
        records, on_them = self._records(read.values())
        states = self._states(records) if all_states else self._fewer_states(records, on_them)
        head = self._house.ledger.log.last_position()
        about = asked(self._house, self._clock())
        found = standings(self._house, on_them, about)
        scene = Scene(
            [shown for record in records if (shown := _known(record, found))],
            found,
            states,
            self._meanings(about, states),
            self._portal.may().v3_subscribe,
            about.at,
            head,
            *_open(about),
        )
        return scene, tuple(one for one in own if one not in read)

    def is_old(self, scene: Scene) -> bool:
        """Whether the ledger answers otherwise by now."""
        if self._house.ledger.log.last_position() == scene.head:
            return False
        about = asked(self._house, self._clock())
        if _open(about) != (scene.stops_lost, scene.hidden_since):
            return True
        types = [(one.id, one.name) for one in self._types if one.active]
        return meanings(types, about.types) != scene.meant or standings(self._house, scene.standings, about) != (
            scene.standings
        )

    def gone_of(self, contacts: Iterable[str], gone: Sequence[str]) -> list[str]:
        """Whose the records are that HubSpot does not hold."""
        ids = self._house.ledger.vault.records_in(SYSTEM, contacts) if gone else {}
        return [contact for contact, records in ids.items() if not set(gone).isdisjoint(records)]

    def sharing(self, scene: Scene) -> list[tuple[str, str]]:
        """Who has an address on a record that is known as somebody else's, with that record."""
        known = self._house.ledger.vault.known_records(SYSTEM, [one.id for one in scene.records if one.contacts[1:]])
        return [
            (contact, record.id)
            for record in scene.records
            for contact in record.contacts[: len(record.contacts) if record.contacts[1:] else 0]
            if record.id not in known or known[record.id].contact != contact
        ]

    def _records(self, read: Iterable[ContactRead]) -> tuple[list[RecordShown], set[str]]:
        """Each record once, with every contact of the ledger that is on it, and whose addresses it has."""
        once = {one.id: one for one in read}
        vault = self._house.ledger.vault
        owners = vault.find_addresses({email for one in once.values() for email in (one.email, *one.also) if email})
        ids = {one.id: (one.id, *merged_ids(one.properties)) for one in once.values()}
        known = vault.known_records(SYSTEM, [record for every in ids.values() for record in every])
        records: list[RecordShown] = []
        for one in once.values():
            emails = [email for email in dict.fromkeys((one.email, *one.also)) if email]
            held = tuple(Held(email, *owners.get(email, (None, None))) for email in emails)
            on_it = {known[record].contact for record in ids[one.id] if record in known}
            on_it |= {address.contact for address in held if address.contact is not None}
            ref = known[one.id].record if one.id in known else None
            records.append(RecordShown(one.id, one.properties, held, tuple(sorted(on_it)), ref))
        return records, {contact for record in records for contact in record.contacts}

    def _states(self, records: Sequence[RecordShown]) -> dict[str, StateShown]:
        addresses = [held.email for record in records for held in record.held if held.address is not None]
        return dict(self._portal.states(addresses)) if addresses else {}

    def _fewer_states(self, records: Sequence[RecordShown], people: set[str]) -> dict[str, StateShown]:
        """Where each address is two calls of its own: those alone that a record's properties do not tell enough of.

        They tell of its first address what was left, and so whether a stop is missing. Whether somebody may be
        subscribed they do not tell.
        """
        about = asked(self._house, self._clock())
        found = standings(self._house, people, about)
        meant = self._meanings(about, {})
        told: dict[str, StateShown] = {}
        asking: list[str] = []
        for record in records:
            for place, (email, contact, address) in enumerate(record.held):
                standing = found.get(contact or "")
                if standing is None or address not in standing.addresses or address is None:
                    continue
                wanted = wanted_address(standing, address, meant)
                switched_on = any(one.state == "subscribed" for one in wanted.types.values())
                if place or (switched_on and self._portal.may().v3_subscribe):
                    asking.append(email)
                else:
                    told[email] = self._by_properties(record)
        return told | (dict(self._portal.states(asking)) if asking else {})

    def _by_properties(self, record: RecordShown) -> ShownState:
        """What is not left is taken for subscribed, so that nobody is subscribed for what is shown here."""
        shown = record.properties
        states = (
            Shown(one.id, "unsubscribed" if shown.get(f"{ALL_OUT}_{one.id}") == "true" else "subscribed")
            for one in self._types
        )
        return ShownState(tuple(states), shown.get(ALL_OUT) == "true")

    def _meanings(self, about: Asked, states: Mapping[str, StateShown]) -> Meanings:
        """Types as the portal defines them; read again when an address has one that is new."""
        known = {one.id for one in self._types}
        if any(one.type_id not in known for state in states.values() for one in state.types):
            self._types = self._portal.types()
        return meanings([(one.id, one.name) for one in self._types if one.active], about.types)


def _open(about: Asked) -> tuple[bool, datetime | None]:
    """Whether rows of stops are lost, and since when an export hides who opted out."""
    found = lost_stops(about.setting.catalogue)
    return rows_are_lost(found), hidden_since(found)


def _known(record: RecordShown, found: Mapping[str, Standing]) -> RecordShown | None:
    """A record with those of its contacts that the ledger holds something about."""
    contacts = tuple(contact for contact in record.contacts if contact in found)
    return record._replace(contacts=contacts) if contacts else None
