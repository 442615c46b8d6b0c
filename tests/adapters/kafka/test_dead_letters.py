"""`consent-ledger dlq`, on real Kafka: looked at, tried again to the byte, given up for a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.cli.options import EXIT
from adapters.kafka.dead_letters import ATTEMPTS, Letter
from adapters.kafka.messages import Message
from adapters.kafka.topics import FACTS, FACTS_DLQ, STATUS, STATUS_DLQ
from tests.adapters.kafka.stream_world import World, contact, world

pytestmark = pytest.mark.service

MARK = "planted-marker"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Topics of this test, with a bad record on each topic that comes in, and both workers done with it."""
    with world(tmp_path) as made:
        headers = [("x-one", MARK.encode()), ("x-one", b"\xff"), ("x-two", b"")]
        made.send([Message(made.topic(FACTS), b"k\x00", MARK.encode(), headers)])
        made.send([Message(made.topic(STATUS), contact(0).encode(), b"{", [])])
        made.worker("facts")
        made.worker("mirror")
        made.drained("facts", FACTS)
        made.drained("mirror", STATUS)
        yield made


def listed(here: World, *arguments: str) -> dict[str, dict[str, Any]]:
    """What `dlq list` says, by the topic of the place."""
    told = here.run("dlq", "list", "--json", *arguments)
    assert told.returncode == EXIT.OK, told.stderr
    return {letter["place"]: letter for letter in json.loads(told.stdout)}


def of(found: dict[str, dict[str, Any]], topic: str) -> str:
    """The one place on a topic."""
    (place,) = [place for place in found if place.startswith(f"{topic}/")]
    return place


def test_looked_at_refused_and_dropped(here: World, tmp_path: Path) -> None:
    """With a reason, which the letter keeps; nothing personal is shown unless it is asked for."""
    found = listed(here)
    assert sorted(letter["state"] for letter in found.values()) == ["open", "open"]
    place = of(found, here.topic(FACTS))
    text = here.run("dlq", "list").stdout
    assert f"{place}  open, tried 1, " in text
    shown = here.run("dlq", "show", place)
    assert json.loads(shown.stdout) == found[place]
    assert MARK not in shown.stdout + text
    opened = json.loads(here.run("dlq", "show", place, "--open").stdout)["record"]
    assert msgspec.convert(opened["value"], bytes, strict=False) == MARK.encode()
    # One place without a letter: nothing is done to the other. Another ledger: nothing can be opened, nothing is sent.
    told = here.run("dlq", "drop", place, "nowhere/0/1", "--reason", "none")
    assert (told.returncode, told.stderr) == (EXIT.ERROR, "no dead letter about nowhere/0/1\n")
    other = str(tmp_path / "other")
    here.run("init", "--ledger", other)
    told = here.run("dlq", "retry", place, "--ledger", other)
    assert told.returncode == EXIT.ERROR
    assert "sealed by another ledger" in told.stderr
    assert len(here.read(FACTS)) == 1
    assert listed(here)[place]["state"] == "open"
    assert here.run("dlq", "drop", place, "--reason", "a test message").returncode == EXIT.OK
    assert place not in listed(here)
    assert listed(here, "--all")[place]["reason"] == "a test message"
    values = [value for key, value, _ in here.read(FACTS_DLQ) if key == place.encode()]
    kept = [msgspec.json.decode(value or b"", type=Letter) for value in values]
    assert [letter.state for letter in kept] == ["open", "dropped"]
    assert kept[0].sealed == kept[1].sealed is not None


def test_tried_again_to_the_byte(here: World) -> None:
    """Same key, value, headers and partition; failing again, it is a letter of its own that says how often."""
    found = listed(here)
    for topic, reads, which in ((FACTS, FACTS_DLQ, "facts"), (STATUS, STATUS_DLQ, "mirror")):
        place = of(found, here.topic(topic))
        told = here.run("dlq", "retry", place)
        assert told.returncode == EXIT.OK, told.stderr
        here.drained(which, topic)
        first, second = here.read(topic)
        assert second[:2] == first[:2]
        assert second[2] == [*first[2], (ATTEMPTS, b"1")]
        everything = listed(here, "--all")
        assert everything[place]["state"] == "retried"
        (again,) = [one for name, one in listed(here).items() if name.startswith(here.topic(topic) + "/")]
        assert (again["attempts"], again["state"]) == (2, "open")
        assert again["place"] == f"{place.rpartition('/')[0]}/{int(place.rpartition('/')[2]) + 1}"
        assert len(here.read(reads)) == 3
