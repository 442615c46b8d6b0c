"""What is measured, under one prefix and in base units. Labels come from closed sets: nothing personal."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

PREFIX = "consent_ledger"
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The measures of one process, in a registry that is handed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.facts = Counter(
            f"{PREFIX}_facts", "Facts submitted, by type and what became of them", ["type", "status"], registry=registry
        )
        self.gate_answers = Counter(f"{PREFIX}_gate_answers", "Answers of the gate", ["allowed"], registry=registry)
        self.position = Gauge(f"{PREFIX}_log_position", "Position of the newest entry", registry=registry)
        self.lag = Gauge(f"{PREFIX}_projection_lag_entries", "Entries the status is behind", registry=registry)
        self.alarms = Gauge(
            f"{PREFIX}_stored_answer_alarms",
            "Times stored answers were not of this log, or not as this ledger wrote them",
            registry=registry,
        )
        self.webhooks = Counter(
            f"{PREFIX}_webhook_deliveries",
            "Deliveries of webhooks, by sender: new, or repeated",
            ["receiver", "status"],
            registry=registry,
        )
        self.webhook_refusals = Counter(
            f"{PREFIX}_webhook_refusals", "Requests to webhooks refused", ["receiver", "status"], registry=registry
        )
        self.webhook_ends = Counter(
            f"{PREFIX}_webhook_ends",
            "What became of deliveries: done, later, dead",
            ["receiver", "status"],
            registry=registry,
        )
        self.webhooks_waiting = Gauge(f"{PREFIX}_webhooks_waiting", "Deliveries that wait", registry=registry)
        self.webhooks_dead = Gauge(f"{PREFIX}_webhooks_dead", "Deliveries nothing can be made of", registry=registry)
        self.crm_flips = Counter(
            f"{PREFIX}_crm_flips", "Times a CRM showed somebody on whom a stop held off", registry=registry
        )
        requests = Histogram(
            f"{PREFIX}_http_request_duration_seconds",
            "Time to answer, by route template",
            ["route", "method", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        # Looking a child up costs more than observing; routes and statuses are few.
        self.request_seconds: Callable[[str, str, str], Histogram] = cache(requests.labels)
        self.gate_answer: Callable[[str], Counter] = cache(self.gate_answers.labels)

    def page(self) -> bytes:
        """Everything measured, as Prometheus reads it."""
        return generate_latest(self.registry)
