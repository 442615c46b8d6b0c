"""Adapters: translate the world in, call one door, translate out.

A package of this name also exists elsewhere; `is_ours` tells whether this is the one that runs.
"""

from pathlib import Path


def is_ours() -> bool:
    """Whether `adapters` was imported from beside our own `ledger`."""
    import ledger  # noqa: PLC0415 - asked for at start, not at import

    return Path(__file__).parent.parent == Path(ledger.__file__ or "").parent.parent
