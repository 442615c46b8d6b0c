"""Signs of where a person is, read from whatever cells an export has.

Only what points to one country counts (a dialling code of several points to each of them); what is
ambiguous gives no sign. How much a kind of sign says is for policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from adapters import countries
from adapters.hubspot.labels import fold
from ledger.events import CountryHint

Kind = Literal["declared", "region", "state", "ip", "phone", "language", "domain"]

_CODE = re.compile(r"[A-Za-z]{2}\Z").match
_REGION = re.compile(r"([a-z]{2,3})[-_](?:[a-z]{4}[-_])?([a-z]{2})\Z", re.IGNORECASE).match
_CACHED = 100_000
_PREFIX = 10


class Signs(NamedTuple):
    """The cells of one row that may tell a country, trimmed; "" where there is none.

    dialling  what `CountryReader.dialling` makes of a phone number: rows of one place are then equal
    domain    the last label of the address's domain
    """

    country: str = ""
    country_code: str = ""
    state: str = ""
    ip_country: str = ""
    ip_country_code: str = ""
    ip_state: str = ""
    dialling: str = ""
    language: str = ""
    domain: str = ""


class CountryReader:
    """Cells -> hints, remembering what it has read: an export has few different rows in this respect."""

    def __init__(self) -> None:
        self._names = _pairs(countries.ENGLISH + countries.OTHER_LANGUAGES)
        self._regions = {name: code for name, code in _pairs(countries.STATES).items() if name not in self._names}
        self._states = {**_pairs(countries.STATES), **_lone_codes()}
        self._dialling = {
            code: tuple(found) for code, *found in (entry.split(" ") for entry in _entries(countries.DIALLING))
        }
        self._languages = dict(entry.split(" ") for entry in _entries(countries.LANGUAGES))
        self._no_country = frozenset(countries.NO_COUNTRY_DOMAINS.split())
        self._prefixes: dict[str, str] = {}
        self._known: dict[Signs, tuple[CountryHint, ...]] = {}

    def read(self, signs: Signs) -> tuple[CountryHint, ...]:
        """The hints of one row, each country and kind once."""
        hints = self._known.get(signs)
        if hints is None:
            found = dict.fromkeys(self._found(signs))
            hints = tuple(CountryHint(country=country, kind=kind) for country, kind in found)
            if len(self._known) < _CACHED:
                self._known[signs] = hints
        return hints

    def dialling(self, phone: str) -> str:
        """The dialling code of a phone number written internationally, else ""."""
        start = phone[:_PREFIX]
        found = self._prefixes.get(start)
        if found is None:
            found = self._code_of(start.lstrip("'\"( "))
            if len(self._prefixes) < _CACHED:
                self._prefixes[start] = found
        return found

    def understands(self, cell: str) -> bool:
        """Whether a country cell names one."""
        return self._country(cell) is not None

    def _found(self, signs: Signs) -> Iterator[tuple[str, Kind]]:
        read: tuple[tuple[str | None, Kind], ...] = (
            (self._country(signs.country), "declared"),
            (self._country(signs.country_code), "declared"),
            (self._state(signs.state), "region" if fold(signs.state) in self._regions else "state"),
            (self._country(signs.ip_country_code), "ip"),
            (self._country(signs.ip_country), "ip"),
            (self._state(signs.ip_state, named=True), "ip"),
            *((country, "phone") for country in self._dialling.get(signs.dialling, ())),
            (self._language(signs.language), "language"),
            (self._domain(signs.domain), "domain"),
        )
        for country, kind in read:
            if country is not None:
                yield country, kind

    def _country(self, cell: str) -> str | None:
        if _CODE(cell):
            code = cell.upper()
            return "GB" if code == "UK" else code if code in countries.CODES else None
        return self._names.get(fold(cell)) if cell else None

    def _state(self, cell: str, *, named: bool = False) -> str | None:
        if not cell or (named and len(cell) < 4):
            return None
        return self._states.get(fold(cell))

    def _code_of(self, phone: str) -> str:
        if phone.startswith("00"):
            phone = "+" + phone[2:]
        if not phone.startswith("+"):
            return ""
        digits = "".join(filter(str.isdigit, phone))
        return next((digits[:length] for length in (3, 2, 1) if digits[:length] in self._dialling), "")

    def _language(self, cell: str) -> str | None:
        """`de-at` and `German - Austria` name a country; `it` and `Italian` nearly do; `de` does not."""
        region = _REGION(cell)
        if region:
            return self._country(region[2])
        _, dash, name = cell.partition(" - ")
        return self._country(name.strip()) if dash else self._languages.get(cell.casefold())

    def _domain(self, label: str) -> str | None:
        if label in self._no_country or not _CODE(label):
            return None
        return self._country(label)


def _entries(table: str) -> list[str]:
    return [entry for line in table.split("\n") for entry in line.split("|") if entry]


def _pairs(table: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for entry in _entries(table):
        code, _, name = entry.partition(" ")
        pairs.setdefault(fold(name), code)
    return pairs


def _lone_codes(codes: Mapping[str, str] = countries.STATE_CODES) -> dict[str, str]:
    """State codes only one country has, in the countries whose codes people write."""
    owners: dict[str, set[str]] = {}
    for country, joined in codes.items():
        for code in joined.split(" "):
            owners.setdefault(fold(code), set()).add(country)
    lone = {code: next(iter(countries_)) for code, countries_ in owners.items() if len(countries_) == 1}
    return {code: country for code, country in lone.items() if country in countries.CODED_STATES}
