"""How many examples a property is tried with: few in a usual run, many where the environment says so."""

from __future__ import annotations

import os

ENVIRONMENT = "CONSENT_LEDGER_EXAMPLES"


def examples(usual: int) -> int:
    """The usual number, or what `CONSENT_LEDGER_EXAMPLES` names."""
    return int(os.environ.get(ENVIRONMENT, usual))
