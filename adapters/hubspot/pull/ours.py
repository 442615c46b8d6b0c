"""Which of HubSpot's changes we made ourselves, by what HubSpot says of who made them."""

from __future__ import annotations

from datetime import datetime

from adapters.hubspot.changes import Change


class OurApp:
    """By the id of our own app, which HubSpot names beside a change. None: nothing is known to be ours."""

    def __init__(self, app: int | None) -> None:
        self._ids = frozenset() if app is None else frozenset({str(app), f"appId:{app}"})

    def change(self, change: Change) -> bool:
        """See `Ours`."""
        return change.source_id in self._ids

    def status(self, email: str, type_id: str | None, at: datetime | None) -> bool:  # noqa: ARG002 - see `Ours`
        """Of a status HubSpot does not say it: the explanation does."""
        return False
