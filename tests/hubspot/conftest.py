"""A fake HubSpot for a test of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.hubspot.service import Fake, fake
from tests.hubspot.state import State


@pytest.fixture
def here() -> Iterator[Fake]:
    """An empty portal without limits."""
    with fake(State(rate=None)) as running:
        yield running


@pytest.fixture
def api(here: Fake) -> Iterator[httpx.Client]:
    """Calls to it, with our token."""
    with httpx.Client(base_url=here.url, headers={"Authorization": f"Bearer {here.token}"}) as client:
        yield client
