"""What a broker says of a consumer group on a topic: how far it is, how far the topic goes, who holds what.

By aiokafka. confluent-kafka's AdminClient ends the whole process (an assertion in librdkafka) when the broker goes
away while its answer is waited for: that is no tool for a watchdog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError

from adapters.kafka.readiness import Seen

_SECONDS = 5.0


class Observer:
    """Asks again and again; connects anew after a failure. For one event loop; close it there."""

    def __init__(self, servers: str, group: str, topic: str) -> None:
        self._servers = servers.split(",")
        self._group = group
        self._topic = topic
        self._clients: tuple[Any, Any] | None = None

    async def look(self) -> Seen | None:
        """What the broker says. None: it does not answer, or has no such topic."""
        try:
            return await asyncio.wait_for(self._look(), _SECONDS)
        except (KafkaError, OSError, TimeoutError):
            await self.close()
            return None

    async def _look(self) -> Seen | None:
        if self._clients is None:
            self._clients = (
                AIOKafkaAdminClient(bootstrap_servers=self._servers),
                AIOKafkaConsumer(bootstrap_servers=self._servers, group_id=None, enable_auto_commit=False),
            )
            for client in self._clients:
                await client.start()
        admin, consumer = self._clients
        (topic,) = await admin.describe_topics([self._topic])
        places = [TopicPartition(self._topic, one["partition"]) for one in topic["partitions"]]
        if not places:
            return None
        ends = await consumer.end_offsets(places)
        offsets = await admin.list_consumer_group_offsets(self._group)
        (described,) = await admin.describe_consumer_groups([self._group])
        members = described.groups[0][5]
        return Seen(
            {place.partition: at.offset for place, at in offsets.items() if place.topic == self._topic},
            {place.partition: end for place, end in ends.items()},
            dict(self._held(members)),
            frozenset(member[1] for member in members),
        )

    def _held(self, members: Iterable[tuple[Any, ...]]) -> Iterable[tuple[int, str]]:
        """(partition, client id) of what each member holds of the topic. Its assignment is the last bytes of it."""
        for member in members:
            if member[-1]:
                for topic, partitions in ConsumerProtocolMemberAssignment.decode(member[-1]).assignment:
                    if topic == self._topic:
                        yield from ((partition, member[1]) for partition in partitions)

    async def close(self) -> None:
        """Let go of the connections. Idempotent."""
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients[0].close()
            await clients[1].stop()
