"""What is asked of HubSpot while notices are heard: few questions, and none for a while after one was not answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from adapters.hubspot.api.portal import Portal, RefusedError
from adapters.hubspot.api.shapes import AddressState, ContactRead
from adapters.hubspot.changes import TYPE_PREFIX, WATCHED
from adapters.hubspot.naming import names_of
from adapters.receiving import AwayError

T = TypeVar("T")
REST_SECONDS = 30.0
"""How long HubSpot is left alone once it did not answer: what needs no question must not wait for that."""


class Asking:
    """A portal, if there is one. `clock`: monotonic seconds."""

    def __init__(self, portal: Portal | None, clock: Callable[[], float]) -> None:
        self._portal, self._clock = portal, clock
        self._rests_until = float("-inf")
        self.known_types: dict[str, str] = {}
        self._missed: set[str] = set()
        self._ahead: dict[str, AddressState] = {}
        self.refused = False

    @property
    def possible(self) -> bool:
        """Whether there is anybody to ask."""
        return self._portal is not None

    def contacts(self, ids: Sequence[str]) -> dict[str, ContactRead]:
        """Records as they are now, with their history; those that are not there are absent. Raises AwayError."""
        self.refused = False
        if self._portal is None or not ids:
            return {}
        properties = ("email", "hs_additional_emails", "hs_merged_object_ids")
        watched = (*WATCHED, *(f"{TYPE_PREFIX}{one}" for one in self.types()))
        self.refused = False  # who may not read the types may well read the records
        portal = self._portal
        return self._asked(lambda: portal.read_contacts(ids, properties, history=watched)) or {}

    def look_ahead(self, emails: Sequence[str]) -> None:
        """Ask what the addresses of a whole batch are subscribed to at once; what is not answered is asked later."""
        self._ahead, refused = {}, self.refused
        with suppress(AwayError):
            self._ahead = dict(self.states(list(dict.fromkeys(emails))))
        self.refused = refused

    def states(self, emails: Sequence[str]) -> Mapping[str, AddressState]:
        """What addresses are subscribed to. Raises AwayError."""
        if self._portal is None or not emails:
            return {}
        if self._ahead.keys() >= set(emails):
            return {email: self._ahead[email] for email in emails}
        portal = self._portal
        return self._asked(lambda: portal.states(emails)) or {}

    def types(self, wanted: str | None = None) -> Mapping[str, str]:
        """Names of subscription types by id; asked again, once, for one that is not known. Raises AwayError."""
        is_new = wanted is not None and wanted not in self.known_types and wanted not in self._missed
        if self._portal is not None and (is_new or not self.known_types):
            portal = self._portal
            found = self._asked(portal.types)
            self.known_types.update(names_of(found or ()))
            if wanted is not None and wanted not in self.known_types and len(self._missed) < 1_000:
                self._missed.add(wanted)
        return self.known_types

    def _asked(self, ask: Callable[[], T]) -> T | None:
        """None: HubSpot will not say."""
        if self._clock() < self._rests_until:
            raise AwayError("HubSpot did not answer a moment ago")
        try:
            return ask()
        except RefusedError:
            self.refused = True
            return None
        except AwayError:
            self._rests_until = self._clock() + REST_SECONDS
            raise
