"""Our own properties of a contact in HubSpot: what each is called, and what it may hold. A table, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GROUP = "consent_ledger"
GROUP_LABEL = "Consent ledger"
VERDICTS = ("marketing", "non_marketing", "undecided", "awaiting_approval")

_TEXT = {"type": "string", "fieldType": "text"}
PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "consent_ledger_verdict": {
        "label": "Consent ledger: verdict",
        "description": "What the ledger says of this contact for marketing e-mail.",
        "type": "enumeration",
        "fieldType": "select",
        "options": [
            {"label": verdict.replace("_", " ").capitalize(), "value": verdict, "displayOrder": place, "hidden": False}
            for place, verdict in enumerate(VERDICTS)
        ],
    },
    "consent_ledger_basis": {
        "label": "Consent ledger: basis",
        "description": "What the verdict rests on.",
        **_TEXT,
    },
    "consent_ledger_reason": {
        "label": "Consent ledger: reason",
        "description": "Why the verdict is what it is.",
        **_TEXT,
    },
    "consent_ledger_reference": {
        "label": "Consent ledger: reference",
        "description": "Give it to `consent-ledger why`.",
        **_TEXT,
    },
    "consent_ledger_checked_at": {
        "label": "Consent ledger: checked at",
        "description": "When the ledger last looked at this contact.",
        "type": "datetime",
        "fieldType": "date",
    },
}
