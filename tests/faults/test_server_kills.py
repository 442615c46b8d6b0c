"""The service killed under load, again and again: what was acknowledged is in the log, once, where it was said to be.

`CONSENT_LEDGER_KILLS` says how often it is killed; a usual run kills three times on each store.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from threading import Event, Lock, Thread
from typing import Any

import pytest

from adapters.inbox import Inbox
from adapters.wiring import House, init_ledger, now
from ledger import events as e
from ledger.codec import decode
from tests.adapters.test_webhooks_served import free_port
from tests.ledgers import open_house
from tests.services.program import Program
from tests.stores import Place
from tests.waiting import BUDGET, join, until

KILLS = int(os.environ.get("CONSENT_LEDGER_KILLS", "3"))
WRITERS = 4
POSTMARK = "postmark:a-long-password"
GRANT: dict[str, Any] = {
    "occurred_from": "2026-01-05T09:00:00Z",
    "by": "data_subject",
    "act": "unticked_box",
    "purposes": ["marketing.similar"],
    "channels": ["email"],
    "to": ["own"],
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
}

pytestmark = pytest.mark.slow


class Served:
    """A service that may be killed and started again, and what it acknowledged meanwhile."""

    def __init__(self, place: Place) -> None:
        self.home, self.port, self.lives = place.folder / "ledger", free_port(), 0
        self.env = {**os.environ, "CONSENT_LEDGER_POSTMARK_SECRET": POSTMARK} | (
            {"CONSENT_LEDGER_DATABASE_URL": place.url} if place.url else {}
        )
        self._folder, self._lock = place.folder, Lock()
        init_ledger(self.home, self.env)
        self.key = self.command("keys", "add", "--role", "writer", "--name", "shop").stdout.strip().split()[-1]
        self.facts: dict[str, int] = {}
        self.stopped: set[str] = set()
        self.alone: set[str] = set()
        self.over = Event()
        self.start()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the program on this ledger."""
        command = [sys.executable, "-m", "adapters.cli", *words, "--ledger", str(self.home)]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=BUDGET, check=False)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.lives += 1
        log = self._folder / f"service-{self.lives}.log"
        words = ["serve", "--port", str(self.port), "--ledger", str(self.home)]
        self.program = Program(words, self.env, log, alone=True)
        until(lambda: self.program.get("/livez")[0] == 200 or not self.program.runs, self.program.said)

    def post(self, path: str, body: object, authorization: str) -> Any:
        """What it answers; None where it was killed meanwhile, or is not up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BUDGET)
        try:
            headers = {"content-type": "application/json", "authorization": authorization}
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        assert answer.status in (200, 201, 503), said
        return json.loads(said) if answer.status < 300 else None

    def acknowledged(self, positions: dict[str, int], stopped: set[str]) -> None:
        """Note what it said that it has."""
        with self._lock:
            self.facts |= positions
            self.stopped |= stopped

    def count(self) -> int:
        """How much it has acknowledged."""
        with self._lock:
            return len(self.facts) + len(self.stopped)

    def write(self, number: int) -> None:
        """Sign people up and stop most of them: one by one, in batches, and by a webhook. Nothing is tried again."""
        dice, turn = random.Random(number), 0
        while not self.over.is_set():
            turn += 1
            people = [f"person{number}.{turn}.{place}@example.org" for place in range(dice.choice((1, 1, 5)))]
            signed = self._facts([fact("in", "contact.opted_in.v1", one, **GRANT) for one in people])
            stops = [one for one in people if dice.random() < 0.8]
            if dice.random() < 0.3:
                for one in stops:
                    self._complain(one, turn)
            elif stops:
                self.acknowledged(*self._stops(stops))
            self.acknowledged(signed, set())
            self.alone |= {one for one in people if one not in stops and f"in:{one}" in signed}

    def _stops(self, people: list[str]) -> tuple[dict[str, int], set[str]]:
        taken = self._facts([fact("out", "contact.opted_out.v1", one, by="data_subject") for one in people])
        return taken, {one for one in people if f"out:{one}" in taken}

    def _facts(self, facts: list[dict[str, Any]]) -> dict[str, int]:
        """What of these was acknowledged, and where."""
        key = f"Bearer {self.key}"
        if len(facts) == 1:
            answer = self.post("/v1/facts", facts[0], key)
            return {facts[0]["id"]: answer["position"]} if answer else {}
        answer = self.post("/v1/facts/batch", {"facts": facts}, key)
        told = zip(facts, answer["answers"], strict=True) if answer else ()
        return {one["id"]: each["position"] for one, each in told if each["status"] in ("recorded", "unchanged")}

    def _complain(self, email: str, turn: int) -> None:
        name = base64.b64encode(POSTMARK.encode()).decode()
        event = {"RecordType": "SpamComplaint", "ID": turn, "Email": email, "BouncedAt": "2026-03-02T10:50:00Z"}
        if self.post("/webhooks/postmark", event, f"Basic {name}"):
            self.acknowledged({}, {email})


def fact(what: str, kind: str, email: str, **fields: Any) -> dict[str, Any]:
    """A fact as it is posted."""
    return {"source": "shop", "id": f"{what}:{email}", "type": kind, "data": {"person": {"email": email}, **fields}}


@pytest.fixture
def served(place: Place) -> Iterator[Served]:
    service = Served(place)
    yield service
    service.over.set()
    if service.program.runs:
        service.program.kill()


def test_what_was_acknowledged_before_a_kill_is_there_after_it(served: Served) -> None:
    """A stop that was acknowledged stops, by whichever way it came."""
    writers = [Thread(target=served.write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    dice = random.Random(8)
    for _ in range(KILLS):
        more = served.count() + dice.randrange(5, 160)
        until(lambda more=more: served.count() >= more or not all(one.is_alive() for one in writers))  # type: ignore[misc]
        served.program.kill()
        served.start()
    more = served.count() + 20
    until(lambda: served.count() >= more or not all(one.is_alive() for one in writers))
    assert all(one.is_alive() for one in writers)
    served.over.set()
    join(*writers)
    until(lambda: "consent_ledger_webhooks_waiting 0.0" in served.program.get("/metrics")[1])
    assert served.program.stop() == 0
    checked = served.command("check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, 0), checked.stdout
    compared = served.command("replay", "--compare")
    assert compared.returncode == 0, compared.stdout + compared.stderr
    with open_house(served.home, served.env) as house, closing(Inbox.open(house)) as inbox:
        assert inbox.counts() == (0, 0)
        _all_there(house, served)
    print(f"killed {KILLS} times: {len(served.facts)} facts and {len(served.stopped)} stops acknowledged, 0 lost")


def _all_there(house: House, served: Served) -> None:
    found: dict[str, list[int]] = {}
    for position, _, state in house.ledger.log.read(0, 1_000_000):
        event = decode(state)
        if isinstance(event, e.OptedIn | e.OptedOut) and event.sid is not None:
            found.setdefault(event.sid, []).append(position)
    known = house.ledger.log.find({house.ledger.sid("shop", name) for name in served.facts})
    for name, position in served.facts.items():
        assert known[house.ledger.sid("shop", name)].position == position, name
    assert all(len(positions) == 1 for positions in found.values())
    assert not any(_may(house, email) for email in served.stopped)
    assert all(_may(house, email) for email in served.alone)  # else no stop that was lost would show
    assert served.stopped
    assert served.alone


def _may(house: House, email: str) -> bool:
    contact, address = house.find(email)
    decision = house.gate.ask(contact, "marketing.similar", "email", address, now()).decision
    return decision is not None and decision.allowed
