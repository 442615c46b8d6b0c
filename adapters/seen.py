"""What the ledger already holds of one CRM record, so that another row of it adds only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from adapters.hubspot.facts import (
    CLAIMS,
    CONFIRMATION,
    COUNTRY,
    NOT_OPTED_OUT,
    SOURCE,
    TAKES_MAIL,
    Person,
    facts_of,
    taken_back,
)
from adapters.hubspot.rows import Row
from ledger import events as e
from ledger.contact import Contact, Entry, latest_per_record
from ledger.terms import BEGINNING

_COMMON = frozenset(e.Event.__struct_fields__) - {"address"}
_PLACES = ("flags", "shown", "countries", "described", "bounces", "claims")
_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a record showed up to a moment, and what newer rows of it answered.

    observed         the latest observation of each kind
    claims           every basis that was claimed
    suspended        the address took no mail
    newer            what newer rows answered: an older row that says otherwise is no news
    is_older         a newer row of the record is known
    opted_out_until  when a newer row showed no opt-out, the first of them; dead_until: that it takes mail
    """

    observed: dict[_Key, _Key] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    suspended: bool = False
    newer: frozenset[str] = frozenset()
    is_older: bool = False
    opted_out_until: datetime | None = None
    dead_until: datetime | None = None

    def says(self, event: e.Event) -> bool:
        """Whether this is nothing new. What forbids, and that a row was seen on a day, always is."""
        if isinstance(event, e.Stop | e.Bounced | e.MarketingStatusObserved):
            return False
        if isinstance(event, e.OptOutShown):
            # not shown as opted out is news only of a record that once was
            return not event.opted_out and self.observed.get(_kind(event)) in (None, _content(event))
        before = self.observed.get(_kind(event))
        cleared = isinstance(event, e.BasisClaimed) and not event.claims and before is None
        return cleared or _answer(event) in self.newer or before == _content(event)


NOTHING_SEEN = Seen()


def seen_of(contact: Contact, record: str | None, at: datetime) -> Seen:
    """What was seen of a record up to a moment, and later.

    Of export rows only what was captured earlier counts, so that a row taken in again says what it said at first.
    """
    own = {place: [n for n in getattr(contact, place) if n.event.record == record] for place in _PLACES}
    old = {place: tuple(n for n in entries if _is_before(n, at)) for place, entries in own.items()}
    observed = {
        _kind(latest.event): _content(latest.event)
        for place in ("flags", "shown", "countries", "described")
        if (latest := latest_per_record(old[place]).get(record)) is not None
    }
    for entry in sorted(old["claims"], key=_captured):
        observed[_kind(entry.event)] = _content(entry.event)
    # what another file says of a bounce, no row of an export takes back
    bounces = [
        n.event.kind
        for n in sorted(old["bounces"], key=_captured)
        if isinstance(n.event, e.Bounced) and n.event.source == SOURCE
    ]
    rows = [n.event for n in own["flags"] if _is_row_after(n, at)]
    later = [row for row in rows if isinstance(row, e.MarketingStatusObserved)]
    newer = {name for row in later for name in row.answered}
    newer |= {_answer(n.event) for place in ("claims", "countries") for n in own[place] if _captured(n)[0] > at}
    return Seen(
        observed,
        claims=tuple(t for n in old["claims"] if isinstance(n.event, e.BasisClaimed) for t in n.event.claims),
        suspended=bool(bounces) and bounces[-1] not in ("cleared", "soft"),
        newer=frozenset(newer),
        is_older=any(_is_row_after(n, at) for entries in own.values() for n in entries),
        opted_out_until=_first(later, NOT_OPTED_OUT),
        dead_until=_first(later, TAKES_MAIL),
    )


def seen_anywhere(contact: Contact, family: Iterable[Contact]) -> Contact:
    """The contact with what CRM records showed while they stood with others of its family.

    A record that was shown with the addresses of two contacts has its rows in both, and the last of them counts.
    """
    folds = tuple(family)
    shown = {
        place: tuple(sorted((n for one in folds for n in getattr(one, place)), key=lambda n: n.position))
        for place in _PLACES
    }
    return msgspec.structs.replace(contact, **shown)


def news_of(
    row: Row,
    person: Person,
    at: datetime,
    seen: Seen,
    file_day: datetime | None = None,
    written: frozenset[str] = frozenset(),
) -> Iterator[tuple[e.Event, str]]:
    """What a row of that moment adds to what was seen of its record, with the source ids.

    `file_day`, `written`: see `facts_of`
    """
    facts = facts_of(
        row,
        person,
        at,
        known_claims=bool(seen.claims),
        known_bounce=seen.suspended,
        file_day=file_day,
        written=written,
    )
    for event, source_id, _ in facts:
        if not seen.says(event):
            yield event, source_id
    for event, source_id, _ in taken_back(row, person, seen.opted_out_until, seen.dead_until):
        yield event, source_id


def _is_before(entry: Entry, at: datetime) -> bool:
    captured = _captured(entry)[0]
    return captured < at or (captured == at and entry.event.source != SOURCE)


def _is_row_after(entry: Entry, at: datetime) -> bool:
    return entry.event.source == SOURCE and _captured(entry)[0] > at


def _captured(entry: Entry) -> tuple[datetime, int]:
    return entry.event.captured_at or BEGINNING, entry.position


def _first(rows: list[e.MarketingStatusObserved], name: str) -> datetime | None:
    return min((row.captured_at for row in rows if name in row.answered and row.captured_at), default=None)


def _answer(event: e.Event) -> str:
    """The name under which a row says that it answered this."""
    if isinstance(event, e.BasisClaimed):
        return CLAIMS if event.field == "legal_basis" else CONFIRMATION
    return COUNTRY if isinstance(event, e.CountryEvidenced) else ""


def _kind(event: e.Event) -> _Key:
    """Two observations of one kind replace each other."""
    return type(event), getattr(event, "field", None), getattr(event, "kind", None)


def _content(event: e.Event) -> _Key:
    """All an event says, apart from when and by which id."""
    names = [name for name in event.__struct_fields__ if name not in _COMMON]
    return (type(event), event.via, *(getattr(event, name) for name in names))
