"""Made-up people: a name, an address, a place, and the cells a contacts export shows of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

from adapters.hubspot.demo import (
    COMPANIES,
    FIRST,
    FLAG_SOURCES,
    LAST,
    LEGAL_BASES,
    OWNERS,
    PLACES,
    SOURCES,
    STAGES,
    TYPES,
    Cells,
)
from adapters.hubspot.portal.calendar import Calendar, local

CONSENT, PROSPECT, CUSTOMER, INTEREST, CONTRACT, NOT_APPLICABLE = LEGAL_BASES
"""What the field for the legal basis may say."""
LEGAL_BASIS = "Legal basis for processing contact's data"
CONFIRMATION = "Marketing email confirmation status"
STATUS = "Marketing contact status"
OPTED_OUT = "Unsubscribed from all email"
TYPE_OPTED_OUT = "Opted out of email: "
INFORMATION, NEWS, _ = TYPES
FIRST_RECORD = 1_001

_WEIGHTS = {
    "Germany": 46,
    "Austria": 10,
    "France": 10,
    "United Kingdom": 9,
    "Italy": 5,
    "Spain": 5,
    "Canada": 4,
    "United States": 4,
    "": 4,
}
_PLACES = {place[0]: place for place in PLACES if place[0] in _WEIGHTS}
EVERYWHERE = tuple(_WEIGHTS)
DECLARED = tuple(country for country in EVERYWHERE if country)
SHOPPING = tuple(country for country in DECLARED if country != "United States")
"""Countries where a sale with a refusal offered carries marketing, beside German law."""
LASTING = ("Germany", "Austria", "United Kingdom", "Italy", "Spain")
"""Of those, the countries where it does so for longer than three years."""
LAPSING = ("France", "Canada")
GERMANY, AMERICA, NOWHERE = ("Germany",), ("United States",), ("",)
DOMAINS = ("example.com", "example.org", "example.net", "hafenkontor.example", "bergblick.example", "atelier.example")
_NATIONAL = frozenset({"Canada", "United States"})
"""They share a dialling code, so an international number would point to both: written without it."""


@dataclass(slots=True)
class Person:
    """One record of the portal. `twin`: another record that a persona makes of the same or another person.

    mailed: whether the portal's ordinary campaigns went out to them
    """

    number: int
    first: str
    last: str
    email: str
    country: str
    cells: Cells
    mailed: bool = True
    twin: Person | None = None
    _written: list[str] = field(default_factory=list)

    @property
    def record_id(self) -> str:
        """The id HubSpot gave the record."""
        return str(FIRST_RECORD + self.number)

    def move(self, email: str) -> None:
        """Give them another address."""
        self.email = self.cells["Email"] = email

    def nowhere(self) -> None:
        """Take away every sign of where they are, but for what their address may say."""
        for label in ("Country/Region", "State/Region", "IP Country", "IP Country Code", "Phone Number"):
            self.cells[label] = ""
        self.cells["Preferred language"] = ""
        self.country = ""


@dataclass(slots=True)
class People:
    """Draws people, each with an address of their own."""

    random: Random
    calendar: Calendar
    drawn: int = 0

    def draw(self, places: Sequence[str]) -> Person:
        """Somebody in one of these places, of whom the export shows no consent and no stop."""
        random, number = self.random, self.drawn
        self.drawn += 1
        first, last = random.choice(_FIRST), random.choice(_LAST)
        country = places[0] if len(places) == 1 else random.choices(places, [_WEIGHTS[p] for p in places])[0]
        email = f"{plain(first)}.{plain(last)}{FIRST_RECORD + number}@{random.choice(DOMAINS)}"
        return Person(number, first, last, email, country, self._cells(number, first, last, email, country))

    def _cells(self, number: int, first: str, last: str, email: str, country: str) -> Cells:
        random, calendar = self.random, self.calendar
        _, dialling, ip_country, ip_code, language, state, _ = _PLACES[country]
        online = random.random() < 0.6
        created = calendar.ago(random, 1_700, 950)
        modified = calendar.ago(random, 90)
        digits = f"{random.randrange(100, 999)} 555{number % 1000:03}"
        return {
            "Record ID": str(FIRST_RECORD + number),
            "First Name": first,
            "Last Name": last,
            "Email": email,
            "Phone Number": _phone(country, dialling, digits) if random.random() < 0.5 else "",
            "Country/Region": country,
            "State/Region": state if random.random() < 0.3 else "",
            "IP Country": ip_country if online else "",
            "IP Country Code": ip_code if online else "",
            "Preferred language": language if random.random() < 0.4 else "",
            "Contact owner": random.choice(OWNERS),
            "Create Date": local(created),
            "Last Modified Date": local(modified),
            STATUS: "Marketing contact" if random.random() < 0.88 else "Non-marketing contact",
            "Marketing contact status source type": (source := random.choice(FLAG_SOURCES)),
            "Marketing contact status source name": _SOURCE_NAMES.get(source, ""),
            "Lifecycle Stage": random.choice(STAGES[:4]),
            "Number of Form Submissions": "0",
            "Original Source": random.choice(SOURCES),
            "Associated Company": random.choice(COMPANIES) if random.random() < 0.3 else "",
        }


_SOURCE_NAMES = {
    "CONTACT_IMPORT": "Address book 2019",
    "WORKFLOW": "Set new leads as marketing contacts",
    "FORM_SUBMISSION": "Newsletter footer",
    "INTEGRATOR_SET": "Shop connector",
}
_FIRST, _LAST = tuple(FIRST.split()), tuple(LAST.split())
_SPELLED = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "ü": "ue", "ö": "oe", "ä": "ae"})


def _phone(country: str, dialling: str, digits: str) -> str:
    if not country:
        return ""
    return digits if country in _NATIONAL else f"{dialling} {digits}"


@cache
def plain(name: str) -> str:
    """A name in the letters an address is written with."""
    spelled = unicodedata.normalize("NFKD", name.lower().translate(_SPELLED))
    return "".join(letter for letter in spelled if letter.isascii() and letter.isalpha())
