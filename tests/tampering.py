"""What somebody, or a failing disk, may do to the files of a ledger behind its back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Tamper = Callable[[Path], None]


def edit(path: Path, *statements: str) -> None:
    """Run statements on a file as anybody can who may write it: triggers that stand in the way are put back."""
    with closing(sqlite3.connect(path)) as driver:
        guards = driver.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            driver.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            done = driver.execute(statement)
            assert done.rowcount != 0, f"changed nothing: {statement}"
        for _, sql in guards:
            driver.execute(sql)
        driver.commit()
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def on_log(*statements: str) -> Tamper:
    """Statements on log.db."""
    return lambda ledger: edit(ledger / "log.db", *statements)


def on_vault(*statements: str) -> Tamper:
    """Statements on vault.db."""
    return lambda ledger: edit(ledger / "vault.db", *statements)


def settle(path: Path) -> None:
    """Move the WAL into the file, as the last process to close it does."""
    with closing(sqlite3.connect(path)) as driver:
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def cut(name: str) -> Tamper:
    """The second half of a file is gone."""

    def run(ledger: Path) -> None:
        settle(ledger / name)
        size = (ledger / name).stat().st_size
        with (ledger / name).open("rb+") as file:
            file.truncate(size // 2)

    return run


def overwrite(name: str) -> Tamper:
    """A file holds other bytes from its beginning on."""

    def run(ledger: Path) -> None:
        settle(ledger / name)
        with (ledger / name).open("rb+") as file:
            file.write(b"overwritten by something else " * 200)

    return run
