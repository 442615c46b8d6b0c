"""A rebuild: every contact read once by the log's stream index, folded, judged and written.

Memory holds one contact at a time, so it does not grow with the log. Two workers halve the time, each
with its range of contacts; the rows are the same, in the same order.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ledger.codec import decode
from ledger.contact import Contact, Entry, extend, fold
from ledger.database import Location, marks, uuid_bytes, uuid_text
from ledger.gaps import refuse_gaps, refuse_missing_versions
from ledger.log_schema import HEAD
from ledger.policy.rules import Policy
from ledger.scanning import Scan, scanning
from ledger.stores import NOTHING, mark_of
from ledger.terms import LEDGER_STREAM
from projections import tracking, views
from projections.binding import Binding, Kept
from projections.generations import Generations
from projections.groups import LINK_TOPICS, Pair, kin, neighbours, pair_of, reach
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

    log: Location
    stop: int
    setting: Setting
    binding: Binding
    pairs: tuple[Pair, ...]
    first: bytes = _FIRST
    last: bytes = _LAST


def build(
    log: Location,
    generations: Generations,
    target: str,
    policy_of: PolicyOf,
    binding: Binding,
    workers: int = 1,
    stop: int | None = None,
) -> int:
    """Build a generation from the log alone, as of `stop`, at most of its head; the position it stands at.

    Raises LogDamagedError.
    """
    with scanning(log) as source:
        refuse_gaps(source.driver)
        (head,) = source.driver.execute(HEAD).fetchone()
        stop = head if stop is None else min(stop, head)
        last = source.driver.execute("SELECT position, state FROM entry WHERE position = ?", (stop,)).fetchone()
        setting = setting_at(source, stop, policy_of)
        pairs = tuple(sorted(set(pairs_of(source, stop))))
        cuts = _cuts(source, stop, workers)
    ranges = zip((_FIRST, *cuts), (*cuts, _LAST), strict=True)
    work = [Work(log, stop, setting, binding, pairs, *cut) for cut in ranges]
    generations.make(target)
    _all(work, generations, target)
    with views.Views(generations, binding, target) as made, made.transaction() as driver:
        views.put_kin(driver, pairs)
        views.put_generation(driver, setting.policy.hash)
        if last is not None:
            tracking.advance(driver, views.NAME, NOTHING, mark_of(*last), binding.source)
    return stop


def setting_at(source: Scan, stop: int, policy_of: PolicyOf) -> Setting:
    """What holds for all contacts once the entries up to `stop` are known."""
    folded = Settings().after(_entries(source, _LEDGER, stop))
    return Setting(policy_of(folded.catalogue.policy), *folded)


def _entries(source: Scan, stream: bytes, stop: int) -> list[Entry]:
    rows = source.driver.execute(_STREAM, (stream, stop))
    entries = [Entry(position, version, decode(state)) for position, version, state in rows]
    if entries:
        refuse_missing_versions(entries[0].version, entries[-1].version, len(entries))
    return entries


def pairs_of(source: Scan, stop: int) -> Iterator[Pair]:
    """Who was ever linked. Reads past every entry once, in the order of the file: that also warms it."""
    query = f"SELECT state FROM entry WHERE topic IN ({marks(LINK_TOPICS)}) AND position <= ?"  # noqa: S608 - marks only
    rows = source.rows(query, (*LINK_TOPICS, stop))
    for (state,) in rows:
        pair = pair_of(decode(state))
        if pair is not None:
            yield min(pair), max(pair)


def _cuts(source: Scan, stop: int, workers: int) -> list[bytes]:
    """Streams that part the contacts into about equal shares, by a sample of the log."""
    if workers < 2:
        return []
    step = max(1, stop // 1_000)
    sample = sorted(
        row[0]
        for position in range(1, stop + 1, step)
        for row in source.driver.execute("SELECT stream FROM entry WHERE position = ?", (position,))
    )
    return sorted({sample[len(sample) * n // workers] for n in range(1, workers)}) if sample else []


def _all(work: list[Work], generations: Generations, target: str) -> None:
    """The first share here, each other one in a process of its own; then put together, in order."""
    with _uncollected():
        context = multiprocessing.get_context("spawn")
        children = [
            context.Process(target=_part, args=(share, generations, target, part))
            for part, share in enumerate(work[1:], 1)
        ]
        for child in children:
            child.start()
        generations.write(target, _kept(work[0]), 0)
        for child in children:
            child.join()
            if child.exitcode:
                raise RuntimeError(f"a worker of the rebuild ended with {child.exitcode}")
        generations.finish(target, len(work))


def _part(share: Work, generations: Generations, target: str, part: int) -> None:
    """One share, in a process of its own."""
    with _uncollected():
        generations.write(target, _kept(share), part)


def _kept(work: Work) -> Iterator[Kept]:
    return map(work.binding.kept, judged(work))


def judged(work: Work) -> Iterator[Row]:
    """The rows of a share's contacts, in order."""
    partners = neighbours(work.pairs)
    with scanning(work.log) as source:
        for contact in folded(source, work):
            if contact.contact in partners:
                names = reach([contact.contact], lambda one: partners.get(one, ()))
                folds = {name: _fold(source, name, work.stop) for name in names - {contact.contact}}
                folds[contact.contact] = contact
                yield from rows_of(kin(contact.contact, folds), work.setting)
            else:
                yield from rows_of(kin(contact.contact, {contact.contact: contact}), work.setting)


def folded(source: Scan, work: Work) -> Iterator[Contact]:
    """Every contact of a share, folded, one at a time."""
    current, entries = b"", list[Entry]()
    for stream, position, version, state in source.rows(STREAMS, (work.first, work.last, work.stop)):
        if stream != current:
            if entries:
                yield _whole(current, entries)
            current, entries = stream, []
        entries.append(Entry(position, version, decode(state)))
    if entries:
        yield _whole(current, entries)


def _whole(stream: bytes, entries: list[Entry]) -> Contact:
    refuse_missing_versions(entries[0].version, entries[-1].version, len(entries))
    return extend(Contact(uuid_text(stream)), entries)


def _fold(source: Scan, contact: str, stop: int) -> Contact:
    return fold(contact, _entries(source, uuid_bytes(contact), stop))


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
