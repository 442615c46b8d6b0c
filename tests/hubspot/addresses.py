"""Subscription statuses: they belong to an address, whatever becomes of the contact that has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from tests.hubspot.journal import Actor, Change, Flip, Journal
from tests.hubspot.mail import Mail

Status: TypeAlias = Literal["SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"]
LEGAL_BASES = frozenset(
    {
        "CONSENT_WITH_NOTICE",
        "LEGITIMATE_INTEREST_CLIENT",
        "LEGITIMATE_INTEREST_OTHER",
        "LEGITIMATE_INTEREST_PQL",
        "NON_GDPR",
        "PERFORMANCE_OF_CONTRACT",
        "PROCESS_AND_STORE",
    }
)
NO_CHANGE, CHANGED = "NO_STATUS_CHANGE", "REQUESTED_CHANGE_OCCURRED"
RESUBSCRIBED, ALL_OUT = "RESUBSCRIBE_OCCURRED", "UNSUBSCRIBE_FROM_ALL_OCCURRED"


class Type(NamedTuple):
    """A subscription type of the portal."""

    id: int
    name: str
    description: str = ""
    active: bool = True


class TypeState(NamedTuple):
    """Where an address stands with one type."""

    status: Status
    at: int
    source: str
    legal_basis: str | None = None
    explanation: str | None = None


@dataclass(slots=True)
class Address:
    """Where an address stands."""

    email: str
    types: dict[int, TypeState] = field(default_factory=dict)
    all_out: bool = False
    all_at: int = 0

    def out(self, type_id: int) -> bool:
        """Whether mails of a type must not go there."""
        state = self.types.get(type_id)
        return self.all_out or (state is not None and state.status == "UNSUBSCRIBED")


class Addresses:
    """All that anybody ever said something about."""

    def __init__(self, journal: Journal, mail: Mail) -> None:
        self._journal, self._mail = journal, mail
        self.types: dict[int, Type] = {}
        self.all: dict[str, Address] = {}
        self.blocked: set[str] = set()
        self.after_change: Callable[[Address, Actor, int], None] | None = None

    def of(self, email: str) -> Address:
        """One of them; nothing is specified where nobody said anything yet."""
        key = email.strip().lower()
        return self.all.get(key) or Address(key)

    def set_type(
        self, email: str, type_id: int, status: Status, actor: Actor, at: int,
        *, source: str = "", legal_basis: str | None = None, explanation: str | None = None,
    ) -> str:  # fmt: skip
        """Set one type; why the status is what it is now. Turning a type on lifts an opt-out of all e-mail too."""
        address = self._kept(email)
        before = address.types.get(type_id)
        was = before.status if before else "NOT_SPECIFIED"
        lifts = status == "SUBSCRIBED" and address.all_out
        if was == status and not lifts:
            return NO_CHANGE
        back = was == "UNSUBSCRIBED" or lifts
        source = source or _words(actor)
        address.types[type_id] = TypeState(status, at, source, legal_basis, explanation)
        self._journal.add(Change(at, actor, "type", str(type_id), was, status, email=address.email))
        if was == "UNSUBSCRIBED":
            self._journal.flips.append(Flip(address.email, type_id, actor, at, status))
        self._mail.status_changed(address.email, actor, at, status, self.types.get(type_id))
        if lifts:
            self._all(address, False, actor, at)
        self._tell(address, actor, at)
        return RESUBSCRIBED if back and status == "SUBSCRIBED" else CHANGED

    def set_all(self, email: str, out: bool, actor: Actor, at: int) -> str:
        """Out of all e-mail, or that opt-out lifted."""
        address = self._kept(email)
        if address.all_out == out:
            return NO_CHANGE
        self._all(address, out, actor, at)
        self._tell(address, actor, at)
        return ALL_OUT if out else RESUBSCRIBED

    def known(self, email: str, type_id: int | None, status: Status, at: int, source: str) -> None:
        """What was so before the fake began: nobody is told, and nothing is written down."""
        address = self._kept(email)
        if type_id is None:
            address.all_out, address.all_at = status == "UNSUBSCRIBED", at
        else:
            address.types[type_id] = TypeState(status, at, source)

    def _all(self, address: Address, out: bool, actor: Actor, at: int) -> None:
        before, after = ("in", "out") if out else ("out", "in")
        address.all_out, address.all_at = out, at
        self._journal.add(Change(at, actor, "all", "", before, after, email=address.email))
        if not out:
            self._journal.flips.append(Flip(address.email, None, actor, at, "in"))
        self._mail.status_changed(address.email, actor, at, "UNSUBSCRIBED" if out else "SUBSCRIBED", None)

    def _tell(self, address: Address, actor: Actor, at: int) -> None:
        if self.after_change is not None:
            self.after_change(address, actor, at)

    def _kept(self, email: str) -> Address:
        key = email.strip().lower()
        if key not in self.all:
            self.all[key] = Address(key)
        return self.all[key]


def _words(actor: Actor) -> str:
    """How the status names where it comes from: free text in HubSpot."""
    return {"app": "Public status API", "person": "Subscription page", "user": "CRM user"}.get(actor.kind, actor.source)
