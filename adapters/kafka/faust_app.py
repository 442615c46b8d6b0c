"""The one place that makes a Faust app: every setting, and why (docs/explanation/faust-on-kafka.md)."""

from __future__ import annotations

import asyncio
from typing import Any

import faust
from faust.types import AgentT

from adapters.kafka.records import MOST_BYTES

COMMIT_SECONDS = 0.5


class App(faust.App):
    """Faust, which starts an agent again that raised, and lets it go on behind the batch it raised at.

    `broken` gets the first exception instead; whoever runs the app then ends it.
    """

    broken: asyncio.Future[BaseException]

    async def _on_agent_error(self, agent: AgentT[Any], exc: BaseException) -> None:
        if not self.broken.done():
            self.broken.set_result(exc)
        await super()._on_agent_error(agent, exc)

    def _create_directories(self) -> None:
        """Make none: its tables are in memory, and a worker that is killed would leave them behind."""


def make_app(group: str, member: str, servers: str, session: float) -> App:
    """An app of a consumer group, for the running event loop; `member` is how the broker knows this process."""
    app = App(
        group,
        broker=[f"kafka://{server}" for server in servers.split(",")],
        broker_client_id=member,
        autodiscover=False,
        # Handlers are idempotent, by revision and by (source, id); Faust's exactly_once breaks when a worker is lost.
        processing_guarantee="at_least_once",
        broker_session_timeout=session,
        broker_heartbeat_interval=session / 5,
        broker_rebalance_timeout=session * 2,
        broker_request_timeout=session * 3,
        broker_commit_interval=COMMIT_SECONDS,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_max_request_size=MOST_BYTES,
        # A rebalance does not wait for a slow handler: what it was at comes again, to whoever has the partition.
        stream_wait_empty=False,
        # Topics are made by `streams setup` alone.
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.broken = asyncio.get_running_loop().create_future()
    return app
