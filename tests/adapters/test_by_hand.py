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
    assert "had not met the address before" in record(tmp_path, "opt-out", "ben@example.com").stderr
    assert "before" not in record(tmp_path, "objection", "ben@example.com").stderr
    said = record(tmp_path, "complaint", "ben@example.com", "--at", "1900-01-01").stderr
    assert "the time given cannot be right, and counts as unknown" in said
    assert "right" not in record(tmp_path, "complaint", "ben@example.com", "--at", "2020-01-01").stderr


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
