"""A portal with one record for every situation an audit meets, from its files to bucket, action, reason and step."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.adapters.test_cli import rows, run
from tests.ledgers import open_house

BASIS = "Legal basis for processing contact's data"
CONFIRMATION = "Marketing email confirmation status"
STOPPED = "Unsubscribed from all email"
QUARANTINED, WHY_QUARANTINED = "Email Address Quarantined", "Email address automated quarantine reason"
HEADER = (
    "Record ID", "First Name", "Last Name", "Email", "Country/Region", "IP Country", "Create Date",
    "Last Modified Date", "Marketing contact status", "Marketing contact status source type", BASIS,
    CONFIRMATION, STOPPED,
    "Opted out of email: Product News", QUARANTINED, WHY_QUARANTINED, "Email hard bounce reason", "Lifecycle Stage",
    "Number of Form Submissions", "Recent Deal Close Date", "Original Source",
)  # fmt: skip
MAP = """
[by]
name = "Dana Weiss"
role = "data protection officer"
on = 2026-01-10

[[form]]
key = "newsletter"
form = "Newsletter"
box = "I would like the newsletter"
ticked_before = false
required = false
wording = "form.html"
purposes = ["marketing.*"]
channels = ["email"]
senders = ["own"]
evidence = ["form.html"]

[[sale]]
key = "shop"
pipeline = "Online shop"
kind = "purchase"
seller = "own"
collected_from_person = true
refusal_offered = true
refusals_recorded = true
evidence = ["checkout.html"]

[[sale]]
key = "partners"
pipeline = "Partner sales"
kind = "purchase"
seller = "own"
collected_from_person = true
refusal_offered = true
refusals_recorded = true

[[list]]
key = "fair"
list = "Trade fair 2022"
"""
LEAVE = "delete_after:2028-05-01"


class Situation(NamedTuple):
    """A record: its cells beside the usual ones, its rows in other files, and what the audit must say of it."""

    name: str
    expected: tuple[str, str, str, str]
    cells: Mapping[str, str] = MappingProxyType({})
    ticked: str = ""
    confirmed: bool = False
    requested: bool = False
    deal: str = ""


SITUATIONS = (
    Situation("hard bounced", ("no_basis", "set_non_marketing", "nothing_known", "none"),
              {"Email hard bounce reason": "UNKNOWN_USER"}),
    Situation("quarantined", ("no_basis", "set_non_marketing", "nothing_known", "none"),
              {QUARANTINED: "Yes", WHY_QUARANTINED: "HIGH_HARD_BOUNCE_RATE"}),
    Situation("quarantined by complaint", ("stopped", "set_non_marketing", "complained", "none"),
              {QUARANTINED: "Yes", WHY_QUARANTINED: "RECIPIENT_COMPLAINT"}),
    Situation("role address", ("no_basis", "set_non_marketing", "nothing_known", LEAVE),
              {"Email": "info@nordlicht.example"}),
    Situation("opted out of one type", ("stopped", "set_non_marketing", "opted_out", "none"),
              {"Opted out of email: Product News": "Yes"}),
    Situation("double opt-in pending, request on record",
              ("no_basis", "keep", "confirmation_pending", "bring_confirmation"),
              {CONFIRMATION: "Confirmation Pending"}, requested=True),
    Situation("double opt-in pending, no request", ("no_basis", "set_non_marketing", "nothing_known", LEAVE),
              {CONFIRMATION: "Confirmation Pending"}),
    Situation("one address, two people, one proven", ("conflict", "review", "shared_address",
              "dpo_question:shared_address"),
              {"Email": "both@example.com", "First Name": "Ann"}, ticked="Yes", confirmed=True),
    Situation("the other of the two", ("conflict", "review", "shared_address", "dpo_question:shared_address"),
              {"Email": "both@example.com", "First Name": "Bert"}),
    Situation("no address", ("no_basis", "set_non_marketing", "no_address", LEAVE), {"Email": ""}),
    Situation("United States, declared", ("no_basis", "set_non_marketing", "nothing_known", LEAVE),
              {"Country/Region": "United States"}),
    Situation("United States, by IP only", ("no_basis", "set_non_marketing", "nothing_known", LEAVE),
              {"Country/Region": "", "IP Country": "united states"}),
    Situation("country unknown, .de", ("no_basis", "set_non_marketing", "nothing_known", LEAVE),
              {"Country/Region": "", "Email": "wer@beispiel-firma.de"}),
    Situation("country unknown, .io", ("no_basis", "set_non_marketing", "nothing_known", LEAVE),
              {"Country/Region": "", "Email": "who@some-company.io"}),
    Situation("customer, refusal offered and evidenced", ("basis_proven", "keep", "proven", "none"),
              {"Lifecycle Stage": "Customer"}, deal="Online shop"),
    Situation("customer, refusal offer not evidenced",
              ("basis_claimed", "review", "declared_not_evidenced", "dpo_question:declared"),
              {"Lifecycle Stage": "Customer"}, deal="Partner sales"),
    Situation("not applicable", ("no_basis", "set_non_marketing", "nothing_known", LEAVE), {BASIS: "Not applicable"}),
    Situation("trade-show import", ("no_basis", "set_non_marketing", "nothing_known", LEAVE),
              {"Original Source": "Offline Sources", "Marketing contact status source type": "CONTACT_IMPORT"}),
    Situation("erased, and imported again", ("stopped", "set_non_marketing", "suppressed", "none"),
              {"Email": "erased@example.com"}),
    Situation("non-marketing with evidence on file", ("basis_proven", "none", "proven", "none"),
              {"Marketing contact status": "Non-marketing contact"}, ticked="Yes", confirmed=True),
    Situation("box left empty", ("no_basis", "set_non_marketing", "nothing_known", "ask_at_next_own_act"),
              {"Number of Form Submissions": "1"}, ticked="No"),
    Situation("ticked, not confirmed", ("basis_claimed", "review", "claimed_evidence", "bring_confirmation"),
              ticked="Yes"),
    Situation("minor", ("no_basis", "set_non_marketing", "minor", LEAVE), {"Email": "kid@example.com"}),
    Situation("merged with one who said no, some day",
              ("conflict", "review", "times_overlap", "dpo_question:times_overlap"),
              {"Email": "first@example.com"}, ticked="Yes", confirmed=True),
    Situation("the one who said no", ("stopped", "set_non_marketing", "opted_out", "none"),
              {"Email": "second@example.com", STOPPED: "Yes"}),
)  # fmt: skip


def _cells(number: int, situation: Situation) -> dict[str, str]:
    return {
        "Record ID": str(number),
        "First Name": f"First{number}",
        "Last Name": f"Last{number}",
        "Email": f"person{number}@example.com",
        "Country/Region": "Germany",
        "Create Date": "2025-05-01 10:00",
        "Last Modified Date": "2026-11-20 17:30",
        "Marketing contact status": "Marketing contact",
        **situation.cells,
    }


def _ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def _write(path: Path, header: tuple[str, ...], lines: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, restval="")
        writer.writeheader()
        writer.writerows(lines)


def _confirmations(people: list[tuple[dict[str, str], Situation]]) -> list[dict[str, object]]:
    """The subscription timeline: who confirmed, and to whom a request went out two days before the audit."""
    found: list[dict[str, object]] = []
    for cells, situation in people:
        kind, at = ("CONFIRMED", _ago(200)) if situation.confirmed else ("REQUESTED", _ago(2))
        if situation.confirmed or situation.requested:
            change = {"change": kind, "changeType": "DOUBLE_OPT_IN", "source": "SOURCE_RECIPIENT", "timestamp": at}
            found.append({"recipient": cells["Email"], "timestamp": at, "portalId": 1, "changes": [change]})
    return found


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The rows of verdicts.csv by record id, and the waves, after one audit of all files."""
    home = tmp_path_factory.mktemp("portal")
    people = [(_cells(number, one), one) for number, one in enumerate(SITUATIONS, start=101)]
    _write(home / "contacts.csv", HEADER, [cells for cells, _ in people])
    box = "I would like the newsletter"
    _write(
        home / "newsletter.csv",
        ("Conversion Date", "Conversion ID", "Form name", "Email", box),
        [
            {"Conversion Date": _ago(201), "Conversion ID": f"c{cells['Record ID']}",
             "Form name": "Newsletter", "Email": cells["Email"], box: one.ticked}
            for cells, one in people if one.ticked
        ],
    )  # fmt: skip
    _write(
        home / "deals.csv",
        ("Deal ID", "Deal Name", "Deal Stage", "Pipeline", "Close Date", "Associated Contact IDs"),
        [
            {"Deal ID": f"9{cells['Record ID']}", "Deal Name": "Stove", "Deal Stage": "Closed Won",
             "Pipeline": one.deal, "Close Date": _ago(180)[:10], "Associated Contact IDs": cells["Record ID"]}
            for cells, one in people if one.deal
        ],
    )  # fmt: skip
    (home / "timeline.json").write_text(json.dumps({"timeline": _confirmations(people)}), encoding="utf-8")
    (home / "form.html").write_text("<p>I would like the newsletter of Nordlicht about its stoves.</p>")
    (home / "checkout.html").write_text("<p>We write to you about similar stoves. <a>No, thank you</a></p>")
    (home / "map.toml").write_text(MAP, encoding="utf-8")
    ledger, out = home / "ledger", home / "out"
    run("record", "erasure-request", "erased@example.com", "--ledger", ledger)
    with open_house(ledger, {}) as house:
        house.ledger.vault.erase(house.find("erased@example.com")[0])
    run("record", "recipient", "kid@example.com", "--minor", "--ledger", ledger)
    files = [home / name for name in ("contacts.csv", "newsletter.csv", "deals.csv", "timeline.json")]
    options = ("--ledger", ledger, "--out", out, "--map", home / "map.toml", "--sender-country", "DE")
    zone = ("--timezone", "Europe/Berlin")
    run("audit", *files, *options, *zone)
    signed = ("--by", "Dana Weiss", "--role", "DPO", "--reason", "one person")
    run("merge", "first@example.com", "second@example.com", *signed, "--ledger", ledger)
    run("audit", *files, *options, *zone)
    found = {row["Record ID"]: row for row in rows(out / "verdicts.csv")}
    for row in rows(out / "set-non-marketing.csv"):
        found[row["Record ID"]]["wave"] = row["wave"]
    return found


@pytest.mark.parametrize("number", range(len(SITUATIONS)), ids=[one.name for one in SITUATIONS])
def test_each_situation_is_told_as_it_is(verdicts: dict[str, dict[str, str]], number: int) -> None:
    """Bucket, action, reason and next step, from the files of a portal to verdicts.csv."""
    row = verdicts[str(101 + number)]
    assert (row["bucket"], row["action"], row["reason"], row["next_step"]) == SITUATIONS[number].expected


def test_only_what_leaves_the_bill_has_a_wave(verdicts: dict[str, dict[str, str]]) -> None:
    """1 stopped or undeliverable, 2 nothing known, 3 has a lead."""
    for row in verdicts.values():
        assert (row["action"] == "set_non_marketing") == (row.get("wave") in ("1", "2", "3"))
