"""One pull under way: what every kind of it needs, and the walk through pages that most of them share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from adapters.evidence import Dropped, Taken, close, name_types, take
from adapters.hubspot.api.portal import Page, Portal, RefusedError
from adapters.hubspot.changes import Change
from adapters.hubspot.evidence import SYSTEM
from adapters.hubspot.labels import fold
from adapters.hubspot.naming import names_of
from adapters.hubspot.pull.cursors import Counts, Cursor, Cursors
from adapters.layouts import Layout, fits, places
from adapters.reading import TableEvidence
from adapters.statements import Wanted
from adapters.tabular import table_of
from adapters.times import TimeReader
from adapters.wiring import House
from ledger import events as e

Raw = dict[str, Any]
Fetch = Callable[[datetime | None, str | None, datetime], Page[Raw]]
Told = Callable[[str, int, int | None], None]

OVERLAP, LATE = timedelta(hours=1), timedelta(days=1)
"""What HubSpot tells of late is seen the next time; what was seen is known already. `LATE`: of what is told by time
alone, since nothing else would ever bring it again.
"""


class Ours(Protocol):
    """Which of HubSpot's changes we made ourselves."""

    def change(self, change: Change) -> bool:
        """Of a property."""
        ...

    def wrote(self, record: str, type_id: str | None, at: datetime) -> bool:
        """That a record's address left a type, or (`type_id` None) all e-mail, about then."""
        ...


@dataclass
class Tally:
    """What became of one kind: of this run, and with it of the runs before that it goes on from."""

    kind: str
    taken: Taken
    started: datetime
    since: datetime | None
    pages: int = 0
    before: Counts = field(default_factory=Counts)

    def counts(self) -> Counts:
        """Everything together."""
        mine, old = self.taken, self.before
        return Counts(
            pages=old.pages + self.pages,
            rows=old.rows + mine.rows,
            facts=old.facts + mine.facts,
            added=old.added + mine.added,
            unchanged=old.unchanged + mine.unchanged,
            stops=old.stops + mine.stops,
            rejected=old.rejected + len(mine.rejected),
            lost=old.lost + mine.unread.lost,
            first=min(filter(None, (old.first, mine.first)), default=None),
            last=max(filter(None, (old.last, mine.last)), default=None),
        )


@dataclass
class Pull:
    """What a pull works with. `told`: kind, rows done, rows in all where that is known."""

    house: House
    portal: Portal
    cursors: Cursors
    clock: Callable[[], datetime]
    ours: Ours
    wanted: Wanted = field(default_factory=Wanted)
    told: Told = lambda _, __, ___: None
    tallies: list[Tally] = field(default_factory=list)

    def begin(self, kind: str, source: str) -> Tally:
        """Begin a kind, or go on with it. `source`: the kind of file that says the same."""
        cursor = self.cursors.get(kind)
        now = self.clock()
        started = cursor.started or now.replace(microsecond=now.microsecond // 1000 * 1000)
        made = Tally(kind, Taken(kind, "", source), started, cursor.since, before=cursor.counts)
        self.tallies.append(made)
        self.save(made)
        return made

    def save(self, tally: Tally) -> None:
        """Keep what a kind has come to so far."""
        self.cursors.put(tally.kind, Cursor(since=tally.since, started=tally.started, counts=tally.counts()))

    def finish(self, tally: Tally, source: str | None) -> None:
        """A kind was gone through to its end: the next pull takes what is news since this one began.

        source  of the entry that says it was looked at; None: the facts themselves say it
        """
        if source is not None:
            self._close(tally, source)
        self.cursors.put(tally.kind, Cursor(since=tally.started))

    def paged(self, tally: Tally, key: str, cursor: Cursor, total: int | None = None) -> None:
        """Keep how far the pages are; what they say is durable."""
        self.cursors.put(key, cursor)
        self.save(tally)
        self.told(tally.kind, tally.counts().rows, total)

    def type_names(self) -> dict[str, str]:
        """Subscription types by id, each by a name of its own; none where the token may not ask."""
        try:
            found = self.portal.types()
        except RefusedError as error:
            if error.status != 403:
                raise
            return {}
        names = names_of(found)
        name_types(self.house, names.items())
        return names

    def take(self, tally: Tally, layout: Layout, reader: type[TableEvidence], title: str, rows: Sequence[Raw]) -> None:
        """Record what a page states, by the reader of the file that would hold it."""
        table = table_of(title, msgspec.json.encode(rows)) if rows else None
        if table is None:
            return
        at = places(table.header, layout, fold)
        if not fits(at, layout):
            tally.taken.findings.append(f"{tally.kind}: a page of {len(rows)} without what is needed ({layout.says})")
            return
        page = reader(table, at, layout.kind, SYSTEM, self.clock(), TimeReader(None))
        take(self.house, page, self.wanted, tally.taken)

    def walk(self, tally: Tally, key: str, fetch: Fetch, took: Callable[[Sequence[Raw]], bool]) -> None:
        """Go through the pages of what happened since the last pull. `took` says whether to go on."""
        cursor = self.cursors.get(key)
        if cursor.since == tally.started:
            return  # gone through before the run that this one goes on from was ended
        start = cursor.since - LATE if cursor.since else None
        while True:
            try:
                page = fetch(start, cursor.after, tally.started)
            except RefusedError as error:
                if cursor.after is None or error.status not in (400, 404, 410):
                    raise
                # a place in a list does not stay valid for ever: the list is gone through again
                cursor = msgspec.structs.replace(cursor, after=None)
                continue
            tally.pages += 1
            if not took(page.items) or page.after is None:
                break
            cursor = msgspec.structs.replace(cursor, after=page.after)
            self.paged(tally, key, cursor)
        self.paged(tally, key, Cursor(since=tally.started))

    def _close(self, tally: Tally, source: str) -> None:
        """Record that a kind was pulled, if that brought or lost anything, or nobody looked at it before."""
        counts, taken, started = tally.counts(), tally.taken, tally.started
        imports = [n.event for n in self.house.catalogue.imports]
        if not (counts.added or counts.lost) and any(event.source == source for event in imports):
            return
        taken.sha256 = hashlib.sha256(f"{source} pulled at {started.isoformat()}".encode()).hexdigest()
        if any(isinstance(event, e.ImportFinished) and event.file == taken.sha256 for event in imports):
            return
        whole = Taken(
            tally.kind,
            taken.sha256,
            taken.kind,
            rows=counts.rows,
            facts=counts.facts,
            added=counts.added,
            unchanged=counts.unchanged,
            stops=counts.stops,
            first=counts.first,
            last=counts.last,
        )
        close(self.house, source, started, whole, Dropped(counts.rejected, counts.lost))
