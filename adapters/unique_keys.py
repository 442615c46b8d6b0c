"""JSON in which a key stands twice is two statements, of which readers drop one: it is refused at every door."""

from __future__ import annotations

import json
from collections.abc import Iterable

TWICE = "a key stands twice in one object"


class RepeatedKeyError(ValueError):
    """JSON with a key twice in one object. Does not name the key: it may be anybody's."""


def are_unique(data: bytes, names: Iterable[bytes]) -> bool:
    """True if none of these quoted names can be a key of the JSON twice; False: it has to be read to tell.

    Without a backslash no key is written in another way than this.
    """
    return b"\\" not in data and all(data.count(name) < 2 for name in names)


def require_unique_keys(data: bytes | str) -> None:
    """Raise RepeatedKeyError for JSON with a key twice. What is no JSON at all is for its reader to refuse."""
    try:
        json.loads(data, object_pairs_hook=_unique, parse_float=str, parse_int=str)
    except RepeatedKeyError:
        raise
    except (ValueError, RecursionError):
        return


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise RepeatedKeyError(TWICE)
