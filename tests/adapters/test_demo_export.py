"""The invented exports: every situation is in the demo, nobody real is, one seed gives one file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from adapters.hubspot import demo
from adapters.hubspot.demo import write_demo_export, write_portal_export
from adapters.hubspot.export import Export, Row, read_export


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.csv"
    write_demo_export(path)
    return path


@pytest.fixture(scope="module")
def export(path: Path) -> Export:
    export = read_export([path])
    list(export.rows())
    return export


@pytest.fixture(scope="module")
def rows(export: Export) -> list[Row]:
    return list(export.rows())


def test_the_same_seed_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.csv", tmp_path / "other.csv"
    write_demo_export(again)
    write_demo_export(other, seed=1)
    assert again.read_bytes() == path.read_bytes() != other.read_bytes()


def test_every_claim_and_every_stop_is_in_it(rows: list[Row]) -> None:
    claims = {claim for row in rows for claim in row.legal_basis or ()}
    interests = {"interest_customer", "interest_prospect", "interest_other"}
    assert claims == {"consent", "contract", "other"} | interests
    assert any(row.double_opt_in for row in rows)
    assert any(row.opted_out and row.marketing for row in rows)
    assert any(row.opted_out and row.legal_basis == ("consent",) and row.double_opt_in for row in rows)
    assert {kind for row in rows for kind in row.opted_out_of} == set(demo.TYPES)
    assert any("recipient_complaint" in row.quarantine for row in rows)
    assert {row.hard_bounce for row in rows} >= {None, "unknown_user", "mailbox_full", "spam"}
    assert any(row.invalid for row in rows)
    assert any(row.until_next_update for row in rows)
    assert {row.marketing for row in rows} == {True, False, None}


def test_every_place_and_oddity_is_in_it(rows: list[Row], export: Export) -> None:
    declared = {hint.country for row in rows for hint in row.hints if hint.kind == "declared"}
    assert declared == {"DE", "AT", "FR", "ES", "IT", "IE", "GB", "CA", "US", "AU", "PL", "BE", "NL", "RO"}
    assert any({hint.kind for hint in row.hints} == {"ip"} for row in rows)
    assert any(len({hint.country for hint in row.hints}) > 2 for row in rows)
    assert any(not row.hints for row in rows)
    addresses = [row.email.casefold() for row in rows if row.email and row.record_id not in export.twice]
    assert addresses.count("shared.inbox@example.org") == 2
    assert export.twice == {"801"}
    assert export.folded == 1
    assert export.files[0].without_address == 2
    assert {found.value for found in export.findings} == {
        "perhaps", "To be decided", "Verbal agreement at the fair", "Atlantis",
    }  # fmt: skip


def test_its_broken_rows_are_all_listed_and_few(export: Export) -> None:
    reasons = [rejected.reason for rejected in export.rejected]
    assert len(reasons) == 5  # a row that is too short has empty cells at its end
    assert reasons[:2] == ["not an e-mail address"] * 2
    (file,) = export.files
    assert (file.records, file.rows - file.records - export.folded) == (400, 5)


def test_nobody_in_it_is_real(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if "@" in (row["Email"] or "")]
    for row in rows:
        domain = row["Email"].rpartition("@")[2]
        assert domain in ("example.com", "example.org", "example.net") or domain.endswith(".example")
        assert not row["Phone Number"] or "555" in row["Phone Number"] or "55 55" in row["Phone Number"]
    assert any(row["First Name"].startswith("=") for row in rows)
    assert any(not row["First Name"].isascii() for row in rows)


def test_a_portal_export_has_as_many_records_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "portal.csv"
    write_portal_export(path, rows=3_000)
    export = read_export([path])
    found = list(export.rows())
    assert len({row.record_id for row in found}) == len(found) == 3_000
    assert (export.rejected, export.findings, export.twice) == ([], [], set())
    assert len({row.email for row in found if row.email}) == sum(row.email is not None for row in found)
