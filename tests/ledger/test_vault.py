"""The vault: who is who, what is sealed, what was erased, who must not be written to."""

from __future__ import annotations

import base64
import hmac
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.database import uuid_text
from ledger.keys import ENVIRONMENT, KeyFileError, Keys
from ledger.sealing import Corrupt, Erased, Keyed, commit, framed, keyed
from ledger.vault import Opened, Registration, Vault
from tests.stores import Place

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def vault(place: Place) -> Iterator[Vault]:
    keys = Keys.make(place.folder / "keys", os.urandom, {})
    with Vault.make(place("vault"), keys, os.urandom) as vault:
        yield vault


@pytest.fixture
def file_vault(tmp_path: Path) -> Iterator[Vault]:
    """For what is done to the file behind our back."""
    keys = Keys.make(tmp_path / "keys", os.urandom, {})
    with Vault.make(tmp_path / "vault.db", keys, os.urandom) as vault:
        yield vault


def anna(record_id: str | None = "17", email: str | None = "Anna@Example.org") -> Registration:
    return Registration(email, "hubspot", record_id)


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_file_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = Keys.make(tmp_path / "keys", os.urandom, {})
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert Keys.make(tmp_path / "keys", os.urandom, {}) == first
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]
    assert len(set(first)) == len(first)
    assert "Keys(...)" in f"{first!r} {first}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_file_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    Keys.make(tmp_path / "keys", os.urandom, {})
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Keys.make(tmp_path / "keys", os.urandom, {})


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o707, 0o1777])
def test_a_folder_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    first = Keys.make(tmp_path / "keys", os.urandom, {})
    tmp_path.chmod(mode)
    for env in ({}, {ENVIRONMENT: base64.b64encode(os.urandom(32)).decode()}):
        with pytest.raises(KeyFileError, match="chmod go-w"):
            Keys.make(tmp_path / "keys", os.urandom, env)
    tmp_path.chmod(0o755)
    assert Keys.make(tmp_path / "keys", os.urandom, {}) == first


def test_a_link_to_keys_of_ones_own_is_followed_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "apart").mkdir()
    keys, link = Keys.make(tmp_path / "apart" / "keys", os.urandom, {}), tmp_path / "keys"
    link.symlink_to(tmp_path / "apart" / "keys")
    assert Keys.make(link, os.urandom, {}) == keys
    if os.geteuid() == 0:
        os.chown(link, 4711, 4711, follow_symlinks=False)
        with pytest.raises(KeyFileError, match=r"is a link of another user \(uid 4711\)"):
            Keys.make(link, os.urandom, {})
        os.chown(link, 0, 0, follow_symlinks=False)
        os.chown(tmp_path / "apart" / "keys", 4711, 4711)
        with pytest.raises(KeyFileError, match="leads to a file of another user"):
            Keys.make(link, os.urandom, {})
    (tmp_path / "apart" / "keys").unlink()
    with pytest.raises(KeyFileError, match="which is not there"):
        Keys.make(link, os.urandom, {})


def test_a_key_may_come_from_an_environment_handed_in(tmp_path: Path) -> None:
    master = os.urandom(32)
    env = {ENVIRONMENT: base64.b64encode(master).decode()}
    assert Keys.make(tmp_path / "keys", os.urandom, env) == Keys.derive(master)
    assert not (tmp_path / "keys").exists()
    for wrong in ("short", base64.b64encode(b"short").decode(), "ü"):
        with pytest.raises(KeyFileError):
            Keys.make(tmp_path / "keys", os.urandom, {ENVIRONMENT: wrong})


def test_a_subkey_stays_what_it_is_whichever_are_added() -> None:
    """What was sealed or looked up by one years ago is still opened and found."""
    keys = Keys.derive(bytes(range(32)))
    known = {
        "lookup": "fd21d62dc46e14d9",
        "suppression": "ae9ebfb7b0c58fa8",
        "sid": "d531397ec65029ed",
        "fingerprint": "8e6289ce68d79d75",
        "wrapping": "9be80296cf2e9f6a",
        "identity": "bb8a90b00ab05bc6",
        "sealing": "c3d6103a7123348f",
    }
    assert {name: getattr(keys, name).hex()[:16] for name in known} == known
    assert len(set(keys)) == len(keys)


def test_a_process_that_comes_second_uses_the_key_that_stands(tmp_path: Path) -> None:
    def slower(count: int) -> bytes:
        Keys.make(tmp_path / "keys", os.urandom, {})
        return os.urandom(count)

    assert Keys.make(tmp_path / "keys", slower, {}) == Keys.make(tmp_path / "keys", os.urandom, {})


# --- who is who ----------------------------------------------------------------------------------


def test_an_address_decides_then_a_record_then_a_new_contact(vault: Vault) -> None:
    first, again = vault.resolve_many([anna(), anna("18", "anna@example.org")])
    assert first.created
    assert (again.contact, again.address, again.created) == (first.contact, first.address, False)
    assert again.record != first.record
    (moved,) = vault.resolve_many([anna("17", "anna@new.example")])
    assert (moved.contact, moved.record, moved.created) == (first.contact, first.record, False)
    assert moved.address != first.address
    assert vault.addresses_of(first.contact) == [first.address, moved.address]
    assert vault.records_of(first.contact) == [first.record, again.record]
    found = vault.find_record("hubspot", "17")
    assert found is not None
    assert found.address == moved.address
    assert vault.find_address("ANNA@new.example") == (first.contact, moved.address)
    assert vault.find_address("bert@example.org") is None
    assert vault.find_record("mailchimp", "17") is None


def test_a_record_and_an_address_that_disagree_are_a_finding(vault: Vault) -> None:
    one, other = vault.resolve_many([anna(), Registration("bert@example.org", "hubspot", "18")])
    (mixed,) = vault.resolve_many([Registration("bert@example.org", "hubspot", "17")])
    assert (mixed.contact, mixed.record, mixed.finding) == (other.contact, one.record, "two_contacts")
    found = vault.find_record("hubspot", "17")
    assert found is not None
    assert (found.contact, found.address) == (one.contact, one.address)


def test_a_registration_needs_something_to_hold_on_to(vault: Vault) -> None:
    with pytest.raises(ValueError, match="e-mail address or a record id"):
        vault.resolve_many([anna(None, "  ")])
    (person,) = vault.resolve_many([anna("17", None)])
    assert person.address is None


def test_thousands_at_once_and_again(vault: Vault) -> None:
    people = [Registration(f"p{n % 900}@example.org", "hubspot", str(n)) for n in range(1800)]
    first = vault.resolve_many(people)
    assert sum(person.created for person in first) == 900
    again = vault.resolve_many(people)
    assert [person[:3] for person in again] == [person[:3] for person in first]
    assert not any(person.created for person in again)


def test_texts_come_back_as_they_were_written(vault: Vault) -> None:
    (person,) = vault.resolve_many([anna()])
    assert person.address is not None
    assert person.record is not None
    assert vault.address_text(person.address) == "Anna@Example.org"
    assert vault.record_text(person.record) == ("hubspot", "17")


def test_a_row_is_known_again_by_its_hash(vault: Vault) -> None:
    (person,) = vault.resolve_many([anna()])
    assert person.record is not None
    assert vault.known_records("hubspot", ["17", "18"])["17"].row_hash is None
    vault.keep_row_hashes([(person.record, vault.row_hash(b"the row"))])
    assert vault.known_records("hubspot", ["17", "18"])["17"].row_hash == vault.row_hash(b"the row")


# --- payloads and forgetting ----------------------------------------------------------------------

CONTENT = {"ip": "203.0.113.7", "asked": ["ä", 1, None, True]}


def _put(vault: Vault, contact: str) -> str:
    (commitment,) = vault.put_payloads([vault.draft_payload(contact, CONTENT, b"about")])
    assert commitment is not None
    return commitment


def test_a_payload_comes_back_and_proves_its_commitment(vault: Vault) -> None:
    contact = uuid_text(os.urandom(16))
    commitment = _put(vault, contact)
    assert vault.payload(commitment) == CONTENT
    opened = vault.open_payload(commitment)
    assert isinstance(opened, Opened)
    assert hmac.new(opened.r, b"\x01" + opened.content, "sha256").hexdigest() == commitment
    assert _put(vault, contact) != commitment  # hiding: the same payload looks different every time


def test_erasing_destroys_key_and_rows_and_is_told_from_damage(file_vault: Vault, tmp_path: Path) -> None:
    (person,) = file_vault.resolve_many([anna()])
    other = uuid_text(os.urandom(16))
    commitment, kept = _put(file_vault, person.contact), _put(file_vault, other)
    assert file_vault.erase(person.contact) == 3
    assert file_vault.erase(person.contact) == 0
    assert file_vault.is_erased(person.contact)
    assert not file_vault.is_erased(other)
    assert file_vault.payload(commitment) == Erased()
    assert file_vault.payload(commitment, person.contact) == Erased()
    assert file_vault.payload(kept) == CONTENT
    assert person.address is not None
    assert file_vault.address_text(person.address) == Erased()
    assert file_vault.find_address("anna@example.org") is None
    assert file_vault.put_payloads([file_vault.draft_payload(person.contact, CONTENT, b"about")]) == [None]
    stored = (tmp_path / "vault.db").read_bytes() + (tmp_path / "vault.db-wal").read_bytes()
    assert bytes.fromhex(commitment) not in stored
    (anew,) = file_vault.resolve_many([anna()])
    assert anew.created
    assert anew.contact != person.contact


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE payload SET body = substr(body, 1, length(body) - 1)"
        " || CASE substr(body, -1) WHEN x'00' THEN x'01' ELSE x'00' END",
        "UPDATE payload SET body = x'02' || substr(body, 2)",
        "UPDATE payload SET body = x'01'",
        "UPDATE payload SET contact = (SELECT contact FROM contact_key WHERE contact <> payload.contact)",
        "UPDATE contact_key SET wrapped = zeroblob(61)",
        "UPDATE contact_key SET wrapped = (SELECT k.wrapped FROM contact_key k WHERE k.contact <> contact_key.contact)",
        "DELETE FROM payload",
    ],
)
def test_damage_is_corrupt_and_never_erased(file_vault: Vault, tmp_path: Path, damage: str) -> None:
    contact = uuid_text(os.urandom(16))
    commitment = _put(file_vault, contact)
    file_vault.resolve_many([anna()])
    client = sqlite3.connect(tmp_path / "vault.db")
    client.execute(damage)
    client.commit()
    client.close()
    assert isinstance(file_vault.payload(commitment, contact), Corrupt)


def test_a_sealed_value_moved_to_another_place_does_not_open(file_vault: Vault, tmp_path: Path) -> None:
    (person,) = file_vault.resolve_many([anna()])
    file_vault.resolve_many([anna("17", "anna@new.example")])
    client = sqlite3.connect(tmp_path / "vault.db")
    client.execute("UPDATE address SET ciphertext = (SELECT max(ciphertext) FROM address)")
    client.execute("UPDATE record SET ciphertext = (SELECT max(ciphertext) FROM address)")
    client.commit()
    client.close()
    texts = [file_vault.address_text(address) for address in file_vault.addresses_of(person.contact)]
    assert sum(isinstance(text, Corrupt) for text in texts) == 1
    assert person.record is not None
    assert isinstance(file_vault.record_text(person.record), Corrupt)


def test_a_body_under_another_commitment_is_corrupt(file_vault: Vault, tmp_path: Path) -> None:
    contact = uuid_text(os.urandom(16))
    first, second = _put(file_vault, contact), _put(file_vault, contact)
    client = sqlite3.connect(tmp_path / "vault.db")
    bodies = dict(client.execute("SELECT hex(commitment), body FROM payload").fetchall())
    client.execute("UPDATE payload SET body = ? WHERE hex(commitment) = ?", (bodies[first.upper()], second.upper()))
    client.commit()
    client.close()
    assert file_vault.payload(first) == CONTENT
    assert isinstance(file_vault.payload(second), Corrupt)


def test_suppression_survives_erasure_and_keeps_its_first_date(vault: Vault) -> None:
    (person,) = vault.resolve_many([anna()])
    vault.suppress("anna@example.org", "erasure", SINCE)
    vault.suppress("ANNA@example.org", "objection", datetime(2026, 4, 1, tzinfo=UTC))
    vault.erase(person.contact)
    assert vault.is_suppressed(["Anna@example.org", "bert@example.org"]) == {"Anna@example.org"}
    assert vault.suppressed_since(["Anna@example.org"]) == {"Anna@example.org": SINCE}


def test_a_suppression_is_lifted_by_a_row_and_no_row_is_taken_out(file_vault: Vault, tmp_path: Path) -> None:
    def rows() -> list[tuple[str, str]]:
        with closing(sqlite3.connect(tmp_path / "vault.db")) as other:
            return other.execute("SELECT kind, since FROM suppression ORDER BY rowid").fetchall()

    later = [SINCE + timedelta(days=n) for n in range(1, 4)]
    assert not file_vault.lift_suppression("anna@example.org", SINCE)
    file_vault.suppress("anna@example.org", "erasure", SINCE)
    assert file_vault.lift_suppression("ANNA@example.org", later[0])
    assert not file_vault.lift_suppression("anna@example.org", later[1])
    assert file_vault.suppressed_since(["anna@example.org"]) == {}
    file_vault.suppress("anna@example.org", "erasure", later[1])
    file_vault.suppress("anna@example.org", "erasure", later[2])
    assert file_vault.suppressed_since(["Anna@example.org", "bert@example.org"]) == {"Anna@example.org": later[1]}
    assert [kind for kind, _ in rows()] == ["erasure", "lifted", "erasure"]
    assert len({since for _, since in rows()}) == 3


def test_no_plain_text_reaches_the_file(file_vault: Vault, tmp_path: Path) -> None:
    (person,) = file_vault.resolve_many([anna()])
    _put(file_vault, person.contact)
    file_vault.suppress("anna@example.org", "erasure", SINCE)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("vault.db"))
    for text in (b"nna@", b"xample", b"203.0.113", b"hubspot"):
        assert text not in stored.replace(b"example_schema", b"")


@given(st.lists(st.binary()), st.lists(st.binary()))
def test_framing_is_injective(one: list[bytes], other: list[bytes]) -> None:
    assert (framed(*one) == framed(*other)) == (one == other)


def test_a_prepared_key_hashes_as_the_key_does_however_often() -> None:
    prepared = Keyed(b"k" * 32)
    for parts in ((b"address", b"anna@example.org"), (b"record", b"crm", b"1"), ()):
        assert prepared(*parts) == keyed(b"k" * 32, *parts) == hmac.digest(b"k" * 32, framed(*parts), "sha256")


def test_a_commitment_depends_on_r_and_content() -> None:
    r = os.urandom(32)
    assert len({commit(r, b"a"), commit(r, b"b"), commit(os.urandom(32), b"a")}) == 3
