"""Following the log on a database that is away for longer than one try: waited out, and gone on with."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from adapters.kafka.following import Follower
from adapters.wiring import now
from projections import views
from tests.adapters.kafka.publishing_world import controller, seen_in_the_us
from tests.ledgers import open_house
from tests.services import postgres
from tests.waiting import until

pytestmark = pytest.mark.service

AWAY = (OperationalError, psycopg.OperationalError)


def test_a_killed_server_is_waited_for(tmp_path: Path) -> None:
    """The publisher is not ended by it, and the answers catch up when it is back."""
    with (
        postgres.own_server() as server,
        postgres.fresh(server.url) as made,
        open_house(tmp_path / "ledger", {"CONSENT_LEDGER_DATABASE_URL": made.url}) as house,
    ):
        follower = Follower(house.ledger.log, house.views, house.runner, now, 0.02, AWAY)
        follower.start()
        follower.lead(True)

        def has_come(position: int) -> bool:
            follower.check()
            with suppress(*AWAY), house.views.snapshot() as driver:
                return views.held(driver).position == position
            return False

        def is_taken() -> bool:
            with suppress(OperationalError):  # the connection broke; the next try makes another
                house.ledger.record(seen_in_the_us(1))
                return True
            return False

        house.ledger.record(controller())
        until(lambda: has_come(1))
        server.kill()
        threading.Event().wait(2.5)
        server.start()
        until(is_taken)
        until(lambda: has_come(2))
        follower.stop(5)
