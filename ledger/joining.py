"""Stores beside the log: each names the ledger and epoch it is of, and is joined to them when it is opened.

Such a store keeps what no fact is: deliveries that wait, how far something was read, what was written elsewhere.
A ledger that was restored has a new epoch; what a store knows of entries by their position is then forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.database import Database, Driver
from ledger.store_table import begin_store, put_mark, read_store
from ledger.stores import EntryAt, Mark, Stored, StoreIdentity, StoresError, misfit_of, ordinal_of

_RENEW = "UPDATE store SET epoch = ?, position = ?, hash = ?"


def join_store(
    database: Database,
    name: str,
    identity: StoreIdentity,
    newest: Callable[[], Mark],
    entry_at: EntryAt,
    anew: Sequence[str],
) -> None:
    """Let a store be of a ledger and its epoch; one of an earlier epoch is first changed by the statements `anew`.

    Raises StoresError for a store of another ledger, of other keys, or of entries that the log does not hold.
    """
    with database.reading() as driver:
        stored = read_store(driver)
    mark = newest()
    if stored is not None and stored.identity == identity and stored.mark == mark:
        return
    with database.writing() as driver:
        _join(driver, name, Stored(identity, 0, mark), entry_at, anew)


def _join(driver: Driver, name: str, wanted: Stored, entry_at: EntryAt, anew: Sequence[str]) -> None:
    """Under the write lock: of several processes, one does what a new epoch asks for."""
    identity, _, mark = wanted
    begin_store(driver, wanted)
    stored = read_store(driver)
    if stored is None or stored.identity == identity:
        misfit = stored and misfit_of(name, stored, identity, entry_at)
        if misfit:
            raise StoresError([misfit])
        put_mark(driver, mark)
        return
    if not _is_of_an_earlier_epoch(stored.identity, identity):
        misfit = misfit_of(name, stored, identity, entry_at)
        raise StoresError([misfit] if misfit else [])
    for statement in anew:
        driver.execute(statement)
    driver.execute(_RENEW, (identity.epoch, *mark))


def _is_of_an_earlier_epoch(own: StoreIdentity, log: StoreIdentity) -> bool:
    return own._replace(epoch=log.epoch) == log and ordinal_of(own.epoch) < ordinal_of(log.epoch)
