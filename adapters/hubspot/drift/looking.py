"""Differences with their story: since when HubSpot shows what it shows, who set it, and which side wrote last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from adapters.hubspot.api.portal import Portal
from adapters.hubspot.changes import MARKETING, OPTED_OUT, SYSTEM, Change, Changes, acted
from adapters.hubspot.drift.book import DriftBook, Ignored
from adapters.hubspot.drift.comparing import NEVER, Difference, differences
from adapters.hubspot.sync.apply import Sync
from adapters.hubspot.sync.plan import VERDICT
from adapters.hubspot.sync.store import Book, Last
from adapters.recording import Recorded, Saying, record_all
from adapters.wiring import House
from ledger.codec import decode
from ledger.vault import Registration

Side = Literal["ledger", "crm", "unknown"]
_OWN_PAGES = frozenset({"form", "subscription page"})
"""What the state of a subscription names as its source, beside what histories of properties do."""
_CLOSE = timedelta(seconds=5)
"""Our clock beside HubSpot's: a write of ours and the change it made may be so far apart."""
_OFF = ("unsubscribe_all", "unsubscribe")
_SHOWN_BY = {"marketing_mark_differs": MARKETING, "property_differs": VERDICT}
_ON = frozenset({"crm_on_ledger_stopped", "crm_on_without_basis"})
_OPTED = _ON | {"crm_opted_out_ledger_allows", "opted_in_later_elsewhere"}
_NEVER_OURS = frozenset(
    {
        "CRM_UI", "CRM_UI_BULK_ACTION", "IMPORT", "WORKFLOWS", "AUTOMATION_PLATFORM", "BATCH_UPDATE", "MERGE",
        "FORM", "FORMS", "EMAIL", "PREFERENCES",
    }
)  # fmt: skip
"""What HubSpot names where a person, a user or something of the portal's own made a change."""


class Drift(NamedTuple):
    """A difference, and what is known of it.

    since        when HubSpot came to show it; else when it was first found
    last_writer  who wrote what HubSpot shows; `by`: in its own words
    flipped      HubSpot shows on what was off, and somebody else did it: the alarm
    own_act      the person did it, in HubSpot: a yes whose evidence is still to be brought
    change       what made HubSpot show it, if it is known
    """

    ref: str
    difference: Difference
    since: datetime
    last_writer: Side
    by: str
    flipped: bool
    own_act: bool
    change: Change | None
    ignored: Ignored | None


class Watch:
    """One ledger beside one portal. `ours`: the id of our own app; None: nobody said."""

    def __init__(
        self, house: House, portal: Portal, sync: Sync, books: tuple[Book, DriftBook], ours: int | None
    ) -> None:
        self._house, self._portal, self._sync = house, portal, sync
        self._written, self._book = books
        self._ours = frozenset() if ours is None else frozenset({str(ours), f"appId:{ours}"})

    def over(self, contacts: Sequence[str], at: datetime) -> list[Drift]:
        """What differs of these contacts. Raises AwayError, RefusedError."""
        scene, gone = self._sync.scene(contacts)
        ids = self._house.ledger.vault.records_in(SYSTEM, contacts) if gone else {}
        missing = {record: contact for contact, held in ids.items() for record in held if record in set(gone)}
        found = differences(scene, missing, self._given_at)
        refs = {self._reference(one): one for one in found}
        since = self._book.found(contacts, {ref: one.contact for ref, one in refs.items()}, at)
        ignored = self._book.ignored(at) if refs else {}
        changes = self._changes(found)
        return [
            self._told(ref, one, since[ref], changes.get((one.record, _property(one)), ()), ignored.get(ref))
            for ref, one in refs.items()
        ]

    def _reference(self, one: Difference) -> str:
        return self._book.reference(one.kind, one.record, one.email or "", one.about)

    def _given_at(self, position: int) -> datetime | None:
        entries = self._house.ledger.log.read(position - 1, 1)
        return decode(entries[0][2]).latest if entries else None

    def _changes(self, found: Iterable[Difference]) -> Mapping[tuple[str, str], Sequence[Change]]:
        """What HubSpot remembers of the properties that show these differences."""
        wanted = [one for one in found if _property(one)]
        if not wanted:
            return {}
        names = sorted({_property(one) for one in wanted})
        records = list(dict.fromkeys(one.record for one in wanted))
        read = self._portal.read_contacts(records, names, history=names)
        return {(record, name): one.history.get(name, ()) for record, one in read.items() for name in names}

    def _told(
        self, ref: str, one: Difference, found: datetime, changes: Sequence[Change], ignored: Ignored | None
    ) -> Drift:
        change = changes[-1] if changes else None
        if change is None and one.shown_at is not None and _property(one):
            change = Change(one.record, _property(one), _value(one), one.shown_at, one.source)
        writer = self._writer(one, change)
        was_off = any(earlier.value == "true" for earlier in changes[:-1]) or self._was_written_off(one)
        turned_on = one.kind == "crm_on_ledger_stopped" and writer != "ledger" and change is not None
        turned_on = turned_on and (was_off or self._since_the_stop(one, change))
        own = turned_on and change is not None and _is_own(change)
        by = f"{change.source} {change.source_id}".strip() if change is not None else ""
        return Drift(ref, one, change.at if change else found, writer, by, turned_on and not own, own, change, ignored)

    def _writer(self, one: Difference, change: Change | None) -> Side:
        """By the name of whoever made the change; where that says nothing, by when we wrote ourselves."""
        calls = ("subscribe",) if one.kind in _ON else _OFF if one.kind in _OPTED else ("update",)
        mine = [last.at for last in self._done(one) if last.call in calls]
        if change is None:
            return "ledger" if mine else "unknown"
        if change.source in _NEVER_OURS:
            return "crm"
        if self._ours and change.source_id:
            return "ledger" if change.source_id in self._ours else "crm"
        return "ledger" if any(abs(at - change.at) <= _CLOSE for at in mine) else "crm"

    def _done(self, one: Difference) -> list[Last]:
        """What was written of it from here."""
        return [
            last for last in self._written.last(one.record) if last.status == "done" and last.about in ("", one.about)
        ]

    def _was_written_off(self, one: Difference) -> bool:
        return any(last.call in _OFF for last in self._done(one))

    def _since_the_stop(self, one: Difference, change: Change | None) -> bool:
        """Whether it was turned on after the stop that the ledger holds was made."""
        stopped = self._given_at(one.position)
        subscribed = one.crm.startswith("subscribed")
        return change is not None and stopped is not None and subscribed and change.at > stopped


class Recorder:
    """Takes what HubSpot shows into the ledger as evidence. `types`: id of a subscription type -> its name."""

    def __init__(self, house: House, types: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._house, self._clock = house, clock
        self._changes = Changes(types, lambda _: False)

    def record(self, one: Drift) -> list[Recorded]:
        """A stop that is shown becomes a recorded stop; what is shown as on is recorded as shown, and grants nothing.

        The same change told again, by a webhook or a pull, is the same fact.
        """
        about = one.difference
        change = one.change or Change(about.record, _property(about), _value(about), self._clock(), "", "")
        change = change._replace(value=_value(about))
        who = Registration(about.email, SYSTEM, about.record)
        return record_all(
            self._house.ledger,
            [Saying(who, said.event, said.source_id) for said in self._changes.facts(change)],
        )


def _is_own(change: Change) -> bool:
    """Whether the person did it: by a form, or on the preferences page. Only where HubSpot says so."""
    return acted(change.source) == "data_subject" or change.source.casefold() in _OWN_PAGES


def _property(one: Difference) -> str:
    """The property of a contact in which HubSpot shows a difference; empty: none does."""
    if one.kind in _OPTED:
        return f"{OPTED_OUT}_{one.about}" if one.about else OPTED_OUT
    return "" if one.crm == NEVER else _SHOWN_BY.get(one.kind, "")


def _value(one: Difference) -> str:
    """What that property holds."""
    if one.kind in _OPTED:
        return "false" if one.kind in _ON else "true"
    return "true" if one.crm != "non-marketing" else "false"
