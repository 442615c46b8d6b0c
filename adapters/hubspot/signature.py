"""HubSpot's signature of a request, version 3: over the URL that HubSpot calls, the body and the moment.

The URL is the one that was configured, never the one a request names: its Host and forwarded headers are anybody's.
Versions 1 and 2 carry no moment, so that a request could be sent again for ever: they are not looked at.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from adapters.receiving import Refused, Sent

SIGNATURE, TIMESTAMP = "x-hubspot-signature-v3", "x-hubspot-request-timestamp"
OLDEST_MS, NEWEST_MS = 300_000, 60_000
_ESCAPES = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
_escape = re.compile("|".join(_ESCAPES), re.IGNORECASE)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MISSING = Refused(401, "it is not signed as HubSpot signs since version 3")
_FALSE = Refused(
    401, "the signature is not that of this body at this URL; see CONSENT_LEDGER_PUBLIC_URL and _HUBSPOT_SECRET"
)
_LATE = Refused(401, "it was signed too long ago, or in the future")


def signed_url(url: str) -> str:
    """A URL as it is signed: of its escapes, those that HubSpot writes out are written out."""
    return _escape.sub(lambda found: _ESCAPES[found[0].upper()], url)


def signature(secret: bytes, method: str, url: str, body: bytes, timestamp: str) -> bytes:
    """The value of the header, as HubSpot makes it."""
    text = method.encode() + signed_url(url).encode() + body + timestamp.encode()
    return base64.b64encode(hmac.digest(secret, text, "sha256"))


def refusal(sent: Sent, url: str, secrets: Sequence[bytes]) -> Refused | None:
    """Why a request is not HubSpot's; None: it is. All secrets are tried, in the same time for each."""
    given, timestamp = sent.headers.get(SIGNATURE), sent.headers.get(TIMESTAMP)
    if not given or not timestamp:
        return _MISSING
    raw = given.encode()
    fits = [hmac.compare_digest(signature(one, sent.method, url, sent.body, timestamp), raw) for one in secrets]
    if not any(fits):
        return _FALSE
    # Only now: what the signature covers is HubSpot's own word, and nobody else learns anything of our clock.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        return _LATE
    age = (sent.at - _BEGINNING).total_seconds() * 1_000 - int(timestamp)
    return None if -NEWEST_MS <= age <= OLDEST_MS else _LATE
