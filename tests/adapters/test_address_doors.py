"""The third law of every door: marked, hidden and several addresses in a cell are read, and a stop binds them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.inputs import sort_inputs
from adapters.statements import Statement, Wanted
from adapters.tabular import Rejected
from ledger import events as e
from tests.adapters.test_lost_stops import DOORS, actions, audit, given_as, kept_out, lay_door, write

WRITTEN = {
    "apostrophe in front": "'ana@example.org",
    "apostrophes": "'ana@example.org'",
    "backtick": "`ana@example.org",
    "asterisk": "*ana@example.org",
    "hash": "#ana@example.org",
    "equals": "=ana@example.org",
    "hyphen": "-ana@example.org",
    "angle": "<ana@example.org>",
    "comma": "ana@example.org,",
    "semicolon": "ana@example.org;",
    "full stop": "ana@example.org.",
    "mailto": "mailto:ana@example.org",
    "display name": "Ana Berg <ana@example.org>",
    "byte order mark": "\ufeffana@example.org",
    "zero width": "an\u200ba@example.org",
    "soft hyphen": "ana@exam\u00adple.org",
    "direction": "\u202aana@example.org\u202c",
    "no-break space": "ana@example.org\u00a0",
    "with another": "zoe@example.org; ana@example.org",
    "comma and another": "zoe@example.org, ana@example.org",
    "slash and another": "zoe@example.org/ana@example.org",
    "bar and another": "zoe@example.org | ana@example.org",
    "line break and another": "zoe@example.org\nana@example.org",
}


def quoted(cells: list[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("name", DOORS)
def test_a_stop_reaches_the_plain_address(tmp_path: Path, name: str, written: str) -> None:
    path = lay_door(tmp_path, name, quoted(DOORS[name].of(WRITTEN[written])))
    given = {"stops": [path]} if name == "stops" else {}
    (file,) = sort_inputs([] if given else [path], **given).evidence  # type: ignore[arg-type]
    rejected: list[Rejected] = []
    told = [one for one in file.statements(Wanted(), rejected.append) if isinstance(one.event, e.Stop)]
    assert "ana@example.org" in {one.email for one in told}
    assert ("another" in written) == ("zoe@example.org" in {one.email for one in told})
    assert not any(one.may_stop for one in rejected)
    assert len({one.source_id for one in told}) == len(told)


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("written", ["'ana@example.org", "bo@example.org/ana@example.org", "ana@exam\u00adple.org"])
def test_an_audit_says_that_the_plain_address_is_stopped(tmp_path: Path, name: str, written: str) -> None:
    audit(tmp_path, *given_as(name, lay_door(tmp_path, name, quoted(DOORS[name].of(written)))))
    found = actions(tmp_path)
    assert found["1"][0] == "set_non_marketing"
    assert found["2"][0] == ("set_non_marketing" if "bo@" in written else "keep")
    assert found["3"] == ("keep", "proven")


@pytest.mark.parametrize("first", ["stop", "contact"])
def test_a_marked_address_and_the_plain_one_share_their_stops_whichever_is_known_first(
    tmp_path: Path, first: str
) -> None:
    """A contacts export that a spreadsheet marked shows the opt-out, a later one the plain address; and around."""
    header = ("Record ID", "Email", "Country/Region", "Marketing contact status", "Unsubscribed from all email")
    marked = "9,'dee@example.org,United States,Marketing contact,Yes"
    plain = "10,dee@example.org,United States,Marketing contact,No"
    for lines in ([marked], [marked, plain]) if first == "stop" else ([plain], [plain, marked]):
        write(tmp_path / "contacts.csv", header, lines)
        audit(tmp_path)
    assert actions(tmp_path)["10"][0] == "set_non_marketing"
    assert "dee@example.org" in kept_out(tmp_path)


def test_a_grant_goes_to_the_letter(tmp_path: Path) -> None:
    """A confirmation for a marked address is none for the plain one, and none at all where several stand there."""
    path = write(
        tmp_path / "forms.csv",
        ("Conversion Date", "Conversion ID", "Form name", "Email"),
        [
            "2025-05-10T09:00:00Z,c1,News,'ana@example.org",
            "2025-05-10T09:00:00Z,c2,News,bo@example.org; cy@example.org",
            "2025-05-10T09:00:00Z,c3,News,'dee@example.org'",
            "2025-05-10T09:00:00Z,c4,News,\u200beve@example.org",
            "2025-05-10T09:00:00Z,c5,News,Fay <fay@example.org>",
        ],
    )
    (file,) = sort_inputs([path]).evidence
    rejected: list[Rejected] = []
    told: list[Statement] = list(file.statements(Wanted(), rejected.append))
    assert [one.email for one in told] == ["'ana@example.org", "dee@example.org", "eve@example.org", "fay@example.org"]
    (several,) = rejected
    assert several.row == 3
    assert "not one clear e-mail address" in several.reason
    assert not several.may_stop


def test_a_row_with_several_addresses_that_is_no_stop_is_said(tmp_path: Path) -> None:
    path = write(
        tmp_path / "forms.csv",
        ("Conversion Date", "Conversion ID", "Form name", "Email"),
        ["2025-05-10T09:00:00Z,c1,News,ana@example.org", "2025-05-10T09:00:00Z,c2,News,bo@example.org; cy@example.org"],
    )
    (note,) = [note for note in audit(tmp_path, path)["notes"] if note.startswith("forms.csv")]
    assert note.startswith("forms.csv: 1 row is of no one clear address, the first is row 3.")


def test_both_addresses_of_a_cell_are_the_record_s(tmp_path: Path) -> None:
    """A contacts export names two addresses in a cell: a stop of either is the record's, and it is said."""
    header = (
        "Record ID",
        "Email",
        "Country/Region",
        "Marketing contact status",
        "Lifecycle Stage",
        "Unsubscribed from all email",
    )
    write(
        tmp_path / "contacts.csv",
        header,
        [
            "1,ana@example.org; ana@example.com,United States,Marketing contact,Lead",
            "2,bo@example.org / bo@example.com,United States,Marketing contact,Lead",
        ],
    )
    stops = write(tmp_path / "objections.csv", ("email",), ["ana@example.com"])
    said = audit(tmp_path, "--stops", stops)
    found = actions(tmp_path)
    assert found["1"][0] == "set_non_marketing"
    assert found["2"] == ("keep", "proven")
    assert any("holds several addresses" in note for note in said["notes"])
