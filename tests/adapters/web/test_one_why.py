"""One program answers `why`: by the command line and over HTTP, however a person is named, with the same facts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.hubspot.portal import write_portal
from adapters.whys import Asked, answer
from ledger import events as e
from tests.adapters.test_cli import run
from tests.adapters.web.world import Served, served
from tests.adapters.why_world import at

MOMENT = "2026-11-30T12:00:00Z"
PURPOSE = "marketing.similar"


class Portal(NamedTuple):
    """A served ledger of a portal with linked contacts, and (record id, address) of everybody in the export."""

    service: Served
    directory: Path
    people: list[tuple[str, str]]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Every file of a made-up portal, audited; three contacts merged, one erased by request."""
    home = tmp_path_factory.mktemp("one-why")
    files, ledger = home / "portal", home / "ledger"
    write_portal(files, contacts=150, seed=9, today=date(2026, 11, 30))
    names = ("forms", "deals.csv", "unsubscribes-and-bounces.csv", "subscription-timeline.json", "email-events.json")
    brought = [files / name for name in ("contacts.csv", *names, "mailchimp-audience.zip")]
    common = ("--ledger", ledger, "--timezone", "Europe/Berlin", "--sender-country", "DE")
    run("audit", *brought, "--map", files / "audit.toml", "--stops", files / "objections.csv", "--out", home, *common)
    with (files / "contacts.csv").open(encoding="utf-8-sig", newline="") as text:
        people = [(row["Record ID"], row["Email"]) for row in csv.DictReader(text) if row.get("Email")]
    signed = ("--by", "Dana", "--role", "dpo", "--reason", "the same person", "--evidence", files / "audit.toml")
    run("merge", people[0][1], people[1][1], *signed, "--ledger", ledger)
    run("merge", people[2][1], people[1][1], *signed, "--ledger", ledger)
    run("record", "erasure-request", people[3][1], "--ledger", ledger)
    with served(ledger) as service:
        yield Portal(service, ledger, people)


def over_http(portal: Portal, **asked: Any) -> dict[str, Any]:
    """The answer of the service."""
    said = portal.service.post("/v1/why", {"purpose": PURPOSE, "on": MOMENT} | asked)
    assert said.status_code == 200, said.text
    return dict(said.json())


def test_the_same_question_has_the_same_facts(portal: Portal) -> None:
    """For everybody: what the service sends is what stands in the file of the page."""
    for _, email in portal.people:
        answered = portal.service.post("/v1/why", {"purpose": PURPOSE, "on": MOMENT, "email": email})
        why = answer(portal.service.house, email, Asked(at(2026, 11, 30, 12), purpose=PURPOSE))
        facts = msgspec.json.encode(why.facts)
        assert answered.content.startswith(facts[:-1] + b",")  # to the byte; the service adds two fields of its own
        assert answered.json().keys() - json.loads(facts).keys() == {"reference", "position"}
        assert answered.json()["reference"] == why.reference


def test_the_command_line_writes_these_facts(portal: Portal) -> None:
    """`why --json` is the page's file."""
    for _, email in portal.people[:12]:
        words = ("why", email, "--on", MOMENT, "--purpose", PURPOSE, "--json", "--ledger", portal.directory)
        sent = over_http(portal, email=email)
        assert json.loads(said(*words))["facts"] | {n: sent[n] for n in ("reference", "position")} == sent


def test_a_person_is_the_same_by_address_reference_and_record(portal: Portal) -> None:
    """By the command line and over HTTP; a record that is shown with two addresses means its own."""
    alone = [
        (record, email)
        for record, email in portal.people[:60]
        if not portal.service.house.ledger.vault.is_gathered("hubspot", record)
    ]
    assert len(alone) > 40
    for record, email in alone:
        by_address = over_http(portal, email=email)
        assert over_http(portal, record=record) == by_address == over_http(portal, reference=by_address["reference"])


def test_a_reference_outlives_what_is_recorded_later(portal: Portal) -> None:
    """The page that is filed bears the reference that was asked for, and it leads to the same person later."""
    house, (_, email) = portal.service.house, portal.people[10]
    first = answer(house, email, Asked(at(2026, 11, 30, 12)))
    run("record", "enquiry", email, "--ledger", portal.directory)
    again = answer(house, email, Asked(at(2026, 11, 30, 12)))
    by_it = answer(house, first.reference, Asked(at(2026, 11, 30, 12)))
    assert first.reference == again.reference == by_it.reference
    assert by_it.facts == again.facts


def test_the_reference_of_an_email_is_about_that_email(portal: Portal) -> None:
    """`why REFERENCE` and `why --message-id REFERENCE` are one page, under the reference that was asked for."""
    house = portal.service.house
    sent = [
        (f"CL-{contact[:8]}-{entry.position}", entry)
        for contact in {house.find(email)[0] for _, email in portal.people}
        for entry in house.entries(contact)
        if isinstance(entry.event, e.EmailSent) and entry.event.occurred_from is not None
    ]
    assert sent
    for reference, entry in sent[:10]:
        page = json.loads(said("why", reference, "--json", "--ledger", portal.directory))
        same = json.loads(said("why", "--message-id", reference, "--json", "--ledger", portal.directory))
        assert page == same
        assert page["reference"] == reference
        assert [send["position"] for send in page["sends"]] == [entry.position]
        http = portal.service.post("/v1/why", {"purpose": page["question"]["purpose"], "reference": reference}).json()
        assert {name: http[name] for name in page["facts"]} == page["facts"]


def said(*words: object) -> str:
    """What a command prints. It must end well."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout if "--json" in words else result.output


def test_every_command_takes_a_reference_and_a_record_id(portal: Portal) -> None:
    """Status, history, note, and a stop recorded by each; and what is unknown is called so."""
    record, email = portal.people[12]
    reference = over_http(portal, email=email)["reference"]
    end = ("--ledger", portal.directory)
    for command in ("status", "history"):
        assert said(command, reference, *end) == said(command, email, *end) == said(command, record, *end)
    for whom in (reference, record, f"hubspot:{record}"):
        assert "recorded at position" in said("record", "enquiry", whom, *end)
    stop = json.loads(said("record", "opt-out", record, "--json", *end))
    assert stop["known"] is True
    assert over_http(portal, email=email, on=None)["decision"]["reason"] == "opted_out"
    back = f"hubspot:{record}"
    evidence = portal.directory / "keys"
    signed = ("--by", "Dana", "--role", "dpo", "--reason", "typed for the wrong person", "--evidence", evidence)
    assert "taken back" in said("correct", back, *signed, "--yes", *end)
    for nobody in ("CL-00000000-1", "999999999999", "mailchimp:5"):
        for words in (("status",), ("history",), ("why",), ("record", "opt-out")):
            result = CliRunner().invoke(app, [*words, nobody, *map(str, end)])
            assert result.exit_code == 1, result.output
            assert "holds nothing about that address" not in result.output


def test_nothing_is_made_for_a_reference(tmp_path: Path) -> None:
    """A reference or record id is known or it is an error: no new ledger comes of it."""
    for whom in ("CL-00000000-1", "1002"):
        result = CliRunner().invoke(app, ["record", "opt-out", whom, "--ledger", str(tmp_path / "new")])
        assert result.exit_code == 1
        assert not (tmp_path / "new").exists()


def test_http_refuses_two_ways_of_naming_and_what_is_no_reference(portal: Portal) -> None:
    """422 for both, 404 for somebody unknown; history takes a reference in its path."""
    record, email = portal.people[12]
    asked = {"purpose": PURPOSE}
    assert portal.service.post("/v1/why", asked | {"email": email, "record": record}).status_code == 422
    assert portal.service.post("/v1/why", asked | {"reference": "CL-1"}).status_code == 422
    assert portal.service.post("/v1/why", asked | {"reference": "CL-00000000-1"}).status_code == 404
    assert portal.service.post("/v1/status", {"record": "999999999"}).status_code == 404
    assert portal.service.post("/v1/gate", asked | {"record": record}).status_code == 200
    reference = over_http(portal, email=email)["reference"]
    by_reference = portal.service.get(f"/v1/contacts/{reference}/history").json()
    by_id = portal.service.get(f"/v1/contacts/{by_reference['contact']}/history").json()
    assert by_reference["entries"] == by_id["entries"]
    assert portal.service.get("/v1/contacts/CL-00000000-1/history").status_code == 404
    assert portal.service.get(f"/v1/contacts/{reference}/status").status_code == 200
    by_record = portal.service.get(f"/v1/contacts/{record}/history").json()
    assert by_record["entries"] == by_id["entries"]


def test_history_and_why_agree_on_held_since(portal: Portal) -> None:
    """Of every entry of every contact: what the table of one shows, stands on the page of the other."""
    for _, email in portal.people:
        why = answer(portal.service.house, email, Asked(at(2026, 11, 30, 12)))
        held = {row.position: row.held_since for row in why.timeline if not row.linked}
        lines = said("history", email, "--ledger", portal.directory).splitlines()
        shown = {int(line.split()[0]): line for line in lines if line.split() and line.split()[0].isdigit()}
        for position, since in held.items():
            if position in shown:
                assert (f"{since:%Y-%m-%d}" if since else "not shown") in shown[position]


def test_only_a_stop_is_recorded_of_a_record_with_several_addresses(tmp_path: Path) -> None:
    """A stop reaches whoever it may mean; for anything else the address has to be named."""
    export = tmp_path / "contacts.csv"
    head = "Record ID,Email,Country/Region,Marketing contact status,Unsubscribed from all email"
    export.write_text(
        f"{head}\n1,ana@example.org,France,Marketing contact,No\n1,bea@example.org,France,Marketing contact,No\n"
    )
    end = ("--ledger", tmp_path / "ledger")
    run("import", export, *end)
    refused = CliRunner().invoke(app, ["record", "opt-in", "1", *map(str, end)])
    assert (refused.exit_code, "several addresses" in refused.output) == (2, True)
    assert "recorded at position" in said("record", "opt-out", "1", *end)
    for email in ("ana@example.org", "bea@example.org"):
        assert {row["reason"] for row in json.loads(said("status", email, "--json", *end))["status"]} == {"opted_out"}
