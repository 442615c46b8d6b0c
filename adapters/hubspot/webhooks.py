"""HubSpot as a sender of webhooks: known by its signature, heard by its notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.evidence import name_types
from adapters.hubspot import notices
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.asking import Asking
from adapters.hubspot.changes import SYSTEM, TYPE_PREFIX, Changes
from adapters.hubspot.hearing import (
    Hearing,
    Known,
    is_hint,
    is_of_addresses,
    is_watched,
    may_be_lost,
    records_of,
    wanted,
)
from adapters.hubspot.notices import Notice
from adapters.hubspot.pull.run import Ours
from adapters.hubspot.rereading import Reread, addresses_of
from adapters.hubspot.signature import refusal
from adapters.receiving import Accepted, AwayError, Delivery, Heard, Refused, Sent
from adapters.wiring import House

PATH = "/webhooks/hubspot"
_OTHER_PORTAL = "a notice of another portal than that of CONSENT_LEDGER_HUBSPOT_PORTAL"


class HubSpotReceiver:
    """`public_url`: where HubSpot reaches this service; `ours`: which changes we made ourselves, and are echoes.

    secrets  client secrets that may sign: one, and two while it is changed
    portal   whom to ask where a notice only hints; None: what it says is all there is
    clock    monotonic seconds
    number   the portal's id. One secret signs for every portal that an app is in, and their records have the same ids
    """

    name = "hubspot"
    methods: tuple[str, ...] = ("POST",)

    def __init__(
        self,
        secrets: Sequence[str],
        public_url: str,
        ours: Ours,
        portal: Portal | None,
        clock: Callable[[], float],
        number: int | None = None,
    ) -> None:
        self._secrets = [one.encode() for one in secrets]
        self._url = public_url.rstrip("/") + PATH
        self._ours, self._number = ours, number
        self._asking = Asking(portal, clock)
        self._changes = Changes(self._asking.known_types, ours.change)
        self._named: set[str] = set()

    def accept(self, sent: Sent) -> Accepted | Refused:
        """Whether HubSpot signed it, and the notices in it."""
        if sent.tail:
            return Refused(404, "HubSpot's webhooks have no path below this one")
        refused = refusal(sent, self._url, self._secrets)
        if refused is not None:
            return refused
        found = notices.deliveries(sent.body)
        return found if isinstance(found, Refused) else Accepted(found)

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:
        """What notices say. One that must wait for HubSpot's answer holds up no other."""
        read = [self._ours_alone(notices.read(one.body)) for one in deliveries]
        good = [one for one in read if isinstance(one, Notice)]
        here = house.ledger.vault.known_records(SYSTEM, [one for notice in good for one in records_of(notice)])
        need = wanted(good, here)
        try:
            there, is_away = self._asking.contacts(need), False
        except AwayError:
            there, is_away = {}, True
        whole = [there[of] for one in good if is_of_addresses(one) and (of := (records_of(one) or [""])[0]) in there]
        self._asking.look_ahead([email for record in whole for email in addresses_of(record)])
        reread = Reread(house, self._changes, self._ours, self._asking)
        hearing = Hearing(house, self._changes, Known(here, there), self._asking, reread)
        heard = [self._heard(hearing, one, need if is_away else ()) for one in read]
        self._name_types(house)
        return heard

    def _name_types(self, house: House) -> None:
        """Record which number goes with which name, of types that were learnt since: notices know them by number."""
        learnt = {number: name for number, name in self._asking.known_types.items() if number not in self._named}
        if learnt:
            name_types(house, learnt.items())
            self._named |= learnt.keys()

    def _ours_alone(self, notice: Notice | str) -> Notice | str:
        """What a portal tells, if it is the one that is meant."""
        if self._number is None or isinstance(notice, str) or str(notice.portal_id) == str(self._number):
            return notice
        return _OTHER_PORTAL

    def _heard(self, hearing: Hearing, notice: Notice | str, unasked: Sequence[str]) -> Heard:
        if isinstance(notice, str):
            return Heard(problem=notice)
        if not records_of(notice):
            quiet = notice.kind is None and not may_be_lost(notice)
            return Heard() if quiet else Heard(problem="a notice about no record")
        if (is_hint(notice) or is_watched(notice)) and records_of(notice)[0] in unasked:
            return Heard(later=True)
        try:
            if kind := _type_of(notice):
                self._asking.types(kind)
            return hearing.hear(notice)
        except AwayError:
            return Heard(later=True)


def _type_of(notice: Notice) -> str | None:
    """The subscription type whose property changed."""
    name = notice.property_name or ""
    return name.removeprefix(TYPE_PREFIX) if is_watched(notice) and name.startswith(TYPE_PREFIX) else None
