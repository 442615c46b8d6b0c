"""The shape of one answer to "why was, or may, this person be written to?", for a page, a screen, a file."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from ledger.terms import Precision

VerdictSentence = Literal[
    "allowed by the rules applied",
    "not allowed by the rules applied",
    "cannot be shown",
]
Note = Literal["counts", "grants nothing", "stop", "not known then", "corrected"]


class WhyQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, with its moment on each clock."""

    purpose: str
    channel: str
    on: datetime
    known_at: datetime
    law_at: datetime


class WhyRule(msgspec.Struct, frozen=True, kw_only=True):
    """The rule the answer rests on."""

    id: str
    text: str
    source: str
    confidence: str
    checked_by: str | None = None


class WhyCondition(msgspec.Struct, frozen=True, kw_only=True):
    """One need of the rule. `met` None: unknown, which is never counted as yes."""

    name: str
    met: bool | None
    positions: tuple[int, ...] = ()


class WhyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of the history, on the clocks kept apart.

    happened_from, happened_to  the interval it happened in; both None: unknown
    held_since                  since when the source provably held it; None: not shown
    recorded_at                 since when this ledger holds it
    """

    position: int
    what: str
    recorded_at: datetime
    happened_from: datetime | None = None
    happened_to: datetime | None = None
    precision: Precision = "exact"
    held_since: datetime | None = None
    note: Note | None = None


class WhyJurisdiction(msgspec.Struct, frozen=True, kw_only=True):
    """A country whose rules were asked, and what points to it."""

    code: str
    evidence: tuple[str, ...] = ()


class WhyClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A rule the CRM's own word would meet, and what is missing to show it."""

    rule: str
    missing: tuple[str, ...]
    basis: str | None = None


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer. Sentences are ready to be read; nothing here names the person."""

    schema: str = "consent-ledger/why/1"
    email_masked: str
    reference: str
    question: WhyQuestion
    verdict: VerdictSentence
    sentence: str = ""
    basis: str | None = None
    rule: WhyRule | None = None
    conditions: tuple[WhyCondition, ...] = ()
    timeline: tuple[WhyRow, ...] = ()
    spoke_against: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    changes_at: date | None = None
    jurisdictions: tuple[WhyJurisdiction, ...] = ()
    policy_hash: str
    adopted_by: str | None = None
    claimed: WhyClaim | None = None
    liabilities: tuple[str, ...] = ()


def why_json(why: Why) -> bytes:
    """The answer for machines, two spaces deep."""
    return msgspec.json.format(msgspec.json.encode(why), indent=2) + b"\n"
