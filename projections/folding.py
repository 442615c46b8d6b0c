"""Folds of some contacts, read from the log."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.codec import decode
from ledger.contact import Contact, Entry, fold
from ledger.gaps import refuse_missing_versions
from ledger.log import Log
from projections.groups import named_by


def entries_of(log: Log, contacts: Iterable[str], stop: int) -> dict[str, list[Entry]]:
    """The entries of each contact that has any, up to a position. Raises LogDamagedError where one is missing."""
    entries: dict[str, list[Entry]] = {}
    for position, version, state in log.entries(stop=stop, streams=contacts):
        event = decode(state)
        entries.setdefault(event.stream, []).append(Entry(position, version, event))
    for found in entries.values():
        refuse_missing_versions(found[0].version, found[-1].version, len(found))
    return entries


def folds_of(log: Log, contacts: Iterable[str], stop: int) -> dict[str, Contact]:
    """Folds of those that have entries, up to a position."""
    return {contact: fold(contact, found) for contact, found in entries_of(log, contacts, stop).items()}


def family_of(log: Log, contacts: Iterable[str], stop: int) -> dict[str, Contact]:
    """Folds of these and of whom their own entries link them with, up to a position.

    The rows say who is kin; where one was taken away, the entries still say it.
    """
    folds: dict[str, Contact] = {}
    wanted = set(contacts)
    while wanted:
        folds |= folds_of(log, wanted, stop)
        wanted = {other for name in wanted & folds.keys() for other in named_by(folds[name])} - folds.keys() - wanted
    return folds
