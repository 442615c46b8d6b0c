"""What the ledger already holds of one CRM record, so that a newer export adds only what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ledger import events as e
from ledger.contact import Contact, Entries, latest_per_record
from ledger.terms import BEGINNING

_COMMON = frozenset(e.Event.__struct_fields__) - {"address"}
_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The latest observation of each kind, and the stops already recorded, of one record."""

    observed: dict[_Key, _Key] = field(default_factory=dict)
    stops: frozenset[_Key] = frozenset()
    claims: tuple[str, ...] = ()
    suspended: bool = False

    def says(self, event: e.Event) -> bool:
        """Whether this is what the record said last: nothing new."""
        if isinstance(event, e.Stop):
            return _content(event) in self.stops
        if isinstance(event, e.OptOutShown) and not event.opted_out and _kind(event) not in self.observed:
            return True  # not shown as opted out is news only of a record that once was
        if isinstance(event, e.Bounced) and not self.suspended:
            return event.kind == "cleared"  # mail is taken: a bounce is news, that it is taken is none
        if isinstance(event, e.Bounced) and event.kind == "cleared":
            return False
        return self.observed.get(_kind(event)) == _content(event)


NOTHING_SEEN = Seen()


def seen_of(contact: Contact, record: str | None, before: datetime) -> Seen:
    """What was seen of a record before a moment. A stop shown lifted since counts as unseen: it is news.

    Only what was captured earlier counts, so that a file taken in again says what it said the first time.
    """
    old = {
        place: tuple(
            n
            for n in getattr(contact, place)
            if n.event.record == record and (n.event.captured_at or BEGINNING) < before
        )
        for place in ("flags", "shown", "countries", "described", "bounces", "claims", "stops")
    }
    observed = {
        _kind(latest.event): _content(latest.event)
        for place in ("flags", "shown", "countries", "described")
        if (latest := latest_per_record(old[place]).get(record)) is not None
    }
    for entry in old["bounces"] + old["claims"]:
        observed[_kind(entry.event)] = _content(entry.event)
    claims = tuple(token for n in old["claims"] if isinstance(n.event, e.BasisClaimed) for token in n.event.claims)
    standing = [n.event.kind for n in old["bounces"] if isinstance(n.event, e.Bounced)]
    suspended = bool(standing) and standing[-1] not in ("cleared", "soft")
    return Seen(observed, _standing(old["stops"], old["shown"], record), claims, suspended)


def _standing(stops: Entries, shown: Entries, record: str | None) -> frozenset[_Key]:
    last = latest_per_record(shown).get(record)
    lifted = last is not None and isinstance(last.event, e.OptOutShown) and not last.event.opted_out
    return frozenset(_content(n.event) for n in stops if not (lifted and n.event.via == "hubspot"))


def _kind(event: e.Event) -> _Key:
    """Two observations of one kind replace each other."""
    return type(event), getattr(event, "field", None), getattr(event, "kind", None)


def _content(event: e.Event) -> _Key:
    """All an event says, apart from when and by which id."""
    names = [name for name in event.__struct_fields__ if name not in _COMMON]
    return (type(event), event.via, *(getattr(event, name) for name in names))
