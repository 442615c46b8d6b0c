"""Rows of an open vault that somebody takes away: who said no is not made known anew as somebody who never did."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from adapters.wiring import now
from ledger import events as e
from ledger.application import Fact, Ledger
from ledger.damage import DamagedError
from ledger.vault import Registration
from tests import stores
from tests.ledgers import open_ledger

ANA, BEN = Registration("ana@example.com", "crm", "1"), Registration("ben@example.com", "crm", "2")
TAKE_AWAY = {
    "the address": ["DELETE FROM {address}"],
    "the record": ["DELETE FROM {record}"],
    "the address and its tally": ["DELETE FROM {address}", "DELETE FROM {tally} WHERE name = 'address'"],
}
CHANGE = {
    "what an address is found by": ["UPDATE {address} SET lookup = {other}", "UPDATE {record} SET lookup = {other}"],
    "the contact": ["UPDATE {address} SET contact = {other}", "UPDATE {record} SET contact = {other}"],
    "one row for another": [
        "DELETE FROM {address}",
        "DELETE FROM {record}",
        "INSERT INTO {address} (address_id, contact, lookup, ciphertext) VALUES ({other}, {other}, {other}, {other})",
        "INSERT INTO {record} (record_ref, contact, lookup, ciphertext) VALUES ({other}, {other}, {other}, {other})",
    ],
}
"""Changes that keep the number of rows."""
Run = Callable[[list[str]], None]


@pytest.fixture
def run(place: stores.Place) -> Run:
    """Runs statements on the vault as its owner, from outside of the program."""

    def on_file(statements: list[str]) -> None:
        with closing(sqlite3.connect(place.folder / "vault.db", isolation_level=None)) as driver:
            for statement in statements:
                names = {name: name for name in ("address", "record", "tally")}
                driver.execute(statement.format(**names, other="x'00112233445566778899aabbccddeeff'"))

    def on_server(statements: list[str]) -> None:
        assert place.owner_url is not None
        with psycopg.connect(place.owner_url, autocommit=True) as driver:
            for statement in statements:
                names = {name: f"vault.{name}" for name in ("address", "record", "tally")}
                driver.execute(statement.format(**names, other=r"'\x00112233445566778899aabbccddeeff'::bytea").encode())

    return on_file if place.url is None else on_server


def ledger_at(place: stores.Place) -> Ledger:
    """The ledger of a place."""
    return open_ledger(place.folder, now, os.urandom, {}, place.url)


def stopped(ledger: Ledger) -> None:
    """Ana opted out; Ben is known too."""
    ana, _ = ledger.register_many([ANA, BEN])
    ledger.record(Fact(e.OptedOut(stream=ana.contact, address=ana.address, source="crm")))


@pytest.mark.parametrize("what", TAKE_AWAY)
@pytest.mark.parametrize("reopened", [False, True])
def test_nobody_is_made_known_while_rows_are_gone(place: stores.Place, run: Run, what: str, reopened: bool) -> None:
    """Neither the stopped person nor anybody else, in the same process and after it was opened again."""
    with ledger_at(place) as ledger:
        stopped(ledger)
        if not reopened:
            run(TAKE_AWAY[what])
            with pytest.raises(DamagedError):
                ledger.register_many([ANA if what != "the record" else Registration(None, "crm", "1")])
            return
    run(TAKE_AWAY[what])
    with ledger_at(place) as ledger, pytest.raises(DamagedError):
        ledger.register_many([ANA if what != "the record" else Registration(None, "crm", "1")])


@pytest.mark.parametrize("what", CHANGE)
@pytest.mark.parametrize("who", [ANA, BEN])
def test_nobody_is_made_known_where_rows_are_not_as_they_were_written(
    place: stores.Place, run: Run, what: str, who: Registration
) -> None:
    """As many rows as before, and none by which the stopped person is found: the next program to open it says so."""
    with ledger_at(place) as ledger:
        (ana,) = ledger.register_many([ANA])
        ledger.record(Fact(e.OptedOut(stream=ana.contact, address=ana.address, source="crm")))
    run(CHANGE[what])
    with ledger_at(place) as ledger, pytest.raises(DamagedError, match="not as"):
        ledger.register_many([who])


def test_others_may_make_people_known_meanwhile(place: stores.Place) -> None:
    """Two programs on one vault: what the other wrote is no loss, whoever comes first."""
    with ledger_at(place) as one, ledger_at(place) as other:
        for number in range(6):
            for ledger in (one, other) if number % 2 else (other, one):
                (found,) = ledger.register_many([Registration(f"p{number}@example.com", "crm", str(number))])
                assert ledger.register_many([Registration(f"p{number}@example.com", "crm", None)])[0] == found._replace(
                    record=None, created=False
                )
