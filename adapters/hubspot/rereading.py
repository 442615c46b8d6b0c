"""A record read again: each change of its history as a fact, and what its addresses are subscribed to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.hubspot.api.shapes import AddressState, ContactRead
from adapters.hubspot.asking import Asking
from adapters.hubspot.changes import OPTED_OUT, SYSTEM, TYPE_PREFIX, Change, Changes
from adapters.recording import Saying
from adapters.wiring import House
from ledger.vault import Registration

_is_reference = re.compile(r"\bCL-[0-9a-f]{8}-[0-9]+\b").search


class Reread:
    """Turns records as HubSpot shows them into facts."""

    def __init__(self, house: House, changes: Changes, asking: Asking) -> None:
        self._house, self._changes, self._asking = house, changes, asking

    def sayings(self, there: ContactRead, *, whole: bool) -> list[Saying]:
        """What it says. `whole`: its addresses' subscriptions as well. Raises AwayError."""
        who = Registration(there.email, SYSTEM, there.id)
        place = "" if there.email else ":record"
        found = [
            Saying(who, said.event, said.source_id + place)
            for history in there.history.values()
            for change in history
            for said in self._changes.facts(change._replace(record_id=there.id))
        ]
        emails = [one for one in (there.email, *there.also) if one]
        states = self._asking.states(emails) if whole else {}
        for email in emails:
            if email in states:
                found += self._stops(there, email, states[email])
        return found

    def _stops(self, there: ContactRead, email: str, state: AddressState) -> Iterator[Saying]:
        """The stops that stand against one address; of several that a record has, each is known by its own."""
        is_first = email == there.email
        who = Registration(email, SYSTEM, there.id, primary=is_first)
        place = "" if is_first else f":{self._house.ledger.sid(SYSTEM, email.casefold()).hex()}"
        for change in _left(there.id, state):
            for said in self._changes.facts(change):
                yield Saying(who, said.event, said.source_id + place)


def _left(record: str, state: AddressState) -> Iterator[Change]:
    """What an address has left. Without a moment it is no act that can be told from never having been asked.

    What carries a reference of ours we wrote ourselves, and it stands here already.
    """
    if state.all_out and state.all_out_at:
        yield Change(record, OPTED_OUT, "true", state.all_out_at)
    for kind in state.types:
        if kind.state == "unsubscribed" and kind.at and not _is_reference(kind.explanation or ""):
            yield Change(record, f"{TYPE_PREFIX}{kind.type_id}", "true", kind.at, kind.source)
