"""Domains and digests of addresses in a cell: what a stop may be of that names nobody."""

from __future__ import annotations

import re

from adapters.addresses import addresses_in, is_address, visible
from ledger.standing import DIGESTS, Wide, domain_of

_PARTS = re.compile(r"[\s;,|]+").split
_EVERYBODY = re.compile(r"[*%]?@(.+)", re.DOTALL).fullmatch
_DIGEST = re.compile(r"(?:md5|sha-?1|sha-?256)?[:=]?([0-9a-f]+)", re.IGNORECASE).fullmatch
_MARKS = " '\"`#=<>()[].,;:-"


def wides_in(cell: str) -> list[Wide]:
    """The domains and digests in a cell. A domain without a sign counts only where nothing but such stands there."""
    parts = [part for part in (one.strip(_MARKS) for one in _PARTS(visible(cell))) if part]
    read = [_wide(part) for part in parts]
    if all(wide or addresses_in(part) for wide, part in zip(read, parts, strict=True)):
        return list(dict.fromkeys(wide for wide in read if wide))
    return list(dict.fromkeys(wide for wide, part in zip(read, parts, strict=True) if wide and "@" in part))


def domain_in(cell: str) -> str | None:
    """`@example.com`, where a cell names a domain and nothing else; None for anything else."""
    wides = wides_in(cell)
    single = len(wides) == 1 and wides[0].kind == "domain" and not addresses_in(cell)
    return f"@{wides[0].text}" if single else None


def _wide(text: str) -> Wide | None:
    digest = _DIGEST(text)
    if digest and len(digest[1]) in DIGESTS:
        return Wide(DIGESTS[len(digest[1])], digest[1].lower())
    named = _EVERYBODY(text)
    if not named and ("@" in text or "." not in text):
        return None
    domain = (named[1] if named else text).strip(_MARKS)
    return Wide("domain", domain_of(domain)) if is_address(f"a@{domain}") and "@" not in domain else None
