"""Nothing in a folder or archive is passed over in silence: every file is told, with what became of it."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapters.cli.errors import explained
from adapters.cli.main import app
from adapters.folders import Seen, files_in
from adapters.inputs import sort_inputs
from adapters.losses import standing_files
from adapters.sources import Passed
from adapters.tabular import UnreadableInput
from ledger.lost_stops import lost_stops, rows_are_lost
from tests.adapters.test_cli import rows, run
from tests.ledgers import open_house

CONTACTS = "Record ID,Email,Marketing contact status\n31,ida@example.org,Marketing contact\n"
UNSUBSCRIBES = "Email,Unsubscribed from all email,Reason,Date\nida@example.org,Yes,Unsubscribed,2026-03-01\n"
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64)
MEMBERS: dict[str, tuple[bytes, str, bool]] = {
    "contacts.csv": (CONTACTS.encode(), "read: contacts export", False),
    "unsubscribes.csv": (UNSUBSCRIBES.encode(), "read: unsubscribes and bounces", False),
    "old.xls": (OLD_WORKBOOK, "not read: it is an old Office document", True),
    "objections.csv": (b"email,date,words\njo@example.org,2026-01-01,stop it\n", "give it with --stops", True),
    "Widersprueche.csv": (b"Mail;Datum\njo@example.org;2026-01-01\n", "give it with --stops", True),
    "addresses.csv": (b"Email\njo@example.org\n", "give it with --stops", True),
    "plan.csv": (b"Item,Amount\nLamp,3\n", "not read: we do not recognise it; its columns are: Item, Amount", True),
    "broken.json": (b"{", "not read:", True),
    "nothing.csv": (b"", "empty", False),
    "form.html": (b"<p>", "a document: not read", False),
    "audit.toml": (b"", "an evidence map goes with --map", False),
    ".hidden.csv": (b"x", "hidden: not read", False),
}


def lay(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(MEMBERS[name][0])
    return folder


def became(path: Path, **given: Any) -> dict[str, tuple[str, bool]]:
    return {one.name: (one.became, one.unread) for one in sort_inputs([path], **given).seen.files}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(sorted(MEMBERS))))
def test_every_file_of_a_folder_is_told(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    """And what is known is read, whatever lies beside it; of nothing known, that is said with the list."""
    folder = lay(tmp_path_factory.mktemp("some"), *names)
    if not names & {"contacts.csv", "unsubscribes.csv"}:
        with pytest.raises(UnreadableInput) as caught:
            sort_inputs([folder])
        assert caught.value.code == "nothing_known"
        assert all(name in str(caught.value) for name in names)
        return
    seen = became(folder)
    assert set(seen) == names
    for name in names:
        _, words, unread = MEMBERS[name]
        assert words in seen[name][0]
        assert seen[name][1] is unread


def test_folders_in_a_folder_are_told_and_read_where_they_are_named(tmp_path: Path) -> None:
    folder = lay(tmp_path / "all", "contacts.csv")
    inner = lay(folder / "2025", "unsubscribes.csv", "form.html")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "form.png").write_bytes(b"x")
    seen = became(folder)
    assert seen["2025/"][1]
    assert "1 of its 2 files may be tables" in seen["2025/"][0]
    assert not seen["pictures/"][1]
    inputs = sort_inputs([folder, inner])
    assert [one.name for one in inputs.evidence] == ["unsubscribes.csv"]
    assert "2025/" not in [one.name for one in inputs.seen.files]


def test_a_list_given_with_stops_and_the_map_in_use_are_told_as_such(tmp_path: Path) -> None:
    folder = lay(tmp_path / "all", "contacts.csv", "objections.csv", "audit.toml")
    seen = became(folder, stops=[folder / "objections.csv"], evidence_map=folder / "audit.toml")
    assert seen["objections.csv"] == ("read with --stops: objections kept elsewhere", False)
    assert seen["audit.toml"] == ("read: the evidence map", False)


def test_what_is_known_of_an_archive_is_read_and_the_rest_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("unsubscribes.csv", "objections.csv", "old.xls", "form.html"):
            archive.writestr(name, MEMBERS[name][0])
        archive.writestr("inner.zip", b"PK\x05\x06" + bytes(18))
    seen = became(tmp_path / "all.zip")
    assert set(seen) == {
        f"all.zip/{n}" for n in ("unsubscribes.csv", "objections.csv", "old.xls", "form.html", "inner.zip")
    }
    assert {name for name, (_, unread) in seen.items() if unread} == {
        "all.zip/objections.csv",
        "all.zip/old.xls",
        "all.zip/inner.zip",
    }


@pytest.mark.parametrize("name", ["objections.csv", "addresses.csv", "old.xls", "plan.csv", "broken.json"])
def test_a_file_that_is_named_is_refused_as_ever(tmp_path: Path, name: str) -> None:
    lay(tmp_path, name)
    with pytest.raises(UnreadableInput):
        sort_inputs([tmp_path / name])


def test_the_screen_and_the_report_tell_each_file(tmp_path: Path) -> None:
    folder = lay(tmp_path / "all", *MEMBERS)
    arguments = ["audit", str(folder), "--ledger", str(tmp_path / "ledger"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    screen = " ".join(result.output.split())
    for name, (_, words, unread) in MEMBERS.items():
        assert f"{'NOT READ' if unread else 'file'} {name}: " in screen
        assert words in screen
    kept = json.loads((tmp_path / "out" / "audit.json").read_text())["files_seen"]
    assert {one["name"]: one["unread"] for one in kept} == {name: unread for name, (_, _, unread) in MEMBERS.items()}


def test_rounded_ids_refuse_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is known, and cannot be relied on, is not left out."""
    folder = lay(tmp_path / "all", "contacts.csv")
    (folder / "unsubscribes.csv").write_text("Email,Contact ID,Reason,Date\n,4.12346E+11,Unsubscribed,2026-03-01\n")

    def program() -> None:
        CliRunner().invoke(app, ["audit", str(folder), "--ledger", str(tmp_path / "l")], catch_exceptions=False)

    assert explained(program) == 5
    assert "scientific notation" in capsys.readouterr().err


UNREAD = {
    "unsubscribes 2026.xls": (b"\xd0\xcf\x11\xe0" + bytes(600), True),
    "numbers.xls": (b"\xd0\xcf\x11\xe0" + bytes(600), False),
    "objections.csv": (b"email,said\nana@example.org,no more\n", True),
    "crm.csv": (b"Recipient mail,Email,Opted out,Colour\nx,ana@example.org,yes,red\n", True),
    "campaigns.csv": (b"Campaign,Sent,Unsubscribed\nMarch,100,3\n", False),
    "newsletter unsubscribes removed.csv": (b"Email,Name\nana@example.org,Ana\n", True),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_file_not_read_that_may_hold_opt_outs_lets_nobody_stay(tmp_path: Path, name: str) -> None:
    """By its name, or by its columns beside one of addresses; said first. Of any other file nothing follows."""
    content, holds = UNREAD[name]
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "contacts.csv").write_text(
        "Record ID,Email,Country/Region,Marketing contact status,Unsubscribed from all email\n"
        "1,ida@example.org,United States,Marketing contact,No\n"
    )
    (folder / name).write_bytes(content)
    words: tuple[object, ...] = ("--sender-country", "US", "--ledger", tmp_path / "ledger", "--out", tmp_path / "out")
    run("audit", folder, *words)
    (verdict,) = rows(tmp_path / "out" / "verdicts.csv")
    (seen,) = [one for one in json.loads((tmp_path / "out" / "audit.json").read_text())["files_seen"] if one["unread"]]
    assert (seen["may_stop"], verdict["action"], verdict["reason"]) == (
        (True, "review", "stops_lost") if holds else (False, "keep", "proven")
    )
    page = (tmp_path / "out" / "report.html").read_text()
    assert ("was not read and may hold opt-outs" in page) is holds
    (folder / name).unlink()
    run("audit", folder, *words)
    assert rows(tmp_path / "out" / "verdicts.csv")[0]["action"] == ("review" if holds else "keep")
    with open_house(tmp_path / "ledger", {}) as house:
        assert [(one.name, one.rows) for one in standing_files(house, house.catalogue)] == [(name, 1)] * holds
        assert rows_are_lost(lost_stops(house.catalogue)) is holds  # by this `hubspot sync` raises nobody
    if holds:
        run("audit", *words, "--fail-on", "lost_stops", exit_code=3)
        run("audit", folder, *words, "--accept-lost-stops", f"{name}=1", "--by", "Dana Weiss")
        assert rows(tmp_path / "out" / "verdicts.csv")[0]["action"] == "keep"
        (folder / name).write_bytes(content)
        run("audit", folder, *words, "--fail-on", "lost_stops")
        assert rows(tmp_path / "out" / "verdicts.csv")[0]["action"] == "keep"
        page = " ".join((tmp_path / "out" / "report.html").read_text().split())
        assert "Dana Weiss answers for going on without it." in page
        (folder / name).write_bytes(content + b"more\n")  # another file of that name is another loss
        run("audit", folder, *words)
        assert rows(tmp_path / "out" / "verdicts.csv")[0]["action"] == "review"


PORTAL = (
    b"Record ID,Email,Country/Region,Marketing contact status,Unsubscribed from all email\n"
    b"1,ida@example.org,United States,Marketing contact,No\n2,jo@example.org,United States,Marketing contact,No\n"
)
LIST = b"email,said\njo@example.org,no more\n"
OLD = b"\xd0\xcf\x11\xe0" + bytes(600)
JO_LEFT = b"Email,Unsubscribe date,Reason\njo@example.org,2026-03-01,unsubscribed\n"


def acted(folder: Path, *given: object) -> list[str]:
    """What an audit of the folder says of Ida and Jo."""
    words = ("--sender-country", "US", "--ledger", folder / "ledger", "--out", folder / "out")
    run("audit", folder / "files", *given, *words)
    return [row["action"] for row in rows(folder / "out" / "verdicts.csv")]


def test_a_file_that_is_read_after_all_holds_nobody_any_more(tmp_path: Path) -> None:
    """The same bytes with --stops; beside the contacts, in a folder of its own, and in an archive."""
    files = tmp_path / "files"
    (files / "2025").mkdir(parents=True)
    (files / "contacts.csv").write_bytes(PORTAL)
    (files / "objections.csv").write_bytes(LIST)
    (files / "2025" / "unsubscribes.csv").write_bytes(JO_LEFT.replace(b"jo@", b"kim@"))
    with zipfile.ZipFile(files / "2025" / "suppressed.zip", "w") as archive:
        archive.writestr("unsubscribes.csv", JO_LEFT.replace(b"jo@", b"lee@"))
    assert acted(tmp_path) == ["review", "review"]
    assert acted(tmp_path, "--stops", files / "objections.csv") == ["review", "set_non_marketing"]
    assert acted(tmp_path, files / "2025" / "unsubscribes.csv") == ["review", "set_non_marketing"]
    assert acted(tmp_path, files / "2025") == ["keep", "set_non_marketing"]
    assert acted(tmp_path) == ["keep", "set_non_marketing"]


def test_a_form_that_nobody_can_read_is_replaced_by_a_file_of_its_name_once_it_is_gone(tmp_path: Path) -> None:
    """Which shows opt-outs and is no older: while both lie there, the one may hold what the other does not."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "contacts.csv").write_bytes(PORTAL)
    (files / "unsubscribes.xls").write_bytes(OLD)
    assert acted(tmp_path) == ["review", "review"]
    (files / "unsubscribes.csv").write_bytes(JO_LEFT)
    assert acted(tmp_path) == ["review", "set_non_marketing"]
    (files / "unsubscribes.xls").unlink()
    os.utime(files / "unsubscribes.csv", (1_700_000_000, 1_700_000_000))
    assert acted(tmp_path) == ["review", "set_non_marketing"]
    os.utime(files / "unsubscribes.csv")
    (files / "unsubscribes.csv").rename(files / "others.csv")
    assert acted(tmp_path) == ["review", "set_non_marketing"]
    (files / "others.csv").rename(files / "unsubscribes (1).csv")
    assert acted(tmp_path) == ["keep", "set_non_marketing"]


def test_a_file_of_the_name_replaces_none_that_could_be_read(tmp_path: Path) -> None:
    """It lies in a folder of the folder, of another year: it has to be given itself."""
    files = tmp_path / "files"
    (files / "old").mkdir(parents=True)
    (files / "contacts.csv").write_bytes(PORTAL)
    (files / "unsubscribes.csv").write_bytes(JO_LEFT)
    (files / "old" / "unsubscribes.csv").write_bytes(JO_LEFT.replace(b"jo@", b"ida@"))
    assert acted(tmp_path) == ["review", "set_non_marketing"]
    (files / "old" / "unsubscribes.csv").rename(tmp_path / "unsubscribes.csv")
    assert acted(tmp_path) == ["review", "set_non_marketing"]
    assert acted(tmp_path, tmp_path / "unsubscribes.csv") == ["set_non_marketing", "set_non_marketing"]


def test_a_mail_or_paper_named_for_stops_may_be_one(tmp_path: Path) -> None:
    seen = Seen()
    for name in ("opt-outs.pdf", "unsubscribe me.eml", "Widerspruch.docx", "terms.pdf", "unsubscribe-page.png"):
        (tmp_path / name).write_bytes(b"x")
    assert list(files_in(tmp_path, seen, (), (), None)) == []
    seen.passed(tmp_path / "a.zip", Passed("in/abmeldung.msg", "a document: not read", False))
    may_stop = {one.name for one in seen.files if one.may_stop}
    assert may_stop == {"opt-outs.pdf", "unsubscribe me.eml", "Widerspruch.docx", "a.zip/in/abmeldung.msg"}
