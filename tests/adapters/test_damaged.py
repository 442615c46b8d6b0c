"""Damage and tampering, one by one: `check` names each, and no command answers by a broken store or falls over."""

# ruff: noqa: S608 - the statements are this module's own

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.cli.errors import explained
from adapters.cli.main import app
from adapters.cli.options import EXIT
from tests.tampering import Tamper, cut, on_log, on_vault, overwrite

YES, NO, GONE = "yes@example.com", "no@example.com", "gone@example.com"
STOP = "(SELECT min(position) FROM entry WHERE topic = 'contact.opted_out.v1')"
TWO = "SELECT {} FROM address ORDER BY rowid LIMIT 1 OFFSET {}"


def without_trigger(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger / "log.db")) as driver:
        driver.execute("DROP TRIGGER entry_no_update")
        driver.commit()


NO_JSON = on_log(f"UPDATE entry SET state = CAST('{{no json' AS BLOB) WHERE position = {STOP}")

TAMPERED: dict[str, tuple[str, str, Tamper]] = {
    "log cut": ("log.db", "unreadable", cut("log.db")),
    "log overwritten": ("log.db", "unreadable", overwrite("log.db")),
    "vault cut": ("vault.db", "unreadable", cut("vault.db")),
    "vault overwritten": ("vault.db", "unreadable", overwrite("vault.db")),
    "views overwritten": ("views.db", "unreadable", overwrite("views.db")),
    "an entry that is no JSON": ("log.db", "not_an_entry", NO_JSON),
    "an entry that is text, as an editor writes it": (
        "log.db",
        "not_an_entry",
        on_log(f"UPDATE entry SET state = 'no json' WHERE position = {STOP}"),
    ),
    "an entry that is not canonical": (
        "log.db",
        "not_an_entry",
        on_log(f"UPDATE entry SET state = CAST(replace(state, '\":\"', '\": \"') AS BLOB) WHERE position = {STOP}"),
    ),
    "an entry of an unknown topic": (
        "log.db",
        "not_an_entry",
        on_log(
            f"UPDATE entry SET state = CAST(replace(state, 'opted_out', 'opted_off') AS BLOB) WHERE position = {STOP}"
        ),
    ),
    "a stream that is no id": (
        "log.db",
        "not_an_entry",
        on_log(
            'UPDATE entry SET state = CAST(replace(state, \'"stream":"\', \'"stream":"zz\') AS BLOB) '
            f"WHERE position = {STOP}"
        ),
    ),
    "a stop deleted": ("log.db", "gap", on_log(f"DELETE FROM entry WHERE position = {STOP}")),
    "a version left out": (
        "log.db",
        "version",
        on_log(f"UPDATE entry SET version = version + 1 WHERE position = {STOP}"),
    ),
    "a stop filed as something else": (
        "log.db",
        "topic",
        on_log(f"UPDATE entry SET topic = 'contact.opted_in.v1' WHERE position = {STOP}"),
    ),
    "a stop moved to another stream": (
        "log.db",
        "moved",
        on_log(
            f"UPDATE entry SET stream = (SELECT stream FROM entry WHERE position = 1), version = 9 "
            f"WHERE position = {STOP}"
        ),
    ),
    "another source id": (
        "log.db",
        "sid",
        on_log(f"UPDATE entry SET sid = randomblob(16) WHERE position = {STOP} - 1"),
    ),
    "recorded before": (
        "log.db",
        "order",
        on_log(
            'UPDATE entry SET state = CAST(replace(state, \'"recorded_at":"20\', \'"recorded_at":"19\') AS BLOB) '
            f"WHERE position = {STOP}"
        ),
    ),
    "a trigger gone": ("log.db", "schema", without_trigger),
    "a document changed": ("log.db", "document", on_log("UPDATE document SET bytes = CAST('else' AS BLOB)")),
    "a lookup overwritten": (
        "vault.db",
        "row",
        on_vault(f"UPDATE address SET lookup = randomblob(32) WHERE address_id = ({TWO.format('address_id', 1)})"),
    ),
    "a no-address pointed at a yes-address": (
        "vault.db",
        "row",
        on_vault(
            f"CREATE TABLE kept AS SELECT lookup FROM address WHERE address_id = ({TWO.format('address_id', 1)})",
            f"UPDATE address SET lookup = randomblob(32) WHERE address_id = ({TWO.format('address_id', 1)})",
            f"UPDATE address SET lookup = (SELECT lookup FROM kept) WHERE address_id = ({TWO.format('address_id', 0)})",
            "DROP TABLE kept",
        ),
    ),
    "an address given to another contact": (
        "vault.db",
        "row",
        on_vault(
            f"UPDATE address SET contact = ({TWO.format('contact', 0)}) "
            f"WHERE address_id = ({TWO.format('address_id', 1)})"
        ),
    ),
    "an address deleted": (
        "vault.db",
        "missing",
        on_vault(f"DELETE FROM address WHERE address_id = ({TWO.format('address_id', 1)})"),
    ),
    "a ciphertext overwritten": ("vault.db", "row", on_vault("UPDATE address SET ciphertext = randomblob(60)")),
    "a key overwritten": ("vault.db", "key", on_vault("UPDATE contact_key SET wrapped = randomblob(61)")),
    "keys set to NULL": ("vault.db", "no_key", on_vault("UPDATE contact_key SET wrapped = NULL")),
    "a key deleted": ("vault.db", "no_key", on_vault("DELETE FROM contact_key")),
    "one key set to NULL, and its rows deleted": (
        "vault.db",
        "tally",
        on_vault(
            f"CREATE TABLE gone AS SELECT contact FROM address WHERE address_id = ({TWO.format('address_id', 1)})",
            "UPDATE contact_key SET wrapped = NULL WHERE contact IN (SELECT contact FROM gone)",
            "DELETE FROM address WHERE contact IN (SELECT contact FROM gone)",
            "DELETE FROM payload",
        ),
    ),
    "the suppression list emptied": ("vault.db", "tally", on_vault("DELETE FROM suppression")),
    "a suppressed address changed": ("vault.db", "tally", on_vault("UPDATE suppression SET hmac = randomblob(32)")),
    "a suppression added": (
        "vault.db",
        "tally",
        on_vault("INSERT INTO suppression VALUES (randomblob(32), 'erasure', '2026-01-01T00:00:00+00:00')"),
    ),
    "what was counted overwritten": ("vault.db", "tally", on_vault("UPDATE tally SET rows = rows - 1")),
    "the last entries deleted": (
        "log.db",
        "older",
        on_log("DELETE FROM entry WHERE position > (SELECT max(position) - 2 FROM entry)"),
    ),
    "a lookup that is text": (
        "vault.db",
        "row",
        on_vault(f"UPDATE address SET lookup = 'x' WHERE address_id = ({TWO.format('address_id', 1)})"),
    ),
    "a suppression without a date": ("vault.db", "unreadable", on_vault("UPDATE suppression SET since = x'00'")),
    "a payload deleted": ("vault.db", "missing", on_vault("DELETE FROM payload")),
    "a payload overwritten": ("vault.db", "row", on_vault("UPDATE payload SET body = randomblob(90)")),
}
"""How it is done -> (the store that is to be named, the kind of finding, the deed)."""


class Done(NamedTuple):
    """How a command ended."""

    stdout: str
    stderr: str


def program(home: Path, *words: object, code: int = 0) -> Done:
    """Run a command in a folder, as the console script does: an error that it does not explain fails the test."""
    said, told = io.StringIO(), io.StringIO()
    with chdir(home), redirect_stdout(said), redirect_stderr(told):
        try:
            ended = explained(lambda: app([str(word) for word in words]))
        except SystemExit as end:
            ended = int(end.code or 0)
    assert ended == code, told.getvalue()
    return Done(said.getvalue(), told.getvalue())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a yes, a no, an erasure request, a payload and a document."""
    home = tmp_path_factory.mktemp("damaged")
    (home / "form.txt").write_text("Yes, send me the newsletter", encoding="utf-8")
    program(home, "record", "opt-in", YES, "--wording", "form.txt", "--ledger", "L")
    program(home, "record", "opt-in", NO, "--wording", "form.txt", "--ledger", "L")
    program(home, "record", "opt-out", NO, "--ledger", "L")
    program(home, "record", "erasure-request", GONE, "--ledger", "L")
    program(home, "note", YES, "--by", "Dana", "--role", "DPO", "--note", "seen", "--ledger", "L")
    program(home, "status", NO, "--ledger", "L")
    program(home, "check", "--ledger", "L")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    shutil.copytree(made, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def checked(home: Path, code: int) -> Any:
    return json.loads(program(home, "check", "--ledger", "L", "--json", code=code).stdout)


@pytest.mark.parametrize("how", TAMPERED)
def test_a_check_names_what_was_done(how: str, home: Path) -> None:
    store, kind, deed = TAMPERED[how]
    deed(home / "L")
    found = checked(home, EXIT.VERIFICATION)
    assert found["problems"] > 0
    assert (store, kind) in {(one["store"], one["kind"]) for one in found["listed"]}, found["listed"]
    said = program(home, "check", "--ledger", "L", code=EXIT.VERIFICATION).stderr
    assert store in said


def test_a_sound_ledger_is_said_to_be_sound(home: Path) -> None:
    assert checked(home, EXIT.OK)["listed"] == []
    assert "sound" in program(home, "check", "--ledger", "L").stderr


def test_a_ledger_after_its_first_audit_is_sound(tmp_path: Path) -> None:
    """What concerns the whole ledger belongs to no contact, and its stream may have no key."""
    export = tmp_path / "contacts.csv"
    export.write_text("Record ID,Email,Unsubscribed from all email\n1,ana@example.com,Yes\n", "utf-8")
    program(tmp_path, "audit", "contacts.csv", "--ledger", "L", "--out", "out")
    assert checked(tmp_path, EXIT.OK)["listed"] == []


def test_a_ledger_made_before_is_to_be_upgraded_and_not_called_damaged(home: Path) -> None:
    """Its rows are in the form of an earlier program, which counted none of them."""
    for name, tables in {"log.db": ("store",), "vault.db": ("store", "spelling", "tally")}.items():
        with closing(sqlite3.connect(home / "L" / name)) as driver:
            for table in tables:
                driver.execute(f"DROP TABLE {table}")
    assert [(one["store"], one["kind"]) for one in checked(home, EXIT.VERIFICATION)["listed"]] == [
        ("log.db", "unmarked")
    ]
    program(home, "upgrade", "--ledger", "L")
    assert checked(home, EXIT.OK)["listed"] == []


def test_answers_of_an_earlier_program_are_made_anew(home: Path) -> None:
    program(home, "replay", "--ledger", "L")
    (views,) = (path for path in (home / "L").glob("views.db.*") if path.suffix not in (".db-wal", ".db-shm"))
    with closing(sqlite3.connect(views)) as driver:
        driver.execute("UPDATE generation SET form = 'status/2'")
        driver.execute("UPDATE tracking SET hash = NULL, ledger = NULL, epoch = NULL")
        driver.commit()
    assert checked(home, EXIT.OK)["listed"] == []


BROKEN = {
    "log cut": cut("log.db"),
    "log overwritten": overwrite("log.db"),
    "vault cut": cut("vault.db"),
    "vault overwritten": overwrite("vault.db"),
    "an entry that is no JSON": NO_JSON,
    "a stream that is no id": TAMPERED["a stream that is no id"][2],
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "status": ("status", NO),
    "why": ("why", NO),
    "history": ("history", NO),
    "replay": ("replay",),
    "replay --compare": ("replay", "--compare"),
    "check": ("check",),
    "record": ("record", "opt-out", NO),
    "note": ("note", NO, "--by", "Dana", "--role", "DPO", "--note", "seen"),
    "serve": ("serve", "--port", "0"),
}
ENTRIES = ("an entry that is no JSON", "a stream that is no id")
READS_NO_ENTRY = {(name, how) for name in ("record", "note", "serve") for how in ENTRIES}
"""A stop is taken though an older entry is broken: to refuse it would lose it. The gate judges when it is asked."""


@pytest.mark.parametrize(
    ("name", "how"), [(name, how) for name in COMMANDS for how in BROKEN if (name, how) not in READS_NO_ENTRY]
)
def test_no_command_answers_by_a_broken_store(name: str, how: str, home: Path) -> None:
    """It says which store, exits 4, and shows no traceback; a service does not begin."""
    BROKEN[how](home / "L")
    said = program(home, *COMMANDS[name], "--ledger", "L", code=EXIT.VERIFICATION)
    assert ("log" if "vault" not in how else "vault.db") in said.stderr
    assert NO not in said.stdout


@pytest.mark.parametrize("how", ["overwritten", "no link"])
def test_broken_answers_are_named_and_can_be_removed(how: str, home: Path) -> None:
    if how == "overwritten":
        overwrite("views.db")(home / "L")
    else:
        (home / "L/views.db").unlink()
        (home / "L/views.db").write_bytes(b"")
    assert "remove every file views.db*" in program(home, "status", NO, "--ledger", "L", code=EXIT.VERIFICATION).stderr
    for path in (home / "L").glob("views.db*"):
        path.unlink()
    assert "not allowed" in program(home, "status", NO, "--ledger", "L").stdout


def test_a_stop_is_taken_though_an_older_entry_is_broken(home: Path) -> None:
    NO_JSON(home / "L")
    said = program(home, "record", "opt-out", YES, "--ledger", "L")
    assert "recorded" in said.stderr
    assert "not allowed" in program(home, "status", YES, "--ledger", "L").stdout


POINTED = "a no-address pointed at a yes-address"


@pytest.mark.parametrize("name", ["status", "why", "history", "record"])
def test_an_address_pointed_at_somebody_else_answers_for_nobody(name: str, home: Path) -> None:
    """Not a yes for who said no, and not a stop recorded for somebody else."""
    TAMPERED[POINTED][2](home / "L")
    said = program(home, *COMMANDS[name], "--ledger", "L", code=EXIT.VERIFICATION)
    assert "not as this ledger wrote it" in said.stderr
