"""The table `store`, of one row and the same shape in every store: what it belongs to, and what it goes with."""

from __future__ import annotations

import sqlalchemy as sa

from ledger.database import Driver, Store
from ledger.stores import NOTHING, Mark, Stored, StoreIdentity

_READ = "SELECT ledger, epoch, key_check, changes, position, hash FROM store"
_BEGIN = (
    "INSERT INTO store (one, ledger, epoch, key_check, changes, position, hash) VALUES (1, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (one) DO NOTHING"
)


def add_store(metadata: sa.MetaData) -> sa.Table:
    """Add the table to a store's own."""
    return sa.Table(
        "store",
        metadata,
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False, comment="1: there is one row"),
        sa.Column("ledger", sa.Text, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("key_check", sa.LargeBinary(32), nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False, comment="of the vault; in the log: as last known"),
        sa.Column("position", sa.BigInteger, nullable=False, comment="of the newest entry of the log it knew"),
        sa.Column("hash", sa.LargeBinary(32), nullable=False, comment="of that entry"),
        sa.CheckConstraint("one = 1"),
    )


def read_store(driver: Driver) -> Stored | None:
    """What a store says of itself; None: nothing yet."""
    row = driver.execute(_READ).fetchone()
    if row is None:
        return None
    ledger, epoch, key_check, changes, position, entry_hash = row
    identity = StoreIdentity(ledger, epoch, bytes(key_check))
    return Stored(identity, int(changes), Mark(int(position), bytes(entry_hash)))


def begin_store(driver: Driver, stored: Stored) -> None:
    """Write down what a store belongs to, within a transaction; what stands there already stays."""
    (ledger, epoch, key_check), changes, (position, entry_hash) = stored
    driver.execute(_BEGIN, (ledger, epoch, key_check, changes, position, entry_hash))


def put_epoch(driver: Driver, epoch: str) -> None:
    """Write down another epoch, within a transaction."""
    driver.execute("UPDATE store SET epoch = ?", (epoch,))


def put_mark(driver: Driver, mark: Mark) -> None:
    """Note the newest entry of the log that a store knows, within a transaction; it never goes back."""
    driver.execute("UPDATE store SET position = ?, hash = ? WHERE position < ?", (*mark, mark.position))


def count_change(driver: Driver, mark: Mark) -> int:
    """Count a change of the vault and note the newest entry of the log, within its transaction; the new count."""
    rows = driver.execute(
        "UPDATE store SET changes = changes + 1, position = max(position, ?), "
        "hash = CASE WHEN position < ? THEN ? ELSE hash END RETURNING changes",
        (mark.position, mark.position, mark.hash),
    ).fetchall()  # to the end: SQLite commits nothing while a statement is open
    return int(rows[0][0]) if rows else 0


def put_changes(driver: Driver, changes: int) -> None:
    """Note in the log how often the vault was changed, within a transaction; it never goes back."""
    driver.execute("UPDATE store SET changes = ? WHERE changes < ?", (changes, changes))


class MarkedStore(Store):
    """A store that names the ledger and epoch it is of, and the newest entry of the log that it knows."""

    def stored(self) -> Stored | None:
        """What it says of itself; None: nothing yet."""
        with self._database.reading() as driver:
            return read_store(driver)

    def begin(self, identity: StoreIdentity, mark: Mark = NOTHING) -> None:
        """Write down which ledger and epoch it is of; what stands there already stays."""
        with self._database.writing() as driver:
            begin_store(driver, Stored(identity, mark=mark))

    def renew(self, epoch: str) -> None:
        """Be of another epoch from now on."""
        with self._database.writing() as driver:
            put_epoch(driver, epoch)

    def note(self, mark: Mark) -> None:
        """Note the newest entry of the log; it never goes back."""
        with self._database.writing() as driver:
            put_mark(driver, mark)
