"""A worker keeps nothing on disk, so one that is killed leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.kafka.faust_app import make_app


def test_a_worker_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust makes three when it starts, for tables that it keeps on disk."""
    monkeypatch.chdir(tmp_path)

    async def begin() -> None:
        app = make_app("group", "member", "127.0.0.1:1", session=3.0)
        app.finalize()
        await app.on_first_start()

    asyncio.run(begin())
    assert list(tmp_path.iterdir()) == []
