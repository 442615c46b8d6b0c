"""What a look at a portal comes to, as it is printed and as it is written as JSON."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
Can = Literal["yes", "forbidden", "not there", "unknown"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be changed. `where`: which form, import, app; `change`: where in HubSpot, click by click."""

    severity: Severity
    kind: str
    where: str
    said: str
    change: str


class Ability(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was tried by a call that changes nothing.

    scope     what the credentials need for it; None: it is not a question of scopes
    needed    whether pulling or keeping in step cannot do without it
    """

    name: str
    can: Can
    scope: str | None
    needed: bool
    said: str


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """What no call tells, and how to look by hand."""

    what: str
    look: str


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be called, as the answers' headers say; None: they do not."""

    per_second: float | None
    day: int | None
    day_left: int | None


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found, findings the gravest first."""

    schema: str = "consent-ledger/doctor-hubspot/1"
    url: str
    version: str
    contacts: int | None
    marketing: int | None
    rates: Rates
    findings: tuple[Finding, ...]
    abilities: tuple[Ability, ...]
    unknown: tuple[Unknown, ...]
