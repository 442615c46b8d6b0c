"""One change of one property of a contact, as facts: the same from a webhook as from the property's history.

The id of a fact is made of the record, the property, its value and the moment, so that what is told by several
ways is one fact. A change that we made ourselves comes back as an echo: what the CRM shows, and no new stop, since
a stop written anew would undo an opt-in that came between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from adapters.hubspot.said import EMAIL
from adapters.hubspot.values import UNKNOWN, Values
from adapters.tokens import token_of
from ledger import events as e
from ledger.codec import instant
from ledger.terms import LEDGER_STREAM, Party

SOURCE = "hubspot.contacts"
SYSTEM = "hubspot"
CAPTURED_BY = "property_history"
OPTED_OUT, LEGAL_BASIS, CONFIRMATION = "hs_email_optout", "hs_legal_basis", "hs_emailconfirmationstatus"
MARKETING, QUARANTINE, HARD_BOUNCE = (
    "hs_marketable_status",
    "hs_email_quarantined_reason",
    "hs_email_hard_bounce_reason",
)
BAD_ADDRESS = "hs_email_bad_address"
WATCHED = (OPTED_OUT, LEGAL_BASIS, CONFIRMATION, MARKETING, QUARANTINE, HARD_BOUNCE, BAD_ADDRESS)
"""Properties whose history says something; beside them `hs_email_optout_<id>`, one for each subscription type."""
TYPE_PREFIX = "hs_email_optout_"
NO_TIME = datetime(1, 1, 1, tzinfo=UTC)
"""Of a change whose moment cannot be read. It cannot be true, so a stop counts from ever, and a yes cannot be shown."""

_type_left = re.compile(r"hs_email_optout_(\d+)\Z").match
_THEMSELVES = frozenset({"EMAIL", "FORM", "FORMS", "PREFERENCES", "SUBSCRIPTIONS", "SOURCE_RECIPIENT"})
_OTHERS = frozenset(
    {"CRM_UI", "IMPORT", "INTEGRATION", "API", "AUTOMATION_PLATFORM", "WORKFLOWS", "BATCH_UPDATE", "MERGE"}
)


class Change(NamedTuple):
    """A property of a record has this value since `at`. `source`, `source_id`: who set it, in HubSpot's words."""

    record_id: str
    property: str
    value: str
    at: datetime
    source: str = ""
    source_id: str = ""


class Said(NamedTuple):
    """A fact, and the id it has at its source. `stream` of the event is set once it is known whose it is."""

    event: e.Event
    source_id: str


class Changes:
    """Reads changes. `types`: id of a subscription type -> its name; `ours`: whether a change is an echo."""

    def __init__(self, types: Mapping[str, str], ours: Callable[[Change], bool]) -> None:
        self._types, self._ours = types, ours
        self._values = Values()

    def facts(self, change: Change) -> list[Said]:
        """What a change says; nothing for a property that is not watched."""
        made = list(self._events(change))
        key = f"{change.record_id}:{change.property}:{change.value}:{instant(change.at)}"
        return [Said(event, f"{key}:{place}" if place else key) for place, event in enumerate(made)]

    def _events(self, change: Change) -> Iterator[e.Event]:
        name, value, common = change.property, change.value, _common(change)
        kind = _type_left(name)
        if name == OPTED_OUT:
            yield from self._opted_out(change)
        elif kind:
            yield from self._type(change, token_of(self._types.get(kind[1], kind[1])))
        elif name == MARKETING:
            marketing = self._values.marketing(value)
            yield e.MarketingStatusObserved(
                **common, by="system", marketing=None if marketing == UNKNOWN else marketing
            )
        elif name == LEGAL_BASIS:
            yield e.BasisClaimed(**common, by="system", claims=self._values.legal_basis(value)[0])
        elif name == CONFIRMATION:
            said = self._values.double_opt_in(value)
            claims = () if said == UNKNOWN else said
            yield e.BasisClaimed(**common, by="system", field="double_opt_in", claims=claims)
        elif value:
            yield from self._undeliverable(change)

    def _opted_out(self, change: Change) -> Iterator[e.Event]:
        """Cleared or false, it is shown lifted; anything else that is not understood counts as a stop."""
        left = self._values.flag(change.value) is not False
        if left and not self._ours(change):
            yield e.OptedOut(**_common(change), by=acted(change.source), channels=EMAIL)
        yield e.OptOutShown(**_common(change), by="system", opted_out=left)

    def _type(self, change: Change, kind: str) -> Iterator[e.Event]:
        left = self._values.flag(change.value) is not False
        if left and not self._ours(change):
            stop = {**_common(change), "via": "hubspot_type"}
            yield e.TypeOptedOut(**stop, by=acted(change.source), channels=EMAIL, subscription_type=kind)
            return
        state: Any = "unsubscribed" if left else "subscribed" if change.value else "not_specified"
        yield e.SubscriptionShown(**_common(change), by="system", subscription_type=kind, state=state)

    def _undeliverable(self, change: Change) -> Iterator[e.Event]:
        common = _common(change)
        if change.property == QUARANTINE:
            reason = self._values.quarantine(change.value)
            if reason == "recipient_complaint":
                yield e.Complained(**common, by="data_subject")
            else:
                yield e.Bounced(
                    **common, by="system", kind="quarantined", reason="other" if reason == UNKNOWN else reason
                )
        elif change.property == HARD_BOUNCE:
            reason = self._values.hard_bounce(change.value)
            yield e.Bounced(**common, by="system", kind="hard", reason="other" if reason == UNKNOWN else reason)
        elif change.property == BAD_ADDRESS and self._values.flag(change.value) is not False:
            yield e.Bounced(**common, by="system", kind="invalid")


def acted(source: str) -> Party:
    """Who made a change, by what HubSpot names as its source."""
    if source in _THEMSELVES:
        return "data_subject"
    return "officer" if source in _OTHERS else "unknown"


def _common(change: Change) -> dict[str, Any]:
    """`via` names what set it, so that a flip made by somebody else can be told from the person's own act."""
    return {
        "stream": LEDGER_STREAM,
        "source": SOURCE,
        "occurred_from": change.at,
        "captured_at": change.at,
        "captured_by": CAPTURED_BY,
        "via": f"hubspot.{token_of(change.source)}" if change.source.strip() else "hubspot",
    }
