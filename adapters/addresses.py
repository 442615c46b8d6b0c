"""Is this an e-mail address, which addresses does a text hold, and whose are they: a person's or a role's?

Stops match broadly: `addresses_in` reads every address that a text may mean. Grants go to the letter: `address_of`
reads the one clear address of a cell, or none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, lru_cache
from html import unescape
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email

from ledger.spelling import broad, normal, unmarked

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z").match
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z").match
_NOT_MAILABLE = frozenset({"invalid", "local", "localhost", "onion", "arpa"})
_VARIANTS = {0xFE0E: None, 0xFE0F: None}
"""Signs that say how a symbol is drawn, and belong to no name."""
_EVERYBODY = frozenset("*%")
_JOINTS = str.maketrans("", "", "-_.")
_ROLES = """
info sales contact kontakt office hello hallo mail email support service kundenservice buero admin
administrator billing accounts accounting buchhaltung rechnung invoice marketing press presse hr jobs
karriere bewerbung team enquiries inquiries reception empfang sekretariat zentrale vertrieb einkauf verkauf
anfrage webmaster postmaster hostmaster abuse noreply donotreply help helpdesk serviceclient contacto
ventas hola administracion soporte ayuda comercial direccion accueil commercial bonjour comptabilite
facturation direction secretariat ufficio vendite amministrazione biuro kontor privacy datenschutz dpo legal
news newsletter
"""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*@[A-Za-z0-9.-]+\Z").match
_BETWEEN = (
    r"\s;,<>()\[\]\"\\:@\u00ab\u00bb\u2018\u201a-\u201f\u2039\u203a\u3001\u3008-\u3011\uff08\uff09\uff0c\uff1a\uff1b"
)
_BEFORE = re.compile(rf"[^{_BETWEEN}]+\Z")
_AFTER = re.compile(rf"[^{_BETWEEN}\x00-\x2c\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")
_CUTS = re.compile(r"[-.]")
_AT_SPACES = re.compile(r"[^\S\r\n]*@[^\S\r\n]*")
_QUOTED_LOCAL = re.compile(r"\"([^\"\s@]+)\"@")
_LETTERS_MEANT = str.maketrans({"\uff20": "@", "\ufe6b": "@", "\u2019": "'"})
_UNSEEN_LETTERS = frozenset("\u1806\u115f\u1160\u3164\uffa0")
_PAIRS = frozenset(
    (
        *("''", "``", '""', "**", "##", "==", "--", "__", "<>", "()", "[]", "{}"),
        *("\u201c\u201d", "\u201e\u201c", "\u201e\u201d", "\u00ab\u00bb", "\u00bb\u00ab", "\u2018\u2019"),
    )
)
_BEHIND, _AHEAD = frozenset(",;.:>)]}'`\"*#=-\u201d\u201c\u2019\u00bb"), frozenset('<([,;.:"')
_NAMED = re.compile(r"[^<>()]*[<(]([^<>()]+)[>)]").fullmatch
_AT_SIGNS = re.compile("[@\uff20\ufe6b]|%40|&#").search
_FAR = 260
"""More letters than either part of an address may have."""
_MAILTO = "mailto:"


def is_address(text: str) -> bool:
    """Whether a trimmed text is one e-mail address that mail could go to: `*@example.com` is none. Asks no network."""
    local, at, domain = text.rpartition("@")
    if not at or local in _EVERYBODY:
        return False
    if text.isascii() and len(local) <= 64 and len(text) <= 254 and _LOCAL(local) and _plain_domain(domain):
        return True
    return _unusual(text)


def addresses_in(text: str) -> list[str]:
    """Every address that can be read anywhere in a text, each once, in order: what a stop there may mean.

    Letters that nobody sees are taken off. An address with marks around it is read both ways, as written and plain:
    `'ana@x.org` may be a mailbox, or a cell that a spreadsheet marked as text.
    """
    if _PLAIN(text) and is_address(text):
        return [text]
    if not _AT_SIGNS(text):
        return []
    found: dict[str, str] = {}
    for reading in _readings(text):
        for address in _addresses(reading):
            found.setdefault(normal(address), address)
    return list(found.values())


def address_of(cell: str) -> str | None:
    """The one clear address of a cell, to the letter; None where there is none, or more than one.

    Clear are letters that nobody sees, a pair of marks around it, a name beside it, and `mailto:`.
    """
    text = cell.strip()
    if is_address(text):
        return text
    peeled = _peeled(visible(text))
    if peeled is None or {broad(unmarked(one)) for one in addresses_in(text)} != {broad(unmarked(peeled))}:
        return None
    return peeled


def own_and_others(cell: str) -> tuple[str | None, tuple[str, ...]]:
    """The address of whoever a cell is about, and whatever further addresses it holds: all of them are theirs."""
    clear = address_of(cell)
    if clear is not None:
        return clear, ()
    found = addresses_in(cell)
    return (found[0], tuple(found[1:])) if found else (None, ())


def every_address(cells: Iterable[str | None]) -> list[str]:
    """Every address of whoever some cells are about, each once, their own first."""
    read = (own_and_others(cell) for cell in cells if cell)
    return list(dict.fromkeys(address for own, others in read for address in (own, *others) if address))


def visible(text: str) -> str:
    """A text without the letters that nobody sees, and with plain spaces alone; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return "".join(map(_seen, unicodedata.normalize("NFC", text))).strip()


def _seen(letter: str) -> str:
    if letter in "\r\n\u2028\u2029\x0b\x0c\x85":
        return "\n"
    kind = unicodedata.category(letter)
    if kind == "Zs" or letter == "\t":
        return " "
    return "" if kind in ("Cf", "Cc") or letter in _UNSEEN_LETTERS else letter


def _peeled(text: str) -> str | None:
    """The address that is left when what does not belong to it is taken off its ends."""
    if named := _NAMED(text):
        text = named[1].strip()
    while text and not is_address(text):
        if text[0] + text[-1] in _PAIRS:
            text = text[1:-1].strip()
        elif text[-1] in _BEHIND:
            text = text[:-1].strip()
        elif text[:7].lower() == _MAILTO:
            text = text[7:].partition("?")[0].strip()
        elif text[0] in _AHEAD:
            text = text[1:].strip()
        else:
            return None
    return text or None


def _readings(text: str) -> Iterator[str]:
    """The ways in which a text may be meant; the last, with spaces about the sign, only where none other will do."""
    if is_address(text.strip()):  # to the letter, whatever else it may mean
        yield text.strip()
    plain = visible(text).translate(_LETTERS_MEANT)
    plain = _QUOTED_LOCAL.sub(r"\1@", plain)
    yield plain
    if any(letter != " " and unicodedata.category(letter) == "Zs" for letter in text):
        yield visible("".join(letter for letter in text if letter == " " or unicodedata.category(letter) != "Zs"))
    if "%" in plain:
        yield unquote(plain)
    if "&" in plain:
        yield unescape(plain)
    if not any(True for _ in _addresses(plain)):
        yield _AT_SPACES.sub("@", plain)


def _addresses(text: str) -> Iterator[str]:
    """The addresses of one reading, each as written and without marks."""
    end = 0
    for sign in [place for place, letter in enumerate(text) if letter == "@"]:
        before = _BEFORE.search(text, max(end, sign - _FAR), sign)
        after = _AFTER.match(text, sign + 1, sign + _FAR)
        if before is None or after is None:
            continue
        domain = _domain(after[0], followed=text[after.end() : after.end() + 1] == "@")
        if domain is None:
            continue
        written, tail = (f"{local}@{domain}" for local in (before[0], re.split(r"[|/=]", before[0])[-1]))
        plain = (unmarked(written), unmarked(tail))
        # what adjoins the address before it stands between the two
        yield from filter(is_address, plain if before.start() == end > 0 else (written, plain[0], tail, plain[1]))
        end = sign + 1 + len(domain)


def _domain(text: str, *, followed: bool) -> str | None:
    """The domain at the start of a text; where another address follows, it may reach into its local part."""
    places = [cut.start() for cut in _CUTS.finditer(text)][::-1]
    for end in places if followed else (len(text), *places):
        domain = text[:end].rstrip(".-")
        if is_address(f"a@{domain}") and (not followed or _plain_domain(domain)):
            return domain
    return None


def is_role(address: str) -> bool:
    """Whether the address is a function's (`info@`), not a named person's. A `+tag` does not count."""
    local = address.partition("@")[0].partition("+")[0].lower()
    roles = _roles()
    return local in roles or (not local.isalnum() and local.translate(_JOINTS) in roles)


@cache
def _roles() -> frozenset[str]:
    return frozenset(_ROLES.split())


@lru_cache(maxsize=65_536)
def _plain_domain(domain: str) -> bool:
    label = domain.rpartition(".")[2].lower()
    return bool(_DOMAIN(domain)) and len(domain) <= 253 and label not in _NOT_MAILABLE


@lru_cache(maxsize=4_096)
def _unusual(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return _has_symbols(text)
    return True


def _has_symbols(text: str) -> bool:
    """Whether the domain has letters that were registered once and may be no longer, as in `o@\u2603.net`.

    Mail goes there, under its name in ASCII, which any other program may show instead.
    """
    local, _, domain = text.rpartition("@")
    if any(unicodedata.category(letter)[0] in "CZ" for letter in domain):
        return False  # what nobody sees is no letter of a name
    written = normal(f"a@{domain}").removeprefix("a@")
    lettered = ".".join(map(_in_letters, written.split(".")))
    plain = unicodedata.normalize("NFC", domain.translate(_VARIANTS).lower())
    return lettered == plain and not plain.isascii() and is_address(f"{local}@{written}")


def _in_letters(label: str) -> str:
    if label.startswith("xn--"):
        with suppress(UnicodeError):
            return label[4:].encode("ascii").decode("punycode")
    return label
