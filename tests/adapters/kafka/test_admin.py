"""The topics as `streams setup` makes them, asked back from a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, ResourceType

from adapters.cli.options import EXIT
from adapters.kafka.topics import STATUS, TOPICS
from tests.adapters.kafka.stream_world import World
from tests.services.kafka import broker
from tests.waiting import BUDGET, until

pytestmark = pytest.mark.service


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Names of this test's own, and nothing made."""
    made = World(tmp_path, broker())
    yield made
    made.close()


def config(here: World, topic: str) -> dict[str, str | None]:
    """A topic's settings, as the broker has them."""
    resource = ConfigResource(ResourceType.TOPIC, here.topic(topic))
    entries = here.admin.describe_configs([resource])[resource].result(30)
    return {name: entry.value for name, entry in entries.items()}


def whats(output: str) -> dict[str, str]:
    """What became of each topic."""
    return {found["topic"]: found["what"] for found in json.loads(output)}


def test_made_once_with_all_their_settings(here: World) -> None:
    """And nothing happens the second time."""
    first = here.run("streams", "setup", "--json")
    assert (first.returncode, set(whats(first.stdout).values())) == (EXIT.OK, {"made"}), first.stderr
    held = here.admin.list_topics(timeout=BUDGET).topics
    for topic in TOPICS:
        assert len(held[here.topic(topic.name)].partitions) == topic.partitions
        found = config(here, topic.name)
        for name, wanted in topic.config.items():
            assert sorted((found[name] or "").split(",")) == sorted(wanted.split(",")), (topic.name, name)
    second = here.run("streams", "setup", "--json")
    assert (second.returncode, set(whats(second.stdout).values())) == (EXIT.OK, {"found"})


def test_what_differs_is_said_and_mended_only_when_asked(here: World) -> None:
    """Partitions never are."""
    here.run("streams", "setup")
    change = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, here.topic(STATUS), incremental_configs=[change])
    here.admin.incremental_alter_configs([resource])[resource].result(30)
    until(lambda: config(here, STATUS)["cleanup.policy"] == "delete")
    told = here.run("streams", "setup")
    assert told.returncode == EXIT.FINDINGS
    assert f"differs  {here.topic(STATUS)}\n         cleanup.policy is delete, wanted compact" in told.stdout
    assert config(here, STATUS)["cleanup.policy"] == "delete"
    mended = here.run("streams", "setup", "--alter")
    assert mended.returncode == EXIT.OK
    assert f"mended   {here.topic(STATUS)}\n         cleanup.policy was delete, wanted compact" in mended.stdout
    until(lambda: config(here, STATUS)["cleanup.policy"] == "compact")
    name = here.topic(STATUS)
    here.admin.create_partitions([NewPartitions(name, 7)])[name].result(30)
    until(lambda: len(here.admin.list_topics(timeout=BUDGET).topics[name].partitions) == 7)
    for arguments in (["streams", "setup"], ["streams", "setup", "--alter"]):
        told = here.run(*arguments)
        assert told.returncode == EXIT.FINDINGS
        assert f"differs  {name}\n         partitions is 7, wanted 6" in told.stdout
    assert len(here.admin.list_topics(timeout=BUDGET).topics[name].partitions) == 7


def test_without_a_broker(here: World) -> None:
    """One line that says what to do, and the exit code for: try again."""
    here.servers = "127.0.0.1:9"
    told = here.run("dlq", "list")
    assert told.returncode == EXIT.TEMPORARY
    assert told.stderr.startswith("Kafka at 127.0.0.1:9 (CONSENT_LEDGER_KAFKA): ")
