"""What addresses are subscribed to, type by type: an opt-out is a stop from when HubSpot says; on grants nothing.

What we wrote there ourselves comes back here too. It is told by its explanation, which begins with our name, or
by what we keep of our writes, and is no new stop: that would undo an opt-in that came in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.addresses import is_address
from adapters.evidence import record
from adapters.hubspot.api.portal import AddressState, ContactRead, TypeState
from adapters.hubspot.evidence import SYSTEM
from adapters.hubspot.pull.contacts import pages
from adapters.hubspot.pull.run import Ours, Pull, Tally
from adapters.hubspot.said import EMAIL, acted
from adapters.reading import UNDATED, digest, token
from adapters.statements import Statement
from ledger import events as e
from ledger.codec import instant
from ledger.contact import Contact
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration

SOURCE = "hubspot.statuses"
WRITTEN_BY_US = "consent-ledger "
"""How every explanation begins that we write beside a status."""
KEY = "statuses.pages"
ALL = "*"
CAPTURED_BY = "subscription_status"


def pull_statuses(pull: Pull) -> None:
    """The states of every address of the contacts, or of those that changed since the last pull."""
    tally = pull.begin("statuses", "subscriptions")
    for page, cursor in pages(pull, tally, KEY, ("email", "hs_additional_emails")):
        tally.pages += 1
        people = list(_people(page))
        states = pull.portal.states([email for email, _ in people])
        tally.taken.rows += len(people)
        _take(pull, tally, [(email, number, states[email]) for email, number in people])
        pull.paged(tally, KEY, cursor)
    pull.finish(tally, SOURCE)


def _people(page: Sequence[ContactRead]) -> Iterator[tuple[str, str]]:
    """Each address of each contact, with the contact's record id."""
    seen: set[str] = set()
    for contact in page:
        for email in (contact.email, *contact.also):
            if email and is_address(email) and email.casefold() not in seen:
                seen.add(email.casefold())
                yield email, contact.id


def _take(pull: Pull, tally: Tally, found: Sequence[tuple[str, str, AddressState]]) -> None:
    left = _left(pull, found)
    told = [
        Statement(email, number, event, source_id, None, 0)
        for email, number, state in found
        for event, source_id in facts_of(state, pull.ours, left[email.casefold()])
    ]
    record(pull.house, SYSTEM, "subscription statuses", told, tally.taken)


def _left(pull: Pull, found: Sequence[tuple[str, str, AddressState]]) -> dict[str, frozenset[str]]:
    """What the ledger holds a stop of, by address: types by their tokens, `ALL` for every mail."""
    people = pull.house.ledger.register_many([Registration(email, SYSTEM, number, False) for email, number, _ in found])
    contacts: Mapping[str, Contact] = pull.house.contacts(list({who.contact for who in people}))
    return {
        email.casefold(): frozenset(_stopped(contacts[who.contact]))
        for (email, _, _), who in zip(found, people, strict=True)
    }


def _stopped(contact: Contact) -> Iterator[str]:
    for entry in contact.stops:
        yield entry.event.subscription_type if isinstance(entry.event, e.TypeOptedOut) else ALL


def facts_of(state: AddressState, ours: Ours, left: frozenset[str]) -> Iterator[tuple[e.Event, str]]:
    """What the states of an address say, each with its source id. `left`: what the ledger holds a stop of.

    Of those alone it is news that HubSpot shows them switched on.
    """
    key = digest(state.email.casefold())
    if state.all_out and not ours.status(state.email, None, state.all_out_at):
        stop = {**_dated(state.all_out_at), "via": "hubspot"}
        yield e.OptedOut(**stop, by="unknown", channels=EMAIL), f"all:{key}:{_moment(state.all_out_at)}"
    for one in state.types:
        kind = token(one.name or one.type_id)
        source_id = f"{one.type_id}:{one.state}:{key}:{_moment(one.at)}"
        if one.state == "unsubscribed" and not written_by_us(state.email, one, ours):
            stop = {**_dated(one.at), "via": "hubspot_type"}
            yield e.TypeOptedOut(**stop, by=acted(one.source), channels=EMAIL, subscription_type=kind), source_id
        elif one.state == "unsubscribed" or kind in left or (ALL in left and not state.all_out):
            shown = {**_dated(one.at), "via": f"hubspot.{token(one.source)}" if one.source else "hubspot"}
            yield e.SubscriptionShown(**shown, by="system", subscription_type=kind, state=one.state), source_id


def written_by_us(email: str, one: TypeState, ours: Ours) -> bool:
    """Whether a state of a type is our own writing."""
    return (one.explanation or "").startswith(WRITTEN_BY_US) or ours.status(email, one.type_id, one.at)


def _dated(at: datetime | None) -> dict[str, Any]:
    common: dict[str, Any] = {"stream": LEDGER_STREAM, "source": SOURCE}
    if at is None:
        return common | UNDATED
    return common | {"occurred_from": at, "captured_at": at, "captured_by": CAPTURED_BY}


def _moment(at: datetime | None) -> str:
    return "" if at is None else instant(at)
