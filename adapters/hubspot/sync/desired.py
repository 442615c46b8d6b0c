"""What HubSpot should show of a record and of an address, by what the ledger answers: pure, no call, no clock.

A stop becomes an opt-out there; a mere want of a basis does not: it is the verdict property that says so. For what
is wanted of an address only that address's own answers count, whatever record it is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from adapters.tokens import token_of
from ledger.terms import MARKETING_PURPOSES, STRICTNESS, Basis, any_covers

Verdict = Literal["marketing", "non_marketing", "undecided"]
_RANK: dict[Verdict, int] = {"non_marketing": 0, "undecided": 1, "marketing": 2}
UNKNOWN_ADDRESS = "address_unknown"
"""HubSpot writes to an address that the ledger holds nothing about."""
NO_ADDRESS = "no_address"

LEGAL_BASES: Mapping[str, str] = {
    Basis.EXPLICIT_CONSENT: "CONSENT_WITH_NOTICE",
    Basis.SOFT_OPT_IN: "LEGITIMATE_INTEREST_CLIENT",
    Basis.CHARITY_SOFT_OPT_IN: "LEGITIMATE_INTEREST_CLIENT",
    Basis.LEGITIMATE_INTEREST_B2B: "LEGITIMATE_INTEREST_PQL",
    Basis.CONTRACT: "PERFORMANCE_OF_CONTRACT",
    Basis.OPT_OUT_REGIME: "NON_GDPR",
}
"""What HubSpot calls a basis; any other is `OTHER_BASIS`. HubSpot gives no such table: this one is ours."""
OTHER_BASIS = "LEGITIMATE_INTEREST_OTHER"


class Answer(NamedTuple):
    """One marketing purpose by e-mail to one address, now.

    stopped   a stop covers it that no later opt-in has turned, whatever else forbids it
    open      nothing is allowed, and a person could still answer it
    position  of the entry it rests on
    """

    allowed: bool
    basis: str | None
    reason: str
    stopped: bool
    open: bool
    position: int


class Standing(NamedTuple):
    """What the ledger answers of a contact: address id -> purpose -> answer, every marketing purpose by e-mail.

    first     position of its first entry
    shown     records of which exports showed whether they opted out -> the day of the newest of these
    """

    contact: str
    first: int
    addresses: Mapping[str, Mapping[str, Answer]]
    shown: Mapping[str, datetime] = {}


class Held(NamedTuple):
    """An address as HubSpot writes it, and whose it is by the ledger; None: it holds nothing about it."""

    email: str
    contact: str | None
    address: str | None


class Meanings(NamedTuple):
    """Which purposes each of HubSpot's subscription types stands for, by its id.

    types     None: nobody has declared it; only a stop of all marketing unsubscribes from it
    nameless  purposes that no type is declared to mean: those that leaving an undeclared type stops
    """

    types: Mapping[str, tuple[str, ...] | None]
    nameless: tuple[str, ...]


class WantedType(NamedTuple):
    """What an address's subscription to one type should be. `answer`: what it rests on."""

    state: Literal["unsubscribed", "subscribed"]
    answer: Answer


class WantedAddress(NamedTuple):
    """What HubSpot should show of an address. A type that is not named may stay as it is.

    all_out   the stop of all marketing by e-mail; None: there is none
    unheard   types that, were HubSpot to show them left, were left without the ledger holding it
    """

    contact: str
    all_out: Answer | None
    types: Mapping[str, WantedType]
    unheard: frozenset[str]


class WantedRecord(NamedTuple):
    """What our own properties of a record should say. `contact`: whose answer it is, the strictest of all."""

    contact: str
    verdict: Verdict
    basis: str | None
    reason: str
    position: int

    @property
    def reference(self) -> str:
        """The reference under which `why` and the report show it."""
        return reference(self.contact, self.position)


def reference(contact: str, position: int) -> str:
    """`CL-xxxxxxxx-N`: an entry of a contact."""
    return f"CL-{contact[:8]}-{position}"


def explanation(contact: str, answer: Answer) -> str:
    """What stands beside a subscription in HubSpot, for whoever looks there."""
    why = answer.basis if answer.allowed else answer.reason
    return f"consent-ledger {reference(contact, answer.position)}: {why}"


def legal_basis(basis: str | None) -> str:
    """HubSpot's word for a basis."""
    return LEGAL_BASES.get(basis or "", OTHER_BASIS)


def meanings(types: Iterable[tuple[str, str]], declared: Mapping[str, tuple[str, ...]]) -> Meanings:
    """By the declarations in force: (id, name) of HubSpot's types, and purposes by the token of a type's name."""
    named = {name for patterns in declared.values() for name in patterns if not name.endswith("*")}
    found: dict[str, tuple[str, ...] | None] = {}
    for identifier, name in types:
        patterns = declared.get(token_of(name or identifier), declared.get(identifier))
        found[identifier] = _expanded(patterns) if patterns else None
    return Meanings(found, tuple(one for one in MARKETING_PURPOSES if one not in named))


def _expanded(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in MARKETING_PURPOSES if any_covers(patterns, one))


def wanted_address(standing: Standing, address: str, meant: Meanings) -> WantedAddress:
    """What should be shown of one of a contact's addresses."""
    answers = standing.addresses[address]
    every = [answers[name] for name in MARKETING_PURPOSES]
    all_out = every[0] if all(one.stopped for one in every) else None
    types: dict[str, WantedType] = {}
    unheard: set[str] = set()
    for kind, purposes in meant.types.items():
        about = [answers[name] for name in (meant.nameless if purposes is None else purposes)]
        # A mail of the type may have any of its purposes: a stop of one is heeded for the type.
        stop = all_out if purposes is None else next((one for one in about if one.stopped), None)
        if stop is not None:
            types[kind] = WantedType("unsubscribed", stop)
        elif purposes and all(one.allowed for one in about):
            types[kind] = WantedType("subscribed", min(about, key=_strictness))
        if stop is None and not (about and all(one.stopped for one in about)):
            unheard.add(kind)
    return WantedAddress(standing.contact, all_out, types, frozenset(unheard))


def _strictness(answer: Answer) -> int:
    return STRICTNESS[Basis(answer.basis)] if answer.basis else len(STRICTNESS)


def wanted_record(standings: Sequence[Standing], held: Sequence[Held]) -> WantedRecord:
    """What a record should say of itself: the strictest answer of the contacts (at least one) that are on it.

    `held`: its addresses, the primary one first. HubSpot writes to that one alone: whose it is, is answered for it;
    who has another address on the record, or none, for those. One the ledger does not know allows nothing.
    """
    found = [_of_contact(one, held) for one in standings]
    strictest = min(found, key=lambda one: (_RANK[one.verdict], one.contact))
    if strictest.verdict == "non_marketing" or (held and held[0].address is not None):
        return strictest
    first = min(standings, key=lambda one: one.contact)
    return WantedRecord(first.contact, "non_marketing", None, UNKNOWN_ADDRESS if held else NO_ADDRESS, first.first)


def _of_contact(standing: Standing, held: Sequence[Held]) -> WantedRecord:
    own = [one.address for one in held if one.address in standing.addresses]
    asked = own[:1] if own and held[0].address == own[0] else own or sorted(standing.addresses)
    every = [standing.addresses[one][name] for one in asked if one for name in MARKETING_PURPOSES]
    allowed = next((one for one in every if one.allowed), None)
    if allowed is not None:
        return WantedRecord(standing.contact, "marketing", allowed.basis, allowed.reason, allowed.position)
    refused = next((one for one in every if one.open), every[0] if every else None)
    if refused is None:
        return WantedRecord(standing.contact, "non_marketing", None, NO_ADDRESS, standing.first)
    verdict: Verdict = "undecided" if refused.open else "non_marketing"
    return WantedRecord(standing.contact, verdict, None, refused.reason, refused.position)
