"""The doors in any order: exports, deals, webhooks, facts over HTTP and a pull of a portal get the same answers."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.crew import Brief
from adapters.fact_models import SET_HERE
from adapters.hubspot.api.client import Client
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.pull.cursors import Cursors
from adapters.hubspot.pull.ours import OurApp
from adapters.hubspot.pull.pulling import pull_all
from adapters.hubspot.pull.run import Pull
from adapters.importing import imported
from adapters.inputs import sort_inputs
from adapters.mailchimp.webhooks import MailchimpReceiver
from adapters.receiving import Accepted, Receiver, Sent
from adapters.recording import record_all
from adapters.wiring import House, now
from ledger.application import Fact
from ledger.codec import topic_of
from ledger.terms import MARKETING_PURPOSES
from tests.adapters.arriving import DECLARED, NOW, SAYS, A, B, Deed, allowed_at, event_of
from tests.adapters.hubspot_hooks import BEGAN, body_of, happened, notice, receiver, sent
from tests.adapters.web.world import Served, served
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import State

D = "d@x.example"
EVERYBODY = (A, B, D)
OTHERS = [f"{number},{number}@y.example,,,Germany," for number in range(2_000, 2_040)]
"""Rows of people with whom nothing happens: an export in which most addresses are new would be another portal's."""
SECRET = "a-long-and-secret-tail"  # noqa: S105 - of a test
HUBSPOT, MAILCHIMP = receiver(), MailchimpReceiver([SECRET])
HEADER = "Record ID,Email,Additional email addresses,Unsubscribed from all email,Country/Region,Last Modified Date"


class Shown(NamedTuple):
    """A row of a contacts export."""

    record: int
    email: str
    also: tuple[str, ...]
    opted_out: bool
    country: str


class Step(NamedTuple):
    """One thing that comes in by one door; `day` and `number` tell it from all others."""

    door: str
    day: int
    said: Any = None


class Doors:
    """A served ledger with a portal beside it, and each door of it."""

    def __init__(self, one: Served, folder: Path, portal: Fake) -> None:
        self._served, self._folder, self._portal = one, folder, portal
        self.house: House = one.house
        self._doors: dict[str, Callable[[Step], None]] = {
            "export": self._export,
            "deals": self._deals,
            "hubspot": self._hubspot,
            "mailchimp": self._mailchimp,
            "http": self._http,
            "pull": self._pull,
        }

    def take(self, step: Step) -> None:
        """Let a step come in by its door."""
        self._doors[step.door](step)

    def know_others(self) -> None:
        """Before anything else, people whom no step is about."""
        self._import("contacts", Step("export", 1_000), HEADER, *OTHERS)

    def _export(self, step: Step) -> None:
        shown: Shown = step.said
        day = NOW - timedelta(days=step.day)
        row = f"{shown.record},{shown.email},{';'.join(shown.also)},{'Yes' if shown.opted_out else ''},{shown.country}"
        self._import("contacts", step, HEADER, f"{row},{day:%Y-%m-%d %H:%M}", *OTHERS)

    def _deals(self, step: Step) -> None:
        day = NOW - timedelta(days=step.day)
        header = "Deal ID,Deal Name,Deal Stage,Pipeline,Close Date,Associated Contact IDs"
        self._import("deals", step, header, f"{step.day},D,Closed Won,Shop,{day:%Y-%m-%d},{step.said}")

    def _import(self, name: str, step: Step, *lines: str) -> None:
        path = self._folder / f"{name}-{step.day}.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        moment = (NOW - timedelta(days=step.day)).timestamp()
        os.utime(path, (moment, moment))
        with imported(self.house, sort_inputs([path], stops=[]), workers=1) as done:
            assert not done.rejected
            verdicts = list(done.crew.verdicts(Brief(datetime.now(UTC) + timedelta(days=1), None)))
            for verdict in verdicts:
                known = self.house.ledger.vault.find_address(verdict.email or "")
                if known is not None:
                    at = datetime.now(UTC) + timedelta(days=1)
                    ask = [self.house.gate.ask(known[0], p, "email", known[1], at) for p in MARKETING_PURPOSES]
                    assert verdict.allowed == any(given.allowed for given in ask), verdict

    def _hubspot(self, step: Step) -> None:
        kind, record, value = step.said
        at = {"at": step.day * 1_000, "eventId": step.day}
        if kind == "propertyChange":
            name, text = value
            said = notice(record, text, propertyName=name, **at)
        elif kind == "merge":
            said = happened(kind, record, primaryObjectId=record, mergedObjectIds=[value], newObjectId=record, **at)
        else:
            said = happened(kind, record, **at)
        moment = datetime.fromtimestamp(BEGAN / 1_000, UTC) + timedelta(days=400)
        self._hear(HUBSPOT, sent(body_of(said), moment))

    def _mailchimp(self, step: Step) -> None:
        kind, fields = step.said
        at = NOW - timedelta(days=step.day)
        said = {"type": kind, "fired_at": f"{at:%Y-%m-%d %H:%M:%S}", "data[list_id]": "a6b5da1054"}
        body = urlencode(said | {f"data[{name}]": value for name, value in fields.items()}).encode()
        self._hear(MAILCHIMP, Sent("POST", SECRET, {}, body, at))

    def _hear(self, sender: Receiver, request: Sent) -> None:
        accepted = sender.accept(request)
        assert isinstance(accepted, Accepted), accepted
        for heard in sender.hear(self.house, accepted.deliveries):
            record_all(self.house.ledger, heard.sayings)

    def _http(self, step: Step) -> None:
        deed: Deed = step.said
        fact = event_of(deed, "", None, None)
        assert fact is not None
        data = {name: value for name, value in msgspec.to_builtins(fact).items() if name not in {*SET_HERE, "type"}}
        person = {"email": deed.email, "system": "hubspot", "record_id": deed.record}
        data["person"] = {name: value for name, value in person.items() if value is not None}
        body = {"source": "shop", "id": f"{step.day}", "type": topic_of(fact), "data": data}
        answer = self._served.post("/v1/facts", body, "writer")
        assert answer.status_code == 201, answer.text

    def _pull(self, _: Step) -> None:
        connection = Connection(self._portal.url, SecretStr(self._portal.token))
        with (
            Client(connection, time.monotonic, lambda s: time.sleep(s / 100), random.random, patience=10) as client,
            closing(Cursors.open(self.house)) as cursors,
        ):
            run = Pull(self.house, Portal(client), cursors, now, OurApp(self._portal.app_id))
            assert pull_all(run, ("contacts", "statuses")) == []


def answers_after(steps: Sequence[Step], portal: Fake, *, follow: bool) -> dict[str, tuple[str, ...]]:
    """What is allowed at each address; the service, the gate, the audit and a rebuild say the same."""
    with TemporaryDirectory() as home, served(Path(home) / "ledger", following=False) as one:
        house = one.house
        house.describe_controller("Nordlicht GmbH", "DE", None)
        house.ledger.record_many(Fact(declared, declared.key) for declared in DECLARED)
        doors = Doors(one, Path(home), portal)
        doors.know_others()
        for step in steps:
            doors.take(step)
            if follow:
                house.runner.follow(once=True)
        found = allowed_at(house, EVERYBODY)
        house.runner.follow(once=True)
        assert house.runner.replay().equal
        assert allowed_at(house, EVERYBODY) == found
        for email, purposes in found.items():
            assert one.allowed(email=email) == ("marketing.similar" in purposes)
        return found


emails, records = st.sampled_from([A, A, B, D]), st.sampled_from([1001, 1001, 1002, 1003])
exports = st.builds(
    Shown,
    records,
    emails,
    st.lists(st.sampled_from([B, D]), max_size=2, unique=True).map(tuple),
    st.sampled_from([False, False, True]),
    st.sampled_from(["Germany", "Canada", "", ""]),
)
deeds = st.builds(
    Deed,
    st.sampled_from([A, A, B, D, None]),
    st.sampled_from(["1001", "1001", "1002", "1003", None]),
    st.sampled_from(["yes"] * 8 + ["sale", "subscribed", *SAYS]),
    st.just(0),
    st.just(True),
    st.none(),
).filter(lambda deed: deed.email is not None or deed.record is not None)
notices = st.one_of(
    st.tuples(st.just("propertyChange"), records, st.tuples(st.just("email"), emails)),
    st.tuples(st.just("propertyChange"), records, st.tuples(st.just("hs_email_optout"), st.just("true"))),
    st.tuples(st.sampled_from(["deletion", "restore"]), records, st.none()),
    st.tuples(st.just("merge"), st.just(1001), st.sampled_from([1002, 1003])),
)
members = st.one_of(
    st.tuples(st.just("unsubscribe"), emails.map(lambda one: {"email": one, "action": "unsub", "reason": "manual"})),
    st.tuples(st.just("subscribe"), emails.map(lambda one: {"email": one, "ip_signup": "192.0.2.1"})),
    st.tuples(
        st.just("upemail"), st.sampled_from([B, D]).map(lambda one: {"old_email": A, "new_email": one, "new_id": "n"})
    ),
)
SAID_BY: dict[str, st.SearchStrategy[Any]] = {
    "export": exports,
    "deals": records,
    "hubspot": notices,
    "mailchimp": members,
    "http": deeds,
    "pull": st.none(),
}


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Steps by several doors, each of a day of its own; the portal is read at most once."""
    days = draw(st.lists(st.integers(2, 900), min_size=2, max_size=7, unique=True))
    doors = [draw(st.sampled_from(["export", "deals", "hubspot", "mailchimp", "http", "http"])) for _ in days]
    if draw(st.booleans()):
        doors[0] = "pull"
    steps = []
    for door, day in zip(doors, days, strict=True):
        said = draw(SAID_BY[door])
        steps.append(Step(door, day, said._replace(day=day) if isinstance(said, Deed) else said))
    return steps


@st.composite
def portals(draw: st.DrawFn) -> State:
    """What the portal shows: up to three contacts, some with another address, some opted out."""
    state = State(rate=None)
    own = draw(st.permutations([A, B, D]))
    for place, email in enumerate(own[: draw(st.integers(1, 3))]):
        also = own[2:] if place == 0 and len(state.contacts.by_id) == 0 and draw(st.booleans()) else []
        if email not in state.contacts.by_email:
            state.add_contact(email, also=also)
    return state


@given(histories(), portals(), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_order_of_doors_gets_the_same_answers(
    steps: list[Step], portal: State, dice: random.Random, follow: bool
) -> None:
    with fake(portal) as running:
        expected = answers_after(steps, running, follow=not follow)
        event(f"something is allowed: {any(expected.values())}")
        assert answers_after(dice.sample(steps, len(steps)), running, follow=follow) == expected
