"""The shape of an audit's answer: one verdict for each CRM record, and the sums over them.

How a verdict is reached is `projections.audit`; how it is shown is `adapters.report`.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Bucket(StrEnum):
    """Where a record falls; the first that matches, in this order."""

    CONFLICT = "conflict"
    STOPPED = "stopped"
    BASIS_PROVEN = "basis_proven"
    BASIS_CLAIMED = "basis_claimed"
    NO_BASIS = "no_basis"


class Action(StrEnum):
    """What to do with the record in the CRM. `review` means no mail until answered."""

    KEEP = "keep"
    REVIEW = "review"
    SET_NON_MARKETING = "set_non_marketing"
    NONE = "none"


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record's answer.

    record_id      the CRM's own id, as text; None where the export had none
    email          the address as written; shown masked, written only into the import files
    marketing      the HubSpot flag: True, False, None unknown
    allowed        whether any marketing purpose by e-mail is allowed at `Audit.at`
    reason         a token of `REASONS`
    reference      contact id and log position the answer rests on, for `why`
    stopped_all    stops cover every marketing purpose by e-mail
    shown_stopped  the CRM itself shows the record opted out of all e-mail (None: not in the export)
    """

    record_id: str | None
    email: str | None
    bucket: Bucket
    action: Action
    reason: str
    reference: str
    basis: str | None = None
    rule: str | None = None
    allowed: bool = False
    marketing: bool | None = None
    scheduled: bool = False
    undeliverable: bool = False
    stopped_all: bool = False
    shown_stopped: bool | None = None
    jurisdictions: tuple[str, ...] = ()
    expires_at: date | None = None
    rule_confidence: str | None = None


REASONS: dict[str, str] = {
    "proven": "a basis rule has all its needs evidenced",
    "claimed_consent": "the CRM says consent was given; nothing here shows it",
    "claimed_sale": "the CRM names a contract or an existing customer; no sale with a refusal offered is shown",
    "claimed_interest": "the CRM names a legitimate interest; no rule of the country accepts that alone for e-mail",
    "claimed_confirmation": "the CRM shows a double opt-in as confirmed; what was confirmed is not shown",
    "claimed_evidence": "a fact would carry a basis if what is unknown of it were shown",
    "nothing_known": "no fact on record could carry a basis",
    "no_address": "the record has no e-mail address",
    "opted_out": "opted out of all marketing",
    "objected": "objected to direct marketing",
    "complained": "reported a message as spam",
    "obstructed": "tried to opt out and did not get through",
    "erasure_requested": "asked to be erased",
    "suppressed": "asked to be left alone before, under an earlier record",
    "review_stop": "stopped by a review",
    "same_record_twice": "one record id stands twice in one export, with differing consent columns",
    "stop_shown_lifted": "the ledger holds a stop the CRM now shows lifted, without the person's own opt-in",
    "shared_address": "one address stands on records of different people, one of them proven",
    "times_overlap": "a stop and an opt-in overlap in time or lack one: which came last is not known",
    "two_contacts": "the record's id and its address belong to different contacts in the ledger",
    "undeliverable": "the address does not take mail",
    "already_scheduled": "the CRM already turns it non-marketing at its next update",
}
"""Every reason a verdict may give, with the sentence a report shows for it."""


class FileRead(msgspec.Struct, frozen=True, kw_only=True):
    """One input file: what was read from it, and what was not."""

    name: str
    sha256: str
    encoding: str
    delimiter: str
    language: str
    rows: int
    records: int
    without_address: int
    rejected: int
    encoding_assumed: bool = False
    columns_used: tuple[str, ...] = ()
    columns_left_out: tuple[str, ...] = ()
    columns_missing: tuple[str, ...] = ()


class Count(msgspec.Struct, kw_only=True):
    """Records of one kind, and how many of them the CRM marks (True) as marketing contacts."""

    contacts: int = 0
    marketing: int = 0


class Expiring(msgspec.Struct, frozen=True, kw_only=True):
    """How many proven records lose their basis in a month (`YYYY-MM`), by rule."""

    month: str
    rule: str
    contacts: int


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """The policy applied. `adopted_by` None: adopted by nobody."""

    hash: str
    adopted_by: str | None
    resting_on_medium: int
    resting_on_policy: int
    rules_unchecked: int


class CorrectionListed(msgspec.Struct, frozen=True, kw_only=True):
    """A stop undone as a mistake: listed in every report."""

    position: int
    undoes: int
    recorded_at: datetime
    actor: str
    reason: str
    reference: str


class Audit(msgspec.Struct, kw_only=True):
    """The sums of one audit. `audit.json` is this, under `schema`.

    totals        {contacts, marketing, rejected, marketing_unknown}
    buckets       every `Bucket` -> Count
    actions       every `Action` -> number of records
    jurisdictions every candidate code -> Count (a record with two candidates counts under each; XX: unknown)
    wasted        marketing contacts that no rule allows to write to and that may be set non-marketing now
    """

    schema: str = "consent-ledger/audit/1"
    at: datetime
    controller: str
    sender_country: str | None
    assumed_country: str | None
    timezone: str | None
    purpose: str | None
    files: list[FileRead]
    totals: dict[str, int]
    buckets: dict[str, Count]
    actions: dict[str, int]
    reasons: dict[str, int]
    jurisdictions: dict[str, Count]
    expiring: list[Expiring]
    avoidable_marketing: int
    do_not_send: int
    stopped_still_marketing: int
    undeliverable_marketing: int
    scheduled: int
    rule_set: RuleSet
    corrections: list[CorrectionListed]
    notes: list[str]
    ledger_position: int
