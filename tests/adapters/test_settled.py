"""The way out: a messy portal from its first audit to settled, against the truth about every contact in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.hubspot.portal import write_portal
from adapters.wiring import now
from tests.adapters.test_cli import answer, rows, run

CONTACTS = 800
UNSETTLED = ("basis_claimed", "no_basis")


class Walk(NamedTuple):
    """Rows of verdicts.csv by record id after the first audit, and at the end; the truth; the last audit.json."""

    home: Path
    first: dict[str, dict[str, str]]
    last: dict[str, dict[str, str]]
    truth: dict[str, Any]
    audit: Any


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """The tutorial's steps: the export alone; all files with the map; the DPO's answers; and once more."""
    home = tmp_path_factory.mktemp("settled")
    portal, ledger = home / "portal", home / "ledger"
    write_portal(portal, contacts=CONTACTS, seed=11, today=now().date())
    common = ("--ledger", ledger, "--timezone", "Europe/Berlin", "--sender-country", "DE")
    run("audit", portal / "contacts.csv", "--out", home / "first", *common)
    names = ("deals.csv", "unsubscribes-and-bounces.csv", "subscription-timeline.json", "email-events.json")
    files = [portal / name for name in ("contacts.csv", "forms", *names, "mailchimp-audience.zip")]
    with_map = ("--map", portal / "audit.toml", "--stops", portal / "objections.csv")
    run("audit", *files, *with_map, "--out", home / "second", *common)
    run("review", "fill", home / "second" / "review.xlsx", portal / "review-answers.json")
    run("review", "import", home / "second" / "review.xlsx", "--yes", "--ledger", ledger)
    audit = answer("audit", portal / "contacts.csv", *with_map[:2], "--out", home / "last", *common)
    first, last = (_by_id(home / name / "verdicts.csv") for name in ("first", "last"))
    return Walk(home, first, last, json.loads((portal / "truth.json").read_text("utf-8")), audit)


def _by_id(path: Path) -> dict[str, dict[str, str]]:
    return {row["Record ID"]: row for row in rows(path)}


def _yes(row: dict[str, str]) -> bool:
    return row["bucket"] == "basis_proven"


def test_nobody_is_allowed_who_is_not(walk: Walk) -> None:
    """False yes: none, whatever was declared, answered or imported."""
    wrong = [record for record, row in walk.last.items() if _yes(row) and walk.truth[record]["truth"] == "no"]
    assert wrong == []


def test_hardly_anybody_is_refused_who_is_allowed(walk: Walk) -> None:
    """False no: under one in a hundred."""
    wrong = [record for record, row in walk.last.items() if not _yes(row) and walk.truth[record]["truth"] == "yes"]
    assert len(wrong) < CONTACTS / 100


def test_most_of_the_unsettled_are_settled(walk: Walk) -> None:
    """At least 60 % of who was open after the first audit is allowed, or stopped, at the end."""
    open_ = {record for record, row in walk.first.items() if row["bucket"] in UNSETTLED}
    assert len(open_) > CONTACTS / 2, "hardly anybody is settled by an export alone"
    settled = [record for record in open_ if walk.last[record]["bucket"] in ("basis_proven", "stopped")]
    assert len(settled) >= 0.6 * len(open_)


def test_every_contact_has_an_answer_or_a_next_step(walk: Walk) -> None:
    """Nobody is left without either."""
    for row in walk.last.values():
        assert row["bucket"] in ("basis_proven", "stopped") or row["next_step"] != "none" or row["reason"] in (
            "undeliverable", "nothing_known", "no_address",
        )  # fmt: skip


def test_what_rests_on_a_declaration_is_told_apart(walk: Walk) -> None:
    """Two lines: the person's own record; resting on declaration N by NAME."""
    audit = walk.audit
    assert audit["proven_own_record"] + audit["proven_declared"] == audit["buckets"]["basis_proven"]["contacts"]
    assert sum(one["contacts"] for one in audit["declarations"] if one["evidenced"]) == audit["proven_declared"] > 0
    assert all(one["name"] and one["role"] for one in audit["declarations"])


def test_the_audit_says_what_changed(walk: Walk) -> None:
    """Against the audit before it."""
    assert walk.audit["before"]["buckets"]["basis_proven"] == walk.audit["buckets"]["basis_proven"]["contacts"]
    assert walk.audit["before"]["buckets"]["stopped"] < walk.audit["buckets"]["stopped"]["contacts"]


def test_a_declaration_without_a_file_is_named_with_who_waits_for_it(walk: Walk) -> None:
    """So that the file can be brought; it is not among what the evidence on file rests on."""
    second = json.loads((walk.home / "second" / "audit.json").read_text("utf-8"))
    missing = [one for one in second["declarations"] if not one["evidenced"]]
    assert [one["key"] for one in missing] == ["partner-sales"]
    assert missing[0]["contacts"] == second["reasons"]["declared_not_evidenced"] > 0
    assert "partner-sales" in (walk.home / "second" / "NEXT-STEPS.md").read_text("utf-8")


def test_the_first_screen_names_on_whose_word_it_rests(walk: Walk) -> None:
    """As a reader sees it: a name and a role, and nothing else between them."""
    page = (walk.home / "last" / "report.html").read_text("utf-8")
    assert "declarations by Dana Weiss, data protection officer." in page
    assert "\ufffd" not in page
