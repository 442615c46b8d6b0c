"""What senders of webhooks delivered: durable before they are answered, done once, let go soon after.

A delivery is known by the keyed hash of its receiver and key, whatever is sent again, and by whichever of several
services it is taken. It waits sealed. Once it is done its body is gone, and the hash stays for as long as a sender
may repeat it; one of which nothing can be made stays sealed, until somebody looks.
Statements hold on SQLite and on PostgreSQL alike. Moments are passed in, as texts whose order is that of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Self

import msgspec

from adapters.inbox_schema import ANEW, PART, PRAGMAS, metadata
from adapters.receiving import Delivery
from adapters.wiring import House
from ledger.application import Ledger
from ledger.codec import instant
from ledger.database import Database, Store, chunks, marks
from ledger.shared_commit import SharedCommit
from ledger.store_table import put_mark

KEY_DAYS, DEAD_DAYS = 30, 90
_INSERT = (
    "INSERT INTO delivery (mark, receiver, occurred_at, arrived_at, state, due_at, attempts, sealed) "
    "VALUES (?, ?, ?, ?, 'waiting', ?, 0, ?)"
)
_TAKE = "UPDATE delivery SET holder = ?, due_at = ?, attempts = attempts + 1 WHERE id = ?"
_MINE = "WHERE id = ? AND holder = ? AND state = 'waiting'"
_DONE = f"UPDATE delivery SET state = 'done', ended_at = ?, holder = NULL, sealed = NULL {_MINE}"  # noqa: S608
_DEAD = f"UPDATE delivery SET state = 'dead', ended_at = ?, holder = NULL, problem = ? {_MINE}"  # noqa: S608
_LATER = f"UPDATE delivery SET due_at = ?, holder = NULL {_MINE}"  # noqa: S608
_RETRY = (
    "UPDATE delivery SET state = 'waiting', due_at = ?, attempts = 0, ended_at = NULL, problem = NULL "
    "WHERE id = ? AND state = 'dead'"
)
_DROP = "UPDATE delivery SET state = 'done', ended_at = ?, problem = ?, sealed = NULL WHERE id = ? AND state <> 'done'"
_ROW = "SELECT id, receiver, state, occurred_at, arrived_at, ended_at, attempts, problem FROM delivery"

_Kept = tuple[bytes, str, str, str, str, bytes]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, bytes]).decode


class Taken(NamedTuple):
    """A delivery that its holder is to do. `delivery` None: it cannot be opened."""

    id: int
    receiver: str
    attempts: int
    delivery: Delivery | None


class End(NamedTuple):
    """How it ended. `problem`: why it is dead; `due`: when it is to be tried again."""

    id: int
    how: Literal["done", "dead", "later"]
    problem: str | None = None
    due: datetime | None = None


class Row(NamedTuple):
    """A delivery as it is shown: nothing of what is in it."""

    id: int
    receiver: str
    state: str
    occurred_at: str
    arrived_at: str
    ended_at: str | None
    attempts: int
    problem: str | None


class Inbox(Store):
    """The deliveries of one ledger. Thread-safe; several processes may hold it open."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database, self._ledger = database, ledger
        self._commit: SharedCommit[_Kept, bool] = SharedCommit(self._insert)

    @classmethod
    def open(cls, house: House) -> Self:
        """The inbox beside a ledger, in a file or schema of its own, made when absent."""
        return cls(house.beside(PART, metadata, PRAGMAS, ANEW), house.ledger)

    # --- in ---------------------------------------------------------------------------------------

    def keep(self, receiver: str, deliveries: Sequence[Delivery], now: datetime) -> list[bool]:
        """Whether each is new, once all of them are durable."""
        if not deliveries:
            return []
        at, rows = instant(now), []
        for one in deliveries:
            mark = self._ledger.sid(f"webhook:{receiver}", one.key)
            sealed = self._ledger.seal(_encode((one.key, one.body)), b"webhook:" + mark)
            rows.append((mark, receiver, instant(one.occurred_at) if one.occurred_at else at, at, at, sealed))
        return self._commit.submit(rows)

    def _insert(self, rows: Sequence[_Kept]) -> list[bool]:
        new: list[bool] = []
        with self._database.writing() as driver:
            held: set[bytes] = set()
            for part in chunks([row[0] for row in rows]):
                found = driver.execute(f"SELECT mark FROM delivery WHERE mark IN ({marks(part)})", part)  # noqa: S608
                held.update(bytes(mark) for (mark,) in found)
            for row in rows:
                new.append(row[0] not in held)
                held.add(row[0])
            driver.executemany(_INSERT, [row for row, fresh in zip(rows, new, strict=True) if fresh])
        return new

    # --- out --------------------------------------------------------------------------------------

    def take(self, receivers: Sequence[str], holder: str, now: datetime, seconds: float, most: int) -> list[Taken]:
        """The oldest that wait, by when they happened; nobody else takes them for so many seconds."""
        until = instant(now + timedelta(seconds=seconds))
        with self._database.writing() as driver:
            rows = driver.execute(
                "SELECT id, mark, receiver, occurred_at, attempts, sealed FROM delivery "  # noqa: S608 - marks only
                f"WHERE state = 'waiting' AND due_at <= ? AND receiver IN ({marks(receivers)}) "
                "ORDER BY occurred_at, id LIMIT ?",
                (instant(now), *receivers, most),
            ).fetchall()
            driver.executemany(_TAKE, [(holder, until, row[0]) for row in rows])
        return [
            Taken(place, receiver, attempts + 1, self._opened(mark, sealed, occurred_at))
            for place, mark, receiver, occurred_at, attempts, sealed in rows
        ]

    def _opened(self, mark: bytes, sealed: bytes, occurred_at: str) -> Delivery | None:
        plain = self._ledger.unseal(sealed, b"webhook:" + mark)
        return Delivery(*_split(plain, occurred_at)) if isinstance(plain, bytes) else None

    def end(self, ends: Sequence[End], holder: str, now: datetime) -> None:
        """Say how they ended. What another has taken meanwhile is left to it."""
        at, newest = instant(now), self._ledger.log.mark()
        with self._database.writing() as driver:
            put_mark(driver, newest)
            driver.executemany(_DONE, [(at, one.id, holder) for one in ends if one.how == "done"])
            driver.executemany(_DEAD, [(at, one.problem, one.id, holder) for one in ends if one.how == "dead"])
            later = [(instant(one.due or now), one.id, holder) for one in ends if one.how == "later"]
            driver.executemany(_LATER, later)

    def give_back(self, holder: str, now: datetime) -> None:
        """Let others take what this holder has taken and did not end."""
        with self._database.writing() as driver:
            driver.execute(
                "UPDATE delivery SET holder = NULL, due_at = ? WHERE state = 'waiting' AND holder = ?",
                (instant(now), holder),
            )

    def forget(self, now: datetime) -> int:
        """Let go what is over: the hashes of what was done, and dead letters nobody asked for; how many of these."""
        done, dead = (instant(now - timedelta(days=days)) for days in (KEY_DAYS, DEAD_DAYS))
        with self._database.writing() as driver:
            driver.execute("DELETE FROM delivery WHERE state = 'done' AND ended_at < ?", (done,))
            lost = driver.execute("DELETE FROM delivery WHERE state = 'dead' AND ended_at < ?", (dead,)).rowcount
        self._database.forget()
        return lost

    # --- what is in it ----------------------------------------------------------------------------

    def counts(self) -> tuple[int, int]:
        """How many wait, and how many are dead."""
        with self._database.reading() as driver:
            (waiting,) = driver.execute("SELECT count(*) FROM delivery WHERE state = 'waiting'").fetchone()
            (dead,) = driver.execute("SELECT count(*) FROM delivery WHERE state = 'dead'").fetchone()
        return int(waiting), int(dead)

    def rows(self, states: Sequence[str], most: int = 1_000) -> list[Row]:
        """Deliveries in these states, the oldest first."""
        with self._database.reading() as driver:
            found = driver.execute(
                f"{_ROW} WHERE state IN ({marks(states)}) ORDER BY occurred_at, id LIMIT ?", (*states, most)
            )
            return [Row(*row) for row in found]

    def row(self, place: int) -> Row | None:
        """One delivery."""
        with self._database.reading() as driver:
            found = driver.execute(f"{_ROW} WHERE id = ?", (place,)).fetchone()
        return Row(*found) if found else None

    def body(self, place: int) -> bytes | None:
        """What was sent, to the byte; None: it is gone, or sealed by another ledger."""
        with self._database.reading() as driver:
            found = driver.execute("SELECT mark, sealed, occurred_at FROM delivery WHERE id = ?", (place,)).fetchone()
        if found is None or found[1] is None:
            return None
        delivery = self._opened(*found)
        return delivery.body if delivery else None

    def retry(self, place: int, now: datetime) -> bool:
        """Let a dead one wait again; False: there is none of that number."""
        with self._database.writing() as driver:
            return driver.execute(_RETRY, (instant(now), place)).rowcount == 1

    def drop(self, place: int, reason: str, now: datetime) -> bool:
        """Give one up that is not done: its body goes, the reason stays with its hash."""
        with self._database.writing() as driver:
            return driver.execute(_DROP, (instant(now), reason, place)).rowcount == 1


def _split(plain: bytes, occurred_at: str) -> tuple[str, datetime, bytes]:
    key, body = _decode(plain)
    return key, datetime.fromisoformat(occurred_at), body
