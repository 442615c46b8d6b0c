"""Stops of whoever comes to be known later: of a whole domain, or of an address of which only a digest was given.

The vault keeps what such a stop is found by as keyed hashes, never as text. Whoever is known by then is stopped at
once, and whoever arrives later as soon as their address is linked (`ledger.linking`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from ledger import spelling
from ledger.database import Driver
from ledger.lookups import Lookups
from ledger.resolving import select_in
from ledger.tallies import Change
from ledger.terms import BEGINNING, BY_DIGEST, BY_DOMAIN

Kind = Literal["domain", "md5", "sha1", "sha256"]
DIGESTS: Mapping[int, Kind] = {32: "md5", 40: "sha1", 64: "sha256"}
"""Hexadecimal digits -> what was computed."""
VIA: Mapping[Kind, str] = {
    "domain": BY_DOMAIN,
    "md5": BY_DIGEST,
    "sha1": BY_DIGEST,
    "sha256": BY_DIGEST,
}
"""By which door a stop reached somebody who was not named by address."""


class Wide(NamedTuple):
    """What a stop is of: a domain in its normal form, or a digest in lower-case hexadecimal digits."""

    kind: Kind
    text: str


ANY = Wide("domain", "")
"""Stands as soon as anything does, so that a ledger without such a stop looks nothing else up."""


class Standing(NamedTuple):
    """A stop that stands for whoever arrives, and since when; `BEGINNING` where nobody knows."""

    kind: Kind
    since: datetime


def domain_of(text: str) -> str:
    """The normal form of a domain."""
    return spelling.normal(f"a@{text}").rpartition("@")[2]


def wides_of(email: str) -> set[Wide]:
    """Everything by which a stop may be of an address without naming it."""
    normal = spelling.normal(email)
    found = {Wide("domain", normal.rpartition("@")[2])}
    for form in {email.strip(), email.strip().lower(), normal, spelling.unmarked(normal)}:
        said = form.encode("utf-8", "surrogatepass")
        found.add(Wide("md5", hashlib.md5(said, usedforsecurity=False).hexdigest()))
        found.add(Wide("sha1", hashlib.sha1(said, usedforsecurity=False).hexdigest()))
        found.add(Wide("sha256", hashlib.sha256(said).hexdigest()))
    return found


def keep(driver: Driver, lookups: Lookups, change: Change, stops: Iterable[tuple[Wide, datetime]]) -> None:
    """Let stops stand, each time since when one is said once."""
    pending = {(wide, since.isoformat()) for wide, since in stops}
    if pending:
        pending.add((ANY, BEGINNING.isoformat()))
    turn = 0
    while pending:  # few are said of more than one time
        hashes = {said: lookups.standing(*said[0], turn) for said in sorted(pending)}
        held = _since(driver, hashes.values())
        fresh: dict[bytes, tuple[str, str]] = {}
        for said, hashed in hashes.items():
            if hashed not in held:
                fresh.setdefault(hashed, (said[0].kind, said[1]))
        for hashed, (kind, since) in fresh.items():
            driver.execute("INSERT INTO suppression (hmac, kind, since) VALUES (?, ?, ?)", (hashed, kind, since))
            change.add("suppression", hashed, kind, since)
            held[hashed] = since
        pending = {said for said, hashed in hashes.items() if held[hashed] != said[1]}
        turn += 1


def standing(driver: Driver, lookups: Lookups, emails: Iterable[str]) -> dict[str, list[Standing]]:
    """The stops that stand for each of these addresses, of those that any stands for."""
    if not _since(driver, [lookups.standing(*ANY)]):
        return {}
    found: dict[str, list[Standing]] = {}
    asked = {(email, wide) for email in emails for wide in wides_of(email)}
    turn = 0
    while asked:
        hashes = {pair: lookups.standing(*pair[1], turn) for pair in asked}
        held = _since(driver, hashes.values())
        asked = {pair for pair, hashed in hashes.items() if hashed in held}
        turn += 1
        for email, wide in sorted(asked):
            since = datetime.fromisoformat(held[hashes[email, wide]])
            found.setdefault(email, []).append(Standing(wide.kind, since))
    return found


def _since(driver: Driver, hashes: Iterable[bytes]) -> dict[bytes, str]:
    return dict(select_in(driver, "SELECT hmac, since FROM suppression", "hmac", set(hashes)))


def reached(written: Iterator[tuple[str, str, str]], wides: Iterable[Wide]) -> dict[Wide, list[tuple[str, str]]]:
    """Of all (contact, address id, address) those that each stop is of."""
    found: dict[Wide, list[tuple[str, str]]] = {wide: [] for wide in wides}
    for contact, address, email in written:
        for wide in wides_of(email):
            if wide in found:
                found[wide].append((contact, address))
    return found
