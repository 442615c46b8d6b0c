"""Contacts that meet: which are linked by their stops, where too many do, and what an older vault becomes."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger import events as e
from ledger.application import Fact, Ledger
from ledger.contact import Entry, fold, stop_links_of
from ledger.keys import Keys
from ledger.lookups import Lookups
from ledger.meeting import MOST
from ledger.opening import Place, upgrade_parts
from ledger.sealing import Keyed
from ledger.spelling import former
from ledger.vault import Registration
from tests.ledgers import open_ledger

THEN = datetime(2026, 2, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def opened(home: Path) -> Ledger:
    return open_ledger(home, now, os.urandom, {})


def upgraded(home: Path) -> Ledger:
    """A ledger of an earlier program, as its upgrade leaves it."""
    upgrade_parts(Place(home), now, os.urandom, {})
    return Ledger.open(home, now, os.urandom, {})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "ledger") as ledger:
        yield ledger


def known(ledger: Ledger, *who: tuple[str | None, str | None]) -> list[str]:
    """The contacts of some (address, record), registered in this order."""
    people = ledger.register_many([Registration(email, "hubspot", record) for email, record in who])
    return [person.contact for person in people]


def links(ledger: Ledger, contacts: Sequence[str]) -> set[tuple[str, str]]:
    """Pairs linked by stops, as the streams have it."""
    folds = [fold(one, [Entry(*entry) for entry in ledger.contact_entries(one)]) for one in contacts]
    return {(link.one, link.other) for link in stop_links_of(folds)}


def pair(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)


def held(ledger: Ledger, contact: str) -> int:
    return sum(
        isinstance(event, e.ReviewDecided) and event.outcome == "hold"
        for _, _, event in ledger.contact_entries(contact)
    )


def test_a_record_and_an_address_of_two_contacts_link_their_stops_on_both(ledger: Ledger) -> None:
    one, other, met = known(ledger, ("a@x.example", "1"), ("b@x.example", None), ("b@x.example", "1"))
    assert met == other
    for contact, partner in ((one, other), (other, one)):
        (link,) = [n for _, _, n in ledger.contact_entries(contact) if isinstance(n, e.StopsLinked)]
        assert link.other == partner
    before = ledger.log.last_position()
    known(ledger, ("b@x.example", "1"))
    assert ledger.log.last_position() == before


def test_nobody_who_is_one_contact_is_linked(ledger: Ledger) -> None:
    known(ledger, ("a@x.example", "1"), ("b@x.example", "1"), ("a@x.example", "2"))
    assert ledger.log.last_position() == 2  # two addresses, linked with one contact


@pytest.mark.parametrize("one", ["t@fußball.de", "t@xn--fuball-cta.de"])
def test_addresses_written_alike_link_their_contacts(ledger: Ledger, one: str) -> None:
    first, second = known(ledger, ("t@fussball.de", None), (one, None))
    assert first != second
    assert links(ledger, [first, second]) == {pair(first, second)}


def test_addresses_written_alike_of_one_contact_are_remembered_as_such(ledger: Ledger) -> None:
    """A stop of one address alone is to reach the other spelling of it."""
    first, second = known(ledger, ("t@fussball.de", "1"), ("t@fußball.de", "1"))
    assert first == second
    (link,) = [n for _, _, n in ledger.contact_entries(first) if isinstance(n, e.StopsLinked)]
    assert {link.address, link.alike} == set(ledger.vault.addresses_of(first))


MANY = MOST + 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(MANY - 1))))
def test_an_address_that_meets_too_many_contacts_links_nobody_and_holds_all(
    ledger: Ledger, order: Sequence[int]
) -> None:
    contacts = known(ledger, ("info@x.example", None), *((f"{n}@x.example", f"{n}") for n in range(MANY - 1)))
    for n in order:
        assert not any(held(ledger, contact) for contact in contacts)
        (person,) = ledger.register_many([Registration("info@x.example", "hubspot", f"{n}")])
    assert person.finding == "crowd"
    assert links(ledger, contacts) == set()
    assert [held(ledger, contact) for contact in contacts] == [1] * MANY
    (late,) = known(ledger, ("late@x.example", "99"))
    known(ledger, ("info@x.example", "99"))
    assert held(ledger, late) == 1
    assert links(ledger, [*contacts, late]) == set()


def test_a_spelling_of_too_many_contacts_links_nobody_and_holds_all(ledger: Ledger) -> None:
    written = ("jose@x.example", "josé@x.example", "josè@x.example", "josê@x.example")
    contacts = known(ledger, *((email, None) for email in written[:MOST]))
    assert len(links(ledger, contacts)) == MOST - 1
    contacts += known(ledger, (written[MOST], None))
    assert links(ledger, contacts) == set()
    assert [held(ledger, contact) for contact in contacts] == [1] * MANY


def test_what_a_crash_left_out_is_appended_when_it_is_registered_again(ledger: Ledger) -> None:
    known(ledger, ("a@x.example", "1"), ("b@x.example", None))
    ledger.vault.resolve_many([Registration("b@x.example", "hubspot", "1")])  # and nothing after the vault
    one, other, _ = known(ledger, ("a@x.example", None), ("b@x.example", None), ("b@x.example", "1"))
    assert links(ledger, [one, other]) == {pair(one, other)}


def test_what_is_erased_meets_nobody_any_more(ledger: Ledger) -> None:
    one, other, _ = known(ledger, ("a@x.example", "1"), ("t@fußball.de", None), ("t@fußball.de", "1"))
    ledger.vault.erase(other)
    assert ledger.vault.met_in_spellings(None).ties == ()
    (again,) = known(ledger, ("t@fußball.de", "1"))
    assert again == one  # the record is known, and its new address joins it


# --- suppression ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "written"), list(itertools.permutations(["t@fußball.de", "t@xn--fuball-cta.de", "t@fussball.de"], 2))
)
def test_a_suppressed_address_is_suppressed_in_every_spelling(ledger: Ledger, kept: str, written: str) -> None:
    ledger.vault.suppress(kept, "erasure", THEN)
    assert ledger.vault.suppressed_since([written, "other@fussball.de"]) == {written: THEN}
    (contact,) = known(ledger, (written, None))
    assert any(isinstance(event, e.OptedOut) for _, _, event in ledger.contact_entries(contact))


# --- a vault of an earlier program ---------------------------------------------------------------


def as_it_was(home: Path, *emails: str) -> list[str]:
    """A ledger as version 1 made it, each address found by its former form; the contacts."""
    with opened(home) as ledger:
        contacts = [known(ledger, (f"placeholder{n}@x.example", None))[0] for n, _ in enumerate(emails)]
    keys = Keys.load(home / "keys", {})
    lookups = Lookups(keys)
    with opened(home) as ledger, sqlite3.connect(home / "vault.db") as vault:
        for n, (contact, email) in enumerate(zip(contacts, emails, strict=True)):
            wrapping = ledger.vault._wrapping
            raw = bytes.fromhex(contact.replace("-", ""))
            (wrapped,) = vault.execute("SELECT wrapped FROM contact_key WHERE contact = ?", (raw,)).fetchone()
            (address,) = vault.execute("SELECT address_id FROM address WHERE contact = ?", (raw,)).fetchone()
            sealed = wrapping.unwrap(raw, wrapped).seal(b"address", address, os.urandom(12), email.encode())
            vault.execute(
                "UPDATE address SET lookup = ?, ciphertext = ? WHERE lookup = ?",
                (lookups.spelled(former(email)), sealed, lookups.address(f"placeholder{n}@x.example")),
            )
        for table in ("spelling", "alike", "meeting", "store", "tally"):
            vault.execute(f"DROP TABLE {table}")
    vault.close()
    with closing(sqlite3.connect(home / "log.db")) as log:
        log.execute("DROP TABLE store")
        log.commit()
    return contacts


def test_an_older_ledger_is_found_by_the_new_form(tmp_path: Path) -> None:
    contacts = as_it_was(tmp_path, "anna@example.org", "t@fußball.de", "Straße@example.org")
    with upgraded(tmp_path) as ledger:
        assert (
            known(ledger, ("anna@example.org", None), ("t@fußball.de", None), ("Straße@example.org", None)) == contacts
        )
        assert ledger.vault.find_address("t@xn--fuball-cta.de") is not None
        assert ledger.vault.find_address("t@fussball.de") is None  # its yes was never theirs
        assert ledger.vault.find_address("strasse@example.org") is None
        (other,) = known(ledger, ("t@fussball.de", None))
        assert links(ledger, [*contacts, other]) == {pair(contacts[1], other)}


def test_two_that_become_one_share_their_stops(tmp_path: Path) -> None:
    """An old program took the letters and the A-labels of one domain for two addresses."""
    one, other = as_it_was(tmp_path, "t@fußball.de", "t@xn--fuball-cta.de")
    with upgraded(tmp_path) as ledger:
        assert links(ledger, [one, other]) == {pair(one, other)}
        (found,) = known(ledger, ("t@fußball.de", None))
        assert found == other  # found by its look-up before, and now
        before = ledger.log.last_position()
    with upgraded(tmp_path) as ledger:
        assert ledger.log.last_position() == before


def test_what_was_suppressed_under_a_former_form_stays_suppressed(tmp_path: Path) -> None:
    (contact,) = as_it_was(tmp_path, "t@fußball.de")
    keys = Keys.load(tmp_path / "keys", {})
    hashed = Keyed(keys.suppression)(b"email", former("t@fußball.de").encode())
    with sqlite3.connect(tmp_path / "vault.db") as vault:
        vault.execute("INSERT INTO suppression VALUES (?, 'erasure', ?)", (hashed, THEN.isoformat()))
    vault.close()
    with upgraded(tmp_path) as ledger:
        every = ("t@fußball.de", "t@xn--fuball-cta.de", "t@fussball.de")
        assert ledger.vault.is_suppressed(every) == set(every)
        ledger.record(Fact(e.NoteAdded(stream=contact, source="t")))  # it goes on working


def test_a_vault_of_a_later_form_is_refused(tmp_path: Path) -> None:
    from ledger.database import SetupError

    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "vault.db") as vault:
        vault.execute("UPDATE spelling SET version = 99")
    vault.close()
    with pytest.raises(SetupError, match="form 99"):
        opened(tmp_path)
