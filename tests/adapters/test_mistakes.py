"""Mistakes that everybody makes once: each gets a sentence that says what to do, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from adapters.cli.errors import explained
from adapters.cli.main import app
from tests.adapters.test_cli import HEADER, ROWS

NOWHERE = Path("/proc/self/nowhere")
"""A place where nobody can write, root neither."""


def said(*words: object) -> tuple[int, str]:
    """Exit code and everything on the screen, of the command as its user runs it."""
    screen = io.StringIO()
    with contextlib.redirect_stderr(screen), contextlib.redirect_stdout(screen):
        try:
            code = explained(lambda: app([str(word) for word in words]))
        except SystemExit as end:
            code = int(end.code or 0)
    return code, " ".join(screen.getvalue().replace("│", " ").split())


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    """A contacts export."""
    path = tmp_path / "contacts.csv"
    path.write_text("\n".join((HEADER, *ROWS)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def audited(tmp_path: Path, contacts: Path) -> Path:
    """The ledger of an audit."""
    ledger = tmp_path / "kept"
    assert (
        said("audit", contacts, "--ledger", ledger, "--out", tmp_path / "first", "--controller", "Example Ltd")[0] == 0
    )
    return ledger


def test_an_output_folder_that_is_a_file_or_takes_no_file_is_named_before_anything_is_made(
    contacts: Path, tmp_path: Path
) -> None:
    (tmp_path / "plain").write_text("")
    for out, problem in ((tmp_path / "plain", "is a file, not a folder"), (NOWHERE, "nothing can be written in /proc")):
        code, screen = said("audit", contacts, "--ledger", tmp_path / "new", "--out", out)
        assert (code, problem in screen) == (1, True), screen
        assert "name another folder" in screen
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", ["--pdf", "--html"])
def test_a_page_that_cannot_be_written_there_says_so_without_an_errno_or_the_name_of_a_part(
    option: str, audited: Path, tmp_path: Path
) -> None:
    for path, problem in (
        (tmp_path / "none" / "x.pdf", "there is no folder"),
        (NOWHERE.parent / "x.pdf", "nothing can be written in /proc/self"),
        (tmp_path, "is a folder: name a file in it"),
    ):
        code, screen = said("why", "ana@example.com", option, path, "--ledger", audited)
        assert (code, problem in screen) == (1, True), screen
        assert "Errno" not in screen
        assert ".part" not in screen


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("RecordID", "Record ID"), ("legal basis", "Legal basis for processing contact's data"), ("E-mail", "Email")],
)
def test_a_column_that_is_not_there_is_refused_with_those_it_may_be(
    typed: str, meant: str, contacts: Path, tmp_path: Path
) -> None:
    code, screen = said("audit", contacts, "--column", f"{typed}=legal_basis", "--ledger", tmp_path / "new")
    assert (code, f"No contacts export has a column “{typed}”. Did you mean “{meant}”?" in screen) == (5, True), screen
    assert not (tmp_path / "new").exists()
