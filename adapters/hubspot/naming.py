"""What subscription types are called in the ledger: by their names, told apart where two have the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from adapters.hubspot.api.shapes import SubscriptionType
from adapters.tokens import token_of


def names_of(types: Iterable[SubscriptionType]) -> dict[str, str]:
    """Id -> name, each a name of its own: of two with one name, an opt-out of the one would count for both."""
    found = list(types)
    names = Counter(token_of(one.name or one.id) for one in found)
    return {
        one.id: (one.name or one.id) if names[token_of(one.name or one.id)] == 1 else f"{one.name} {one.id}"
        for one in found
    }
