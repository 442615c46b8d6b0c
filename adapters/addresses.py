"""Is this an e-mail address, and whose: a person's or a role's?"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import cache, lru_cache

from email_validator import EmailNotValidError, validate_email

from ledger.spelling import normal

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z").match
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z").match
_NOT_MAILABLE = frozenset({"invalid", "local", "localhost", "onion", "arpa"})
_VARIANTS = {0xFE0E: None, 0xFE0F: None}
"""Signs that say how a symbol is drawn, and belong to no name."""
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


def is_address(text: str) -> bool:
    """Whether a trimmed text is one e-mail address that mail could go to. Asks no network."""
    local, at, domain = text.rpartition("@")
    if not at:
        return False
    if text.isascii() and len(local) <= 64 and len(text) <= 254 and _LOCAL(local) and _plain_domain(domain):
        return True
    return _unusual(text)


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
    written = normal(f"a@{domain}").removeprefix("a@")
    lettered = ".".join(map(_in_letters, written.split(".")))
    plain = unicodedata.normalize("NFC", domain.translate(_VARIANTS).lower())
    return lettered == plain and not plain.isascii() and is_address(f"{local}@{written}")


def _in_letters(label: str) -> str:
    if label.startswith("xn--"):
        with suppress(UnicodeError):
            return label[4:].encode("ascii").decode("punycode")
    return label
