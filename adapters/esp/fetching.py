"""Gets small things from a named host over TLS: no redirection is followed, and nobody is waited for long."""

from __future__ import annotations

from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from adapters.receiving import AwayError

SECONDS = 2.0
MOST_BYTES = 65_536


def fetch(url: str) -> bytes | None:
    """What lies at an https URL; None where it is not given out. Raises AwayError where nobody answers now."""
    place = urlsplit(url)
    connection = HTTPSConnection(place.netloc, timeout=SECONDS)
    try:
        connection.request("GET", f"{place.path or '/'}?{place.query}" if place.query else place.path or "/")
        answer = connection.getresponse()
        body = answer.read(MOST_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise AwayError(f"{place.hostname} does not answer") from error
    finally:
        connection.close()
    if answer.status == 429 or answer.status >= 500:
        raise AwayError(f"{place.hostname} answered {answer.status}")
    return body if answer.status == 200 and len(body) <= MOST_BYTES else None
