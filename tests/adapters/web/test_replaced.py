"""Parts of a ledger that are taken away or replaced while it is served: not ready, and the gate is closed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.wiring import House
from ledger.stores import StoresError
from tests.adapters.web.world import SIMILAR, fact, served
from tests.waiting import until


def test_a_log_of_before_a_stop_is_refused_though_the_service_was_killed(tmp_path: Path) -> None:
    """The stop changed nothing in the vault, and nobody closed it: it knows all the same how far the log had come."""
    home, killed = tmp_path / "ledger", tmp_path / "killed"
    with served(home) as service:
        service.grant()
        assert service.allowed()
        with closing(sqlite3.connect(home / "log.db")) as log, closing(sqlite3.connect(tmp_path / "older.db")) as copy:
            log.backup(copy)
        assert service.post("/v1/facts", fact("opted_out", "stop"), "writer").status_code == 201
        head = service.house.ledger.log.last_position()
        with closing(sqlite3.connect(home / "vault.db")) as vault:
            until(lambda: vault.execute("SELECT position FROM store").fetchone() == (head,))
        shutil.copytree(home, killed)
    (killed / "log.db-wal").unlink(missing_ok=True)
    (killed / "log.db-shm").unlink(missing_ok=True)
    (tmp_path / "older.db").replace(killed / "log.db")
    with pytest.raises(StoresError, match="log"):
        House.open(killed, {})


@pytest.mark.parametrize("name", ["keys", "log.db", "vault.db"])
@pytest.mark.parametrize("how", ["taken away", "replaced"])
def test_nothing_is_answered_and_nothing_taken(tmp_path: Path, name: str, how: str) -> None:
    with served(tmp_path) as service:
        service.grant()
        assert service.allowed()
        assert service.get("/readyz", None).status_code == 200
        shutil.copy(tmp_path / name, tmp_path / "kept")
        if how == "taken away":
            (tmp_path / name).rename(tmp_path / "moved")
        else:
            (tmp_path / name).rename(tmp_path / "moved")
            shutil.copy(tmp_path / "kept", tmp_path / name)
        for answer in (
            service.get("/readyz", None),
            service.post("/v1/gate", SIMILAR),
            service.post("/v1/facts", fact(), "writer"),
        ):
            assert answer.status_code == 503
            assert name in answer.text
        assert service.get("/livez", None).status_code == 200
        (tmp_path / "moved").replace(tmp_path / name)
        assert service.get("/readyz", None).status_code == 200
        assert service.allowed()
