"""Times as files write them: what one cell says, what its column settles, and the same in every kind of file."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dates import Habit, Habits, Order
from adapters.hubspot.export import read_export
from adapters.inputs import sort_inputs
from adapters.months import MONTHS
from adapters.statements import Statement, Wanted
from adapters.times import Span, TimeReader
from ledger import events as e

BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = datetime(2023, 8, 9, 14, 5, 7, tzinfo=UTC)
DAY = Span(datetime(2023, 8, 8, 22, tzinfo=UTC), datetime(2023, 8, 9, 21, 59, 59, 999999, tzinfo=UTC), "day")
EXACT = Span(MOMENT, MOMENT, "exact")
SIX = datetime(2023, 8, 9, 6, tzinfo=UTC)
UNTIL = datetime(2026, 12, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    [
        "2023-08-09T14:05:07Z",
        "2023-08-09 14:05:07 UTC",
        "2023-08-09 14:05:07 GMT",
        "2023-08-09 14:05:07+00",
        "2023-08-09 14:05:07 +0000",
        "2023-08-09 14:05:07.000000000+00:00",
        "2023-08-09 16:05:07",
        "2023/08/09 16:05:07",
        "20230809T160507",
        "20230809T140507Z",
        "20230809160507",
        "Wed, 09 Aug 2023 14:05:07 +0000",
        "09-Aug-2023 04:05:07 PM",
        "August 9, 2023 4:05:07 pm",
        "9. August 2023, 16:05:07",
        "1691589907000",
    ],
)
def test_a_moment_is_the_same_however_it_is_written(cell: str) -> None:
    assert TimeReader(BERLIN).read(cell) == EXACT


@pytest.mark.parametrize(
    "cell",
    [
        *("2023-08-09", "2023/08/09", "2023.08.09", "09.08.2023", "9-Aug-2023", "09-AUG-2023", "Aug 9, 2023"),
        *("9th August 2023", "9. August 2023", "9 août 2023", "9 de agosto de 2023", "9 ago. 2023", "9 agosto 2023"),
        *("9 augustus 2023", "9 augusti 2023", "9. elokuuta 2023", "9 sierpnia 2023", "9 de ago. de 2023"),
        *("2023年8月9日", "2023년 8월 9일", "2023-Aug-09"),
    ],
)
def test_a_day_is_the_same_however_it_is_written(cell: str) -> None:
    assert TimeReader(BERLIN).read(cell) == DAY


def test_no_name_is_of_two_months() -> None:
    names = [name for joined in MONTHS.values() for name in joined.split("|")]
    assert len(names) == len(set(names))
    for month, joined in MONTHS.items():
        for name in joined.split("|"):
            found = TimeReader(ZoneInfo("UTC")).read(f"7 {name} 2023")
            assert found is not None, name
            assert found.earliest.month == month, name


@pytest.mark.parametrize(
    "cell",
    [
        *("", "yesterday", "0000-00-00", "2023-02-30", "32.01.2023", "13/13/2023", "9 Smarch 2023", "20231301"),
        *("2023-08-09 25:00", "2023-08-09 14:00 PM", "1.2", "12", "123456", "12345678901", "1e10"),
    ],
)
def test_what_is_no_time_is_none(cell: str) -> None:
    reader = TimeReader(BERLIN, until=UNTIL)
    assert reader.read(cell) is None
    for numbers in ("serial", "day", "seconds", "milliseconds"):
        assert reader.read(cell, Habit(numbers=numbers)) is None


@given(
    st.one_of(
        st.datetimes().map(lambda moment: moment.isoformat(" ")),
        st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat()),
        st.text(max_size=30),
        st.from_regex(r"\A\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}( \d{1,2}:\d{2})?\Z"),
        st.integers(0, 10**15).map(str),
    ),
    st.sampled_from([None, "d/m/y", "m/d/y"]),
    st.sampled_from([None, "serial", "day", "seconds", "milliseconds"]),
)
def test_the_zone_never_decides_whether_there_is_a_time(cell: str, order: Order | None, numbers: str | None) -> None:
    habit = Habit(order, numbers)  # type: ignore[arg-type]
    zones = [None, BERLIN, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12"), ZoneInfo("UTC")]
    found = [TimeReader(zone, until=UNTIL).read(cell, habit) for zone in zones]
    assert len({span is None for span in found}) == 1
    for span in found:
        assert span is None or span.earliest <= span.latest
    if found[0] is not None:  # of any zone: the widest there is
        assert all(span is not None and found[0].earliest <= span.earliest for span in found)
        assert all(span is not None and span.latest <= found[0].latest for span in found)


def test_the_zones_that_are_tried_exist() -> None:
    assert {"Pacific/Kiritimati", "Etc/GMT+12"} <= zoneinfo.available_timezones()


@given(st.lists(st.dates(datetime(1990, 1, 1).date(), datetime(2026, 1, 1).date()), min_size=1, max_size=20))  # noqa: DTZ001
def test_a_column_is_read_right_or_over_both_readings(days: list[object]) -> None:
    """Nothing in between: a stop that is read as one day is of that day."""
    for pattern in (
        "{0.day:02}/{0.month:02}/{0.year}",
        "{0.month}/{0.day}/{0.year}",
        "{0.month:02}-{0.day:02}-{0.year}",
    ):
        cells = [pattern.format(day) for day in days]
        habits = Habits()
        for cell in cells:
            habits.see(cell)
        settled = any(day.day > 12 for day in days)  # type: ignore[attr-defined]
        for day, cell in zip(days, cells, strict=True):
            span = TimeReader(ZoneInfo("UTC")).read(cell, habits.habit)
            assert span is not None
            assert span.earliest.date() <= day <= span.latest.date()  # type: ignore[operator]
            if settled:
                assert span.precision == "day"


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["45147", "45148.5"], "serial"),
        (["20230809", "20240101"], "day"),
        (["1691589907", "1691589908"], "seconds"),
        (["1691589907000", ""], "milliseconds"),
        (["45147", "1691589907"], None),
        (["20230809", "1691589907000"], None),
        (["2023-08-09", "word", "17"], None),
    ],
)
def test_bare_numbers_count_one_thing_in_a_whole_column(cells: list[str], numbers: str | None) -> None:
    habits = Habits()
    for cell in cells:
        habits.see(cell)
    assert habits.habit.numbers == numbers


def test_a_bare_number_counts_between_1990_and_tomorrow_alone() -> None:
    reader = TimeReader(ZoneInfo("UTC"), until=UNTIL)
    assert reader.read("45147", Habit(numbers="serial")) == Span(
        datetime(2023, 8, 9, tzinfo=UTC), datetime(2023, 8, 9, 23, 59, 59, 999999, tzinfo=UTC), "day"
    )
    assert reader.read("45147.25", Habit(numbers="serial")) == Span(SIX, SIX, "exact")
    for cell, numbers in (("12345", "serial"), ("99999", "serial"), ("19890101", "day"), ("0000000001", "seconds")):
        assert reader.read(cell, Habit(numbers=numbers)) is None  # type: ignore[arg-type]
    assert reader.read("9999999999", Habit(numbers="seconds")) is None


def test_what_somebody_said_goes_before_what_the_column_tells() -> None:
    assert TimeReader(BERLIN, "d/m/y").read("09/08/2023", Habit("m/d/y")) == DAY
    assert TimeReader(BERLIN, "m/d/y").read("08/09/2023") == DAY
    assert TimeReader(BERLIN, "d/m/y").read("08/23/2023") is None


# --- every kind of file

DOORS = {
    "submissions.csv": "Conversion Date,Email,Form name\n{0},ada@example.com,Guide\n",
    "unsubscribes.csv": "Email,Unsubscribe date\nada@example.com,{0}\n",
    "unsubscribed from all.csv": "Email,Unsubscribed from all email,Reason\nada@example.com,{0},x\n",
    "opt-out list.csv": "Email,Date\nada@example.com,{0}\n",
    "timeline.csv": "Recipient,Change,Change type,Timestamp\nada@example.com,UNSUBSCRIBED,PORTAL_STATUS,{0}\n",
    "events.csv": "recipient,type,created,id\nada@example.com,SPAMREPORT,{0},7\n",
    "recipients.csv": "Recipient,Sent At,Unsubscribed,Bounce\nada@example.com,{0},Yes,No\n",
    "deals.csv": "Deal ID,Deal Stage,Close Date,Associated Contact IDs\n1,closedwon,{0},77\n",
    "unsubscribed_email_audience_export_a.csv": (
        "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,UNSUB_TIME\nada@example.com,,,,,{0}\n"
    ),
    "shop.csv": "who,left on\nada@example.com,{0}\n",
    "objections.txt": "email,date\nada@example.com,{0}\n",
}
MAPPING = 'fact = "opt_out"\nemail = "who"\nat = "left on"\n'


def statements(folder: Path, name: str, *cells: str, order: Order | None = None) -> tuple[list[Statement], list[str]]:
    header, _, row = DOORS[name].partition("\n")
    path = folder / name
    path.write_text(header + "\n" + "".join(row.format(cell) for cell in cells), encoding="utf-8")
    if name == "shop.csv":
        (folder / "shop.mapping.toml").write_text(MAPPING, encoding="utf-8")
    stops = [path] if name == "objections.txt" else []
    (file,) = sort_inputs(
        [] if stops else [path], stops=stops, timezone=ZoneInfo("UTC"), order=order, until=UNTIL
    ).evidence
    return list(file.statements(Wanted(), lambda _: None)), list(file.doubts)


def times(told: list[Statement]) -> set[tuple[datetime | None, datetime | None]]:
    return {(one.event.occurred_from, one.event.occurred_to) for one in told}


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize(
    "cell",
    ["2023-08-09 14:05:07 UTC", "20230809T140507", "1691589907", "1691589907000", "09-Aug-2023 14:05:07", "45147.5869"],
)
def test_plain_times_are_read_in_every_kind_of_file(tmp_path: Path, name: str, cell: str) -> None:
    told, findings = statements(tmp_path, name, cell)
    assert told
    assert findings == []
    assert {abs(begin - MOMENT) < timedelta(seconds=5) and end is None for begin, end in times(told) if begin} == {True}
    assert all(begin is not None for begin, _ in times(told))


@pytest.mark.parametrize("name", DOORS)
def test_the_column_settles_day_and_month_in_every_kind_of_file(tmp_path: Path, name: str) -> None:
    told, findings = statements(tmp_path, name, "8/9/2023 14:05:07", "8/23/2023 14:05:07")
    (said,) = findings
    assert name in said
    assert "all days are read month first" in said
    assert times(told) == {(MOMENT, None), (MOMENT + timedelta(days=14), None)}


@pytest.mark.parametrize("name", DOORS)
def test_what_no_cell_settles_counts_over_both_readings_and_is_said(tmp_path: Path, name: str) -> None:
    told, (said,) = statements(tmp_path, name, "8/9/2023 14:05:07", "1/2/2023 14:05:07")
    assert (MOMENT, MOMENT + timedelta(days=30)) in times(told)  # 9 August or 8 September
    assert name in said
    assert "8/9/2023 14:05:07" in said
    assert "--date-format" in said
    settled, findings = statements(tmp_path, name, "8/9/2023 14:05:07", "1/2/2023 14:05:07", order="m/d/y")
    assert findings == []
    assert (MOMENT, None) in times(settled)


def test_an_opt_in_of_two_readings_counts_from_the_later_one(tmp_path: Path) -> None:
    told, _ = statements(tmp_path, "submissions.csv", "8/9/2023 14:05:07")
    (sent_in,) = told
    assert isinstance(sent_in.event, e.FormSubmitted)
    assert sent_in.event.latest == MOMENT + timedelta(days=30)
    assert sent_in.event.captured_at == sent_in.event.latest


@pytest.mark.parametrize(("second", "settled"), [("8/23/2023 14:05:07", True), ("1/2/2023 14:05:07", False)])
def test_the_columns_of_a_contacts_export_settle_it_likewise(tmp_path: Path, second: str, settled: bool) -> None:
    path = tmp_path / "contacts.csv"
    rows = f"1,a@example.com,8/9/2023 14:05:07\n2,b@example.com,{second}\n"
    path.write_text(f"Record ID,Email,Create Date\n{rows}", encoding="utf-8")
    export = read_export([path], timezone=ZoneInfo("UTC"), until=UNTIL)
    created = next(export.rows()).created
    assert created == (EXACT if settled else Span(MOMENT, MOMENT + timedelta(days=30), "period"))
    list(export.rows())
    (said,) = export.doubts
    assert "Create Date" in said
    assert ("read month first" in said) is settled


def test_a_number_under_no_header_is_no_time(tmp_path: Path) -> None:
    """A customer number in a list of objections must not give a stop a day that an opt-in could follow."""
    path = tmp_path / "list.txt"
    path.write_text("ada@example.com,45147\nbo@example.com,20230809\n", encoding="utf-8")
    (file,) = sort_inputs([], stops=[path], until=UNTIL).evidence
    assert times(list(file.statements(Wanted(), lambda _: None))) == {(None, None)}
