"""The gate: one cell's answer at one moment, never older than the newest entry of the log.

One statement reads the row, how far the rows have come and how far the log has. Where the rows are behind,
the runner folds and judges on the spot.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any, NamedTuple

from ledger.database import Database, Location, uuid_bytes
from ledger.log import Log
from ledger.policy.question import Decision
from projections import views
from projections.runner import StatusRunner
from projections.status import answer_at
from projections.views import Views


class Answer(NamedTuple):
    """What the gate says. `decision` None: no fact names that cell, so nothing allows it.

    position  how far the log had come; the answer counts every entry up to there
    current   whether the row was current; else it was judged on the spot
    """

    decision: Decision | None
    revision: int
    position: int
    current: bool

    @property
    def allowed(self) -> bool:
        """Absent is no."""
        return self.decision is not None and self.decision.allowed


class Gate:
    """Answers for one ledger. Thread-safe."""

    def __init__(self, log: Log, location: Location, views: Views, runner: StatusRunner) -> None:
        self._log = log
        self._runner = runner
        self._generations = views.generations
        self._location = location
        self._open: tuple[str, Database] | None = None
        self._retired: deque[Database] = deque()
        self._rules = (-1, "")
        self._statement = (
            "SELECT s.segments, s.revision, g.policy, t.position, "  # noqa: S608 - our own names
            f"(SELECT max(position) FROM log.entry), {self._generations.pointed} "
            "FROM tracking t JOIN generation g ON g.form = ? LEFT JOIN status s "
            "ON s.contact = ? AND s.purpose = ? AND s.channel = ? AND s.address = ? WHERE t.name = ?"
        )

    def ask(self, contact: str, purpose: str, channel: str, address: str | None, at: datetime) -> Answer:
        """The answer at a moment for a contact's cell; `address` is an address id."""
        cell = (uuid_bytes(contact), purpose, channel, uuid_bytes(address) if address else b"")
        row = self._read((views.FORM, *cell, views.NAME))
        if row is not None:
            segments, revision, policy, position, head, _ = row
            if position == head and policy == self._rule_set(head):
                if segments is None:
                    return Answer(None, 0, head, True)
                return Answer(answer_at(segments, policy, at), revision, head, True)
        return self._judged(contact, purpose, channel, address, at)

    def close(self) -> None:
        """Close every connection. Idempotent."""
        if self._open is not None:
            self._retired.append(self._open[1])
            self._open = None
        while self._retired:
            self._retired.pop().close()

    def _read(self, values: tuple[object, ...]) -> Any:
        """The row, read where the answers in use are; None while there are none yet."""
        while True:
            name, database = self._database()
            try:
                with database.reading() as driver:
                    row = driver.execute(self._statement, values).fetchone()
            except database.dbapi.DatabaseError:
                if self._generations.current() == name:
                    raise
            else:
                if row is None or row[5] in (None, name):
                    return row
            self._leave()  # it was swapped away meanwhile, or dropped

    def _database(self) -> tuple[str, Database]:
        """The generation in use: by its link, or as the last answer said."""
        held = self._open
        name = held[0] if held and self._generations.tells else self._generations.current()
        if held is None or held[0] != name:
            self._leave()
            held = self._open = (name, self._generations.open(name, self._location))
        return held

    def _leave(self) -> None:
        if self._open is not None:
            self._retired.append(self._open[1])  # another thread may still read it
            self._open = None

    def _rule_set(self, head: int) -> str:
        """Hash of the rule set in force at a position."""
        if self._rules[0] != head:
            self._rules = (head, self._runner.rule_set(head))
        return self._rules[1]

    def _judged(self, contact: str, purpose: str, channel: str, address: str | None, at: datetime) -> Answer:
        """By the folds, where the rows are behind."""
        head = self._log.last_position()
        for status in self._runner.current(contact):
            if (status.purpose, status.channel, status.address) == (purpose, channel, address):
                return Answer(status.at(at), status.revision, head, False)
        return Answer(None, 0, head, False)
