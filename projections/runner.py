"""Keeping the status in step with the log: batches of entries, each applied once, with their position.

Rows and tracking position are written in one transaction by compare-and-set, so that two workers, or one
that was killed and started again, never apply an entry twice and never skip one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from threading import Event as Flag
from typing import NamedTuple

from eventsourcing.persistence import IntegrityError

from ledger.codec import decode, instant, recorded_at
from ledger.contact import Entry
from ledger.database import Driver, Location
from ledger.log import Log
from ledger.log import Row as LogRow
from ledger.terms import BEGINNING, LEDGER_STREAM
from projections import bulk, outbox, tracking, views
from projections.compare import Differences, compare
from projections.folding import folds_of
from projections.groups import LINK_TOPICS, Pair, kin, pair_of
from projections.status import Row, Setting, Settings, Status, read_row, rows_of, touches_all
from projections.views import Views

BATCH = 2_000
FAR_BEHIND = 50_000
"""Entries to follow, or contacts to judge again, from which on building anew is quicker."""


class _Batch(NamedTuple):
    """What a run of entries touches; `all`: everybody."""

    position: int
    contacts: set[str]
    pairs: list[Pair]
    all: bool


class StatusRunner:
    """Follows one log, at a location, into its views."""

    def __init__(
        self, log: Log, location: Location, views: Views, policy_of: bulk.PolicyOf, batch: int = BATCH
    ) -> None:
        self._log = log
        self._location = location
        self._views = views
        self._policy_of = policy_of
        self._batch = batch
        self._followed = (0, Settings())
        self._seen = (0, Settings())
        self._links: tuple[int, int, frozenset[Pair]] = (0, 0, frozenset())

    # --- following ------------------------------------------------------------------------------

    def follow(self, stop: Flag | None = None, *, once: bool = False, poll_seconds: float = 0.2) -> int:
        """Apply what the log holds; unless `once`, then what comes, until `stop` is set. Returns the position."""
        while not (stop is not None and stop.is_set()):
            if self.step():
                continue
            if once or stop is None:
                break
            self._log.wait(self.position(), poll_seconds)
        return self.position()

    def step(self) -> bool:
        """Apply the next batch, or learn that another worker did; False: there was nothing to do."""
        with self._views.snapshot() as driver:
            held = views.held(driver)
        head = self._log.last_position()
        setting = self._setting_followed(held.position)
        outdated = held.position > 0 and held.policy != setting.policy.hash
        if self._views.are_in_use and (outdated or head - held.position > FAR_BEHIND):
            self.rebuild(stop=head)
            return True
        rows = self._log.read(held.position, self._batch)
        if not rows:
            return False
        batch = _touched(rows)
        if batch.all:
            setting = self._setting_followed(batch.position)
        return self._apply(held.position, batch, setting)

    def position(self) -> int:
        """How far the status has come."""
        with self._views.snapshot() as driver:
            return views.held(driver).position

    def _apply(self, position: int, batch: _Batch, setting: Setting) -> bool:
        """Judge who is touched and write it. Folds are read up to the batch's end, whatever came since."""
        with self._views.snapshot() as driver:
            touched = batch.contacts | set(views.contacts_held(driver) if batch.all else ())
            anew = self._views.are_in_use and len(touched) > FAR_BEHIND
            families = [] if anew else list(_families(driver, touched, batch.pairs))
        if anew:  # out of the snapshot: what is still read cannot be taken away
            self.rebuild()
            return True
        written = [contact for family in families for contact in family]
        news = [contact for family in families if family & batch.contacts for contact in family]
        rows = list(self._judge(families, batch.position, setting))
        try:
            with self._views.transaction() as driver:
                tracking.advance(driver, views.NAME, position, batch.position)
                outbox.queue(driver, rows, news)
                views.put_kin(driver, batch.pairs)
                views.put_rows(driver, written, rows)
                views.put_generation(driver, setting.policy.hash)
        except IntegrityError:
            pass  # another worker came first; what is left to do, the next step finds
        return True

    def _judge(self, families: Iterable[set[str]], stop: int, setting: Setting) -> Iterator[Row]:
        for family in families:
            folds = folds_of(self._log, family, stop)
            for contact in folds:
                yield from rows_of(kin(contact, folds), setting)

    def _setting_followed(self, position: int) -> Setting:
        self._followed = self._folded_on(self._followed, position)
        return self._setting(self._followed[1])

    def _folded_on(self, known: tuple[int, Settings], position: int) -> tuple[int, Settings]:
        """The ledger-wide fold as of a position, from where it was known last."""
        after, settings = known if known[0] <= position else (0, Settings())
        rows = self._log.entries(after=after, stop=position, streams=[LEDGER_STREAM])
        return position, settings.after(Entry(p, v, decode(state)) for p, v, state in rows)

    def _setting(self, settings: Settings) -> Setting:
        return Setting(self._policy_of(settings.catalogue.policy), *settings)

    # --- rebuilding -----------------------------------------------------------------------------

    def rebuild(self, workers: int = 1, stop: int | None = None) -> int:
        """Build the status anew beside the one in use and swap it in; the position it stands at.

        What the one in use has learned meanwhile is followed up first: answers never go back in time.
        """
        generations = self._views.generations
        target = generations.new()
        try:
            position = bulk.build(self._location, generations, target, self._policy_of, workers, stop)
            self._queue_all(target, position)
            while not self._swap(target, position):
                with self._views.at(target) as beside:
                    position = StatusRunner(self._log, self._location, beside, self._policy_of).follow(once=True)
        except BaseException:
            if generations.current() != target:
                generations.discard(target)
            raise
        return position

    def _swap(self, target: str, position: int) -> bool:
        """Put the generation in place, with what still waits in the outbox of the one in use."""
        with self._views.snapshot() as old:
            if outbox.last_number(old) is not None:
                with self._views.at(target) as beside:
                    with beside.snapshot() as new:
                        begun = outbox.last_number(new) is not None
                    if not begun:  # it was put in use while the new one was built
                        self._queue_all(target, position)
                    with beside.transaction() as new:
                        outbox.carry(old, new)
        return self._views.swap(target, position)

    def _queue_all(self, target: str, position: int) -> None:
        """If anybody is told, everybody is told again; first whom events are about that the rows in use do not know."""
        with self._views.snapshot() as driver:
            last, known = outbox.last_number(driver), views.held(driver).position
        if last is None:
            return
        newest = self._log.read(position - 1, 1, position)
        touched = _touched(self._log.entries(known, position)).contacts
        with self._views.at(target) as beside, beside.transaction() as driver:
            outbox.begin(driver, last)
            for _, _, state in newest:
                moment = datetime.fromisoformat(recorded_at(state) or instant(BEGINNING))
                outbox.queue_all(driver, moment, views.kin_of(driver, touched))

    def replay(self, workers: int = 1) -> Differences:
        """Build the status anew as of where the one in use stands, compare, and throw it away."""
        generations = self._views.generations
        target = generations.new()
        try:
            with self._views.snapshot() as live:
                position = views.held(live).position
                bulk.build(self._location, generations, target, self._policy_of, workers, position)
                with self._views.at(target) as beside, beside.snapshot() as rebuilt:
                    return compare(live, rebuilt)
        finally:
            generations.discard(target)

    # --- the gate -------------------------------------------------------------------------------

    def current(self, contact: str) -> list[Status]:
        """A contact's status as of the log's head: its rows, or folded and judged now where they are behind."""
        with self._views.snapshot() as driver:
            held = views.held(driver)
            rows = views.rows_of_contact(driver, contact)
            head = self._log.last_position()
            family = {contact}
            if head > held.position:
                family = views.kin_of(driver, [contact], self._links_since(held.position, head))
        self._seen = seen = self._folded_on(self._seen, head)
        setting = self._setting(seen[1])
        behind = setting.position > held.position or held.policy != setting.policy.hash
        if behind or (head > held.position and self._newer(family, held.position, head)):
            with self._views.snapshot() as driver:
                family = views.kin_of(driver, [contact], self._links_since(held.position, head))
            folds = folds_of(self._log, family, head)
            rows = rows_of(kin(contact, folds), setting) if contact in folds else []
        return [read_row(row, setting.policy.hash) for row in rows]

    def rule_set(self, head: int) -> str:
        """Hash of the rule set in force at a position."""
        self._seen = self._folded_on(self._seen, head)
        return self._setting(self._seen[1]).policy.hash

    def _newer(self, family: Iterable[str], after: int, head: int) -> bool:
        return next(iter(self._log.entries(after=after, stop=head, streams=family)), None) is not None

    def _links_since(self, after: int, head: int) -> frozenset[Pair]:
        """Pairs linked since the rows were written. Looked for once: the next call goes on from there."""
        first, last, pairs = self._links
        if after < first or after > last:
            first, last, pairs = after, after, frozenset()
        if head > last:
            found = self._log.select_notifications(last, 2**31, head, topics=LINK_TOPICS, inclusive_of_start=False)
            linked = {pair_of(decode(one.state)) for one in found}
            pairs |= {pair for pair in linked if pair is not None}
            self._links = (first, head, pairs)
        return pairs


def _touched(rows: Iterable[LogRow]) -> _Batch:
    position, contacts, pairs, everybody = 0, set[str](), list[Pair](), False
    for place, _, state in rows:
        position, event = place, decode(state)
        if event.stream == LEDGER_STREAM:
            everybody = everybody or touches_all(event)
            continue
        contacts.add(event.stream)
        pair = pair_of(event)
        if pair is not None:
            pairs.append(pair)
            contacts.update(pair)
    return _Batch(position, contacts, pairs, everybody)


def _families(driver: Driver, touched: set[str], pairs: list[Pair]) -> Iterator[set[str]]:
    """The touched, each with everybody ever linked with them; nobody twice."""
    done: set[str] = set()
    for contact in sorted(touched):
        if contact not in done:
            family = views.kin_of(driver, [contact], pairs)
            done |= family
            yield family
