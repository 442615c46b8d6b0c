"""The tallies of a vault: whatever is done by the program, they are what counting everything anew gives."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.database import Driver
from ledger.keys import Keys
from ledger.stores import StoreIdentity
from ledger.tallies import COUNTED, Change, Tallies, Tally, rows_of
from ledger.vault import Registration, Vault

KEYS = Keys.derive(bytes(range(32)))
IDENTITY = StoreIdentity("ledger", "1-00", b"check")
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
EMAILS = st.sampled_from([f"{name}@example.com" for name in "abcd"])
RECORDS = st.sampled_from(["1", "2", "3"])
REGISTRATIONS = st.one_of(
    st.builds(Registration, EMAILS, st.just("crm"), RECORDS),
    st.builds(Registration, EMAILS, st.just("crm"), st.none()),
    st.builds(Registration, st.none(), st.just("crm"), RECORDS),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), st.lists(REGISTRATIONS, min_size=1, max_size=4)),
        st.tuples(st.just("payload"), EMAILS),
        st.tuples(st.just("suppress"), EMAILS),
        st.tuples(st.just("erase"), EMAILS),
    ),
    max_size=12,
)


def counted(driver: Driver) -> dict[str, Tally]:
    tallies = Tallies(KEYS.tally)
    return {table: tallies.counted(table, rows_of(driver, table)) for table in COUNTED}


def kept(driver: Driver) -> dict[str, Tally | None]:
    return {table: Tallies(KEYS.tally).read(driver, table) for table in COUNTED}


def do(vault: Vault, what: str, about: object) -> None:
    if what == "register":
        assert isinstance(about, list)
        vault.resolve_many(about)
        return
    assert isinstance(about, str)
    if what == "suppress":
        vault.suppress(about, "erasure", SINCE)
        return
    found = vault.find_address(about)
    if found is not None and what == "erase":
        vault.erase(found[0])
    elif found is not None:
        vault.put_payloads([vault.draft_payload(found[0], {"said": "no"}, b"about")])


@settings(max_examples=80)
@given(STEPS)
def test_a_tally_is_what_counting_anew_gives(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Vault.make(Path(folder) / "vault.db", KEYS, os.urandom) as vault:
        vault.begin(IDENTITY)
        for what, about in steps:
            do(vault, what, about)
        with vault._database.reading() as driver:
            assert kept(driver) == counted(driver)


@settings(max_examples=20)
@given(STEPS)
def test_a_vault_made_before_is_counted_once(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Vault.make(Path(folder) / "vault.db", KEYS, os.urandom) as vault:
        for what, about in steps:
            do(vault, what, about)
        with vault._database.reading() as driver:
            assert set(kept(driver).values()) == {None}
        vault.begin(IDENTITY)
        vault.begin(IDENTITY)
        with vault._database.reading() as driver:
            assert kept(driver) == counted(driver)


def test_a_tally_that_was_forged_is_not_put_right_by_the_next_change(tmp_path: Path) -> None:
    with Vault.make(tmp_path / "vault.db", KEYS, os.urandom) as vault:
        vault.begin(IDENTITY)
        vault.suppress("a@example.com", "erasure", SINCE)
        with vault._database.writing() as driver:
            driver.execute("DELETE FROM suppression")
            driver.execute("UPDATE tally SET rows = 0, digest = zeroblob(32) WHERE name = 'suppression'")
        vault.suppress("b@example.com", "erasure", SINCE)
        with vault._database.reading() as driver:
            assert kept(driver)["suppression"] is None


def test_rows_hash_apart(tmp_path: Path) -> None:
    """A missing value is another than an empty one, and a table another than the next."""
    tallies = Tallies(KEYS.tally)
    rows = [("record", (b"", None)), ("record", (b"", b"")), ("record", (None, b"")), ("address", (b"", None))]
    assert len({tallies.hashed(table, row) for table, row in rows}) == len(rows)
    with Vault.make(tmp_path / "vault.db", KEYS, os.urandom) as vault, vault._database.writing() as driver:
        tallies.begin(driver)
        change = Change(tallies)
        change.add("address", b"1")
        change.take("address", b"1")
        change.keep(driver)
        assert tallies.read(driver, "address") == Tally()
