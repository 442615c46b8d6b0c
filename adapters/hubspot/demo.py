"""Invented exports: one with every situation in it, to show and to test with; one large, to measure with.

Everybody in them is made up; every address is under a domain reserved for examples (RFC 2606, RFC 6761).
The same seed gives the same bytes.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import IO

TYPES = ("Marketing Information", "Product News", "Customer Service Communication")
HEADER = (
    "Record ID", "First Name", "Last Name", "Email", "Additional email addresses", "Phone Number",
    "Country/Region", "State/Region", "IP Country", "IP Country Code", "IP State/Region",
    "Preferred language", "Contact owner", "Create Date", "Last Modified Date", "Marketing contact status",
    "Marketing contact status source type", "Marketing contact until next update",
    "Legal basis for processing contact's data", "Marketing email confirmation status",
    "Unsubscribed from all email", *(f"Opted out of email: {kind}" for kind in TYPES),
    "Email Address Quarantined", "Email address automated quarantine reason",
    "Email address quarantine reason", "Email hard bounce reason", "Invalid email address", "Lifecycle Stage",
    "Number of Form Submissions", "Recent Deal Close Date", "Original Source", "Associated Company",
)  # fmt: skip
NEWEST = datetime(2026, 11, 20, 17, 30)  # noqa: DTZ001  an export names no zone
"""The demo is an export of this moment, in whatever zone the portal has."""

LEGAL_BASES = (
    "Freely given consent from contact",
    "Legitimate interest – prospect/lead",
    "Legitimate interest – existing customer",
    "Legitimate interest - other",
    "Performance of a contract",
    "Not applicable",
)
CONFIRMATIONS = (
    "User clicked confirmation",
    "Confirmed",
    "Confirmed due to form",
    "Confirmation Pending",
    "Confirmation Email Sent",
    "HubSpot Rep. marked confirmed",
    "Customer marked confirmed",
    "Confirmed from previous behavior",
)
QUARANTINES = ("ON_LIST_IMPORT", "HIGH_HARD_BOUNCE_RATE", "UNDELIVERABLE_ADDRESS", "OTHER")
BOUNCES = ("UNKNOWN_USER", "MAILBOX_FULL", "CONTENT", "POLICY", "SPAM", "OTHER")
STAGES = ("Subscriber", "Lead", "Marketing Qualified Lead", "Sales Qualified Lead", "Opportunity", "Customer")
SOURCES = (
    "Organic Search",
    "Direct Traffic",
    "Offline Sources",
    "Email Marketing",
    "Paid Search",
    "Referrals",
)
FLAG_SOURCES = (
    "FORM_SUBMISSION",
    "CONTACT_IMPORT",
    "INTEGRATOR_SET",
    "USER_SET",
    "WORKFLOW",
    "INITIAL_STATE",
)

# country, dialling code, IP country, IP code, language, state, how many in a hundred
PLACES = (
    ("Germany", "+49", "germany", "de", "de", "Bayern", 22),
    ("Austria", "+43", "austria", "at", "de-at", "", 7),
    ("France", "+33", "france", "fr", "fr", "", 9),
    ("Spain", "+34", "spain", "es", "es", "", 7),
    ("Italy", "+39", "italy", "it", "it", "", 6),
    ("Ireland", "+353", "ireland", "ie", "en-ie", "", 4),
    ("United Kingdom", "+44", "united kingdom", "gb", "en-gb", "", 9),
    ("Canada", "+1", "canada", "ca", "en-ca", "Ontario", 7),
    ("United States", "+1", "united states", "us", "en-us", "California", 8),
    ("Australia", "+61", "australia", "au", "en-au", "New South Wales", 4),
    ("Poland", "+48", "poland", "pl", "pl", "", 4),
    ("Belgium", "+32", "belgium", "be", "nl-be", "", 3),
    ("Netherlands", "+31", "netherlands", "nl", "nl", "", 4),
    ("Romania", "+40", "romania", "ro", "ro", "", 2),
    ("", "", "", "", "", "", 4),
)
FIRST = (
    "Ana Björn Carla Dmitri Élodie Fatima Giulia Hanna Ivo Jürgen Katarzyna Liam Maëlle Niamh Oskar Paula "
    "Quentin Rosa Søren Théo Ulla Vera Wim Ximena Yannick Zoë Ștefan Łukasz Ñico Aoife"
)  # fmt: skip
LAST = (
    "Ackermann Brandt Costa Dubois Eriksson Fischer García Huber Ionescu Janssens Kowalska Lefèvre Müller "
    "Nowak O'Neill Popescu Quinn Rossi Schäfer Taylor Urban Vidal Weiß Young Zimmermann Łoś Ødegård"
)  # fmt: skip
NON_LATIN = (("Дмитрий", "Иванов"), ("美咲", "田中"), ("محمد", "حسن"), ("Ελένη", "Παππά"), ("다은", "김"))
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", '=HYPERLINK("https://x.example","x")', "@SUM(1)")
COMPANIES = (
    "Nordlicht GmbH",
    "Atelier Bleu",
    "Campo Verde SL",
    "Harbour & Sons",
    "Maple Works",
    "Piekarnia Rano",
)
DOMAINS = ("example.com", "example.org", "example.net", "nordlicht.example", "atelier-bleu.example")
OWNERS = ("Mara Lind", "Tom Baker", "")
ROLES = ("info", "sales", "kontakt", "contact", "buchhaltung", "office")

Cells = dict[str, str]


def write_demo_export(path: Path, *, seed: int = 2026, contacts: int = 400) -> None:
    """Write a HubSpot contacts export (English labels, UTF-8) of at least `contacts` records.

    Every situation stands in it at least once: see `_situations`. A handful of rows cannot be taken in.
    """
    random = Random(seed)  # noqa: S311  nothing secret is drawn
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(HEADER)
        number = 101
        for cells in _situations(random):
            cells.setdefault("Record ID", str(number))
            writer.writerow([cells.get(label, "") for label in HEADER])
            number += 1
        _write_broken(file, number)
        for _ in range(max(0, contacts - (number - 101))):
            number += 1
            cells = _ordinary(random, number)
            writer.writerow([cells.get(label, "") for label in HEADER])


def write_portal_export(path: Path, *, rows: int = 250_000, seed: int = 2026) -> None:
    """Write a large export of ordinary records, each address once: a portal's, to measure with."""
    random = Random(seed)  # noqa: S311  nothing secret is drawn
    people = [_ordinary(random, number) for number in range(2_000)]
    pool = [[cells.get(label, "") for label in HEADER] for cells in people]
    record, email = HEADER.index("Record ID"), HEADER.index("Email")
    created, modified = HEADER.index("Create Date"), HEADER.index("Last Modified Date")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(HEADER)
        for number in range(rows):
            cells = pool[random.randrange(len(pool))].copy()
            cells[record] = str(1_000_000 + number)
            local, _, domain = cells[email].partition("@")
            cells[email] = f"{local}.{number}@{domain}" if local else ""
            age = random.randrange(2_000_000)
            cells[created] = _minute(NEWEST - timedelta(minutes=age))
            cells[modified] = _minute(NEWEST - timedelta(minutes=age // 20))
            writer.writerow(cells)


def _person(random: Random, number: int, place: int | None = None, **cells: str) -> Cells:
    """Somebody with a name, an address and a place; everything about consent is empty."""
    first, last = random.choice(FIRST.split()), random.choice(LAST.split())
    weights = [entry[-1] for entry in PLACES]
    where = random.choices(PLACES, weights)[0] if place is None else PLACES[place]
    country, dialling, ip_country, ip_code, language, state, _ = where
    created = NEWEST - timedelta(days=random.randrange(30, 2_400), minutes=random.randrange(1_440))
    modified = NEWEST - timedelta(minutes=random.randrange(60, 60 * 24 * 90))
    online = random.random() < 0.7
    return {
        "Record ID": str(number),
        "First Name": first,
        "Last Name": last,
        "Email": f"{_plain(first)}.{_plain(last)}{number}@{random.choice(DOMAINS)}".strip("."),
        "Phone Number": f"{dialling} {random.randrange(100, 999)} 555{number % 1000:03}" if dialling else "",
        "Country/Region": country,
        "State/Region": state,
        "IP Country": ip_country if online else "",
        "IP Country Code": ip_code if online else "",
        "Preferred language": language if random.random() < 0.4 else "",
        "Contact owner": random.choice(OWNERS),
        "Create Date": _minute(created),
        "Last Modified Date": _minute(max(created, modified)),
        "Marketing contact status": "Marketing contact",
        "Marketing contact status source type": random.choice(FLAG_SOURCES),
        "Lifecycle Stage": random.choice(STAGES),
        "Number of Form Submissions": "0",
        "Original Source": random.choice(SOURCES),
        "Associated Company": random.choice(COMPANIES) if random.random() < 0.5 else "",
        **cells,
    }


def _ordinary(random: Random, number: int) -> Cells:
    """Somebody as most records are: marked for marketing, and little to show for it."""
    cells = _person(random, number)
    if random.random() < 0.36:
        cells["Marketing contact status"] = "Non-marketing contact"
    if random.random() < 0.35:
        cells["Legal basis for processing contact's data"] = random.choice(LEGAL_BASES)
    if random.random() < 0.2:
        cells["Marketing email confirmation status"] = random.choice(CONFIRMATIONS)
    if random.random() < 0.3:
        cells["Number of Form Submissions"] = str(random.randrange(1, 6))
    if cells["Lifecycle Stage"] == "Customer":
        days = random.randrange(10, 1_500)
        cells["Recent Deal Close Date"] = _minute(NEWEST - timedelta(days=days))
    if random.random() < 0.06:
        cells["Unsubscribed from all email"] = "Yes"
    if random.random() < 0.05:
        cells[f"Opted out of email: {random.choice(TYPES)}"] = "Yes"
    if random.random() < 0.03:
        cells["Email hard bounce reason"] = random.choice(BOUNCES)
    return cells


def _situations(random: Random) -> Iterator[Cells]:
    """One record or two for everything an audit has to get right. Record ids are given by the caller."""
    for made, overrides in enumerate(_overrides()):
        cells = _person(random, 900 + made)
        del cells["Record ID"]
        yield cells | overrides
    for place in range(len(PLACES)):
        cells = _person(random, 700 + place, place)
        del cells["Record ID"]
        yield cells
    yield from _twice(random)


def _overrides() -> Iterator[Cells]:
    basis, confirmation = "Legal basis for processing contact's data", "Marketing email confirmation status"
    status, stopped = "Marketing contact status", "Unsubscribed from all email"
    for value in LEGAL_BASES:
        yield {basis: value}
    for value in CONFIRMATIONS:
        yield {confirmation: value}
    yield {basis: f"{LEGAL_BASES[4]};{LEGAL_BASES[2]}", "Lifecycle Stage": "Customer"}
    yield {basis: "Legitimate interest - existing customer"}  # a hyphen where HubSpot has an en dash
    yield {basis: "Verbal agreement at the fair"}
    yield {basis: LEGAL_BASES[0], confirmation: CONFIRMATIONS[0], "Number of Form Submissions": "1"}
    yield {stopped: "Yes"}
    yield {stopped: "Yes", basis: LEGAL_BASES[0], confirmation: CONFIRMATIONS[0]}
    yield {stopped: "Yes", status: "Non-marketing contact"}
    yield {stopped: "perhaps"}
    for kind in TYPES:
        yield {f"Opted out of email: {kind}": "Yes"}
    yield {f"Opted out of email: {kind}": "Yes" for kind in TYPES}
    quarantined, reason = "Email Address Quarantined", "Email address automated quarantine reason"
    yield {quarantined: "Yes", reason: "RECIPIENT_COMPLAINT"}
    for value in QUARANTINES:
        yield {quarantined: "Yes", reason: value}
    yield {quarantined: "Yes", "Email address quarantine reason": "BLOCKLIST_REMEDIATION"}
    for value in BOUNCES:
        yield {"Email hard bounce reason": value}
    yield {"Invalid email address": "Yes"}
    yield {"Marketing contact until next update": "Yes"}
    yield {"Marketing contact until next update": "Yes", stopped: "Yes"}
    yield {status: "Non-marketing contact"}
    yield {status: "To be decided"}
    yield {status: ""}
    yield {"Email": ""}
    yield {"Email": "", stopped: "Yes"}
    yield {"Email": "shared.inbox@example.org", basis: LEGAL_BASES[0]}
    yield {"Email": "Shared.Inbox@example.org", stopped: "Yes"}
    yield {"Additional email addresses": "second.address@example.net;third.address@example.org"}
    for role in ROLES:
        yield {"Email": f"{role}@nordlicht.example"}
    yield from _odd_places()
    for first, last in NON_LATIN:
        yield {"First Name": first, "Last Name": last, "Email": f"guest{len(first)}{len(last)}@example.net"}
    yield {"Email": "jürgen.weiß@example.com"}
    for number, formula in enumerate(FORMULAS):
        yield {"First Name": formula, "Associated Company": formula, "Email": f"sheet{number}@example.com"}


def _odd_places() -> Iterator[Cells]:
    nowhere = dict.fromkeys(
        (
            "Country/Region",
            "State/Region",
            "IP Country",
            "IP Country Code",
            "Phone Number",
            "Preferred language",
        ),
        "",
    )
    yield {**nowhere, "IP Country": "united states", "IP Country Code": "us", "IP State/Region": "texas"}
    yield {**nowhere, "Country/Region": "Germany", "IP Country Code": "us", "Phone Number": "+33 1 55 55 01"}
    yield {**nowhere, "Country/Region": "Österreich", "Phone Number": "+49 170 555 01"}
    yield {**nowhere, "Phone Number": "+1 416 555 0101"}
    yield {**nowhere, "State/Region": "California"}
    yield {**nowhere, "Country/Region": "Atlantis"}
    yield {**nowhere, "Preferred language": "de-at"}
    yield nowhere


def _twice(random: Random) -> Iterator[Cells]:
    """Record ids that stand twice: with differing consent, with the same, and word for word."""
    stopped = "Unsubscribed from all email"
    differing = _person(random, 801)
    yield differing
    yield {**differing, stopped: "Yes"}
    moved = _person(random, 802)
    yield moved
    yield {**moved, "Phone Number": "+44 20 555 0199"}
    same = _person(random, 803)
    yield same
    yield same.copy()


def _write_broken(file: IO[str], number: int) -> None:
    """Rows that cannot be taken in: bad addresses, two with cells beyond the header, unmatched quotes."""
    whole = [""] * len(HEADER)
    for offset, address in enumerate(("no-at-sign.example.com", "two@@example.com", "space in@example.com")):
        cells = whole.copy()
        cells[0], cells[HEADER.index("Email")] = str(number + 900 + offset), address
        file.write(",".join(f'"{cell}"' for cell in cells) + "\n")
    for offset in (910, 911):
        cells = [str(number + offset), "Long", *whole[2:], "beyond the header"]
        file.write(",".join(f'"{cell}"' for cell in cells) + "\n")
    file.write(f'"{number + 912}","Quote"d","Wrong"\n')


_SPELLED = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "ü": "ue", "ö": "oe", "ä": "ae"})


def _plain(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().translate(_SPELLED))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalpha()) or "x"


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
