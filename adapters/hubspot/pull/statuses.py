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
from adapters.hubspot.changes import OPTED_OUT
from adapters.hubspot.evidence import SYSTEM
from adapters.hubspot.pull.contacts import contacts_in_all, pages
from adapters.hubspot.pull.echoes import changed_by_us, explained_by_us, may_be_ours
from adapters.hubspot.pull.run import Pull, Tally
from adapters.hubspot.said import EMAIL, acted
from adapters.reading import UNDATED, digest
from adapters.statements import Statement
from adapters.tokens import token_of
from ledger import events as e
from ledger.codec import instant
from ledger.contact import Contact
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration

SOURCE = "hubspot.statuses"
KEY = "statuses.pages"
ADDRESSES = ("email", "hs_additional_emails")
ALL = "*"
CAPTURED_BY = "subscription_status"


def pull_statuses(pull: Pull) -> None:
    """The states of every address of the contacts, or of those that changed since the last pull."""
    tally = pull.begin("statuses", "subscriptions")
    names = pull.type_names()
    history = (OPTED_OUT, *(f"{OPTED_OUT}_{number}" for number in names))
    total = contacts_in_all(pull) if tally.since is None else None
    for page, cursor in pages(pull, tally, KEY, ADDRESSES, history):
        _ask(pull, tally, names, page)
        pull.paged(tally, KEY, cursor, total)
    timeline = pull.cursors.get("timeline").since
    if tally.since is not None and (timeline is None or timeline < tally.since):
        for page in _with_further_addresses(pull):
            _ask(pull, tally, names, [one._replace(email=None) for one in page])
            pull.save(tally)
    pull.finish(tally, SOURCE)


def _with_further_addresses(pull: Pull) -> Iterator[Sequence[ContactRead]]:
    """Everybody with more than one address. What the others left changes nothing of the contact that has them.

    So only the timeline tells of it, where that may be read; without it they are all looked at.
    """
    beyond = "0"
    while True:
        page = pull.portal.with_further_addresses(beyond, ADDRESSES)
        yield page.items
        if page.after is None or not page.items:
            return
        beyond = page.items[-1].id


def _ask(pull: Pull, tally: Tally, names: Mapping[str, str], page: Sequence[ContactRead]) -> None:
    """What the addresses of a page are subscribed to."""
    tally.pages += 1
    people = list(_people(page))
    states = pull.portal.states([email for email, _ in people])
    tally.taken.rows += len(people)
    _take(pull, tally, [(_named(states[email], names), contact) for email, contact in people])


def _named(state: AddressState, names: Mapping[str, str]) -> AddressState:
    """With its types by the names that everything else here calls them by."""
    return state._replace(types=tuple(one._replace(name=names.get(one.type_id, one.name)) for one in state.types))


def _people(page: Sequence[ContactRead]) -> Iterator[tuple[str, ContactRead]]:
    """Each address of each contact."""
    seen: set[str] = set()
    for contact in page:
        for email in (contact.email, *contact.also):
            if email and is_address(email) and email.casefold() not in seen:
                seen.add(email.casefold())
                yield email, contact


def _take(pull: Pull, tally: Tally, found: Sequence[tuple[AddressState, ContactRead]]) -> None:
    known = pull.house.ledger.register_many(
        [Registration(state.email, SYSTEM, contact.id, False) for state, contact in found]
    )
    folds = pull.house.contacts(list({who.contact for who in known}))
    told = [
        Statement(state.email, contact.id, event, source_id, None, 0)
        for (state, contact), who in zip(found, known, strict=True)
        for event, source_id in facts_of(
            state, frozenset(_stopped(folds[who.contact], who.address)), _ours(pull, state, contact)
        )
    ]
    record(pull.house, SYSTEM, "subscription statuses", told, tally.taken)


def _ours(pull: Pull, state: AddressState, contact: ContactRead) -> frozenset[str]:
    """What we took the address off ourselves: types by their ids, `ALL` for every mail."""

    def wrote(type_id: str | None, at: datetime | None, source: str = "") -> bool:
        return may_be_ours(source) and changed_by_us(pull, contact, type_id, at)

    off = (one for one in state.types if one.state == "unsubscribed")
    kinds = {one.type_id for one in off if explained_by_us(one) or wrote(one.type_id, one.at, one.source)}
    return frozenset(kinds | ({ALL} if state.all_out and wrote(None, state.all_out_at) else set()))


def _stopped(contact: Contact, address: str | None) -> Iterator[str]:
    """What the ledger holds a stop of, of this address: types by their tokens, `ALL` for every mail."""
    for entry in contact.stops:
        if entry.event.address in (None, address):
            yield entry.event.subscription_type if isinstance(entry.event, e.TypeOptedOut) else ALL


def facts_of(state: AddressState, left: frozenset[str], ours: frozenset[str]) -> Iterator[tuple[e.Event, str]]:
    """What the states of an address say, each with its source id. `left`: what the ledger holds a stop of.

    Of those alone it is news that HubSpot shows them switched on. `ours`: what we switched off ourselves.
    """
    key = digest(state.email.casefold())
    if state.all_out and ALL not in ours:
        stop = {**_dated(state.all_out_at), "via": "hubspot"}
        yield e.OptedOut(**stop, by="unknown", channels=EMAIL), f"all:{key}:{_moment(state.all_out_at)}"
    for one in state.types:
        kind = token_of(one.name or one.type_id)
        source_id = f"{one.type_id}:{one.state}:{key}:{_moment(one.at)}"
        if one.state == "unsubscribed" and one.type_id not in ours:
            stop = {**_dated(one.at), "via": "hubspot_type"}
            yield e.TypeOptedOut(**stop, by=acted(one.source), channels=EMAIL, subscription_type=kind), source_id
        elif one.state == "unsubscribed" or kind in left or _lifted(state, one, left):
            shown = {**_dated(one.at), "via": f"hubspot.{token_of(one.source)}" if one.source else "hubspot"}
            yield e.SubscriptionShown(**shown, by="system", subscription_type=kind, state=one.state), source_id


def _lifted(state: AddressState, one: TypeState, left: frozenset[str]) -> bool:
    """Whether a type is on for an address that the ledger knows to have left everything."""
    return ALL in left and not state.all_out and one.state == "subscribed"


def _dated(at: datetime | None) -> dict[str, Any]:
    common: dict[str, Any] = {"stream": LEDGER_STREAM, "source": SOURCE}
    if at is None:
        return common | UNDATED
    return common | {"occurred_from": at, "captured_at": at, "captured_by": CAPTURED_BY}


def _moment(at: datetime | None) -> str:
    return "" if at is None else instant(at)
