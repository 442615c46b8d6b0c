"""Columns that say who opted out, or seem to: what is understood counts, what is not holds, nothing reads as a yes."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.cli.options import EXIT
from adapters.hubspot.labels import recognise, speaks_of_opting_out
from adapters.hubspot.said import bounce_kind
from adapters.hubspot.sync.standing import asked, standings
from adapters.hubspot.values import NO, UNKNOWN, YES, Values
from adapters.wiring import now
from ledger.catalogue import Catalogue
from ledger.contact import Entry
from ledger.events import ImportFinished
from ledger.lost_stops import SHOWING, lost_stops
from ledger.terms import LEDGER_STREAM
from tests.adapters.test_damaged import Done, program
from tests.ledgers import open_house

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
        *("Einwilligung widerrufen", "Consent withdrawn", "Kein Newsletter", "No newsletter", "Objected to marketing"),
        *("Do not send", "Newsletter gekündigt", "Refus de prospection", "Stop marketing", "Nicht anschreiben"),
        *("Keine Werbung", "Exclude from marketing", "GDPR objection", "Bezwaar", "Ne plus contacter", "Gesperrt"),
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


US = "Record ID,Email,Country/Region,Marketing contact status,Newsletter state"
SAID_NOTHING = (
    "1,ana@example.org,United States,Marketing contact,unsub",
    "2,bo@example.org,United States,Marketing contact,ok",
)
BY_NAME = ("--sender-country", "US")


def staying(home: Path) -> list[bool]:
    """Who may stay, in the order of the export."""
    return [row["action"] == "keep" for row in listed(home, "verdicts.csv")]


def staying_of_all(home: Path, *words: str) -> dict[str, bool]:
    """Who of everybody that the ledger holds may stay, by record id."""
    program(home, "audit", "--ledger", "L", "--out", "all", *words)
    with (home / "all" / "verdicts.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["Record ID"]: row["action"] == "keep" for row in csv.DictReader(file)}


def test_an_export_without_a_column_of_opt_outs_lets_nobody_stay(tmp_path: Path) -> None:
    """Else it would read as if nobody had opted out. It is said first, with what settles it."""
    done = audited(tmp_path, US, *SAID_NOTHING, words=BY_NAME)
    assert "contacts.csv: no column of it says who opted out (2 rows)" in screen(done)
    assert "Export contacts.csv again with the columns that say who opted out" in screen(done)
    assert {(row["action"], row["reason"], row["next_step"]) for row in listed(tmp_path, "verdicts.csv")} == {
        ("review", "opt_outs_hidden", "bring_opt_outs")
    }
    (open_one,) = json.loads((tmp_path / "out" / "audit.json").read_text())["lost_stops"]
    assert (open_one["file"], open_one["hidden"], open_one["stands"]) == ("contacts.csv", 2, True)
    audited(tmp_path, US, *SAID_NOTHING, words=(*BY_NAME, "--fail-on", "lost_stops"), code=EXIT.FINDINGS)
    assert staying(tmp_path) == [False, False]  # the same file again changes nothing


def test_a_named_column_settles_it_for_the_same_file(tmp_path: Path) -> None:
    """Told which column says it, the same bytes are read anew: whoever opted out is stopped, the others may stay."""
    audited(tmp_path, US, *SAID_NOTHING, words=BY_NAME)
    rows = [row.replace("unsub", "Yes").replace("ok", "No") for row in SAID_NOTHING]
    audited(tmp_path, US, *rows, words=BY_NAME)
    assert staying(tmp_path) == [False, False]
    audited(tmp_path, US, *rows, words=(*BY_NAME, "--column", "Newsletter state=opt_out"))
    assert [row["bucket"] for row in listed(tmp_path, "verdicts.csv")] == ["stopped", "basis_proven"]
    assert staying(tmp_path) == [False, True]


def test_what_shows_the_opt_outs_settles_it_unless_it_is_older(tmp_path: Path) -> None:
    """HubSpot's unsubscribes of the same day, or an export with the column; not those of a month before."""
    unsubscribes = tmp_path / "unsubscribes.csv"
    unsubscribes.write_text("Email,Unsubscribe date,Reason\nana@example.org,2026-03-01,unsubscribed\n")
    os.utime(unsubscribes, (1_700_000_000, 1_700_000_000))
    audited(tmp_path, US, *SAID_NOTHING, words=(*BY_NAME, "unsubscribes.csv"))
    assert staying(tmp_path) == [False, False]
    other = tmp_path / "other"
    other.mkdir()
    (other / "unsubscribes.csv").write_bytes(unsubscribes.read_bytes())
    audited(other, US, *SAID_NOTHING, words=(*BY_NAME, "unsubscribes.csv"))
    assert staying(other) == [False, True]
    (tmp_path / "contacts.csv").write_text("", encoding="utf-8")
    shown = f"{US},Unsubscribed from all email"
    audited(tmp_path, shown, *(f"{row},No" for row in SAID_NOTHING), words=BY_NAME)
    assert staying(tmp_path) == [False, True]


def test_a_later_export_without_the_column_opens_it_again(tmp_path: Path) -> None:
    """Who opted out since the export that showed it, or came since, nobody knows; a smaller one shows it of its own."""
    shown = f"{US},Unsubscribed from all email"
    audited(tmp_path, shown, *(f"{row},No" for row in SAID_NOTHING), words=BY_NAME)
    assert staying(tmp_path) == [True, True]
    audited(tmp_path, US, *(row.replace("bo@", "bea@") for row in SAID_NOTHING), words=BY_NAME)
    assert staying(tmp_path) == [False, False]
    done = audited(tmp_path, shown, f"{SAID_NOTHING[0]},No", words=BY_NAME)
    assert staying(tmp_path) == [True]
    assert "NOT READ" not in screen(done)  # of this export nobody is held
    assert staying_of_all(tmp_path) == {"1": True, "2": False}
    audited(tmp_path, shown, *(f"{row.replace('bo@', 'bea@')},No" for row in SAID_NOTHING), words=BY_NAME)
    assert staying(tmp_path) == [True, True]


SHOWN = f"{US},Unsubscribed from all email"


def test_an_export_of_other_people_settles_nothing_of_these(tmp_path: Path) -> None:
    """As large and no older, with the column: it shows its own people. The first two stay held, in the sync too."""
    audited(tmp_path, US, *SAID_NOTHING, words=BY_NAME)
    others = [row.replace("1,ana@", "3,cy@").replace("2,bo@", "4,di@") for row in SAID_NOTHING]
    audited(tmp_path, SHOWN, *(f"{row},No" for row in others), words=(*BY_NAME, "--same-company"))
    assert staying(tmp_path) == [True, True]
    assert staying_of_all(tmp_path) == {"1": False, "2": False, "3": True, "4": True}
    (still,) = json.loads((tmp_path / "all" / "audit.json").read_text())["lost_stops"]
    assert (still["file"], still["hidden"], still["stands"], still["in_part"]) == ("contacts.csv", 2, True, True)
    steps = " ".join((tmp_path / "all" / "NEXT-STEPS.md").read_text().split())
    assert "A later export shows it of some of the contacts; of the others it is still unknown." in steps
    assert "Until then nobody may stay marketing whom no later export shows" in steps
    with open_house(tmp_path / "L", {}) as house:
        known = house.ledger.vault.known_records("hubspot", ["1", "2", "3", "4"])
        found = standings(house, {row.contact for row in known.values()}, asked(house, now()))
        assert {record for record, row in known.items() if found[row.contact].shown} == {"3", "4"}
    audited(tmp_path, SHOWN, *(f"{row},No" for row in (*SAID_NOTHING, *others)), words=BY_NAME)
    assert staying(tmp_path) == [True, True, True, True]
    assert set(staying_of_all(tmp_path).values()) == {True}
    assert json.loads((tmp_path / "all" / "audit.json").read_text())["lost_stops"] == []


def test_without_record_ids_an_address_is_shown_or_is_not(tmp_path: Path) -> None:
    head = "Email,Country/Region,Marketing contact status"
    rows = [f"{name}@example.org,United States,Marketing contact" for name in ("ana", "bo", "cy")]
    audited(tmp_path, head, *rows, words=BY_NAME)
    assert staying(tmp_path) == [False, False, False]
    shown = f"{head},Unsubscribed from all email"
    audited(tmp_path, shown, *(f"{row},No" for row in rows[:2]), words=BY_NAME)
    assert staying(tmp_path) == [True, True]
    audited(tmp_path, head, *rows, words=BY_NAME)  # the same content on a later day hides who opted out since
    assert staying(tmp_path) == [False, False, False]


def test_a_row_that_says_nothing_new_is_shown_by_a_newer_file_all_the_same(tmp_path: Path) -> None:
    """Modified long ago, with the cells of the export before the one that hides: it is known of that day."""
    tail = ",2024-03-01 09:00"
    shown, hiding = f"{SHOWN},Last Modified Date", f"{US},Last Modified Date"
    audited(tmp_path, shown, *(f"{row},No{tail}" for row in SAID_NOTHING), words=BY_NAME)
    assert staying(tmp_path) == [True, True]
    audited(tmp_path, hiding, *(f"{row},2024-01-01 09:00" for row in SAID_NOTHING), words=BY_NAME)
    assert staying(tmp_path) == [False, False]
    audited(tmp_path, shown, *(f"{row},No{tail}" for row in (SAID_NOTHING[0],)), words=BY_NAME)
    assert staying(tmp_path) == [True]
    with open_house(tmp_path / "L", {}) as house:
        before = house.ledger.log.last_position()
    audited(tmp_path, shown, *(f"{row},No{tail}" for row in (SAID_NOTHING[0],)), words=BY_NAME)
    with open_house(tmp_path / "L", {}) as house:
        assert house.ledger.log.last_position() == before
    assert staying_of_all(tmp_path) == {"1": True, "2": False}


def test_a_column_named_by_hand_is_remembered(tmp_path: Path) -> None:
    """The next export is read by it without a word, and a later word replaces it."""
    rows = [row.replace("unsub", "Yes").replace("ok", "No") for row in SAID_NOTHING]
    audited(tmp_path, US, *rows, words=(*BY_NAME, "--column", "Newsletter state=opt_out"))
    assert '[columns]\n"Newsletter state" = "opt_out"\n' in (tmp_path / "L" / "audit.toml").read_text()
    more = [*rows, "3,cy@example.org,United States,Marketing contact,Yes"]
    audited(tmp_path, US, *more, words=BY_NAME)
    assert [row["bucket"] for row in listed(tmp_path, "verdicts.csv")] == ["stopped", "basis_proven", "stopped"]
    audited(tmp_path, US, *more, words=(*BY_NAME, "--column", "Newsletter state=ignore"))
    text = (tmp_path / "L" / "audit.toml").read_text()
    assert [line for line in text.splitlines() if line.startswith('"Newsletter')] == ['"Newsletter state" = "ignore"']


def test_somebody_may_answer_for_it(tmp_path: Path) -> None:
    """By name, for this file and this many rows; the report says who."""
    audited(tmp_path, US, *SAID_NOTHING, words=BY_NAME)
    refused = audited(
        tmp_path, US, *SAID_NOTHING, words=(*BY_NAME, "--accept-lost-stops", "contacts.csv=5", "--by", "Ada"),
        code=EXIT.USAGE,
    )  # fmt: skip
    assert "contacts.csv leaves 2 rows to answer for, not 5" in screen(refused)
    accepted = (*BY_NAME, "--accept-lost-stops", "contacts.csv=2", "--by", "Ada")
    done = audited(tmp_path, US, *SAID_NOTHING, words=accepted)
    assert "Ada answers for going on with it." in screen(done)
    assert staying(tmp_path) == [True, True]


@pytest.mark.parametrize("seconds", [-400 * 86_400, -86_401, -86_399, 0, 86_400])
@pytest.mark.parametrize(
    "source", ["hubspot.export", *sorted(SHOWING), "hubspot.opt_outs", "mailchimp.audience", "stops"]
)
@pytest.mark.parametrize("rows", [1, 2, 500])
def test_what_is_hidden_is_shown_by_no_older_file(source: str, seconds: int, rows: int) -> None:
    """In the pure rule: a list at most a day older; of an export no number of rows, but what it shows of a record."""
    day = datetime(2026, 11, 30, tzinfo=UTC)
    hiding = ImportFinished(
        stream=LEDGER_STREAM, source="hubspot.export", file="a" * 64, rows=2, hidden=2, captured_at=day
    )
    showing = ImportFinished(
        stream=LEDGER_STREAM, source=source, file="b" * 64, rows=rows, captured_at=day + timedelta(seconds=seconds)
    )
    settled = source in SHOWING and seconds >= -86_400
    for order in ((hiding, showing), (showing, hiding)):
        imports = tuple(Entry(place, place, event) for place, event in enumerate(order, 1))
        assert bool(lost_stops(Catalogue(imports=imports))) is not settled


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


@pytest.mark.parametrize(
    ("label", "cell", "held"),
    [
        ("Subscription status", "Unsubscribed", True),
        ("Newsletter", "abgemeldet", True),
        ("Consent status", "Withdrawn", True),
        ("E-Mail-Einwilligung (alt)", "Widerrufen", True),
        ("Newsletter state", "opted out", True),
        ("Abonnement", "Désabonné", True),
        ("Subscription status", "Subscribed", False),
        ("Lead Status", "Open", False),
        ("Newsletter", "monthly", False),
        ("Favourite colour", "left", False),
    ],
)
def test_a_word_of_departure_in_a_column_of_a_status_holds(tmp_path: Path, label: str, cell: str, held: bool) -> None:
    """Given a column that is not known and whose label says nothing, then a cell that says no still does."""
    header = f"Record ID,Email,Country/Region,Marketing contact status,Unsubscribed from all email,{label}"
    rows = [f"{n},p{n}@example.org,United States,Marketing contact,No,{cell if n == 1 else ''}" for n in (1, 2)]
    done = audited(tmp_path, header, *rows, words=("--sender-country", "US"))
    assert [row["action"] for row in listed(tmp_path, "verdicts.csv")] == ["review" if held else "keep", "keep"]
    assert ("is a word of people who opted out" in screen(done)) is held
    if held:
        assert "p1@example.org" in [row["Email"] for row in listed(tmp_path, "do-not-send.csv")]
        (tmp_path / "explained").mkdir()
        words = ("--sender-country", "US", "--column", f"{label}=ignore")
        audited(tmp_path / "explained", header, *rows, words=words)
        assert listed(tmp_path / "explained", "verdicts.csv")[0]["action"] == "keep"
