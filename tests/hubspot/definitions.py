"""The properties of a contact: which there are, what they take, and which nobody may write through the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

OPTOUT, MARKETABLE, UNTIL_RENEWAL = "hs_email_optout", "hs_marketable_status", "hs_marketable_until_renewal"
REASON, REASON_ID = "hs_marketable_reason_type", "hs_marketable_reason_id"
LEGAL_BASIS, CONFIRMATION = "hs_legal_basis", "hs_emailconfirmationstatus"
ALSO, MERGED, MERGED_AT = "hs_additional_emails", "hs_merged_object_ids", "hs_calculated_merged_vids"
AUTOMATED_QUARANTINE, QUARANTINE = "hs_email_quarantined_reason", "hs_email_customer_quarantined_reason"
HARD_BOUNCE = "hs_email_hard_bounce_reason_enum"
STAGES = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist",
    "other",
)  # fmt: skip
BASES = (
    "Legitimate interest – prospect/lead",
    "Legitimate interest – existing customer",
    "Legitimate interest - other",
    "Performance of a contract",
    "Freely given consent from contact",
    "Not applicable",
)
CONFIRMATIONS = (
    "Confirmed", "Confirmation Pending", "Confirmation Email Sent", "User clicked confirmation",
    "HubSpot Rep. marked confirmed", "Customer marked confirmed", "Confirmed from previous behavior",
    "Confirmed due to form",
)  # fmt: skip
_REASONS = (
    "AD", "CONTACT_IMPORT", "CONVERSATION", "FORM_SUBMISSION", "INITIAL_STATE", "INTEGRATOR_SET", "USER_SET",
    "WORKFLOW", "EMAIL", "SAMPLE_CONTACT",
)  # fmt: skip
_AUTOMATED = (
    "ON_LIST_IMPORT", "HIGH_HARD_BOUNCE_RATE", "MULTIPLE_CANCELLED_CAMPAIGNS", "FORM_ABUSE", "RECIPIENT_COMPLAINT",
    "SUSPENSION_REMEDIATION", "BLOCKLIST_REMEDIATION", "TRUST_SAFETY_REMEDIATION", "OTHER", "UNDELIVERABLE_ADDRESS",
)  # fmt: skip
_BOUNCES = ("CONTENT", "MAILBOX_FULL", "OTHER", "POLICY", "SPAM", "UNKNOWN_USER")
_BOOL = ("true", "false")
SOURCES = (
    "ORGANIC_SEARCH", "PAID_SEARCH", "EMAIL_MARKETING", "SOCIAL_MEDIA", "REFERRALS", "OTHER_CAMPAIGNS",
    "DIRECT_TRAFFIC", "OFFLINE", "PAID_SOCIAL",
)  # fmt: skip

# name, label, type, field type, options, may be written
_BUILT_IN: tuple[tuple[str, str, str, str, tuple[str, ...], bool], ...] = (
    ("email", "Email", "string", "text", (), True),
    ("firstname", "First Name", "string", "text", (), True),
    ("lastname", "Last Name", "string", "text", (), True),
    ("phone", "Phone Number", "string", "phonenumber", (), True),
    ("company", "Company Name", "string", "text", (), True),
    ("country", "Country/Region", "string", "text", (), True),
    ("state", "State/Region", "string", "text", (), True),
    ("hs_language", "Preferred language", "string", "text", (), True),
    ("hubspot_owner_id", "Contact owner", "string", "text", (), True),
    (MARKETABLE, "Marketing contact status", "bool", "booleancheckbox", _BOOL, False),
    (REASON, "Marketing contact status source type", "enumeration", "select", _REASONS, False),
    (REASON_ID, "Marketing contact status source name", "string", "text", (), False),
    (UNTIL_RENEWAL, "Marketing contact until next update", "bool", "booleancheckbox", _BOOL, False),
    (LEGAL_BASIS, "Legal basis for processing contact's data", "enumeration", "checkbox", BASES, True),
    (OPTOUT, "Unsubscribed from all email", "bool", "booleancheckbox", _BOOL, False),
    ("hs_email_quarantined", "Email Address Quarantined", "bool", "booleancheckbox", _BOOL, False),
    (AUTOMATED_QUARANTINE, "Email address automated quarantine reason", "enumeration", "select", _AUTOMATED, False),
    (QUARANTINE, "Email address quarantine reason", "enumeration", "select", _AUTOMATED[5:8], False),
    ("hs_email_hard_bounce_reason", "Email hard bounce reason", "string", "text", (), False),
    (HARD_BOUNCE, "Email hard bounce reason", "enumeration", "select", _BOUNCES, False),
    ("hs_email_bad_address", "Invalid email address", "bool", "booleancheckbox", _BOOL, False),
    ("hs_email_is_ineligible", "Is ineligible", "bool", "booleancheckbox", _BOOL, False),
    (CONFIRMATION, "Marketing email confirmation status", "enumeration", "select", CONFIRMATIONS, False),
    ("lifecyclestage", "Lifecycle Stage", "enumeration", "radio", STAGES, True),
    ("hs_lifecyclestage_customer_date", "Became a Customer Date", "datetime", "date", (), False),
    ("num_conversion_events", "Number of Form Submissions", "number", "number", (), False),
    ("num_unique_conversion_events", "Number of Unique Forms Submitted", "number", "number", (), False),
    ("hs_calculated_form_submissions", "All form submissions for a contact", "string", "text", (), False),
    ("first_conversion_date", "First Conversion Date", "datetime", "date", (), False),
    ("first_conversion_event_name", "First Conversion", "string", "text", (), False),
    ("recent_conversion_date", "Recent Conversion Date", "datetime", "date", (), False),
    ("recent_conversion_event_name", "Recent Conversion", "string", "text", (), False),
    ("hs_analytics_source", "Original Source", "enumeration", "select", SOURCES, True),
    ("hs_latest_source", "Latest Source", "enumeration", "select", SOURCES, False),
    ("hs_object_source", "Record source", "string", "text", (), False),
    ("hs_object_source_id", "Record source ID", "string", "text", (), False),
    ("hs_object_source_label", "Record source", "string", "text", (), False),
    ("hs_was_imported", "Created by import", "bool", "booleancheckbox", _BOOL, False),
    ("createdate", "Create Date", "datetime", "date", (), False),
    ("lastmodifieddate", "Last Modified Date", "datetime", "date", (), False),
    ("hs_object_id", "Record ID", "number", "number", (), False),
    (ALSO, "Additional email addresses", "enumeration", "checkbox", (), False),
    (MERGED, "Merged record IDs", "enumeration", "checkbox", (), False),
    (MERGED_AT, "Merged record IDs with times", "string", "text", (), False),
    ("ip_country", "IP Country", "string", "text", (), False),
    ("ip_country_code", "IP Country Code", "string", "text", (), False),
    ("ip_state", "IP State/Region", "string", "text", (), False),
    ("hs_ip_timezone", "IP Timezone", "string", "text", (), False),
    ("hs_email_last_send_date", "Last marketing email send date", "datetime", "date", (), False),
    ("num_associated_deals", "Number of Associated Deals", "number", "number", (), False),
    ("recent_deal_close_date", "Recent Deal Close Date", "datetime", "date", (), False),
    ("recent_deal_amount", "Recent Deal Amount", "number", "number", (), False),
)


class Definitions:
    """The portal's own list: the built-in ones, one for each subscription type, and what apps add."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {"contactinformation": _group("contactinformation", "Contact")}
        self.all: dict[str, dict[str, Any]] = {}
        self._writable: dict[str, bool] = {}
        self._options: dict[str, frozenset[str]] = {}
        for name, label, kind, field, options, writable in _BUILT_IN:
            self._keep(_definition(name, label, kind, field, options, writable), own=True)

    def add_type(self, type_id: int, name: str) -> None:
        """The property that shows whether a contact left a subscription type."""
        label = f"Opted out of email: {name}"
        self._keep(
            _definition(f"{OPTOUT}_{type_id}", label, "enumeration", "booleancheckbox", _BOOL, writable=False), own=True
        )

    def add(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """An app makes a property. It has been looked at by then."""
        options = [
            {"label": str(one["label"]), "value": str(one["value"]), "displayOrder": place, "hidden": False}
            for place, one in enumerate(given.get("options") or [])
        ]
        made = _definition(str(given["name"]), str(given["label"]), given["type"], given["fieldType"], (), True) | {
            "groupName": given["groupName"],
            "description": given.get("description", ""),
            "options": options,
        }
        return self._keep(made, own=False)

    def add_group(self, name: str, label: str) -> dict[str, Any]:
        """An app makes a group of properties."""
        return self.groups.setdefault(name, _group(name, label))

    def known(self, name: str) -> bool:
        """Whether there is such a property."""
        return name in self._writable

    def faults(self, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What is wrong with the values that somebody wants to write."""
        for name, value in given.items():
            writable = self._writable.get(name)
            if writable is None:
                yield _fault(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
            elif not writable:
                yield _fault(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
            elif value is not None and not isinstance(value, str | int | float | bool):
                yield _fault(name, "INVALID_VALUE", f'Property "{name}" takes a text')
            elif value and (allowed := self._options.get(name)):
                wrong = [part for part in str(value).split(";") if part not in allowed]
                if wrong:
                    yield _fault(name, "INVALID_OPTION", f"{wrong[0]} was not one of the allowed options")

    def _keep(self, made: dict[str, Any], *, own: bool) -> dict[str, Any]:
        name = made["name"]
        self.all[name] = made
        self._writable[name] = not made["modificationMetadata"]["readOnlyValue"]
        if made["options"]:
            self._options[name] = frozenset(one["value"] for one in made["options"])
        made["hubspotDefined"] = own
        return made


def _definition(
    name: str, label: str, kind: str, field: str, options: tuple[str, ...], writable: bool
) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": field,
        "description": "",
        "groupName": "contactinformation",
        "options": [
            {"label": one, "value": one, "displayOrder": place, "hidden": False} for place, one in enumerate(options)
        ],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "archived": False,
        "hasUniqueValue": False,
        "hidden": False,
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": False,
            "readOnlyOptions": False,
            "readOnlyValue": not writable,
        },
        "formField": writable,
    }


def _group(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}


def _fault(name: str, error: str, message: str) -> dict[str, Any]:
    return {"isValid": False, "message": message, "error": error, "name": name}
