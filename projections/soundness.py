"""Whether stored answers are of this log as it is now, whether the log is whole, and who is told when they are not.

Positions alone do not say it: a log that was restored gives the same positions to other entries. What is found wrong
is an alarm: a line at level error, which a command line shows on stderr, and a count for the service's measures.
"""

from __future__ import annotations

import logging

from ledger.gaps import LogDamagedError
from ledger.log import Log
from ledger.stores import NOTHING, Mark
from projections.tracking import Source
from projections.views import Held

_log = logging.getLogger(__name__)
_MOST_NAMED = 1_000
_CHANGED = (
    "the log was shortened or put back while it was open: entry {position}, which it held, is gone or another one. "
    "A stop may have stood there, so nothing is allowed. End what works on this ledger, see that keys, vault and log "
    "belong together (`consent-ledger check`), and start again."
)


class Soundness:
    """What is known of one log and of the answers made from it. Thread-safe; shared by all who read the answers."""

    def __init__(self, log: Log, source: Source) -> None:
        self.alarms = 0
        self.trouble: str | None = None
        self._log = log
        self._source = source
        self._whole = NOTHING
        self._named: set[str] = set()

    # --- what is looked at ----------------------------------------------------------------------

    def fault(self, held: Held, there: Mark | None) -> str | None:
        """Why the answers are not of this log; None: they are. `there`: the entry where they stand, as it is now."""
        if held.position == 0:
            return None
        ours, theirs = self._source, held.source
        if theirs.ledger != ours.ledger:
            return "the stored answers are of another ledger"
        if there is None:
            return (
                f"the stored answers stand at position {held.position}, which the log does not hold: "
                "it was shortened, or is older than they are"
            )
        if there != held.mark:
            return f"the log holds another entry at position {held.position} than the one the stored answers know"
        if theirs.epoch != ours.epoch:
            return "the stored answers are of another epoch: the ledger was restored since they were made"
        return None

    def stands(self, held: Held, head: Mark | None = None) -> bool:
        """Whether the answers are of this log."""
        return self.looked_up(held, head) is None

    def looked_up(self, held: Held, head: Mark | None = None) -> str | None:
        """As `fault`; the entry is read, unless it is the one at `head`."""
        known = head is not None and head.position == held.position
        return self.fault(held, head if known else self._log.mark_at(held.position))

    @property
    def seen(self) -> int:
        """How far the log had come when it was last looked over; one that is shorter now has lost entries."""
        return self._whole.position

    def refuse_gaps(self, head: Mark) -> None:
        """Raise LogDamagedError where the log misses an entry. Each is counted once, for as long as it stays.

        Also where it no longer holds what it held while it was open: only a program that opens it anew sees whether
        keys, vault and log belong together.
        """
        known = self._whole
        if head == known:
            return
        try:
            if known.position and self._log.mark_at(known.position) != known:
                raise LogDamagedError(_CHANGED.format(position=known.position))
            self._log.refuse_gaps(known.position)
        except LogDamagedError as error:
            self.damaged(str(error))
            raise
        self._whole = head

    # --- what is told ---------------------------------------------------------------------------

    def not_of_this_log(self, fault: str) -> None:
        """An alarm: the answers are built anew, and none of them is used meanwhile."""
        self._alarm(fault, f"{fault}; none of them is used, and all are built anew from the log")

    def damaged(self, what: str) -> None:
        """An alarm: nothing can be answered."""
        self._alarm(what, what)

    def _alarm(self, trouble: str, told: str) -> None:
        if self.trouble != trouble:  # said once, for as long as it lasts
            self.trouble = trouble
            self.alarms += 1
            _log.error(told)

    def cured(self) -> None:
        """The answers are of this log, and it is whole."""
        self.trouble = None

    def not_as_written(self, contact: str) -> None:
        """An alarm: a row of this contact was changed, or an older one was put back; it is judged anew."""
        self.alarms += 1
        if contact in self._named:
            return
        if len(self._named) < _MOST_NAMED:
            self._named.add(contact)
        _log.error(
            "a stored answer of contact %s is not as this ledger wrote it last: it is not used, the contact is "
            "judged anew from the log. `consent-ledger replay --compare` names every such row, "
            "`consent-ledger replay` makes them anew",
            contact,
        )
