"""Keeping the status in step with the log: batches of entries, each applied once, with their position.

Rows and tracking position are written in one transaction by compare-and-set, so that two workers, or one
that was killed and started again, never apply an entry twice and never skip one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from threading import Event as Flag
from typing import NamedTuple

from eventsourcing.persistence import IntegrityError

from ledger.codec import BrokenEntryError, decode, instant, recorded_at
from ledger.damage import DamagedError
from ledger.database import Driver, Location
from ledger.gaps import LogDamagedError, refuse_missing_positions
from ledger.log import Log
from ledger.log import Row as LogRow
from ledger.stores import NOTHING, Mark, mark_of
from ledger.terms import BEGINNING, LEDGER_STREAM
from projections import bulk, outbox, tracking, views
from projections.compare import Differences, compare
from projections.current import CurrentStatus, Folded
from projections.folding import family_of
from projections.groups import Pair, kin, pair_of
from projections.status import Row, Setting, Settings, rows_of, touches_all
from projections.views import Held, Views

BATCH = 2_000
FAR_BEHIND = 50_000
"""Entries to follow, or contacts to judge again, from which on building anew is quicker."""


class _Batch(NamedTuple):
    """What a run of entries touches; `all`: everybody."""

    mark: Mark
    contacts: set[str]
    pairs: list[Pair]
    all: bool

    @property
    def position(self) -> int:
        """Where the run ends."""
        return self.mark.position


class StatusRunner(CurrentStatus):
    """Follows one log, at a location, into its views."""

    def __init__(
        self, log: Log, location: Location, views: Views, policy_of: bulk.PolicyOf, batch: int = BATCH
    ) -> None:
        super().__init__(log, views, policy_of)
        self._location = location
        self._batch = batch
        self._followed: Folded = (NOTHING, Settings())

    # --- following ------------------------------------------------------------------------------

    def follow(
        self,
        stop: Flag | None = None,
        *,
        once: bool = False,
        poll_seconds: float = 0.2,
        when_idle: Callable[[], None] = lambda: None,
    ) -> int:
        """Apply what the log holds; unless `once`, then what comes, until `stop` is set. Returns the position.

        `when_idle` is called each time everything was applied.
        """
        while not (stop is not None and stop.is_set()):
            if self.step():
                continue
            if once or stop is None:
                break
            when_idle()
            self.log.wait(self.position(), poll_seconds)
        return self.position()

    def step(self) -> bool:
        """Apply the next batch, or learn that another worker did; False: there was nothing to do.

        Answers that are not of this log are built anew. Raises DamagedError, BrokenEntryError.
        """
        try:
            moved = self._step()
        except (DamagedError, BrokenEntryError) as error:
            self.soundness.damaged(str(error))
            raise
        self.soundness.cured()
        return moved

    def _step(self) -> bool:
        head = self.log.mark()
        self.soundness.refuse_gaps(head)
        with self.views.snapshot() as driver:
            held = views.held(driver)
        if self.views.are_in_use and held.position and held.policy is None:
            self.rebuild()  # another form of this program wrote it
            return True
        fault, rows = self._read_on(held)
        if fault is not None:
            if not self.views.are_in_use:
                raise LogDamagedError("the log was replaced while answers were built from it: build them again")
            self.soundness.not_of_this_log(fault)
            self.rebuild()
            return True
        setting = self._setting_followed(held.mark)
        outdated = held.position > 0 and held.policy != setting.policy.hash
        if self.views.are_in_use and (outdated or head.position - held.position > FAR_BEHIND):
            self.rebuild(stop=head.position)
            return True
        if not rows:
            return False
        batch = _touched(rows)
        if batch.all:
            setting = self._setting_followed(batch.mark)
        return self._apply(held.mark, batch, setting)

    def _read_on(self, held: Held) -> tuple[str | None, list[LogRow]]:
        """Why the answers are not of this log, and what follows them in it, both by one look."""
        at = held.position
        if at == 0:
            return None, self.log.read(0, self._batch)
        rows = self.log.read(at - 1, self._batch + 1)
        first = mark_of(rows[0][0], rows[0][2]) if rows else None
        there = first if first is not None and first.position == at else None
        return self.soundness.fault(held, there), rows[1:]

    def position(self) -> int:
        """How far the status has come."""
        with self.views.snapshot() as driver:
            return views.held(driver).position

    def _apply(self, mark: Mark, batch: _Batch, setting: Setting) -> bool:
        """Judge who is touched and write it. Folds are read up to the batch's end, whatever came since."""
        with self.views.snapshot() as driver:
            touched = batch.contacts | set(views.contacts_held(driver) if batch.all else ())
            anew = self.views.are_in_use and len(touched) > FAR_BEHIND
            families = [] if anew else list(_families(driver, touched, batch.pairs))
            made_of = views.revisions_of(driver, set().union(*families))
        if anew:  # out of the snapshot: what is still read cannot be taken away
            self.rebuild()
            return True
        refuse_missing_positions(self.log.missing(made_of))
        written = [contact for family in families for contact in family]
        news = [contact for family in families if family & batch.contacts for contact in family]
        rows = list(self._judge(families, batch.position, setting))
        binding = self.views.binding
        try:
            with self.views.transaction() as driver:
                tracking.advance(driver, views.NAME, mark, batch.mark, binding.source)
                outbox.queue(driver, rows, news)
                views.put_kin(driver, batch.pairs)
                views.put_rows(driver, written, map(binding.kept, rows))
                views.put_generation(driver, setting.policy.hash)
        except IntegrityError:
            pass  # another worker came first; what is left to do, the next step finds
        return True

    def _judge(self, families: Iterable[set[str]], stop: int, setting: Setting) -> Iterator[Row]:
        for family in families:
            folds = family_of(self.log, family, stop)
            for contact in folds:
                if contact in family:
                    yield from rows_of(kin(contact, folds), setting)

    def _setting_followed(self, mark: Mark) -> Setting:
        self._followed = self._folded_on(self._followed, mark)
        return self._setting(self._followed[1])

    # --- rebuilding -----------------------------------------------------------------------------

    def rebuild(self, workers: int = 1, stop: int | None = None) -> int:
        """Build the status anew beside the one in use and swap it in; the position it stands at.

        What the one in use has learned meanwhile is followed up first: answers never go back in time.
        """
        generations = self.views.generations
        target = generations.new()
        try:
            position = bulk.build(
                self._location, generations, target, self._policy_of, self.views.binding, workers, stop
            )
            self._queue_all(target, position)
            while not self._swap(target, position):
                with self.views.at(target) as beside:
                    position = StatusRunner(self.log, self._location, beside, self._policy_of).follow(once=True)
        except BaseException:
            if generations.current() != target:
                generations.discard(target)
            raise
        return position

    def _swap(self, target: str, position: int) -> bool:
        """Put the generation in place, with what still waits in the outbox of the one in use."""
        with self.views.snapshot() as old:
            if outbox.last_number(old) is not None:
                with self.views.at(target) as beside:
                    with beside.snapshot() as new:
                        begun = outbox.last_number(new) is not None
                    if not begun:  # it was put in use while the new one was built
                        self._queue_all(target, position)
                    with beside.transaction() as new:
                        outbox.carry(old, new)
        return self.views.swap(target, position, self.soundness.stands)

    def _queue_all(self, target: str, position: int) -> None:
        """If anybody is told, everybody is told again; first whom events are about that the rows in use do not know."""
        with self.views.snapshot() as driver:
            last, held = outbox.last_number(driver), views.held(driver)
        if last is None:
            return
        known = held.position if self.soundness.stands(held) or held.policy is None else 0
        newest = self.log.read(position - 1, 1, position)
        touched = _touched(self.log.entries(known, position)).contacts
        with self.views.at(target) as beside, beside.transaction() as driver:
            outbox.begin(driver, last)
            for _, _, state in newest:
                moment = datetime.fromisoformat(recorded_at(state) or instant(BEGINNING))
                outbox.queue_all(driver, moment, views.kin_of(driver, touched))

    def replay(self, workers: int = 1) -> Differences:
        """Judge everything anew as of where the rows in use stand, compare every row, and throw it away.

        Changes nothing. Raises LogDamagedError.
        """
        generations, binding = self.views.generations, self.views.binding
        target = generations.new()
        try:
            with self.views.snapshot() as live:
                held = views.held(live)
                stop = held.position
                bulk.build(self._location, generations, target, self._policy_of, binding, workers, stop)
                with self.views.at(target) as beside, beside.snapshot() as rebuilt:
                    return compare(live, rebuilt, binding, self.soundness.looked_up(held))
        finally:
            generations.discard(target)


def _touched(rows: Iterable[LogRow]) -> _Batch:
    contacts, pairs, everybody = set[str](), list[Pair](), False
    last = (0, b"")
    for position, _, state in rows:
        last, event = (position, state), decode(state)
        if event.stream == LEDGER_STREAM:
            everybody = everybody or touches_all(event)
            continue
        contacts.add(event.stream)
        pair = pair_of(event)
        if pair is not None:
            pairs.append(pair)
            contacts.update(pair)
    return _Batch(mark_of(*last), contacts, pairs, everybody)


def _families(driver: Driver, touched: set[str], pairs: list[Pair]) -> Iterator[set[str]]:
    """The touched, each with everybody ever linked with them; nobody twice."""
    done: set[str] = set()
    for contact in sorted(touched):
        if contact not in done:
            family = views.kin_of(driver, [contact], pairs)
            done |= family
            yield family
