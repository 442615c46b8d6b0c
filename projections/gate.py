"""The gate: one cell's answer at one moment, never older than the newest entry of the log.

One statement reads the row, what the rows say of themselves, and the log's newest entries. A row is served where the
rows stand at the log's very last entry, the row is as this ledger wrote it, and no entry of the contact is newer.
Otherwise the runner folds and judges on the spot; where the log itself is damaged, the gate is closed.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

from ledger.codec import BrokenEntryError
from ledger.damage import DamagedError
from ledger.database import Database, Driver, Location, uuid_bytes
from ledger.log import Log
from ledger.policy.question import Decision
from ledger.stores import mark_of
from projections.runner import StatusRunner
from projections.status import answer_at
from projections.views import FORM, NAME, Views

DAMAGED = "log_damaged"
"""Why the gate is closed: the log misses entries."""


class Answer(NamedTuple):
    """What the gate says. `decision` None: no fact names that cell, so nothing allows it.

    position  how far the log had come; the answer counts every entry up to there
    current   whether the row was current; else it was judged on the spot
    closed    why nothing is answered at all; None: the gate is open
    """

    decision: Decision | None
    revision: int
    position: int
    current: bool
    closed: str | None = None

    @property
    def allowed(self) -> bool:
        """Absent is no."""
        return self.decision is not None and self.decision.allowed


class _Vouched(NamedTuple):
    """What was found of rows that say this of themselves, beside this last entry: none is older than `least`."""

    said: tuple[object, ...]
    least: int


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
        self._soundness = runner.soundness
        self._check = views.binding.check
        self._vouched: _Vouched | None = None
        # Names are ours and stand in the text: every value bound costs.
        ledger, epoch = (text.replace("'", "''") for text in views.binding.source)
        self._statement = (
            "SELECT s.segments, s.next_change, s.revision, s.mac, g.policy, t.hash, h.position, h.state "  # noqa: S608
            f"FROM status s JOIN generation g ON g.form = '{FORM}' JOIN tracking t ON t.name = '{NAME}' "
            f"AND t.ledger = '{ledger}' AND t.epoch = '{epoch}' AND t.position = (SELECT max(position) FROM log.entry) "
            "JOIN log.entry h ON h.position = t.position "
            "WHERE s.contact = ? AND s.purpose = ? AND s.channel = ? AND s.address = ? AND s.revision >= "
            "(SELECT n.position FROM log.entry n WHERE n.stream = s.contact ORDER BY n.version DESC LIMIT 1)"
        )

    def ask(self, contact: str, purpose: str, channel: str, address: str | None, at: datetime) -> Answer:
        """The answer at a moment for a contact's cell; `address` is an address id."""
        who, where = uuid_bytes(contact), uuid_bytes(address) if address else b""
        try:
            row = self._read((who, purpose, channel, where))
            if row is not None:
                segments, next_change, revision, mac, policy, known_hash, head, state = row
                said, rules = (policy, known_hash, head, state), self._vouched
                if rules is None or rules[0] != said or self._soundness.trouble or head < self._soundness.seen:
                    rules = self._vouch(said)
                if (
                    rules is not None
                    and revision >= rules[1]
                    and mac == self._check(who, purpose, channel, where, segments, next_change, revision)
                ):
                    return Answer(answer_at(segments, policy, at), revision, head, True)
            return self._judged(contact, purpose, channel, address, at)
        except (DamagedError, BrokenEntryError):
            return Answer(None, 0, self._head(), False, DAMAGED)

    def _head(self) -> int:
        """How far the log has come; 0 where that cannot be read either."""
        try:
            return self._log.last_position()
        except DamagedError:
            return 0

    def _vouch(self, said: tuple[str, bytes, int, bytes]) -> _Vouched | None:
        """What holds of rows that say they stand at the log's last entry; None: they do not, or not by these rules."""
        policy, known_hash, head, state = said
        last = mark_of(head, state)
        if last.hash != known_hash or self._soundness.trouble:
            return None
        self._soundness.refuse_gaps(last)
        setting = self._runner.setting_at(last)
        if policy != setting.policy.hash:
            return None
        self._vouched = _Vouched(said, setting.position)
        return self._vouched

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
