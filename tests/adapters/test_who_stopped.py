"""An audit, its review and the audit after it: what the review decided is nowhere shown as what people said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from adapters.cli.main import app

CONTACTS = """\
Record ID,Email,Marketing contact status,Legal basis for processing contact's data,Country,Unsubscribed from all email
101,ana@example.com,Marketing contact,Performance of a contract,Germany,No
102,ben@example.com,Marketing contact,Performance of a contract,Germany,No
103,cleo@example.com,Marketing contact,Performance of a contract,Germany,No
104,dan@example.com,Marketing contact,,Germany,No
105,eve@example.com,Marketing contact,,Germany,Yes
"""
"""Ana, Ben and Cleo are stopped by the review; Cleo opts out on top of it, Dan and Eve said no of themselves."""
TODAY = datetime.now(UTC).date()


def run(*arguments: object, exit_code: int = 0) -> str:
    """What a command prints on both channels."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result.output


class Story(NamedTuple):
    """What each step printed, and the folders of the audits before and after the review."""

    before: str
    review: str
    after: str
    first: Path
    second: Path

    def audit(self, folder: Path) -> Any:
        """The sums of an audit."""
        return json.loads((folder / "audit.json").read_bytes())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The whole way, by the command line."""
    here = tmp_path_factory.mktemp("story")
    contacts, ledger, answers = here / "contacts.csv", here / "ledger", here / "answers.json"
    contacts.write_text(CONTACTS, encoding="utf-8")
    common = ("--ledger", ledger, "--controller", "Example Ltd", "--sender-country", "DE")
    before = run("audit", contacts, *common, "--out", here / "first")
    run("record", "opt-out", "cleo@example.com", "--ledger", ledger)
    run("record", "objection", "dan@example.com", "--ledger", ledger)
    signed = {"name": "Dana Weiss", "role": "DPO", "date": TODAY.isoformat(), "outcome": "stop"}
    answers.write_text(json.dumps({"contract": {**signed, "evidence": "", "words": "never sold"}}), encoding="utf-8")
    run("review", "fill", here / "first" / "review.xlsx", answers)
    review = run("review", "import", here / "first" / "review.xlsx", "--ledger", ledger, "--yes")
    after = run("audit", contacts, *common, "--out", here / "second")
    return Story(before, review, after, here / "first", here / "second")


def plain(text: str) -> str:
    """Words with single blanks between them; tags of a page are none."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_the_sums_tell_the_person_from_the_review(story: Story) -> None:
    """The bucket is one, and its parts add up to it."""
    assert counts(story.audit(story.first)) == {"person": (1, 1), "review": (0, 0), "others": (0, 0)}
    second = story.audit(story.second)
    assert counts(second) == {"person": (3, 3), "review": (2, 2), "others": (0, 0)}
    assert second["buckets"]["stopped"] == {"contacts": 5, "marketing": 5}
    assert second["reasons"] == {"opted_out": 2, "objected": 1, "review_stop": 2}


def counts(audit: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """(contacts, marketing contacts) by who decided it."""
    return {who: (count["contacts"], count["marketing"]) for who, count in audit["stopped_by"].items()}


def test_the_screen_says_it_on_lines_of_their_own(story: Story) -> None:
    """And what changed since is said of each."""
    lines = [line.strip() for line in story.after.splitlines()]
    assert [line for line in lines if line.startswith("opted out or complained")] == [
        "opted out or complained             3   60 % → opt-out list, off the bill"
    ]
    assert [line for line in lines if line.startswith("stopped by your review")] == [
        "stopped by your review              2   40 % → off the bill"
    ]
    assert "3 opted out or complained, and are still marked as marketing" in plain(story.after)
    assert "2 were stopped by your review and are still marketing" in plain(story.after)
    assert "opted out or complained 1 → 3; stopped by your review 0 → 2" in plain(story.after)
    assert "stopped by your review" not in story.before
    assert "taken off by others" not in story.after


def test_the_review_says_whom_it_makes_stopped(story: Story) -> None:
    """Before anything is recorded: the preview comes first."""
    assert "The audit will count 2 as stopped by your review, 1 as people who said no." in plain(story.review)


@pytest.mark.parametrize("name", ["report.html", "NEXT-STEPS.md", "IMPORT-ORDER.md"])
def test_no_text_says_no_for_them(story: Story, name: str) -> None:
    """Every number beside words of a no is that of the people who said it."""
    words = plain((story.second / name).read_text("utf-8"))
    claimed = re.findall(r"([\d,]+)[^\d.]{0,40}(?:said no|opted out or complained)", words, re.IGNORECASE)
    assert set(claimed) <= {"3", "1", "0"}, claimed
    assert "your review" in words
    assert not re.search(r"\b5\b[^.]{0,60}said no", words)


def test_the_list_that_nobody_can_undo_holds_none_of_them(story: Story) -> None:
    """HubSpot would show them as unsubscribed of their own will, and the next export would say so."""
    listed = (story.second / "opt-out-list.csv").read_text("utf-8").split()
    assert listed == ["Email", "cleo@example.com", "dan@example.com"]
    kept_out = (story.second / "do-not-send.csv").read_text("utf-8")
    assert all(name in kept_out for name in ("ana@", "ben@", "cleo@", "dan@", "eve@"))


@pytest.mark.parametrize(
    ("by", "person", "counsel"),
    [
        ("data_subject", "You opted out", "opted out"),
        ("agent", "Somebody opted out on your behalf", "opted out"),
        ("officer", "Somebody else than you took you off our mailings", "taken off by somebody else than the person"),
        ("third_party", "Somebody else than you took you off our mailings", "taken off by somebody else"),
    ],
)
def test_the_page_about_somebody_does_not_say_that_they_opted_out(
    tmp_path: Path, by: str, person: str, counsel: str
) -> None:
    """Neither in the letter to them nor on counsel's page."""
    ledger = ("--ledger", tmp_path / "ledger")
    run("record", "country", "ana@example.com", "DE", *ledger)
    run("record", "opt-out", "ana@example.com", "--actor", by, *ledger)
    letter = json.loads(run("why", "ana@example.com", "--for", "person", "--json", *ledger))
    (told,) = [row["what"] for row in letter["timeline"] if row["kind"] == "stop"]
    assert told == person
    page = json.loads(run("why", "ana@example.com", "--json", *ledger))
    (stop,) = page["stops"]
    assert stop["what"].startswith(counsel)


@pytest.mark.parametrize("known_before", [False, True])
def test_a_stop_of_a_whole_domain_is_told_as_one(tmp_path: Path, known_before: bool) -> None:
    """To whoever arrives at it, and did nothing; and to whoever was known by then."""
    ledger = ("--ledger", tmp_path / "ledger")
    stops = tmp_path / "opt-outs.csv"
    stops.write_text("Email\n*@example.com\n", encoding="utf-8")
    if known_before:
        run("record", "country", "ana@example.com", "DE", *ledger)
    run("import", stops, *ledger)
    run("record", "country", "ana@example.com", "DE", *ledger)
    letter = json.loads(run("why", "ana@example.com", "--for", "person", "--json", *ledger))
    (told,) = [row["what"] for row in letter["timeline"] if row["kind"] == "stop"]
    assert told == "Everybody at the domain of your address was taken off our mailings"
