"""Bringing HubSpot in step with the ledger for some contacts: ask, read, plan, and, where it is wanted, write.

Every part may be done again: what holds is asked anew, what HubSpot shows is read anew, and only what differs is
written. So a run that ended half-way, or twice the same contacts, come to the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from adapters.hubspot.api.portal import ContactRead, Portal, SubscriptionType, Written
from adapters.hubspot.api.shapes import AddressState
from adapters.hubspot.changes import SYSTEM
from adapters.hubspot.sync.desired import Held, Meanings, Standing, meanings
from adapters.hubspot.sync.plan import (
    READ,
    VERDICT,
    Allowance,
    Plan,
    RecordShown,
    Scene,
    Step,
    merged_ids,
    plan,
)
from adapters.hubspot.sync.standing import Asked, asked, standings
from adapters.hubspot.sync.store import Book, Result
from adapters.hubspot.sync.writing import in_turn, write_alike
from adapters.wiring import House

MOST = 100
"""Contacts looked at together: what one batch of HubSpot holds."""


_FORBIDDEN = frozenset((401, 403))
_NAMED: Mapping[str, str] = {
    "update": "write contacts",
    "unsubscribe_all": "unsubscribe from all e-mail",
    "unsubscribe": "unsubscribe from a type",
    "subscribe": "subscribe to a type",
}


class NotAllowedError(Exception):
    """The token may not do it for any contact: somebody has to let it."""


class Outcome(NamedTuple):
    """What was planned, and what became of each call. `gone`: records that HubSpot does not hold any more."""

    plan: Plan
    results: tuple[Result, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def refused(self) -> list[Result]:
        """What HubSpot would not do, and should. That it subscribes nobody who opted out meanwhile, it should."""
        return [one for one in self.results if one.status == "refused" and one.call != "subscribe"]


class Sync:
    """One ledger and one portal. `cap`: how many marketing contacts there may be; None: as many as are approved.

    Everything raises AwayError when HubSpot does not answer, RefusedError when it will not let anything be read.
    """

    def __init__(
        self, house: House, portal: Portal, book: Book, clock: Callable[[], datetime], cap: int | None = None
    ) -> None:
        self._house, self._portal, self._book, self._clock, self._cap = house, portal, book, clock, cap
        self._types: list[SubscriptionType] = []

    def look(self, contacts: Iterable[str], spent: int = 0) -> Outcome:
        """What would be written. Changes nothing. `spent`: raises that would be made before these."""
        scene, gone = self.scene(contacts)
        records = [record.id for record in scene.records]
        allowance = Allowance(self._book.raised(records), self._book.left(self._cap) - spent)
        return Outcome(plan(scene, allowance), (), gone)

    def apply(self, contacts: Iterable[str]) -> Outcome:
        """Write what is missing, stops first. What is refused for one contact holds up no other."""
        scene, gone = self.scene(contacts)
        raised = self._book.raised([record.id for record in scene.records])
        planned = plan(scene, Allowance(raised, self._book.left(self._cap)))
        if planned.raises:  # counted before they are made: a crash in between makes none too many
            taken = self._book.take(planned.raises, self._cap, scene.at) | raised
            planned = plan(scene, Allowance(taken, 0))._replace(raises=planned.raises)
        results = tuple(self._write(planned))
        lowered = [step.record for step in planned.steps if step.properties and step.properties[VERDICT] != "marketing"]
        if raised & set(lowered):
            self._book.give_back(lowered, scene.at)
        return Outcome(planned, results, gone)

    def prepare(self) -> list[str]:
        """Make our own properties in HubSpot where they are missing; the names of those made."""
        return self._portal.ensure_properties()

    # --- reading --------------------------------------------------------------------------------

    def scene(self, contacts: Iterable[str]) -> tuple[Scene, tuple[str, ...]]:
        """What the ledger answers, asked after HubSpot was read: nothing that it heard meanwhile is missed."""
        ids = self._house.ledger.vault.records_in(SYSTEM, contacts)
        wanted = [one for found in ids.values() for one in found]
        read = self._portal.read_contacts(wanted, READ) if wanted else {}
        gone = tuple(one for one in wanted if one not in read)
        records, people = self._records(read.values())
        addresses = [held.email for record in records for held in record.held if held.address is not None]
        states: dict[str, AddressState] = self._portal.states(addresses) if addresses else {}
        about = asked(self._house, self._clock())
        found = standings(self._house, people, about)
        return Scene(
            [shown for record in records if (shown := _known(record, found))],
            found,
            states,
            self._meanings(about, states),
            self._portal.may().v3_subscribe,
            about.at,
        ), gone

    def _records(self, read: Iterable[ContactRead]) -> tuple[list[RecordShown], set[str]]:
        """Each record once, with every contact of the ledger that is on it, and whose addresses it has."""
        once = {one.id: one for one in read}
        vault = self._house.ledger.vault
        emails = {email for one in once.values() for email in (one.email, *one.also) if email}
        owners = vault.find_addresses(emails)
        ids = {one.id: (one.id, *merged_ids(one.properties)) for one in once.values()}
        known = vault.known_records(SYSTEM, [record for every in ids.values() for record in every])
        records: list[RecordShown] = []
        for one in once.values():
            held = tuple(
                Held(email, *owners.get(email, (None, None)))
                for email in dict.fromkeys((one.email, *one.also))
                if email
            )
            on_it = {known[record].contact for record in ids[one.id] if record in known}
            on_it |= {address.contact for address in held if address.contact is not None}
            records.append(RecordShown(one.id, one.properties, held, tuple(sorted(on_it))))
        return records, {contact for record in records for contact in record.contacts}

    def _meanings(self, about: Asked, states: dict[str, AddressState]) -> Meanings:
        """Types as the portal defines them; read again when an address has one that is new."""
        known = {one.id for one in self._types}
        if not known or any(one.type_id not in known for state in states.values() for one in state.types):
            self._types = self._portal.types()
        return meanings([(one.id, one.name) for one in self._types if one.active], about.types)

    # --- writing --------------------------------------------------------------------------------

    def _write(self, planned: Plan) -> Iterator[Result]:
        """Each kind of call for itself, and what it came to kept before the next. Raises NotAllowedError."""
        for call, steps in in_turn(planned.steps):
            at = self._clock()
            made = [_result(step, came, at) for step, came in write_alike(self._portal, steps)]
            self._book.keep(made)
            forbidden = next((one for one in made if one.code in _FORBIDDEN), None)
            if forbidden is not None:
                raise NotAllowedError(f"HubSpot does not let this token {_NAMED[call]}: {forbidden.detail}")
            yield from made


def _known(record: RecordShown, found: dict[str, Standing]) -> RecordShown | None:
    """A record with those of its contacts that the ledger holds something about."""
    contacts = tuple(contact for contact in record.contacts if contact in found)
    return record._replace(contacts=contacts) if contacts else None


def _result(step: Step, came: Written, at: datetime) -> Result:
    about = step.type_id or ""
    return Result(step.contact, step.record, step.call, about, came.status, came.code, at, step.reference, came.detail)
