"""What a consumer is told of one contact: every cell's answer at one moment, and what it will become.

**Absent or unknown means not allowed.** A cell that is not listed, a contact without a message, a tombstone,
a `basis` or `marketing_status` this reader does not know: not allowed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ledger.terms import Moment

Cause = Literal["event", "policy", "time"]
"""Why it is said now: an entry about the contact, another rule set or declaration, or a day that came."""


class ToldSegment(msgspec.Struct, frozen=True, gc=False, rename={"start": "from"}):
    """An answer and the moment it begins; it holds until the next one begins."""

    start: Moment
    allowed: bool
    reason: str
    basis: str | None
    rules: tuple[str, ...]


class ToldCell(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One purpose by one channel to one address (its id; None: to the contact without one), as of `at`.

    rule  the first rule the answer rests on; None: none allows it
    """

    purpose: str
    channel: str
    address: str | None
    allowed: bool
    basis: str | None
    rule: str | None
    reason: str
    marketing_status: Literal["marketing", "non_marketing", "undecided"]
    segments: tuple[ToldSegment, ...]


class ToldRecord(msgspec.Struct, frozen=True, gc=False):
    """The contact's row in a CRM; named only where a setting says so."""

    system: str
    id: str


class ContactStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The value of `consent.contact-status.v1`. Keyed by `contact`; a later revision takes its place.

    controller   the ledger's id: a ledger is of one controller
    revision     grows with every change of the answers of this contact; skip what is lower than what you hold
    position     of the newest log entry the answers rest on
    at           the moment since when the answers hold: the newest entry they rest on was recorded, or a day
                 came on which one of them changed. They hold until a later revision
    policy       hash of the rule set
    linked       contacts that are the same person now; each has a value of its own
    merged_into  the contact that stands for them all: who was in the ledger first and is not erased.
                 None: this one
    erased       key and data are destroyed: nothing is allowed, and a tombstone follows
    """

    contact: str
    controller: str
    revision: int
    cause: Cause
    position: int
    at: Moment
    policy: str
    marketing_status: Literal["marketing", "non_marketing", "undecided"]
    cells: tuple[ToldCell, ...]
    linked: tuple[str, ...] = ()
    merged_into: str | None = None
    erased: bool = False
    records: tuple[ToldRecord, ...] = ()
