"""The program against a HubSpot over HTTP: unordered, doubled, killed in between; nothing accepted is lost."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from adapters.flips import standing_stop
from adapters.inbox import Inbox
from adapters.wiring import House, init_ledger
from ledger import events as e
from tests.adapters.hubspot_hooks import PUBLIC, URL
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import PRODUCT_NEWS, State
from tests.hubspot.webhooks import WebhookSender
from tests.ledgers import open_house
from tests.services import postgres
from tests.services.program import Program
from tests.stores import Place
from tests.waiting import until

PEOPLE = 40


def email(number: int) -> str:
    return f"person{number}.zq7marker@example.org"


def settings(hubspot: Fake, url: str | None) -> dict[str, str]:
    """The environment of a service that listens to this HubSpot."""
    env = {
        "CONSENT_LEDGER_PUBLIC_URL": PUBLIC,
        "CONSENT_LEDGER_HUBSPOT_URL": hubspot.url,
        "CONSENT_LEDGER_HUBSPOT_TOKEN": hubspot.token,
        "CONSENT_LEDGER_HUBSPOT_SECRET": f"an older one,{hubspot.secret}",
        "CONSENT_LEDGER_HUBSPOT_APP": str(hubspot.app_id),
    }
    return env | ({"CONSENT_LEDGER_DATABASE_URL": url} if url else {})


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Service:
    """The program, which can be killed and started again where it was."""

    def __init__(self, hubspot: Fake, place: Place) -> None:
        self.home, self.port = place.folder / "ledger", free_port()
        self.env = settings(hubspot, place.url)
        self._folder, self.logs = place.folder, list[Path]()
        init_ledger(self.home, self.env)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        log = self._folder / f"service-{len(self.logs)}.log"
        self.logs.append(log)
        words = ["serve", "--port", str(self.port), "--ledger", str(self.home)]
        self.program = Program(words, self.env, log, alone=True)
        until(lambda: self.program.get("/livez")[0] == 200, self.said)

    def waits(self) -> bool:
        """Whether something is not done yet."""
        with open_house(self.home, self.env) as house, closing(Inbox.open(house)) as inbox:
            return inbox.counts() != (0, 0)

    def said(self) -> str:
        """What all of its lives wrote."""
        return "".join(log.read_text() for log in self.logs)


@contextmanager
def running(hubspot: Fake, place: Place) -> Iterator[Service]:
    service = Service(hubspot, place)
    try:
        yield service
    finally:
        if service.program.runs:
            service.program.kill()
    assert "zq7marker" not in service.said()


def sender(hubspot: Fake, service: Service, *, calm: bool = False, seed: int = 1) -> WebhookSender:
    return hubspot.webhooks(f"http://127.0.0.1:{service.port}/webhooks/hubspot", public_url=URL, calm=calm, seed=seed)


def stops(house: House, of: str) -> list[e.Event]:
    """The stops of whoever has an address; none of nobody."""
    found = house.ledger.vault.find_address(of)
    return [one.event for one in house.entries(found[0]) if isinstance(one.event, e.Stop)] if found else []


def test_an_opt_out_of_somebody_never_seen_is_asked_after_and_is_a_stop(place: Place) -> None:
    portal = State(rate=None)
    record = portal.add_contact(email(1), also=[email(2)])
    with fake(portal) as hubspot, running(hubspot, place) as service, sender(hubspot, service, calm=True) as hooks:
        portal.person_opts_out(email(1))
        portal.person_opts_out(email(2), PRODUCT_NEWS)  # of the second address no property tells
        assert hooks.settled()
        until(lambda: not service.waits(), service.said)
        assert set(hooks.answers) == {200}
        with open_house(service.home, service.env) as house:
            assert house.ledger.vault.find_record("hubspot", str(record)) is not None
            assert [type(one) for one in stops(house, email(1))] == [e.OptedOut]
            assert stops(house, email(2)) == []
        other = portal.add_contact(email(3))
        portal.person_opts_out(email(3), PRODUCT_NEWS)
        assert hooks.settled()
        until(lambda: not service.waits(), service.said)
        portal.merge(record, other)
        assert hooks.settled()
        until(lambda: not service.waits(), service.said)
        with open_house(service.home, service.env) as house:
            assert [type(one) for one in stops(house, email(2))[-1:]] == [e.TypeOptedOut]
            contacts = {house.find(email(n))[0] for n in (1, 3)}
            assert len(contacts) == 2  # one there, two here
            held = [one.event for one in house.entries(house.find(email(1))[0]) if isinstance(one.event, e.NoteAdded)]
            merged, shows = sorted(str(house.payload(note)["text"]) for note in held)
            assert merged.startswith("HubSpot merged records")
            assert "known here as another person's" in shows


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_in_between_and_with_hubspot_away_nothing_accepted_is_lost(place: Place, seed: int) -> None:
    random, portal, few = Random(seed), State(rate=None), 10
    for number in range(PEOPLE):
        portal.add_contact(email(number))
    with fake(portal) as hubspot, running(hubspot, place) as service, sender(hubspot, service, seed=seed) as hooks:
        for life in range(3):
            portal.chaos.outage(0.5)
            for number in random.sample(range(PEOPLE), 15):
                portal.person_opts_out(email(number), random.choice([None, PRODUCT_NEWS]))
            until(lambda: hooks.waiting < few, service.said)
            service.program.kill()
            portal.user_sets_status(email(life), on=True)  # behind our back, while nobody listens
            service.start()
        assert hooks.settled()
        until(lambda: not service.waits(), service.said)
        assert hooks.given_up == []
        with open_house(service.home, service.env) as house:
            for number in range(PEOPLE):
                gone = [one for one in portal.changes(actor="person") if one.email == email(number)]
                held = stops(house, email(number))
                assert len({(type(one), one.occurred_from) for one in held}) == len(held)  # each once
                assert bool(gone) == bool(held), number
        assert service.program.stop() == 0


def test_a_flip_behind_our_back_is_told(place: Place) -> None:
    portal = State(rate=None)
    portal.add_contact(email(1))
    with fake(portal) as hubspot, running(hubspot, place) as service, sender(hubspot, service, calm=True) as hooks:
        portal.person_opts_out(email(1))
        assert hooks.settled()
        until(lambda: not service.waits(), service.said)
        portal.app_sets_status(email(1), on=True)
        assert hooks.settled()
        until(lambda: "crm.flip" in service.said(), service.said)
        with open_house(service.home, service.env) as house:
            contact = house.find(email(1))[0]
            shown = [one.event for one in house.entries(contact) if isinstance(one.event, e.OptOutShown)]
            assert (shown[-1].opted_out, shown[-1].via) == (False, "hubspot.integration")
            assert standing_stop(house.group_of(house.contacts([contact]), contact), shown[-1]) is not None


@pytest.mark.service
def test_while_the_database_is_away_hubspot_is_told_and_comes_again(tmp_path: Path) -> None:
    portal = State(rate=None)
    portal.add_contact(email(1))
    with postgres.own_server() as server, postgres.fresh(server.url) as made, fake(portal) as hubspot:
        place = Place(tmp_path, made.url, made.owner_url)
        with running(hubspot, place) as service, sender(hubspot, service, calm=True) as hooks:
            server.kill()
            portal.person_opts_out(email(1))
            until(lambda: 503 in hooks.answers, service.said)
            assert 200 not in hooks.answers
            server.start()
            assert hooks.settled()
            until(lambda: not service.waits(), service.said)
            with open_house(service.home, service.env) as house:
                assert len(stops(house, email(1))) == 1
