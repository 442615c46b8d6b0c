"""What a publisher shows of itself to Prometheus. Names and numbers alone: no label is about a person."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from adapters.kafka.event_feed import EventFeed
from ledger.codec import recorded_at
from ledger.log import Log
from projections import outbox
from projections.views import Views

RANKS = {
    outbox.STOP: "stop",
    outbox.NEWS: "news",
    outbox.AGAIN_STOPPED: "again_stopped",
    outbox.AGAIN: "again",
}


class PublisherMetrics:
    """Gauges that `show` sets, and counters that the loop moves."""

    def __init__(self, log: Log, views: Views, registry: CollectorRegistry) -> None:
        self._log = log
        self._views = views
        self._lag = Gauge("consent_ledger_publisher_lag_entries", "entries not known to be on Kafka", registry=registry)
        self._seconds = Gauge(
            "consent_ledger_publisher_lag_seconds",
            "age of the oldest entry not known to be on Kafka",
            registry=registry,
        )
        self._waiting = Gauge(
            "consent_ledger_outbox_contacts", "contacts still to be told of", ["rank"], registry=registry
        )
        self._position = Gauge(
            "consent_ledger_publisher_position", "position of the last entry known to be on Kafka", registry=registry
        )
        self.failures = Counter(
            "consent_ledger_publisher_failures", "batches that a broker refused for good", registry=registry
        )
        self.leads = Gauge("consent_ledger_publisher_leads", "1: this publisher is the active one", registry=registry)

    def show(self, events: EventFeed, now: datetime) -> None:
        """Look, and set the gauges."""
        self._position.set(events.position)
        self._lag.set(self._log.last_position() - events.position)
        oldest = self._log.read(events.position, 1)
        since = recorded_at(oldest[0][2]) if oldest else None
        self._seconds.set(max(0.0, (now - datetime.fromisoformat(since)).total_seconds()) if since else 0)
        with self._views.snapshot() as driver:
            waiting = outbox.waiting(driver)
        for rank, name in RANKS.items():
            self._waiting.labels(name).set(waiting.get(rank, 0))
