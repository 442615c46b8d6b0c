"""What the avoidable marketing contacts cost, from what the user gave. Nothing here is invented.

A price list is nobody's to guess: without a tier or a price the report says what to give. What a smaller tier
costs stands in the contract, and is not derived from what the larger one costs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from adapters.report import wording
from adapters.report.masking import printable
from projections.verdicts import Audit, Money

_NOTHING = Money()
_ASKED = (
    ("tier", "--tier N"),
    ("step", "--step N"),
    ("price", "--price N --currency CODE"),
    ("renewal", "--renewal DATE"),
)


class Bill(NamedTuple):
    """avoidable: to be taken off now; remaining: marketing contacts then; suffices: the smallest tier that holds them.

    `suffices` is None where tier or step is not given, or more contacts are marked than the tier holds.
    """

    marketing: int
    avoidable: int
    scheduled: int
    remaining: int
    suffices: int | None


def bill(audit: Audit) -> Bill:
    """The sums. Undeliverable contacts are avoidable; those HubSpot takes off by itself are not."""
    marketing = audit.totals.get("marketing", 0)
    remaining = max(0, marketing - audit.avoidable_marketing - audit.scheduled)
    return Bill(marketing, audit.avoidable_marketing, audit.scheduled, remaining, _suffices(audit, remaining))


def _suffices(audit: Audit, remaining: int) -> int | None:
    given = audit.money or _NOTHING
    tier, step = _count(given.tier), _count(given.step)
    if tier is None or step is None or remaining > tier:
        return None
    # The smallest tier of the plan is not known; one step is the least that can be named.
    lowest = tier % step or step
    return max(lowest, tier - (tier - remaining) // step * step)


def _count(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def lines(audit: Audit) -> list[str]:
    """The sentences for page and terminal, the first of them always there."""
    sums = bill(audit)
    given = audit.money or _NOTHING
    return [one for one in (_fewer(audit, sums), _tier(given, sums), _price(given, sums), _renewal(audit)) if one]


def missing(audit: Audit) -> str:
    """What to give for the sums that are not there; empty when all is given."""
    given = audit.money or _NOTHING
    options = [option for field, option in _ASKED if getattr(given, field) is None]
    if not options:
        return ""
    return f"To see what this costs, give {', '.join(options)}, or fill in [money] in audit.toml."


def _fewer(audit: Audit, sums: Bill) -> str:
    dead = audit.undeliverable_marketing
    sentences = ["No marketing contact is avoidable."]
    if sums.avoidable:
        paid = wording.counted(sums.marketing, "marketing contact")
        sentences = [f"You could drop {sums.avoidable:,} of your {paid}."]
    if dead:
        sentences.append(f"{dead:,} of the {sums.marketing:,} {wording.verb(dead, 'takes', 'take')} no mail.")
    if sums.scheduled:
        sentences.append(f"HubSpot will drop {sums.scheduled:,} more at its next update.")
    if sums.marketing != sums.remaining:
        sentences.append(f"{sums.remaining:,} would remain.")
    unknown = audit.totals.get("marketing_unknown", 0)
    if unknown:
        are = wording.verb(unknown, "is", "are")
        sentences.append(f"{wording.counted(unknown, 'contact')} with an unreadable status {are} not included.")
    return " ".join(sentences)


def _tier(given: Money, sums: Bill) -> str:
    tier = _count(given.tier)
    if tier is None:
        return ""
    if sums.marketing > tier:
        return f"More contacts are marked as marketing than the tier of {tier:,} that was given: check it."
    if sums.suffices is None:
        return f"{sums.remaining:,} of the {tier:,} in your tier would be used."
    if sums.suffices == tier:
        return f"The {sums.remaining:,} that remain still need the tier of {tier:,}: the step given leaves none below."
    return f"A tier of {sums.suffices:,} would then suffice instead of {tier:,}, if your plan offers it."


def _price(given: Money, sums: Bill) -> str:
    tier, price = _count(given.tier), given.price
    if price is None or not math.isfinite(price) or price <= 0:
        return ""
    currency = printable(given.currency or "(currency not given)", 20)
    paid = f"You said that you pay {price:,.2f} {currency} a month"
    if tier is None:
        return f"{paid}."
    share = min(sums.avoidable, tier) * price / tier
    return (
        f"{paid} for {tier:,}: {share:,.2f} {currency} of it for avoidable contacts. "
        "What a smaller tier costs is in your contract."
    )


def _renewal(audit: Audit) -> str:
    renewal = (audit.money or _NOTHING).renewal
    if renewal is None:
        return "Tiers fall only when the contract is renewed."
    days = (renewal - audit.at.date()).days
    if days < 0:
        return f"Tiers fall only at renewal; the date given, {wording.day(renewal)}, is past: give the next one."
    return f"Tiers fall only at renewal: {wording.day(renewal)}, {wording.counted(days, 'day')} after this audit."
