"""Where each thing is changed in HubSpot, and how to look at what no call tells. A table, and nothing else.

HubSpot moves its menus; the names in them stay longer, and its search finds them.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.hubspot.doctor.shapes import Unknown

CHANGE: Mapping[str, str] = {
    "form_sets_marketing": (
        "Marketing > Forms > {where} > Edit > Settings (Options) > “Set contacts created as marketing contacts”: off"
    ),
    "form_required_box": "Marketing > Forms > {where} > Edit > Data privacy and consent > the box > “Required”: off",
    "form_ticked_box": "Marketing > Forms > {where} > Edit > the field > “Default value”: not ticked",
    "form_without_consent": "Marketing > Forms > {where} > Edit > Data privacy and consent > consent checkboxes",
    "import_sets_marketing": (
        "CRM > Contacts > Import, its last page > “Set all new contacts as marketing contacts”: not ticked. "
        "For those it made: the list of the import, then set-non-marketing.csv of `consent-ledger audit`"
    ),
    "app_sets_marketing": (
        "Settings > Integrations > Connected apps > {where} > “Set contacts created as marketing contacts”: off"
    ),
    "workflow_sets_marketing": "Automation > Workflows > {where} > the action “Set marketing contact status”",
    "other_sets_marketing": "Settings > Objects > Contacts > Marketing contacts",
    "no_double_opt_in": "Settings > Marketing > Email > Subscriptions > “Double opt-in”: on",
    "no_data_privacy": "Settings > Privacy & Consent > Data privacy > “Data privacy settings”: on",
    "credentials": "Settings > Integrations > Private apps (or Service keys) > ours > Scopes",
    "property_missing": "`consent-ledger hubspot sync --apply` makes it; or Settings > Properties > Contact properties",
    "property_differs": "Settings > Properties > Contact properties > {where}: give it another type, or delete it",
}
"""Finding -> where it is changed. `{where}`: the form, import, app or property."""

BY_HAND = (
    Unknown(
        what="whether a form sets contacts as marketing, before anybody has sent it in",
        look="Marketing > Forms > the form > Edit > Settings (Options)",
    ),
    Unknown(
        what="whether an app may set the contacts that it creates as marketing, before it has made one",
        look="Settings > Integrations > Connected apps > the app",
    ),
    Unknown(
        what="whether double opt-in is on; no call tells it, so only what contacts show of it is looked at",
        look="Settings > Marketing > Email > Subscriptions > “Double opt-in”",
    ),
    Unknown(
        what="whether data privacy settings are on; only whether contacts and forms show a legal basis is looked at",
        look="Settings > Privacy & Consent > Data privacy",
    ),
    Unknown(
        what="whether this portal's edition has the workflow action “Set marketing contact status”",
        look="Automation > Workflows > Create > Contact-based > an action of that name (Professional, Enterprise)",
    ),
    Unknown(
        what="the day on which HubSpot next updates marketing contacts",
        look="Account & Billing > Usage & Limits > Marketing contacts; then CONSENT_LEDGER_CRM_UPDATE_DAY",
    ),
)
