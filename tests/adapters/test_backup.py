"""Backups of a ledger in files: whole, of one moment, never half, and brought back as a new epoch."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from adapters.cli.options import EXIT
from adapters.inbox import Inbox
from adapters.receiving import Delivery
from adapters.wiring import House, now
from ledger.keys import ENVIRONMENT
from ledger.stores import ordinal_of
from tests.adapters.test_damaged import GONE, NO, YES, program
from tests.tampering import cut, edit
from tests.waiting import until

WRITER = """
import os, sys
from pathlib import Path
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.vault import Registration

with House.open(Path(sys.argv[1]), {}) as house:
    number = 0
    while True:
        (who,) = house.ledger.register_many([Registration(f"w{number}@example.com", "test", None)])
        stop = e.OptedOut(stream=who.contact, source="test", address=who.address, by="data_subject")
        house.ledger.record(Fact(stop, f"stop {number}", {"said": f"no {number}"}))
        print(number, flush=True)
        number += 1
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a ledger: a yes, a no, an erasure request, a note."""
    program(tmp_path, "record", "opt-in", YES, "--via", "website", "--ledger", "L")
    program(tmp_path, "record", "opt-out", NO, "--ledger", "L")
    program(tmp_path, "record", "erasure-request", GONE, "--ledger", "L")
    program(tmp_path, "note", YES, "--by", "Dana", "--role", "DPO", "--note", "seen", "--ledger", "L")
    return tmp_path


def restored(home: Path, backup: str = "B", to: str = "R") -> Path:
    """The backup brought back, and seen to be sound."""
    program(home, "restore", backup, "--ledger", to, "--keys", "L/keys")
    program(home, "check", "--ledger", to)
    return home / to


def test_what_is_restored_answers_as_before(home: Path) -> None:
    before = [program(home, *words, "--ledger", "L").stdout for words in (("status", NO), ("history", YES))]
    said = program(home, "backup", "--out", "B", "--ledger", "L").stderr
    assert "keys are NOT in it" in said
    assert sorted(path.name for path in (home / "B").iterdir()) == ["log.db", "manifest.json", "vault.db"]
    assert {path.stat().st_mode & 0o077 for path in (home / "B").rglob("*")} == {0}
    restored(home)
    assert [program(home, *words, "--ledger", "R").stdout for words in (("status", NO), ("history", YES))] == before


def test_a_restore_begins_an_epoch_that_every_store_knows(home: Path) -> None:
    program(home, "backup", "--out", "B", "--ledger", "L")
    restored(home)
    with House.open(home / "L", {}) as old, House.open(home / "R", {}) as new:
        assert new.ledger.id == old.ledger.id
        assert ordinal_of(new.ledger.epoch) == ordinal_of(old.ledger.epoch) + 1
    for name in ("log.db", "vault.db"):
        shutil.copy(home / "L" / name, home / "R" / name)
        said = program(home, "status", NO, "--ledger", "R", code=EXIT.VERIFICATION).stderr
        assert "epoch" in said
        shutil.rmtree(home / "R")
        restored(home)


def test_a_wal_that_was_not_merged_is_in_the_backup(home: Path) -> None:
    """Copying the files alone loses it; the copy that `check` is given then is named."""
    with House.open(home / "L", {}):  # while it is open, the WAL is not merged
        program(home, "record", "opt-out", YES, "--ledger", "L")
        assert (home / "L/log.db-wal").stat().st_size > 0
        program(home, "backup", "--out", "B", "--ledger", "L")
        (home / "copied").mkdir()
        for name in ("keys", "log.db", "vault.db"):
            shutil.copy2(home / "L" / name, home / "copied" / name)
        shutil.copy2(home / "L/vault.db-wal", home / "copied/vault.db-wal")
    restored(home)
    assert "not allowed" in program(home, "status", YES, "--ledger", "R").stdout
    said = program(home, "check", "--ledger", "copied", code=EXIT.VERIFICATION).stderr
    assert "log.db" in said
    program(home, "status", YES, "--ledger", "copied", code=EXIT.VERIFICATION)


def test_what_waits_in_the_inbox_is_in_the_backup(home: Path) -> None:
    with House.open(home / "L", {}) as house, Inbox.open(house) as inbox:
        assert inbox.keep("postmark", [Delivery("one", now(), b"a stop that was acknowledged")], now()) == [True]
    program(home, "backup", "--out", "B", "--ledger", "L")
    restored(home)
    with House.open(home / "R", {}) as house, Inbox.open(house) as inbox:
        assert inbox.counts() == (1, 0)
        (taken,) = inbox.take(["postmark"], "me", now(), 60, 10)
        assert taken.delivery is not None
        assert taken.delivery.body == b"a stop that was acknowledged"


def test_keys_never_lie_beside_the_vault(home: Path) -> None:
    program(home, "backup", "--out", "B", "--copy-keys-to", "B/keys", "--ledger", "L", code=EXIT.ERROR)
    assert not (home / "B").exists()
    program(home, "backup", "--out", "B", "--copy-keys-to", "safe", "--ledger", "L")
    assert (home / "safe").read_bytes() == (home / "L/keys").read_bytes()
    assert (home / "safe").stat().st_mode & 0o777 == 0o600
    program(home, "restore", "B", "--ledger", "R", "--keys", "safe")
    program(home, "check", "--ledger", "R")


def test_a_restore_wants_the_keys_of_that_ledger(home: Path) -> None:
    program(home, "backup", "--out", "B", "--ledger", "L")
    program(home, "init", "--ledger", "other")
    said = program(home, "restore", "B", "--ledger", "R", "--keys", "other/keys", code=EXIT.ERROR).stderr
    assert "not those of the ledger in this backup" in said
    for named in ((), ("--keys", "mislaid")):
        said = program(home, "restore", "B", "--ledger", "R", *named, code=EXIT.ERROR).stderr
        assert f"there are no keys at {'mislaid' if named else 'R/keys'}: name the file" in said
    assert not list((home / "R").glob("*")) if (home / "R").exists() else True


def test_a_restore_takes_the_keys_of_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(home, "backup", "--out", "B", "--ledger", "L")
    monkeypatch.setenv(ENVIRONMENT, (home / "L/keys").read_text())
    program(home, "restore", "B", "--ledger", "R")
    program(home, "check", "--ledger", "R")
    assert not (home / "R/keys").exists()


def test_a_restore_overwrites_nothing(home: Path) -> None:
    program(home, "backup", "--out", "B", "--ledger", "L")
    before = {path.name: path.read_bytes() for path in (home / "L").iterdir()}
    for left in ("log.db", "vault.db", "views.db", "inbox.db"):
        (home / f"with-{left}").mkdir()
        (home / f"with-{left}" / left).write_bytes(b"")
        program(home, "restore", "B", "--ledger", f"with-{left}", "--keys", "L/keys", code=EXIT.ERROR)
    program(home, "restore", "B", "--ledger", "L", code=EXIT.ERROR)
    assert {path.name: path.read_bytes() for path in (home / "L").iterdir()} == before
    program(home, "backup", "--out", "B", "--ledger", "L", code=EXIT.ERROR)


@pytest.mark.parametrize("name", ["log.db", "vault.db"])
@pytest.mark.parametrize("how", ["cut", "changed", "missing"])
def test_a_backup_that_is_not_what_its_manifest_says_is_refused(name: str, how: str, home: Path) -> None:
    program(home, "backup", "--out", "B", "--ledger", "L")
    path = home / "B" / name
    if how == "cut":
        cut(name)(home / "B")
    elif how == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    said = program(home, "restore", "B", "--ledger", "R", "--keys", "L/keys", code=EXIT.VERIFICATION).stderr
    assert name in said
    assert not (home / "R/log.db").exists()


def test_a_log_of_another_moment_is_refused_though_its_hash_is_put_right(home: Path) -> None:
    program(home, "backup", "--out", "B", "--ledger", "L")
    edit(home / "B/log.db", "DELETE FROM entry WHERE position = (SELECT max(position) FROM entry)")
    from ledger.backups import sha256_of

    manifest = json.loads((home / "B/manifest.json").read_text("utf-8"))
    for one in manifest["files"]:
        one |= {"size": (home / "B" / one["name"]).stat().st_size, "sha256": sha256_of(home / "B" / one["name"])}
    (home / "B/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    program(home, "restore", "B", "--ledger", "R", "--keys", "L/keys", code=EXIT.VERIFICATION)
    assert not (home / "R/log.db").exists()


# --- while others write, and killed --------------------------------------------------------------


def test_a_backup_while_a_writer_appends_misses_nothing_acknowledged_before(home: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, "L"], cwd=home, stdout=subprocess.PIPE, text=True)
    acknowledged: list[int] = []
    try:
        assert writer.stdout is not None
        for number in range(3):
            while len(acknowledged) < 10 * (number + 1):
                acknowledged.append(int(writer.stdout.readline()))
            program(home, "backup", "--out", f"B{number}", "--ledger", "L")
            ledger = restored(home, f"B{number}", f"R{number}")
            with House.open(ledger, {}) as house:
                for told in acknowledged:
                    contact = house.find(f"w{told}@example.com")[0]
                    stops = [one for one in house.entries(contact) if type(one.event).__name__ == "OptedOut"]
                    assert [house.payload(one.event) for one in stops] == [{"said": f"no {told}"}]
    finally:
        writer.kill()
        writer.communicate()


def _is_begun(folder: Path, backup: subprocess.Popen[bytes]) -> bool:
    """Whether the first files are written, or the process has ended."""
    return (folder / "log.db").exists() or backup.poll() is not None


def test_a_backup_that_was_killed_does_not_restore(home: Path) -> None:
    """Killed at any moment, it is whole or none; begun again into the same folder, it becomes whole."""
    with closing(sqlite3.connect(home / "L/log.db")) as driver:  # enough to be killed in the midst of
        driver.execute("INSERT INTO document VALUES (randomblob(32), zeroblob(60000000))")
        driver.commit()
    command: list[str | Path] = [
        Path(sys.executable).parent / "consent-ledger",
        "backup",
        "--out",
        "B",
        "--ledger",
        "L",
    ]
    killed = 0
    for _ in range(4):
        process = subprocess.Popen(command, cwd=home, stderr=subprocess.DEVNULL)
        until(partial(_is_begun, home / "B", process), pause=0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (home / "B/manifest.json").exists():
            shutil.rmtree(home / "B")  # it was quicker
            continue
        killed += 1
        said = program(home, "restore", "B", "--ledger", "R", "--keys", "L/keys", code=EXIT.VERIFICATION).stderr
        assert "no finished backup" in said
    assert killed
    program(home, "backup", "--out", "B", "--ledger", "L")
    program(home, "restore", "B", "--ledger", "R", "--keys", "L/keys")
    assert "not allowed" in program(home, "status", NO, "--ledger", "R").stdout
