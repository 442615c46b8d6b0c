"""What is shown of a person, and of any text somebody else wrote.

A report is mailed around; an address in it is not needed to check it. The import files hold the
addresses, because there they are needed.
"""

from __future__ import annotations

import re

HIDDEN = "…"

# Besides control characters: bidirectional overrides, which make a line read as something it is not,
# and lone surrogates, which no UTF-8 file can hold.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_TOP_LEVEL = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,23}")


def printable(text: str, limit: int = 200) -> str:
    """Foreign text for one line of a report: no control characters, no more than `limit` characters."""
    shown = _UNPRINTABLE.sub("\ufffd", text)
    return shown if len(shown) <= limit else shown[: limit - 1] + HIDDEN


def is_printable(text: str) -> bool:
    """Whether the text holds nothing that a line of a file would hide or break at."""
    return _UNPRINTABLE.search(text) is None


def mask_email(address: str | None) -> str:
    """`ana@mail.example.com` as `a…@m….com`: enough to recognise for who knows it, no more.

    Names of one letter look the same as long ones, so that the mask does not tell their length.
    """
    if not address:
        return "no address"
    local, at, domain = address.strip().rpartition("@")
    if not at:
        return HIDDEN
    host, dot, top = domain.rpartition(".")
    if not dot or not _TOP_LEVEL.fullmatch(top):
        return f"{_first(local)}{HIDDEN}@{_first(domain)}{HIDDEN}"
    return f"{_first(local)}{HIDDEN}@{_first(host)}{HIDDEN}.{top.lower()}"


def _first(part: str) -> str:
    return part[0] if part[:1].isalnum() else ""
