"""From what `projections.sends` finds to rows that may be shown: references, masked addresses, words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from adapters.identification import reference_of
from adapters.report.masking import mask_email, printable
from adapters.report.sends import NOTHING_HELD, SentRow
from adapters.whys import reason_of, verdict_of
from adapters.wiring import House
from ledger import events as e
from ledger.terms import BEGINNING
from projections.sends import Sending, Totals, Window, audited


def sent_rows(house: House, window: Window, totals: Totals, *, only_found: bool = False) -> Iterator[SentRow]:
    """Every e-mail of a window as a row; `totals` grows on the way. `only_found`: rows of findings alone."""
    words = _Words(house)
    for one in audited(house.ledger.log, house.location("log"), house.policy, window, totals):
        if not only_found or one.finding != "allowed":
            yield words.row(one)


class _Words:
    def __init__(self, house: House) -> None:
        self._house = house
        self._masked = lru_cache(maxsize=4_096)(self._mask)

    def row(self, one: Sending) -> SentRow:
        """One e-mail in words."""
        event = one.entry.event
        message, campaign = self._names(event)
        stop = one.stop.event if one.stop else None
        return SentRow(
            reference=reference_of(event.stream, one.entry.position),
            position=one.entry.position,
            sent_at=one.at,
            dated=event.occurred_from is not None,
            email_masked=self._masked(event.address),
            campaign=campaign,
            message_id=message,
            purpose=one.purpose,
            finding=one.finding,
            answer_then=verdict_of(one.then) if one.then else NOTHING_HELD,
            reason_then=reason_of(one.then) if one.then else NOTHING_HELD,
            answer_now=verdict_of(one.now),
            reason_now=reason_of(one.now),
            basis=one.now.basis,
            rules=one.now.rules,
            stopped_by=one.stopped_by,
            stop_position=one.stop.position if one.stop else None,
            stop_made=stop.earliest if stop is not None and stop.earliest > BEGINNING else None,
            stop_made_by=stop.latest if stop is not None else None,
            stop_recorded=stop.recorded_at if stop else None,
            stop_on_record=one.stop_on_record if one.finding == "after_stop" else None,
            days_after_stop=one.days_after_stop,
            days_to_record=one.days_to_record,
        )

    def _names(self, event: e.Event) -> tuple[str | None, str | None]:
        """(message id, campaign): as written where that is still held, else as tokens of the log."""
        kept = self._house.payload(event)
        message = kept.get("message_id") or getattr(event, "message", None)
        campaign = kept.get("campaign") or getattr(event, "campaign", None)
        return (printable(str(message)) if message else None, printable(str(campaign)) if campaign else None)

    def _mask(self, address: str | None) -> str:
        if address is None:
            return mask_email(None)
        written = self._house.ledger.vault.address_text(address)
        return mask_email(written) if isinstance(written, str) else "erased"
