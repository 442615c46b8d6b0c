"""A file with a mapping beside it says what the mapping says, and a bad mapping names its key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.inputs import sort_inputs
from adapters.mapped import ENDING
from adapters.statements import Statement, Wanted
from adapters.tabular import Rejected, UnreadableInput
from ledger import events as e

ROWS = (
    "Nr;E-Mail;Datum;Notiz;Newsletter\n"
    "1;ada@example.com;31/12/2023 18:30;Anruf;ja\n"
    "2;bo@example.com;;;nein\n"
    "3;nobody;31/12/2023 18:30;;ja\n"
)


def read(folder: Path, mapping: str, wanted: Wanted | None = None) -> tuple[list[Statement], list[Rejected]]:
    (folder / "shop.csv").write_text(ROWS, encoding="utf-8")
    (folder / "shop.mapping.toml").write_text(mapping, encoding="utf-8")
    rejected: list[Rejected] = []
    (file,) = sort_inputs([folder]).evidence
    assert (file.kind, file.system) == ("mapped", "file")
    return list(file.statements(wanted or Wanted(), rejected.append)), rejected


BASE = 'email = "e-mail"\nat = "Datum"\ndate_format = "%d/%m/%Y %H:%M"\nzone = "Europe/Berlin"\nid = "Nr"\n'
AT = datetime(2023, 12, 31, 17, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ("opt_out", e.OptedOut),
        ("objection", e.Objected),
        ("complaint", e.Complained),
        ("bounce", e.Bounced),
        ("sale", e.DealWon),
    ],
)
def test_facts_that_need_no_date(tmp_path: Path, fact: str, expected: type[e.Event]) -> None:
    told, rejected = read(tmp_path, f'fact = "{fact}"\nwords = "Notiz"\n{BASE}')
    assert [type(one.event) for one in told] == [expected, expected]
    assert (told[0].event.occurred_from, told[0].event.captured_by) == (AT, None)
    assert (told[0].payload, told[1].payload) == ({"words": "Anruf"}, None)
    assert (told[1].event.occurred_from, told[1].event.captured_at) == (None, None)
    assert [one.row for one in rejected] == [4]
    assert rejected[0].may_stop == issubclass(expected, e.Stop)


def test_a_form_with_its_box_and_what_backs_it(tmp_path: Path) -> None:
    mapping = f'fact = "form"\nform = "Shop sign-up"\nbacked_by = "form_record"\n{BASE}[boxes]\nNewsletter = "JA"\n'
    told, rejected = read(tmp_path, mapping, Wanted({"shop-sign-up": frozenset({"newsletter"})}))
    assert [type(one.event) for one in told] == [e.FormSubmitted, e.BoxAnswered]
    answered = told[1].event
    assert isinstance(answered, e.BoxAnswered)
    assert (answered.form, answered.box, answered.ticked) == ("shop-sign-up", "newsletter", True)
    assert (answered.captured_at, answered.captured_by) == (AT, "form_record")
    assert [one.row for one in rejected] == [3, 4]
    told, _ = read(tmp_path, mapping)
    assert [type(one.event) for one in told] == [e.FormSubmitted]


def test_a_confirmation_verifies_the_address(tmp_path: Path) -> None:
    told, _ = read(tmp_path, f'fact = "confirmation"\n{BASE}')
    assert isinstance(told[0].event, e.DoubleOptInConfirmed)
    assert told[0].event.verifies_channel == "email"


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ('fact = "wish"\nemail = "E-Mail"', "fact"),
        ('fact = "opt_out"', "email"),
        ('fact = "opt_out"\nemail = "Mail"', "Mail"),
        ('fact = "opt_out"\nemail = "E-Mail"\ncolour = "red"', "colour"),
        ('fact = "opt_out"\nemail = "E-Mail"\nzone = "Moon/Crater"', "zone"),
        ('fact = "form"\nemail = "E-Mail"\nat = "Datum"', "form"),
        ('fact = "confirmation"\nemail = "E-Mail"', "at"),
        ('fact = "opt_out"\nemail = "E-Mail"\n[boxes]\nNewsletter = "ja"', "boxes"),
        ("fact = ", "Invalid value"),
    ],
)
def test_a_bad_mapping_names_its_key(tmp_path: Path, mapping: str, named: str) -> None:
    with pytest.raises(UnreadableInput) as caught:
        read(tmp_path, mapping)
    assert caught.value.code == "bad_mapping"
    assert "shop.mapping.toml" in caught.value.message
    assert named in caught.value.message


SEVERAL = """
email = "E-Mail"
at = "Datum"
date_format = "%d/%m/%Y %H:%M"

[[facts]]
fact = "opt_out"
where = { Newsletter = ["nein", "Abgemeldet"] }

[[facts]]
fact = "form"
form = "Shop sign-up"
where = { Newsletter = "ja", Notiz = "*" }

[[facts]]
fact = "nothing"
where = { Newsletter = "ja", Notiz = "" }
"""


def test_a_mapping_says_which_rows_mean_what(tmp_path: Path) -> None:
    """Ada signed up, Bo said no; of the third row a `where` says that it means nothing."""
    told, rejected = read(tmp_path, SEVERAL)
    assert [(one.email, type(one.event)) for one in told] == [
        ("ada@example.com", e.FormSubmitted),
        ("bo@example.com", e.OptedOut),
    ]
    assert rejected == []


def test_a_row_that_no_where_is_of_may_be_a_stop(tmp_path: Path) -> None:
    mapping = 'fact = "opt_out"\nemail = "E-Mail"\nwhere = { Newsletter = "nein" }\n'
    told, rejected = read(tmp_path, mapping)
    assert [one.email for one in told] == ["bo@example.com"]
    assert [(one.row, one.may_stop) for one in rejected] == [(2, True), (4, True)]
    assert "no `where`" in rejected[0].reason
    told, rejected = read(tmp_path, f'others = "nothing"\n{mapping}')
    assert [one.email for one in told] == ["bo@example.com"]
    assert rejected == []


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ('fact = "opt_out"\nemail = "E-Mail"\nwhere = { Stand = "nein" }\n', "where.Stand"),
        ('fact = "nothing"\nemail = "E-Mail"\n', "where"),
        ('fact = "opt_out"\nemail = "E-Mail"\nothers = "nothing"\n', "others"),
        ('email = "E-Mail"\nfacts = 1\n', "facts"),
        ('email = "E-Mail"\nfacts = []\n', "facts"),
        ('email = "E-Mail"\n[[facts]]\nfact = "opt_outs"\n', "fact"),
    ],
)
def test_a_bad_where_is_named(tmp_path: Path, mapping: str, key: str) -> None:
    with pytest.raises(UnreadableInput) as caught:
        read(tmp_path, mapping)
    assert caught.value.code == "bad_mapping"
    assert key in caught.value.message


@pytest.mark.parametrize("column", ["Status,Active,Unsubscribed", "doNotMail,0,1"])
def test_a_mapping_that_stops_whom_a_column_clears_is_refused(tmp_path: Path, column: str) -> None:
    """Until it says which rows it is of."""
    label, fine, no = column.split(",")
    file, mapping = tmp_path / "people.csv", tmp_path / "people.mapping.toml"
    file.write_text(f"Email,{label}\nada@example.com,{fine}\nbo@example.com,{no}\n")
    mapping.write_text('fact = "opt_out"\nemail = "Email"\n')
    with pytest.raises(UnreadableInput) as caught:
        sort_inputs([file])
    assert caught.value.code == "ambiguous"
    assert "where" in caught.value.remedy
    mapping.write_text(f'fact = "opt_out"\nemail = "Email"\nothers = "nothing"\nwhere = {{ {label} = "{no}" }}\n')
    (opened,) = sort_inputs([file]).evidence
    assert [one.email for one in opened.statements(Wanted(), lambda _: None)] == ["bo@example.com"]


SIGNED_UP = """
email = "E-Mail"
backed_by = "form_record"
[[facts]]
fact = "form"
form = "Shop"
at = "Angemeldet"
[[facts]]
fact = "confirmation"
at = "Bestätigt"
where = { "Bestätigt" = "*" }
"""


@pytest.mark.parametrize(("people", "seconds", "own"), [(6, [31] * 6, 0), (6, range(31, 37), 6), (4, [31] * 4, 4)])
def test_confirmations_after_one_delay_are_a_machines(
    tmp_path: Path, people: int, seconds: Sequence[int], own: int
) -> None:
    """Of five people and most of a file, and said with the file's name; they stay on record as a machine's."""
    path = tmp_path / "shop.csv"
    lines = [f"p{n}@example.com,2024-01-0{n + 1} 09:00:00,2024-01-0{n + 1} 09:00:{seconds[n]}" for n in range(people)]
    path.write_text("\n".join(("E-Mail,Angemeldet,Bestätigt", *lines)) + "\n", encoding="utf-8")
    (tmp_path / f"shop{ENDING}").write_text(SIGNED_UP, encoding="utf-8")
    (file,) = sort_inputs([path]).evidence
    told = [one.event for one in file.statements(Wanted(), lambda _: None)]
    confirmed = [event for event in told if isinstance(event, e.DoubleOptInConfirmed)]
    assert len(confirmed) == people
    assert sum(event.by == "data_subject" for event in confirmed) == own
    assert bool(file.doubts) is (own == 0)


BY_ADDRESS = {
    "a file of its own": 'fact = "confirmation"\nemail = "E-Mail"\nat = "Bestätigt"\nip = "Adresse"\n',
    "beside the sign-up": SIGNED_UP.replace("where", 'ip = "Adresse"\nwhere'),
    "above all facts": 'ip = "Adresse"\n' + SIGNED_UP,
    "one of several": 'fact = "confirmation"\nemail = "E-Mail"\nat = "Bestätigt"\nip = "Adresse"\nothers = "nothing"\n'
    'where = { "Bestätigt" = "*" }\n',
}


@pytest.mark.parametrize("mapping", BY_ADDRESS.values(), ids=BY_ADDRESS)
@pytest.mark.parametrize(
    ("addresses", "own"),
    [
        (["10.0.0.7"] * 6, 0),
        (["10.0.0.7"] * 5 + ["10.0.0.8"] * 4, 0),
        (["2001:DB8::1", "2001:db8::1", " 2001:db8::1"] * 2, 0),
        (["10.0.0.7"] * 5 + ["10.0.0.8"] * 5, 10),
        (["10.0.0.7"] * 4, 4),
        ([""] * 6, 6),
        (["10.0.0.7"] * 5 + [""] * 5, 10),
        ([f"10.0.0.{n}" for n in range(7)], 7),
    ],
)
def test_confirmations_from_one_network_address_are_a_machines(
    tmp_path: Path, mapping: str, addresses: Sequence[str], own: int
) -> None:
    """Of the column that the mapping names, whatever else it reads; rows without a confirmation count for nothing."""
    path = tmp_path / "shop.csv"
    lines = [
        f"p{n}@example.com,2024-01-{n + 1:02} 09:00:00,2024-01-{n + 1:02} 10:{n * 3 + 1:02}:{n:02},{address}"
        for n, address in enumerate(addresses)
    ]
    if "others" in mapping or "[[facts]]" in mapping:
        lines += [f"q{n}@example.com,2024-01-05 09:00:00,,10.0.0.9" for n in range(30)]
    path.write_text("\n".join(("E-Mail,Angemeldet,Bestätigt,Adresse", *lines)) + "\n", encoding="utf-8")
    (tmp_path / f"shop{ENDING}").write_text(mapping, encoding="utf-8")
    (file,) = sort_inputs([path]).evidence
    for _ in range(2):  # a file is read more than once
        told = [one.event for one in file.statements(Wanted(), lambda _: None)]
        confirmed = [event for event in told if isinstance(event, e.DoubleOptInConfirmed)]
        assert len(confirmed) == len(addresses)
        assert sum(event.by == "data_subject" for event in confirmed) == own
        assert bool(file.doubts) is (own == 0)


def test_a_mapping_names_a_column_of_network_addresses_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput) as caught:
        read(tmp_path, BY_ADDRESS["a file of its own"].replace('"Adresse"', '"IP"').replace("Bestätigt", "E-Mail"))
    assert "`ip`" in caught.value.message


def of_members(
    folder: Path, mapping: str, *rows: str, header: str = "Mail,Stand,Seit"
) -> tuple[dict[str, str], list[Rejected]]:
    """What each address is said to have done by a file of members, and what was rejected."""
    (folder / "members.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (folder / "members.mapping.toml").write_text('email = "Mail"\nat = "Seit"\n' + mapping, encoding="utf-8")
    rejected: list[Rejected] = []
    (file,) = sort_inputs([folder]).evidence
    told = list(file.statements(Wanted(), rejected.append))
    assert len({one.source_id for one in told}) == len(told)
    return {one.email or "": type(one.event).__name__ for one in told}, rejected


LEFT = '[[facts]]\nfact = "opt_out"\nwhere = { Stand = "%s" }\n'


@pytest.mark.parametrize(
    ("word", "cell"),
    [
        *(
            ("abgemeldet", "abge\u00admeldet"),
            ("abgemeldet", "ABGEMELDET\u200b"),
            ("désabonné", "de\u0301sabonne\u0301"),
        ),
        *(("straße", "STRASSE"), ("1", "1.0"), ("1", "1,0"), ("ab gemeldet", "ab\u00a0gemeldet")),
    ],
)
def test_a_word_is_the_same_however_a_program_writes_it(tmp_path: Path, word: str, cell: str) -> None:
    said, rejected = of_members(tmp_path, 'others = "nothing"\n' + LEFT % word, f'a@x.org,"{cell}",2026-01-02')
    assert (said, rejected) == ({"a@x.org": "OptedOut"}, [])


@pytest.mark.parametrize(
    "mapping",
    [
        'others = "nothing"\n' + LEFT % "abgemeldet",
        '[[facts]]\nfact = "nothing"\nwhere = { Stand = "*" }\n' + LEFT % "abgemeldet",
        'fact = "form"\nform = "Club"\n',
        'fact = "sale"\n',
    ],
)
@pytest.mark.parametrize("word", ["ABGEMELDET (Link)", "Unsubscribed", "spam complaint"])
def test_a_row_that_says_no_and_is_read_as_none_is_held(tmp_path: Path, mapping: str, word: str) -> None:
    said, rejected = of_members(tmp_path, mapping, f"a@x.org,{word},2026-01-02", "b@x.org,aktiv,2026-01-02")
    assert "OptedOut" not in said.values()
    assert [(one.row, one.may_stop) for one in rejected] == [(2, True)]
    assert "reads no opt-out" in rejected[0].reason


def test_a_word_that_is_written_out_means_what_the_mapping_says(tmp_path: Path) -> None:
    mapping = '[[facts]]\nfact = "nothing"\nwhere = { Stand = ["unsubscribed", "aktiv"] }\n' + LEFT % "weg"
    _, rejected = of_members(tmp_path, mapping, "a@x.org,unsubscribed,2026-01-02", "b@x.org,weg,2026-01-02")
    assert not rejected


def test_a_column_of_departures_holds_whoever_has_something_in_it(tmp_path: Path) -> None:
    rows = (
        "a@x.org,2026-02-03,2026-01-02",
        "b@x.org,,2026-01-02",
        "c@x.org,no,2026-01-02",
        "d@x.org,https://u,2026-01-02",
    )
    mapping, header = 'fact = "confirmation"\n', "Mail,Unsubscribed at,Seit"
    _, rejected = of_members(tmp_path, mapping, *rows, header=header)
    assert [(one.row, one.may_stop) for one in rejected] == [(2, True)]
    _, rejected = of_members(tmp_path, mapping + 'where = { "Unsubscribed at" = ["*", ""] }\n', *rows, header=header)
    assert not rejected


def test_one_number_for_several_people_loses_no_stop(tmp_path: Path) -> None:
    rows = ("a@x.org,7,2026-01-02", "b@x.org,7,2026-01-02", "a@x.org,7,2026-05-02")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "m.csv").write_text("Mail,Nr,Seit\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "f" / "m.mapping.toml").write_text('fact = "opt_out"\nemail = "Mail"\nat = "Seit"\nid = "Nr"\n')
    (file,) = sort_inputs([tmp_path / "f"]).evidence
    assert len({one.source_id for one in file.statements(Wanted(), lambda _: None)}) == 3
