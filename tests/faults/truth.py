"""Who said what, kept by the one who wrote it: facts with their acknowledgements, and the poison among them.

Half of the people come by the ledger's own door, half by the topic; each by one of them, in order. Some are
stopped once and never opt in again; the others go on.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from confluent_kafka import KafkaError, Message, Producer
from eventsourcing.persistence import OperationalError

from adapters.kafka.topics import FACTS, STATUS
from adapters.submitting import Submission, take
from adapters.wiring import House, now
from tests.services.reading import Found
from tests.waiting import BUDGET, join

PEOPLE = 60
SOURCE = "shop"
PURPOSE = "marketing.similar"
POISON, AGAIN = 0.01, 0.04
_OPT_IN: dict[str, Any] = {
    "act": "unticked_box",
    "purposes": [PURPOSE],
    "channels": ["email"],
    "to": ["own"],
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
    "by": "data_subject",
}
What = Literal["country", "grant", "stop"]
_TYPES: dict[What, str] = {"country": "country_evidenced", "grant": "opted_in", "stop": "opted_out"}


@dataclass
class Said:
    """A fact. `position`: by the ledger's own door, where it was acknowledged; `places`: on the topic, where."""

    person: int
    what: What
    id: str
    data: bytes
    position: int | None = None
    places: list[str] = field(default_factory=list)

    @property
    def type(self) -> str:
        """Of the event."""
        return f"contact.{_TYPES[self.what]}.v1"


class Person:
    """What was said of one person, in order."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.email = f"person{number}@example.org"
        self.by_topic = number % 2 == 1
        self.for_good = number % 4 < 2
        self.said: list[Said] = []

    @property
    def is_stopped(self) -> bool:
        """By what was said last."""
        return bool(self.said) and self.said[-1].what == "stop"

    @property
    def is_done(self) -> bool:
        """Whether nothing more is said of them."""
        return self.for_good and self.is_stopped


class Writer:
    """Writes steadily in a thread until it is stopped; everything it did stays here."""

    def __init__(self, house: House, servers: str, topic: Callable[[str], str], seed: int, rate: float) -> None:
        self.people = [Person(number) for number in range(PEOPLE)]
        self.poison: dict[str, list[str]] = {FACTS: [], STATUS: []}
        self.resent = 0
        self.seen: list[Found] = []
        self._house = house
        self._topic = topic
        self._dice = random.Random(seed)
        self._pause = 1 / rate
        self._numbers = iter(range(10**9))
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "message.timeout.ms": 0,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 1_000,
                "log_level": 0,
            }
        )
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    @property
    def facts(self) -> list[Said]:
        """All of them."""
        return [one for person in self.people for one in person.said]

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until the broker has acknowledged everything."""
        self._stop.set()
        join(self._thread)
        assert not self._failed, self._failed
        assert self._producer.flush(BUDGET) == 0, "the broker did not take everything"

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                self._tick()
                self._producer.poll(0)
                self._stop.wait(max(0.0, self._pause - (time.monotonic() - began)))
        except BaseException as error:
            self._failed.append(error)
            raise

    def _tick(self) -> None:
        chance = self._dice.random()
        if chance < POISON:
            self._send_poison(FACTS, b"anything", b"{poison %d" % next(self._numbers))
            self._send_poison(STATUS, self._dice.choice(_KEYS), b"{poison %d" % next(self._numbers))
        elif chance < POISON + AGAIN:
            self._say_again()
            self._send_old_status()
        else:
            self._say(self._dice.choice([person for person in self.people if not person.is_done] or self.people))

    def _say(self, person: Person) -> None:
        """The next fact of a person, if there is one."""
        if person.is_done:
            return
        if not person.said:
            self._add(person, "country", {"hints": [{"country": "GB", "kind": "declared"}]})
            self._add(person, "grant", _OPT_IN)
        elif person.is_stopped:
            self._add(person, "grant", _OPT_IN)
        elif not person.for_good or self._dice.random() < 0.2:
            self._add(person, "stop", {"by": "data_subject"})

    def _add(self, person: Person, what: What, fields: dict[str, Any]) -> None:
        data = {"person": {"email": person.email}, "occurred_from": now().isoformat(), **fields}
        said = Said(person.number, what, f"{person.number}-{next(self._numbers)}", json.dumps(data).encode())
        person.said.append(said)
        self._hand_in(person, said)

    def _hand_in(self, person: Person, said: Said) -> None:
        if person.by_topic:
            self._produce(FACTS, person.email.encode(), said.data, _headers(said), said.places)
            return
        while not self._stop.is_set() or said.position is None:
            with suppress(OperationalError):  # busy: said again until it is acknowledged
                (answer,) = take(self._house, [Submission(SOURCE, said.id, said.type, None, said.data)])
                assert answer.position is not None, answer
                assert said.position in (None, answer.position)
                said.position = answer.position
                return

    def _say_again(self) -> None:
        """Something said before, long ago perhaps; also of who is stopped since."""
        known = [person for person in self.people if person.said]
        if known:
            person = self._dice.choice(known)
            self._hand_in(person, self._dice.choice(person.said))
            self.resent += 1

    def _send_old_status(self) -> None:
        """Some values that were on the status topic before, in any order."""
        if self.seen:
            for old in self._dice.choices(self.seen[-2_000:], k=5):
                if old.revision >= 0:
                    self._produce(STATUS, old.key.encode(), old.value, old.headers, [])
                    self.resent += 1

    def _send_poison(self, topic: str, key: bytes, value: bytes) -> None:
        self._produce(topic, key, value, [], self.poison[topic])

    def _produce(
        self, topic: str, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]], places: list[str]
    ) -> None:
        def reported(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            places.append(f"{message.topic()}/{message.partition()}/{message.offset()}")

        self._producer.produce(self._topic(topic), value, key, headers=list(headers), on_delivery=reported)


_KEYS = (b"", b"no contact", b"0f8fad5b-d9cb-469f-a165-70867728950e")


def _headers(said: Said) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", said.id.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", said.type.encode()),
        ("content-type", b"application/json"),
    ]
