"""Everything that runs while things go wrong: a broker behind a network that fails, and the program's processes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa

from adapters.kafka.mirror_schema import contacts
from adapters.kafka.topics import FACTS, STATUS
from tests.faults.cast import BY_ITSELF, Cast, leads
from tests.faults.proxy import Proxy
from tests.faults.schedule import Step
from tests.services import postgres
from tests.services.kafka import Broker, free_port
from tests.waiting import BUDGET, until


class Stage(Cast):
    """A world with its own broker and network, two publishers, two mirrors and a facts worker."""

    def __init__(self, folder: Path, broker: Broker, network: Proxy, database: str | None, mirror_url: str) -> None:
        super().__init__(folder, f"127.0.0.1:{network.port}", database)
        self.broker = broker
        self.network = network
        self._mirror_url = mirror_url
        self.mirror = sa.create_engine(mirror_url.replace("postgresql:", "postgresql+psycopg:"))

    @property
    def env(self) -> dict[str, str]:
        """The settings of every process."""
        return super().env | {"CONSENT_LEDGER_MIRROR_URL": self._mirror_url}

    @contextmanager
    def mirror_locked(self) -> Iterator[None]:
        """A batch that the mirror is given now waits in its transaction."""
        with self.mirror.connect() as connection:
            if self.mirror.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUDGET * 1_000:.0f}")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"LOCK TABLE {contacts.name} IN EXCLUSIVE MODE")
            yield
            connection.rollback()

    def ready(self) -> bool:
        """Whether everything has joined, and one publisher works."""
        workers = [*self.programs["mirror"], *self.programs["facts"]]
        return all(one.joined() for one in workers) and any(map(leads, self.programs["publish"]))

    def calm(self) -> float:
        """Wait until every fact is taken, published and mirrored; the seconds it took."""
        began = time.monotonic()
        self.await_rest("facts", FACTS)
        self.await_published()
        self.await_rest("mirror", STATUS)
        return time.monotonic() - began

    def close(self) -> None:
        """End everything."""
        super().close()
        self.mirror.dispose()


@contextmanager
def staged(folder: Path, kind: str) -> Iterator[Stage]:
    """A stage with its topics made and its processes at work; ledger and mirror in files, or in PostgreSQL."""
    with ExitStack() as stack:
        port = free_port()
        broker = Broker(folder / "kafka", advertised=port)
        stack.callback(lambda: broker.kill() if broker.pid else None)
        network = stack.enter_context(Proxy(port, broker.port))
        broker.start()
        if kind == "postgresql":
            database: str | None = stack.enter_context(postgres.fresh()).url
            mirror = stack.enter_context(postgres.fresh()).owner_url
        else:
            database, mirror = None, f"sqlite:///{folder / 'mirror.db'}"
        made = Stage(folder, broker, network, database, mirror)
        stack.callback(made.close)
        made.setup()
        for what in ("facts", "mirror", "mirror", "publish", "publish"):
            made.start(what)
        until(made.ready, made.said)
        yield made


# --- what goes wrong ------------------------------------------------------------------------------


def suffer(stage: Stage, step: Step, dice: random.Random) -> None:
    """One fault, for its time; then the time of peace after it."""
    _FAULTS[step.kind](stage, step.seconds, dice)
    time.sleep(step.peace)
    stage.supervise()


def _broker_killed(stage: Stage, seconds: float, _: random.Random) -> None:
    stage.broker.kill()
    time.sleep(seconds)
    stage.broker.start()


def _broker_stopped(stage: Stage, seconds: float, _: random.Random) -> None:
    stage.broker.stop()
    time.sleep(seconds)
    stage.broker.start()


def _mirror_killed(stage: Stage, seconds: float, dice: random.Random) -> None:
    with stage.mirror_locked():
        time.sleep(seconds)
        stage.replace("mirror", dice.choice(stage.programs["mirror"]))


def _facts_killed(stage: Stage, seconds: float, dice: random.Random) -> None:
    """What it recorded is in the log, and its answers are not out."""
    _killed_in_a_stall(stage, seconds, lambda: stage.replace("facts", dice.choice(stage.programs["facts"])))


def _publisher_killed(stage: Stage, seconds: float, _: random.Random) -> None:
    """What it sent has left, and nobody told it that it arrived."""
    _killed_in_a_stall(stage, seconds, lambda: stage.replace("publish", stage.leader()))


def _killed_in_a_stall(stage: Stage, seconds: float, kill: Callable[[], None]) -> None:
    stage.network.stall()
    time.sleep(seconds)
    kill()
    stage.network.cut()  # of what it had sent, half of a frame arrives
    stage.network.move()


def _join_and_leave(stage: Stage, seconds: float, dice: random.Random) -> None:
    joined = stage.start("mirror")
    until(lambda: joined.joined() or not joined.runs, joined.said)
    time.sleep(seconds)
    leaving = dice.choice(stage.programs["mirror"])
    stage.programs["mirror"].remove(leaving)
    assert leaving.stop() in (0, BY_ITSELF)


def _cut(stage: Stage, seconds: float, dice: random.Random) -> None:
    until_ = time.monotonic() + seconds
    while time.monotonic() < until_:
        stage.network.cut()
        time.sleep(dice.uniform(0.05, 0.6))


def _slow(stage: Stage, seconds: float, dice: random.Random) -> None:
    stage.network.slow(dice.uniform(0.05, 0.3))
    time.sleep(seconds)
    stage.network.slow(0)


def _stalled(stage: Stage, seconds: float, _: random.Random) -> None:
    stage.network.stall()
    time.sleep(seconds)
    stage.network.move()


_FAULTS: dict[str, Callable[[Stage, float, random.Random], None]] = {
    "broker killed": _broker_killed,
    "broker stopped": _broker_stopped,
    "mirror killed in a batch": _mirror_killed,
    "facts worker killed in a batch": _facts_killed,
    "publisher killed in a batch": _publisher_killed,
    "mirrors join and leave": _join_and_leave,
    "network cut": _cut,
    "network slow": _slow,
    "network stalled": _stalled,
}
