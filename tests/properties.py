"""How many examples a property is tried on: as many as it says, or as `CONSENT_LEDGER_EXAMPLES` says, if that is more.

`make properties` sets the variable, and runs nothing but the properties.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = "CONSENT_LEDGER_EXAMPLES"
_HELD = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps the settings of a test. It has no other door: a test may be decorated with settings once."""


def choose_profile() -> None:
    """No property has a deadline; in CI the examples are the same each time."""
    settings.register_profile("shared-machine", deadline=None)
    settings.load_profile("ci" if os.environ.get("CI") == "true" else "shared-machine")


def raise_examples(item: pytest.Item) -> None:
    """Have a property tried on as many examples as the environment says; leave any other test alone."""
    wanted = int(os.environ.get(EXAMPLES) or 0)
    test = getattr(item, "obj", None)
    if not wanted or not getattr(test, "is_hypothesis_test", False):
        return
    machine: Any = getattr(item, "cls", None)
    if isinstance(getattr(machine, "settings", None), settings):  # a state machine keeps them in its class
        machine.settings = _raised(machine.settings, wanted)
        return
    function: Any = getattr(test, "__func__", test)
    setattr(function, _HELD, _raised(getattr(function, _HELD, None) or settings(), wanted))


def _raised(held: settings, wanted: int) -> settings:
    """Nothing else changes, but that so many may take long."""
    suppressed = {*held.suppress_health_check, HealthCheck.too_slow, HealthCheck.data_too_large}
    return settings(held, max_examples=max(held.max_examples, wanted), suppress_health_check=list(suppressed))
