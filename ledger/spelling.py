"""How one e-mail address may be written: the form it is known by, and the forms a stop is looked up under.

A grant is found under one form, by the mail standards of today: UTS 46 non-transitional and IDNA 2008 for the
domain, in A-labels; NFC and lower case for the local part. Nothing that only looks alike is taken for the same.
A stop is found under every form its address may have had, here or in another program.

Dots and plus tags stay: they mean different mailboxes at most providers.
"""

from __future__ import annotations

import unicodedata
from contextlib import suppress

import idna

VERSION = 3
"""Of `normal` and `broad`. 1 was `former`; 2 took marks around an address for letters of it.

A vault keeps the version its look-ups were made by; `upgrade` moves it on.
"""

_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""What the domain standards read as a full stop."""
_UNSEEN = frozenset("\u1806\u115f\u1160\u3164\uffa0")
"""Letters by category that nobody sees."""
_UNSEEN_KINDS = frozenset({"Mn", "Me", "Cf", "Cc", "Zs", "Zl", "Zp"})
"""Marks over or around a letter, format and control characters, spaces."""
_LIKE_I = str.maketrans("\u0131", "i")


def normal(email: str) -> str:
    """The form an address is known by: two spellings share it if, and only if, they are one mailbox."""
    email = email.strip()
    if email.isascii():
        return email.lower()
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    if not at:  # no address: compared as it stands
        return unicodedata.normalize("NFC", domain.lower())
    return unicodedata.normalize("NFC", local.lower()) + at + _ascii_domain(domain)


def former(email: str) -> str:
    """The form of version 1: NFKC, case-folded, domain by IDNA 2003. What cannot be moved on is looked up by it."""
    if email.isascii():
        return email.strip().lower()
    local, at, domain = unicodedata.normalize("NFKC", email).strip().casefold().rpartition("@")
    with suppress(UnicodeError):  # no domain name: compared as it stands
        domain = domain.encode("idna").decode("ascii")
    return local + at + domain


def broad(email: str) -> str:
    """The widest form: letters that are compatible, cased, marked, dotless or unseen taken for one, `unmarked`.

    Equal for addresses whose normal forms are equal, and for those whose former forms are.
    """
    text = email.strip()
    if text.isascii() and text.isprintable() and " " not in text and "xn--" not in text.lower():
        return unmarked(text.lower())
    return unmarked(_folded(_in_letters(normal(unicodedata.normalize("NFKC", text)))))


def unmarked(email: str) -> str:
    """An address without the marks around its local part: a spreadsheet or a list put them there, as in `'ana@x.org`.

    As it stands where nothing else is left of it, and where no mark stands in front.
    """
    local, at, domain = email.rpartition("@")
    if not local or not _is_mark(local[0]):
        return email
    start, end = 0, len(local)
    while start < end and _is_mark(local[start]):
        start += 1
    while start < end and _is_mark(local[end - 1]):
        end -= 1
    return local[start:end] + at + domain if start < end else email


def forms(email: str) -> tuple[str, ...]:
    """Every form that a stop of this address may be kept under, the normal one first."""
    written = _in_letters(email)
    return tuple(dict.fromkeys((normal(email), former(email), former(written), former(normal(email)), broad(email))))


def _ascii_domain(domain: str) -> str:
    """A domain in A-labels. A label that no standard allows is encoded as it stands: it may have been registered."""
    try:
        mapped = idna.uts46_remap(domain, std3_rules=False, transitional=False)
    except idna.IDNAError:
        mapped = unicodedata.normalize("NFC", domain.translate(_DOTS).lower())
    return ".".join(map(_a_label, mapped.strip().split(".")))


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError:
        return "xn--" + label.encode("punycode").decode("ascii")


def _in_letters(email: str) -> str:
    """An address with the A-labels of its domain as the letters they stand for."""
    local, at, domain = email.strip().rpartition("@")
    return local + at + ".".join(map(_letters, domain.translate(_DOTS).split(".")))


def _letters(label: str) -> str:
    if label[:4].lower() == "xn--":
        with suppress(UnicodeError):
            return label[4:].encode("ascii").decode("punycode")
    return label


def _folded(text: str) -> str:
    """Letters alone, in their simplest form."""
    before = ""
    while before != text:
        before = text
        text = unicodedata.normalize("NFKD", text.casefold().translate(_DOTS).translate(_LIKE_I))
        text = "".join(filter(_is_seen, text))
    return text


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) not in _UNSEEN_KINDS and letter not in _UNSEEN


def _is_mark(letter: str) -> bool:
    """Punctuation and symbols, of any script."""
    return unicodedata.category(letter)[0] in "PS"
