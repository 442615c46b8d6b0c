"""Check and restore on PostgreSQL: damage by name, and a new epoch for a database that was brought back."""

# ruff: noqa: S608 - the statements are this module's own

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.cli.options import EXIT
from adapters.wiring import House
from ledger.stores import ordinal_of
from tests.adapters.test_damaged import NO, YES, program
from tests.services import postgres
from tests.services.postgres import Fresh, driver_of

pytestmark = pytest.mark.service

Deed = Callable[[psycopg.Connection[Any]], object]
STOP = "(SELECT min(position) FROM log.entry WHERE topic = 'contact.opted_out.v1')"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fresh]:
    """A ledger in a database, with a yes, a no and an erasure request."""
    with postgres.fresh() as made:
        monkeypatch.setenv("CONSENT_LEDGER_DATABASE_URL", made.url)
        program(tmp_path, "init", "--ledger", "L")
        program(tmp_path, "record", "opt-in", YES, "--ledger", "L")
        program(tmp_path, "record", "opt-out", NO, "--ledger", "L")
        program(tmp_path, "record", "erasure-request", "gone@example.com", "--ledger", "L")
        program(tmp_path, "note", YES, "--by", "Dana", "--role", "DPO", "--note", "seen", "--ledger", "L")
        program(tmp_path, "status", NO, "--ledger", "L")
        yield made


def unguarded(statement: str) -> Deed:
    """What the owner of the tables can do: take the triggers away, change something, and put them back."""

    def run(owner: psycopg.Connection[Any]) -> None:
        with owner.transaction():
            for table in ("log.entry", "log.document"):
                owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            owner.execute(statement.encode())
            for table in ("log.entry", "log.document"):
                owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())

    return run


TAMPERED: dict[str, tuple[str, str, Deed]] = {
    "a stop deleted": ("log", "gap", unguarded(f"DELETE FROM log.entry WHERE position = {STOP}")),
    "an entry that is no JSON": (
        "log",
        "not_an_entry",
        unguarded(f"UPDATE log.entry SET state = '{{no json' WHERE position = {STOP}"),
    ),
    "the last entry deleted": (
        "log",
        "head",
        unguarded("DELETE FROM log.entry WHERE position = (SELECT max(position) FROM log.entry)"),
    ),
    "triggers switched off": (
        "log",
        "schema",
        lambda owner: owner.execute("ALTER TABLE log.entry DISABLE TRIGGER USER"),
    ),
    "a lookup overwritten": (
        "vault",
        "row",
        lambda owner: owner.execute("UPDATE vault.address SET lookup = sha256(address_id)"),
    ),
    "the suppression list emptied": ("vault", "tally", lambda owner: owner.execute("DELETE FROM vault.suppression")),
    "keys set to NULL": ("vault", "no_key", lambda owner: owner.execute("UPDATE vault.contact_key SET wrapped = NULL")),
    "a payload deleted": ("vault", "missing", lambda owner: owner.execute("DELETE FROM vault.payload")),
}


def test_a_sound_database_is_said_to_be_sound(database: Fresh, tmp_path: Path) -> None:
    assert json.loads(program(tmp_path, "check", "--ledger", "L", "--json").stdout)["listed"] == []


@pytest.mark.parametrize("how", TAMPERED)
def test_a_check_names_what_was_done(how: str, database: Fresh, tmp_path: Path) -> None:
    store, kind, deed = TAMPERED[how]
    with driver_of(database.owner_url) as owner:
        deed(owner)
    said = program(tmp_path, "check", "--ledger", "L", "--json", code=EXIT.VERIFICATION).stdout
    found = json.loads(said)["listed"]
    assert (store, kind) in {(one["store"], one["kind"]) for one in found}, found


def test_a_database_that_was_brought_back_begins_an_epoch(database: Fresh, tmp_path: Path) -> None:
    env = {"CONSENT_LEDGER_DATABASE_URL": database.url}
    with House.open(tmp_path / "L", env) as house:
        before = house.ledger.epoch
    said = program(tmp_path, "database", "restored", "--ledger", "L").stderr
    with House.open(tmp_path / "L", env) as house:
        assert ordinal_of(house.ledger.epoch) == ordinal_of(before) + 1
        assert house.ledger.epoch in said
    program(tmp_path, "check", "--ledger", "L")
    assert "not allowed" in program(tmp_path, "status", NO, "--ledger", "L").stdout


def test_files_are_not_backed_up_from_a_database(database: Fresh, tmp_path: Path) -> None:
    program(tmp_path, "backup", "--out", "B", "--ledger", "L", code=EXIT.USAGE)
    assert not (tmp_path / "B").exists()


def tool(name: str, server: str) -> Path:
    """A program of PostgreSQL as old as the server: a newer one dumps what the server does not know."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path(sys.prefix).rglob("pginstall/bin")]
    with driver_of(server) as driver:
        major = str(driver.info.server_version // 10_000)
    for path in (place / name for place in places):
        said = (
            subprocess.run([path, "--version"], capture_output=True, text=True, check=False) if path.exists() else None
        )
        if said is not None and f") {major}." in said.stdout:
            return path
    pytest.skip(f"{name} of PostgreSQL {major} is not here")


def test_a_dump_is_restored_as_the_page_says(database: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pg_dump`, a fact that the dump lacks, an empty database, `pg_restore`, rights, a new epoch, a check."""
    dump = tmp_path / "ledger.dump"
    subprocess.run(
        [tool("pg_dump", database.owner_url), "--format=custom", f"--file={dump}", f"--dbname={database.owner_url}"],
        check=True,
    )
    program(tmp_path, "record", "opt-out", YES, "--ledger", "L")
    with postgres.fresh() as empty:
        with driver_of(empty.owner_url) as owner:
            for schema in ("log", "vault", "views", "streams"):
                owner.execute(f"DROP SCHEMA {schema} CASCADE".encode())
            owner.execute(b"DROP TABLE public.consent_ledger_version")
            owner.execute(b"DROP DOMAIN public.blob")
        restore: list[str | Path] = [
            tool("pg_restore", empty.owner_url),
            "--exit-on-error",
            f"--dbname={empty.owner_url}",
            dump,
        ]
        subprocess.run(restore, check=True)
        monkeypatch.setenv("CONSENT_LEDGER_DATABASE_URL", empty.url)
        monkeypatch.setenv("CONSENT_LEDGER_OWNER_URL", empty.owner_url)
        program(tmp_path, "database", "upgrade", "--writer", postgres.WRITER)
        said = program(tmp_path, "database", "restored", "--ledger", "L").stderr
        assert "epoch 2-" in said
        program(tmp_path, "database", "check")
        program(tmp_path, "check", "--ledger", "L")
        assert "not allowed" in program(tmp_path, "status", NO, "--ledger", "L").stdout
        program(tmp_path, "record", "opt-out", YES, "--ledger", "L")
        assert "not allowed" in program(tmp_path, "status", YES, "--ledger", "L").stdout
