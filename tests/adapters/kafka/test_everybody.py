"""A hundred thousand contacts: who reads the status topic alone ends with exactly the ledger's projection."""

from __future__ import annotations

import os

import pytest

from tests.bench.bench_publish import everybody_arrives
from tests.services.kafka import broker

CONTACTS = int(os.environ.get("CONSENT_LEDGER_EVERYBODY", "5000"))
"""CI has 100,000."""


@pytest.mark.service
def test_a_reader_of_the_topic_ends_with_the_projection() -> None:
    assert everybody_arrives(broker(), CONTACTS) == CONTACTS
