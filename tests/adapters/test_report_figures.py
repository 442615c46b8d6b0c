"""Figures that look alike: each says on screen and on the page why it differs, and only figures stand out."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from adapters.report import figures, wording
from adapters.report.files import write_outputs
from adapters.report.text import render_audit
from projections.verdicts import Action, Audit, Bucket, Expiring, FileRead, Verdict
from tests.adapters.test_cli import run
from tests.adapters.test_report import audit_of, printed, rich_audit, verdict

WORDS = Path(__file__).parents[2] / "docs" / "reference" / "words.md"


def unlike() -> list[Verdict]:
    """Ten with evidence of whom seven stay, and one more to take off the bill whose flag cannot be read."""
    proven = [verdict(n, Bucket.BASIS_PROVEN, Action.KEEP, "proven", allowed=True) for n in range(7)]
    dead = verdict(7, Bucket.BASIS_PROVEN, Action.SET_NON_MARKETING, "undeliverable", undeliverable=True, wave=1)
    quiet = [
        verdict(n, Bucket.BASIS_PROVEN, Action.NONE, "proven", allowed=True, marketing=False) for n in range(8, 10)
    ]
    off = [verdict(n, Bucket.NO_BASIS, Action.SET_NON_MARKETING, "nothing_known", wave=2) for n in range(10, 13)]
    blank = verdict(13, Bucket.NO_BASIS, Action.SET_NON_MARKETING, "nothing_known", wave=2, marketing=None)
    return [*proven, dead, *quiet, *off, blank]


def audited() -> Audit:
    """Its sums, from an export of 17 rows."""
    audit = audit_of(unlike())
    audit.avoidable_marketing = 4
    audit.files = [
        FileRead(
            name="export.csv",
            sha256="ab" * 32,
            encoding="utf-8",
            delimiter=",",
            language="English",
            rows=17,
            records=15,
            without_address=0,
            rejected=2,
        )
    ]
    return audit


def test_each_figure_says_why_it_differs() -> None:
    assert figures.sentences(audited()) == [
        "The export has 17 rows: 2 were left out (`rejected.csv` says why), 1 repeats a record that stood before, "
        "so 14 records are counted.",
        "Of 10 records with evidence on file, 1 takes no mail and goes off the bill and 2 are not billed, or no "
        "longer from HubSpot's next update.",
        "Of the 5 records to take off the bill, 4 are marked as marketing contacts and 1 has no readable HubSpot flag.",
    ]


def test_nothing_is_explained_where_nothing_differs() -> None:
    assert figures.sentences(audit_of([])) == []
    same = audit_of([verdict(1, Bucket.BASIS_PROVEN, Action.KEEP, "proven", allowed=True)])
    assert figures.sentences(same) == []


def test_screen_and_page_say_the_same(tmp_path: Path) -> None:
    audit = audited()
    write_outputs(audit, unlike(), [], tmp_path, tool_version="0.1.0")
    page = re.sub(r"<[^>]*>", "", (tmp_path / "report.html").read_text("utf-8")).replace("&#x27;", "'")
    screen = " ".join(printed(audit).split())
    for sentence in figures.sentences(audit):
        assert sentence.replace("`", "") in page
        assert sentence.replace("`", "") in screen


def test_the_sums_of_the_sentences_are_those_of_a_real_audit(tmp_path: Path) -> None:
    """Rows left out and repeated, records kept and not: counted again from the files."""
    run("demo", "--out", tmp_path)
    audit = json.loads((tmp_path / "audit" / "audit.json").read_text("utf-8"))
    by_bucket = audit["actions_by_bucket"]
    assert {name: sum(of.values()) for name, of in by_bucket.items()} == {
        name: count["contacts"] for name, count in audit["buckets"].items() if count["contacts"]
    }
    steps = (tmp_path / "audit" / "NEXT-STEPS.md").read_text("utf-8")
    rows = (tmp_path / "audit" / "do-not-send.csv").read_text("utf-8").count("\n") - 1
    besides = rows - audit["do_not_send"]
    said = re.search(
        r"also lists (\d+) other addresses of the same people and (\d+) addresses and record ids from rows that could "
        r"not be read\.",
        steps,
    )
    assert said is not None
    others, unread = map(int, said.groups())
    assert min(others, unread) > 0
    assert others + unread == besides
    summed = {action: sum(of.get(action, 0) for of in by_bucket.values()) for action in audit["actions"]}
    assert summed == audit["actions"]


@pytest.mark.parametrize("audit", [rich_audit(), audited()])
def test_nothing_but_figures_and_what_must_not_be_overlooked_is_bold(audit: Audit) -> None:
    stream = io.StringIO()
    render_audit(audit, Console(file=stream, width=80, force_terminal=True, color_system=None), Path("out"), [])
    stream.seek(0)
    console = Console(file=(styled := io.StringIO()), width=80, force_terminal=True, color_system="standard")
    render_audit(audit, console, Path("out"), [])
    bold = re.findall(r"\x1b\[1m(.*?)\x1b\[0m", styled.getvalue(), flags=re.DOTALL)
    assert bold
    words = [part.strip() for part in bold if re.search("[A-Za-z]", part)]
    assert set(words) <= {"NOT READ", "note", "DON'T"}
    assert re.sub(r"\x1b\[\d*m", "", styled.getvalue()) == stream.getvalue()


def test_the_page_of_words_has_every_bucket_as_it_is_called() -> None:
    """In words and by its token, as on screen and in the lists."""
    page = WORDS.read_text("utf-8")
    for bucket in Bucket:
        assert f"`{bucket}`" in page
    names = [wording.bucket(one) for one in Bucket if one is not Bucket.STOPPED]
    for name in (*names, *(name for name, _ in wording.SPEAKERS.values())):
        assert name.lower() in page


def test_the_page_names_law_and_purpose_before_their_tokens(tmp_path: Path) -> None:
    audit = audited()
    audit.purpose = "marketing.similar"
    audit.expiring = [Expiring(month="2027-01", rule="DE-UWG-7-3", contacts=3, law="UWG § 7(3) Nr 1-4")]
    write_outputs(audit, unlike(), [], tmp_path, tool_version="0.1.0")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Germany, UWG § 7(3) Nr 1-4 (<code>DE-UWG-7-3</code>): 3" in page
    assert "advertising for similar products of our own (<code>marketing.similar</code>)" in page


def test_an_audit_says_of_which_law_what_ends(tmp_path: Path) -> None:
    run("demo", "--out", tmp_path)
    ending = json.loads((tmp_path / "audit" / "audit.json").read_text("utf-8"))["expiring"]
    assert ending
    assert all(one["law"] and one["law"] != one["rule"] for one in ending)
