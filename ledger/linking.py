"""What the ledger itself records of people who come to be known: their addresses, suppression, and whom they meet.

Contacts that meet in a record, an address or a spelling are linked by their stops (`StopsLinked`); where too many
meet, nobody is linked there and all are held for review. Each entry is found again by its sid, so that doing
this again, after a crash or beside another process, appends what is missing and nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from ledger import codec
from ledger import events as e
from ledger.log import Clock, Draft, Log
from ledger.meeting import Crowd, Met, Tie
from ledger.resolving import Resolved
from ledger.standing import VIA, Standing
from ledger.terms import BEGINNING, BY_SUPPRESSION
from ledger.vault import Registration, Vault

SOURCE = "ledger"
"""The source of what the ledger itself records."""
CROWD = "too_many_contacts_meet"
"""The question of a review that the ledger opens where a record, address or spelling is nobody's own."""

_Own = tuple[e.Event, str]
"""An event and the id that the ledger gives it."""


class Linking:
    """Appends what is missing in the log of people whom the vault knows."""

    def __init__(self, log: Log, vault: Vault, sid: Callable[[str, str], bytes], clock: Clock) -> None:
        self._log = log
        self._vault = vault
        self._sid = sid
        self._clock = clock

    def link(self, registrations: Sequence[Registration], people: Sequence[Resolved]) -> list[Resolved]:
        """Append it for people as they were resolved; the same people, those in a crowd marked as such."""
        self._link_addresses(registrations, people)
        together = {(p.record, p.address) for p in people if p.gathered and p.record and p.address}
        met = self._vault.met_in_records(together) if together else Met()
        self._record(met)
        self._record(self._vault.met_in_spellings({one.email for one in registrations if one.email}))
        crowded = {crowd.key for crowd in met.crowds}
        return [_marked(p) if p.gathered and crowded & {p.record, p.address} else p for p in people]

    def catch_up(self) -> None:
        """Link the contacts whose addresses became alike when the vault was moved on to a newer form."""
        if not self._vault.is_linked:
            self._record(self._vault.met_in_spellings(None))
            self._vault.keep_linked()

    def _link_addresses(self, registrations: Sequence[Registration], people: Sequence[Resolved]) -> None:
        """AddressLinked for addresses the log does not know of yet; the widest stop for one nobody may write to."""
        links: dict[bytes, tuple[Resolved, str]] = {}
        for registration, person in zip(registrations, people, strict=True):
            if person.address is not None and registration.email is not None:
                sid = self._sid(SOURCE, f"linked:{person.contact}:{person.address}")
                links.setdefault(sid, (person, registration.email))
        for sid in self._log.find(links):
            del links[sid]
        arrived = {email for _, email in links.values()}
        suppressed, standing = self._vault.suppressed_since(arrived), self._vault.standing(arrived)
        now = self._clock()
        drafts: list[Draft] = []
        for sid, (person, email) in links.items():
            if email in suppressed:
                drafts.append(self._suppressing(person, suppressed[email]))
            drafts += [self._stopping(person, stop) for stop in standing.get(email, ())]
            link = e.AddressLinked(
                stream=person.contact, source=SOURCE, address=person.address, occurred_from=now, by="system"
            )
            drafts.append(_draft(link, sid))
        self._log.append(drafts)

    def _suppressing(self, person: Resolved, since: datetime) -> Draft:
        stop = e.OptedOut(
            stream=person.contact,
            source=SOURCE,
            address=person.address,
            occurred_from=since,
            by="system",
            via=BY_SUPPRESSION,
        )
        return _draft(stop, self._sid(SOURCE, f"suppressed:{person.contact}:{person.address}"))

    def _stopping(self, person: Resolved, stop: Standing) -> Draft:
        """The stop of an address that nobody named: of its domain, or of its digest."""
        known = stop.since > BEGINNING
        event = e.Objected(
            stream=person.contact,
            source=SOURCE,
            address=person.address,
            occurred_from=stop.since if known else None,
            precision="exact" if known else "unknown",
            by="system",
            via=VIA[stop.kind],
        )
        return _draft(event, self._sid(SOURCE, f"{stop.kind}:{person.contact}:{person.address}:{stop.since}"))

    def _record(self, met: Met) -> None:
        """Links, links taken away that the log holds, and a hold on everybody in a crowd."""
        if not (met.ties or met.crowds):
            return
        now = self._clock()
        own: list[_Own] = [one for tie in met.ties for one in _of_tie(e.StopsLinked, "stops_linked", tie, now)]
        linked = {
            self._sid(SOURCE, name): tie
            for tie in met.undone
            for _, name in _of_tie(e.StopsLinked, "stops_linked", tie, now)
        }
        held = self._log.find(linked)
        undone = dict.fromkeys(tie for sid, tie in linked.items() if sid in held)
        own += [one for tie in undone for one in _of_tie(e.StopsUnlinked, "stops_unlinked", tie, now)]
        own += [one for crowd in met.crowds for one in _of_crowd(crowd, now)]
        self._append(own)

    def _append(self, own: Iterable[_Own]) -> None:
        drafts = {self._sid(SOURCE, name): event for event, name in own}
        for sid in self._log.find(drafts):
            del drafts[sid]
        self._log.append([_draft(event, sid) for sid, event in drafts.items()])


def _marked(person: Resolved) -> Resolved:
    return person._replace(finding="crowd" if person.finding else "many")


def _of_tie(kind: type[e.StopsLinked | e.StopsUnlinked], name: str, tie: Tie, now: datetime) -> Iterator[_Own]:
    """The event for both contacts; the same one where the two are one."""
    for stream, other in dict.fromkeys(((tie.one, tie.other), (tie.other, tie.one))):
        event = kind(
            stream=stream,
            source=SOURCE,
            by="system",
            occurred_from=now,
            record=tie.record,
            address=tie.address,
            alike=tie.alike,
            other=other,
        )
        yield event, f"{name}:{stream}:{other}:{tie.record}:{tie.address}:{tie.alike}"


def _of_crowd(crowd: Crowd, now: datetime) -> Iterator[_Own]:
    for contact in crowd.contacts:
        event = e.ReviewDecided(
            stream=contact, source=SOURCE, by="system", occurred_from=now, outcome="hold", question=CROWD
        )
        yield event, f"crowd:{crowd.key}:{contact}"


def _draft(event: e.Event, sid: bytes) -> Draft:
    codec.check(event)
    return Draft(event.stream, codec.topic_of(event), codec.encode(event, sid=sid.hex()), sid)
