"""TOML, read so that nothing written in it ends the program."""

from __future__ import annotations

import tomllib
from tomllib import TOMLDecodeError
from typing import Any

__all__ = ["TOMLDecodeError", "parse_toml"]


def parse_toml(text: str) -> dict[str, Any]:
    """What a TOML text says. Raises TOMLDecodeError, also for one nested deeper than anybody writes."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TOMLDecodeError("brackets are nested too deep") from None
