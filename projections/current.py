"""A contact's status as of the log's head, whatever has become of the rows: read where they serve, else judged now."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ledger.codec import decode
from ledger.contact import Entry
from ledger.gaps import refuse_missing_positions
from ledger.log import Log
from ledger.policy.rules import Policy
from ledger.stores import NOTHING, Mark
from ledger.terms import LEDGER_STREAM
from projections import views
from projections.binding import Kept
from projections.folding import family_of
from projections.groups import LINK_TOPICS, Pair, kin, pair_of
from projections.soundness import Soundness
from projections.status import Row, Setting, Settings, Status, read_row, rows_of
from projections.views import Views

Folded = tuple[Mark, Settings]
"""The ledger-wide fold, and the entry up to which it was made."""


class CurrentStatus:
    """Reads the status of one ledger. Thread-safe."""

    def __init__(self, log: Log, views: Views, policy_of: Callable[[str | None], Policy]) -> None:
        self.log = log
        self.views = views
        self.soundness = Soundness(log, views.binding.source)
        self._policy_of = policy_of
        self._seen: Folded = (NOTHING, Settings())
        self._links: tuple[int, Mark, frozenset[Pair]] = (0, NOTHING, frozenset())

    def current(self, contact: str) -> list[Status]:
        """A contact's status as of the log's head: its rows, or folded and judged now where they do not serve.

        They do not where they are behind, not of this log, or not as this ledger wrote them. Raises LogDamagedError.
        """
        with self.views.snapshot() as driver:
            held = views.held(driver)
            kept = views.rows_of_contact(driver, contact)
            head = self.log.mark()
            self.soundness.refuse_gaps(head)
            fault = self.soundness.looked_up(held, head) if held.policy is not None else None
            after = 0 if fault else held.position
            family = {contact}
            if head.position > after:
                family = views.kin_of(driver, [contact], self._links_since(after, head))
        setting = self.setting_at(head)
        behind = fault is not None or setting.position > held.position or held.policy != setting.policy.hash
        if fault is not None:
            self.soundness.not_of_this_log(fault)
        elif not behind:
            self.soundness.cured()
        if behind or (head.position > held.position and self._newer(family, held.position, head.position)):
            if fault is None and self.views.binding.hold(kept):
                refuse_missing_positions(self.log.missing({row[6] for row in kept}))
            rows = self._judged_now(contact, after, head, setting)
        else:
            rows = self.as_written(contact, kept, head)
        return [read_row(row, setting.policy.hash) for row in rows]

    def family(self, contact: str) -> set[str]:
        """Everybody ever linked with a contact, itself among them, as of the log's head."""
        with self.views.snapshot() as driver:
            held = views.held(driver)
            head = self.log.mark()
            fault = self.soundness.looked_up(held, head) if held.policy is not None else None
            return views.kin_of(driver, [contact], self._links_since(0 if fault else held.position, head))

    def as_written(self, contact: str, kept: list[Kept], mark: Mark) -> list[Row]:
        """A contact's rows, which stand at an entry; judged anew, with an alarm, where they are not as written there.

        They are not where a check fails, or where the contact or all have an entry newer than they are.
        """
        setting = self.setting_at(mark)
        least = max(self.log.newest(contact, mark.position), setting.position)
        if self.views.binding.hold(kept) and all(row[6] >= least for row in kept):
            return [row[:-1] for row in kept]
        self.soundness.not_as_written(contact)
        return self._judged_now(contact, 0, mark, setting)

    def _judged_now(self, contact: str, after: int, head: Mark, setting: Setting) -> list[Row]:
        with self.views.snapshot() as driver:
            family = views.kin_of(driver, [contact], self._links_since(after, head))
        folds = family_of(self.log, family, head.position)
        return rows_of(kin(contact, folds), setting) if contact in folds else []

    def setting_at(self, mark: Mark) -> Setting:
        """What holds for all contacts as of an entry."""
        self._seen = seen = self._folded_on(self._seen, mark)
        return self._setting(seen[1])

    def _newer(self, family: Iterable[str], after: int, head: int) -> bool:
        return next(iter(self.log.entries(after=after, stop=head, streams=family)), None) is not None

    def _links_since(self, after: int, head: Mark) -> frozenset[Pair]:
        """Pairs linked since the rows were written. Looked for once: the next call goes on from there."""
        first, last, pairs = self._links
        if after < first or after > last.position or self.log.mark_at(last.position) != last:
            first, last, pairs = after, Mark(after, b""), frozenset()
        if head.position > last.position:
            found = self.log.select_notifications(
                last.position, 2**31, head.position, topics=LINK_TOPICS, inclusive_of_start=False
            )
            linked = {pair_of(decode(one.state)) for one in found}
            pairs |= {pair for pair in linked if pair is not None}
            self._links = (first, head, pairs)
        return pairs

    def _folded_on(self, known: Folded, mark: Mark) -> Folded:
        """The ledger-wide fold as of an entry, from where it was known last, if the log still holds that."""
        if known[0] == mark:
            return known
        place = known[0].position
        kept = place < mark.position and self.log.mark_at(place) == known[0]
        after, settings = (place, known[1]) if kept else (0, Settings())
        rows = self.log.entries(after=after, stop=mark.position, streams=[LEDGER_STREAM])
        return mark, settings.after(Entry(p, v, decode(state)) for p, v, state in rows)

    def _setting(self, settings: Settings) -> Setting:
        return Setting(self._policy_of(settings.catalogue.policy), *settings)
