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


class OurWrites:
    """By the id of our own app, which HubSpot names beside a change of a property; and by the book of our writes.

    app  None: HubSpot's word is not known for ours
    """

    def __init__(self, app: int | None, book: Book | None = None) -> None:
        self._ids = frozenset() if app is None else frozenset({str(app), f"appId:{app}"})
        self._book = book

    def change(self, change: Change) -> bool:
        """See `Ours`."""
        if change.source_id in self._ids:
            return True
        left = _left(change.property)
        return left is not None and change.source in _APPS and self.wrote(change.record_id, left[1], change.at)

    def wrote(self, record: str, type_id: str | None, at: datetime) -> bool:
        """See `Ours`. A write that changed nothing there says nothing of whose the opt-out is."""
        if self._book is None:
            return False
        return any(
            one.call == _CALLS[type_id is None]
            and one.about == (type_id or "")
            and one.status == "done"
            and abs(one.at - at) <= _APART
            for one in self._book.last(record)
        )
