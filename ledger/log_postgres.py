"""How PostgreSQL takes entries: many by binary COPY, one by a function of the database in a single trip."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from struct import Struct
from typing import cast

from ledger import codec
from ledger.damage import DamagedError
from ledger.database import Driver
from ledger.log_writing import Appended, Clock, Prepared
from ledger.postgres import ARRIVED, PostgresDatabase, PostgresDriver

_NO_HEAD = "the row that says how far it has come is gone"
_APPEND_ONE = b"SELECT * FROM append_one(%b, %t, %b, %b, %b, %t)"
_HEAD = b"SELECT position, recorded_at FROM head"
_LAST_VERSIONS = b"SELECT stream, max(version) FROM entry WHERE stream = ANY(%b) GROUP BY stream"
_COPY = b"COPY entry (position, stream, version, sid, topic, state) FROM STDIN (FORMAT BINARY)"
_NOTIFY = f"NOTIFY {ARRIVED}".encode()

# PGCOPY: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". Each row is the number of
# its fields, then each field behind its length; -1 stands for NULL.
_FILE_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_FILE_END = b"\xff\xff"
_BLOCK = 1_000
"""Parts, four a row: some 100 KB, which psycopg hands on in one piece."""
_with_sid = Struct(">hiqi16siii16si").pack
_without_sid = Struct(">hiqi16siiii").pack
_length = Struct(">i").pack


class PostgresEntries:
    """See `log_writing.NewEntries`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def head(self, driver: Driver, known: int) -> tuple[int, str | None]:  # noqa: ARG002 - as the protocol has it
        """Both stand in the head row, which this transaction has locked."""
        row = _psycopg(driver).connection.execute(_HEAD, binary=True).fetchone()
        if row is None:  # made with the table, and never deleted by this program
            raise DamagedError("the log", _NO_HEAD)
        return row[0], row[1]

    def last_versions(self, driver: Driver, streams: Collection[bytes]) -> dict[bytes, int]:
        """All in one trip."""
        return dict(_psycopg(driver).connection.execute(_LAST_VERSIONS, (list(streams),), binary=True).fetchall())

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
        """One COPY; the head moves with it, by a trigger that refuses positions with a gap."""
        connection = _psycopg(driver).connection
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for block in copied(positions, streams, versions, topics, states, sids):
                copy.write(block)
        connection.execute(_NOTIFY)

    def append_one(self, draft: Prepared, clock: Clock) -> Appended | None:
        """Lock, count and insert: in the database, by one statement that is one transaction."""
        stream, topic, entry, sid = draft
        front, back = codec.halves(entry)
        with self._database.calling() as driver:
            row = driver.connection.execute(
                _APPEND_ONE, (stream, topic, front, back, sid, codec.instant(clock())), prepare=True, binary=True
            ).fetchone()
        if row is None:
            raise DamagedError("the log", _NO_HEAD)
        return Appended(row[0], row[1], row[2], fresh=True)


def copied(
    positions: Sequence[int],
    streams: Sequence[bytes],
    versions: Sequence[int],
    topics: Sequence[str],
    states: Iterable[bytes],
    sids: Sequence[bytes | None],
) -> Iterator[bytes]:
    """The rows in the form of a binary COPY, in blocks: the server takes one in while the next is made."""
    named = {topic: topic.encode() for topic in set(topics)}
    parts = [_FILE_HEAD]
    put = parts.append
    for position, stream, version, topic, state, sid in zip(
        positions, streams, versions, topics, states, sids, strict=True
    ):
        name = named[topic]
        if sid is None:
            put(_without_sid(6, 8, position, 16, stream, 4, version, -1, len(name)))
        else:
            put(_with_sid(6, 8, position, 16, stream, 4, version, 16, sid, len(name)))
        put(name)
        put(_length(len(state)))
        put(state)
        if len(parts) > _BLOCK:
            yield b"".join(parts)
            parts.clear()
    put(_FILE_END)
    yield b"".join(parts)


def _psycopg(driver: Driver) -> PostgresDriver:
    return cast("PostgresDriver", driver)
