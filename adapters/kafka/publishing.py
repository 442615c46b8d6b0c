"""A publisher put together from a ledger's parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from adapters.kafka.event_feed import EventFeed
from adapters.kafka.following import Follower
from adapters.kafka.progress import Progress
from adapters.kafka.publisher import USUAL, Parts, Publisher, Timing
from adapters.kafka.publisher_metrics import PublisherMetrics
from adapters.kafka.sending import Sender
from adapters.kafka.status_feed import Rate, StatusFeed
from ledger.application import Ledger
from ledger.vault import Vault
from projections.announcing import Announcer, Records
from projections.contact_status import ToldRecord
from projections.runner import StatusRunner
from projections.views import Views


class Wanted(NamedTuple):
    """What a setting says: servers, status values a second when told again, whether CRM ids are named."""

    servers: str
    rate: int
    record_ids: bool = False
    prefix: str = ""


class Clocks(NamedTuple):
    """UTC, and seconds that never go back."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


def publisher(
    ledger: Ledger,
    views: Views,
    runner: StatusRunner,
    progress: Progress,
    wanted: Wanted,
    clocks: Clocks,
    holder: str,
    registry: CollectorRegistry,
    timing: Timing = USUAL,
) -> Publisher:
    """A publisher of this ledger. `holder`: its name among others, never used by two."""
    sender = Sender(wanted.servers)
    announcer = Announcer(runner, ledger.id, _records_of(ledger.vault) if wanted.record_ids else None)
    rate = Rate(wanted.rate, clocks.monotonic)
    parts = Parts(
        log=ledger.log,
        sender=sender,
        events=EventFeed(ledger.log, ledger.id, sender, progress, wanted.prefix, ledger.epoch),
        statuses=StatusFeed(views, announcer, ledger.id, sender, rate, wanted.prefix, ledger.epoch),
        follower=Follower(ledger.log, views, runner, clocks.now, timing.poll, progress.away),
        progress=progress,
        metrics=PublisherMetrics(ledger.log, views, registry),
    )
    return Publisher(parts, holder, clocks.now, clocks.monotonic, timing)


def _records_of(vault: Vault) -> Records:
    """The CRM rows of a contact, read when they are sent: of an erased one there are none."""

    def named(contact: str) -> tuple[ToldRecord, ...]:
        opened = [vault.record_text(record) for record in vault.records_of(contact)]
        return tuple(ToldRecord(*one) for one in opened if isinstance(one, tuple))

    return named
