"""An invented HubSpot portal, with every file that settles its contacts, and the truth about each of them."""

from adapters.hubspot.portal.writing import write_portal

__all__ = ["write_portal"]
