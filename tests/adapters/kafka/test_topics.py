"""The topics: what the settings promise, so that a change of one is a decision."""

from __future__ import annotations

import pytest

from adapters.kafka.topics import (
    CRM_RESULTS,
    EVENTS,
    FACTS,
    FACTS_DLQ,
    RESULTS,
    STATUS,
    STATUS_DLQ,
    TOPICS,
    Topic,
    named,
)

DAY = 86_400_000
BY_NAME = {topic.name: topic for topic in TOPICS}


def test_every_name_has_a_topic_and_a_version() -> None:
    """Nothing is written to a topic that is not made here."""
    assert sorted(BY_NAME) == sorted((EVENTS, STATUS, FACTS, RESULTS, FACTS_DLQ, STATUS_DLQ, CRM_RESULTS))
    assert [name for name in BY_NAME if not name.endswith(".v1")] == []


def test_the_log_and_the_answers_are_kept() -> None:
    """A new consumer can start at the beginning."""
    assert BY_NAME[EVENTS].config["retention.ms"] == BY_NAME[EVENTS].config["retention.bytes"] == "-1"
    assert BY_NAME[STATUS].config["cleanup.policy"] == "compact"
    assert int(BY_NAME[STATUS].config["delete.retention.ms"]) >= 7 * DAY


def test_only_the_topic_that_comes_in_carries_personal_data_and_not_for_long() -> None:
    """Short, and counted from arrival."""
    assert [topic.name for topic in TOPICS if topic.personal] == [FACTS]
    assert int(BY_NAME[FACTS].config["retention.ms"]) <= 7 * DAY
    assert BY_NAME[FACTS].config["message.timestamp.type"] == "LogAppendTime"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_says_how_its_records_end(topic: Topic) -> None:
    """No topic leaves its end to a broker's default."""
    policy = topic.config["cleanup.policy"]
    assert set(policy.split(",")) <= {"compact", "delete"}
    assert ("retention.ms" in topic.config) == ("delete" in policy)
    assert ("delete.retention.ms" in topic.config) == ("compact" in policy)
    assert topic.partitions > 0


def test_a_prefix_keeps_ledgers_apart() -> None:
    """One cluster, several ledgers."""
    assert named(EVENTS) == EVENTS
    assert named(EVENTS, "de.") == "de.consent.events.v1"
