"""Whether a worker gets on, measured from outside of Faust: what the broker says is committed, and what waits.

A worker that is alive and reads nothing looks healthy to itself. So the broker is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Seen(NamedTuple):
    """A group on one topic at one moment. `members`: partition to the client id of who holds it."""

    committed: Mapping[int, int]
    ends: Mapping[int, int]
    holders: Mapping[int, str]
    members: frozenset[str]

    def lag(self, partition: int) -> int:
        """How many offsets are not committed yet."""
        return max(0, self.ends[partition] - self.committed.get(partition, 0))


@dataclass(slots=True)
class Watchdog:
    """Judges what was seen. `stuck_after`: seconds without a commit, while records wait, that are too many."""

    member: str
    stuck_after: float
    seen: Seen | None = None
    seen_at: float = 0.0
    moved: dict[int, tuple[int, float]] = field(default_factory=dict)

    def look(self, seen: Seen, now: float) -> None:
        """Take in an observation."""
        for partition in seen.ends:
            committed = seen.committed.get(partition, -1)
            held = self.moved.get(partition)
            if held is None or held[0] != committed or not seen.lag(partition):
                self.moved[partition] = (committed, now)
        self.seen, self.seen_at = seen, now

    def not_ready(self, now: float) -> str | None:
        """Why the worker is not ready; None: it is."""
        if self.seen is None:
            return "the broker has not answered yet"
        if now - self.seen_at > self.stuck_after:
            return "the broker does not answer"
        if self.member not in self.seen.members:
            return "not a member of its group"
        stuck = sorted(self._stuck(self.seen, now))
        if stuck:
            return "no offset committed while records wait, partition " + ", ".join(map(str, stuck))
        return None

    def _stuck(self, seen: Seen, now: float) -> Iterable[int]:
        """Partitions that wait too long and are this worker's, or nobody's."""
        for partition, (_, since) in self.moved.items():
            mine = seen.holders.get(partition, self.member) == self.member
            if mine and seen.lag(partition) and now - since > self.stuck_after:
                yield partition
