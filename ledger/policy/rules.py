"""Rules as data: the shape of a rule file, and the rule set read from a folder of them.

A file is one jurisdiction. Adding a country that uses known mechanisms adds a file and no Python.
The mechanisms are in `ledger.policy.mechanisms`; this module only reads and checks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from ledger.policy.calendar import Period, period
from ledger.terms import Basis, any_covers
from ledger.toml import TOMLDecodeError, parse_toml

Kind = Literal["basis", "stop", "message_condition", "not_a_basis", "classification", "platform"]
Mechanism = Literal[
    "consent",
    "sale",
    "support",
    "purchase_window",
    "contract_window",
    "enquiry_window",
    "ongoing_relationship",
    "transitional_relationship",
    "published_address",
    "business_interest",
    "opt_out_regime",
    "running_contract",
    "requested_reply",
    "confirmation_mail",
]
Text = Annotated[str, msgspec.Meta(min_length=1)]
BEFORE_ALL = date(1, 1, 1)
AFTER_ALL = date(9999, 12, 31)


class PolicyError(ValueError):
    """A rule file that cannot be used, with the file, the rule and what to change."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """One rule. `docs/reference/rule-files.md` explains each field.

    valid_from, valid_to  in force: from the first day, until before the second
    known_from            kind of contract -> day a court declared that it counts (else: always known)
    needs                 conditions, each True, False or unknown of a fact (see `mechanisms.NEEDS`)
    window, after_end, inactivity, recent, claims: ISO periods
    period_from           who chose the number of that period: a statute, an authority, or this rule set
    """

    id: Text
    kind: Kind
    text: Text
    source: Text
    confidence: Literal["high", "medium", "policy"]
    checked_by: str = ""
    checked_on: str = ""
    valid_from: date = BEFORE_ALL
    valid_to: date = AFTER_ALL
    # kind = "basis"
    basis: Basis | None = None
    mechanism: Mechanism | None = None
    purposes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    known_from: dict[str, date] = {}
    collected_not_before: date | None = None
    inactivity: str | None = None
    activity: tuple[str, ...] = ()
    window: str | None = None
    window_from: tuple[str, ...] = ()
    after_end: str | None = None
    recent: str | None = None
    period_from: Literal["statute", "authority", "choice"] = "statute"
    before: date | None = None
    exempts: tuple[str, ...] = ()
    # kind = "stop", "message_condition", "not_a_basis"
    events: tuple[str, ...] = ()
    statutory_grace: str | None = None
    facts: tuple[str, ...] = ()
    # kind = "platform"
    platform: str | None = None
    accepts: tuple[Basis, ...] = ()

    def in_force(self, moment: datetime) -> bool:
        """Whether the rule is in force on the (UTC) day of a moment."""
        return self.valid_from <= moment.date() < self.valid_to

    def applies_to(self, purpose: str, channel: str) -> bool:
        """Whether the rule speaks of this purpose by this channel."""
        return any_covers(self.purposes, purpose) and any_covers(self.channels, channel)


class RuleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One jurisdiction's file.

    members   codes that have these rules unless a file of their own says otherwise (eu.toml)
    parent    the file whose rules hold beside these; a rule here replaces the parent's of the same basis
    repeals   bases of the parent that do not exist here, from a day on
    """

    jurisdiction: Text
    title: Text
    timezone: str = "UTC"
    parent: str | None = None
    members: tuple[str, ...] = ()
    member_timezones: dict[str, str] = {}
    repeals: dict[str, date] = {}
    digital_age: int | None = None
    digital_ages: dict[str, int] = {}
    rule: tuple[Rule, ...] = ()


class Regime(msgspec.Struct, frozen=True):
    """The law of one jurisdiction, ready to be asked: its own rules, its parent's, and those of all."""

    code: str
    title: str
    zone: ZoneInfo
    digital_age: int
    bases: tuple[Rule, ...]
    conditions: tuple[Rule, ...]
    stop: Rule | None
    repealed: Mapping[str, date]


class Policy:
    """A rule set: its files, their content hash, and the regimes they make. Immutable."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(sorted(files.items()))
        self.hash = content_hash(self.files)
        self.sheets = {sheet.jurisdiction: sheet for sheet in _read(self.files)}
        self.rules = {rule.id: rule for sheet in self.sheets.values() for rule in sheet.rule}
        self._regimes: dict[str, Regime] = {}
        if "XX" not in self.sheets or "*" not in self.sheets:
            raise PolicyError("a rule set needs a file for XX (unknown jurisdiction) and one for * (all)")

    def regime(self, code: str) -> Regime:
        """The law of a code: its file, else the union it is a member of, else the strictest (XX)."""
        if code not in self._regimes:
            self._regimes[code] = self._build(code)
        return self._regimes[code]

    def platform_rules(self, platform: str) -> tuple[Rule, ...]:
        """What the terms of a platform ask beside the law: a second line, never a basis."""
        return tuple(rule for rule in self.rules.values() if rule.kind == "platform" and rule.platform == platform)

    def accepted_by(self, platform: str) -> tuple[Basis, ...]:
        """The bases that all terms of a platform take as permission shown; without terms, every basis."""
        rules = self.platform_rules(platform)
        return tuple(basis for basis in Basis if all(basis in rule.accepts for rule in rules))

    def knows(self, code: str) -> bool:
        """Whether a code has law of its own here; what is not known is judged as XX."""
        return code in self.sheets or any(code in sheet.members for sheet in self.sheets.values())

    def without(self, rule_id: str) -> Policy:
        """The same rule set less one rule: to show that a case guards it."""
        smaller = object.__new__(Policy)
        smaller.files, smaller.hash = self.files, f"{self.hash}-without-{rule_id}"
        smaller.sheets = {
            code: msgspec.structs.replace(sheet, rule=tuple(r for r in sheet.rule if r.id != rule_id))
            for code, sheet in self.sheets.items()
        }
        smaller.rules = {key: rule for key, rule in self.rules.items() if key != rule_id}
        smaller._regimes = {}
        return smaller

    def _build(self, code: str) -> Regime:
        union = next((s for s in self.sheets.values() if code in s.members), None)
        own = self.sheets.get(code) or union or self.sheets["XX"]
        parent = self.sheets.get(own.parent) if own.parent else None
        lines = [own] + ([parent] if parent else []) + [self.sheets["*"]]
        replaced = {rule.basis for rule in own.rule if rule.kind == "basis"}
        bases = [r for r in own.rule if r.kind == "basis"]
        if parent:
            bases += [r for r in parent.rule if r.kind == "basis" and r.basis not in replaced]
        bases += [r for r in self.sheets["*"].rule if r.kind == "basis" and code not in r.exempts]
        order = list(Basis)
        stops = [r for sheet in lines for r in sheet.rule if r.kind == "stop"]
        zone = (union.member_timezones.get(code) if union else None) or own.timezone
        age = (union.digital_ages.get(code) if union else None) or own.digital_age
        return Regime(
            code=code,
            title=own.title if code in self.sheets else f"{code} ({own.title})",
            zone=ZoneInfo(zone),
            digital_age=age or (parent.digital_age if parent else None) or 16,
            bases=tuple(sorted(bases, key=lambda r: order.index(r.basis or Basis.NOT_MARKETING))),
            conditions=tuple(r for sheet in lines for r in sheet.rule if r.kind == "message_condition"),
            stop=stops[0] if stops else None,
            repealed=own.repeals,
        )


def content_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and bytes of the files, each with its length: the version of a rule set."""
    total = hashlib.sha256()
    for name, data in sorted(files.items()):
        total.update(f"{len(name)}:{name}{len(data)}:".encode() + data)
    return total.hexdigest()


def _read(files: Mapping[str, bytes]) -> Iterable[RuleFile]:
    seen: set[str] = set()
    for name, data in files.items():
        try:
            sheet = msgspec.convert(parse_toml(data.decode()), RuleFile)
        except (TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
            raise PolicyError(f"{name}: {error}") from error
        for rule in sheet.rule:
            _check(name, rule)
            if rule.id in seen:
                raise PolicyError(f"{name}: rule {rule.id} stands twice in the rule set")
            seen.add(rule.id)
        yield sheet


def _check(name: str, rule: Rule) -> None:
    where = f"{name}: rule {rule.id}"
    if rule.kind == "basis":
        if rule.basis is None or rule.mechanism is None or not rule.purposes or not rule.channels:
            raise PolicyError(f"{where}: a basis needs `basis`, `mechanism`, `purposes` and `channels`")
        unknown = set(rule.needs) - NEEDS
        if unknown:
            raise PolicyError(f"{where}: unknown needs {sorted(unknown)}; known are {sorted(NEEDS)}")
        if rule.mechanism == "running_contract" and rule.after_end is None:
            raise PolicyError(
                f"{where}: say with `after_end` how long a contract that is over still carries service mail"
            )
        if rule.mechanism == "consent" and not rule.acts:
            raise PolicyError(f"{where}: consent needs `acts`, the acts that can be one")
    if rule.kind == "platform" and not (rule.platform and rule.accepts):
        raise PolicyError(f"{where}: a platform's rule needs `platform` and `accepts`, the bases its terms take")
    for field in ("inactivity", "window", "after_end", "recent", "statutory_grace"):
        text = getattr(rule, field)
        if text is not None:
            try:
                period(text)
            except ValueError as error:
                raise PolicyError(f"{where}: {field}: {error}") from error


NEEDS = frozenset(
    {
        "informed",
        "specific",
        "sender_named",
        "purpose_covered",
        "channel_covered",
        "proof_individual",
        "by_data_subject",
        "address_verified",
        "seller_is_sender",
        "collected_from_person",
        "opt_out_offered_at_collection",
        "not_refused",
        "charity",
        "collected_directly",
        "messages_exchanged",
        "no_refusing_statement_proved",
        "role_relevance_proved",
        "recipient_professional",
        "corporate_subscriber",
        "role_relevant",
        "informed_of_right_to_object",
        "country_declared",
    }
)
"""Every condition a rule may ask of a fact. Message conditions are rules of their own."""


@lru_cache(maxsize=512)
def span(text: str) -> Period:
    """A checked period of a rule."""
    return period(text)


def midnight(day: date) -> datetime:
    """Where a legal day begins: UTC, so that it is one moment for all."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
