"""A ledger for a test: made where there is none yet, then opened, as a command that records does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.wiring import House, init_ledger
from ledger.application import Ledger
from ledger.keys import Random
from ledger.log import Clock


def open_house(directory: Path, env: Mapping[str, str]) -> House:
    """The ledger of a directory with what stands around it."""
    init_ledger(directory, env)
    return House.open(directory, env)


def open_ledger(
    directory: str | Path, clock: Clock, random: Random, env: Mapping[str, str], database_url: str | None = None
) -> Ledger:
    """The ledger of a directory, or of a database with its keys there."""
    Ledger.init(directory, clock, random, env, database_url)
    return Ledger.open(directory, clock, random, env, database_url)
