"""Names of forms, boxes, pipelines and campaigns as tokens, which may stand in the log."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

_LONGEST = 60
_TOKEN_CUT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{8}\Z").match
"""A token that was too long for its name: written as a name, it is itself."""
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"'|]+[@\uff20][^\s@<>()\[\],;:\"'|]+\.[^\s@<>()\[\],;:\"'|]+")


@lru_cache(maxsize=65_536)
def token_of(name: str) -> str:
    """`Marketing Information` as `marketing-information`. Names that would lose letters end in a digest.

    The same name, written with other case or spaces, is the same token, and a token is that of itself. An address
    in it, put where a name belongs, is masked, so that neither token nor digest tells whose it was. Raises
    ValueError for an empty one.
    """
    named = _ADDRESS.sub("masked-address", unicodedata.normalize("NFC", name))
    said = " ".join(named.casefold().split())
    if not said:
        raise ValueError("a name must not be empty")
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in said)
    short = "-".join(part for part in plain.split("-") if part)[:_LONGEST].strip("-")
    if _LONGEST < len(said) <= _LONGEST + 9 and _TOKEN_CUT(said):
        return said
    lossless = len(short) == len(said) and all(a == b or b in " -_/." for a, b in zip(short, said, strict=True))
    if lossless:
        return short
    digest = hashlib.blake2b(said.encode(), digest_size=4).hexdigest()
    return f"{short}-{digest}" if short else f"n-{digest}"
