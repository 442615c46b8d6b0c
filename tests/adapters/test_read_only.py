"""A ledger where nobody may write can be read, and says so when it is to be changed."""

from __future__ import annotations

import importlib
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from pwd import getpwnam
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from adapters.cli.errors import explained
from adapters.cli.main import app

ANA = "ana@example.com"
USER = "nobody" if os.geteuid() == 0 else None
"""Root may write everywhere."""
LOADED: tuple[str, ...] = (
    "adapters.cli.service",
    "adapters.cli.backing_up",
    "adapters.cli.receivers",
    "adapters.inbox",
)
LOADED += ("adapters.web.app", "adapters.web.connections", "adapters.web.keys", "adapters.logs", "ledger.backups")
LOADED += ("uvicorn", "prometheus_client")
"""What backup and serve need: another user may not be able to read it."""
ASKED = (["status", ANA], ["history", ANA], ["history", ANA, "--json"], ["why", ANA, "--json"])


@pytest.fixture
def home() -> Iterator[Path]:
    """A ledger with a stop in it, in a folder that others may pass."""
    with TemporaryDirectory(prefix="consent-ledger-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "ledger"
        for words in (["record", "opt-out", ANA], ["replay"], *ASKED):
            assert CliRunner().invoke(app, [*words, "--ledger", str(home)]).exit_code == 0
        yield home
        home.chmod(0o700)


def closed_to_writing(home: Path) -> None:
    """As on media that cannot be written: neither the folder nor a file in it."""
    for path in (*home.iterdir(), home):
        if USER:
            os.chown(path, getpwnam(USER).pw_uid, -1, follow_symlinks=False)
        if not path.is_symlink():
            path.chmod(0o500 if path.is_dir() else 0o400)


class Said(NamedTuple):
    """What a command came to."""

    code: int
    text: str


def ask(home: Path, *words: str) -> Said:
    """Run a command as a user who may write nothing; what it needs was loaded before."""
    here, there = get_context("fork").Pipe()
    child = get_context("fork").Process(target=_answer, args=(there, [*words, "--ledger", str(home)]))
    child.start()
    said: Said = here.recv()
    child.join()
    return said


def _answer(line: Connection, words: list[str]) -> None:
    if USER:
        os.setgroups([])
        os.setgid(getpwnam(USER).pw_gid)
        os.setuid(getpwnam(USER).pw_uid)
    err = io.StringIO()
    with redirect_stderr(err), redirect_stdout(io.StringIO()) as out:
        code = explained(lambda: app(words, standalone_mode=False))
    line.send(Said(int(code), out.getvalue() + err.getvalue()))


def test_it_can_be_read(home: Path) -> None:
    closed_to_writing(home)
    before = sorted(path.name for path in home.iterdir())
    for words in ASKED:
        done = ask(home, *words)
        assert done.code == 0, done.text
    assert "opted_out" in ask(home, "history", ANA, "--json").text
    assert sorted(path.name for path in home.iterdir()) == before


@pytest.mark.parametrize("words", ["record opt-out ben@example.com", "backup --out /var/tmp/none", "serve --port 1"])
def test_what_would_change_it_is_refused_in_a_line(home: Path, words: str) -> None:
    for module in LOADED:
        importlib.import_module(module)
    closed_to_writing(home)
    done = ask(home, *words.split())
    assert done.code == 1
    assert "cannot be written here" in done.text
    assert "Traceback" not in done.text


def test_a_copy_that_lacks_what_stands_in_the_wal_is_not_read(home: Path) -> None:
    """It would answer without the last entries."""
    shutil.copy(home / "log.db", home / "log.db-wal")
    closed_to_writing(home)
    done = ask(home, "status", ANA)
    assert done.code == 1
    assert "log.db-wal holds what is not in log.db yet" in done.text
