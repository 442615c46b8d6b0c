"""Mistakes that everybody makes once: each gets a sentence that says what to do, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from adapters.audits_kept import keeping_earlier
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


def test_a_second_audit_keeps_what_the_first_wrote_into_the_folder(
    contacts: Path, audited: Path, tmp_path: Path
) -> None:
    out = tmp_path / "first"
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "notes.txt").write_text("mine")
    contacts.write_text("\n".join((HEADER, *ROWS[:2])) + "\n", encoding="utf-8")
    code, screen = said("audit", contacts, "--ledger", audited, "--out", out)
    (kept,) = (out / "earlier").iterdir()
    assert (code, f"the earlier audit in {out} is kept in {kept}" in screen) == (0, True), screen
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == first
    assert (out / "verdicts.csv").read_bytes() != first["verdicts.csv"]
    said("audit", contacts, "--ledger", audited, "--out", out)
    assert len(list((out / "earlier").iterdir())) == 2
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == first


def test_an_audit_that_fails_leaves_the_earlier_one_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"at": "2026-11-23T10:00:00Z", "files": [{"name": "a.csv"}]}')
    (tmp_path / "a.csv").write_text("before")
    with pytest.raises(ZeroDivisionError), keeping_earlier(tmp_path):
        raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "manifest.json"]
    with keeping_earlier(tmp_path) as same:
        pass
    assert (same, (tmp_path / "earlier").exists()) == ([], False)
    with keeping_earlier(tmp_path) as other:
        (tmp_path / "b").write_text("after")
        (tmp_path / "b").replace(tmp_path / "a.csv")
    assert [(path / "a.csv").read_text() for path in other] == ["before"]


@pytest.mark.parametrize("manifest", ["", "{}", '{"at": 1, "files": []}', "\x00"])
def test_a_folder_whose_manifest_is_not_ours_is_written_into_as_it_is(manifest: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with keeping_earlier(tmp_path) as kept:
        pass
    assert kept == []
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_an_evidence_map_of_ones_own_is_added_to_only_with_a_word(contacts: Path, tmp_path: Path) -> None:
    """It is said which file and how much, also where the answer is JSON."""
    own = tmp_path / "own.toml"
    where = ("--map", own, "--ledger", tmp_path / "l", "--out", tmp_path / "o")
    for words in ((), ("--json",)):
        own.write_text("", encoding="utf-8")
        code, screen = said("audit", contacts, "--column", "First Name=ignore", *where, *words)
        assert (code, f"wrote into {own}: " in screen) == (0, True), screen


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "contacts.csv", "--renewal", "soon"),
        ("audit", "contacts.csv", "--sender-country", "XX"),
        ("audit", "contacts.csv", "--timezone", "Mars"),
        ("audit", "contacts.csv", "--purpose", "newsletter"),
        ("audit", "contacts.csv", "--on", "3.3.2026"),
        ("import", "contacts.csv", "--accept-lost-stops", "contacts.csv=2"),
        ("record", "opt-out", "foo"),
        ("record", "opt-in", "ana@example.com", "--purpose", "newsletter"),
        ("record", "country", "ana@example.com", "Germany"),
        ("why", "ana@example.com", "--for", "lawyer"),
        ("keys", "add", "--role", "aud", "--name", "x"),
    ],
)
def test_a_word_that_there_is_none_of_is_a_usage_error_and_leaves_no_ledger(
    words: tuple[str, ...], contacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, screen = said(*words, "--ledger", tmp_path / "new")
    assert code == 2, screen
    assert "Invalid value" in screen
    assert sorted(path.name for path in tmp_path.iterdir()) == [contacts.name]


def test_a_file_in_the_way_of_a_folder_is_named_with_what_to_check(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    for words in (("demo", "--out", tmp_path / "plain" / "x"), ("generate", "portal", "--out", tmp_path / "plain")):
        code, screen = said(*words)
        assert (code, str(tmp_path / "plain") in screen) == (1, True), screen
        assert "Errno" not in screen


def test_a_file_where_a_ledger_or_its_copy_is_to_lie_is_named_and_nothing_is_made(
    audited: Path, contacts: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    held = sorted(tmp_path.iterdir())
    for words in (
        ("init", "--ledger", plain),
        ("audit", contacts, "--ledger", plain, "--out", tmp_path / "out"),
        ("backup", "--ledger", audited, "--out", plain),
        ("backup", "--ledger", audited, "--out", tmp_path / "copy", "--copy-keys-to", tmp_path / "none" / "keys"),
    ):
        code, screen = said(*words)
        assert (code, str(tmp_path) in screen) == (1, True), screen
        assert sorted(tmp_path.iterdir()) == held
    said("backup", "--ledger", audited, "--out", tmp_path / "copy")
    code, screen = said("restore", tmp_path / "copy", "--ledger", plain, "--keys", audited / "keys")
    assert (code, f"{plain} cannot be opened or written" in screen) == (1, True), screen


def test_a_file_of_cases_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "cases.json").write_text("")
    code, screen = said("policy", "test", tmp_path / "cases.json")
    assert (code, "cases.json is not a case file: " in screen) == (5, True), screen
