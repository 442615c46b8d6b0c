"""The logs that the contract suite runs against: one on each kind of store (`tests.stores`)."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from ledger.log import Log
from tests.stores import Place

if importlib.util.find_spec("Crypto") is None:
    # The library's test cases import a cipher from pycryptodome, which nothing here uses. The library
    # ships the same class on `cryptography`, which we have.
    import eventsourcing.cryptography

    sys.modules["eventsourcing.cipher"] = eventsourcing.cryptography

Store = Callable[[], Log]
"""Opens the same log again at each call."""


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """One store, empty; every log opened from it is closed at the end."""
    opened: list[Log] = []

    def again() -> Log:
        log = Log.make(place("log"), now)
        opened.append(log)
        return log

    yield again
    for log in opened:
        log.close()


@pytest.fixture
def log(store: Store) -> Log:
    return store()
