"""A ledger's name and seal: the same for its key, useless to another's."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from ledger.application import Ledger
from ledger.sealing import Corrupt
from tests.ledgers import open_ledger


def opened(home: Path) -> Ledger:
    return open_ledger(home, lambda: datetime.now(UTC), os.urandom, {})


def test_a_ledger_keeps_its_id_and_no_two_share_one(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as one, opened(tmp_path / "b") as other:
        first = one.id
        assert UUID(first).version == 4
        assert first != other.id
    with opened(tmp_path / "a") as again:
        assert again.id == first


def test_what_is_sealed_opens_here_alone_and_only_in_its_place(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as one, opened(tmp_path / "b") as other:
        sealed = one.seal(b"anna@example.com", b"facts/0/7")
        assert b"anna" not in sealed
        assert one.unseal(sealed, b"facts/0/7") == b"anna@example.com"
        assert isinstance(one.unseal(sealed, b"facts/0/8"), Corrupt)
        assert isinstance(other.unseal(sealed, b"facts/0/7"), Corrupt)
        assert isinstance(one.unseal(sealed[:-1], b"facts/0/7"), Corrupt)
