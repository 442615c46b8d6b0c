"""Any table file: encodings, delimiters, ZIPs, broken rows; any bytes are read or refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import sources, unfolding
from adapters.tabular import Rejected, Table, UnreadableInput, open_tables, require_unique

TEXT = 'Name,Email,Note\r\nJürgen Weiß,jw@example.com,"Straße, 1"\r\nRenée Über,ru@example.com,"two\r\nlines"\r\n'
CELLS = [["Jürgen Weiß", "jw@example.com", "Straße, 1"], ["Renée Über", "ru@example.com", "two\r\nlines"]]

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content)
        return path

    return write


def read(table: Table) -> tuple[list[list[str]], list[Rejected]]:
    rejected: list[Rejected] = []
    return [cells for _, cells in table.rows(rejected.append)], rejected


def code(path: Path) -> str:
    with pytest.raises(UnreadableInput) as caught:
        open_tables(path)
    assert caught.value.remedy
    return caught.value.code


@pytest.mark.parametrize(
    ("encoding", "found", "assumed"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8-sig", False),
        ("utf-16", "utf-16", False),
        ("utf-16-le", "utf-16-le", False),
        ("utf-16-be", "utf-16-be", False),
        ("utf-32", "utf-32", False),
        ("cp1252", "cp1252", True),
        ("mac_roman", "mac_roman", True),
    ],
)
def test_every_encoding_gives_the_same_rows(write: Write, encoding: str, found: str, assumed: bool) -> None:
    content = TEXT.encode(encoding)
    (table,) = open_tables(write(content))
    assert (table.encoding, table.assumed) == (found, assumed)
    assert table.sha256 == sha256(content).hexdigest()
    assert read(table) == (CELLS, [])
    assert "Jürgen" in table.preview[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_gives_the_same_rows(write: Write, delimiter: str) -> None:
    text = TEXT.replace('"Straße, 1"', '"Straße 1"').replace(",", delimiter)
    (table,) = open_tables(write(text.encode()))
    assert table.delimiter == delimiter
    assert read(table)[0][0] == ["Jürgen Weiß", "jw@example.com", "Straße 1"]


def test_the_first_line_excel_writes_is_no_header(write: Write) -> None:
    (table,) = open_tables(write(b"sep=;\r\nName;Email\r\nA;a@example.com\r\n"))
    assert table.header == ("Name", "Email")
    assert list(table.rows(lambda _: None)) == [(3, ["A", "a@example.com"])]


def test_letters_far_down_the_file_still_tell_the_encoding(write: Write) -> None:
    rows = b"plain,plain@example.com\n" * 20_000
    (table,) = open_tables(write(b"Name,Email\n" + rows + "Müßig,m@example.com\n".encode("cp1252")))
    assert (table.encoding, table.assumed) == ("cp1252", True)
    assert read(table)[0][-1][0] == "Müßig"


def test_a_broken_row_does_not_make_a_utf8_file_something_else(write: Write) -> None:
    good = "Jürgen,j@example.com\n" * 6
    (table,) = open_tables(write(b"Name,Email\n" + good.encode() + b"Ren\xe9e,r@example.com\n"))
    rows, rejected = read(table)
    assert (table.encoding, table.assumed, len(rows)) == ("utf-8", True, 6)
    assert rejected == [Rejected("table.csv", 8, "Name", "does not fit utf-8")]


def test_a_terminal_may_ask_which_encoding(write: Write) -> None:
    asked: list[tuple[str, ...]] = []

    def ask(candidates: tuple[str, ...], lines: Mapping[str, tuple[str, ...]]) -> str:
        asked.append(candidates)
        assert all(lines[name] for name in candidates)
        return "mac_roman"

    (table,) = open_tables(write(TEXT.encode("cp1252")), ask=ask)
    assert asked == [("cp1252", "mac_roman")]
    assert (table.encoding, table.assumed) == ("mac_roman", False)


def test_an_encoding_said_is_used(write: Write) -> None:
    (table,) = open_tables(write(TEXT.encode("latin-1")), encoding="latin-1")
    assert (table.encoding, table.assumed) == ("iso8859-1", False)
    assert read(table)[0] == CELLS
    for name in ("klingon", "rot13", "zlib", "idna", "\0"):
        with pytest.raises(UnreadableInput, match="not an encoding that this program reads"):
            open_tables(write(b"a,b\n1,2\n"), encoding=name)


def test_every_row_that_cannot_be_read_is_named_with_its_reason(write: Write) -> None:
    content = b'A,B\n1,2\nshort\n\nlong,2,3\n"quote"d,2\nnul\0,2\n3,4\n"ends\n,5\n' + b"\xff,6\n" + b'"unclosed,7\n'
    (table,) = open_tables(write(content), encoding="utf-8")
    rows, rejected = read(table)
    assert rows == [["1", "2"], ["short", ""], ["3", "4"]]
    assert [(r.row, r.reason) for r in rejected][:4] == [
        (5, "longer than the header: 3 cells, not 2"),
        (6, "the quotes do not match (line 6)"),
        (7, "holds a NUL character"),
        (9, "the quotes do not match (lines 9 to 12)"),
    ]


@pytest.mark.parametrize("swallowed", [1, 2, 50])
@pytest.mark.parametrize("place", range(4))
def test_rows_between_a_quote_that_is_open_and_one_that_closes_it_are_reported(
    write: Write, place: int, swallowed: int
) -> None:
    """What stands between them is one cell by the rules of CSV, and every opt-out in it would be gone."""
    rows = [[str(number), f"p{number}@example.com", "true", "Acme"] for number in range(60)]
    rows[3][place] = f'"{rows[3][place]}'
    rows[3 + swallowed][place] += '"'
    text = "\n".join(["ID,Email,Out,Firm", *map(",".join, rows)]) + "\n"
    (table,) = open_tables(write(text.encode()))
    cells, rejected = read(table)
    assert len(cells) == 60 - 1 - swallowed
    (one,) = rejected
    assert one.reason.endswith(f"(lines 5 to {5 + swallowed})")


def test_a_list_of_addresses_in_one_cell_is_reported(write: Write) -> None:
    (table,) = open_tables(write(b'Email\n"a@example.com\nb@example.com\nc@example.com"\nd@example.com\n'))
    cells, rejected = read(table)
    assert cells == [["d@example.com"]]
    assert [one.reason.rpartition(" (")[2] for one in rejected] == ["lines 2 to 4)"]


def test_a_cell_of_several_lines_is_a_cell(write: Write) -> None:
    """An address of a street, a note with somebody's address in it, a list."""
    notes = ("Main St 5,\n10115 Berlin,\nGermany", "call\nanna@example.com\nor 5, 6", "a\nb\nc", "one, two\n3, 4")
    text = "ID,Email,Note,Out\n" + "".join(f'{n},p{n}@example.com,"{note}",true\n' for n, note in enumerate(notes))
    (table,) = open_tables(write(text.encode()))
    assert [cells[2] for cells in read(table)[0]] == list(notes)


def test_a_quote_never_closed_is_reported_with_its_lines(write: Write) -> None:
    (table,) = open_tables(write(b'A,B\n1,2\n"open,2\n' + b"3,4\n" * 60_000))
    rows, rejected = read(table)
    assert rejected[0].row == 3
    assert "131072" in rejected[0].reason
    assert "lines 3 to" in rejected[0].reason
    assert rows[0] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"\n\r\n \n"[:3], "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"Name,Email\n", "header_only"),
        (b"Name,Email\n,\n\n", "header_only"),
        (b"%PDF-1.7 ...", "not_a_table"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "not_a_table"),
        (b"\x1f\x8b\x08" + bytes(100), "not_a_table"),
        (b"PK\x03\x04 no archive", "cannot_read"),
        (b"A,B\xff\n" + b"\xc3\xbc,1\n" * 9, "undecodable_header"),
    ],
)
def test_what_is_no_table_is_refused(write: Write, content: bytes, expected: str) -> None:
    assert code(write(content)) == expected


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_in_a_zip_are_read_each(tmp_path: Path) -> None:
    """By the name alone only the later can be had, and with the first one a stop would be lost."""
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for email in ("a@example.com", "b@example.com"):
            archive.writestr("list.csv", f"Email,Unsubscribed from all email\n{email},Yes\n")
    tables = open_tables(tmp_path / "two.zip")
    assert [table.name for table in tables] == ["two.zip/list.csv", "two.zip/list.csv (2)"]
    assert [table.title for table in tables] == ["list", "list"]
    assert [read(table)[0][0][0] for table in tables] == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize(
    ("name", "unread"),
    [
        ("stops.xls", True),
        ("more/inner.zip", True),
        ("optouts.csv.gz", True),
        ("stops.csv.bak", True),
        ("stops", True),
        ("form.html", False),
        ("__MACOSX/old.xls", False),
        (".DS_Store", False),
    ],
)
def test_what_is_not_read_of_a_zip_is_told(tmp_path: Path, name: str, unread: bool) -> None:
    """It may be the list of opt-outs; a picture of a form is not."""
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.writestr("list.csv", "Email,Unsubscribed from all email\na@example.com,Yes\n")
        archive.writestr(name, b"\xd0\xcf\x11\xe0")
    passed: list[sources.Passed] = []
    assert len(open_tables(tmp_path / "some.zip", passed=passed.append)) == 1
    assert [(one.name, one.unread) for one in passed] == [(name, unread)]
    assert "not read" in passed[0].became


def test_a_broken_member_of_a_zip_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    """If there are others."""
    for members in ({"a.csv": b"Email\na@example.com\n", "b.json": b"{"}, {"b.json": b"{"}):
        with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        passed: list[sources.Passed] = []
        if len(members) == 1:
            assert code(tmp_path / "some.zip") == "cannot_read"
        else:
            assert len(open_tables(tmp_path / "some.zip", passed=passed.append)) == 1
            assert [(one.name, one.unread) for one in passed] == [("b.json", True)]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert code(tmp_path / "none.csv") == "cannot_read"
    assert code(tmp_path) == "cannot_read"


def test_repeated_columns_are_refused_where_they_matter(write: Write) -> None:
    (table,) = open_tables(write(b"Email,email,Note,Note\n1,2,3,4\n"))
    assert table.repeated == ("email", "Note")
    require_unique(table, lambda _: False)
    with pytest.raises(UnreadableInput, match="more than once"):
        require_unique(table, lambda label: label.lower() == "email")


def archive(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_a_zip_of_two_is_two_tables(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "export.zip",
        {
            "b.csv": b"A,B\n3,4\n",
            "folder/a.csv": TEXT.encode("cp1252"),
            "../../up.csv": b"A,B\n5,6\n",
            "__MACOSX/._a.csv": b"junk",
            "readme.md": b"junk",
        },
    )
    first, second = open_tables(path)
    assert [first.name, second.name] == ["export.zip/b.csv", "export.zip/folder/a.csv"]
    assert first.archive_sha256 == second.archive_sha256 == sha256(path.read_bytes()).hexdigest()
    assert first.sha256 == sha256(b"A,B\n3,4\n").hexdigest()
    assert read(first)[0] == [["3", "4"]]
    assert read(second)[0] == CELLS
    assert sorted(child.name for child in tmp_path.iterdir()) == ["export.zip"]


def test_archives_that_are_too_large_or_no_tables_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"[Content_Types].xml": b"", "word/document.xml": b""}
    assert code(archive(tmp_path / "letter.docx", document)) == "not_a_table"
    broken = {"[Content_Types].xml": b"", "xl/workbook.xml": b"<no"}
    assert code(archive(tmp_path / "book.xlsx", broken)) == "cannot_read"
    assert code(archive(tmp_path / "none.zip", {"a.txtx": b""})) == "no_table_in_archive"
    monkeypatch.setattr(sources, "MAX_UNCOMPRESSED", 1_000_000)
    assert code(archive(tmp_path / "bomb.zip", {"a.csv": b"A,B\n" * 300_000})) == "archive_too_large"
    monkeypatch.setattr(sources, "MAX_HELD", 1_000_000)
    assert code(archive(tmp_path / "bomb.xlsx", {**broken, "xl/sheet.xml": b" " * 1_100_000})) == "too_large"
    assert code(archive(tmp_path / "held.zip", {"a.json": b" " * 1_000_001})) == "archive_too_large"
    (tmp_path / "long.json").write_bytes(b"[" + b" " * 1_000_001 + b"]")
    assert code(tmp_path / "long.json") == "too_large"


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "export.zip", {"a.csv": TEXT.encode() * 50})
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    assert code(path) == "cannot_read"


SHEET = "xl/worksheets/sheet1.xml"


def reworked(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """A workbook whose first sheet was rewritten by hand."""
    with zipfile.ZipFile(path) as old:
        members = {member: old.read(member) for member in old.namelist()}
    return archive(path, {**members, SHEET: change(members[SHEET])})


@pytest.mark.parametrize("cell", [b"XFD1048576", b"ZZ1000000", b"xfd1048576"])
@pytest.mark.parametrize(
    "tag",
    [
        b'<row r="%d"><c r="%s"><v>1</v></c></row>',
        b'<row r="2"><c\n t="n" r = "%s" ><v>1</v></c></row>',
        b"<row><c r='%s'><v>1</v></c></row>",
    ],
)
def test_a_cell_at_the_far_corner_is_refused_before_it_is_laid_out(tmp_path: Path, cell: bytes, tag: bytes) -> None:
    path = workbook(tmp_path / "far.xlsx", {"A": [["X"], ["1"]]})
    row = tag.replace(b"%d", cell.lstrip(b"XFDZxfd")).replace(b"%s", cell)
    reworked(path, lambda sheet: sheet.replace(b"</sheetData>", row + b"</sheetData>"))
    assert path.stat().st_size < 10_000
    with pytest.raises(UnreadableInput, match=r"too many cells: its sheet .* reaches over 1,0") as caught:
        open_tables(path)
    assert caught.value.code == "too_many_cells"


def test_a_declared_extent_counts_as_well(tmp_path: Path) -> None:
    path = workbook(tmp_path / "declared.xlsx", {"A": [["X"], ["1"]]})
    reworked(path, lambda sheet: sheet.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"'))
    assert code(path) == "too_many_cells"


def test_what_the_count_did_not_see_ends_the_other_process_alone(tmp_path: Path) -> None:
    """A cell that names its place in a way only the reader understands: its process is bounded, ours goes on."""
    path = workbook(tmp_path / "unseen.xlsx", {"A": [["X"], ["1"]]})
    row = b'<row r="2"><c x=">" r=\'XFD1048576\'><v>1</v></c></row>'
    reworked(path, lambda sheet: sheet.replace(b"</sheetData>", row + b"</sheetData>"))
    with pytest.raises(UnreadableInput, match="more than 3072 MiB of memory") as caught:
        open_tables(path)
    assert caught.value.code == "too_many_cells"


def test_a_tag_between_two_pieces_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "far.xlsx", {"A": [["X"], ["1"]]})
    reworked(path, lambda sheet: sheet.replace(b"</sheetData>", b'<row r="9"><c r="XFD1048576"/></row></sheetData>'))
    for size in range(1, 60):
        monkeypatch.setattr(unfolding, "_PIECE", size)
        assert unfolding.too_many(path.read_bytes()) is not None, size


def workbook(path: Path, sheets: Mapping[str, list[list[object]]]) -> Path:
    book = xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return path


def test_each_sheet_with_a_cell_in_it_is_a_table_of_text(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [],
        ["When", "Id", "Share", "Won", "Who"],
        [datetime(2024, 3, 1, 9, 12), 1234567890123, 0.5, True, "Jürgen"],  # noqa: DTZ001 - a workbook names no zone
        [],
        [date(2024, 3, 2), 7, 2.0, False, None],
    ]
    first, second = open_tables(workbook(tmp_path / "book.xlsx", {"A": rows, "Empty": [], "B": [["X"], ["1"]]}))
    assert (first.name, first.title, first.header_row) == ("book.xlsx/A", "A", 2)
    assert list(first.rows(lambda _: None)) == [
        (3, ["2024-03-01 09:12", "1234567890123", "0.5", "true", "Jürgen"]),
        (5, ["2024-03-02", "7", "2", "false", ""]),
    ]
    assert read(second)[0] == [["1"]]
    (only,) = open_tables(workbook(tmp_path / "one.xlsx", {"Sheet1": [["X"], ["1"]]}))
    assert only.title == "one"
    assert code(workbook(tmp_path / "none.xlsx", {"A": []})) == "empty"


JSON = {
    "list": b'[{"id": 1, "p": {"stage": "won"}}, {"id": 2.0, "q": [1, 2], "p": {"stage": null}}]',
    "page": b'{"paging": {}, "results": [{"id": 1, "p": {"stage": "won"}}, {"q": [1, 2], "id": 2}]}',
    "lines": b'{"id": 1, "p": {"stage": "won"}}\n\n{"id": 2, "q": [1, 2]}\n',
}


@pytest.mark.parametrize("shape", JSON)
def test_json_of_every_shape_is_one_table(tmp_path: Path, shape: str) -> None:
    (tmp_path / "x.json").write_bytes(JSON[shape])
    (table,) = open_tables(tmp_path / "x.json")
    rows = [dict(zip(table.header, cells, strict=True)) for cells in read(table)[0]]
    assert rows == [{"id": "1", "p.stage": "won", "q": ""}, {"id": "2", "p.stage": "", "q": "1;2"}]


def test_what_is_nested_is_flattened_and_changes_are_rows(tmp_path: Path) -> None:
    content = (
        b'{"timeline": [{"who": "a", "changes": [{"to": true}, {"to": false}],'
        b' "values": [{"name": "x", "value": "1"}, {"name": "x", "value": "2"}, {"name": "who", "value": "b"}],'
        b' "deep": {"results": [{"id": 7, "t": "s"}, {"id": 8}]}}, "no object"]}'
    )
    (tmp_path / "x.json").write_bytes(content)
    (table,) = open_tables(tmp_path / "x.json")
    rows, rejected = read(table)
    around = {"who": "a", "x": "1;2", "values.who": "b", "deep.results.id": "7;8", "deep.results.t": "s;"}
    assert [dict(zip(table.header, cells, strict=True)) for cells in rows] == [
        {**around, "changes.to": "true"},
        {**around, "changes.to": "false"},
    ]
    assert [(one.row, one.reason) for one in rejected] == [(4, "is no object")]


def test_a_broken_line_of_json_is_rejected_and_the_rest_read(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_bytes(b'{"a": 1}\n{"a": \n{"a": "\\u0000"}\n{"a": 3}\n')
    (table,) = open_tables(tmp_path / "x.ndjson")
    rows, rejected = read(table)
    assert rows == [["1"], ["3"]]
    assert [one.row for one in rejected] == [3, 4]


@pytest.mark.parametrize("content", [b"{", b'{"a": 1', b"[1, 2", b'{"a": \xff}', b"[" * 5_000 + b"]" * 5_000])
def test_json_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert code(tmp_path / "x.json") == "cannot_read"


def test_json_without_an_object_is_empty(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'{"results": []}')
    assert code(tmp_path / "x.json") == "empty"
    (tmp_path / "x.json").write_bytes(msgspec.json.encode([{f"k{n}": n} for n in range(6_000)]))
    assert code(tmp_path / "x.json") == "too_wide"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "value", "changes", "results", "id", "a.b"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_JSON)
def test_any_json_is_read_or_refused(tmp_path: Path, value: object) -> None:
    (tmp_path / "any.json").write_bytes(msgspec.json.encode(value))
    try:
        for table in open_tables(tmp_path / "any.json"):
            rows, _ = read(table)
            assert all(len(cells) == len(table.header) for cells in rows)
    except UnreadableInput:
        pass


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet='ab,;\t|"\r\n\0ü\ufeff', max_size=200).map(str.encode),
        st.text(max_size=200).map(lambda text: text.encode("utf-16", "surrogatepass")),
        st.binary(max_size=100).map(lambda end: b"PK\x03\x04" + end),
    ),
    st.sampled_from([None, "utf-8", "utf-16", "cp1252", "shift_jis", "utf-32-be"]),
)
def test_any_bytes_are_read_or_refused(write: Write, content: bytes, encoding: str | None) -> None:
    try:
        for table in open_tables(write(content), encoding=encoding):
            rows, _ = read(table)
            assert all(len(cells) == len(table.header) for cells in rows)
    except UnreadableInput:
        pass
