"""`do-not-send.csv` lists every address of whoever is stopped or held, not only the one that stands on the record."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger import events as e
from ledger.application import Fact
from tests.adapters.test_cli import rows, run
from tests.ledgers import open_house

CONTACTS = (
    "Record ID",
    "Email",
    "Additional email addresses",
    "Country/Region",
    "Marketing contact status",
    "Lifecycle Stage",
    "Unsubscribed from all email",
)


def write(path: Path, header: Sequence[str], *lines: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def contact(record: str, email: str, more: str = "", out: str = "No", flag: str = "Marketing contact") -> list[str]:
    return [record, email, more, "United States", flag, "Lead", out]


def audit(folder: Path, people: Sequence[Sequence[str]], *files: Path) -> Any:
    """What an audit of a portal in the US says; whoever said nothing there may stay."""
    contacts = write(folder / "contacts.csv", CONTACTS, *people)
    out = folder / "out"
    run("audit", contacts, *files, "--sender-country", "US", "--ledger", folder / "ledger", "--out", out)
    return json.loads((out / "audit.json").read_text())


def listed(folder: Path) -> list[tuple[str, str, str]]:
    return [(row["Record ID"], row["Email"], row["reason"]) for row in rows(folder / "out" / "do-not-send.csv")]


def test_the_further_addresses_of_a_stopped_record_are_listed(tmp_path: Path) -> None:
    """Without the record's id: whoever imports the list by it would write the address over the record's own."""
    people = [
        contact("1", "ana@example.org", "ana.old@example.org; ana@example.com", out="Yes"),
        contact("2", "bo@example.org", "bo.old@example.org"),
        contact("3", "cy@example.org", "cy.old@example.org", out="Yes", flag="Non-marketing contact"),
    ]
    said = audit(tmp_path, people)
    assert listed(tmp_path) == [
        ("1", "ana@example.org", "opted_out"),
        ("", "ana.old@example.org", "opted_out"),
        ("", "ana@example.com", "opted_out"),
    ]
    assert said["do_not_send"] == 1
    steps = " ".join((tmp_path / "out" / "NEXT-STEPS.md").read_text().split())
    assert (
        "1 record must not be mailed now. `do-not-send.csv` also lists 2 other addresses of the same people." in steps
    )


def test_an_address_that_has_its_own_row_is_listed_once(tmp_path: Path) -> None:
    people = [
        contact("1", "ana@example.org", "ann@example.org", out="Yes"),
        contact("2", "ann@example.org", "ana@example.org; third@example.org"),
    ]
    audit(tmp_path, people)
    assert [row[:2] for row in listed(tmp_path)] == [
        ("1", "ana@example.org"),
        ("2", "ann@example.org"),
        ("", "third@example.org"),
    ]


def test_the_address_of_somebody_joined_by_a_stop_link_is_listed(tmp_path: Path) -> None:
    """A file of opt-outs names record 1 with an address that is not the record's: the two share their stops."""
    stops = write(
        tmp_path / "unsubscribes.csv",
        ("Email", "Contact ID", "Unsubscribed from all email", "Reason", "Date"),
        ["ana@example.com", "1", "Yes", "Unsubscribed", "2026-03-01 09:00"],
    )
    audit(tmp_path, [contact("1", "ana@example.org"), contact("2", "bo@example.org")], stops)
    assert listed(tmp_path) == [("1", "ana@example.org", "opted_out"), ("", "ana@example.com", "opted_out")]


def test_whoever_a_row_that_could_not_be_read_names_is_held_under_every_address(tmp_path: Path) -> None:
    """Record 2 by its further address; somebody of whom there is no record by an address that another file tied."""
    people = [contact("1", "ana@example.org"), contact("2", "bo@example.org", "bo.old@example.org")]
    forms = write(
        tmp_path / "forms.csv",
        ("Conversion Date", "Form name", "Email", "Contact ID"),
        ["2026-03-01 09:12", "News", "di@example.org", "9"],
        ["2026-03-02 09:12", "News", "di@example.com", "9"],
    )
    stops = tmp_path / "unsubscribes.csv"
    stops.write_text(
        "Email,Unsubscribe date,Reason\nana@example.org,2026-03-01,unsubscribed\n"
        'bo.old@example.org,2026-03-01,"phoned" or"\ndi@example.org,2026-03-01,"phoned" or"\n'
    )
    audit(tmp_path, people, forms, stops)
    assert {row[1:] for row in listed(tmp_path)} == {
        ("ana@example.org", "opted_out"),
        ("bo@example.org", "row_unread"),
        ("bo.old@example.org", "row_unread"),
        ("di@example.org", "row_unread"),
        ("di@example.com", "row_unread"),
    }


def test_an_address_to_which_a_stop_does_not_reach_is_not_listed(tmp_path: Path) -> None:
    """What somebody stopped for one address alone keeps no other of theirs out: the gate says so as well."""
    people = [contact("1", "ana@example.org", "ann@example.org")]
    audit(tmp_path, people)
    with open_house(tmp_path / "ledger", {}) as house:
        stream, address = house.find("ana@example.org")
        stop = e.OptedOut(stream=stream, address=address, source="cli", by="data_subject", address_only=True)
        house.ledger.record(Fact(stop))
    audit(tmp_path, people)
    assert listed(tmp_path) == [("1", "ana@example.org", "opted_out")]
