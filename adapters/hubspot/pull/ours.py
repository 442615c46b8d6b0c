"""Which of HubSpot's changes we made ourselves: by what HubSpot says of who made them, and by what we keep of ours."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from adapters.hubspot.changes import Change
from adapters.hubspot.sync.store import Book

_left = re.compile(r"hs_email_optout(?:_(\d+))?\Z").match
_APPS = ("INTEGRATION", "API")
_CALLS = {True: "unsubscribe_all", False: "unsubscribe"}
_APART = timedelta(seconds=60)
"""Between HubSpot's clock and ours, and between a write and the note of it."""


class OurApp:
    """By the id of our own app, which HubSpot names beside a change of a property. None: it is not known."""

    def __init__(self, app: int | None) -> None:
        self._ids = frozenset() if app is None else frozenset({str(app), f"appId:{app}"})

    def change(self, change: Change) -> bool:
        """See `Ours`."""
        return change.source_id in self._ids

    def wrote(self, record: str, type_id: str | None, at: datetime) -> bool:  # noqa: ARG002 - see `Ours`
        """See `Ours`; of its own writes an app alone knows nothing."""
        return False


class OurWrites(OurApp):
    """By the book of our writes as well."""

    def __init__(self, app: int | None, book: Book) -> None:
        super().__init__(app)
        self._book = book

    def change(self, change: Change) -> bool:
        """See `Ours`."""
        if super().change(change):
            return True
        left = _left(change.property)
        return left is not None and change.source in _APPS and self.wrote(change.record_id, left[1], change.at)

    def wrote(self, record: str, type_id: str | None, at: datetime) -> bool:
        """See `Ours`. A write that changed nothing there says nothing of whose the opt-out is."""
        return any(
            one.call == _CALLS[type_id is None]
            and one.about == (type_id or "")
            and one.status == "done"
            and abs(one.at - at) <= _APART
            for one in self._book.last(record)
        )
