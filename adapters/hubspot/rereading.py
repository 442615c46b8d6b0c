"""A record read again: each change of its history as a fact, and what its addresses are subscribed to.

Both are the facts that a pull records of the same record, under the same ids: whichever is first, each is one fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from adapters.addresses import every_address, own_and_others
from adapters.hubspot.api.shapes import AddressState, ContactRead
from adapters.hubspot.asking import Asking
from adapters.hubspot.changes import OPTED_OUT, SYSTEM, TYPE_PREFIX, Changes
from adapters.hubspot.pull.echoes import explained_by_us, may_be_ours
from adapters.hubspot.pull.run import Ours
from adapters.hubspot.pull.statuses import ALL, facts_of
from adapters.recording import Saying
from adapters.wiring import House
from ledger import events as e
from ledger.vault import Registration

_APART = timedelta(seconds=2)
"""How far a status and the property that shows it may be apart."""


def address_of(there: ContactRead) -> str | None:
    """The record's own address, if it is one."""
    return own_and_others(there.email or "")[0]


def addresses_of(there: ContactRead) -> list[str]:
    """Everything of the record that is an address."""
    return every_address((there.email, *there.also))


class Reread:
    """Turns records as HubSpot shows them into facts. `ours`: which changes are echoes of our own."""

    def __init__(self, house: House, changes: Changes, ours: Ours, asking: Asking) -> None:
        self._house, self._changes, self._ours, self._asking = house, changes, ours, asking

    def sayings(self, there: ContactRead, *, whole: bool) -> list[Saying]:
        """What it says. `whole`: its addresses' subscriptions as well. Raises AwayError."""
        email = address_of(there)
        who, place = Registration(email, SYSTEM, there.id), "" if email else ":record"
        found = [
            Saying(who, said.event, said.source_id + place)
            for history in there.history.values()
            for change in history
            for said in self._changes.facts(change._replace(record_id=there.id))
        ]
        if whole:
            for state in self._asking.states(addresses_of(there)).values():
                found += self._subscriptions(there, state)
        return found

    def _subscriptions(self, there: ContactRead, state: AddressState) -> Iterator[Saying]:
        who = Registration(state.email, SYSTEM, there.id, primary=False)
        for event, source_id in facts_of(state, self._left(state.email), self._written(there, state)):
            yield Saying(who, event, source_id)

    def _left(self, email: str) -> frozenset[str]:
        """What the ledger holds a stop of: types by their tokens, `ALL` for every mail."""
        known = self._house.ledger.vault.find_address(email)
        if known is None:
            return frozenset()
        stops = [one.event for one in self._house.contacts([known[0]])[known[0]].stops]
        return frozenset(
            one.subscription_type if isinstance(one, e.TypeOptedOut) else ALL
            for one in stops
            if one.address in (None, known[1])
        )

    def _written(self, there: ContactRead, state: AddressState) -> frozenset[str]:
        """What we switched off ourselves: types by their ids, `ALL` for every mail. It stands here already."""
        types = {
            one.type_id
            for one in state.types
            if explained_by_us(one) or (may_be_ours(one.source) and self._is_ours(there, one.type_id, one.at))
        }
        wide = state.all_out and self._is_ours(there, None, state.all_out_at)
        return frozenset(types | ({ALL} if wide else set()))

    def _is_ours(self, there: ContactRead, type_id: str | None, at: datetime | None) -> bool:
        if at is None:
            return False
        changes = there.history.get(OPTED_OUT if type_id is None else f"{TYPE_PREFIX}{type_id}", ())
        return self._ours.wrote(there.id, type_id, at) or any(
            abs(one.at - at) <= _APART and self._ours.change(one) for one in changes
        )
