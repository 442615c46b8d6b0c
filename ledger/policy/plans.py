"""What a rule set asks of one purpose by one channel, looked up once and not for every contact.

Nothing here decides: a plan is the rules of a regime that speak of a cell, with repeals applied.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from ledger.contact import Contact
from ledger.policy.mechanisms import FACTS
from ledger.policy.rules import Policy, Regime, Rule, midnight
from ledger.terms import CHANNELS, MARKETING_PURPOSES

_BITS = {name: 1 << n for n, name in enumerate(sorted({name for names in FACTS.values() for name in names}))}


class Planned:
    """A rule in force from `floor` until `ceiling`. One object for each rule of a regime: compared by identity."""

    __slots__ = ("ceiling", "consent", "facts", "floor", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.floor: datetime = midnight(rule.valid_from)
        self.ceiling: datetime = midnight(rule.valid_to)
        self.consent = rule.mechanism == "consent"
        self.facts = sum(_BITS[name] for name in FACTS[rule.mechanism or ""])


class Plan:
    """The rules of one regime for one purpose and channel."""

    __slots__ = ("_live", "known_channel", "known_purpose", "marketing", "regime", "rules")

    def __init__(self, regime: Regime, rules: tuple[Planned, ...], purpose: str, channel: str) -> None:
        self.regime = regime
        self.rules = rules
        self.marketing = purpose.startswith("marketing.")
        self.known_purpose = purpose in MARKETING_PURPOSES if self.marketing else purpose.startswith("service.")
        self.known_channel = channel in CHANNELS
        self._live: dict[int, tuple[Planned, ...]] = {}

    def live(self, held: int) -> tuple[Planned, ...]:
        """The rules that can find a fact with a person who has these (see `held_by`)."""
        found = self._live.get(held)
        if found is None:
            found = tuple(p for p in self.rules if not p.facts or p.facts & held)
            self._live[held] = found
        return found


class PlanSet:
    """The plans of several jurisdictions for one purpose and channel."""

    __slots__ = ("_known", "_likeness", "marketing", "plans", "purpose")

    def __init__(self, plans: tuple[Plan, ...], purpose: str, known: dict[tuple[object, ...], int]) -> None:
        self.plans = plans
        self.purpose = purpose
        self.marketing = plans[0].marketing
        self._known = known
        self._likeness: dict[int, int] = {}

    def likeness(self, held: int) -> int:
        """Equal for two purposes when the rules that can find a fact are the very same."""
        found = self._likeness.get(held)
        if found is None:
            first = self.plans[0]
            # A service purpose may be read by the mechanism itself.
            named = None if self.marketing else self.purpose
            live = tuple(plan.live(held) for plan in self.plans)
            alike = (named, first.known_purpose, first.known_channel, live)
            found = self._likeness[held] = self._known.setdefault(alike, len(self._known))
        return found


class _Law(NamedTuple):
    regime: Regime
    rules: tuple[Planned, ...]


class Plans:
    """All plans of one rule set, made when first asked for."""

    def __init__(self) -> None:
        self._laws: dict[str, _Law] = {}
        self._plans: dict[tuple[str, str, str], Plan] = {}
        self._sets: dict[tuple[tuple[str, ...], str, str], PlanSet] = {}
        self._known: dict[tuple[object, ...], int] = {}
        self.obligations: dict[tuple[str, ...], tuple[str, ...]] = {}

    def together(self, policy: Policy, codes: tuple[str, ...], purpose: str, channel: str) -> PlanSet:
        """The plans for a cell under these jurisdictions."""
        found = self._sets.get((codes, purpose, channel))
        if found is None:
            plans = tuple(self._plan(policy, code, purpose, channel) for code in codes)
            found = self._sets[codes, purpose, channel] = PlanSet(plans, purpose, self._known)
        return found

    def _plan(self, policy: Policy, code: str, purpose: str, channel: str) -> Plan:
        found = self._plans.get((code, purpose, channel))
        if found is None:
            law = self._laws.get(code)
            if law is None:
                regime = policy.regime(code)
                law = self._laws[code] = _Law(regime, _planned(policy, regime))
            rules = tuple(p for p in law.rules if p.rule.applies_to(purpose, channel))
            found = self._plans[code, purpose, channel] = Plan(law.regime, rules, purpose, channel)
        return found


_of: WeakKeyDictionary[Policy, Plans] = WeakKeyDictionary()


def plans_of(policy: Policy) -> Plans:
    """The plans of a rule set, kept as long as it is."""
    found = _of.get(policy)
    if found is None:
        found = _of[policy] = Plans()
    return found


def _planned(policy: Policy, regime: Regime) -> tuple[Planned, ...]:
    sheet = policy.sheets.get(regime.code)
    own = sheet.rule if sheet else ()
    planned: list[Planned] = []
    for rule in regime.bases:
        repealed = regime.repealed.get(rule.basis or "")
        if repealed is not None and rule not in own:
            rule = msgspec.structs.replace(rule, valid_to=min(rule.valid_to, repealed))
        planned.append(Planned(rule))
    return tuple(planned)


def held_by(owner: Contact) -> int:
    """Which kinds of facts a contact has that a rule could rest on."""
    held = 0
    for name, bit in _BITS.items():
        if getattr(owner, name):
            held |= bit
    return held
