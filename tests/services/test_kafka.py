"""What the tests say when they cannot arrange a broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services import kafka
from tests.services.shared import MissingError


def test_without_java_or_maven_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both, and the way around them."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match=r"`java`: install Java 17 .* or name a running broker in CONSENT"):
        kafka.Broker(tmp_path / "data").start()
    monkeypatch.setattr(kafka, "_ROOT", tmp_path)
    with pytest.raises(MissingError, match=r"`mvn`: install Maven .* CONSENT_LEDGER_TEST_KAFKA=host:port"):
        kafka.jars()


def test_a_broker_that_is_named_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started."""
    monkeypatch.setenv(kafka.NAMED, "broker.example:9092")
    assert kafka.broker() == "broker.example:9092"
