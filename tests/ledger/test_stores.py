"""Parts of a ledger that do not belong together are named at opening, and nothing is answered meanwhile."""

from __future__ import annotations

import base64
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import Fact, Ledger
from ledger.events import OptedIn, OptedOut
from ledger.keys import ENVIRONMENT
from ledger.opening import NoLedgerError, Place, upgrade_parts
from ledger.stores import (
    NOTHING,
    Mark,
    Stored,
    StoreIdentity,
    StoresError,
    first_epoch,
    mark_of,
    misfit_of,
    misfits_of,
    next_epoch,
    ordinal_of,
)
from ledger.vault import Registration
from tests.ledgers import open_ledger

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def now() -> datetime:
    return NOW


def opened(home: Path) -> Ledger:
    return Ledger.open(home, now, os.urandom, {})


def filled(home: Path, people: int = 3) -> Path:
    """A ledger of some people with a yes each, closed."""
    with open_ledger(home, now, os.urandom, {}) as ledger:
        for number in range(people):
            grant(ledger, f"person{number}@example.org")
    return home


def grant(ledger: Ledger, email: str) -> str:
    (person,) = ledger.register_many([Registration(email, "crm", None)])
    event = OptedIn(stream=person.contact, source="crm", address=person.address, channels=("email",))
    ledger.record(Fact(event, f"grant-{email}", {"ip": "203.0.113.9"}))
    return person.contact


def copied(home: Path, to: Path) -> Path:
    shutil.copytree(home, to)
    return to


def misfit(home: Path) -> tuple[str, str]:
    """(store, how) of the one thing that is named; the text of it says what to do."""
    with pytest.raises(StoresError) as refused:
        opened(home)
    (found,) = refused.value.misfits
    assert any(word in found.text for word in ("ring it back", "ring back", "upgrade"))
    return found.store, found.kind


# --- init and open --------------------------------------------------------------------------------


def test_opening_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoLedgerError, match="consent-ledger init"):
        opened(tmp_path / "typo")
    assert not (tmp_path / "typo").exists()


def test_a_ledger_is_made_once_and_keeps_its_id_and_epoch(tmp_path: Path) -> None:
    assert Ledger.init(tmp_path / "a", now, os.urandom, {})
    with opened(tmp_path / "a") as ledger:
        first = ledger.identity
    assert ordinal_of(first.epoch) == 1
    assert not Ledger.init(tmp_path / "a", now, os.urandom, {})
    with opened(tmp_path / "a") as ledger:
        assert ledger.identity == first


def test_a_part_that_is_missing_is_named(tmp_path: Path) -> None:
    for name in ("keys", "vault.db", "log.db"):
        home = filled(tmp_path / name)
        (home / name).unlink()
        before = {path.name for path in home.iterdir()}
        assert misfit(home) == (name.removesuffix(".db"), "missing")
        with pytest.raises(StoresError):
            Ledger.init(home, now, os.urandom, {})
        assert {path.name for path in home.iterdir()} == before


def test_what_a_killed_init_left_is_finished(tmp_path: Path) -> None:
    home = tmp_path / "a"
    Ledger.init(home, now, os.urandom, {})
    (home / "log.db").unlink()
    assert Ledger.init(home, now, os.urandom, {})
    opened(home).close()


def test_no_ledger_is_made_beside_what_is_left_of_one(tmp_path: Path) -> None:
    (tmp_path / "inbox.db").touch()
    with pytest.raises(StoresError, match=r"inbox\.db"):
        Ledger.init(tmp_path, now, os.urandom, {})


# --- parts that do not belong together ------------------------------------------------------------


def test_keys_of_another_ledger(tmp_path: Path) -> None:
    home, other = filled(tmp_path / "a"), filled(tmp_path / "b")
    shutil.copy(other / "keys", home / "keys")
    assert misfit(home) == ("keys", "keys")


def test_keys_of_another_ledger_from_the_environment(tmp_path: Path) -> None:
    env = {ENVIRONMENT: base64.b64encode(os.urandom(32)).decode()}
    with pytest.raises(StoresError, match="keys at hand"):
        Ledger.open(filled(tmp_path / "a"), now, os.urandom, env)


def test_a_vault_of_another_ledger(tmp_path: Path) -> None:
    home, other = filled(tmp_path / "a"), filled(tmp_path / "b")
    shutil.copy(other / "vault.db", home / "vault.db")
    assert misfit(home) == ("vault", "foreign")


def test_an_older_vault_beside_a_newer_log(tmp_path: Path) -> None:
    """The suppression of an erased person's address must not be lost with it."""
    home = filled(tmp_path / "a")
    older = copied(home, tmp_path / "older")
    with opened(home) as ledger:
        ledger.erasure_request("person1@example.org", source="crm")
    shutil.copy(older / "vault.db", home / "vault.db")
    assert misfit(home) == ("vault", "older")


def test_an_older_log_beside_a_newer_vault(tmp_path: Path) -> None:
    home = filled(tmp_path / "a")
    older = copied(home, tmp_path / "older")
    with opened(home) as ledger:
        contact = grant(ledger, "new@example.org")
        ledger.record(Fact(OptedOut(stream=contact, source="crm"), "stop"))
    shutil.copy(older / "log.db", home / "log.db")
    assert misfit(home) == ("log", "older")


def test_an_older_log_that_lacks_nothing_but_a_stop(tmp_path: Path) -> None:
    """Nothing was written to the vault for it: what the ledger notes when it is closed tells."""
    home = filled(tmp_path / "a")
    with opened(home) as ledger:
        contact = grant(ledger, "new@example.org")
    older = copied(home, tmp_path / "older")
    with opened(home) as ledger:
        ledger.record(Fact(OptedOut(stream=contact, source="crm"), "stop"))
    shutil.copy(older / "log.db", home / "log.db")
    assert misfit(home) == ("log", "older")


def test_a_log_with_another_history(tmp_path: Path) -> None:
    home = filled(tmp_path / "a")
    other = copied(home, tmp_path / "other")
    for place in (home, other):
        with opened(place) as ledger:
            grant(ledger, "new@example.org")
            grant(ledger, "newer@example.org")
    shutil.copy(other / "log.db", home / "log.db")
    assert misfit(home) == ("log", "diverged")


@pytest.mark.parametrize("name", ["log.db", "vault.db"])
def test_an_emptied_part(tmp_path: Path, name: str) -> None:
    home = filled(tmp_path / "a")
    (home / name).write_bytes(b"")
    assert misfit(home) == (name.removesuffix(".db"), "unmarked")


def test_what_was_rolled_back_is_not_known_of(tmp_path: Path) -> None:
    """A change of the vault that never was must not make the vault look older than the log."""
    with open_ledger(tmp_path, now, os.urandom, {}) as ledger:
        contact = grant(ledger, "one@example.org")
        with pytest.raises(sqlite3.IntegrityError), ledger.vault._changing() as driver:
            driver.executemany("INSERT INTO suppression VALUES (?, 'erasure', '')", [(b"1",), (b"1",)])
        ledger.record(Fact(OptedOut(stream=contact, source="crm"), "stop"))
    opened(tmp_path).close()


# --- a ledger made before -------------------------------------------------------------------------


def made_before(home: Path) -> Path:
    """As an earlier version left it: no store says what it is of."""
    for name in ("log.db", "vault.db"):
        with closing(sqlite3.connect(home / name)) as file:
            file.execute("DROP TABLE store")
    return home


def upgraded(home: Path) -> StoreIdentity | None:
    return upgrade_parts(Place(home), now, os.urandom, {})


def test_a_ledger_made_before_is_upgraded_once(tmp_path: Path) -> None:
    home = made_before(filled(tmp_path / "a"))
    with pytest.raises(StoresError, match="consent-ledger upgrade"):
        opened(home)
    first = upgraded(home)
    assert first is not None
    assert upgraded(home) is None
    with opened(home) as ledger:
        assert ledger.identity == first
        assert ledger.id == ledger._keys.ledger_id
        grant(ledger, "new@example.org")


@pytest.mark.parametrize("broken", ["keys", "vault.db", "older vault"])
def test_an_upgrade_writes_nothing_down_that_does_not_belong_together(tmp_path: Path, broken: str) -> None:
    home, other = filled(tmp_path / "a"), made_before(filled(tmp_path / "b"))
    older = made_before(copied(home, tmp_path / "older"))
    with opened(home) as ledger:
        grant(ledger, "new@example.org")
    made_before(home)
    if broken == "older vault":
        shutil.copy(older / "vault.db", home / "vault.db")
    else:
        shutil.copy(other / broken, home / broken)
    with pytest.raises(StoresError, match="Nothing was changed"):
        upgraded(home)
    with pytest.raises(StoresError, match="consent-ledger upgrade"):
        opened(home)


def test_an_upgrade_does_not_take_an_emptied_log_for_one_made_before(tmp_path: Path) -> None:
    home = filled(tmp_path / "a")
    (home / "log.db").write_bytes(b"")
    with pytest.raises(StoresError, match="emptied"):
        upgraded(home)
    assert misfit(home) == ("log", "unmarked")


def test_an_upgrade_that_was_killed_in_between_is_finished(tmp_path: Path) -> None:
    home = made_before(filled(tmp_path / "a"))
    first = upgraded(home)
    with closing(sqlite3.connect(home / "log.db")) as file:
        file.execute("DROP TABLE store")
    assert upgraded(home) == first
    opened(home).close()


# --- the values -----------------------------------------------------------------------------------

CHECK = {"a": b"check of a", "b": b"check of b"}
identities = st.builds(
    StoreIdentity,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["1-aa", "2-bb", "2-cc"]),
    st.sampled_from(list(CHECK.values())),
)
entries = st.lists(st.binary(min_size=1, max_size=3), max_size=5)


def entry_at(log: list[bytes]) -> Callable[[int], bytes | None]:
    return lambda position: log[position - 1] if 0 < position <= len(log) else None


@given(identities, identities, entries, entries, st.integers(0, 3), st.integers(0, 3))
def test_stores_fit_exactly_when_all_of_it_agrees(
    of_log: StoreIdentity, of_vault: StoreIdentity, log: list[bytes], known: list[bytes], changes: int, counted: int
) -> None:
    mark = mark_of(len(known), known[-1]) if known else NOTHING
    found = misfits_of(Stored(of_log, counted), Stored(of_vault, changes, mark), CHECK.__getitem__, entry_at(log))
    agree = (
        of_log == of_vault
        and of_log.key_check == CHECK[of_log.ledger]
        and changes >= counted
        and (not known or (len(known) <= len(log) and log[len(known) - 1] == known[-1]))
    )
    assert (not found) == agree
    assert all(one.text for one in found)


def test_epochs_are_ordered_by_their_number_and_no_two_are_the_same() -> None:
    first = first_epoch(os.urandom)
    second, other = next_epoch(first, os.urandom), next_epoch(first, os.urandom)
    assert [ordinal_of(one) for one in (first, second, other)] == [1, 2, 2]
    assert second != other
    of = [StoreIdentity("a", epoch, b"") for epoch in (first, second, other)]
    kinds = [misfit_of("views", Stored(one), of[1], entry_at([])) for one in of]
    assert [found and found.kind for found in kinds] == ["older", None, "diverged"]
    newer = misfit_of("views", Stored(of[1]), of[0], entry_at([]))
    assert newer is not None
    assert newer.kind == "newer"


def test_a_mark_is_of_one_entry_at_one_position() -> None:
    assert mark_of(1, b"a") != mark_of(2, b"a")
    assert mark_of(1, b"a") != mark_of(1, b"b")
    assert misfit_of(
        "x", Stored(StoreIdentity("a", "1-a", b""), mark=Mark(1, b"")), StoreIdentity("a", "1-a", b""), entry_at([b"a"])
    )
