"""Differences as measures, in a file that Prometheus' node exporter reads (textfile collector)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from adapters.files import write_whole
from adapters.hubspot.drift.comparing import KINDS
from adapters.metrics import PREFIX


def write_metrics(path: Path, found: Mapping[str, int], flips: int) -> None:
    """Every kind, those without a difference too; whole or not at all."""
    registry = CollectorRegistry()
    drift = Gauge(
        f"{PREFIX}_drift_contacts", "Differences between HubSpot and the ledger, by kind", ["kind"], registry=registry
    )
    for kind in KINDS:
        drift.labels(kind).set(found.get(kind, 0))
    turned = Gauge(f"{PREFIX}_drift_flips", "Subscriptions that somebody else turned on over a stop", registry=registry)
    turned.set(flips)
    write_whole(path, generate_latest(registry), 0o644)  # numbers alone, for whoever collects them
