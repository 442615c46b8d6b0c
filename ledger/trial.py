"""Do keys open a vault, and does a vault know the people of a log: tried before an identity is written down."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.log import Log
from ledger.terms import LEDGER_STREAM
from ledger.vault import Vault

_MOST_NAMED = 3


def problems_of(log: Log, vault: Vault) -> Iterator[str]:
    """What is wrong, one clause each: rows that the keys at hand do not open, people of the log who are not there."""
    for table in vault.unopened():
        yield f"a row of its table {table} cannot be opened"
    lost = sorted(vault.unknown_contacts(set(log.streams()) - {LEDGER_STREAM}))
    if lost:
        named = ", ".join(lost[:_MOST_NAMED])
        yield f"the log names {len(lost)} contacts that the vault does not know, such as {named}"
