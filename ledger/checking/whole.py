"""Log and vault of one ledger, checked whole and against each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from ledger import log_schema, vault_schema
from ledger.checking.entries import Claim, Entries
from ledger.checking.findings import Finding, Unreadable
from ledger.checking.people import People
from ledger.checking.schema import check_file, check_server
from ledger.database import Location, is_server, uuid_bytes
from ledger.keys import Keys
from ledger.scanning import Scan, scanning
from ledger.store_table import read_store
from ledger.stores import Misfit, Stored, misfits_of
from ledger.terms import LEDGER_STREAM

_CLAIMS = 5_000


class Checked(NamedTuple):
    """What was read, and what is wrong with it."""

    entries: int
    contacts: int
    findings: list[Finding]


def check_stores(log: Location, vault: Location, keys: Keys | None) -> Checked:
    """Read log and vault to their ends; without keys the vault's rows are not opened. Changes nothing.

    The log is read as of one moment, and the vault as of a later one, which then holds all that the log names.
    """
    names = ("log", "vault") if is_server(log) else ("log.db", "vault.db")
    if _is_made_before(log, vault):  # in the form of an earlier program, which is no sign of damage
        return Checked(0, 0, [_found(one, names) for one in misfits_of(None, None, lambda _: b"", lambda _: None)])
    found: list[Finding] = []
    entries: Entries | None = None
    of_log, of_vault = Unreadable(names[0], found), Unreadable(names[1], found)
    known = _stored(vault, names[1])
    with of_log, scanning(log) as scan:
        with of_log:
            found += _declared(scan, names[0], log_schema.metadata)
        entries = Entries(scan, names[0])
        with of_vault, scanning(vault, "vault") as other:
            with of_vault:
                found += _declared(other, names[1], vault_schema.metadata)
            if keys is not None:
                with of_vault:
                    found += _misfits(scan, other, known, keys, names)
            people = People(other, keys, names[1]) if keys else None
            with of_vault:  # what keeps the log from being read says that it is the log
                _compare(entries, people, found.append)
            if people is not None:
                found += people.check()
    head, contacts = (entries.head, len(entries.streams)) if entries is not None else (0, 0)
    return Checked(head, contacts, found)


def _is_made_before(log: Location, vault: Location) -> bool:
    """Whether neither says which ledger it is of, and both can be read."""
    unread: list[Finding] = []
    with Unreadable("log", unread), scanning(log) as one, scanning(vault, "vault") as other:
        return not (_says_of_which(one) or _says_of_which(other))
    return False


def _says_of_which(scan: Scan) -> bool:
    if isinstance(scan.driver, sqlite3.Connection):
        there = scan.driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'store'").fetchone()
        if there is None:
            return False
    return read_store(scan.driver) is not None


def _found(one: Misfit, names: tuple[str, str]) -> Finding:
    return Finding({"log": names[0], "vault": names[1]}.get(one.store, one.store), one.kind, "", one.text)


def _declared(scan: Scan, store: str, metadata: sa.MetaData) -> Iterator[Finding]:
    if isinstance(scan.driver, sqlite3.Connection):
        yield from check_file(scan.driver, store, metadata)
    elif store == "log":
        yield from check_server(scan.driver, store)


def _compare(entries: Entries, people: People | None, note: Callable[[Finding], None]) -> None:
    """The log once from end to end; what it says of the vault is looked up there by the thousand."""
    read = entries.check()
    while part := list(islice(read, _CLAIMS)):
        for one in part:
            if isinstance(one, Finding):
                note(one)
        if people is not None:
            for finding in people.missing(one for one in part if isinstance(one, Claim)):
                note(finding)
    if people is not None:
        # the ledger's own stream is nobody's: it has a key only where an entry of it has a payload
        for finding in people.unknown(sorted(entries.streams.keys() - {uuid_bytes(LEDGER_STREAM)})):
            note(finding)


def _stored(vault: Location, store: str) -> Stored | None:
    """What the vault says of itself before the log is read: the entry that it knows is then in the log."""
    unread: list[Finding] = []
    with Unreadable(store, unread), scanning(vault, "vault") as scan:
        return read_store(scan.driver)
    return None  # what cannot be read is said when it is read whole


def _misfits(log: Scan, vault: Scan, known: Stored | None, keys: Keys, names: tuple[str, str]) -> Iterator[Finding]:
    """What opening would say: of the keys, of a part that is another ledger's, older or newer."""
    later = read_store(vault.driver)
    of_vault = later._replace(mark=known.mark) if later and known else later

    def entry_at(position: int) -> bytes | None:
        row = log.driver.execute("SELECT state FROM entry WHERE position = ?", (position,)).fetchone()
        return bytes(row[0]) if row else None

    for one in misfits_of(read_store(log.driver), of_vault, keys.check_of, entry_at):
        yield _found(one, names)
