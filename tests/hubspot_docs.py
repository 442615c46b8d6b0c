"""The portal that pages about HubSpot are followed against: two people, two forms, an import, one opt-out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.hubspot.forms import consent
from tests.hubspot.service import fake
from tests.hubspot.state import PRODUCT_NEWS, State

_COMMANDS = ("consent-ledger hubspot ", "consent-ledger drift", "consent-ledger doctor")


def is_asked_by(command: str) -> bool:
    """Whether a command of a page asks HubSpot."""
    return any(name in command for name in _COMMANDS)


@contextmanager
def portal() -> Iterator[dict[str, str]]:
    """A fake portal, while it is used; the variables that lead to it."""
    state = State(rate=None)
    for email in ("ana@example.com", "bo@example.com"):
        record = state.add_contact(email)  # records 1001 and 1002, as the pages have them
        state.user_sets_marketing(record, True)
    state.forms.add("Contact us", consent((PRODUCT_NEWS, "Send me product news", False)))
    state.forms.add("Webinar", consent((PRODUCT_NEWS, "I agree to product news", True)))
    state.imports.run([{"email": "cy@example.com"}], {"name": "Fair 2026", "marketableContactImport": True})
    state.person_opts_out("bo@example.com")
    with fake(state) as there:
        yield {
            "CONSENT_LEDGER_HUBSPOT_URL": there.url,
            "CONSENT_LEDGER_HUBSPOT_TOKEN": there.token,
            "CONSENT_LEDGER_HUBSPOT_APP": str(there.app_id),
        }
