"""The values that a shell completes for an option."""

from __future__ import annotations

from typing import get_args

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
