"""HubSpot's webhooks as a test sends them: notices, signed as HubSpot signs."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import datetime
from typing import Any

from adapters.hubspot.pull.ours import OurApp
from adapters.hubspot.webhooks import HubSpotReceiver
from adapters.receiving import Sent

PUBLIC = "https://consent.example.org"
URL = f"{PUBLIC}/webhooks/hubspot"
SECRET, NEXT = "first-client-secret", "second-client-secret"
BEGAN = 1_780_000_000_000
"""The moment, in HubSpot's milliseconds, from which the notices of a test are counted."""
APP = 4711


def notice(record: int = 501, value: str | None = "true", at: int = 0, **fields: Any) -> dict[str, Any]:
    """A change of a property, as HubSpot tells it."""
    return {
        "eventId": 100 + at,
        "subscriptionId": 12,
        "portalId": 62_515,
        "appId": APP,
        "occurredAt": BEGAN + at,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": record,
        "propertyName": "hs_email_optout",
        "propertyValue": value,
        "changeSource": "EMAIL",
        "sourceId": "",
        "isSensitive": False,
    } | fields


def happened(kind: str, record: int = 501, at: int = 0, **fields: Any) -> dict[str, Any]:
    """Something else that happened to a contact."""
    said = notice(record, at=at, subscriptionType=f"contact.{kind}", changeSource="CRM_UI") | fields
    return {name: value for name, value in said.items() if name not in ("propertyName", "propertyValue")}


def body_of(*notices: Any) -> bytes:
    """The body of a request."""
    return json.dumps(list(notices)).encode()


def signed(
    body: bytes, now: datetime, *, secret: str = SECRET, url: str = URL, method: str = "POST", late_ms: int = 0
) -> dict[str, str]:
    """The headers of a request. Written from the description, not by the program's own function."""
    stamp = str(int(now.timestamp() * 1_000) - late_ms)
    text = method.encode() + url.encode() + body + stamp.encode()
    value = base64.b64encode(hmac.new(secret.encode(), text, "sha256").digest()).decode()
    return {"x-hubspot-signature-v3": value, "x-hubspot-request-timestamp": stamp}


def sent(body: bytes, now: datetime, **how: Any) -> Sent:
    """A request as a receiver gets it."""
    return Sent("POST", "", signed(body, now, **how), body, now)


def receiver(*secrets: str, public_url: str = PUBLIC, portal: Any = None) -> HubSpotReceiver:
    """HubSpot as a sender."""
    return HubSpotReceiver(secrets or (SECRET,), public_url, OurApp(APP), portal, lambda: 0.0)
