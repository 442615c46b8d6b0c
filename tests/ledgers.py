"""A ledger for a test: made where there is none yet, then opened, as a command that records does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from adapters.wiring import House, init_ledger, now
from ledger import epochs, opening
from ledger.application import Ledger
from ledger.keys import Random
from ledger.log import Clock
from tests.stores import Place


def open_house(directory: Path, env: Mapping[str, str]) -> House:
    """The ledger of a directory with what stands around it."""
    init_ledger(directory, env)
    return House.open(directory, env)


def begin_epoch(place: Place, name: str = "ledger") -> str:
    """What a restore does to the ledger of a test."""
    where = opening.Place(place.folder / name, place.url)
    return epochs.begin_epoch(where, now, os.urandom, {})


def open_ledger(
    directory: str | Path, clock: Clock, random: Random, env: Mapping[str, str], database_url: str | None = None
) -> Ledger:
    """The ledger of a directory, or of a database with its keys there."""
    Ledger.init(directory, clock, random, env, database_url)
    return Ledger.open(directory, clock, random, env, database_url)
