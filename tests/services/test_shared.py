"""A test that needs a service says so."""

from __future__ import annotations

import pytest

from tests.services import kafka, postgres, shared


def test_a_test_without_a_mark_gets_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make test` selects by the mark alone, and starts none."""
    monkeypatch.delenv(kafka.NAMED, raising=False)
    for door in (postgres.server_url, kafka.broker, lambda: postgres.own_server().__enter__()):
        with pytest.raises(AssertionError, match="needs a service: mark it"):
            door()


@pytest.mark.service
def test_a_test_with_a_mark_is_let_in() -> None:
    shared.check_mark()
