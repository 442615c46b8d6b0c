"""Moving a vault on to today's form of addresses: what an earlier program wrote is read, and found by it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.exceptions import InvalidTag

from ledger import spelling
from ledger.database import Driver, SetupError
from ledger.lookups import Lookups
from ledger.resolving import select_in
from ledger.sealing import Wrapping
from ledger.tallies import Tallies

_AT_A_TIME = 5_000
_ROWS = (
    "SELECT a.rowid, a.address_id, a.contact, a.lookup, CAST(a.ciphertext AS BLOB), k.wrapped FROM address a "
    "JOIN contact_key k ON k.contact = a.contact WHERE a.rowid > ? AND k.wrapped IS NOT NULL ORDER BY a.rowid LIMIT ?"
)


def move_on(driver: Driver, lookups: Lookups, wrapping: Wrapping, tallies: Tallies) -> None:
    """Bring every look-up to the version of this program, within a transaction; once.

    Raises SetupError for a vault of a later version.
    """
    if is_current(driver):
        return
    moved = sum([_move(driver, lookups, row, text) for row, text in written(driver, wrapping)])
    driver.execute("DELETE FROM spelling")
    driver.execute("INSERT INTO spelling (version, linked) VALUES (?, ?)", (spelling.VERSION, moved == 0))
    tallies.count_again(driver, ("address", "suppression"))


def is_current(driver: Driver) -> bool:
    """Whether the look-ups are of the version of this program. Raises SetupError for a later one."""
    row = driver.execute("SELECT max(version) FROM spelling").fetchone()
    version = row[0] or 0
    if version > spelling.VERSION:
        raise SetupError(
            f"this ledger's addresses are in form {version}, this program knows form {spelling.VERSION}: "
            "use the program that wrote them, or a later one"
        )
    return bool(version == spelling.VERSION)


def written(driver: Driver, wrapping: Wrapping) -> Iterator[tuple[Any, str]]:
    """Every address that can be read, as it was written, the oldest first."""
    last = -1
    while rows := driver.execute(_ROWS, (last, _AT_A_TIME)).fetchall():
        for row in rows:
            last, address, contact, _, ciphertext, wrapped = row
            try:
                plain = wrapping.unwrap(contact, wrapped).open(b"address", address, ciphertext)
            except InvalidTag:
                continue  # nobody can say what it was; whoever asks for it is told that it is damaged
            yield row, plain.decode()


def _move(driver: Driver, lookups: Lookups, row: Any, email: str) -> bool:
    """One address; whether anything about it is new."""
    _, address, _, lookup, _, _ = row
    new, broad = lookups.address(email), lookups.broad(email)
    if new == lookup == broad:
        return False
    if new != lookup:
        held = driver.execute("SELECT 1 FROM address WHERE lookup = ?", (new,)).fetchone()
        # Two that were two are one now: the older is found, the younger keeps its stops, which pass over.
        new = new if held is None else lookups.parked(address)
        driver.execute("UPDATE address SET lookup = ? WHERE address_id = ?", (new, address))
    driver.execute(
        "INSERT INTO alike (address_id, broad) VALUES (?, ?) "
        "ON CONFLICT (address_id) DO UPDATE SET broad = excluded.broad",
        (address, broad),
    )
    _suppress_every_form(driver, lookups, email)
    return True


def _suppress_every_form(driver: Driver, lookups: Lookups, email: str) -> None:
    hashes = lookups.suppressions(email)
    found = sorted(select_in(driver, "SELECT since, kind FROM suppression", "hmac", hashes))
    if found:
        since, kind = found[0]
        driver.executemany(
            "INSERT INTO suppression (hmac, kind, since) VALUES (?, ?, ?) ON CONFLICT (hmac) DO NOTHING",
            [(hashed, kind, since) for hashed in hashes],
        )
