"""The append-only log: dense positions, one shared commit, nothing overwritten, behind eventsourcing's door.

Two ways in. `append` is ours: it assigns positions and versions under the write lock, stamps the
moment of recording and knows a source's event again by its `sid`. `insert_events` is the library's:
it stores the versions and bytes it is given (`ledger.recorder`). Both write one table, in which a
position is the Merkle leaf index + 1 and the stored bytes are the bytes hashed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol, Self

from ledger import codec
from ledger.database import Database, Location, chunks, dbapi_of, is_server, marks, open_database, uuid_bytes, uuid_text
from ledger.gaps import refuse_gaps, refuse_missing_versions
from ledger.log_schema import PRAGMAS, metadata
from ledger.log_writing import Appended, Clock, LogWriter, NewEntries, Prepared
from ledger.recorder import NO_STOP, Recorder, translated
from ledger.shared_commit import SharedCommit
from ledger.store_table import begin_store, put_epoch, read_store
from ledger.stores import NOTHING, Mark, Stored, StoreIdentity, mark_of

__all__ = ["Appended", "Clock", "Draft", "Known", "Log", "Row"]

Row = tuple[int, int, bytes]
"""(position, version, entry bytes)"""

_READ_CHUNK = 5_000
_NEWEST = "SELECT position FROM entry WHERE stream = ? AND position <= ? ORDER BY version DESC LIMIT 1"


class Closing(Protocol):
    """Something that works beside the log until it is closed."""

    def close(self) -> None:
        """End it. Idempotent."""
        ...


class Draft(NamedTuple):
    """An entry before it has a place: `entry` is `codec.encode` of an event without `recorded_at`."""

    stream: str
    topic: str
    entry: bytes
    sid: bytes | None = None


class Known(NamedTuple):
    """The entry that holds a sid."""

    position: int
    version: int
    entry: bytes


class Log(Recorder):
    """The log of one ledger. Many threads and several processes may append."""

    def __init__(
        self,
        database: Database,
        new_entries: NewEntries,
        clock: Clock,
        poll_seconds: float = 0.1,
        listening: Callable[[Callable[[], None]], Closing] | None = None,
    ) -> None:
        super().__init__(database, new_entries, poll_seconds)
        self._listening = listening
        self._listener: Closing | None = None
        self._writer = LogWriter(database, new_entries, clock)
        self._shared: SharedCommit[Prepared, Appended] = SharedCommit(self._writer.write, is_nobodys=database.is_busy)

    @classmethod
    def open(cls, location: Location, clock: Clock, poll_seconds: float = 0.1) -> Self:
        """The log at a location.

        Raises NoStoreError where there is none, DurabilityError, SetupError (PostgreSQL), OperationalError.
        """
        return cls._at(location, clock, poll_seconds, make=False)

    @classmethod
    def make(cls, location: Location, clock: Clock, poll_seconds: float = 0.1) -> Self:
        """The log at a location; a file is made when absent. Raises as `open` does."""
        return cls._at(location, clock, poll_seconds, make=True)

    @classmethod
    def _at(cls, location: Location, clock: Clock, poll_seconds: float, *, make: bool) -> Self:
        with translated(dbapi_of(location)):
            database = open_database(location, "log", metadata, PRAGMAS, make=make)
        return cls(database, _new_entries(database), clock, poll_seconds, _listening(location))

    def listen(self) -> None:
        """From the first wait on; see `ledger.listening`."""
        with self.arrived:
            if self._listener is None and self._listening is not None and not self.closed:
                self._listener = self._listening(self.announce)

    def close(self) -> None:
        """End subscriptions and close every connection. Idempotent."""
        with self.arrived:
            self.closed = True
            listener, self._listener = self._listener, None
        self.announce()
        if listener is not None:
            listener.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- our own door ---------------------------------------------------------------------------

    def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        """Append in one transaction; returns, in order, only when everything is durable.

        A sid the log or an earlier draft holds appends nothing: its place comes back, not `fresh`;
        whether the content is the same is for the caller to decide. Raises codec.EntryError for a
        draft that is stamped already or has no UUID for a stream, and OperationalError.
        """
        if not drafts:
            return []
        prepared = _prepare(drafts)
        with translated(self._database.dbapi):
            appended = self._shared.submit(prepared)
        self.announce()
        return appended

    def find(self, sids: Iterable[bytes]) -> dict[bytes, Known]:
        """The entries that hold these sids."""
        found: dict[bytes, Known] = {}
        with self._reading() as driver:
            for part in chunks(list(sids)):
                rows = driver.execute(
                    f"SELECT sid, position, version, state FROM entry WHERE sid IN ({marks(part)})",  # noqa: S608
                    part,
                )
                found.update((sid, Known(*rest)) for sid, *rest in rows)
        return found

    # --- documents ------------------------------------------------------------------------------

    def put_document(self, content: bytes) -> str:
        """Keep a document beside the log; returns its SHA-256 in hex. Kept once, however often put."""
        digest = hashlib.sha256(content)
        with translated(self._database.dbapi), self._database.writing() as driver:
            driver.execute(
                # Not ON CONFLICT: the guard against INSERT OR REPLACE would refuse it first.
                "INSERT INTO document SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM document WHERE sha256 = ?)",
                (digest.digest(), content, digest.digest()),
            )
        return digest.hexdigest()

    def document(self, sha256: str) -> bytes | None:
        """A document by the hex of its hash."""
        with self._reading() as driver:
            row = driver.execute("SELECT bytes FROM document WHERE sha256 = ?", (bytes.fromhex(sha256),)).fetchone()
        return None if row is None else bytes(row[0])

    def documents(self) -> Iterator[tuple[str, bytes]]:
        """Every document as (hash in hex, bytes), in the order of the hashes."""
        with self._reading() as driver:
            hashes = [row[0].hex() for row in driver.execute("SELECT sha256 FROM document ORDER BY sha256")]
        for sha256 in hashes:
            yield sha256, self.document(sha256) or b""

    # --- what it goes with ----------------------------------------------------------------------

    def stored(self) -> Stored | None:
        """What the log says of itself; `changes` is how often the vault was changed, as far as it knows."""
        with self._reading() as driver:
            return read_store(driver)

    def begin(self, identity: StoreIdentity, changes: int = 0) -> None:
        """Write down which ledger and epoch the log is of; what stands there already stays."""
        with translated(self._database.dbapi), self._database.writing() as driver:
            begin_store(driver, Stored(identity, changes))

    def renew(self, epoch: str) -> None:
        """Be of another epoch from now on."""
        with translated(self._database.dbapi), self._database.writing() as driver:
            put_epoch(driver, epoch)

    def know(self, changes: Callable[[], int]) -> None:
        """Let every append note how often the vault was changed by then."""
        self._writer.vault_changes = changes

    def mark(self) -> Mark:
        """The newest entry, by position and hash."""
        with self._reading() as driver:
            row = driver.execute("SELECT position, state FROM entry ORDER BY position DESC LIMIT 1").fetchone()
        return NOTHING if row is None else mark_of(row[0], bytes(row[1]))

    def entry_at(self, position: int) -> bytes | None:
        """The bytes of one entry; None: there is none at that position."""
        rows = self.read(position - 1, 1, position)
        return bytes(rows[0][2]) if rows else None

    def mark_at(self, position: int) -> Mark | None:
        """The entry at a position, by position and hash; None: there is none."""
        if position == 0:
            return NOTHING
        entry = self.entry_at(position)
        return None if entry is None else mark_of(position, entry)

    # --- reading --------------------------------------------------------------------------------

    def read(self, after: int, limit: int, stop: int | None = None) -> list[Row]:
        """Up to `limit` entries with after < position <= stop, as (position, version, bytes)."""
        with self._reading() as driver:
            return driver.execute(
                "SELECT position, version, state FROM entry WHERE position > ? AND position <= ? "
                "ORDER BY position LIMIT ?",
                (after, NO_STOP if stop is None else stop, limit),
            ).fetchall()

    def newest(self, stream: str, stop: int) -> int:
        """The position of a stream's newest entry up to `stop`; 0: it has none."""
        with self._reading() as driver:
            found = driver.execute(_NEWEST, (uuid_bytes(stream), stop)).fetchone()
        return 0 if found is None else int(found[0])

    def refuse_gaps(self, after: int = 0) -> None:
        """Raise LogDamagedError where a position after `after` is missing."""
        with self._reading() as driver:
            refuse_gaps(driver, after)

    def entries(self, after: int = 0, stop: int | None = None, streams: Iterable[str] | None = None) -> Iterator[Row]:
        """Entries in the order of their positions; of some streams alone, when they are named.

        Reads in chunks, so a slow reader holds no snapshot open. Without `stop` it ends at the head.
        """
        if streams is not None:
            yield from self._entries_of(list(streams), after, stop)
            return
        while rows := self.read(after, _READ_CHUNK, stop):
            yield from rows
            after = rows[-1][0]

    def _entries_of(self, streams: list[str], after: int, stop: int | None) -> list[Row]:
        rows: list[Row] = []
        with self._reading() as driver:
            for part in chunks([uuid_bytes(stream) for stream in streams]):
                rows += driver.execute(
                    f"SELECT position, version, state FROM entry WHERE stream IN ({marks(part)}) "  # noqa: S608
                    "AND position > ? AND position <= ?",
                    (*part, after, NO_STOP if stop is None else stop),
                )
        return sorted(rows)

    def streams(self) -> list[str]:
        """Every stream that has an entry."""
        with self._reading() as driver:
            return [uuid_text(raw) for (raw,) in driver.execute("SELECT DISTINCT stream FROM entry")]

    def stream(self, stream: str, upto_position: int | None = None) -> list[Row]:
        """One contact's entries in order, as (position, version, bytes). Raises LogDamagedError if one is missing."""
        with self._reading() as driver:
            rows = driver.execute(
                "SELECT position, version, state FROM entry WHERE stream = ? AND position <= ? ORDER BY version",
                (uuid_bytes(stream), NO_STOP if upto_position is None else upto_position),
            ).fetchall()
        if rows:
            refuse_missing_versions(rows[0][1], rows[-1][1], len(rows))
        return rows

    def missing(self, positions: Collection[int]) -> set[int]:
        """Those of these positions that hold no entry."""
        with self._reading() as driver:
            found = {
                position
                for part in chunks(list(positions))
                for (position,) in driver.execute(
                    f"SELECT position FROM entry WHERE position IN ({marks(part)})",  # noqa: S608 - marks only
                    part,
                )
            }
        return set(positions) - found


def _new_entries(database: Database) -> NewEntries:
    if database.dbapi.__name__ == "sqlite3":
        from ledger.log_sqlite import SqliteEntries

        return SqliteEntries()
    from ledger.log_postgres import PostgresEntries
    from ledger.postgres import PostgresDatabase

    assert isinstance(database, PostgresDatabase)  # noqa: S101 - there are two kinds
    return PostgresEntries(database)


def _listening(location: Location) -> Callable[[Callable[[], None]], Closing] | None:
    if not is_server(location):
        return None
    from ledger.listening import Listener

    return partial(Listener, str(location))


def _prepare(drafts: Sequence[Draft]) -> list[Prepared]:
    """Drafts with their streams as bytes, which is checked before the lock is taken."""
    prepared: list[Prepared] = []
    try:
        for stream, topic, state, sid in drafts:
            prepared.append((uuid_bytes(stream), topic, state, sid))
    except ValueError:
        raise codec.EntryError(f"{topic}: stream is not a UUID") from None
    return prepared
