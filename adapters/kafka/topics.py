"""The topics, with the settings they are made with and the reason for each. Never made by a broker itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ledger.stores import ordinal_of

EVENTS = "consent.events.v1"
STATUS = "consent.contact-status.v1"
FACTS = "consent.facts.v1"
RESULTS = "consent.facts-results.v1"
FACTS_DLQ = "consent.facts.dlq.v1"
STATUS_DLQ = "consent.contact-status.dlq.v1"
CRM_RESULTS = "consent.crm-results.v1"

_DAY = 86_400_000


class Topic(NamedTuple):
    """A topic as `streams setup` makes it.

    key       what a record's key says: it decides the partition, and with it the order
    config    the broker's settings, by their Kafka names; all else is the broker's default
    about     what lies on it, for people
    personal  whether it carries personal data by its nature
    """

    name: str
    key: str
    config: Mapping[str, str]
    about: str
    personal: bool = False
    partitions: int = 6


def _dead_letters(name: str, about: str) -> Topic:
    """Compacted, so that a letter's last state stands; deleted after 90 days, so that nothing lies for ever."""
    return Topic(
        name,
        "the place of the record that failed: topic/partition/offset",
        {
            "cleanup.policy": "compact,delete",
            "retention.ms": str(90 * _DAY),
            "delete.retention.ms": str(7 * _DAY),
            "segment.ms": str(_DAY),
            "min.cleanable.dirty.ratio": "0.1",
            "max.message.bytes": "2097152",  # a sealed copy is longer than the record it is of
        },
        about,
        partitions=1,  # few, and read as one list
    )


LONGEST_STATUS = 8 * 1024**2
"""The longest value that the publisher sends."""

TOPICS: tuple[Topic, ...] = (
    Topic(
        EVENTS,
        "the contact's id; the zero UUID for what concerns the whole ledger",
        # Kept for ever: a new consumer starts at the beginning. Never compacted: each record is another fact.
        {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
        "Every entry of the log, in the order of the log for each contact.",
    ),
    Topic(
        STATUS,
        "the contact's id",
        {
            "cleanup.policy": "compact",
            # A consumer may be away for a week and still meets the tombstone of an erased contact.
            "delete.retention.ms": str(7 * _DAY),
            # Only closed segments are compacted: an old value lies for a day or so, not for the default week.
            "segment.ms": str(_DAY),
            "min.cleanable.dirty.ratio": "0.1",
            "max.compaction.lag.ms": str(2 * _DAY),
            # A record that stands for thousands (a catch-all address) has a long value.
            "max.message.bytes": str(LONGEST_STATUS),
        },
        "The last answers of each contact: what may be written to whom, for what, by which channel.",
    ),
    Topic(
        FACTS,
        "chosen by the submitter; all facts about one person under one key keep their order",
        {
            "cleanup.policy": "delete",
            # Short, because people's addresses lie here in the clear; longer than a long weekend without a worker.
            "retention.ms": str(7 * _DAY),
            "segment.ms": str(_DAY // 4),
            # The week counts from arrival: a submitter's clock that is ahead would keep addresses for longer.
            "message.timestamp.type": "LogAppendTime",
            # However a submitter compresses: the broker keeps it as what the worker reads without another library.
            "compression.type": "gzip",
        },
        "Facts that other systems submit. Carries personal data: addresses as they were submitted.",
        personal=True,
    ),
    Topic(
        RESULTS,
        "the place of the fact: topic/partition/offset",
        {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY)},
        "What became of each submitted fact: its position in the log, or the reasons against it.",
    ),
    Topic(
        CRM_RESULTS,
        "the contact's id",
        {"cleanup.policy": "delete", "retention.ms": str(30 * _DAY)},
        "Every call that was made to write a contact's answers into the CRM, and what the CRM said to it.",
    ),
    _dead_letters(FACTS_DLQ, "Submitted facts that could not be taken. Their bytes are sealed: only the ledger opens."),
    _dead_letters(STATUS_DLQ, "Status values that a worker could not apply."),
)


def named(topic: str, prefix: str = "") -> str:
    """A topic's name in a cluster that several ledgers, or several tests, share."""
    return prefix + topic


def since_restored(epoch: str) -> str:
    """What a group's name ends in once its ledger was restored: a new group reads a topic from its beginning.

    A log that was brought back from a copy lacks what came after it, and the group before has read past that.
    """
    return "" if ordinal_of(epoch) < 2 else f"-{epoch}"
