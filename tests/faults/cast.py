"""Processes that work together on one ledger, and are started again when one ends and asks for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from adapters.kafka.progress import Progress
from adapters.kafka.topics import EVENTS
from projections import outbox, views
from tests.adapters.kafka.stream_world import World, lag
from tests.ledgers import open_house
from tests.services.program import Program
from tests.waiting import until

BY_ITSELF = 75
"""The exit code that says: start me again."""


class Cast(World):
    """A world with a ledger in files or a database, and its processes by what they are."""

    def __init__(self, folder: Path, servers: str, database: str | None) -> None:
        super().__init__(folder, servers)
        self.by_itself = 0
        self.killed = 0
        self._database = {"CONSENT_LEDGER_DATABASE_URL": database} if database else {}
        self.house = open_house(folder / "ledger", self._database)
        self.programs: dict[str, list[Program]] = {}
        self._numbers = iter(range(1_000_000))

    @property
    def env(self) -> dict[str, str]:
        """The settings of every process."""
        return super().env | self._database

    def words(self, what: str) -> list[str]:
        """The command that is meant."""
        return ["streams", "publish"] if what == "publish" else ["streams", "worker", what]

    def env_of(self, what: str) -> dict[str, str]:  # noqa: ARG002 - some casts have settings for one process
        """The settings of one of them."""
        return self.env

    def start(self, what: str) -> Program:
        """Start one more."""
        log = self.folder / f"{what}-{next(self._numbers)}.log"
        started = Program(self.words(what), self.env_of(what), log)
        self.programs.setdefault(what, []).append(started)
        return started

    def supervise(self) -> None:
        """Start again what ended by itself and asks for it, as an orchestrator does; anything else is a failure."""
        for what, running in self.programs.items():
            for one in [one for one in running if not one.runs]:
                ended = one.ended()
                assert ended == BY_ITSELF, f"{what} ended with {ended}: {one.said()[-4_000:]}"
                self.by_itself += 1
                running.remove(one)
                self.start(what)

    def replace(self, what: str, one: Program) -> None:
        """Kill one, and start another."""
        self.kill(what, one)
        self.start(what)

    def kill(self, what: str, one: Program) -> None:
        """Kill one, and leave its place empty."""
        one.kill()
        self.killed += 1
        self.programs[what].remove(one)

    def leader(self) -> Program:
        """The publisher that works, by what it said; else one of them."""
        return next((one for one in self.programs["publish"] if leads(one)), self.programs["publish"][0])

    def all_published(self, progress: Progress) -> bool:
        """Whether the topics tell everything that the log holds."""
        head = self.house.ledger.log.last_position()
        with self.house.views.snapshot() as driver:
            followed = views.held(driver).position == head and not outbox.waiting(driver)
        return followed and progress.position(self.topic(EVENTS)) == head

    def await_published(self) -> None:
        """Wait until they do."""
        with closing(Progress.open(self.house)) as progress:
            self.await_that(lambda: self.all_published(progress))

    def await_rest(self, group: str, topic: str) -> None:
        """Wait until a group has done all of a topic."""
        with lag(self.servers, f"{self.prefix}consent-ledger-{group}", self.topic(topic)) as left:
            self.await_that(lambda: left() == 0)

    def await_that(self, done: Callable[[], bool]) -> None:
        """Wait for something, while what ends is started again."""

        def looked() -> bool:
            self.supervise()
            return done()

        until(looked, self.said)

    def said(self) -> str:
        """The last words of all."""
        return "\n".join(one.said()[-1_500:] for running in self.programs.values() for one in running)

    def close(self) -> None:
        """End everything."""
        for running in self.programs.values():
            for one in running:
                one.kill()
        super().close()
        self.house.__exit__()


def leads(publisher: Program) -> bool:
    """By the last of the two things it says of it."""
    said = publisher.said()
    return publisher.runs and said.rfind("is the active one") > said.rfind("has taken over")
