"""Where HubSpot's API is, what opens it, and every path of it, by version.

A path stands as a template wherever it is told of (`/statuses/{email}`): filled in, it may hold an address.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

LEGACY = "legacy"

_ALWAYS = {
    "timeline": "/email/public/v1/subscriptions/timeline",
    "events": "/email/public/v1/events",
    "submissions": "/form-integrations/v1/submissions/forms/{form}",
    # only this call is refused by HubSpot itself for who opted out, so no other is ever made in its place
    "subscribe": "/communication-preferences/v3/subscribe",
}
_LEGACY = {
    "contacts": "/crm/v3/objects/contacts",
    "deals": "/crm/v3/objects/deals",
    "properties": "/crm/v3/properties/contacts",
    "pipelines": "/crm/v3/pipelines/deals",
    "imports": "/crm/v3/imports",
    "forms": "/marketing/v3/forms",
    "preferences": "/communication-preferences/v4",
}
_DATED = {
    "contacts": "/crm/objects/{version}/contacts",
    "deals": "/crm/objects/{version}/deals",
    "properties": "/crm/properties/{version}/0-1",
    "pipelines": "/crm/pipelines/{version}/deals",
    "imports": "/crm/imports/{version}",
    "forms": "/marketing/forms/{version}",
    "preferences": "/communication-preferences/{version}",
}
_BELOW = {
    "contacts.search": ("contacts", "/search"),
    "contacts.read": ("contacts", "/batch/read"),
    "contacts.update": ("contacts", "/batch/update"),
    "property_groups": ("properties", "/groups"),
    "types": ("preferences", "/definitions"),
    "status": ("preferences", "/statuses/{email}"),
    "status.all": ("preferences", "/statuses/{email}/unsubscribe-all"),
    "statuses.read": ("preferences", "/statuses/batch/read"),
    "statuses.write": ("preferences", "/statuses/batch/write"),
    "statuses.all": ("preferences", "/statuses/batch/unsubscribe-all"),
    "statuses.all.read": ("preferences", "/statuses/batch/unsubscribe-all/read"),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """`version`: `legacy` (v1 to v4), or a dated one such as `2026-03`."""

    url: str
    token: SecretStr
    version: str = LEGACY

    def path(self, name: str) -> str:
        """The template of a path. Raises KeyError for a name that is none."""
        if name in _ALWAYS:
            return _ALWAYS[name]
        if name in _BELOW:
            above, rest = _BELOW[name]
            return self.path(above) + rest
        if self.version == LEGACY:
            return _LEGACY[name]
        return _DATED[name].replace("{version}", self.version)
