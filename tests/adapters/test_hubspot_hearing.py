"""What notices come to, with a HubSpot to ask over HTTP: read again, away, refusing; and the same facts as a pull."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from adapters.hubspot.api.client import Client
from adapters.hubspot.api.connection import Connection
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.asking import REST_SECONDS
from adapters.hubspot.pull.cursors import Cursors
from adapters.hubspot.pull.ours import OurApp
from adapters.hubspot.pull.pulling import pull_all
from adapters.hubspot.pull.run import Pull
from adapters.hubspot.webhooks import HubSpotReceiver
from adapters.inbox import Inbox
from adapters.logs import Lines
from adapters.metrics import Metrics
from adapters.receiving import Accepted, Heard, Refused
from adapters.webhooks import Actor
from adapters.wiring import House, now
from ledger import events as e
from ledger.vault import Registration
from tests.adapters.hubspot_hooks import PUBLIC, SECRET, URL, body_of, happened, notice, sent
from tests.clocks import Time
from tests.hubspot.addresses import Type
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import PRODUCT_NEWS, State
from tests.hubspot.webhooks import WebhookSender
from tests.ledgers import open_house

ANA, BEN, OLD = "ana.zq7marker@example.org", "ben.zq7marker@example.org", "old.zq7marker@example.org"


class World:
    """A portal, a ledger, and what stands between them; time for HubSpot to be left alone is the test's own."""

    def __init__(self, hubspot: Fake, house: House, inbox: Inbox, client: Client) -> None:
        self.hubspot, self.house, self.inbox, self.at = hubspot, house, inbox, 0.0
        self.portal = Portal(client)
        self.receiver = HubSpotReceiver([SECRET], PUBLIC, OurApp(hubspot.app_id), self.portal, lambda: self.at)
        self.log = io.StringIO()
        lines, metrics = Lines(self.log, now), Metrics(CollectorRegistry())
        self.actor = Actor(house, inbox, [self.receiver], lines, metrics, self.clock, "one")
        self.sender = WebhookSender(hubspot.state, "http://unused.example", SECRET, public_url=URL)
        self.late = 0.0

    def clock(self) -> datetime:
        """Now, and whatever the test waits for."""
        return datetime.fromtimestamp(time.time() + self.late, UTC)

    def tell(self, *notices: dict[str, Any]) -> None:
        """Deliver what waits at HubSpot, or these, and act until nothing is due."""
        taken = self.receiver.accept(sent(body_of(*(notices or self.sender.taken())), now()))
        assert isinstance(taken, Accepted)
        self.inbox.keep("hubspot", taken.deliveries, self.clock())
        self.act()

    def act(self) -> None:
        """Do what is due."""
        while self.actor.act():
            pass

    def hear(self, *notices: dict[str, Any]) -> Sequence[Heard]:
        """What notices come to."""
        taken = self.receiver.accept(sent(body_of(*notices), now()))
        assert not isinstance(taken, Refused)
        return self.receiver.hear(self.house, taken.deliveries)

    def events(self, email: str, kind: type[Any] = e.Event) -> list[Any]:
        """What the ledger holds of whoever has an address."""
        found = self.house.ledger.vault.find_address(email)
        entries = self.house.entries(found[0]) if found else []
        return [one.event for one in entries if isinstance(one.event, kind)]


@contextmanager
def made(folder: Path) -> Iterator[World]:
    with fake(State(rate=None)) as hubspot, open_house(folder / "ledger", {}) as house:
        connection = Connection(hubspot.url, SecretStr(hubspot.token))
        moved_by_waits = Time()
        client = Client(connection, moved_by_waits.clock, moved_by_waits.sleep, lambda: 0.5)
        with closing(Inbox.open(house)) as inbox, client:
            yield World(hubspot, house, inbox, client)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with made(tmp_path) as world:
        yield world
        assert "zq7marker" not in world.log.getvalue()


def test_a_pull_after_the_webhooks_finds_nothing_new_in_what_they_told(world: World) -> None:
    state = world.hubspot.state
    for email in (ANA, BEN):
        state.add_contact(email)
    state.person_opts_out(ANA)
    state.person_opts_out(BEN, PRODUCT_NEWS)
    state.user_sets(ANA, hs_legal_basis="Freely given consent from contact")
    world.tell()
    said = {email: [one for one in world.events(email) if one.source == "hubspot.contacts"] for email in (ANA, BEN)}
    assert len(said[ANA]) == 3
    with closing(Cursors.open(world.house)) as cursors:
        pull_all(Pull(world.house, world.portal, cursors, now, OurApp(world.hubspot.app_id)), ["contacts"])
    for email, before in said.items():
        after = [one for one in world.events(email) if one.captured_by == "property_history"]
        assert after == before
    assert "conflict" not in world.log.getvalue()


def test_what_a_merge_hides_is_read_again(world: World) -> None:
    """Each address keeps its own state, and no property tells that of the second."""
    state = world.hubspot.state
    kept, gone = state.add_contact(ANA), state.add_contact(BEN)
    world.sender.taken()
    state.person_opts_out(BEN, PRODUCT_NEWS)
    world.sender.taken()  # nobody was told
    assert world.events(BEN) == []
    state.merge(kept, gone)
    world.tell()
    (stop,) = world.events(BEN, e.TypeOptedOut)
    assert (stop.subscription_type, stop.source) == ("product-news", "hubspot.statuses")
    assert stop.address == world.house.find(BEN)[1]
    world.tell(happened("merge", kept, at=9, primaryObjectId=kept, mergedObjectIds=[gone], newObjectId=kept))
    assert len(world.events(BEN, e.TypeOptedOut)) == 1  # read twice, it is one fact


def test_our_own_write_read_again_is_no_stop(world: World) -> None:
    state = world.hubspot.state
    record = state.add_contact(ANA)
    world.portal.unsubscribe_all([ANA])
    world.sender.taken()
    world.tell(happened("restore", record))
    assert world.events(ANA, e.OptedOut) == []
    assert [one.opted_out for one in world.events(ANA, e.OptOutShown)] == [True]


def test_a_new_address_is_the_same_person(world: World) -> None:
    state = world.hubspot.state
    record = state.add_contact(OLD)
    state.person_opts_out(OLD)
    world.tell()
    state.user_sets(record, email=ANA)
    state.person_opts_out(ANA)
    world.tell()
    assert world.house.find(OLD)[0] == world.house.find(ANA)[0]
    assert {one.address for one in world.events(ANA, e.OptedOut)} == {
        world.house.find(OLD)[1],
        world.house.find(ANA)[1],
    }


def test_a_value_that_is_hidden_is_read(world: World) -> None:
    record = world.hubspot.state.add_contact(ANA)
    world.tell(notice(record, "REDACTED", isSensitive=True))
    assert world.events(ANA, e.OptedOut) == []  # it was not out
    world.hubspot.state.person_opts_out(ANA)
    world.tell(notice(record, "REDACTED", at=1, isSensitive=True))
    assert len(world.events(ANA, e.OptedOut)) == 1


def test_while_hubspot_is_away_those_who_are_known_do_not_wait(world: World) -> None:
    state = world.hubspot.state
    known, unknown = state.add_contact(ANA), state.add_contact(BEN)
    world.sender.taken()
    world.house.ledger.register_many([Registration(ANA, "hubspot", str(known))])
    state.chaos.outage(60.0)
    world.tell(notice(known), notice(unknown, at=1))
    assert len(world.events(ANA, e.OptedOut)) == 1
    assert world.inbox.counts() == (1, 0)
    state.chaos.recover()
    world.late = 3.0
    world.act()
    assert world.events(BEN, e.OptedOut) == []  # HubSpot is left alone for a while
    world.at, world.late = REST_SECONDS + 1, 60.0
    world.act()
    assert len(world.events(BEN, e.OptedOut)) == 1
    assert world.inbox.counts() == (0, 0)


def test_where_hubspot_will_not_say_a_stop_still_counts_and_a_hint_is_for_a_person(world: World) -> None:
    state = world.hubspot.state
    record = state.add_contact(ANA)
    world.sender.taken()
    for app in state.apps.values():
        app.scopes.discard("crm.objects.contacts.read")
    stop, hint = world.hear(notice(record), happened("restore", record, at=1))
    assert [type(one.event) for one in stop.sayings] == [e.OptedOut, e.OptOutShown]
    assert all(one.source_id is not None and one.source_id.endswith(":record") for one in stop.sayings)
    assert hint.problem is not None
    assert "does not let us read" in hint.problem


def test_a_record_that_is_gone_is_heard_by_what_the_notice_says(world: World) -> None:
    (heard,) = world.hear(notice(999_999))
    assert [one.who.record_id for one in heard.sayings] == ["999999"] * 2
    assert world.hear(happened("creation", 999_999)) == [Heard([])]


def test_poison_is_dead_and_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record = world.hubspot.state.add_contact(ANA)
    world.sender.taken()
    whole = world.receiver.hear

    def broken(house: House, deliveries: Any) -> Sequence[Heard]:
        if any(b"poison" in one.body for one in deliveries):
            raise RuntimeError("zq7marker")
        return whole(house, deliveries)

    monkeypatch.setattr(world.receiver, "hear", broken)
    world.tell(notice(record), notice(record, "poison", at=1, propertyName="firstname"), notice(record, "false", at=2))
    assert [one.opted_out for one in world.events(ANA, e.OptOutShown)] == [True, False]
    (row,) = world.inbox.rows(("waiting", "dead"))
    assert (row.state, row.problem) == ("dead", "it could not be understood: RuntimeError")
    monkeypatch.undo()
    assert world.inbox.retry(row.id, world.clock())
    world.act()
    assert world.inbox.counts() == (0, 0)


def test_an_answer_that_never_comes_back_is_given_up_and_done_by_another(world: World) -> None:
    """Taken by a process that died: by then, whoever looks does it, once."""
    record = world.hubspot.state.add_contact(ANA)
    taken = world.receiver.accept(sent(body_of(notice(record)), now()))
    assert isinstance(taken, Accepted)
    world.inbox.keep("hubspot", taken.deliveries, world.clock())
    assert len(world.inbox.take(("hubspot",), "the dead", world.clock(), 20.0, 10)) == 1
    world.act()
    assert world.events(ANA, e.OptedOut) == []
    world.late = 21.0
    world.act()
    assert len(world.events(ANA, e.OptedOut)) == 1


def test_a_record_of_somebody_known_already_is_news_of_them(world: World) -> None:
    """Their stop may be missing there: whoever keeps HubSpot in step looks at who has news."""
    world.house.ledger.register_many([Registration(ANA, "shop", "7")])
    record = world.hubspot.state.add_contact(ANA)
    world.tell(happened("creation", record))
    (noted,) = world.events(ANA, e.NoteAdded)
    assert world.house.payload(noted)["text"] == "HubSpot holds a record of this person."
    assert world.house.ledger.vault.records_in("hubspot", [world.house.find(ANA)[0]])
    world.tell(happened("creation", record, at=9))
    assert len(world.events(ANA, e.NoteAdded)) == 1


def test_a_record_that_comes_back_is_news(world: World) -> None:
    state = world.hubspot.state
    record = state.add_contact(ANA)
    world.tell(happened("creation", record))
    state.delete(record)
    world.tell(happened("deletion", record, at=1))
    state.restore(record)
    world.tell(happened("restore", record, at=2))
    texts = [world.house.payload(one)["text"] for one in world.events(ANA, e.NoteAdded)]
    assert texts[-1] == "HubSpot restored this record."


def test_further_addresses_of_a_record_are_made_known(world: World) -> None:
    """What stops the person, stops these as well."""
    state = world.hubspot.state
    record = state.add_contact(ANA)
    world.tell()
    state.merge(record, state.add_contact(BEN))
    world.sender.taken()
    world.tell(happened("merge", record, primaryObjectId=record, mergedObjectIds=[record + 1]))
    assert world.house.find(BEN)[0] == world.house.find(ANA)[0]


def test_another_persons_address_on_a_record_is_news_of_whose_record_it_is(world: World) -> None:
    world.house.ledger.register_many([Registration(BEN, "shop", "7")])
    record = world.hubspot.state.add_contact(ANA, also=[BEN])
    world.tell(happened("creation", record))
    world.tell(happened("creation", record, at=9))
    (noted,) = world.events(ANA, e.NoteAdded)
    assert str(world.house.payload(noted)["text"]).startswith("HubSpot shows an address on this record")


def test_a_hidden_value_that_nobody_can_read_is_for_a_person(world: World) -> None:
    (gone,) = world.hear(notice(999_999, "REDACTED", isSensitive=True))
    assert gone.problem is not None
    world.receiver = HubSpotReceiver([SECRET], PUBLIC, OurApp(world.hubspot.app_id), None, lambda: world.at)
    (unasked,) = world.hear(notice(value="REDACTED", isSensitive=True))
    assert unasked.problem is not None


def test_who_may_not_read_the_types_may_read_the_records(world: World) -> None:
    for app in world.hubspot.state.apps.values():
        app.scopes.difference_update({one for one in app.scopes if one.startswith("communication_preferences")})
    assert world.hear(happened("creation", 999_999)) == [Heard([])]


def test_a_type_that_is_heard_by_its_number_is_known_by_its_name_too(world: World) -> None:
    """Else a stop kept under the one would not be a stop of the other."""
    world.hubspot.state.add_contact(ANA)
    world.hubspot.state.person_opts_out(ANA, PRODUCT_NEWS)
    world.tell()
    (stop,) = world.events(ANA, e.TypeOptedOut)
    known = world.house.catalogue.declared.known_as(stop.subscription_type)
    assert len(known) == 2
    assert str(PRODUCT_NEWS) in known
    before = world.house.ledger.log.last_position()
    world.tell(notice(1, "Ada", propertyName="firstname"))
    assert world.house.ledger.log.last_position() == before


def test_of_two_types_of_one_name_each_is_heard_by_the_name_it_is_pulled_by(world: World) -> None:
    state = world.hubspot.state
    state.add_type(Type(1_777, "Product News", "Of another brand"))
    state.add_contact(ANA)
    state.person_opts_out(ANA, PRODUCT_NEWS)
    world.tell()
    assert {one.subscription_type for one in world.events(ANA, e.TypeOptedOut)} == {"product-news-1002"}


def test_what_another_portal_tells_is_set_aside(world: World) -> None:
    record = world.hubspot.state.add_contact(ANA)
    ours = OurApp(world.hubspot.app_id)
    world.receiver = HubSpotReceiver([SECRET], PUBLIC, ours, world.portal, lambda: world.at, 62_515)
    mine, theirs, deleted = world.hear(
        notice(record), notice(record, portalId=62_516), happened("privacyDeletion", record, portalId="62516")
    )
    assert mine.sayings
    assert all(one.problem and not one.sayings for one in (theirs, deleted))


@pytest.mark.parametrize(("email", "also", "name"), [(ANA, [BEN], "hs_additional_emails"), (BEN, [], "email")])
def test_what_an_address_had_left_before_a_record_got_it_is_read(
    world: World, email: str, also: list[str], name: str
) -> None:
    state = world.hubspot.state
    state.person_opts_out(BEN, PRODUCT_NEWS)  # an address of no contact
    record = state.add_contact(email, also=also)
    world.sender.taken()
    world.tell(notice(record, BEN, propertyName=name))
    assert "hubspot.statuses" in {one.source for one in world.events(BEN, e.TypeOptedOut)}


def test_a_batch_of_new_addresses_is_asked_about_at_once(world: World) -> None:
    state = world.hubspot.state
    records = [state.add_contact(f"n{number}@example.org") for number in range(40)]
    world.sender.taken()
    before = len(state.calls)
    world.tell(*(notice(one, "x", at=place, propertyName="email") for place, one in enumerate(records)))
    assert len(state.calls) - before < 20
