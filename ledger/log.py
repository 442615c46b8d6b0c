"""The append-only log: dense positions, one shared commit, nothing overwritten, behind eventsourcing's door.

Two ways in. `append` is ours: it assigns positions and versions under the write lock, stamps the
moment of recording and knows a source's event again by its `sid`. `insert_events` is the library's:
it stores the versions and bytes it is given (`ledger.recorder`). Both write one table, in which a
position is the Merkle leaf index + 1 and the stored bytes are the bytes hashed.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self

from ledger import codec
from ledger.database import Database, SharedCommit, chunks, uuid_bytes, uuid_text
from ledger.log_schema import INSERT, PRAGMAS, metadata
from ledger.recorder import HEAD, NO_STOP, Recorder, marks, translated

Clock = Callable[[], datetime]
Row = tuple[int, int, bytes]
"""(position, version, entry bytes)"""

_LAST_VERSION = "SELECT coalesce(max(version), 0) FROM entry WHERE stream = ?"
_UNKNOWN = -1
_READ_CHUNK = 5_000
_MOST_VERSIONS = 500_000


class Draft(NamedTuple):
    """An entry before it has a place: `entry` is `codec.encode` of an event without `recorded_at`."""

    stream: str
    topic: str
    entry: bytes
    sid: bytes | None = None


class Appended(NamedTuple):
    """Where an entry is. Not `fresh`: the sid was known, nothing was appended, `recorded_at` is not read."""

    position: int
    version: int
    recorded_at: str | None
    fresh: bool


class Known(NamedTuple):
    """The entry that holds a sid."""

    position: int
    version: int
    entry: bytes


_new = tuple.__new__  # half the time of a NamedTuple's own
_Prepared = tuple[bytes, str, bytes, bytes | None]


class Log(Recorder):
    """The log of one ledger in one SQLite file. Many threads and several processes may append."""

    def __init__(self, database: Database, clock: Clock, poll_seconds: float = 0.1) -> None:
        super().__init__(database, poll_seconds)
        self._clock = clock
        self._shared: SharedCommit[_Prepared, Appended] = SharedCommit(self._write)
        self._versions: dict[bytes, int] = {}
        self._knows_all = True  # of an empty log; `_catch_up` says otherwise when it is none
        self._head = 0
        self._last_recorded = ""

    @classmethod
    def open(cls, path: str | Path, clock: Clock, poll_seconds: float = 0.1) -> Self:
        """The log at a path (or `sqlite:///` URL), created when absent. DurabilityError, OperationalError."""
        with translated():
            database = Database(Path(str(path).removeprefix("sqlite:///")), metadata, PRAGMAS)
        return cls(database, clock, poll_seconds)

    def close(self) -> None:
        """End subscriptions and close every connection. Idempotent."""
        self.closed = True
        self.announce()
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
        with translated():
            appended = self._shared.submit(prepared)
        self.announce()
        return appended

    def _write(self, drafts: Sequence[_Prepared]) -> list[Appended]:
        """One transaction for the drafts of one or many callers.

        Sids are not looked up first: the table refuses a known one, which is rare and costs a second try.
        """
        sids = [draft[3] for draft in drafts if draft[3] is not None]
        if len(set(sids)) == len(sids):
            with suppress(sqlite3.IntegrityError):
                return self._try(drafts, [])
        return self._try(drafts, sids)

    def _try(self, drafts: Sequence[_Prepared], sids: Sequence[bytes]) -> list[Appended]:
        """Append the drafts, save those with one of `sids` that the log or an earlier draft holds."""
        try:
            with self._database.writing() as driver:
                self._catch_up(driver)
                held = _find_places(driver, sids)
                fresh = _first_of_each(drafts, held) if sids else drafts
                recorded_at = max(codec.instant(self._clock()), self._last_recorded)
                appended = self._insert(driver, fresh, recorded_at)
        except BaseException:
            self._head, self._versions = _UNKNOWN, {}  # counted on for entries that are not there
            raise
        if appended:
            self._head, self._last_recorded = appended[-1].position, recorded_at
        return appended if fresh is drafts else _places(drafts, fresh, appended, held)

    def _insert(self, driver: sqlite3.Connection, drafts: Sequence[_Prepared], recorded_at: str) -> list[Appended]:
        if not drafts:
            return []
        streams, topics, entries, sids = zip(*drafts, strict=True)
        positions = range(self._head + 1, self._head + 1 + len(drafts))
        versions = self._count_on(driver, streams)
        states = codec.stamp_all(entries, recorded_at)
        # By columns: zip hands one tuple over again and again, where rows would be made and thrown away.
        driver.executemany(INSERT, zip(positions, streams, versions, topics, states, sids, strict=True))
        return [
            _new(Appended, (position, version, recorded_at, True))
            for position, version in zip(positions, versions, strict=True)
        ]

    def _catch_up(self, driver: sqlite3.Connection) -> None:
        """Forget what another process or door made stale. Nothing is ever removed, so the head tells."""
        (head,) = driver.execute(HEAD).fetchone()
        if head != self._head:
            self._versions, self._knows_all = {}, head == 0
            self._last_recorded = _last_recorded(driver)
            self._head = head

    def _count_on(self, driver: sqlite3.Connection, streams: Sequence[bytes]) -> list[int]:
        """The next version for each stream in turn; what is remembered holds while the head is ours."""
        if len(self._versions) > _MOST_VERSIONS:
            self._versions, self._knows_all = {}, False
        last, knows_all = self._versions, self._knows_all
        versions: list[int] = []
        for stream in streams:
            version = last.get(stream)
            if version is None and knows_all:
                version = 0
            elif version is None:
                # max() of one stream is one seek, and one statement an embedded database answers in 2 us.
                (version,) = driver.execute(_LAST_VERSION, (stream,)).fetchone()
            last[stream] = version = version + 1
            versions.append(version)
        return versions

    def find(self, sids: Iterable[bytes]) -> dict[bytes, Known]:
        """The entries that hold these sids."""
        found: dict[bytes, Known] = {}
        with translated(), self._database.reading() as driver:
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
        with translated(), self._database.writing() as driver:
            driver.execute(
                "INSERT INTO document SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM document WHERE sha256 = ?1)",
                (digest.digest(), content),
            )
        return digest.hexdigest()

    def document(self, sha256: str) -> bytes | None:
        """A document by the hex of its hash."""
        with translated(), self._database.reading() as driver:
            row = driver.execute("SELECT bytes FROM document WHERE sha256 = ?", (bytes.fromhex(sha256),)).fetchone()
        return None if row is None else bytes(row[0])

    def documents(self) -> Iterator[tuple[str, bytes]]:
        """Every document as (hash in hex, bytes), in the order of the hashes."""
        with translated(), self._database.reading() as driver:
            hashes = [row[0].hex() for row in driver.execute("SELECT sha256 FROM document ORDER BY sha256")]
        for sha256 in hashes:
            yield sha256, self.document(sha256) or b""

    # --- reading --------------------------------------------------------------------------------

    def read(self, after: int, limit: int, stop: int | None = None) -> list[Row]:
        """Up to `limit` entries with after < position <= stop, as (position, version, bytes)."""
        with translated(), self._database.reading() as driver:
            return driver.execute(
                "SELECT position, version, state FROM entry WHERE position > ? AND position <= ? "
                "ORDER BY position LIMIT ?",
                (after, NO_STOP if stop is None else stop, limit),
            ).fetchall()

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
        with translated(), self._database.reading() as driver:
            for part in chunks([uuid_bytes(stream) for stream in streams]):
                rows += driver.execute(
                    f"SELECT position, version, state FROM entry WHERE stream IN ({marks(part)}) "  # noqa: S608
                    "AND position > ? AND position <= ?",
                    (*part, after, NO_STOP if stop is None else stop),
                )
        return sorted(rows)

    def streams(self) -> list[str]:
        """Every stream that has an entry."""
        with translated(), self._database.reading() as driver:
            return [uuid_text(raw) for (raw,) in driver.execute("SELECT DISTINCT stream FROM entry")]

    def stream(self, stream: str, upto_position: int | None = None) -> list[Row]:
        """One contact's entries in order, as (position, version, bytes)."""
        with translated(), self._database.reading() as driver:
            return driver.execute(
                "SELECT position, version, state FROM entry WHERE stream = ? AND position <= ? ORDER BY version",
                (uuid_bytes(stream), NO_STOP if upto_position is None else upto_position),
            ).fetchall()


def _prepare(drafts: Sequence[Draft]) -> list[_Prepared]:
    """Drafts with their streams as bytes, which is checked before the lock is taken."""
    prepared: list[_Prepared] = []
    try:
        for stream, topic, state, sid in drafts:
            prepared.append((uuid_bytes(stream), topic, state, sid))
    except ValueError:
        raise codec.EntryError(f"{topic}: stream is not a UUID") from None
    return prepared


def _first_of_each(drafts: Sequence[_Prepared], held: Mapping[bytes, tuple[int, int]]) -> Sequence[_Prepared]:
    """The drafts whose sid neither the log nor an earlier draft holds."""
    seen = set(held)
    fresh: list[_Prepared] = []
    for draft in drafts:
        sid = draft[3]
        if sid is None:
            fresh.append(draft)
        elif sid not in seen:
            seen.add(sid)
            fresh.append(draft)
    return fresh


def _places(
    drafts: Sequence[_Prepared],
    fresh: Sequence[_Prepared],
    appended: Sequence[Appended],
    held: dict[bytes, tuple[int, int]],
) -> list[Appended]:
    """Every draft's place: the new one of a fresh draft, else that of the entry holding its sid."""
    new = {id(draft): place for draft, place in zip(fresh, appended, strict=True)}
    placed: list[Appended] = []
    for draft in drafts:
        sid = draft[3]
        place = new.get(id(draft))
        if place is None and sid is not None:
            place = Appended(*held[sid], None, False)
        elif place is not None and sid is not None:
            held[sid] = place.position, place.version
        if place is not None:
            placed.append(place)
    return placed


def _find_places(driver: sqlite3.Connection, sids: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
    held: dict[bytes, tuple[int, int]] = {}
    for part in chunks(sids):
        rows = driver.execute(
            f"SELECT sid, position, version FROM entry WHERE sid IN ({marks(part)})",  # noqa: S608 - marks only
            part,
        )
        held.update((sid, (position, version)) for sid, position, version in rows)
    return held


def _last_recorded(driver: sqlite3.Connection) -> str:
    """The newest moment of recording; entries by the library's door may hold none and are passed over."""
    for (state,) in driver.execute("SELECT state FROM entry ORDER BY position DESC"):
        if moment := codec.recorded_at(state):
            return moment
    return ""
