"""The epoch of the ledger that a mirror is of: with another one it begins anew, and never goes back to one before."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from adapters.kafka.mirror_schema import cells, contacts, epochs
from ledger.stores import ordinal_of

_newest = sa.select(epochs.c.epoch).order_by(epochs.c.number.desc()).limit(1)


def enter_epoch(connection: sa.Connection, given: Iterable[str]) -> str:
    """The epoch that records must be of to be applied, those at hand counted; within the transaction that does so.

    Entering one empties the tables: an answer of an earlier epoch may rest on entries that are in no log any more.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # it knows no shared row: one at a time
    # Whoever applies shares the newest row, so that nobody enters another epoch meanwhile. It may not be the newest
    # any more once it is had: hence it is read again.
    connection.execute(_newest.with_for_update(read=True))
    current = connection.scalar(_newest)
    for epoch in dict.fromkeys(given):
        if epoch == current or (current is not None and ordinal_of(epoch) < ordinal_of(current)):
            continue
        current = _enter(connection, epoch)
    return current or ""


def _enter(connection: sa.Connection, epoch: str) -> str | None:
    """Begin with an epoch, unless it was entered once before; the current one after that."""
    connection.execute(_newest.with_for_update())
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(epochs).values(epoch=epoch).on_conflict_do_nothing(index_elements=["epoch"])
    if connection.scalar(insert.returning(epochs.c.epoch)) is not None:
        connection.execute(sa.delete(cells))
        connection.execute(sa.delete(contacts))
    return connection.scalar(_newest)
