"""One append transaction: positions and versions under the write lock, each sid once, one moment for all.

What a dialect decides (how the head is read, how rows are inserted) is a `NewEntries`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Protocol

from ledger import codec
from ledger.database import Database, Driver, chunks, marks
from ledger.store_table import put_changes

Clock = Callable[[], datetime]
Prepared = tuple[bytes, str, bytes, bytes | None]
"""(stream, topic, entry without `recorded_at`, sid)"""

_UNKNOWN = -1
_MOST_VERSIONS = 500_000


class Appended(NamedTuple):
    """Where an entry is. Not `fresh`: the sid was known, nothing was appended, `recorded_at` is not read."""

    position: int
    version: int
    recorded_at: str | None
    fresh: bool


class NewEntries(Protocol):
    """How one kind of database takes entries, inside a write transaction of its `Database`."""

    def head(self, driver: Driver, known: int) -> tuple[int, str | None]:
        """(last position, moment of the last recording); the moment is read only if the position is not `known`."""
        ...

    def last_versions(self, driver: Driver, streams: Collection[bytes]) -> dict[bytes, int]:
        """The last version of each of these streams; those without an entry are left out or 0."""
        ...

    def insert(
        self,
        driver: Driver,
        positions: Sequence[int],
        streams: Sequence[bytes],
        versions: Sequence[int],
        topics: Sequence[str],
        states: Iterable[bytes],
        sids: Sequence[bytes | None],
    ) -> None:
        """Insert rows, given by columns."""
        ...

    def append_one(self, draft: Prepared, clock: Clock) -> Appended | None:
        """Append one draft in a single round trip; None: this database has no such way.

        Raises the driver's IntegrityError when its sid is known.
        """
        ...


_new = tuple.__new__  # half the time of a NamedTuple's own


class LogWriter:
    """Appends drafts; remembers head and versions for as long as nobody else appends."""

    def __init__(self, database: Database, entries: NewEntries, clock: Clock) -> None:
        self._database = database
        self._entries = entries
        self._clock = clock
        self._versions: dict[bytes, int] = {}
        self._knows_all = True  # of an empty log; `_catch_up` says otherwise when it is none
        self._head = 0
        self._last_recorded = ""
        self.vault_changes: Callable[[], int] | None = None
        self._changes_noted = 0

    def write(self, drafts: Sequence[Prepared]) -> list[Appended]:
        """One transaction for the drafts of one or many callers.

        Sids are not looked up first: the table refuses a known one, which is rare and costs a second try.
        """
        sids = [draft[3] for draft in drafts if draft[3] is not None]
        if len(set(sids)) == len(sids):
            with suppress(self._database.dbapi.IntegrityError):
                place = self._entries.append_one(drafts[0], self._clock) if len(drafts) == 1 else None
                return self._try(drafts, []) if place is None else [place]
        return self._try(drafts, sids)

    def _try(self, drafts: Sequence[Prepared], sids: Sequence[bytes]) -> list[Appended]:
        """Append the drafts, save those with one of `sids` that the log or an earlier draft holds."""
        try:
            with self._database.writing() as driver:
                self._catch_up(driver)
                held = _find_places(driver, sids)
                fresh = _first_of_each(drafts, held) if sids else drafts
                clock = codec.instant(self._clock())
                recorded_at = max(clock, self._last_recorded)
                appended = self._insert(driver, fresh, recorded_at, clock)
                self._note_vault(driver)
        except BaseException:
            self._head, self._versions = _UNKNOWN, {}  # counted on for entries that are not there
            self._changes_noted = 0
            raise
        if appended:
            self._head, self._last_recorded = appended[-1].position, recorded_at
        return appended if fresh is drafts else _places(drafts, fresh, appended, held)

    def _note_vault(self, driver: Driver) -> None:
        """Note how often the vault was changed before these entries: an older one is then known beside this log."""
        changes = self.vault_changes() if self.vault_changes else 0
        if changes > self._changes_noted:
            put_changes(driver, changes)
            self._changes_noted = changes

    def _insert(self, driver: Driver, drafts: Sequence[Prepared], recorded_at: str, clock: str) -> list[Appended]:
        if not drafts:
            return []
        streams, topics, entries, sids = zip(*drafts, strict=True)
        positions = range(self._head + 1, self._head + 1 + len(drafts))
        versions = self._count_on(driver, streams)
        states = codec.stamp_all(entries, recorded_at, clock)
        self._entries.insert(driver, positions, streams, versions, topics, states, sids)
        return [
            _new(Appended, (position, version, recorded_at, True))
            for position, version in zip(positions, versions, strict=True)
        ]

    def _catch_up(self, driver: Driver) -> None:
        """Forget what another process or door made stale. Nothing is ever removed, so the head tells."""
        head, last_recorded = self._entries.head(driver, self._head)
        if head != self._head:
            self._versions, self._knows_all = {}, head == 0
            self._last_recorded = last_recorded or ""
            self._head = head

    def _count_on(self, driver: Driver, streams: Sequence[bytes]) -> list[int]:
        """The next version for each stream in turn; what is remembered holds while the head is ours."""
        if len(self._versions) > _MOST_VERSIONS:
            self._versions, self._knows_all = {}, False
        last = self._versions
        if not self._knows_all:
            unknown = set(streams).difference(last)
            if unknown:
                last.update(self._entries.last_versions(driver, unknown))
        versions: list[int] = []
        for stream in streams:
            last[stream] = version = last.get(stream, 0) + 1
            versions.append(version)
        return versions


def _first_of_each(drafts: Sequence[Prepared], held: Mapping[bytes, tuple[int, int]]) -> Sequence[Prepared]:
    """The drafts whose sid neither the log nor an earlier draft holds."""
    seen = set(held)
    fresh: list[Prepared] = []
    for draft in drafts:
        sid = draft[3]
        if sid is None:
            fresh.append(draft)
        elif sid not in seen:
            seen.add(sid)
            fresh.append(draft)
    return fresh


def _places(
    drafts: Sequence[Prepared],
    fresh: Sequence[Prepared],
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


def _find_places(driver: Driver, sids: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
    held: dict[bytes, tuple[int, int]] = {}
    for part in chunks(sids):
        rows = driver.execute(
            f"SELECT sid, position, version FROM entry WHERE sid IN ({marks(part)})",  # noqa: S608 - marks only
            part,
        )
        held.update((sid, (position, version)) for sid, position, version in rows)
    return held
