"""The whole program on PostgreSQL, as its operator runs it: set up as the owner, used as the writer, by URL alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from adapters.cli.main import app
from adapters.hubspot.demo import write_demo_export
from tests.services import postgres
from tests.services.postgres import WRITER, Fresh, driver_of

pytestmark = pytest.mark.service


@pytest.fixture
def database() -> Iterator[Fresh]:
    with postgres.fresh() as made:
        yield made


def run(*arguments: object, env: dict[str, str], exit_code: int = 0) -> Result:
    result = CliRunner(env=env).invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result


def test_an_empty_database_is_set_up_checked_and_used(database: Fresh, tmp_path: Path) -> None:
    with driver_of(database.owner_url) as owner:
        name = sql.Identifier("set_up_by_command")
        owner.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        owner.execute(sql.SQL("CREATE DATABASE {}").format(name))
    bare = database.owner_url.rpartition("/")[0] + "/set_up_by_command"
    used = database.url.rpartition("/")[0] + "/set_up_by_command"
    env = {"CONSENT_LEDGER_DATABASE_URL": used, "CONSENT_LEDGER_DIR": str(tmp_path / "ledger")}
    refused = subprocess.run(
        [sys.executable, "-m", "adapters.cli", "database", "upgrade", "--writer", WRITER, "--owner-url", used],
        check=False,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1
    assert "permission denied" in refused.stderr
    assert "Traceback" not in refused.stderr
    run("database", "upgrade", "--writer", WRITER, env={}, exit_code=2)
    said = run("database", "upgrade", "--writer", WRITER, "--owner-url", bare, env={})
    assert "from nothing to version" in said.output
    assert "as before" in run("database", "upgrade", "--writer", WRITER, env={"CONSENT_LEDGER_OWNER_URL": bare}).output
    assert "0 entries" in run("database", "check", env=env).output
    run("database", "check", env={}, exit_code=2)


def test_an_audit_gives_the_same_answers_as_in_files(database: Fresh, tmp_path: Path) -> None:
    """The made-up export, its other records, why, status, and a replay that finds no difference."""
    export = tmp_path / "demo-export.csv"
    write_demo_export(export)
    given = ("audit", export, "--controller", "Sample Goods GmbH", "--sender-country", "DE", "--json")
    env = {"CONSENT_LEDGER_DATABASE_URL": database.url}
    found: list[Any] = []
    for kind, used in (("files", {}), ("server", env)):
        ledger = tmp_path / kind
        out = ("--out", tmp_path / f"{kind}-out", "--ledger", ledger, "--at", "2026-11-24T10:00:00Z")
        found.append(json.loads(run(*given, *out, env=used).stdout))
        assert (ledger / "log.db").exists() == (kind == "files")
    files, server = found
    for told in found:
        for changing in ("ledger_position", "files", "looked_at"):
            told.pop(changing)
    assert files == server
    env |= {"CONSENT_LEDGER_DIR": str(tmp_path / "server")}
    run("record", "opt-out", "juergen.costa461@nordlicht.example", "--at", "2026-11-20", "--via", "reply", env=env)
    why = run("why", "juergen.costa461@nordlicht.example", env=env).output
    assert "opted out" in why.lower()
    replayed = json.loads(run("replay", "--compare", "--json", env=env).stdout)
    assert replayed["differences"] == 0
    assert replayed["rows"] > 100
    assert not (tmp_path / "server" / "log.db").exists()


def test_what_keeps_nothing_keeps_nothing_on_a_server_either(database: Fresh, tmp_path: Path) -> None:
    export = tmp_path / "demo-export.csv"
    write_demo_export(export)
    env = {"CONSENT_LEDGER_DATABASE_URL": database.url, "CONSENT_LEDGER_DIR": str(tmp_path / "ledger")}
    run("audit", export, "--out", tmp_path / "out", "--keep-nothing", env=env)
    run("demo", "--out", tmp_path / "demo", env=env)
    assert "0 entries" in run("database", "check", env=env).output


def test_a_ledger_in_files_stays_what_it_is(database: Fresh, tmp_path: Path) -> None:
    """A directory that holds a ledger is that ledger, whatever the environment says."""
    ledger = tmp_path / "ledger"
    told = ("record", "opt-out", "anna@example.com", "--at", "2026-11-20", "--ledger", ledger)
    run(*told, env={})
    env = {"CONSENT_LEDGER_DATABASE_URL": database.url}
    assert "opted out" in run("why", "anna@example.com", "--ledger", ledger, env=env).output.lower()
    assert "0 entries" in run("database", "check", env=env).output
