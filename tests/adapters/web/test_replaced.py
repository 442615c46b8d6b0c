"""Parts of a ledger that are taken away or replaced while it is served: not ready, and the gate is closed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.adapters.web.world import SIMILAR, fact, served


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
