"""Everything that keeps HubSpot in step, while things go wrong: a broker, a HubSpot, and the program's processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from adapters.hubspot.sync.store import Book
from adapters.inbox import Inbox
from adapters.kafka.topics import STATUS
from adapters.web.keys import KeyFile
from adapters.wiring import now
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from tests.faults.cast import Cast, leads
from tests.faults.crm_acts import MEANS, PEOPLE, POSTMARK
from tests.hubspot.service import SECRET, fake
from tests.hubspot.state import APP, SCOPES, TOKEN, App, State
from tests.hubspot.webhooks import WebhookSender
from tests.services import postgres
from tests.services.kafka import Broker, free_port
from tests.waiting import until

VERSIONS = ("legacy", "2026-03")
PUBLIC = "https://consent.example.org"
WORKERS = ("crm-0", "crm-1")
_ROUNDS = 30
_GROUP = "crm"


class CrmStage(Cast):
    """A HubSpot that comes and goes, a service, a publisher, and two workers that keep HubSpot in step.

    By the seed the portal has the batch calls for subscriptions or not, and is asked by its old paths or its new.
    """

    def __init__(self, folder: Path, broker: Broker, database: str | None, seed: int) -> None:
        super().__init__(folder, broker.url, database)
        self.broker, self.state = broker, State(seed=seed)
        self.version, self.has_batches = VERSIONS[seed // 4 % 2], seed // 2 % 3 != 1
        self.port, self._hubspot_port = free_port(), free_port()
        self._hubspot: ExitStack | None = None
        self.url = f"http://127.0.0.1:{self.port}"
        for name in WORKERS:  # one app, known to us by two tokens: so it is told which worker made a call
            self.state.add_app(App(APP, name, set(SCOPES)), f"{TOKEN}-{name}")
            self.state.rates[f"{TOKEN}-{name}"] = self.state.rates[TOKEN]
        self.state.enterprise(self.has_batches)
        if not self.has_batches:  # two calls for each address: most of a run would be waiting
            self.state.limit(500)
        self.hubspot_comes()
        hook = "/webhooks/hubspot"
        self.sender = WebhookSender(self.state, self.url + hook, SECRET, public_url=PUBLIC + hook, seed=seed)

    @property
    def env(self) -> dict[str, str]:
        """The settings of every process."""
        return super().env | {
            "CONSENT_LEDGER_PUBLIC_URL": PUBLIC,
            "CONSENT_LEDGER_HTTP_PORT": str(self.port),
            "CONSENT_LEDGER_HUBSPOT_URL": f"http://127.0.0.1:{self._hubspot_port}",
            "CONSENT_LEDGER_HUBSPOT_API": self.version,
            "CONSENT_LEDGER_HUBSPOT_TOKEN": TOKEN,
            "CONSENT_LEDGER_HUBSPOT_SECRET": SECRET,
            "CONSENT_LEDGER_HUBSPOT_APP": str(APP),
            "CONSENT_LEDGER_POSTMARK_SECRET": ":".join(POSTMARK),
        }

    @property
    def portal(self) -> str:
        """Which kind of portal it is."""
        return f"{self.version}, {'batches' if self.has_batches else 'no batches'}"

    def words(self, what: str) -> list[str]:
        """The command that is meant."""
        if what in WORKERS:
            return ["streams", "worker", "crm", "--apply"]
        return ["serve"] if what == "serve" else super().words(what)

    def env_of(self, what: str) -> dict[str, str]:
        """A worker has a token of its own."""
        return self.env | ({"CONSENT_LEDGER_HUBSPOT_TOKEN": f"{TOKEN}-{what}"} if what in WORKERS else {})

    # --- HubSpot ----------------------------------------------------------------------------------

    def hubspot_comes(self) -> None:
        """It answers, where it always did."""
        self._hubspot = ExitStack()
        self._hubspot.enter_context(fake(self.state, port=self._hubspot_port))

    def hubspot_goes(self) -> None:
        """Nobody listens there any more."""
        if self._hubspot is not None:
            self._hubspot.close()
            self._hubspot = None

    def written(self) -> int:
        """How much the workers changed there so far."""
        with self.state.lock:
            return sum(one.actor.label in WORKERS for one in self.state.journal.changes)

    # --- from beginning to end --------------------------------------------------------------------

    def prepare(self) -> None:
        """What somebody does before the program is left alone with a portal."""
        for number in range(PEOPLE):
            self.state.add_contact(f"person{number}@example.org", quietly=True)
        self.house.describe_controller("Sample Goods GmbH", "DE", "DE")
        names = {kind.id: kind.name for kind in self.state.addresses.types.values()}
        for kind, purpose in MEANS.items():
            name = names[kind].lower().replace(" ", "-")
            self.house.ledger.record(Fact(_declared(name, purpose)))
        self.pull()
        with Book.open(self.house) as book:
            book.approve(10_000, 0, ("Ada", "DPO", "a test of faults"), now())

    def pull(self) -> None:
        """Everything that HubSpot shows."""
        pulled = self.run("hubspot", "pull")
        assert pulled.returncode == 0, pulled.stderr

    def key(self) -> dict[str, str]:
        """What lets somebody submit facts."""
        secret = KeyFile(self.house.directory).add("shop", "writer", now(), os.urandom)
        return {"authorization": f"Bearer {secret}"}

    def ready(self) -> bool:
        """Whether everything works."""
        (service,), workers = self.programs["serve"], [one for name in WORKERS for one in self.programs[name]]
        return service.ready() and all(one.joined() for one in workers) and any(map(leads, self.programs["publish"]))

    def calm(self) -> float:
        """Wait until nothing moves any more, look at all of HubSpot once, and wait again; the seconds it took.

        Between them the portal's workflow and HubSpot's update date do what is theirs: no write of ours could.
        """
        began = time.monotonic()
        self.settle()
        self.state.run_workflow()
        self.state.update_date()
        self.settle()
        self.pull()
        self.settle()
        return time.monotonic() - began

    def settle(self) -> None:
        """Wait until everything is delivered, heard, published and written, and nothing came of that."""
        for _ in range(_ROUNDS):
            head, changes = self.house.ledger.log.last_position(), len(self.state.changes())
            self.await_that(lambda: self.sender.settled(0.1))
            self.await_that(lambda: self.inbox()[0] == 0)
            self.await_published()
            self.await_rest(_GROUP, STATUS)
            if (head, changes) == (self.house.ledger.log.last_position(), len(self.state.changes())):
                return
        raise AssertionError("ledger and HubSpot go on answering each other")

    def inbox(self) -> tuple[int, int]:
        """How many deliveries wait, and how many are dead."""
        box = Inbox.open(self.house)
        try:
            return box.counts()
        finally:
            box.close()

    def close(self) -> None:
        """End everything."""
        self.sender.close()
        super().close()
        self.hubspot_goes()


def _declared(name: str, purpose: str) -> e.TypeDeclared:
    return e.TypeDeclared(
        stream=LEDGER_STREAM,
        source="cli",
        by="officer",
        key=f"type:{name}",
        withdrawn=False,
        subscription_type=name,
        purposes=(purpose,),
        evidence=("f" * 64,),
    )


@contextmanager
def crm_staged(folder: Path, kind: str, seed: int) -> Iterator[CrmStage]:
    """A stage with its processes at work; the ledger in files, or in PostgreSQL."""
    with ExitStack() as stack:
        broker = Broker(folder / "kafka")
        stack.callback(lambda: broker.kill() if broker.pid else None)
        broker.start()
        database = stack.enter_context(postgres.fresh()).url if kind == "postgresql" else None
        made = CrmStage(folder, broker, database, seed)
        stack.callback(made.close)
        made.setup()
        made.prepare()
        for what in ("serve", "publish", *WORKERS):
            made.start(what)
        until(made.ready, made.said)
        stack.enter_context(made.sender)
        yield made
