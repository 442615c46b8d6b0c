"""Addresses that one may be misspelt for: those the ledger knows that differ by one letter."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.spelling import normal
from ledger.vault import Vault

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-_+"
_MOST = 5


def near_addresses(vault: Vault, email: str) -> list[str]:
    """Known addresses that differ from this one by one letter, or by two that changed places; at most five.

    They are looked up, each by its keyed hash: no address is opened but those that are known.
    """
    known = vault.find_addresses(sorted(set(_one_edit_away(email.strip().lower()))))
    return sorted(one for one in known if normal(one) != normal(email))[:_MOST]


def _one_edit_away(email: str) -> Iterator[str]:
    for place in range(len(email)):
        before, after = email[:place], email[place + 1 :]
        yield before + after
        if len(after) > 0:
            yield before + after[0] + email[place] + after[1:]
        for letter in _LETTERS:
            yield before + letter + after
            yield before + letter + email[place:]
