"""The first two laws of every door: a stop that cannot be read is an alarm, and a row's shape loses nothing."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.cli.errors import _code
from adapters.cli.options import EXIT
from adapters.inputs import sort_inputs
from adapters.losses import standing_files
from adapters.mapped import ENDING
from adapters.statements import Statement, Wanted
from adapters.tabular import Rejected, UnreadableInput, open_tables
from adapters.unread import unread_of
from ledger import events as e
from ledger.application import Fact
from ledger.policy.dossier import Dossier
from tests.adapters.test_cli import answer, rows, run
from tests.ledgers import open_house

CONTACTS = (
    "Record ID",
    "Email",
    "Country/Region",
    "Marketing contact status",
    "Lifecycle Stage",
    "Unsubscribed from all email",
)
PEOPLE = [
    (str(number), f"{name}@example.org", "United States", "Marketing contact", "Lead", "No")
    for number, name in enumerate(("ana", "bo", "cy"), start=1)
]


class Door(NamedTuple):
    """A file by which stops come: its name, its header, and a row of it, with {} in place of the address."""

    name: str
    header: tuple[str, ...]
    row: tuple[str, ...]
    mapping: str = ""

    def of(self, email: str) -> list[str]:
        return [cell.format(email) for cell in self.row]


MAPPING = 'fact = "opt_out"\nemail = "Kunde"\nat = "Wann"\n'
DOORS = {
    "unsubscribes": Door(
        "unsubscribes.csv", ("Email", "Unsubscribe date", "Reason"), ("{}", "2026-03-01", "unsubscribed")
    ),
    "opt_outs": Door("opt-outs.csv", ("Email", "Name", "City"), ("{}", "N", "Ulm")),
    "subscriptions": Door(
        "timeline.csv",
        ("Recipient", "Change", "Change type", "Subscription", "Source", "Timestamp"),
        ("{}", "UNSUBSCRIBED", "SUBSCRIPTION_STATUS", "News", "SOURCE_RECIPIENT", "2026-03-01 10:00"),
    ),
    "events": Door(
        "events.csv",
        ("type", "recipient", "created", "campaignName"),
        ("UNSUBSCRIBE", "{}", "2026-03-01 10:00", "March"),
    ),
    "recipients": Door(
        "campaign.csv",
        ("Recipient", "Sent At", "Bounce", "Unsubscribed"),
        ("{}", "2026-03-01 10:00", "No", "Yes"),
    ),
    "audience": Door(
        "unsubscribed_email_audience_export_1.csv",
        ("Email Address", "UNSUB_TIME", "LEID"),
        ("{}", "2026-03-01 10:00:00", "12"),
    ),
    "mapped": Door("shop.csv", ("Kunde", "Wann"), ("{}", "2026-03-01"), MAPPING),
    "stops": Door("objections.csv", ("email", "date", "words"), ("{}", "2026-03-01", "no more")),
}  # fmt: skip
NOBODY = "Mrs Smith"


def write(path: Path, header: tuple[str, ...], lines: list[str]) -> Path:
    path.write_text("\n".join([",".join(header), *lines]) + "\n", encoding="utf-8")
    return path


def broken(cells: list[str]) -> str:
    """A line of which no reader of CSV can say where its last cell ends."""
    return ",".join([*cells[:-1], f'"{cells[-1]}" or"'])


def given_as(door: str, path: Path) -> list[object]:
    return ["--stops", path] if door == "stops" else [path]


def export(folder: Path, *more: str) -> Path:
    return write(folder / "contacts.csv", CONTACTS, [*map(",".join, PEOPLE), *more])


def audit(folder: Path, *files: object, exit_code: int = 0, options: tuple[object, ...] = ()) -> Any:
    """What an audit of a portal in the US says; whoever said nothing there may stay."""
    out = folder / "out"
    common = ("--sender-country", "US", "--ledger", folder / "ledger", "--out", out, *options)
    run("audit", export(folder) if not (folder / "contacts.csv").exists() else folder / "contacts.csv", *files, *common,
        exit_code=exit_code)  # fmt: skip
    return json.loads((out / "audit.json").read_text())


def actions(folder: Path) -> dict[str, tuple[str, str]]:
    return {row["Record ID"]: (row["action"], row["reason"]) for row in rows(folder / "out" / "verdicts.csv")}


def kept_out(folder: Path) -> set[str]:
    return {row["Email"] or row["Record ID"] for row in rows(folder / "out" / "do-not-send.csv")}


def lay_door(folder: Path, name: str, *lines: str) -> Path:
    door = DOORS[name]
    if door.mapping:
        (folder / door.name.replace(".csv", ENDING)).write_text(door.mapping)
    return write(folder / door.name, door.header, list(lines))


@pytest.mark.parametrize("name", DOORS)
def test_whoever_an_unread_row_names_is_held(tmp_path: Path, name: str) -> None:
    """Ana's stop is read; Bo's cannot be, and so he is kept out, and the gate says no; Cy may stay."""
    door = DOORS[name]
    path = lay_door(tmp_path, name, ",".join(door.of("ana@example.org")), broken(door.of("bo@example.org")))
    said = audit(tmp_path, *given_as(name, path))
    found = actions(tmp_path)
    assert found["2"] == ("review", "row_unread")
    assert found["3"] == ("keep", "proven")
    assert found["1"][0] == "set_non_marketing"
    assert {"ana@example.org", "bo@example.org"} <= kept_out(tmp_path)
    (lost,) = said["lost_stops"]
    assert (lost["file"], lost["lost"], lost["held"], lost["held_rows"], lost["stands"]) == (
        door.name,
        0,
        1,
        [3],
        False,
    )
    with open_house(tmp_path / "ledger", {}) as house:
        owner = house.ledger.vault.find_address("bo@example.org")
        assert owner is not None
        assert Dossier(list(house.contacts([owner[0]]).values())).held is not None
    about = ("--ledger", tmp_path / "ledger")
    assert {one["reason"] for one in answer("status", "bo@example.org", *about)["status"]} == {"under_review"}


@pytest.mark.parametrize("name", DOORS)
def test_a_row_that_names_nobody_lets_nobody_stay(tmp_path: Path, name: str) -> None:
    """Until its file is mended, under the same name and with nothing lost: the ledger knows, whatever is given."""
    door = DOORS[name]
    good = ",".join(door.of("ana@example.org"))
    lay_door(tmp_path, name, good, broken(door.of(NOBODY)))
    said = audit(tmp_path, *given_as(name, tmp_path / door.name), options=("--fail-on", "lost_stops"), exit_code=3)
    (lost,) = said["lost_stops"]
    assert (lost["file"], lost["lost"], lost["rows"], lost["stands"]) == (door.name, 1, [3], True)
    assert {found for _, found in actions(tmp_path).items() if found[0] == "keep"} == set()
    assert actions(tmp_path)["3"] == ("review", "stops_lost")
    assert kept_out(tmp_path) == {"ana@example.org", "bo@example.org", "cy@example.org"}
    looked = {one["kind"]: one["looked_at"] for one in said["looked_at"]}
    assert not looked[{"recipients": "events"}.get(name, name)]
    assert audit(tmp_path)["lost_stops"] == [{**lost, "rows": [], "earlier": True}]
    assert actions(tmp_path)["3"] == ("review", "stops_lost")
    lay_door(tmp_path, name, good, ",".join(door.of("bo@example.org")))
    assert audit(tmp_path, *given_as(name, tmp_path / door.name))["lost_stops"] == []
    assert (actions(tmp_path)["3"], actions(tmp_path)["2"][0]) == (("keep", "proven"), "set_non_marketing")


def test_a_row_of_contacts_that_names_nobody_holds_nobody(tmp_path: Path) -> None:
    """It is listed; the others of the export may stay. One that names somebody holds them, by the record id too."""
    export(tmp_path, broken(["", NOBODY, "United States", "Marketing contact", "Lead", "No"]),
           broken(["4", "di@example.org", "United States", "Marketing contact", "Lead", "No"]),
           "5,not an address,United States,Marketing contact,Lead")  # fmt: skip
    said = audit(tmp_path, options=("--fail-on", "lost_stops"), exit_code=3)
    assert {found[0] for found in actions(tmp_path).values()} == {"keep"}
    assert kept_out(tmp_path) == {"di@example.org", "4", "5"}
    (lost,) = said["lost_stops"]
    assert (lost["lost"], lost["rows"], lost["held"], lost["held_rows"], lost["stands"]) == (1, [5], 3, [6, 7], False)


def test_a_row_that_could_not_be_read_ties_nobody_to_a_record(tmp_path: Path) -> None:
    """The same rows, mended: nobody is two contacts for having been held; the hold ends when somebody looks."""
    row = ["4", "di@example.org", "United States", "Marketing contact", "Lead", "No"]
    export(tmp_path, broken(row), "5,not an address,United States,Marketing contact,Lead")
    audit(tmp_path)
    export(tmp_path, ",".join(row), "5,ed@example.org,United States,Marketing contact,Lead")
    assert audit(tmp_path)["lost_stops"] == []
    found = actions(tmp_path)
    assert found["4"] == found["5"] == ("review", "row_unread")
    with open_house(tmp_path / "ledger", {}) as house:
        for name in ("di", "ed"):
            owner = house.ledger.vault.find_address(f"{name}@example.org")
            assert owner is not None
            over = e.ReviewDecided(stream=owner[0], source="review", by="officer", outcome="release_hold")
            house.ledger.record(Fact(over))
    audit(tmp_path)
    found = actions(tmp_path)
    assert found["4"] == found["5"] == ("keep", "proven")


@pytest.mark.parametrize("name", ["unsubscribes", "subscriptions"])
@pytest.mark.parametrize("shape", ["xlsx", "jsonl", "zip"])
def test_every_format_of_a_file_is_a_door(tmp_path: Path, name: str, shape: str) -> None:
    door = DOORS[name]
    good, bad, lost = (door.of(email) for email in ("ana@example.org", "bo@example.org", NOBODY))
    path = tmp_path / f"unsubscribes.{shape}"
    if shape == "xlsx":
        book = xlsxwriter.Workbook(str(path))
        sheet = book.add_worksheet()
        for row, cells in enumerate([list(door.header), good, ["see", *bad[1:-1], "bo@example.org"], lost]):
            for column, cell in enumerate(cells):
                sheet.write_string(row, column, cell)
        book.close()
    elif shape == "jsonl":
        lines = [json.dumps(dict(zip(door.header, cells, strict=True))) for cells in (good, bad, lost)]
        path.write_text("\n".join([lines[0], *(line[:-1] + ",}" for line in lines[1:])]))
    else:
        inner = lay_door(tmp_path, name, ",".join(good), broken(bad), broken(lost))
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(inner, inner.name)
    (found,) = audit(tmp_path, path)["lost_stops"]
    assert (found["lost"], found["held"], found["stands"]) == (1, 1, True)
    assert actions(tmp_path)["2"] == ("review", "row_unread")


def test_lines_that_a_quote_swallowed_are_counted_as_lines(tmp_path: Path) -> None:
    door = DOORS["unsubscribes"]
    path = lay_door(
        tmp_path, "unsubscribes", ",".join(door.of("ana@example.org")), 'bo@example.org,2026-03-02,"called',
        "cy@example.org,2026-03-03", f"{NOBODY},2026-03-04,", "eve@example.org,2026-03-05,no more\"",
        ",".join(door.of("flo@example.org")),
    )  # fmt: skip
    (found,) = audit(tmp_path, path)["lost_stops"]
    assert (found["held"], found["lost"], found["rows"]) == (3, 1, [3, 4, 5, 6])
    assert {"bo@example.org", "cy@example.org", "eve@example.org"} <= kept_out(tmp_path)


def test_going_on_without_lost_rows_is_somebodys_word_for_that_file_alone(tmp_path: Path) -> None:
    door, name = DOORS["unsubscribes"], "unsubscribes"
    lay_door(tmp_path, name, ",".join(door.of("ana@example.org")), broken(door.of(NOBODY)))
    path = tmp_path / door.name

    def accepting(count: int) -> tuple[object, ...]:
        return ("--accept-lost-stops", f"{door.name}={count}", "--by", "Dana Weiss")

    run("audit", export(tmp_path), path, "--accept-lost-stops", f"{door.name}=1", exit_code=2)
    common = ("--sender-country", "US", "--ledger", tmp_path / "ledger", "--out", tmp_path / "out")
    wrong = run("audit", export(tmp_path), path, *common, *accepting(2), exit_code=2)
    assert "leaves 1 row to answer for, not 2" in wrong.output.replace("\n", " ").replace("│", "").replace("  ", " ")
    (found,) = audit(tmp_path, path, options=accepting(1))["lost_stops"]
    assert (found["stands"], found["accepted_by"]) == (False, "Dana Weiss")
    assert actions(tmp_path)["3"] == ("keep", "proven")
    assert audit(tmp_path, path, options=("--fail-on", "lost_stops"))["lost_stops"] == [found]
    lay_door(tmp_path, name, ",".join(door.of("ana@example.org")), broken(door.of("Mr Smith")))
    (new,) = audit(tmp_path, path)["lost_stops"]
    assert (new["stands"], new["accepted_by"]) == (True, None)


def test_a_shorter_file_of_that_name_mends_nothing(tmp_path: Path) -> None:
    door, name = DOORS["unsubscribes"], "unsubscribes"
    path = lay_door(
        tmp_path, name, *(",".join(door.of(f"p{n}@example.org")) for n in range(5)), broken(door.of(NOBODY))
    )
    audit(tmp_path, path)
    lay_door(tmp_path, name, *(",".join(door.of(f"p{n}@example.org")) for n in range(4)))
    (found,) = audit(tmp_path, path)["lost_stops"]
    assert (found["stands"], found["earlier"]) == (True, True)
    with open_house(tmp_path / "ledger", {}) as house:
        assert [(one.name, one.rows) for one in standing_files(house, house.catalogue)] == [(door.name, 1)]


def test_a_file_of_which_nothing_was_used_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    path = lay_door(
        tmp_path, "unsubscribes", *(",".join(DOORS["unsubscribes"].of(f"{n}(at)example.org")) for n in "ab")
    )
    with pytest.raises(UnreadableInput, match=r"unsubscribes\.csv: none of its 2 rows could be used") as refused:
        run("audit", export(tmp_path), path, "--ledger", tmp_path / "ledger")
    assert _code(refused.value) == EXIT.UNREADABLE
    assert not (tmp_path / "ledger").exists()


def test_what_is_lost_stands_first_on_screen_and_on_every_page(tmp_path: Path) -> None:
    door = DOORS["unsubscribes"]
    path = lay_door(tmp_path, "unsubscribes", ",".join(door.of("ana@example.org")), broken(door.of(NOBODY)))
    common = ("--sender-country", "US", "--ledger", tmp_path / "ledger", "--out", tmp_path / "out")
    screen = " ".join(run("audit", export(tmp_path), path, *common).stdout.split())
    first = "NOT READ unsubscribes.csv: 1 row (row 3) could not be read and names nobody."
    assert screen.startswith(first)
    assert "may stay marketing 0" in screen
    assert "may stay marketing 3" not in screen
    assert "→ may stay marketing" not in screen
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.index("could not be read and names nobody") < page.index('class="cards"')
    steps = (tmp_path / "out" / "NEXT-STEPS.md").read_text()
    assert steps.index("could not be read and names nobody") < steps.index("## 1.")
    assert "--accept-lost-stops unsubscribes.csv=1 --by NAME" in screen


# --- shape


def told(path: Path, stops: bool) -> tuple[list[Statement], list[Rejected]]:
    rejected: list[Rejected] = []
    (file,) = sort_inputs([] if stops else [path], stops=[path] if stops else []).evidence
    return list(file.statements(Wanted(), rejected.append)), rejected


@pytest.mark.parametrize("name", DOORS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(data=st.data())
def test_cells_left_out_and_empty_ones_too_many_change_nothing(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """By whichever door: of each row the empty cells at its end may be missing, and more may stand there."""
    door = DOORS[name]
    header = (*door.header, "More", "Last")
    emails = [f"p{number}@example.org" for number in range(6)]
    whole = [[*door.of(email), "", ""] for email in emails]
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    if door.mapping:
        (folder / door.name.replace(".csv", ENDING)).write_text(door.mapping)
    expected = told(write(folder / door.name, header, [",".join(cells) for cells in whole]), name == "stops")
    assert len(expected[0]) >= len(emails)
    lines = []
    for cells in whole:
        cut = cells[: len(cells) - data.draw(st.integers(0, 2))]
        lines.append(",".join([*cut, *data.draw(st.lists(st.sampled_from(["", " "]), max_size=3))]))
    found = told(write(folder / door.name, header, lines), name == "stops")
    assert [one._replace(source_id="") for one in found[0]] == [one._replace(source_id="") for one in expected[0]]
    assert found[1] == []


BREAKS = "\0\r\n\f\v\x1c\x1d\x1e\x85\u2028\u2029"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters=BREAKS), max_size=6), min_size=1, max_size=7),
        max_size=8,
    )
)  # fmt: skip
@example(rows=[["a"], ["", "", "", " ", ""], ["a", "b", "c", "d"]])
def test_only_content_beyond_the_header_is_a_reason_to_reject_a_shape(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "any.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["A", "B", "C"], *rows])
    (table,) = open_tables(path, may_be_empty=True)
    assert table.header == ("A", "B", "C")
    rejected: list[Rejected] = []
    read = [cells for _, cells in table.rows(rejected.append)]
    filled = [cells for cells in rows if any(cells)]
    fits = [cells for cells in filled if not any(map(str.strip, cells[3:]))]
    assert read == [[*cells, "", "", ""][:3] for cells in fits]
    assert [one.lines for one in rejected] == [(tuple(cells),) for cells in filled if cells not in fits]


def test_several_people_of_one_cell_are_read_and_others_within_a_note_are_held(tmp_path: Path) -> None:
    path = tmp_path / "unsubscribes.csv"
    path.write_text(
        "Email,Unsubscribe date,Reason\n"
        '"ana@example.org\nbo@example.org",2026-03-01,unsubscribed\n'
        'cy@example.org,2026-03-01,"phoned,\nfor di@example.org too"\n'
    )
    found, rejected = told(path, stops=False)
    assert [one.email for one in found] == ["ana@example.org", "bo@example.org", "cy@example.org"]
    assert [(one.row, [who.email for who in unread_of([one]).named]) for one in rejected] == [(3, ["di@example.org"])]


def test_a_line_of_rows_of_which_the_last_cells_are_left_out_is_not_swallowed(tmp_path: Path) -> None:
    """The cell of a quote that closes rows below holds fewer delimiters than whole rows would."""
    path = tmp_path / "t.csv"
    path.write_text(
        'Email,Date,Note,More\nana@example.org,1,"called\nbo@example.org,2\ncy@example.org,3",\ndi@example.org,4\n'
    )
    (table,) = open_tables(path)
    rejected: list[Rejected] = []
    assert [cells[0] for _, cells in table.rows(rejected.append)] == ["di@example.org"]
    assert [line[0] for line in rejected[0].lines] == ["ana@example.org", "bo@example.org", "cy@example.org"]


def test_what_a_quote_swallowed_goes_on_in_the_next_cells(tmp_path: Path) -> None:
    """A quote opened in one row and closed in the next: the second row's address stands in another column."""
    door = DOORS["events"]
    lines = ['UNSUBSCRIBE,"bo@example.org,2026-03-01 10:00,March', 'UNSUBSCRIBE",cy@example.org,2026-03-01 10:00,March']
    found, rejected = told(write(tmp_path / door.name, door.header, lines), False)
    assert "cy@example.org" in {who.email for who in unread_of(rejected).named} | {one.email for one in found}


@pytest.mark.parametrize("name", DOORS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_no_quote_anywhere_makes_anybody_go_by_unseen(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Wherever a quote is opened or closed by mistake, each address of the file is read, or named by an unread row.

    Or the whole file is refused, because a column of yes and no comes of it that nobody can explain.
    """
    door = DOORS[name]
    emails = [f"p{number}@example.org" for number in range(6)]
    lines = []
    for email in emails:
        cells = [*door.of(email), "", "note"]
        line = ",".join(cells[: len(cells) - data.draw(st.integers(0, 2))])
        edges = [n for n in range(len(line) + 1) if n in (0, len(line)) or "," in line[n - 1 : n + 1]]
        place = data.draw(st.sampled_from(edges))
        lines.append(line[:place] + data.draw(st.sampled_from(["", "", "", '"', '""'])) + line[place:])
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    if door.mapping:
        (folder / door.name.replace(".csv", ENDING)).write_text(door.mapping)
    try:
        found, rejected = told(write(folder / door.name, (*door.header, "More", "Last"), lines), name == "stops")
    except UnreadableInput as refused:
        if refused.code != "ambiguous":
            raise
        return
    named = {who.email for who in unread_of(rejected).named}
    assert {email for email in emails if email not in named} <= {one.email for one in found}
