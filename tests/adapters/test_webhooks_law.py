"""The law of webhooks: however they come, in whatever order, doubled and in portions, the answers are the same."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from adapters.inbox import Inbox
from adapters.logs import Lines
from adapters.metrics import Metrics
from adapters.receiving import Accepted
from adapters.webhooks import Actor
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.vault import Registration
from projections import views
from projections.status import unpack
from tests.adapters.hubspot_hooks import APP, BEGAN, body_of, notice, receiver, sent
from tests.ledgers import open_ledger

PEOPLE = 3
BEGIN = datetime.fromtimestamp(BEGAN / 1_000, UTC)
NOW = BEGIN + timedelta(days=400)
VALUES = {
    "hs_email_optout": ("true", "false", ""),
    "hs_email_optout_77": ("true", "false"),
    "hs_marketable_status": ("true", "false"),
    "hs_legal_basis": ("Freely given consent from contact", "Performance of a contract", ""),
    "hs_email_quarantined_reason": ("RECIPIENT_COMPLAINT", ""),
    "hs_email_hard_bounce_reason": ("UNKNOWN_USER", ""),
    "firstname": ("Ada",),
}
SOURCES = (("EMAIL", ""), ("CRM_UI", "userId:1"), ("IMPORT", "9"), ("INTEGRATION", str(APP)), ("INTEGRATION", "4712"))


@st.composite
def notices(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A true history: what happened, in its order. Of two things at one moment nobody could say which was first."""
    made: dict[tuple[int, int], dict[str, Any]] = {}
    for number in range(draw(st.integers(1, 14))):
        name = draw(st.sampled_from(list(VALUES)))
        record, at = draw(st.integers(1, PEOPLE)), draw(st.integers(0, 20)) * 1_000
        source, by = draw(st.sampled_from(SOURCES))
        value = draw(st.sampled_from(VALUES[name]))
        fields = {"propertyName": name, "changeSource": source, "sourceId": by, "eventId": number}
        made.setdefault((record, at), notice(record, value, at, **fields))
    return sorted(made.values(), key=lambda one: int(one["occurredAt"]))


@st.composite
def deliveries(draw: st.DrawFn, told: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The same as it may come: in any order, some of it again, in requests of any size."""
    again = draw(st.lists(st.sampled_from(told), max_size=6))
    found = draw(st.permutations([*told, *(one | {"attemptNumber": 3} for one in again)]))
    requests, left = [], list(found)
    while left:
        size = draw(st.integers(1, len(left)))
        requests.append(left[:size])
        left = left[size:]
    return requests


def answers(requests: Sequence[Sequence[dict[str, Any]]], opt_ins: Sequence[int], *, several: bool) -> list[Any]:
    """What a ledger says of everybody after these requests; `several` actors share them."""
    with tempfile.TemporaryDirectory() as folder, _house(Path(folder) / "ledger") as house:
        whom = [Registration(f"person{n}@example.org", "hubspot", str(n)) for n in range(1, PEOPLE + 1)]
        people = house.ledger.register_many(whom)
        for person, seconds in zip(people, opt_ins, strict=False):
            house.ledger.record(Fact(_opt_in(person.contact, person.address, BEGIN + timedelta(seconds=seconds))))
        sender = receiver()
        with closing(Inbox.open(house)) as inbox:
            actors = [_actor(house, inbox, sender, str(n)) for n in range(2 if several else 1)]
            for number, request in enumerate(requests):
                accepted = sender.accept(sent(body_of(*request), NOW))
                assert isinstance(accepted, Accepted)
                inbox.keep("hubspot", accepted.deliveries, NOW)
                if number % 2:
                    actors[number % len(actors)].act()
            while any(actor.act() for actor in actors):
                pass
            assert inbox.counts() == (0, 0)
        house.runner.follow(once=True)
        return [_told(house, person.contact) for person in people]


def _house(folder: Path) -> House:
    """A ledger whose clock stands still: when it came to know is no part of an answer here."""
    return House(folder, open_ledger(folder, lambda: NOW, os.urandom, {}))


def _opt_in(contact: str, address: str | None, at: datetime) -> e.OptedIn:
    return e.OptedIn(
        stream=contact,
        source="shop",
        address=address,
        occurred_from=at,
        by="data_subject",
        act="unticked_box",
        purposes=("marketing.similar",),
        channels=("email",),
        to=("own",),
        informed=True,
        specific=True,
        proof="individual",
        address_verified=True,
        verifies_channel="email",
    )


def _actor(house: House, inbox: Inbox, sender: Any, holder: str) -> Actor:
    lines = Lines(io.StringIO(), lambda: NOW)
    return Actor(house, inbox, [sender], lines, Metrics(CollectorRegistry()), lambda: NOW, holder)


def _told(house: House, contact: str) -> Any:
    """The rows of a contact without the places where its facts stand, and those facts."""
    with house.views.snapshot() as driver:
        rows = views.rows_of_contact(driver, contact)
    segments = [(purpose, channel, _course(packed)) for _, purpose, channel, _, packed, *_ in rows]
    facts = sorted(
        str(msgspec.structs.replace(entry.event, stream="", address=None, record=None, sid=None, recorded_at=None))
        for entry in house.entries(contact)
        if not isinstance(entry.event, e.AddressLinked)
    )
    return segments, facts


def _course(packed: bytes) -> list[Any]:
    """An answer and when it becomes another. Of several stops that stand, it names the one recorded last."""
    course: list[Any] = []
    for one in unpack(packed, ""):
        told = one.decision
        reason = told.reason if told.allowed else "no"
        said = (told.allowed, reason, told.basis, told.rules, told.obligations, told.uncertain)
        if not course or course[-1][1] != said:
            course.append((one.start, said))
    return course


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_any_order_says_the_same_as_the_true_one(data: st.DataObject) -> None:
    told = data.draw(notices())
    opt_ins = data.draw(st.lists(st.integers(0, 20), max_size=PEOPLE))
    requests = data.draw(deliveries(told))
    true = answers([[one] for one in told], opt_ins, several=False)
    assert answers(requests, opt_ins, several=True) == true
