"""The invented portal: one seed gives one portal, every situation is in it, nobody real is, and its truth holds."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from adapters.crew import Brief, Crew
from adapters.evidence import take_in
from adapters.evidence_map.adopting import adopt_map
from adapters.evidence_map.reading import EvidenceMap, read_map
from adapters.hubspot.export import read_export
from adapters.hubspot.portal import write_portal
from adapters.hubspot.portal.desk import FORMS
from adapters.hubspot.portal.personas import PERSONAS
from adapters.inputs import sort_inputs
from adapters.intake import close_import, occasion_of
from adapters.tokens import token_of
from adapters.wiring import now
from projections.verdicts import QUESTIONS, Bucket, Verdict
from tests.ledgers import open_house

TODAY = now().date()
CONTACTS = 1_000
RESERVED = re.compile(r"(.+\.)?(example|example\.com|example\.org|example\.net)\Z").match
BY_TOP_LEVEL = {"unknown_country_de": "example.de", "unknown_country_io": "example.io"}
"""No name under these top levels is reserved; `example` is as near as can be."""
ADDRESS = re.compile(r"[\w.+-]+@([\w.-]+)").findall


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("portal")
    write_portal(folder, contacts=CONTACTS, seed=7, today=TODAY)
    return folder


@pytest.fixture(scope="module")
def truth(portal: Path) -> dict[str, dict[str, Any]]:
    return dict(json.loads((portal / "truth.json").read_bytes()))


@pytest.fixture(scope="module")
def evidence_map(portal: Path) -> EvidenceMap:
    return read_map(portal / "audit.toml")


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV as its reader sees it; every row is as wide as its header."""
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.reader(file, strict=True))
    assert {len(row) for row in table} == {len(table[0])}
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def files(folder: Path) -> dict[str, tuple[bytes, float]]:
    """Every file: its bytes and its time."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime) for path in found}


def test_the_same_seed_and_day_give_the_same_portal(portal: Path, tmp_path: Path) -> None:
    write_portal(tmp_path / "again", contacts=CONTACTS, seed=7, today=TODAY)
    write_portal(tmp_path / "other", contacts=CONTACTS, seed=8, today=TODAY)
    first, again, other = files(portal), files(tmp_path / "again"), files(tmp_path / "other")
    assert again == first
    assert other.keys() == first.keys()
    assert other["contacts.csv"] != first["contacts.csv"]
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC).timestamp()
    assert {time for _, time in first.values()} == {midnight}


def test_every_persona_is_in_it_and_every_record_has_a_truth(portal: Path, truth: dict[str, dict[str, Any]]) -> None:
    records = [row["Record ID"] for row in rows(portal / "contacts.csv")]
    assert len(records) == CONTACTS
    assert list(truth) == records
    assert {said["persona"] for said in truth.values()} == {persona.name for persona in PERSONAS}
    assert len({persona.name for persona in PERSONAS}) == len(PERSONAS)
    for said in truth.values():
        assert (said["truth"] == "yes") == (said["basis"] is not None)
        assert said["why"]


@pytest.mark.parametrize("contacts", [1, 2, 30])
def test_a_portal_is_as_large_as_asked_however_small(contacts: int, tmp_path: Path) -> None:
    write_portal(tmp_path, contacts=contacts, seed=1, today=TODAY)
    assert len(rows(tmp_path / "contacts.csv")) == contacts
    assert read_map(tmp_path / "audit.toml").stanzas


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2028, 2, 29), date(2030, 12, 31)])
def test_nothing_in_it_is_later_than_its_day(today: date, tmp_path: Path) -> None:
    write_portal(tmp_path, contacts=300, seed=1, today=today)
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    events = json.loads((tmp_path / "email-events.json").read_bytes())["events"]
    changes = json.loads((tmp_path / "subscription-timeline.json").read_bytes())["timeline"]
    stamps = [event["created"] for event in events] + [change["timestamp"] for change in changes]
    assert max(stamps) < midnight.timestamp() * 1000
    written = [row["Conversion Date"] for form in FORMS for row in rows(tmp_path / "forms" / f"{form.file}.csv")]
    written += [row["Close Date"] for row in rows(tmp_path / "deals.csv")]
    written += [row["Date"] for row in rows(tmp_path / "unsubscribes-and-bounces.csv")]
    written += [row["date"] for row in rows(tmp_path / "objections.csv")]
    assert max(written) < today.isoformat()
    assert read_map(tmp_path / "audit.toml").stanzas


def test_addresses_are_under_reserved_names_and_each_persons_own(
    portal: Path, truth: dict[str, dict[str, Any]]
) -> None:
    mine: Counter[str] = Counter()
    for row in rows(portal / "contacts.csv"):
        persona = truth[row["Record ID"]]["persona"]
        if persona not in ("same_person_twice", "shared_address", "no_address"):
            mine[row["Email"]] += 1
        domain = BY_TOP_LEVEL.get(persona)
        if domain is not None:
            assert row["Email"].endswith(f"@{domain}")
    assert set(mine.values()) == {1}
    with ZipFile(portal / "mailchimp-audience.zip") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist()]
    texts += [path.read_text("utf-8") for path in portal.rglob("*") if path.is_file() and path.suffix != ".zip"]
    domains = {domain for text in texts for domain in ADDRESS(text)}
    assert {domain for domain in domains if not RESERVED(domain)} == set(BY_TOP_LEVEL.values())


def test_people_in_the_files_are_contacts_or_were(portal: Path) -> None:
    known = {row["Email"]: row["Record ID"] for row in rows(portal / "contacts.csv")}
    for form in FORMS:
        submissions = rows(portal / "forms" / f"{form.file}.csv")
        assert submissions
        assert {row["Form name"] for row in submissions} == {form.name}
        assert {row["Email"].lower() for row in submissions} <= known.keys()
        for box in form.boxes:
            assert {row[box] for row in submissions} == {"Yes", "No"}
    deals = rows(portal / "deals.csv")
    assert {row["Associated Contact IDs"] for row in deals} <= set(known.values())
    assert {row["Deal Stage"] for row in deals} == {"Closed won", "Closed lost", "Appointment scheduled"}
    assert {row["Pipeline"] for row in deals} == {"Online shop", "Partner sales"}
    unsubscribes = rows(portal / "unsubscribes-and-bounces.csv")
    assert {row["Reason"] for row in unsubscribes} == {"Unsubscribed", "Hard bounce", "Soft bounce", "Spam report"}
    assert any(row["Contact ID"] not in known.values() for row in unsubscribes)


def test_the_json_is_shaped_as_the_api_gives_it(portal: Path) -> None:
    events = json.loads((portal / "email-events.json").read_bytes())["events"]
    assert {event["type"] for event in events} == {"SENT", "BOUNCE", "SPAMREPORT", "STATUSCHANGE", "DROPPED", "CLICK"}
    assert {type(event["created"]) for event in events} == {int}
    assert 2 <= len(events) / CONTACTS <= 4
    timeline = json.loads((portal / "subscription-timeline.json").read_bytes())["timeline"]
    changes = [change for row in timeline for change in row["changes"]]
    assert {change["change"] for change in changes} == {
        "SUBSCRIBED",
        "CONFIRMED",
        "CONFIRMATION_REQUESTED",
        "UNSUBSCRIBED",
    }
    assert all("formName" in change for change in changes if change["change"] == "SUBSCRIBED")


def test_the_audience_has_mailchimps_three_files(portal: Path) -> None:
    with ZipFile(portal / "mailchimp-audience.zip") as archive:
        states = {
            name.partition("_")[0]: list(csv.DictReader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
        }
    assert states.keys() == {"subscribed", "unsubscribed", "cleaned"}
    assert all(states.values())
    assert all(row["UNSUB_TIME"] for row in states["unsubscribed"])
    assert any(row["OPTIN_TIME"] == "" for row in states["subscribed"] + states["unsubscribed"])


def test_the_map_speaks_of_what_the_files_hold(portal: Path, evidence_map: EvidenceMap) -> None:
    columns = {token_of(form.name): {token_of(box) for box in form.boxes} for form in FORMS}
    for form, boxes in evidence_map.wanted.boxes.items():
        assert all(box.startswith("type.") for box in boxes) if form not in columns else boxes <= columns[form]
    without = [stanza.key for stanza in evidence_map.stanzas if not stanza.evidence]
    assert without == ["webinar-age", "partner-sales"], "a minor is believed without; the partners are not"
    assert evidence_map.money is not None
    assert evidence_map.money.tier == CONTACTS * 5


def test_the_officer_answers_every_question_with_a_file(portal: Path) -> None:
    answers = json.loads((portal / "review-answers.json").read_bytes())
    assert answers.keys() == QUESTIONS.keys()
    assert answers["no_rule"]["outcome"] == "stop"
    for said in answers.values():
        assert said["outcome"] in ("stop", "hold", "evidence")
        assert said["name"]
        assert said["role"]
        assert date.fromisoformat(said["date"]) <= TODAY
        assert (portal / said["evidence"]).is_file()


def audited(portal: Path, ledger: Path, evidence_map: EvidenceMap | None = None) -> dict[str, Verdict]:
    """What the contacts export comes to for a German sender; with a map, with every other file too."""
    records = [
        portal / name
        for name in (
            "forms",
            "deals.csv",
            "unsubscribes-and-bounces.csv",
            "subscription-timeline.json",
            "email-events.json",
            "mailchimp-audience.zip",
        )
    ]
    given = [portal / "contacts.csv", *(records if evidence_map else [])]
    inputs = sort_inputs(given, stops=[portal / "objections.csv"] if evidence_map else [])
    with open_house(ledger, {}) as house, Crew(house, 1) as crew:
        export = read_export(inputs.contacts)
        look = export.look()
        occasion = occasion_of(house, export, inputs.contacts, look)
        crew.read(export, occasion, lambda _: None)
        close_import(house, occasion, crew.settle(), len(look.rejected), {})
        assert look.rejected == []
        if evidence_map is not None:
            adopt_map(house, evidence_map, now())
            taken = take_in(house, inputs.evidence, evidence_map.wanted)
            assert sum(len(one.rejected) for one in taken) == 2
        house.describe_controller("Nordlicht Geräte GmbH", "DE", None)
        return {verdict.record_id or "": verdict for verdict in crew.verdicts(Brief(now(), None))}


def test_a_first_audit_leaves_open_what_the_files_settle(
    portal: Path, truth: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Nothing is shown yet; most is open, and of that the files settle more than three fifths."""
    verdicts = audited(portal, tmp_path / "ledger").values()
    open_ = {v.record_id for v in verdicts if v.bucket in (Bucket.BASIS_CLAIMED, Bucket.NO_BASIS)}
    settled = {record for record, said in truth.items() if said["settles"]}
    assert {v.record_id for v in verdicts} == truth.keys()
    assert not [v for v in verdicts if v.bucket is Bucket.BASIS_PROVEN]
    assert settled <= open_
    assert len(open_) > 0.8 * CONTACTS
    assert len(settled) > 0.6 * len(open_)
    stopped = {truth[v.record_id or ""]["persona"] for v in verdicts if v.bucket is Bucket.STOPPED}
    assert stopped == {
        "one_type_left_others_remain",
        "one_type_left_nothing_else",
        "opted_out_shown",
        "signed_up_then_opted_out",
        "quarantined_by_complaint",
    }


def test_the_files_the_map_and_the_answers_bring_out_the_truth(
    portal: Path, truth: dict[str, dict[str, Any]], evidence_map: EvidenceMap, tmp_path: Path
) -> None:
    """No false yes, no false no; and what is said to settle does: shown, stopped, or stopped by an answer."""
    answers = json.loads((portal / "review-answers.json").read_bytes())
    verdicts = audited(portal, tmp_path / "ledger", evidence_map)
    proven = {record for record, verdict in verdicts.items() if verdict.bucket is Bucket.BASIS_PROVEN}
    wrong = {truth[record]["persona"] for record in truth if (record in proven) != (truth[record]["truth"] == "yes")}
    assert wrong == set()
    assert {record: verdicts[record].basis for record in proven} == {r: truth[r]["basis"] for r in proven}
    stopped = {
        record
        for record, verdict in verdicts.items()
        if verdict.bucket is Bucket.STOPPED
        or (verdict.question is not None and answers[verdict.question]["outcome"] == "stop")
    }
    already = {"one_type_left_others_remain", "opted_out_shown", "signed_up_then_opted_out", "quarantined_by_complaint"}
    settled = {record for record in proven | stopped if truth[record]["persona"] not in already}
    assert settled == {record for record, said in truth.items() if said["settles"]}
