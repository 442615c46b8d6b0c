"""What is still to be told to the outside: a row a contact, written in the transaction that changes its answers.

A row says that a contact's answers must be sent, and why; the answers are read when they are sent, so that
what is sent is never older than the last change. A row is taken away by the number it was read with: a
change in between has given it another. A ledger without streams has no rows here: `switch_on` begins it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from ledger.codec import instant
from ledger.database import Driver, chunks, marks, uuid_bytes, uuid_text
from projections.contact_status import Cause
from projections.status import Answers, Row, answers

STOP, NEWS, AGAIN_STOPPED, AGAIN = range(4)
"""Ranks: an event took something away; another event, or a day that came; of those told again because of the
rules or a rebuild, who loses something or may get nothing; the rest. The last two go at a set rate, when no other
waits."""

_NAME = "outbox"
_BLOCK = 40
"""Each generation of the views numbers from another multiple of 2**40: no number ever means two things."""
_NEWEST = 1 << (_BLOCK - 1)
"""Of those told again the newest revision has the lowest number: positions are counted down from here."""
_PAGE = 5_000

_PUT = (
    "INSERT INTO outbox (contact, seq, rank, cause, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (contact) DO UPDATE SET "
    "seq = excluded.seq, cause = excluded.cause, at = coalesce(excluded.at, outbox.at), "
    "rank = CASE WHEN outbox.rank < excluded.rank THEN outbox.rank ELSE excluded.rank END"
)
_PUT_DUE = "INSERT INTO due (contact, at) VALUES (?, ?) ON CONFLICT (contact) DO UPDATE SET at = excluded.at"


class Queued(NamedTuple):
    """A contact to tell of. `at`: as of this moment at least; None: of any."""

    contact: str
    seq: int
    rank: int
    cause: Cause
    at: datetime | None


# --- numbers: the mark that the outbox is in use ----------------------------------------------------


def last_number(driver: Driver) -> int | None:
    """The number given last; None: the outbox is not in use."""
    row = driver.execute("SELECT last FROM numbered WHERE name = ?", (_NAME,)).fetchone()
    return None if row is None else int(row[0])


def begin(driver: Driver, after: int) -> None:
    """Put the outbox in use. `after`: the number given last by the generation before; 0: there was none."""
    first = ((after >> _BLOCK) + 1) << _BLOCK
    driver.execute("INSERT INTO numbered (name, last) VALUES (?, ?)", (_NAME, first + _NEWEST))


def _numbers(driver: Driver, count: int) -> range:
    """So many numbers nobody was given. Who writes here waits at this row, in one order for all.

    Empty when the outbox is not in use.
    """
    driver.execute("UPDATE numbered SET last = last + ? WHERE name = ?", (count, _NAME))
    last = last_number(driver)
    return range(0) if last is None else range(last - count + 1, last + 1)


# --- putting in -------------------------------------------------------------------------------------


def queue(driver: Driver, rows: Sequence[Row], news: Collection[str]) -> None:
    """Say that these rows take the place of those held; called before they do.

    `news`: contacts that an event is about; the others are told again because of the rules.
    """
    if last_number(driver) is None:
        return
    told = _by_contact(rows)
    numbers = _numbers(driver, len(told))
    heard = {uuid_bytes(one) for one in news}
    before = _held(driver, list(told))
    put: list[tuple[object, ...]] = []
    for (contact, new), seq in zip(told.items(), numbers, strict=True):
        stops = _takes_away(before.get(contact, ()), new)
        if contact in heard:
            put.append((contact, seq, STOP if stops else NEWS, "event", None))
        else:
            stops = stops or not any(one.allowed_at(one.since) for one in new)
            put.append((contact, seq, AGAIN_STOPPED if stops else AGAIN, "policy", None))
    driver.executemany(_PUT, put)
    _put_due(driver, {contact: _next(new, new[0].since) for contact, new in told.items()})


def _takes_away(old: Iterable[Answers], new: Iterable[Answers]) -> bool:
    """Whether something that was allowed is not, from the moment on at which the new answers begin."""
    now = {one.cell: one.allowed_at(one.since) for one in new}
    begins = max((one.since for one in new), default=None)
    return begins is not None and any(one.allowed_at(begins) and not now.get(one.cell) for one in old)


def switch_on(driver: Driver, moment: datetime) -> bool:
    """Put the outbox in use, with everybody in it once; False: it was. A rebuild keeps it in use."""
    if last_number(driver) is not None:
        return False
    begin(driver, 0)
    queue_all(driver, moment)
    return True


def queue_all(driver: Driver, moment: datetime, news: Collection[str] = ()) -> None:
    """Everybody once: who may get nothing at this moment first, the newest revision first.

    `news`: contacts about whom there are events that nobody was told of yet.
    """
    (last,) = _numbers(driver, 1)
    first = last >> _BLOCK << _BLOCK
    heard = {uuid_bytes(one) for one in news}
    for people in _everybody(driver):
        put: list[tuple[object, ...]] = []
        for contact, held in people.items():
            allowed = [one.allowed_at(moment) for one in held]
            if contact in heard:
                rank, cause = (NEWS if all(allowed) else STOP), "event"
            else:
                rank, cause = (AGAIN if any(allowed) else AGAIN_STOPPED), "policy"
            put.append((contact, first + _NEWEST - held[0].revision, rank, cause, None))
        driver.executemany(_PUT, put)
        _put_due(driver, {contact: _next(held, moment) for contact, held in people.items()})


def carry(old: Driver, new: Driver) -> None:
    """What still waits in one generation waits in the one that takes its place, and not behind what is told again."""
    waiting = old.execute(
        "SELECT contact, rank, cause, at FROM outbox WHERE rank < ? ORDER BY rank, seq", (AGAIN_STOPPED,)
    ).fetchall()
    numbers = _numbers(new, len(waiting))
    new.executemany(_PUT, [(contact, seq, *rest) for (contact, *rest), seq in zip(waiting, numbers, strict=True)])


# --- days that come ---------------------------------------------------------------------------------


def look(driver: Driver, now: datetime, limit: int = 1_000) -> int:
    """Queue contacts one of whose answers has changed by itself by now, the longest due first; how many."""
    found = [contact for (contact,) in driver.execute(f"{_DUE} ORDER BY at LIMIT ?", (instant(now), limit))]
    numbers = _numbers(driver, len(found))
    if not numbers:
        return 0
    held = _held(driver, found)
    put = [(contact, seq, NEWS, "time", instant(now)) for contact, seq in zip(found, numbers, strict=True)]
    driver.executemany(_PUT, put)
    _put_due(driver, {contact: _next(held.get(contact, ()), now) for contact in found})
    return len(found)


def is_due(driver: Driver, now: datetime) -> bool:
    """Whether `look` would find somebody; costs one look into an index."""
    return driver.execute(f"{_DUE} LIMIT 1", (instant(now),)).fetchone() is not None


_DUE = "SELECT contact FROM due WHERE at <= ?"


def _next(held: Iterable[Answers], after: datetime) -> str | None:
    """When one of these answers next changes by itself."""
    moments = [moment for one in held for moment in one.boundaries if moment > after]
    return instant(min(moments)) if moments else None


def _put_due(driver: Driver, due: dict[bytes, str | None]) -> None:
    for part in chunks([contact for contact, at in due.items() if at is None]):
        driver.execute(f"DELETE FROM due WHERE contact IN ({marks(part)})", part)  # noqa: S608 - marks only
    driver.executemany(_PUT_DUE, [(contact, at) for contact, at in due.items() if at is not None])


# --- taking out -------------------------------------------------------------------------------------


def take(driver: Driver, limit: int, lowest: int = AGAIN) -> list[Queued]:
    """The next to be told, of ranks down to `lowest`. They stay until they are `done`."""
    rows = driver.execute(
        "SELECT contact, seq, rank, cause, at FROM outbox WHERE rank <= ? ORDER BY rank, seq LIMIT ?", (lowest, limit)
    )
    return [
        Queued(uuid_text(contact), seq, rank, cause, datetime.fromisoformat(at) if at else None)
        for contact, seq, rank, cause, at in rows
    ]


def done(driver: Driver, sent: Iterable[Queued]) -> None:
    """These were delivered: gone, unless something has changed since they were taken."""
    _numbers(driver, 0)
    taken = [(uuid_bytes(one.contact), one.seq) for one in sent]
    driver.executemany("DELETE FROM outbox WHERE contact = ? AND seq = ?", taken)


def again(driver: Driver, contacts: Sequence[str]) -> None:
    """Queue contacts once more, as news: what was sent of them may have come after something newer."""
    numbers = _numbers(driver, len(contacts))
    put = [(uuid_bytes(contact), seq, NEWS, "event", None) for contact, seq in zip(contacts, numbers, strict=False)]
    driver.executemany(_PUT, put)


def waiting(driver: Driver) -> dict[int, int]:
    """How many wait, by rank."""
    return dict(driver.execute("SELECT rank, count(*) FROM outbox GROUP BY rank").fetchall())


# --- reading rows -----------------------------------------------------------------------------------

_ROWS = "SELECT contact, purpose, channel, address, segments, next_change, revision FROM status"


def _held(driver: Driver, contacts: Sequence[bytes]) -> dict[bytes, tuple[Answers, ...]]:
    """The answers held of these contacts."""
    found: dict[bytes, tuple[Answers, ...]] = {}
    for part in chunks(contacts):
        rows = driver.execute(f"{_ROWS} WHERE contact IN ({marks(part)}) ORDER BY contact", part).fetchall()
        found.update(_by_contact(rows))
    return found


def _everybody(driver: Driver, size: int = _PAGE) -> Iterator[dict[bytes, tuple[Answers, ...]]]:
    """All answers, some thousand at a time. A page that ends within a contact leaves it to the next."""
    after = b""
    while rows := driver.execute(f"{_ROWS} WHERE contact > ? ORDER BY contact LIMIT ?", (after, size)).fetchall():
        people = _by_contact(rows)
        if len(rows) == size:
            if len(people) == 1:
                size *= 2
                continue
            people.popitem()
        after = next(reversed(people))
        yield people


def _by_contact(rows: Iterable[Row]) -> dict[bytes, tuple[Answers, ...]]:
    return {contact: tuple(answers(row) for row in found) for contact, found in groupby(rows, itemgetter(0))}
