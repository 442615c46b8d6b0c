"""The labels in the files of a made-up portal, and what HubSpot calls these things inside."""

from __future__ import annotations

from typing import NamedTuple

from tests.hubspot.definitions import SOURCES

COLUMNS = {
    "First Name": "firstname",
    "Last Name": "lastname",
    "Email": "email",
    "Phone Number": "phone",
    "Country/Region": "country",
    "State/Region": "state",
    "IP Country": "ip_country",
    "IP Country Code": "ip_country_code",
    "IP State/Region": "ip_state",
    "Preferred language": "hs_language",
    "Contact owner": "hubspot_owner_id",
    "Marketing contact status": "hs_marketable_status",
    "Marketing contact status source type": "hs_marketable_reason_type",
    "Marketing contact status source name": "hs_marketable_reason_id",
    "Marketing contact until next update": "hs_marketable_until_renewal",
    "Legal basis for processing contact's data": "hs_legal_basis",
    "Marketing email confirmation status": "hs_emailconfirmationstatus",
    "Email Address Quarantined": "hs_email_quarantined",
    "Email address automated quarantine reason": "hs_email_quarantined_reason",
    "Email address quarantine reason": "hs_email_customer_quarantined_reason",
    "Email hard bounce reason": "hs_email_hard_bounce_reason_enum",
    "Invalid email address": "hs_email_bad_address",
    "Lifecycle Stage": "lifecyclestage",
    "Number of Form Submissions": "num_conversion_events",
    "Original Source": "hs_analytics_source",
    "Associated Company": "company",
}
_FLAGS = frozenset({"hs_marketable_until_renewal", "hs_email_quarantined", "hs_email_bad_address"})


class Known(NamedTuple):
    """A form of the made-up portal; `boxes` are those that stand for its subscription type."""

    file: str
    name: str
    guid: str
    boxes: tuple[str, ...]
    type_id: int = 1_002


FORMS = tuple(
    Known(file, name, f"5b0c6f2e-0000-4000-8000-{number:012}", boxes)
    for file, name, number, boxes in (
        ("newsletter-footer", "Newsletter footer", 1, ()),
        ("whitepaper-download", "Whitepaper download", 2, ("I would like to receive the newsletter",)),
        ("webinar-registration", "Webinar registration", 3, ("Keep me informed about products by email",)),
        ("checkout-account", "Checkout account", 4, ("Send me news and offers by email",)),
        ("landing-page", "Landing page", 6, ()),
    )
)


def flag(cell: str) -> bool:
    """A yes."""
    return cell.strip().lower() in ("yes", "true")


def value_of(label: str, cell: str) -> str:
    """What is meant by a cell, as the API says it."""
    name = COLUMNS[label]
    if name == "hs_marketable_status":
        return "true" if cell == "Marketing contact" else "false"
    if name in _FLAGS:
        return "true" if flag(cell) else "false"
    if name == "lifecyclestage":
        return cell.lower().replace(" ", "")
    if name == "hs_analytics_source":
        words = cell.upper().replace(" ", "_")
        return next((source for source in SOURCES if words.startswith(source)), "OFFLINE")
    return cell
