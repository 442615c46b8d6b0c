"""Record ids that a spreadsheet has rounded are nobody's, an id of several people joins none of them, and a
merged record is its heir's; in every door that reads record ids from files.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapters.cli.errors import explained
from adapters.cli.main import app
from adapters.record_ids import is_rounded, record_id_of, record_ids_in

CONTACTS = ("Record ID", "Email", "Marketing contact status", "Unsubscribed from all email")
EVIDENCE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "deals": (
        ("Deal ID", "Deal Stage", "Pipeline", "Close Date", "Associated Contact IDs"),
        ("9001", "Closed won", "Shop", "2026-03-01", "{id}"),
    ),
    "deal": (
        ("Deal ID", "Deal Stage", "Pipeline", "Close Date", "Email"),
        ("{id}", "Closed won", "Shop", "2026-03-01", "ida@example.org"),
    ),
    "forms": (
        ("Conversion Date", "Form name", "Email", "Contact ID"),
        ("2026-03-01 09:12", "News", "ida@example.org", "{id}"),
    ),
    "subscriptions": (
        ("Recipient", "Contact ID", "Change", "Subscription", "Timestamp"),
        ("ida@example.org", "{id}", "UNSUBSCRIBED", "News", "2026-03-01 10:00"),
    ),
    "unsubscribes": (
        ("Email", "Contact ID", "Unsubscribed from all email", "Reason", "Date"),
        ("ida@example.org", "{id}", "Yes", "Unsubscribed", "2026-03-01 09:00"),
    ),
    "opt-outs": (("Email", "Record ID"), ("", "{id}")),
}


def write(path: Path, header: Sequence[str], *rows: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def contact(number: str, email: str, out: str = "No", flag: str = "Marketing contact") -> tuple[str, ...]:
    return number, email, flag, out


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    return result.exit_code, result.output


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    def program() -> None:
        raise AssertionError(run(*arguments)[1])

    code = explained(program)
    return code, capsys.readouterr().err


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("cell", ["7.12346E+11", "7,12346E+11", "7E+11", "7.1e11", "5;7.12346E+11", "7,12346E+11,5"])
def test_what_a_spreadsheet_writes_is_known(cell: str) -> None:
    assert is_rounded(cell)


@pytest.mark.parametrize("cell", ["712345678901", "'712345678901", "712345678901.0", "5e3", "8E", "A1E+11", "", "1;2"])
def test_whole_ids_are_no_rounded_ones(cell: str) -> None:
    assert not is_rounded(cell)


@given(st.integers(min_value=1, max_value=10**14))
def test_an_id_is_the_same_however_a_program_wrote_the_number(number: int) -> None:
    written = [f"{number}", f"'{number}", f"{number}.0", f" {number},0 ", f"{number}.00"]
    assert {record_id_of(cell) for cell in written} == {str(number)}
    assert record_ids_in(f"{number};{number}.0, 8:1709280000000") == list(dict.fromkeys([str(number), "8"]))


@given(st.integers(min_value=10**5, max_value=10**14), st.integers(min_value=0, max_value=5), st.sampled_from(".,"))
def test_every_number_in_scientific_notation_is_known(number: int, digits: int, point: str) -> None:
    assert is_rounded(f"{number:.{digits}E}".replace(".", point))


@pytest.mark.parametrize("kind", EVIDENCE)
@pytest.mark.parametrize("cell", ["7.12346E+11", "7,12346E+11"])
def test_evidence_with_rounded_ids_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, cell: str
) -> None:
    """Before a ledger is made, with the file, the spreadsheet and what to do."""
    header, row = EVIDENCE[kind]
    people = write(tmp_path / "contacts.csv", CONTACTS, contact("712345678901", "ida@example.org"))
    file = write(tmp_path / f"{kind}.csv", header, [one.format(id=cell) for one in row])
    for command in ("audit", "import"):
        code, said = refusal(capsys, command, people, file, "--ledger", tmp_path / "ledger")
        assert code == 5
        assert all(word in said for word in (file.name, cell, "spreadsheet", "Export the file again"))
        assert not (tmp_path / "ledger").exists()


@pytest.mark.parametrize("column", ["Record ID", "Merged record IDs", "Merged contact IDs"])
def test_a_contacts_export_with_rounded_ids_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str
) -> None:
    """Whatever row it is in, and be it a workbook."""
    header = list(dict.fromkeys([*CONTACTS, column]))
    people = [
        [{"Record ID": str(number), "Email": f"p{number}@example.org"}.get(label, "") for label in header]
        for number in range(1, 30)
    ]
    people[20][header.index(column)] = "7.12346E+11"
    book = xlsxwriter.Workbook(tmp_path / "contacts.xlsx")
    sheet = book.add_worksheet()
    for number, cells in enumerate([header, *people]):
        sheet.write_row(number, 0, cells)
    book.close()
    for path in (write(tmp_path / "contacts.csv", header, *people), tmp_path / "contacts.xlsx"):
        code, said = refusal(capsys, "audit", path, "--ledger", tmp_path / "ledger", "--out", tmp_path / "out")
        assert code == 5
        assert "row 22" in said
        assert "spreadsheet" in said
        assert not (tmp_path / "ledger").exists()


def test_ids_that_became_decimal_numbers_name_the_same_records(tmp_path: Path) -> None:
    """A stop for `12.0` is one for record 12."""
    people = write(
        tmp_path / "contacts.csv", CONTACTS, contact("12", "ida@example.org"), contact("13", "jo@example.org")
    )
    stops = write(tmp_path / "opt-outs.csv", ("Email", "Record ID"), ("", "12.0"))
    run("audit", people, stops, "--ledger", tmp_path / "ledger", "--out", tmp_path / "out")
    assert {row["Record ID"]: row["bucket"] for row in rows(tmp_path / "out" / "verdicts.csv")} == {
        "12": "stopped",
        "13": "no_basis",
    }


def test_an_id_with_several_addresses_joins_nobody(tmp_path: Path) -> None:
    """Each is held, listed and told; a consent of one is none of the other's, whatever the CRM's flag says."""
    ledger, out = tmp_path / "ledger", tmp_path / "out"
    people = write(
        tmp_path / "contacts.csv",
        CONTACTS,
        contact("41", "ida@example.org", flag="Non-marketing contact"),
        contact("41", "jo@example.org", flag="Non-marketing contact"),
        contact("42", "kim@example.org"),
    )
    code, screen = run("audit", people, "--ledger", ledger, "--out", out)
    assert code == 0
    held = {row["Email"]: row["bucket"] for row in rows(out / "do-not-send.csv")}
    assert held["ida@example.org"] == held["jo@example.org"] == "conflict"
    assert [row["Record ID"] for row in rows(out / "verdicts.csv")] == ["41", "41", "42"]
    told = " ".join(screen.split())
    assert "1 record id stands with different addresses" in told
    assert "41: ida@example.org, jo@example.org" in told
    run("record", "opt-in", "ida@example.org", "--ledger", ledger)
    assert "opted_in" in run("history", "ida@example.org", "--ledger", ledger, "--json")[1]
    assert "opted_in" not in run("history", "jo@example.org", "--ledger", ledger, "--json")[1]


@pytest.mark.parametrize("first", ["export", "stops"])
def test_a_stop_for_an_id_of_several_reaches_each_of_them(tmp_path: Path, first: str) -> None:
    """Whose no it was cannot be told; so it is everybody's, in whichever order the files came."""
    ledger = tmp_path / "ledger"
    people = write(
        tmp_path / "contacts.csv", CONTACTS, contact("41", "ida@example.org"), contact("41", "jo@example.org")
    )
    stops = write(tmp_path / "opt-outs.csv", ("Email", "Record ID"), ("", "41"))
    for path in (people, stops) if first == "export" else (stops, people):
        assert run("import", path, "--ledger", ledger)[0] == 0
    for email in ("ida@example.org", "jo@example.org"):
        assert "opted" in run("why", email, "--ledger", ledger)[1].lower()


def test_an_additional_address_is_no_other_person(tmp_path: Path) -> None:
    """Two rows of one record that name each other's address are one person's."""
    people = write(
        tmp_path / "contacts.csv",
        (*CONTACTS, "Additional email addresses"),
        (*contact("41", "ida@example.org"), "ida.home@example.org"),
        (*contact("41", "ida.home@example.org"), ""),
    )
    _, screen = run("audit", people, "--ledger", tmp_path / "ledger", "--out", tmp_path / "out")
    assert "different addresses" not in screen


@pytest.mark.parametrize("column", ["Merged record IDs", "hs_merged_object_ids", "Zusammengeführte Kontakt-IDs"])
@pytest.mark.parametrize("cell", ["71", "70;71", "71:1709280000000;70:1709280000001"])
def test_a_stop_of_a_merged_record_holds_its_heir(tmp_path: Path, column: str, cell: str) -> None:
    """Also where the export after the merge names the record alone, and where the stop came later."""
    header = (*CONTACTS, column)
    before = write(tmp_path / "before.csv", CONTACTS, contact("71", "ida@example.org", "Yes"))
    after = write(tmp_path / "after.csv", header, (*contact("72", "ida@example.net"), cell))
    for number, order in enumerate(((before, after), (after, before))):
        ledger, out = tmp_path / f"ledger{number}", tmp_path / f"out{number}"
        for path in order:
            assert run("import", path, "--ledger", ledger)[0] == 0
        run("audit", after, "--ledger", ledger, "--out", out)
        (row,) = rows(out / "verdicts.csv")
        assert row["bucket"] in ("stopped", "conflict")


def _portal(path: Path, numbers: range, *, domain: str = "example.org", **more: str) -> Path:
    header = (*CONTACTS, *(label.replace("_", " ") for label in more))
    people = [(*contact(str(n), f"p{n}@{domain}"), *more.values()) for n in numbers]
    return write(path, header, *people)


@pytest.mark.parametrize(("changed", "refused"), [(1, False), (2, False), (3, True)])
def test_a_few_changed_addresses_are_no_other_portal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: int, refused: bool
) -> None:
    """Of ten contacts; three and more than one in twenty are."""
    ledger = tmp_path / "ledger"
    run("import", _portal(tmp_path / "a.csv", range(1, 11)), "--ledger", ledger)
    people = [contact(str(n), f"{'new' if n <= changed else 'p'}{n}@example.org") for n in range(1, 11)]
    later = write(tmp_path / "b.csv", CONTACTS, *people)
    if refused:
        code, said = refusal(capsys, "import", later, "--ledger", ledger, "--same-company")
        assert code == 5
        assert "3 of 10 known record ids" in said
    else:
        assert run("import", later, "--ledger", ledger)[0] == 0


def test_three_in_a_hundred_are_no_other_portal(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    run("import", _portal(tmp_path / "a.csv", range(1, 101)), "--ledger", ledger)
    people = [contact(str(n), f"{'new' if n <= 3 else 'p'}{n}@example.org") for n in range(1, 101)]
    assert run("import", write(tmp_path / "b.csv", CONTACTS, *people), "--ledger", ledger)[0] == 0


def test_an_address_shown_as_a_further_one_contradicts_nothing(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    run("import", _portal(tmp_path / "a.csv", range(1, 11)), "--ledger", ledger)
    header = (*CONTACTS, "Additional email addresses")
    people = [(*contact(str(n), f"new{n}@example.org"), f"p{n}@example.org") for n in range(1, 11)]
    assert run("import", write(tmp_path / "b.csv", header, *people), "--ledger", ledger)[0] == 0


@pytest.mark.parametrize("command", ["audit", "import"])
def test_an_export_of_strangers_is_refused_until_somebody_says_that_it_is_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Nothing of it is recorded before; a word is enough."""
    ledger, out = tmp_path / "ledger", ("--out", tmp_path / "out") if command == "audit" else ()
    run("import", _portal(tmp_path / "a.csv", range(1, 30)), "--ledger", ledger)
    other = _portal(tmp_path / "b.csv", range(500, 530), domain="example.net")
    code, said = refusal(capsys, command, other, "--ledger", ledger, *out)
    assert code == 5
    assert "--same-company" in said
    assert "another directory" in said
    assert "holds nothing" in refusal(capsys, "history", "p500@example.net", "--ledger", ledger)[1]
    assert run(command, other, "--ledger", ledger, "--same-company", *out)[0] == 0
    assert run(command, other, "--ledger", ledger, *out)[0] == 0


def test_one_shared_address_under_another_id_makes_no_portal_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger"
    run("import", _portal(tmp_path / "a.csv", range(1, 6)), "--ledger", ledger)
    people = [contact(str(n), f"q{n}@example.net") for n in range(500, 504)]
    other = write(tmp_path / "b.csv", CONTACTS, contact("499", "p1@example.org"), *people)
    assert refusal(capsys, "import", other, "--ledger", ledger)[0] == 5


@pytest.mark.parametrize(
    ("label", "word", "same"),
    [
        ("Portal_ID", "4711", True),
        ("Contact_owner", "Dana Weiss", True),
        ("Opted_out_of_email:_Spring_offers", "No", True),
        ("Opted_out_of_email:_One_to_One", "No", False),
        ("City", "Bonn", False),
    ],
)
def test_signs_of_the_same_portal_are_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], label: str, word: str, same: bool
) -> None:
    """Its number, the owners of its contacts, its own subscription types; not what every portal has."""
    ledger = tmp_path / "ledger"
    run("import", _portal(tmp_path / "a.csv", range(1, 30), **{label: word}), "--ledger", ledger)
    other = _portal(tmp_path / "b.csv", range(500, 530), domain="example.net", **{label: word})
    if same:
        assert run("import", other, "--ledger", ledger)[0] == 0
    else:
        assert refusal(capsys, "import", other, "--ledger", ledger)[0] == 5


def test_the_name_of_the_company_is_enough(tmp_path: Path) -> None:
    ledger, out = tmp_path / "ledger", tmp_path / "out"
    name = ("--controller", "Muster GmbH", "--ledger", ledger, "--out", out)
    run("audit", _portal(tmp_path / "a.csv", range(1, 30)), *name)
    assert run("audit", _portal(tmp_path / "b.csv", range(500, 530)), *name)[0] == 0


def test_what_is_kept_of_a_portal_is_no_name(tmp_path: Path) -> None:
    """The log holds no owner, nor does the vault as written."""
    ledger = tmp_path / "ledger"
    run("import", _portal(tmp_path / "a.csv", range(1, 30), Contact_owner="Dana Weiss"), "--ledger", ledger)
    assert not any(b"dana" in path.read_bytes().lower() for path in ledger.rglob("*") if path.is_file())


def test_the_answer_as_json_lists_every_address_of_an_id(tmp_path: Path) -> None:
    people = write(
        tmp_path / "contacts.csv", CONTACTS, contact("41", "ida@example.org"), contact("41", "jo@example.org")
    )
    _, said = run("audit", people, "--ledger", tmp_path / "ledger", "--out", tmp_path / "out", "--json")
    audit: dict[str, Any] = json.loads(said[said.index("{") :])
    assert any("jo@example.org" in note for note in audit["notes"])
