"""Our own writes as they come back in the timeline and in the e-mail events, where nothing says whose they were.

An opt-out that a person made says so there. Of the others, those are ours that stand at that moment beside an
explanation of ours, as a change of a property by our app, or in what we keep of our writes. Taken for new stops,
they would undo an opt-in that came in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from adapters.addresses import is_address
from adapters.hubspot.api.portal import AddressState, ContactRead, RefusedError, TypeState
from adapters.hubspot.changes import OPTED_OUT
from adapters.hubspot.pull.run import Pull
from adapters.hubspot.said import acted, speaks_of

WRITTEN_BY_US = "consent-ledger "
"""How every explanation begins that we write beside a status."""
_NOT_US = ("recipient", "subscriber", "contact", "page", "preference", "link", "user", "customer", "import", "workflow")
_APART = timedelta(seconds=2)


class Left(NamedTuple):
    """An opt-out as HubSpot tells of it. `type_id` None: of all e-mail."""

    email: str
    type_id: str | None
    at: datetime


def ours_among(pull: Pull, told: Iterable[Left]) -> frozenset[Left]:
    """Those that we wrote. Asks HubSpot, so give it only what the person did not do."""
    unknown = {one for one in told if is_address(one.email)}
    found: set[Left] = set()
    try:
        names = tuple(sorted({_property(one.type_id) for one in unknown}))
        emails = sorted({one.email for one in unknown})
        contacts = pull.portal.read_contacts(emails, ["email"], "email", names) if emails else {}
        found |= {one for one in unknown if changed_by_us(pull, contacts.get(one.email), one.type_id, one.at)}
        # the properties follow a contact's first address alone
        rest = unknown - found
        kinds = sorted({one.email for one in rest if one.type_id})
        states = pull.portal.states(kinds) if kinds else {}
    except RefusedError:
        return frozenset(found)  # who may not ask takes them for stops, which is the safe side
    return frozenset(found | {one for one in rest if _by_state(states.get(one.email), one)})


def explained_by_us(state: TypeState) -> bool:
    """Whether what stands beside a status is what we write, and no other is named as who set it.

    An explanation of ours may stand on beside what somebody else did later.
    """
    return (state.explanation or "").startswith(WRITTEN_BY_US) and may_be_ours(state.source)


def may_be_ours(source: str) -> bool:
    """Whether what HubSpot names as the source of a status is nobody else for certain."""
    return acted(source) != "data_subject" and not speaks_of(source, _NOT_US)


def changed_by_us(pull: Pull, contact: ContactRead | None, type_id: str | None, at: datetime | None) -> bool:
    """Whether it was us who took a contact off a type, or off all e-mail, at that moment."""
    if at is None or contact is None:
        return False
    history = contact.history.get(_property(type_id), ())
    return pull.ours.wrote(contact.id, type_id, at) or any(
        abs(one.at - at) <= _APART and pull.ours.change(one) for one in history
    )


def _property(type_id: str | None) -> str:
    return OPTED_OUT if type_id is None else f"{OPTED_OUT}_{type_id}"


def _by_state(state: AddressState | None, told: Left) -> bool:
    return state is not None and any(
        one.type_id == told.type_id and one.at is not None and abs(one.at - told.at) <= _APART and explained_by_us(one)
        for one in state.types
    )
