"""A rebuild: every contact read once by the log's stream index, folded, judged and written.

Memory holds one contact at a time, so it does not grow with the log. Two workers halve the time, each
with its range of contacts; the rows are the same, in the same order.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from ledger.codec import decode
from ledger.contact import Contact, Entry, extend, fold
from ledger.database import uuid_bytes, uuid_text
from ledger.policy.rules import Policy
from ledger.terms import LEDGER_STREAM
from projections import views
from projections.groups import LINK_TOPICS, Kin, Pair, kin, neighbours, pair_of, reach
from projections.status import Row, Setting, Settings, rows_of

PolicyOf = Callable[[str | None], Policy]
"""The rule set of an adopted hash; None: nobody adopted one."""

_LEDGER = uuid_bytes(LEDGER_STREAM)
_FIRST, _LAST = _LEDGER, b"\xff" * 17
STREAMS = (
    "SELECT stream, position, version, state FROM entry "
    "WHERE stream > ? AND stream <= ? AND position <= ? ORDER BY stream, version"
)
_STREAM = "SELECT position, version, state FROM entry WHERE stream = ? AND position <= ? ORDER BY version"


class Work(NamedTuple):
    """A range of contacts, after `first` up to and with `last`, and what to judge them by."""

    log: Path
    stop: int
    setting: Setting
    pairs: tuple[Pair, ...]
    first: bytes = _FIRST
    last: bytes = _LAST


class Built(NamedTuple):
    """A generation that is not in use yet."""

    path: Path
    position: int
    rows: int


def build(log: Path, target: Path, policy_of: PolicyOf, workers: int = 1, stop: int | None = None) -> Built:
    """Build a generation at `target` from the log alone, as of `stop`, else of its head."""
    with closing(reading(log)) as source:
        if stop is None:
            (stop,) = source.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()
        setting = setting_at(source, stop, policy_of)
        pairs = tuple(sorted(set(_pairs(source, stop))))
        cuts = _cuts(source, stop, workers)
    ranges = zip((_FIRST, *cuts), (*cuts, _LAST), strict=True)
    work = [Work(log, stop, setting, pairs, first, last) for first, last in ranges]
    with closing(_create(target)) as driver, _uncollected():
        rows = _all(work, driver, target)
        views.put_kin(driver, pairs)
        views.put_generation(driver, setting.policy.hash)
        if stop:
            driver.execute("INSERT INTO tracking VALUES (?, ?)", (views.NAME, stop))
        driver.commit()
    _finish(target)
    return Built(target, stop, rows)


def reading(log: Path) -> sqlite3.Connection:
    """A connection that cannot write, with a small cache: the operating system holds the file's pages."""
    driver = sqlite3.connect(f"{log.absolute().as_uri()}?mode=ro", uri=True)
    driver.execute("PRAGMA cache_size = -32768")
    return driver


def setting_at(source: sqlite3.Connection, stop: int, policy_of: PolicyOf) -> Setting:
    """What holds for all contacts once the entries up to `stop` are known."""
    folded = Settings().after(_entries(source, _LEDGER, stop))
    return Setting(policy_of(folded.catalogue.policy), *folded)


def _entries(source: sqlite3.Connection, stream: bytes, stop: int) -> list[Entry]:
    rows = source.execute(_STREAM, (stream, stop))
    return [Entry(position, version, decode(state)) for position, version, state in rows]


def _pairs(source: sqlite3.Connection, stop: int) -> Iterator[Pair]:
    """Who was ever linked. Reads past every entry once, in the order of the file: that also warms it."""
    rows = source.execute("SELECT state FROM entry WHERE topic IN (?, ?) AND position <= ?", (*LINK_TOPICS, stop))
    for (state,) in rows:
        pair = pair_of(decode(state))
        if pair is not None:
            yield min(pair), max(pair)


def _cuts(source: sqlite3.Connection, stop: int, workers: int) -> list[bytes]:
    """Streams that part the contacts into about equal shares, by a sample of the log."""
    if workers < 2:
        return []
    step = max(1, stop // 1_000)
    sample = sorted(
        row[0]
        for position in range(1, stop + 1, step)
        for row in source.execute("SELECT stream FROM entry WHERE position = ?", (position,))
    )
    return sorted({sample[len(sample) * n // workers] for n in range(1, workers)}) if sample else []


def _all(work: list[Work], driver: sqlite3.Connection, target: Path) -> int:
    """The first share here, each other one in a process of its own; then all in one file, in order."""
    if len(work) == 1:
        return _write(judged(work[0]), driver)
    parts = [target.with_name(f"{target.name}.part{n}") for n in range(1, len(work))]
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_part, args=(share, part)) for share, part in zip(work[1:], parts, strict=True)]
    for child in children:
        child.start()
    rows = _write(judged(work[0]), driver)
    driver.commit()
    for child, part in zip(children, parts, strict=True):
        child.join()
        if child.exitcode:
            raise RuntimeError(f"a worker of the rebuild ended with {child.exitcode}")
        driver.execute("ATTACH ? AS part", (str(part),))
        rows += driver.execute("INSERT INTO status SELECT * FROM part.row ORDER BY rowid").rowcount
        driver.commit()
        driver.execute("DETACH part")
        part.unlink()
    return rows


def _part(work: Work, path: Path) -> None:
    """One share, in a process of its own."""
    with closing(_fast(path)) as driver, _uncollected():
        driver.execute("CREATE TABLE row (a, b, c, d, e, f, g)")
        _write(judged(work), driver, "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)")
        driver.commit()


def _write(rows: Iterable[Row], driver: sqlite3.Connection, insert: str = views.INSERT) -> int:
    return driver.executemany(insert, rows).rowcount


def judged(work: Work) -> Iterator[Row]:
    """The rows of a share's contacts, in order."""
    partners = neighbours(work.pairs)
    with closing(reading(work.log)) as source:
        for contact in folded(source, work):
            if contact.contact in partners:
                names = reach([contact.contact], lambda one: partners.get(one, ()))
                folds = {name: _fold(source, name, work.stop) for name in names - {contact.contact}}
                folds[contact.contact] = contact
                yield from rows_of(kin(contact.contact, folds), work.setting)
            else:
                yield from rows_of(Kin((contact,), contact), work.setting)


def folded(source: sqlite3.Connection, work: Work) -> Iterator[Contact]:
    """Every contact of a share, folded, one at a time."""
    current, entries = b"", list[Entry]()
    for stream, position, version, state in source.execute(STREAMS, (work.first, work.last, work.stop)):
        if stream != current:
            if entries:
                yield extend(Contact(uuid_text(current)), entries)
            current, entries = stream, []
        entries.append(Entry(position, version, decode(state)))
    if entries:
        yield extend(Contact(uuid_text(current)), entries)


def _fold(source: sqlite3.Connection, contact: str, stop: int) -> Contact:
    return fold(contact, _entries(source, uuid_bytes(contact), stop))


def _fast(path: Path) -> sqlite3.Connection:
    """A file nobody relies on until it is finished."""
    driver = sqlite3.connect(path)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32768"):
        driver.execute(f"PRAGMA {pragma}").close()
    return driver


def _create(target: Path) -> sqlite3.Connection:
    target.touch(mode=0o600)
    engine = sa.create_engine(f"sqlite+pysqlite:///{target}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        views.metadata.create_all(connection)
    engine.dispose()
    return _fast(target)


def _finish(target: Path) -> None:
    """On the disk before anybody is sent to it."""
    with target.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing a rebuild makes holds itself in a ring: the collector would only walk it again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
