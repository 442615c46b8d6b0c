"""Every input is known by its header, whatever its order, case and format; what is not known says so."""

from __future__ import annotations

import csv
import os
import pickle
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hubspot.demo import write_demo_export
from adapters.inputs import sort_inputs
from adapters.statements import Statement, Wanted
from adapters.tabular import UnreadableInput, open_tables

WANTED = Wanted({"newsletter": frozenset({"send-me-news", "type.product-news"})})
FILES: dict[str, tuple[tuple[str, ...], list[tuple[str, ...]]]] = {
    "forms": (
        ("Conversion Date", "Form name", "Email", "First name", "Send me news"),
        [("2024-03-01 09:12", "Newsletter", "ada@example.com", "Ada", "Yes"),
         ("2024-03-02", "Newsletter", "bo@example.com", "Bo", "No")],
    ),
    "deals": (
        ("Deal ID", "Deal Stage", "Pipeline", "Close Date", "Associated Contact IDs"),
        [("9001", "Closed won", "Shop", "2024-03-01", "7;8"), ("9002", "Lost", "Shop", "2024-03-01", "9")],
    ),
    "subscriptions": (
        ("Recipient", "Change", "Change type", "Subscription", "Source", "Timestamp", "Form"),
        [("ada@example.com", "UNSUBSCRIBED", "SUBSCRIPTION_STATUS", "Product News", "SOURCE_RECIPIENT",
          "1709280000000", ""),
         ("bo@example.com", "SUBSCRIBED", "SUBSCRIPTION_STATUS", "Product News", "SOURCE_RECIPIENT",
          "2024-03-01 10:00", "Newsletter")],
    ),
    "unsubscribes": (
        ("Email", "Contact ID", "Unsubscribed from all email", "Subscription type", "Reason", "Date"),
        [("ada@example.com", "", "Yes", "", "Unsubscribed", "2024-03-01 09:00"),
         ("bo@example.com", "8", "No", "", "Hard bounce", "")],
    ),
    "events": (
        ("id", "type", "recipient", "created", "campaignName", "subject"),
        [("e-1", "SENT", "ada@example.com", "1709280000000", "March news", "Hello"),
         ("e-2", "SPAMREPORT", "ada@example.com", "1709290000000", "March news", "")],
    ),
    "audience": (
        ("Email Address", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP", "UNSUB_TIME", "LEID"),
        [("ada@example.com", "2024-01-01 09:00:00", "192.0.2.1", "2024-01-01 09:05:00", "192.0.2.1",
          "2024-02-01 10:00:33", "12")],
    ),
}  # fmt: skip


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_json(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    path.write_bytes(msgspec.json.encode({"results": [dict(zip(header, row, strict=True)) for row in rows]}))
    return path


def write_xlsx(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """As somebody saves it from a spreadsheet: dates are dates and numbers are numbers."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Sheet1")
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for number, row in enumerate([header, *rows]):
        for column, cell in enumerate(row):
            if cell[4:5] == "-" and cell[:4].isdigit():
                sheet.write_datetime(number, column, datetime.fromisoformat(cell), date)
            elif cell.isdigit():
                sheet.write_number(number, column, int(cell))
            else:
                sheet.write_string(number, column, cell)
    book.close()
    return path


def said(path: Path, wanted: Wanted = WANTED) -> list[Statement]:
    rejected: list[object] = []
    told = [one for file in sort_inputs([path]).evidence for one in file.statements(wanted, rejected.append)]
    assert rejected == []
    return told


def refused(path: Path) -> UnreadableInput:
    with pytest.raises(UnreadableInput) as caught:
        sort_inputs([path])
    return caught.value


@pytest.mark.parametrize("kind", FILES)
def test_csv_xlsx_and_json_say_the_same(tmp_path: Path, kind: str) -> None:
    header, rows = FILES[kind]
    told = said(write_csv(tmp_path / "file.csv", header, rows))
    assert told
    assert said(write_json(tmp_path / "file.json", header, rows)) == told
    assert said(write_xlsx(tmp_path / "file.xlsx", header, rows)) == told
    (file,) = sort_inputs([tmp_path / "file.xlsx"]).evidence
    assert (file.kind, file.system) == (kind, "mailchimp" if kind == "audience" else "hubspot")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FILES)), st.randoms(use_true_random=False))
def test_order_and_case_of_the_header_do_not_matter(tmp_path: Path, kind: str, random: object) -> None:
    header, rows = FILES[kind]
    told = said(write_csv(tmp_path / "file.csv", header, rows))
    order = list(range(len(header)))
    random.shuffle(order)  # type: ignore[attr-defined]
    recased = [random.choice([str.lower, str.upper, str])(header[at]) for at in order]  # type: ignore[attr-defined]
    again = said(write_csv(tmp_path / "file.csv", recased, [[row[at] for at in order] for row in rows]))
    assert again == told


@pytest.mark.parametrize("kind", FILES)
def test_read_twice_and_read_later_a_file_says_the_same(tmp_path: Path, kind: str) -> None:
    path = write_csv(tmp_path / "file.csv", *FILES[kind])
    (file,) = sort_inputs([path]).evidence
    first = list(file.statements(WANTED, lambda _: None))
    rows, found = file.rows, msgspec.json.encode(file.found)
    assert list(file.statements(WANTED, lambda _: None)) == first
    assert (file.rows, msgspec.json.encode(file.found)) == (rows, found)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert said(path) == first
    ids = [one.source_id for one in first]
    assert len(set(ids)) == len(ids)


def test_contacts_go_apart_from_evidence_and_folders_are_read_in_order(tmp_path: Path) -> None:
    write_demo_export(tmp_path / "contacts.csv")
    write_csv(tmp_path / "b.csv", *FILES["deals"])
    write_csv(tmp_path / "a.csv", *FILES["forms"])
    (tmp_path / ".hidden.csv").write_text("junk")
    (tmp_path / "audit.toml").write_text("")
    (tmp_path / "shot.png").write_bytes(b"\x89PNG")
    (tmp_path / "deeper").mkdir()
    inputs = sort_inputs([tmp_path])
    assert inputs.contacts == [tmp_path / "contacts.csv"]
    assert [(file.name, file.kind) for file in inputs.evidence] == [("a.csv", "forms"), ("b.csv", "deals")]
    assert inputs.evidence[0].taken_on.tzinfo is UTC


def test_a_small_contacts_export_is_no_file_of_unsubscribes(tmp_path: Path) -> None:
    header = ("Record ID", "Email", "Unsubscribed from all email")
    path = write_csv(tmp_path / "all.csv", header, [("1", "a@example.com", "Yes")])
    assert sort_inputs([path]).contacts == [path]


def test_what_nobody_knows_names_its_columns_and_what_to_do(tmp_path: Path) -> None:
    error = refused(write_csv(tmp_path / "guests.csv", ("Name", "Seat"), [("Ada", "7")]))
    assert error.code == "unknown_kind"
    assert "Name, Seat" in error.message
    assert "guests.mapping.toml" in error.remedy
    assert "Associated Contact IDs" in error.remedy


def test_a_bare_list_of_addresses_is_not_guessed_at(tmp_path: Path) -> None:
    rows = [("ada@example.com",), ("bo@example.com",)]
    error = refused(write_csv(tmp_path / "list.csv", ("Email",), rows))
    assert error.code == "ambiguous"
    assert "--stops" in error.remedy
    told = said(write_csv(tmp_path / "opt-out list.csv", ("Email",), rows))
    assert [type(one.event).__name__ for one in told] == ["OptedOut", "OptedOut"]
    assert told[0].event.occurred_from is told[0].event.captured_at is None


def test_an_opt_out_list_that_looks_like_contacts_is_asked_about(tmp_path: Path) -> None:
    header = ("Record ID", "Email", "Lifecycle Stage")
    error = refused(write_csv(tmp_path / "hubspot-opt-outs.csv", header, [("1", "a@example.com", "Lead")]))
    assert error.code == "ambiguous"


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    header, rows = FILES["forms"]
    error = refused(write_csv(tmp_path / "f.csv", (*header, "E-Mail"), [(*row, "x@example.com") for row in rows]))
    assert error.code == "repeated_column"


def test_a_list_given_as_stops_is_read_once_and_as_that(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "unknown.csv", ("email", "date", "words"), [("a@example.com", "2024-03-01", "No!")])
    write_csv(tmp_path / "deals.csv", *FILES["deals"])
    inputs = sort_inputs([tmp_path], stops=[path])
    assert [(file.kind, file.system) for file in inputs.evidence] == [("deals", "hubspot"), ("stops", "file")]


STOPS = {
    "header.csv": "Datum;E-Mail;Bemerkung\n01.03.2024;Ada <ada@example.com>;Anruf\n;bo@example.com;\n",
    "none.txt": "ada@example.com, 2024-03-01, Anruf\nbo@example.com\n",
}


@pytest.mark.parametrize("name", STOPS)
def test_objections_are_read_from_any_list(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(STOPS[name], encoding="utf-8")
    rejected: list[object] = []
    (file,) = sort_inputs([], stops=[path]).evidence
    first, second = file.statements(Wanted(), rejected.append)
    assert rejected == []
    assert (first.email, second.email) == ("ada@example.com", "bo@example.com")
    assert first.payload == {"words": "Anruf"}
    assert first.event.occurred_from == datetime(2024, 2, 29, 10, tzinfo=UTC)  # of whichever zone
    assert (second.payload, second.event.occurred_from, second.event.captured_at) == (None, None, None)
    assert first.event.via == "stops_file"


def test_a_line_of_objections_without_an_address_is_not_lost_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    path.write_text("ada@example.com,x\nMrs Smith,called\n", encoding="utf-8")
    rejected: list[object] = []
    (file,) = sort_inputs([], stops=[path]).evidence
    assert len(list(file.statements(Wanted(), rejected.append))) == 1
    assert [(one.row, one.may_stop) for one in rejected] == [(2, True)]  # type: ignore[attr-defined]
    assert file.rows == 2
    empty = tmp_path / "none.csv"
    empty.write_text("name\nMrs Smith\n")
    with pytest.raises(UnreadableInput, match="holds no e-mail address"):
        sort_inputs([], stops=[empty])


def test_tables_of_every_format_can_be_sent_to_another_process(tmp_path: Path) -> None:
    header, rows = FILES["deals"]
    for path in (write_xlsx(tmp_path / "a.xlsx", header, rows), write_json(tmp_path / "a.json", header, rows)):
        (table,) = open_tables(path)
        sent = pickle.loads(pickle.dumps(table))  # noqa: S301 - our own
        assert list(sent.rows(lambda _: None)) == list(table.rows(lambda _: None))


def test_a_zip_may_hold_workbooks_json_and_files_without_rows(tmp_path: Path) -> None:
    header, rows = FILES["deals"]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(write_xlsx(tmp_path / "a.xlsx", header, rows), "deals.xlsx")
        archive.write(write_json(tmp_path / "a.json", header, rows), "deals.json")
        archive.writestr("unsubscribes.csv", ",".join(FILES["unsubscribes"][0]) + "\n")
    files = sort_inputs([tmp_path / "all.zip"]).evidence
    assert [file.name for file in files] == [
        "all.zip/deals.json", "all.zip/deals.xlsx/Sheet1", "all.zip/unsubscribes.csv",
    ]  # fmt: skip
    assert [len(list(file.statements(Wanted(), lambda _: None))) for file in files] == [2, 2, 0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([kind for kind in FILES if kind != "audience"]),
    st.lists(st.lists(st.text(max_size=12), min_size=7, max_size=7), min_size=1, max_size=4),
    st.sampled_from(["csv", "json"]),
)
def test_any_cells_give_facts_fit_for_the_log_or_a_rejected_row(
    tmp_path: Path, kind: str, rows: list[list[str]], ending: str
) -> None:
    from ledger.codec import check

    header = FILES[kind][0]
    good = FILES[kind][1][0]
    mixed = [[*good[: n % len(header)], *row[n % len(header) : len(header)]] for n, row in enumerate(rows, 2)]
    write = write_json if ending == "json" else write_csv
    try:
        (file,) = sort_inputs([write(tmp_path / f"any.{ending}", header, mixed)]).evidence
    except (UnreadableInput, UnicodeEncodeError):
        return
    for one in file.statements(WANTED, lambda _: None):
        assert one.email or one.record_id
        check(msgspec.structs.replace(one.event, stream="00000000-0000-0000-0000-000000000001"))
