"""Contacts: what each shows now, as an export would, and how that came about, dated and attributed.

The first pull lists them all; later ones search for those modified since, by windows of time, since a search hands
out no more than ten thousand. Where the history of a property explains a stop, it is recorded with its date, and
not once more as one from an unknown time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from adapters.addresses import address_of
from adapters.echoed import NOTHING_WRITTEN
from adapters.encodings import UnreadableInput
from adapters.evidence import record
from adapters.hubspot import changes as c
from adapters.hubspot.api.portal import ContactRead, Page, RefusedError
from adapters.hubspot.api.reading import when
from adapters.hubspot.arrivals import addresses_of, arrivals
from adapters.hubspot.changes import Changes
from adapters.hubspot.evidence import SYSTEM
from adapters.hubspot.export import Export
from adapters.hubspot.labels import recognise
from adapters.hubspot.pull.asked import LEFT, Asked, asked_of
from adapters.hubspot.pull.cursors import Cursor
from adapters.hubspot.pull.run import OVERLAP, Pull, Tally
from adapters.hubspot.rows import Row
from adapters.intake import SOURCE, Occasion, Portion, Share
from adapters.receiving import AwayError
from adapters.statements import Statement
from adapters.tabular import table_of
from adapters.times import TimeReader
from adapters.tokens import token_of
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Person
from ledger.contact import Contact
from ledger.vault import Registration

KEY = "contacts.pages"
ADDITIONAL = "hs_additional_emails"
EMAIL = "email"
_FEW = 20
_TICK = timedelta(milliseconds=1)
_BOUNCED = {"quarantined": c.QUARANTINE, "hard": c.HARD_BOUNCE, "invalid": c.BAD_ADDRESS}


def pull_contacts(pull: Pull) -> None:
    """All contacts, or those that changed since the last pull."""
    tally = pull.begin("contacts", "export")
    asked = asked_of(pull)
    changes = Changes(asked.types, pull.ours.change)
    total = contacts_in_all(pull) if tally.since is None else None
    for page, cursor in pages(pull, tally, KEY, (*asked.header, ADDITIONAL), (EMAIL, *asked.history)):
        tally.pages += 1
        _take(pull, tally, asked, changes, page)
        pull.paged(tally, KEY, cursor, total)
    pull.finish(tally, SOURCE)


def contacts_in_all(pull: Pull) -> int | None:
    """How many contacts the portal has, where it says so."""
    try:
        return pull.portal.count_contacts()
    except RefusedError:
        return None


def pages(
    pull: Pull, tally: Tally, key: str, properties: Sequence[str], history: Sequence[str] = ()
) -> Iterator[tuple[Sequence[ContactRead], Cursor]]:
    """Pages of contacts, each with the cursor to be kept once it is recorded."""
    cursor = pull.cursors.get(key)
    if cursor.started != tally.started:
        cursor = Cursor(since=cursor.since, started=tally.started)
    if cursor.since is None:
        yield from _listed(pull, cursor, properties, history)
    elif cursor.since < tally.started:
        yield from _changed(pull, cursor, cursor.through or cursor.since - OVERLAP, properties, history)


def _listed(
    pull: Pull, cursor: Cursor, properties: Sequence[str], history: Sequence[str]
) -> Iterator[tuple[Sequence[ContactRead], Cursor]]:
    while True:
        try:
            page = pull.portal.contacts(cursor.after, properties, history)
        except RefusedError as error:
            if cursor.after is None or error.status not in (400, 404, 410):
                raise
            cursor = msgspec.structs.replace(cursor, after=None)
            continue
        if page.after is None:
            yield page.items, Cursor(since=cursor.started)
            return
        if page.after == cursor.after:
            raise AwayError("HubSpot names the same page as the next one again and again")
        cursor = msgspec.structs.replace(cursor, after=page.after)
        yield page.items, cursor


def _changed(
    pull: Pull, cursor: Cursor, since: datetime, properties: Sequence[str], history: Sequence[str]
) -> Iterator[tuple[Sequence[ContactRead], Cursor]]:
    """Each page begins at the moment the last one ended with, so that no search grows beyond its cap.

    A moment that more share than one page holds is gone through by itself, by their ids.
    """
    while True:
        moment = cursor.after is not None
        found = (
            pull.portal.changed_at(since, cursor.after, ["lastmodifieddate"])
            if cursor.after is not None
            else pull.portal.changed_contacts(since, None, ["lastmodifieddate"])
        )
        ids = [one.id for one in found.items]
        read = list(pull.portal.read_contacts(ids, properties, history=history, whole=True).values())
        if found.after is None and not moment:
            yield read, Cursor(since=cursor.started)
            return
        since, after = _onward(since, found, moment=moment)
        cursor = msgspec.structs.replace(cursor, through=since, after=after)
        yield read, cursor


def _onward(since: datetime, found: Page[ContactRead], *, moment: bool) -> tuple[datetime, str | None]:
    """From when on the next search looks; within a moment that many share, beyond which id of it.

    By numbers of pages it would pass over somebody whenever one of an earlier page is changed meanwhile.
    """
    if moment:
        more = found.after is not None and found.items
        return (since, found.items[-1].id) if more else (since + _TICK, None)
    last = _modified(found)
    return (since, "0") if last is None or last <= since else (last, None)


def _modified(page: Page[ContactRead]) -> datetime | None:
    times = [when(one.properties.get("lastmodifieddate")) for one in page.items]
    return max((at for at in times if at is not None), default=None)


def _take(pull: Pull, tally: Tally, asked: Asked, changes: Changes, found: Sequence[ContactRead]) -> None:
    """Record a page: how things came about first, so that what is shown of them is no news."""
    rows = [{label: one.properties.get(name) or "" for name, label in asked.header.items()} for one in found]
    for row, one in zip(rows, found, strict=True):
        row["hs_object_id"] = one.id
        if c.CONFIRMATION in row:
            row[c.CONFIRMATION] = asked.words.get(row[c.CONFIRMATION], row[c.CONFIRMATION])
    table = table_of("contacts", msgspec.json.encode(rows)) if rows else None
    if table is None:
        return
    export = Export(((table, recognise(table.header)),), TimeReader(None), forgiving=True)
    occasion = Occasion("", tally.started, False, False, frozenset(), now())
    share = _PulledShare(pull.house, export, occasion, {one.id: one for one in found}, asked.types)
    portion = share.read(lambda _: None)
    _refuse_other_portal(portion)
    arrived = arrivals(pull.house, [(one.id, addresses_of(one)) for one in found])
    told = [one for contact in found for one in _history(contact, changes)]
    record(pull.house, SYSTEM, "history of contacts", told, tally.taken)
    portion = share.settle()
    _register_others(pull.house, found)
    noted = [Statement(*one, 0) for one in arrived]
    record(pull.house, SYSTEM, "records of people known already", noted, tally.taken)
    taken = tally.taken
    taken.rows += portion.rows + len(export.rejected)
    taken.facts += portion.added + portion.unchanged
    taken.added += portion.added
    taken.unchanged += portion.unchanged
    taken.stops += len(portion.stops)
    taken.rejected += export.rejected
    taken.findings += [said for said in portion.findings if said not in taken.findings]


def _register_others(house: House, found: Sequence[ContactRead]) -> None:
    """The further addresses, so that the stops of whoever has them are known to be for these as well."""
    others = [(contact, email) for contact in found for email in addresses_of(contact) if email != contact.email]
    if others:
        house.ledger.register_many([Registration(email, SYSTEM, contact.id, False) for contact, email in others])


class _PulledShare(Share):
    """A page of contacts as a share of an export. `found`: the same contacts by record, with their history."""

    def __init__(
        self,
        house: House,
        export: Export,
        occasion: Occasion,
        found: Mapping[str, ContactRead],
        types: Mapping[str, str],
    ) -> None:
        super().__init__(house, export, occasion)
        self._explained = {record: _explained(one, types) for record, one in found.items()}
        self._found = found

    def _other_address(self, row: Row, address: str | None) -> bool:
        """Whether a record has another address than it is known by, and never had that one."""
        if not super()._other_address(row, address):
            return False
        one, vault = self._found[row.record_id or ""], self._house.ledger.vault
        had = (vault.find_address(email) for email in (*one.also, *(past.value for past in one.history.get(EMAIL, ()))))
        return not any(known is not None and known[1] == address for known in had)

    def said(
        self, row: Row, person: Person, contact: Contact | None, written: frozenset[str] = NOTHING_WRITTEN
    ) -> Iterator[tuple[e.Event, str]]:
        """See `Share`; a stop that the history dates is not one from ever."""
        explained = self._explained.get(row.record_id or "", frozenset())
        for event, source_id in super().said(row, person, contact, written):
            if _about(event) not in explained:
                yield event, source_id


def _about(event: e.Event) -> str | None:
    """The property that a stop or a bounce was read from."""
    if isinstance(event, e.TypeOptedOut):
        return f"{LEFT}{event.subscription_type}"
    if isinstance(event, e.OptedOut):
        return c.OPTED_OUT
    if isinstance(event, e.Complained):
        return c.QUARANTINE
    return _BOUNCED.get(event.kind) if isinstance(event, e.Bounced) else None


def _explained(contact: ContactRead, types: Mapping[str, str]) -> frozenset[str]:
    """The properties whose history says since when they are as they are; of types, by their name's token."""
    found = set()
    for name, held in contact.history.items():
        if held and held[-1].value and held[-1].value == (contact.properties.get(name) or held[-1].value):
            number = name.removeprefix(LEFT)
            kind = token_of(types.get(number, number)) if name.startswith(LEFT) else None
            found.add(name if kind is None else f"{LEFT}{kind}")
    return frozenset(found)


def _history(contact: ContactRead, changes: Changes) -> Iterator[Statement]:
    email = address_of(contact.email or "")
    for versions in contact.history.values():
        for change in versions:
            for said in changes.facts(change):
                event = msgspec.structs.replace(said.event, stream="")
                # said of an address later, it is another fact
                source_id = said.source_id if email else f"{said.source_id}:record"
                yield Statement(email, contact.id, event, source_id, None, 0)


def _refuse_other_portal(portion: Portion) -> None:
    """Raise UnreadableInput if most of the known records of a page have another address."""
    if portion.known >= _FEW and portion.contradicting * 2 > portion.known:
        raise UnreadableInput(
            "another_portal",
            f"{portion.contradicting} of {portion.known} known record ids have another address in this portal.",
            "Is CONSENT_LEDGER_HUBSPOT_TOKEN that of another portal? A ledger belongs to one: use --ledger.",
        )
