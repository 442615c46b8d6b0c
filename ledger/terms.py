"""The vocabulary as types: purposes, channels, bases, scopes, clocks.

What a fact is worth is not decided here; that is `ledger.policy`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware datetime. The codec writes and accepts UTC alone."""

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for "unknown, so as early as can be": a stop counts from here."""
END = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "no end known"."""

LEDGER_STREAM = "00000000-0000-0000-0000-000000000000"
"""The stream of ledger-wide facts: controllers, notices, forms, evidence maps, policies, imports."""

UNREAD_ROW = "unread_row"
"""Of a hold: a row that may be this person's stop could not be read."""

BY_SUPPRESSION, BY_DOMAIN, BY_DIGEST = "suppression", "domain_stop", "hashed_list"
"""Of a stop that nobody named the person in: by the list of erased addresses, their domain, or a digest of theirs."""

BY_OUR_WRITE = "own_write"
"""Of a stop that a CRM shows because this ledger wrote it there: by the system, and nobody's word."""

OWN = "own"
"""In `to` and `seller`: the one controller this ledger belongs to."""

MARKETING_PURPOSES = (
    "marketing.similar",
    "marketing.other",
    "marketing.third_party",
    "marketing.charitable",
    "marketing.political",
    "marketing.survey",
    "marketing.repermission",
)
"""Every purpose that is marketing. Anything else named `marketing.*` is unknown and never allowed."""

SERVICE = "service."
"""How the name of a purpose begins that is no marketing: `service.invoice`."""

CHANNELS = ("email", "sms", "phone", "post")

ALL_MARKETING = ("marketing.*",)
EVERY_CHANNEL = ("*",)

Precision = Literal["exact", "day", "month", "year", "period", "stylised", "unknown", "recorded"]
"""How well `occurred` is known. `stylised`: order and gaps are real, the day is an editor's. `recorded`: it was
reported as happening now, without a time of its own, so it happened when the log recorded it."""

IMPOSSIBLE: str = "impossible"
"""The precision a fold gives to a fact whose claimed time cannot be (see `ledger.plausibility`). Never in an entry."""

Party = Literal["data_subject", "guardian", "agent", "officer", "system", "third_party", "unknown"]
"""Who acted. Only `data_subject` (and `guardian` for a minor) can grant."""

Act = Literal[
    "unticked_box",
    "signup",
    "reply",
    "written",
    "oral_recorded",
    "pre_ticked",
    "required_box",
    "bundled",
    "deceptive_design",
    "silence",
    "terms_click",
    "unknown",
]
Proof = Literal["individual", "declared", "sample_form", "vendor_warranty", "none"]
Proved = Literal["proved", "claimed", "not_proved"]


class Basis(StrEnum):
    """What allows a message. The order is the order of strictness, strictest first."""

    EXPLICIT_CONSENT = "explicit_consent"
    SOFT_OPT_IN = "soft_opt_in"
    CHARITY_SOFT_OPT_IN = "charity_soft_opt_in"
    IMPLIED_CONSENT = "implied_consent"
    INFERRED_CONSENT = "inferred_consent"
    LEGITIMATE_INTEREST_B2B = "legitimate_interest_b2b"
    OPT_OUT_REGIME = "opt_out_regime"
    CONTRACT = "contract"
    NOT_MARKETING = "not_marketing"


STRICTNESS = {basis: rank for rank, basis in enumerate(Basis)}


def covers(pattern: str, name: str) -> bool:
    """Whether a scope's pattern covers a name: `*` all, `marketing.*` a family, else the name itself."""
    if pattern in ("*", name):
        return True
    return pattern.endswith(".*") and name.startswith(pattern[:-1])


def any_covers(patterns: tuple[str, ...], name: str) -> bool:
    """Whether one of the patterns covers the name."""
    return any(covers(pattern, name) for pattern in patterns)


def stopped_purposes(named: tuple[str, ...]) -> tuple[str, ...]:
    """The purposes a stop of these reaches: all marketing, if it names none, or one that nobody knows.

    A misspelt name may have meant any of them, and a stop that was taken must not stop nothing.
    """
    return named if named and all(map(is_purpose, named)) else (*named, *ALL_MARKETING)


def stopped_channels(named: tuple[str, ...]) -> tuple[str, ...]:
    """The channels a stop of these reaches: every one, if it names none, or one that nobody knows."""
    return named if named and all(map(is_channel, named)) else EVERY_CHANNEL


def is_purpose(name: str) -> bool:
    """A name, or a family of names (`marketing.*`), that some rule knows."""
    return name.startswith(SERVICE) or any(covers(name, one) for one in MARKETING_PURPOSES)


def is_channel(name: str) -> bool:
    """A channel, or `*`: each of them."""
    return any(covers(name, one) for one in CHANNELS)
