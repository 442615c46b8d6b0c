"""The gate: one cell's answer at one moment, never older than the newest entry of the log.

One statement reads the row, how far the rows have come and how far the log has. Where the rows are behind,
the runner folds and judges on the spot.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

from ledger.database import Database, Driver, Location, uuid_bytes
from ledger.log import Log
from ledger.policy.question import Decision
from projections.runner import StatusRunner
from projections.status import answer_at
from projections.views import FORM, NAME, Views


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
        self._lock = Lock()
        self._stack = ExitStack()
        self._open: tuple[str, Database, Driver] | None = None
        self._rules = (-1, "")
        # Names are ours and stand in the text: every value bound costs.
        self._statement = (
            f"SELECT segments, revision, (SELECT policy FROM generation WHERE form = '{FORM}'), "  # noqa: S608
            f"(SELECT position FROM tracking WHERE name = '{NAME}'), (SELECT max(position) FROM log.entry) "
            "FROM status WHERE contact = ? AND purpose = ? AND channel = ? AND address = ?"
        )

    def ask(self, contact: str, purpose: str, channel: str, address: str | None, at: datetime) -> Answer:
        """The answer at a moment for a contact's cell; `address` is an address id."""
        cell = (uuid_bytes(contact), purpose, channel, uuid_bytes(address) if address else b"")
        row = self._read(cell)
        if row is not None:
            segments, revision, policy, position, head = row
            if position == head and policy == self._rule_set(head):
                return Answer(answer_at(segments, policy, at), revision, head, True)
        return self._judged(contact, purpose, channel, address, at)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        with self._lock:
            self._leave()

    def _read(self, cell: tuple[object, ...]) -> Any:
        """The row where the answers in use were when they were last looked for; None: there is none."""
        with self._lock:
            name, database, driver = self._open or self._find()
            try:
                return driver.execute(self._statement, cell).fetchone()
            except database.dbapi.DatabaseError:
                self._leave()  # a connection that was lost is opened anew by whoever asks next
                if self._generations.current() == name:
                    raise
                self._find()  # it was dropped: the new one is asked next time, the folds now
                return None

    def _find(self) -> tuple[str, Database, Driver]:
        """A connection to the generation in use now."""
        self._leave()
        name = self._generations.current()
        database = self._generations.open(name, self._location)
        self._stack.callback(database.close)
        self._open = (name, database, self._stack.enter_context(database.reading()))
        return self._open

    def _leave(self) -> None:
        self._open = None
        self._stack.close()

    def _rule_set(self, head: int) -> str:
        """Hash of the rule set in force at a position."""
        if self._rules[0] != head:
            self._rules = (head, self._runner.rule_set(head))
        return self._rules[1]

    def _judged(self, contact: str, purpose: str, channel: str, address: str | None, at: datetime) -> Answer:
        """By the folds, where the rows are behind: one that was swapped away says so, and stays behind."""
        with self._lock:
            if self._open is not None and self._open[0] != self._generations.current():
                self._find()
        head = self._log.last_position()
        for status in self._runner.current(contact):
            if (status.purpose, status.channel, status.address) == (purpose, channel, address):
                return Answer(status.at(at), status.revision, head, False)
        return Answer(None, 0, head, False)
