"""Contacts exports: four languages and internal names say the same; unknown stays unknown; all is listed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.addresses import is_address, is_role
from adapters.hubspot.export import Export, Row, UnreadableInput, read_export
from adapters.hubspot.hints import CountryReader, Signs
from adapters.hubspot.labels import recognise
from adapters.hubspot.values import Values
from adapters.hubspot.wordings import LABELS, OPTED_OUT_OF
from adapters.times import Span, TimeReader

NAMES = [name for name in LABELS if name not in ("hard_bounce_text", "country_code", "closed")]
ROW = {
    "record_id": "7",
    "email": "Ada@Example.com",
    "additional_emails": "two@example.com;not one",
    "merged_records": "71;72",
    "merged_contacts": "72:1709280000000",
    "marketing": "Marketing contact",
    "until_next_update": "No",
    "marketing_reason": "FORM_SUBMISSION",
    "marketing_reason_name": "newsletter-footer",
    "legal_basis": "Performance of a contract;Legitimate interest – existing customer",
    "opted_out": "Yes",
    "double_opt_in": "User clicked confirmation",
    "quarantined": "Yes",
    "quarantine_reason": "RECIPIENT_COMPLAINT",
    "quarantine_reason_manual": "BLOCKLIST_REMEDIATION",
    "hard_bounce": "UNKNOWN_USER",
    "invalid": "No",
    "lifecycle": "Customer",
    "form_submissions": "3",
    "deal_closed": "2024-03-01 09:12",
    "country": "Germany",
    "state": "Bavaria",
    "ip_country": "germany",
    "ip_country_code": "de",
    "ip_state": "bavaria",
    "phone": "+1 416 555 0101",
    "language": "de-at",
    "created": "2023-01-10 08:00",
    "modified": "2024-05-05 11:00",
    "source": "Organic Search",
}
TRANSLATED: dict[str, dict[str, str]] = {
    "de": {
        "marketing": "Marketing-Kontakt",
        "until_next_update": "Nein",
        "legal_basis": "Erfüllung eines Vertrags;Berechtigtes Interesse – bestehender Kunde",
        "opted_out": "Ja",
        "double_opt_in": "Benutzer hat auf Bestätigung geklickt",
        "quarantined": "Wahr",
        "quarantine_reason": "Beschwerde des Empfängers",
        "invalid": "Falsch",
        "lifecycle": "Kunde",
        "country": "Deutschland",
        "state": "Bayern",
    },
    "fr": {
        "marketing": "Contact marketing",
        "until_next_update": "Non",
        "legal_basis": "Exécution d’un contrat;Intérêt légitime - client existant",
        "opted_out": "Oui",
        "double_opt_in": "L'utilisateur a cliqué sur la confirmation",
        "quarantined": "Vrai",
        "quarantine_reason": "Plainte du destinataire",
        "invalid": "Faux",
        "lifecycle": "Client",
        "country": "Allemagne",
    },
    "es": {
        "marketing": "Contacto de marketing",
        "until_next_update": "No",
        "legal_basis": "Ejecución de un contrato;Interés legítimo − cliente existente",
        "opted_out": "Sí",
        "double_opt_in": "El usuario hizo clic en la confirmación",
        "quarantined": "Verdadero",
        "quarantine_reason": "Queja del destinatario",
        "invalid": "Falso",
        "lifecycle": "Cliente",
        "country": "Alemania",
    },
    "internal": {
        "marketing": "true",
        "until_next_update": "false",
        "opted_out": "true",
        "quarantined": "1",
        "invalid": "0",
        "lifecycle": "customer",
        "country": "DE",
        "created": "1673337600000",
    },
}


def write(path: Path, header: Sequence[str], *rows: Sequence[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def one(tmp_path: Path, **cells: str) -> tuple[Row, Export]:
    cells = {"Record ID": "1", "Email": "a@example.com", **{k.replace("_", " "): v for k, v in cells.items()}}
    path = write(tmp_path / "one.csv", list(cells), list(cells.values()))
    export = read_export([path])
    (row,) = export.rows()
    return row, export


def code(*paths: Path) -> str:
    with pytest.raises(UnreadableInput) as caught:
        list(read_export(paths).rows())
    return caught.value.code


def meaning(row: Row) -> Row:
    """The row without where it stood and in which words."""
    return msgspec.structs.replace(row, file="", row=0, raw=b"")


@pytest.mark.parametrize("language", ["de", "fr", "es", "internal"])
def test_every_language_says_the_same(tmp_path: Path, language: str) -> None:
    place = ["internal", "en", "de", "fr", "es"].index(language)
    wanted: list[Row] = []
    found: list[Row] = []
    for number in (1, place):
        header = [LABELS[name][number].partition("|")[0] for name in NAMES]
        prefix = {1: "Opted out of email"} | {2: "Von E-Mail abgemeldet", 3: "Désabonné de l'e-mail"}
        label = prefix.get(number, "Suscripción cancelada al correo") + ": Marketing Information"
        cells = ROW | (TRANSLATED[language] if number == place else {})
        path = write(tmp_path / f"{number}.csv", [*header, label], [*(cells[n] for n in NAMES), "true"])
        export = read_export([path], timezone=ZoneInfo("UTC"))
        (wanted if number == 1 else found).extend(meaning(row) for row in export.rows())
        assert export.files[0].columns_left_out == ()
        assert [finding.value for finding in export.findings] == ["not one"]
    assert found == wanted
    assert export.files[0].language == language
    (row,) = found
    assert row.legal_basis == ("contract", "interest_customer")
    assert row.opted_out_of == ("Marketing Information",)
    assert row.quarantine == ("recipient_complaint", "blocklist_remediation")
    assert {(hint.country, hint.kind) for hint in row.hints} == {
        ("DE", "declared"),
        ("DE", "region"),
        ("DE", "ip"),
        ("US", "phone"),
        ("CA", "phone"),
        ("AT", "language"),
    }


def test_every_synonym_is_recognised_in_any_case_and_spacing() -> None:
    for name, wordings in LABELS.items():
        for label in (label for wording in wordings for label in wording.split("|") if label):
            assert name in recognise([label]).at, label
            if "_" not in label:
                assert name in recognise([f"  {label.upper()} ".replace(" ", "\u00a0")]).at, label
    for prefixes in OPTED_OUT_OF.values():
        for prefix in prefixes.split("|"):
            assert recognise([f"{prefix}: News: weekly"]).types == ((0, "News: weekly"),)
    assert recognise(["hs_email_optout_12345"]).types == ((0, "12345"),)
    assert recognise(["Shoe size", "hs_email_optout_x", ""]).left_out == ("Shoe size", "hs_email_optout_x")


def test_a_missing_column_is_unknown_and_an_empty_cell_says_nothing(tmp_path: Path) -> None:
    row, export = one(tmp_path)
    said = [row.marketing, row.opted_out, row.legal_basis, row.double_opt_in, row.invalid, row.quarantined]
    assert [*said, row.until_next_update, row.modified, row.hard_bounce, row.lifecycle] == [None] * 10
    assert "Unsubscribed from all email" in export.files[0].columns_missing
    row, _ = one(tmp_path, Marketing_contact_status="", Unsubscribed_from_all_email="", Legal_basis="")
    assert (row.marketing, row.opted_out, row.legal_basis) == (None, False, ())


@pytest.mark.parametrize("dash", ["–", "-", "\u2010", "\u2011", "\u2212", "—"])
def test_hyphens_of_every_kind_are_one(tmp_path: Path, dash: str) -> None:
    row, export = one(tmp_path, Legal_basis=f"Legitimate interest {dash} prospect/lead")
    assert (row.legal_basis, export.findings) == (("interest_prospect",), [])


@pytest.mark.parametrize(
    ("value", "claims"),
    [
        ("Freely given consent from contact", ("consent",)),
        ("Freiwillig erteilte Einwilligung des Kontakts", ("consent",)),
        ("Legitimate interest - other", ("interest_other",)),
        ("Not applicable", ()),
        ("Nicht zutreffend;Vertragserfüllung", ("contract",)),
        ("a handshake", ("other",)),
    ],
)
def test_legal_basis_is_claims(value: str, claims: tuple[str, ...]) -> None:
    found, known = Values().legal_basis(value)
    assert (found, known) == (claims, claims != ("other",))


@pytest.mark.parametrize(
    ("value", "claims"),
    [
        ("User clicked confirmation", ("confirmation",)),
        ("Confirmed", ("confirmation",)),
        ("Confirmed due to form", ("confirmation",)),
        ("Confirmed from previous behavior", ()),
        ("HubSpot Rep. marked confirmed", ()),
        ("Customer marked confirmed", ()),
        ("Confirmation Pending", ()),
        ("Bestätigungs-E-Mail gesendet", ()),
        ("", ()),
        ("5", "?"),
    ],
)
def test_only_a_confirmation_by_the_person_is_one(value: str, claims: object) -> None:
    assert Values().double_opt_in(value) == claims


def test_what_nobody_foresaw_is_taken_for_the_safe_thing_and_listed(tmp_path: Path) -> None:
    row, export = one(
        tmp_path,
        Marketing_contact_status="To be decided",
        Unsubscribed_from_all_email="perhaps",
        **{"Opted out of email: News": "paused"},
        Marketing_email_confirmation_status="5",
        Email_Address_Quarantined="so so",
        Recent_Deal_Close_Date="in spring",
        Lifecycle_Stage="123456",
    )
    assert (row.marketing, row.opted_out, row.opted_out_of) == (None, None, ())
    assert row.unclear == ("Unsubscribed from all email", "Opted out of email: News")  # it may be a no: it holds
    assert (row.double_opt_in, row.quarantined, row.deal_closed) == ((), True, None)
    assert row.lifecycle == "custom"
    assert [(found.column, found.value, found.row, found.rows) for found in export.findings] == [
        ("Marketing contact status", "To be decided", 2, 1),
        ("Marketing email confirmation status", "5", 2, 1),
        ("Unsubscribed from all email", "perhaps", 2, 1),
        ("Email Address Quarantined", "so so", 2, 1),
        ("Recent Deal Close Date", "in spring", 2, 1),
        ("Opted out of email: News", "paused", 2, 1),
    ]
    assert "it may be an opt-out, so this contact is held" in str(export.findings[2])
    assert "is not understood, so taken as yes" in str(export.findings[3])


def test_bad_addresses_are_rejected_and_missing_ones_counted(tmp_path: Path) -> None:
    good = [[str(n), f"p{n}@example.com"] for n in range(40)]
    bad = [["98", "nobody"], ["99", ""]]
    export = read_export([write(tmp_path / "a.csv", ["Record ID", "E-Mail"], *good, *bad)])
    rows = list(export.rows())
    assert [(r.row, r.column, r.reason) for r in export.rejected] == [(42, "E-Mail", "not an e-mail address")]
    assert (len(rows), rows[-1].email, rows[-1].record_id) == (41, None, "99")
    (file,) = export.files
    assert (file.rows, file.records, file.rejected, file.without_address) == (42, 41, 1, 1)


def test_a_record_that_stands_twice(tmp_path: Path) -> None:
    header = ["Record ID", "Email", "Unsubscribed from all email", "Phone Number"]
    ada, bo, cy = ["1", "ada@example.com", "", ""], ["2", "bo@example.com", "", ""], ["3", "", "", ""]
    first = write(tmp_path / "1.csv", header, ada, bo, cy, [*cy[:3], "+49 1"])
    second = write(tmp_path / "2.csv", header, bo, ["1", "ada@example.com", "Yes", ""])
    export = read_export([first, second])
    assert [row.twice_differing for row in export.rows()] == [False, False, False, False, True]
    assert (export.twice, export.folded) == ({"1"}, 1)
    assert [row.twice_differing for row in export.rows()] == [True, False, False, False, True]
    assert (export.twice, export.folded) == ({"1"}, 1)


def test_two_columns_for_one_property_must_agree(tmp_path: Path) -> None:
    header = ["Contact ID", "Record ID", "Email"]
    agree = write(tmp_path / "a.csv", header, ["1", "1", "a@example.com"])
    assert [row.record_id for row in read_export([agree]).rows()] == ["1"]
    assert code(write(tmp_path / "d.csv", header, ["1", "2", "a@example.com"])) == "columns_disagree"
    twice = ["Record ID", "Email", "Lifecycle Stage", "Lifecycle stage"]
    assert code(write(tmp_path / "t.csv", twice, ["1", "a@example.com", "", ""])) == "repeated_column"
    unused = write(tmp_path / "u.csv", ["Record ID", "Email", "Note", "Note"], ["1", "a@example.com", "", ""])
    assert len(list(read_export([unused]).rows())) == 1


def test_exports_of_something_else_are_refused_by_name(tmp_path: Path) -> None:
    deals = write(tmp_path / "deals.csv", ["Record ID", "Deal Name"], ["1", "Big"])
    with pytest.raises(UnreadableInput, match="looks like a deals export"):
        read_export([deals])
    assert code(deals) == "no_email_column"
    assert code(write(tmp_path / "n.csv", ["Email", "Name"], ["a@example.com", "A"])) == "not_a_contacts_export"


def test_a_person_may_say_what_a_column_is(tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", ["Nr", "Post", "Stopp"], ["1", "a@example.com", "ja"])
    names = {"Nr": "record_id", "Post": "email", "Stopp": "opted_out"}
    (row,) = read_export([path], names=names).rows()
    assert (row.record_id, row.email, row.opted_out) == ("1", "a@example.com", True)
    with pytest.raises(UnreadableInput, match="which is not a property"):
        read_export([path], names={"Nr": "shoe_size"})


def test_too_many_rows_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    good = [[str(n), f"p{n}@example.com"] for n in range(100)]
    bad = [[str(n), "nobody"] for n in range(6)]
    header = ["Record ID", "Email"]
    assert len(list(read_export([write(tmp_path / "5.csv", header, *good, *bad[:5])]).rows())) == 100
    assert code(write(tmp_path / "6.csv", header, *good, *bad)) == "too_many_rejected"
    assert code(write(tmp_path / "1.csv", header, bad[0])) == "too_many_rejected"


def test_a_zip_of_two_is_one_export(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("1.csv", "Record ID,Email\n1,a@example.com\n")
        archive.writestr("2.csv", "Datensatz-ID;E-Mail\n2;b@example.com\n")
    export = read_export([tmp_path / "export.zip"])
    list(export.rows())
    assert [row.record_id for row in export.rows()] == ["1", "2"]
    assert [(file.name, file.language, file.delimiter) for file in export.files] == [
        ("export.zip/1.csv", "en", ","),
        ("export.zip/2.csv", "de", ";"),
    ]


def test_times_are_known_no_better_than_they_are() -> None:
    moment = datetime(2024, 3, 1, 9, 12, tzinfo=UTC)
    unknown = Span(moment - timedelta(hours=14), moment + timedelta(hours=12), "period")
    assert TimeReader(None).read("2024-03-01 09:12") == unknown
    berlin = TimeReader(ZoneInfo("Europe/Berlin"))
    hour = timedelta(hours=1)
    assert berlin.read("2024-03-01 09:12") == Span(moment - hour, moment - hour, "exact")
    assert berlin.read("01.03.2024 09:12") == Span(moment - hour, moment - hour, "exact")
    twice = berlin.read("2024-10-27 02:30")
    assert twice is not None
    assert (twice.precision, twice.latest - twice.earliest) == ("period", hour)
    day = berlin.read("2024-03-01")
    assert day is not None
    assert (day.precision, day.earliest.hour) == ("day", 23)
    for reader in (berlin, TimeReader(None)):
        assert reader.read("1709284320000") == Span(moment, moment, "exact")
        assert reader.read("2024-03-01T09:12:00Z") == Span(moment, moment, "exact")
        for no_time in ("yesterday", "0001-01-01 00:00", "2024-13-01", "9" * 13 + "9"):
            assert reader.read(no_time) is None


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (Signs(country="Österreich"), {("AT", "declared")}),
        (Signs(country="uk"), {("GB", "declared")}),
        (Signs(country="États-Unis"), {("US", "declared")}),
        (Signs(country="Atlantis"), set()),
        (Signs(country="Georgia", state="Georgia"), {("GE", "declared"), ("US", "state")}),
        (Signs(state="TX"), {("US", "state")}),
        (Signs(state="CA"), set()),
        (Signs(state="WA"), set()),
        (Signs(state="NRW"), {("DE", "state")}),
        (Signs(ip_state="texas", ip_country_code="us", ip_country="united states"), {("US", "ip")}),
        (Signs(language="it"), {("IT", "language")}),
        (Signs(language="German - Austria"), {("AT", "language")}),
        (Signs(language="de"), set()),
        (Signs(domain="uk"), {("GB", "domain")}),
        (Signs(domain="io"), set()),
        (Signs(domain="com"), set()),
    ],
)
def test_signs_of_a_country(signs: Signs, expected: set[tuple[str, str]]) -> None:
    assert {(hint.country, hint.kind) for hint in CountryReader().read(signs)} == expected


@pytest.mark.parametrize(
    ("phone", "code_"),
    [("+49 170", "49"), ("0043/1", "43"), ("'+353 1", "353"), ("(+1) 416", "1"), ("0170 1", ""), ("", "")],
)
def test_dialling_codes(phone: str, code_: str) -> None:
    assert CountryReader().dialling(phone) == code_


def test_addresses() -> None:
    good = [
        "a@example.com",
        "o'neil+x@sub.nordlicht.example",
        "jürgen@example.com",
        "a@bücher.example",
        "=1@b.co",
    ]
    bad = ["", "a", "a@b", "a@@b.com", "a b@c.com", ".a@b.com", "a@-b.com", "x@localhost", "A <a@b.com>", "a@b.c.", "a@b.invalid"]  # fmt: skip  # noqa: E501
    assert [text for text in good if not is_address(text)] == []
    assert [text for text in bad if is_address(text)] == []
    assert is_role("Info@example.com")
    assert is_role("no-reply+1@example.com")
    assert not is_role("informatik.meier@example.com")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["Email", "Record ID", "Create Date", "Country/Region", *'?,"\n;']), max_size=6),
    st.text(alphabet=st.characters(exclude_categories=[]), max_size=120),
)
def test_any_text_is_read_or_refused(tmp_path: Path, header: list[str], text: str) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes((",".join(["Record ID,Email", *header]) + "\n" + text).encode("utf-8", "surrogatepass"))
    try:
        for row in read_export([path]).rows():
            assert row.email is None or is_address(row.email)
    except UnreadableInput:
        pass
