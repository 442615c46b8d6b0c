"""The values that a shell completes for an option."""

from __future__ import annotations

from typing import get_args

import typer

from ledger.terms import CHANNELS, MARKETING_PURPOSES, Act, Party


def purposes() -> list[str]:
    """Every marketing purpose."""
    return list(MARKETING_PURPOSES)


def channels() -> list[str]:
    """Every channel."""
    return list(CHANNELS)


def acts() -> list[str]:
    """Every act by which somebody can opt in."""
    return list(get_args(Act))


def parties() -> list[str]:
    """Everybody who can act."""
    return list(get_args(Party))


def roles() -> list[str]:
    """Every role of an API key."""
    from adapters.web.keys import ROLES

    return list(ROLES)


def doors() -> list[str]:
    """Every door by which a fact can come."""
    from adapters.doors import DOORS

    return list(DOORS)


def contract_kinds() -> list[str]:
    """Every kind of contract that a shipped rule speaks of."""
    from ledger.policy.shipped import policy

    return sorted({kind for rule in policy().rules.values() for kind in rule.kinds} - {"enquiry"})


def buckets() -> list[str]:
    """What `audit` can fail on."""
    from adapters.cli.audit import FAIL_ON

    return list(FAIL_ON)


def sent_findings() -> list[str]:
    """What `audit sends` can fail on."""
    from adapters.cli.sends import fail_on_words

    return list(fail_on_words())


def severities() -> list[str]:
    """What `doctor hubspot` can fail on."""
    from adapters.hubspot.doctor.shapes import SEVERITIES

    return list(SEVERITIES)


def differences() -> list[str]:
    """What `drift` can fail on."""
    from adapters.cli.drift_run import FAIL_ON

    return list(FAIL_ON)


def pulled_kinds() -> list[str]:
    """What `hubspot pull` can be kept to."""
    from adapters.hubspot.pull.pulling import KINDS

    return list(KINDS)


def endings() -> list[str]:
    """What `doctor keys` can fail on."""
    return ["expired", "any"]


def audiences() -> list[str]:
    """Whom a page of `why` is for."""
    return ["counsel", "person"]


def orders() -> list[str]:
    """How a date can be written."""
    return ["d/m/y", "m/d/y"]


def agreements() -> list[str]:
    """Yes or no."""
    return ["yes", "no"]


def audited(ctx: typer.Context, incomplete: str) -> list[str]:
    """The second word of `audit sends`, where it is begun; else nothing, so that the shell offers files."""
    is_second = not any(ctx.params.values())
    return ["sends"] if is_second and incomplete and "sends".startswith(incomplete) else []
