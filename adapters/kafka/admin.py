"""The topics, made explicitly: what is missing is made, what differs is said, and mended only when asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from adapters.kafka.topics import TOPICS, Topic, named

SECONDS = 10.0
BROKERS_OWN = -1
"""As a replication factor: the broker's default."""


class Difference(NamedTuple):
    """One setting of a topic that is there already. `setting` is `partitions`, or Kafka's name of it."""

    setting: str
    found: str
    wanted: str


class Finding(NamedTuple):
    """What became of one topic: `mended` and `differs` name what differed."""

    topic: str
    what: Literal["made", "found", "mended", "differs"]
    differences: tuple[Difference, ...] = ()


def connect(servers: str) -> AdminClient:
    """A client for administration. Keep it as long as its answers are waited for."""
    return AdminClient({"bootstrap.servers": servers, "log_level": 0})


def setup(
    servers: str,
    prefix: str = "",
    *,
    alter: bool = False,
    replication: int = BROKERS_OWN,
    topics: Iterable[Topic] = TOPICS,
) -> list[Finding]:
    """Make the topics that are missing, look at the others. Idempotent. Raises KafkaException.

    The number of partitions is never changed: it decides which key lies where, and with it the order.
    """
    admin = connect(servers)
    held = {name: len(found.partitions) for name, found in admin.list_topics(timeout=SECONDS).topics.items()}
    findings = []
    for topic in topics:
        name = named(topic.name, prefix)
        partitions = held.get(name)
        if partitions is None:
            findings.append(_make(admin, topic, name, replication, alter))
        else:
            findings.append(_look(admin, topic, name, partitions, alter))
    _await_known(admin, {found.topic for found in findings if found.what == "made"})
    return findings


def _await_known(admin: AdminClient, made: set[str]) -> None:
    """A topic is made when the controller says so, and usable when its broker has heard of it."""
    until = time.monotonic() + SECONDS
    while not made <= admin.list_topics(timeout=SECONDS).topics.keys():
        if time.monotonic() > until:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        time.sleep(0.05)


def _make(admin: AdminClient, topic: Topic, name: str, replication: int, alter: bool) -> Finding:
    wanted = NewTopic(name, topic.partitions, replication, config=dict(topic.config))
    try:
        admin.create_topics([wanted], operation_timeout=SECONDS)[name].result(SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        return _look(admin, topic, name, topic.partitions, alter)  # another made it just now
    return Finding(name, "made")


def _look(admin: AdminClient, topic: Topic, name: str, partitions: int, alter: bool) -> Finding:
    resource = ConfigResource(ResourceType.TOPIC, name)
    entries: Mapping[str, ConfigEntry] = admin.describe_configs([resource])[resource].result(SECONDS)
    differing = [
        Difference(setting, found, wanted)
        for setting, wanted in topic.config.items()
        if _plain(found := entries[setting].value or "") != _plain(wanted)
    ]
    fixed = [] if partitions == topic.partitions else [Difference("partitions", str(partitions), str(topic.partitions))]
    if not differing and not fixed:
        return Finding(name, "found")
    if alter and differing:
        _alter(admin, name, differing)
    mended = alter and not fixed
    return Finding(name, "mended" if mended else "differs", tuple(fixed if alter and fixed else fixed + differing))


def _plain(value: str) -> set[str]:
    """A list of words (`compact,delete`) has no order."""
    return {word.strip() for word in value.split(",")}


def _alter(admin: AdminClient, name: str, differing: Iterable[Difference]) -> None:
    changes = [ConfigEntry(one.setting, one.wanted, incremental_operation=AlterConfigOpType.SET) for one in differing]
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=changes)
    admin.incremental_alter_configs([resource])[resource].result(SECONDS)
