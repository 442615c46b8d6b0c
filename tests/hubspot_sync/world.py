"""A ledger and a portal that are kept in step, on one clock that only what waits or acts moves on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from pydantic import SecretStr

from adapters.hubspot.api.client import Client
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.changes import SYSTEM, Change, Changes
from adapters.hubspot.sync.apply import Sync
from adapters.hubspot.sync.standing import asked
from adapters.hubspot.sync.store import Book
from adapters.recording import Saying, record_all
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.policy.judge import Bench
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Question
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from ledger.vault import Registration
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import APP, State
from tests.ledgers import open_ledger

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
SIGN_UP: dict[str, Any] = {
    "act": "unticked_box",
    "channels": ("email",),
    "to": ("own",),
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
    "by": "data_subject",
}


class Crash(BaseException):
    """The process ends here."""


class Clock:
    """Goes on by a second each time somebody acts, and by as long as somebody sleeps."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> datetime:
        return self.at

    def tick(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, 0.01))


class World:
    """Both sides, and everything that can happen to them."""

    def __init__(self, folder: Path, there: Fake, clock: Clock, stack: ExitStack, cap: int | None = None) -> None:
        self.clock, self.there, self.state = clock, there, there.state
        ledger = open_ledger(folder, clock.now, os.urandom, {})
        self.house = stack.enter_context(House(folder, ledger))
        self.book = stack.enter_context(Book.open(self.house))
        self.after_call: Callable[[], None] = lambda: None
        connection = Connection(there.url, SecretStr(there.token))
        self.client = stack.enter_context(
            Client(connection, clock.seconds, clock.sleep, Random(1).random, told=self._told, threads=1)
        )
        self.portal = Portal(self.client)
        self.sync = Sync(self.house, self.portal, self.book, clock.now, cap)
        self.records: list[int] = []
        self.heard: list[Change] = []
        self._waiting: list[Change] = []
        self.state.journal.listeners.append(self._listen)
        self.house.describe_controller("Sample Goods GmbH", "DE", "DE")
        self.sync.prepare()

    def _told(self, *_: object) -> None:
        self.after_call()

    def _listen(self, event: Any) -> None:
        if event.kind == "contact.propertyChange":
            at = datetime.fromtimestamp(event.at / 1000, UTC)
            actor = event.actor
            self._waiting.append(Change(str(event.record), event.name, event.value, at, actor.source, actor.id))

    # --- people ---------------------------------------------------------------------------------

    def person(self, email: str) -> int:
        """Somebody in the portal whom the ledger knows."""
        record = self.state.add_contact(email)
        self.house.ledger.register_many([Registration(email, SYSTEM, str(record))])
        self.records.append(record)
        return record

    def contact(self, email: str) -> str:
        return self.house.find(email)[0]

    def says(self, email: str, cls: type[e.Event], **fields: Any) -> int:
        """The ledger hears of something that happens now."""
        contact, address = self.house.find(email)
        at = self.clock.tick()
        event = cls(stream=contact, source="shop", address=address, occurred_from=at, **fields)
        position = self.house.ledger.record(Fact(event)).position
        self.clock.tick()
        return position

    def opts_in(self, email: str, *purposes: str) -> int:
        return self.says(email, e.OptedIn, purposes=purposes or ("marketing.*",), **SIGN_UP)

    def opts_out(self, email: str, *purposes: str) -> int:
        return self.says(
            email, e.OptedOut, by="data_subject", purposes=purposes or ("marketing.*",), channels=("email",)
        )

    def declares(self, name: str, *purposes: str, withdrawn: bool = False) -> None:
        """What a subscription type means; or that this does not hold any more."""
        self.clock.tick()
        self.house.ledger.record(
            Fact(
                e.TypeDeclared(
                    stream=LEDGER_STREAM,
                    source="cli",
                    by="officer",
                    key=f"type:{name}",
                    withdrawn=withdrawn,
                    subscription_type=name,
                    purposes=purposes,
                    evidence=("f" * 64,),
                )
            )
        )

    # --- the way back ---------------------------------------------------------------------------

    def hear(self, random: Random) -> int:
        """Take what the portal told since, in any order, some of it twice, and some of what was told before again."""
        waiting, self._waiting = self._waiting, []
        told = waiting + random.sample(waiting, len(waiting) // 3) + random.sample(self.heard, len(self.heard) // 5)
        random.shuffle(told)
        self.heard += waiting
        types = {str(one.id): one.name for one in self.state.addresses.types.values()}
        changes = Changes(types, lambda change: change.source_id == str(APP))
        vault = self.house.ledger.vault
        for change in told:
            row = vault.find_record(SYSTEM, change.record_id)
            email = vault.address_text(row.address) if row and row.address else None
            who = Registration(email if isinstance(email, str) else None, SYSTEM, change.record_id, False)
            record_all(self.house.ledger, [Saying(who, said.event, said.source_id) for said in changes.facts(change)])
        return len(told)

    # --- what must hold -------------------------------------------------------------------------

    def flips_by_us(self) -> list[Any]:
        """Addresses that our app turned on after they were out."""
        return [one for one in self.state.turned_on() if one.actor.id == str(APP)]

    def everybody(self) -> list[str]:
        with self.house.views.snapshot():
            pass
        vault = self.house.ledger.vault
        found = vault.known_records(SYSTEM, [str(record) for record in self.records])
        return sorted({row.contact for row in found.values()})

    def missing_stops(self) -> list[str]:
        """Stops that the ledger holds of an address which HubSpot still has on a record, and does not show."""
        about = asked(self.house, self.clock.now())
        missing: list[str] = []
        for record in list(self.state.contacts.by_id.values()):
            for email in () if record.archived else record.addresses:
                found = self.house.ledger.vault.find_address(email)
                if found is not None:
                    missing += [f"{record.id} {one}" for one in self._missing(email, *found, about)]
        return missing

    def _missing(self, email: str, contact: str, address: str, about: Any) -> Iterator[str]:
        bench = Bench(self.house.group(self.house.contacts([contact])[contact]), *about.setting[:2])
        laws = candidates(bench.dossier.country_entries(), about.setting.catalogue)
        stopped = set()
        for purpose in MARKETING_PURPOSES:
            question = Question(purpose=purpose, channel="email", at=about.at, address=address, jurisdictions=laws)
            decision, _ = bench.decide(question)
            if not decision.allowed and decision.reason in ("opted_out", "objected", "complained"):
                stopped.add(purpose)
        shown = self.state.address(email)
        if shown.all_out:
            return
        if stopped == set(MARKETING_PURPOSES):
            yield "all"
        for kind in self.state.addresses.types.values():
            means = about.types.get(kind.name.lower().replace(" ", "-"))
            state = shown.types.get(kind.id)
            left = state is not None and state.status == "UNSUBSCRIBED"
            if means and stopped & set(means) and not left:
                yield kind.name


@contextmanager
def world(folder: Path, cap: int | None = None) -> Iterator[World]:
    """Both sides, running."""
    clock = Clock()
    with ExitStack() as stack:
        there = stack.enter_context(fake(State(clock=clock.seconds, rate=None)))
        yield World(folder, there, clock, stack, cap)


def written(steps: Sequence[Any]) -> bytes:
    """Steps for a message of a failing test."""
    return msgspec.json.encode([step._asdict() for step in steps])
