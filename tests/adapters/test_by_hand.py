"""What a person records and asks by hand: slips of the pen are named, and no page says what nobody did."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.cli.options import EXIT
from adapters.wiring import now
from tests.adapters.test_damaged import Done, program

L = ("--ledger", "L")


def why(home: Path, address: str, *words: str) -> str:
    """What the page says, as data."""
    return program(home, "why", address, "--json", *words, *L).stdout


def record(home: Path, *words: str, code: int = EXIT.OK) -> Done:
    """Record something in the ledger."""
    return program(home, "record", *words, *L, code=code)


@pytest.mark.parametrize("given", ["", " ", "ben", "ben@example", "ben@example,com", "Ben <ben>"])
def test_what_is_no_address_is_refused_and_makes_no_ledger(tmp_path: Path, given: str) -> None:
    said = record(tmp_path, "opt-out", given, code=EXIT.USAGE).stderr
    assert "is not an e-mail address: nothing is recorded" in " ".join(said.replace("│", " ").split())
    assert not (tmp_path / "L").exists()


@pytest.mark.parametrize("given", ["Ben <ben@example.com>", " ben@example.com ", "mailto:ben@example.com"])
def test_a_stop_reaches_the_address_in_what_was_pasted(tmp_path: Path, given: str) -> None:
    record(tmp_path, "opt-out", given)
    assert "opted out" in program(tmp_path, "status", "ben@example.com", *L).stdout


def test_an_address_that_is_new_and_a_time_that_cannot_be_are_pointed_out(tmp_path: Path) -> None:
    assert "The address is new to this ledger" in record(tmp_path, "opt-out", "ben@example.com").stderr
    assert "is new to" not in record(tmp_path, "objection", "ben@example.com").stderr
    said = record(tmp_path, "complaint", "ben@example.com", "--at", "1900-01-01").stderr
    assert "the time given cannot be right, and counts as unknown" in said
    assert "right" not in record(tmp_path, "complaint", "ben@example.com", "--at", "2020-01-01").stderr


GRANT = (
    "--at",
    "2026-11-01T10:00:00Z",
    "--act",
    "unticked_box",
    "--purpose",
    "marketing.similar",
    "--wording",
    "words.txt",
    "--evidence",
    "shot.txt",
)
KNOWN = "marketing.similar, marketing.other"


def flat(text: str) -> str:
    """What a box on the screen says, on one line."""
    return " ".join("".join(letter for letter in text if letter not in "│╭╮╰╯─").split())


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (("opt-in", "--act", "unticked_box", "--purpose", "newsletter"), KNOWN),
        (("opt-in", "--act", "unticked_box", "--channel", "fax"), "email, sms, phone, post"),
        (("opt-in", "--act", "winked"), "unticked_box, signup"),
        (("opt-in", "--actor", "somebody"), "data_subject, guardian"),
        (("country", "UK"), "ISO 3166"),
    ],
)
def test_a_grant_with_a_word_that_is_not_known_is_refused_and_makes_no_ledger(
    tmp_path: Path, words: tuple[str, ...], allowed: str
) -> None:
    """With the words there are, exit 2."""
    refused = record(tmp_path, words[0], "ana@example.com", *words[1:], code=EXIT.USAGE)
    assert allowed in flat(refused.stderr)
    assert not (tmp_path / "L").exists()


def test_the_answer_to_a_fact_is_what_it_changes(tmp_path: Path) -> None:
    """Allowed before, not allowed now: for a person by name of the purpose, for a program as a value."""
    for name in ("words.txt", "shot.txt"):
        (tmp_path / name).write_text("Yes, send me news about similar products by e-mail.")
    record(tmp_path, "country", "ana@example.com", "GB")
    record(tmp_path, "opt-in", "ana@example.com", *GRANT)
    began = record(tmp_path, "confirmation", "ana@example.com").stderr
    assert "a…@e….com: marketing was not allowed before, and is allowed now" in began
    assert "advertising for similar products of our own (allowed)" in began
    ended = record(tmp_path, "opt-out", "ana@example.com", "--purpose", "news letter", "--channel", "fax").stderr
    assert "--purpose names a purpose that is not known here" in ended
    assert "--channel names a channel that is not known here" in ended
    assert "a…@e….com: marketing was allowed before, and is not allowed now." in ended
    again = json.loads(record(tmp_path, "opt-out", "ana@example.com", "--json").stdout)
    assert (again["status"], again["known"], again["changed"], again["warnings"]) == ("recorded", True, False, [])


def test_an_address_that_differs_by_one_letter_is_pointed_out(tmp_path: Path) -> None:
    """A stop for a misspelt address reaches nobody: the person at the keyboard must see whom it may have meant."""
    record(tmp_path, "opt-out", "ana.berg@example.com")
    for typed in ("ana.berg@exmaple.com", "anna.berg@example.com", "ana.ber@example.com", "aja.berg@example.com"):
        told = record(tmp_path, "opt-out", typed).stderr
        assert "It knows " in told
        assert "ana.berg@example.com" in told
    program(tmp_path, "status", "bo.carl@example.net", *L, code=EXIT.ERROR)
    missed = program(tmp_path, "status", "ana.berh@example.com", *L, code=EXIT.ERROR).stderr
    assert "Did you mean ana.ber@example.com or ana.berg@example.com?" in missed


@pytest.mark.parametrize("words", [("--purpose", "newsletter"), ("--purpose", "marketing.*"), ("--channel", "fax")])
def test_no_page_answers_a_question_that_means_nothing(tmp_path: Path, words: tuple[str, str]) -> None:
    record(tmp_path, "opt-out", "ana@example.com")
    refused = program(tmp_path, "why", "ana@example.com", *words, *L, code=EXIT.USAGE)
    assert f"{words[0]} must be one of these: " in flat(refused.stderr)


def test_a_campaign_is_answered_from_a_file(tmp_path: Path) -> None:
    """Every address in it, with a header or without; what is no address is named, and the exit code says so."""
    for name in ("words.txt", "shot.txt"):
        (tmp_path / name).write_text("Yes, send me news about similar products by e-mail.")
    record(tmp_path, "country", "ana@example.com", "GB")
    record(tmp_path, "opt-in", "ana@example.com", *GRANT)
    record(tmp_path, "confirmation", "ana@example.com")
    record(tmp_path, "opt-out", "ben@example.com")
    (tmp_path / "list.csv").write_text("Name,E-mail\nAna,ana@example.com\nBen,ben@example.com\nCy,cy@example.com\n")
    answered = program(tmp_path, "gate", "list.csv", "--purpose", "marketing.similar", *L)
    header, *lines = answered.stdout.splitlines()
    assert header == "email,allowed,reason,until"
    assert [line.rsplit(",", 1)[0] for line in lines] == [
        "ana@example.com,yes,proven",
        "ben@example.com,no,opted out",
        "cy@example.com,no,unknown address",
    ]
    assert "3 addresses: 1 may be written to" in answered.stderr
    (tmp_path / "plain.txt").write_text("ana@example.com\nnobody\n")
    unread = program(tmp_path, "gate", "plain.txt", "--purpose", "marketing.similar", *L, code=EXIT.FINDINGS)
    assert "plain.txt, row 2: no e-mail address in this row" in unread.stderr
    program(tmp_path, "gate", "plain.txt", "--purpose", "newsletter", *L, code=EXIT.USAGE)
    (tmp_path / "one.txt").write_text("ana@example.com\n")
    assert "1 address: 1 may" in program(tmp_path, "gate", "one.txt", "--purpose", "marketing.similar", *L).stderr


def test_a_stop_says_whom_it_reaches_under_another_spelling(tmp_path: Path) -> None:
    """Given somebody who may be written to, then a stop of their address with a mark in it says that they may not."""
    for name in ("words.txt", "shot.txt"):
        (tmp_path / name).write_text("Yes, send me news about similar products by e-mail.")
    record(tmp_path, "country", "ana@example.com", "GB")
    record(tmp_path, "opt-in", "ana@example.com", *GRANT)
    record(tmp_path, "confirmation", "ana@example.com")
    said = flat(record(tmp_path, "opt-out", "'ana@example.com").stderr)
    assert "a…@e….com: marketing was allowed before, and is not allowed now." in said
    assert "record the fact for it as well" not in said


def test_no_page_says_that_a_person_who_asked_to_be_erased_opted_out(tmp_path: Path) -> None:
    record(tmp_path, "erasure-request", "dan@example.com")
    for words in ((), ("--for", "person")):
        assert "You opted out" not in why(tmp_path, "dan@example.com", *words)
    assert "Your address was put on our list of" in why(tmp_path, "dan@example.com", "--for", "person")
    assert "suppressed: its address was erased, or its erasing was asked for" in why(tmp_path, "dan@example.com")
    assert "opted out" not in program(tmp_path, "history", "dan@example.com", *L).stdout


def test_a_grace_of_the_law_is_named_where_there_is_some_with_its_last_day(tmp_path: Path) -> None:
    record(tmp_path, "opt-out", "ana@example.com", "--at", "2026-11-02T12:00:00Z")
    assert "law's own grace" not in why(tmp_path, "ana@example.com")
    record(tmp_path, "country", "ana@example.com", "CA")
    assert "runs to the end of 2026-11-1" in why(tmp_path, "ana@example.com")


def test_nothing_is_known_of_what_is_yet_to_be_recorded(tmp_path: Path) -> None:
    record(tmp_path, "opt-out", "ana@example.com")
    later = now() + timedelta(days=400)
    known_at = json.loads(why(tmp_path, "ana@example.com", "--known-at", f"{later:%Y-%m-%d}"))["question"]["known_at"]
    assert datetime.fromisoformat(known_at) <= now()


def test_a_correction_is_named_with_the_stop_it_took_back(tmp_path: Path) -> None:
    record(tmp_path, "opt-out", "ana@example.com")
    (tmp_path / "proof.txt").write_text("another Ana called")
    signed = ("--by", "Dana", "--role", "DPO", "--reason", "mistake", "--evidence", "proof.txt", "--yes")
    program(tmp_path, "correct", 2, *signed, *L)
    assert "a stop taken back (position 2)" in program(tmp_path, "history", "ana@example.com", *L).stdout


def test_an_address_that_begins_like_a_reference_is_an_address(tmp_path: Path) -> None:
    """Given somebody at CL-info@..., when they opt out, then the opt-out is recorded and found again."""
    record(tmp_path, "opt-out", "CL-info@example.com")
    assert json.loads(why(tmp_path, "CL-info@example.com"))["facts"]["cause"]["kind"] == "stopped"
