"""Stored answers that are not of the log, or that somebody changed, behind the service: never served, and told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.adapters.web.world import ANA, BEN, SIMILAR, Served, served
from tests.waiting import until


def run(file: Path, *statements: str) -> None:
    """As somebody does who may write the file."""
    with closing(sqlite3.connect(file)) as driver, driver:
        for statement in statements:
            driver.execute(statement)


def until_ready(service: Served) -> None:
    until(lambda: service.get("/readyz", None).status_code == 200)


def alarms(service: Served) -> float:
    lines = service.get("/metrics", None).text.splitlines()
    (line,) = (one for one in lines if one.startswith("consent_ledger_stored_answer_alarms "))
    return float(line.split()[1])


def test_answers_of_another_history_are_built_anew_while_it_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "ledger"
    with served(home) as service:
        service.grant()
        until_ready(service)
        assert alarms(service) == 0
        run(home / "views.db", "UPDATE tracking SET hash = x'00', position = position + 40")
        service.record("opted_out", 1)
        assert not service.allowed()
        until(lambda: alarms(service) > 0)
        until_ready(service)
        assert not service.allowed()
        assert alarms(service) == 1
        assert service.house.runner.replay().equal
    assert "which the log does not hold" in caplog.text


def test_while_nobody_has_built_them_anew_it_is_not_ready_and_says_why(tmp_path: Path) -> None:
    home = tmp_path / "ledger"
    with served(home, following=False) as service:
        service.grant()
        service.house.runner.follow(once=True)
        run(home / "views.db", "UPDATE tracking SET hash = x'00'")
        assert service.allowed()  # judged from the log
        assert "another entry at position" in str(service.house.runner.soundness.trouble)
        assert service.get("/readyz", None).status_code == 503


def test_a_forged_yes_is_not_served(tmp_path: Path) -> None:
    """By the gate and by the status; the copied row is another person's."""
    home = tmp_path / "ledger"
    with served(home) as service:
        service.grant(BEN)
        service.record("opted_out", 1)
        until_ready(service)
        service.house.runner.follow(once=True)
        ben, ana = (f"x'{service.house.find(who)[0].replace('-', '')}'" for who in (BEN, ANA))
        run(
            home / "views.db",
            "UPDATE status SET (segments, mac) = (SELECT o.segments, o.mac FROM status o "  # noqa: S608 - ours
            f"WHERE o.contact = {ben} AND o.purpose = status.purpose) WHERE contact = {ana} "
            f"AND purpose IN (SELECT purpose FROM status WHERE contact = {ben})",
        )
        assert not service.allowed()
        cells = service.post("/v1/status", {"email": ANA}).json()["cells"]
        assert not any(cell["allowed"] for cell in cells)
        assert alarms(service) >= 2
        assert service.house.runner.replay().altered >= 1


def test_a_log_that_misses_an_entry_closes_the_gate(tmp_path: Path) -> None:
    home = tmp_path / "ledger"
    with served(home) as service:
        service.grant()
        service.record("opted_out", 1)
        service.grant(BEN)
    (home / "api-keys.json").unlink()  # the world makes its own
    run(home / "log.db", "DROP TRIGGER entry_no_delete", "DELETE FROM entry WHERE position = 3")
    with served(home) as service:
        said = service.post("/v1/gate", SIMILAR | {"email": BEN}).json()
        assert (said["allowed"], said["reason"]) == (False, "log_damaged")
        answer = service.post("/v1/status", {"email": BEN})
        assert (answer.status_code, "misses position 3:" in answer.text) == (503, True)
        ready = service.get("/readyz", None)
        assert (ready.status_code, "misses position 3:" in ready.text) == (503, True)
