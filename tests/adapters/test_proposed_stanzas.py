"""What the program proposes holds: each stanza that it writes into a map, filled in, applies to what it is of."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.evidence_map.reading import read_map
from adapters.evidence_map.shape import SECTIONS
from adapters.evidence_map.writing import extend_map, write_map
from adapters.statements import BoxFound, FormFound, Found, NameFound
from adapters.tokens import token_of
from ledger import events as e
from ledger.declared import as_declared
from tests.adapters.test_evidence_map import AT, filled
from tests.ledgers import open_house

CONTACTS = (
    "Record ID",
    "Email",
    "Country/Region",
    "Marketing contact status",
    "Opted out of email: Product news (2024)",
)
PEOPLE = [(str(n), f"p{n}@example.org", "Germany", "Marketing contact", "Yes" if n == 5 else "No") for n in range(1, 6)]


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def forms(folder: Path) -> list[Path]:
    """A form whose name loses letters and is long, with a box; and one without."""
    name = "Für Händler & Freunde: Neuigkeiten, Angebote und Einladungen zu den Messen im Frühjahr 2024"
    header = ("Conversion Date", "Form name", "Email", "Ja, schickt mir Post (bitte!)")
    rows = [
        ("2024-03-01 09:12", name, "p1@example.org", "Yes"),
        ("2024-03-02 09:12", "Wer wir sind", "p2@example.org", ""),
    ]
    return [write(folder / "forms.csv", header, rows)]


def deals(folder: Path) -> list[Path]:
    header = ("Deal ID", "Deal Stage", "Pipeline", "Close Date", "Associated Contact IDs")
    return [write(folder / "deals.csv", header, [("9", "Closed won", "Läden / online", "2024-03-01", "1;2")])]


def subscriptions(folder: Path) -> list[Path]:
    header = ("Recipient", "Change", "Subscription", "Timestamp", "Form")
    rows = [
        ("p1@example.org", "UNSUBSCRIBED", "Neues & mehr", "2024-03-01 10:00", ""),
        ("p2@example.org", "SUBSCRIBED", "Neues & mehr", "2024-03-01 10:00", "Fußzeile"),
    ]
    return [write(folder / "timeline.csv", header, rows)]


def events(folder: Path) -> list[Path]:
    header = ("id", "type", "recipient", "created", "campaignName")
    return [
        write(folder / "events.csv", header, [("e-1", "SENT", "p1@example.org", "2024-03-01 10:00", "März: Neues!")])
    ]


def audience(folder: Path) -> list[Path]:
    path = folder / "club.zip"
    header = "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "subscribed_email_audience_export_0A1b2C.csv",
            f"{header}\np1@example.org,2025-05-01 09:00:00,192.0.2.1,2025-05-01 09:07:12,192.0.2.1,1\n",
        )
    return [path]


def mapped(folder: Path) -> list[Path]:
    write(folder / "till.csv", ("Mail", "Day", "News?"), [("p1@example.org", "2024-03-01", "X")])
    (folder / "till.mapping.toml").write_text(
        'fact = "form"\nemail = "Mail"\nat = "Day"\nform = "Kasse (Köln)"\nbacked_by = "form_record"\n'
        '[boxes]\n"News?" = "x"\n'
    )
    write(folder / "orders.csv", ("Mail", "Day"), [("p2@example.org", "2024-03-01")])
    (folder / "orders.mapping.toml").write_text(
        'fact = "sale"\nemail = "Mail"\nat = "Day"\npipeline = "Über die Theke"\n'
    )
    return [folder / "till.csv", folder / "orders.csv"]


def contacts(_: Path) -> list[Path]:
    """Of a subscription type that the contacts export names alone."""
    return []


SOURCES: dict[str, tuple[Callable[[Path], list[Path]], set[str]]] = {
    "forms": (forms, {"form"}),
    "deals": (deals, {"sale"}),
    "subscriptions": (subscriptions, {"form", "type"}),
    "events": (events, {"campaign"}),
    "audience": (audience, {"form", "list"}),
    "mapped": (mapped, {"form", "sale"}),
    "contacts": (contacts, {"type"}),
}


def audit(folder: Path, files: Sequence[Path], *more: object) -> dict[str, Any]:
    arguments = ["audit", folder / "contacts.csv", *files, "--ledger", folder / "ledger", "--sender-country", "DE"]
    arguments += ["--out", folder / "out", "--json", *more]
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def stanzas(text: str) -> list[tuple[str, str]]:
    """Every stanza that was proposed, with its section."""
    parts = re.split(r"(?m)^(?=#\[\[[a-z]+\]\])", text)
    found = [(re.match(r"#\[\[([a-z]+)\]\]", part), part) for part in parts]
    return [(match[1], part.split("\n\n")[0]) for match, part in found if match and match[1] in SECTIONS]


def applies(folder: Path, section: str) -> bool:
    """Whether the one declaration in force says something of a fact of somebody here."""
    with open_house(folder / "ledger", {}) as house:
        found = [house.ledger.vault.find_address(person[1]) for person in PEOPLE]
        people = house.contacts([contact for contact, _ in filter(None, found)]).values()
        declared = house.catalogue.declared
        assert len(declared.by_key) == 1
        readings = [as_declared(person, declared) for person in people]
    if section in ("form", "sale"):
        return any(reading.resting for reading in readings)
    if section == "type":
        stops = [n.event for reading in readings for n in reading.contact.stops]
        return any(isinstance(one, e.TypeOptedOut) and one.purposes == ("marketing.similar",) for one in stops)
    return any(getattr(n.event, "purpose", None) for reading in readings for n in reading.contact.sendings)


@pytest.mark.parametrize("source", SOURCES)
def test_each_proposed_stanza_filled_in_applies(tmp_path: Path, source: str) -> None:
    make, sections = SOURCES[source]
    write(tmp_path / "contacts.csv", CONTACTS, PEOPLE)
    files = make(tmp_path)
    audit(tmp_path, files)
    proposed = stanzas((tmp_path / "ledger" / "audit.toml").read_text(encoding="utf-8"))
    assert sections <= {section for section, _ in proposed}
    (tmp_path / "evidence").mkdir()
    for name in ("words", "footer"):
        (tmp_path / "evidence" / f"{name}.html").write_text(name)
    by = '[by]\nname = "Dana Weiss"\nrole = "officer"\non = 2026-11-20\n'
    for number, (section, stanza) in enumerate(proposed):
        if section == "list":
            continue  # grants nothing, and nothing rests on it
        evidence_map = tmp_path / f"map{number}.toml"
        evidence_map.write_text(by + filled(stanza).replace("required = true", "required = false"), encoding="utf-8")
        audit(tmp_path, files, "--map", evidence_map)
        assert applies(tmp_path, section), stanza


@given(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=80))
def test_any_name_leads_from_the_map_to_the_facts(
    tmp_path_factory: pytest.TempPathFactory, name: str, box: str
) -> None:
    """However long it is, and whatever letters it has; and a map speaks of it once."""
    try:
        form, ticked = token_of(name), token_of(box)
    except ValueError:
        return
    folder = tmp_path_factory.mktemp("map")
    found = Found(
        forms={form: FormFound(name, 3, boxes={ticked: BoxFound(box, 1, 2)})},
        pipelines={form: NameFound(name, 1)},
        types={form: NameFound(name, 1)},
        campaigns={form: NameFound(name, 1)},
        lists={form: NameFound(name, 1)},
    )
    write_map(folder / "audit.toml", found, "Sample", AT)
    assert extend_map(folder / "audit.toml", found) == 0
    (folder / "evidence").mkdir()
    for file in ("words", "footer"):
        (folder / "evidence" / f"{file}.html").write_text(file)
    path = folder / "filled.toml"
    path.write_text(filled((folder / "audit.toml").read_text(encoding="utf-8")), encoding="utf-8")
    declared = [fact.event for fact in read_map(path).declarations()]
    assert [(one.form, one.box) for one in declared if isinstance(one, e.FormDeclared)] == [(form, ticked)]
    assert [one.pipeline for one in declared if isinstance(one, e.SaleDeclared)] == [form]
    assert [one.subscription_type for one in declared if isinstance(one, e.TypeDeclared)] == [form]
    assert [one.campaign for one in declared if isinstance(one, e.CampaignDeclared)] == [form]
    assert [one.list for one in declared if isinstance(one, e.ImportDeclared)] == [form]


@given(st.text(min_size=1, max_size=200))
def test_a_token_is_that_of_itself(name: str) -> None:
    if name.split():
        assert token_of(token_of(name)) == token_of(name)
