"""Columns that say who opted out, or seem to: what is understood counts, what is not holds, nothing reads as a yes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from adapters.cli.options import EXIT
from adapters.hubspot.labels import recognise, speaks_of_opting_out
from adapters.hubspot.said import bounce_kind
from adapters.hubspot.values import NO, UNKNOWN, YES, Values
from tests.adapters.test_damaged import Done, program

HEAD = "Record ID,Email,Marketing contact status"


def audited(home: Path, header: str, *rows: str, words: tuple[str, ...] = (), code: int = EXIT.OK) -> Done:
    """Audit an export of these rows; the screen."""
    (home / "contacts.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return program(home, "audit", "contacts.csv", "--ledger", "L", "--out", "out", *words, code=code)


def listed(home: Path, name: str) -> list[dict[str, str]]:
    """The rows of a list of the audit."""
    with (home / "out" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def screen(done: Done) -> str:
    """Everything on the screen, on one line."""
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("word", [*YES.split("|"), "✔️", "TRUE", "WAAR", "Sant", "ДА"])
def test_a_yes_is_one_in_every_language(word: str) -> None:
    assert Values().flag(word) is True


@pytest.mark.parametrize("word", [*NO.split("|"), "FAŁSZ", "ONWAAR", "FALSKT", "F", "Não", ""])
def test_a_no_is_one_in_every_language(word: str) -> None:
    assert Values().flag(word) is False


@pytest.mark.parametrize("word", ["perhaps", "n/a", "?", "-", "2024-01-01", "siempre"])
def test_another_word_is_neither(word: str) -> None:
    assert Values().flag(word) == UNKNOWN


@pytest.mark.parametrize(
    "label",
    [
        *("Email Opt Out", "HasOptedOutOfEmail", "Do Not Contact", "DNC flag", "Global Unsubscribe", "Blacklisted"),
        *("Newsletter abgemeldet", "Werbesperre", "Désabonné de la newsletter", "Descadastrado", "Uitgeschreven op"),
        *("Assinatura cancelada para todos os e-mails", "Avregistrerad", "Wypisany z newslettera", "수신거부 여부"),
    ],
)
def test_a_column_that_speaks_of_opting_out_is_seen(label: str) -> None:
    assert speaks_of_opting_out(label)
    columns = recognise(["Record ID", "Email", label])
    assert [name for _, name in columns.suspects] == [label]


@pytest.mark.parametrize(
    "label",
    [
        "Company",
        "Notes",
        "Options",
        "Contact owner",
        "Last activity",
        "Opt-in date",
        "Trabaja desde",
        "Orden cancelada",
    ],
)
def test_another_column_is_not(label: str) -> None:
    assert recognise(["Record ID", "Email", label]).suspects == ()


def test_a_word_that_is_not_understood_holds_and_is_no_opt_out_for_hubspot(tmp_path: Path) -> None:
    """What goes into opt-out-list.csv cannot be undone there."""
    head = f"{HEAD},Unsubscribed from all email,Opted out of email: News"
    done = audited(
        tmp_path,
        head,
        "1,ana@example.org,Marketing contact,perhaps,No",
        "2,bo@example.org,Marketing contact,No,ask her",
        "3,cy@example.org,Marketing contact,No,No",
        "4,di@example.org,Marketing contact,Yes,No",
    )
    assert {row["Email"] for row in listed(tmp_path, "opt-out-list.csv")} <= {"di@example.org"}
    held = {row["Record ID"]: row["reason"] for row in listed(tmp_path, "verdicts.csv")}
    assert (held["1"], held["2"]) == ("row_unread", "row_unread")
    assert held["3"] != "row_unread"
    assert {"1", "2"} <= {row["Record ID"] for row in listed(tmp_path, "do-not-send.csv")}
    assert "“perhaps” is not understood; it may be an opt-out" in screen(done)


@pytest.mark.parametrize("name", ["Email Opt Out", "Do Not Contact", "Abgemeldet am"])
def test_a_column_that_nobody_explained_holds_whoever_fills_it(tmp_path: Path, name: str) -> None:
    """An empty cell and an understood no hold nobody; the screen says how to settle it, and so it is settled."""
    head = f"{HEAD},Unsubscribed from all email,{name}"
    rows = [f"{n},p{n}@example.org,Marketing contact,No,{cell}" for n, cell in enumerate(["TRUE", "No", "", "2024"], 1)]
    done = audited(tmp_path, head, *rows)
    reasons = [row["reason"] for row in listed(tmp_path, "verdicts.csv")]
    assert [reason == "row_unread" for reason in reasons] == [True, False, False, True]
    assert f"{name}: “TRUE” stands in a column that speaks of opting out" in screen(done)
    for meaning, expected in (("ignore", "nothing_known"), ("opt_out", "opted_out")):
        other = tmp_path / meaning
        other.mkdir()
        audited(other, head, *rows[:3], words=("--column", f"{name}={meaning}"))
        assert listed(other, "verdicts.csv")[0]["reason"] == expected


def test_an_export_without_a_column_of_opt_outs_says_so(tmp_path: Path) -> None:
    """Else it would read as if nobody had opted out."""
    done = audited(tmp_path, HEAD, "1,ana@example.org,Marketing contact")
    assert "contacts.csv: no column of it says who opted out" in screen(done)
    warned = json.loads((tmp_path / "out" / "audit.json").read_text())["warnings"]
    assert any("no column of it says who opted out" in one for one in warned)


def test_a_column_of_which_too_much_is_not_understood_refuses_the_file(tmp_path: Path) -> None:
    """Five cells and more than one in twenty; before anything is recorded."""
    head = f"{HEAD},Unsubscribed from all email"
    few = [f"{n},p{n}@example.org,Marketing contact,{'hmm' if n <= 4 else 'No'}" for n in range(1, 21)]
    assert "not understood" in screen(audited(tmp_path, head, *few))
    other = tmp_path / "other"
    other.mkdir()
    many = [f"{n},p{n}@example.org,Marketing contact,{'hmm' if n <= 5 else 'No'}" for n in range(1, 21)]
    refused = screen(audited(other, head, *many, code=EXIT.UNREADABLE))
    assert "5 of 20 cells of “Unsubscribed from all email” are not understood, such as “hmm”" in refused
    assert not (other / "L").exists()


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("452 4.2.2 Mailbox full", "soft"),
        ("421 4.7.0 Try again later", "soft"),
        ("Mailbox is full", "soft"),
        ("over quota", "soft"),
        ("smtp; 4.4.1 connection timed out", "soft"),
        ("550 5.1.1 User unknown", "hard"),
        ("unknown user 4521", "hard"),
        ("host 10.4.2.2 rejected", "hard"),
    ],
)
def test_a_bounce_that_a_server_calls_temporary_is_soft(reason: str, kind: str) -> None:
    """RFC 5321 4.2.1 and RFC 3463: a reply that begins with 4."""
    assert bounce_kind(reason) == kind


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    """A misspelt name would else settle nothing, in silence."""
    refused = audited(
        tmp_path, HEAD, "1,a@example.org,Marketing contact", words=("--column", "Foo=ignore"), code=EXIT.UNREADABLE
    )
    assert "No contacts export has a column “Foo”. Their columns are: Record ID, Email" in screen(refused)
    assert not (tmp_path / "L").exists()
