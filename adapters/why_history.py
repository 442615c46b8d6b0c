"""What is held about the person asked about: the timeline, what was sent, and each objection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from adapters.report.why import Note, RowKind, WhyRow, WhySend, WhyStop
from adapters.why_words import describe, said, scope_of
from adapters.wiring import House
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, fold
from ledger.declared import all_as_declared
from ledger.policy.dossier import CONTEMPORANEOUS, Dossier
from ledger.policy.judge import STOP_REASONS
from ledger.policy.jurisdictions import candidates, is_known
from ledger.policy.question import Decision
from ledger.terms import BEGINNING, MARKETING_PURPOSES
from projections.explain import Linked, history

_WORDS = ("words", "text", "note")
_GRANTS = (
    e.OptedIn,
    e.DoubleOptInConfirmed,
    e.BoxAnswered,
    e.FormSubmitted,
    e.ContractStarted,
    e.DealWon,
    e.Enquired,
    e.Donated,
)
_LINKS = (
    e.AddressLinked,
    e.AddressUnlinked,
    e.ContactsLinked,
    e.ContactsUnlinked,
    e.StopsLinked,
    e.StopsUnlinked,
)
_GRANT_NOTHING = (
    e.MarketingStatusObserved,
    e.BasisClaimed,
    e.SubscriptionShown,
    e.Opened,
    e.Clicked,
    e.ContactsLinked,
    e.StopsLinked,
    e.SystemMigrated,
    e.ImportFinished,
)


class Held:
    """The entries of a contact and of those merged with it, as far as they were known, and as declared.

    `joined`: ids of the contacts of whom only what forbids counts here with them.
    """

    def __init__(
        self,
        house: House,
        catalogue: Catalogue,
        contact: str,
        address: str | None,
        known_at: datetime | None,
        linked: Linked | None = None,
    ) -> None:
        self.house, self.catalogue = house, catalogue
        self.contact, self.address = contact, address
        self.entries, kin = history(house.ledger.log, contact, known_at, linked)
        self.group, self.joined = kin.group, kin.joined
        self.read: Sequence[Contact]
        self.resting: Mapping[int, int]
        self.read, self.resting = all_as_declared(self.group, catalogue.declared)

    @cached_property
    def by_position(self) -> dict[int, Entry]:
        """Every entry by its position, facts that rest on a declaration as it lets them be read."""
        found = {entry.position: entry for entry in self.entries}
        for contact in self.read:
            for entry in (*contact.opt_ins, *contact.contracts, *contact.stops, *contact.sendings):
                found[entry.position] = entry
        return found

    @cached_property
    def sendings(self) -> list[Entry]:
        """E-mails on record, oldest first, with the purpose a declaration gives them."""
        found = [n for contact in self.read for n in contact.sendings if isinstance(n.event, e.EmailSent)]
        return sorted(found, key=lambda n: (n.event.earliest, n.position))

    @cached_property
    def own_laws(self) -> frozenset[str]:
        """Codes of the jurisdictions that may apply by what is on record of this person alone, not of others."""
        own = fold(self.contact, [n for n in self.entries if n.event.stream == self.contact])
        return frozenset(one.code for one in candidates(Dossier((own,)).country_entries(), self.catalogue))

    @property
    def is_country_known(self) -> bool:
        """Whether anything says where the person is, rather than hinting at it."""
        return is_known(Dossier(self.group).country_entries())

    @property
    def recorded_at(self) -> datetime:
        """When the last fact was recorded that the answer could rest on."""
        moments = [n.event.recorded_at for n in self.entries if n.event.recorded_at is not None]
        return max([self.catalogue.recorded_at, *moments])

    def sent_on(self, day: date) -> list[Entry]:
        """E-mails to the address asked about that went out, or may have, on a day (UTC)."""
        begin = datetime.combine(day, time(), UTC)
        end = begin + timedelta(days=1)
        return [
            n
            for n in self.sendings
            if n.event.address in (None, self.address)
            and n.event.occurred_from is not None
            and n.event.occurred_from < end
            and n.event.latest >= begin
        ]


def timeline(held: Held, decision: Decision) -> Iterator[WhyRow]:
    """Every fact on its three clocks, in the order of the log."""
    undone = {n.event.undoes for n in held.entries if isinstance(n.event, e.Corrected)}
    for entry in held.entries:
        event = entry.event
        if event.recorded_at is None or isinstance(event, e.NoteAdded):
            continue
        yield WhyRow(
            position=entry.position,
            what=said(event),
            recorded_at=event.recorded_at,
            kind=kind_of(event),
            happened_from=event.occurred_from,
            happened_to=event.occurred_to,
            precision=event.precision,
            held_since=held_since(event),
            note=_note(entry, decision, undone),
            source=event.source,
            linked=event.stream != held.contact,
        )


def kind_of(event: e.Event) -> RowKind:
    """What a fact is in a drawing."""
    if is_stop(event):
        return "stop"
    if isinstance(event, e.EmailSent | e.LetterSent):
        return "send"
    if isinstance(event, _LINKS):
        return "link"
    return "grant" if isinstance(event, _GRANTS) else "other"


def is_stop(event: e.Event) -> bool:
    """Whether a fact stops: a review does if it decided so."""
    if isinstance(event, e.ReviewDecided):
        return event.outcome == "stop"
    return type(event) in STOP_REASONS


def held_since(event: e.Event) -> datetime | None:
    """Since when the source provably held it; None: nothing backs its word."""
    return event.captured_at if event.captured_by in CONTEMPORANEOUS else None


def _note(entry: Entry, decision: Decision, undone: set[int]) -> Note | None:
    if entry.position in undone:
        return "corrected"
    if is_stop(entry.event):
        return "stop"
    if decision.allowed and entry.position in decision.evidence:
        return "counts"
    return "grants nothing" if isinstance(entry.event, _GRANT_NOTHING) else None


# --- what was sent -------------------------------------------------------------------------------


def send_of(held: Held, entry: Entry) -> WhySend:
    """One e-mail, with what its payload holds."""
    event = entry.event
    assert isinstance(event, e.EmailSent)  # noqa: S101 - `Held.sendings`
    kept = held.house.payload(event)
    return WhySend(
        at=event.occurred_from,
        position=entry.position,
        precision=event.precision,
        subject=_text(kept, "subject"),
        message=_text(kept, "message_id") or event.message,
        campaign=_text(kept, "campaign") or (event.campaign if isinstance(event, e.CampaignMailSent) else None),
        sender=_text(kept, "from"),
        list=_text(kept, "list"),
        workflow=_text(kept, "workflow"),
        purpose=event.purpose,
        classified=_classified(held, entry),
    )


def _text(kept: Mapping[str, object], name: str) -> str | None:
    value = kept.get(name)
    return str(value) if value not in (None, "") else None


def _classified(held: Held, entry: Entry) -> str | None:
    """Who says which purpose an e-mail had."""
    raw = next(n.event for n in held.entries if n.position == entry.position)
    assert isinstance(raw, e.EmailSent)  # noqa: S101 - the same entry, unread
    if raw.purpose is not None:
        return f"as its source recorded it ({raw.source})"
    campaign = raw.campaign if isinstance(raw, e.CampaignMailSent) else None
    for said_by in sorted(held.catalogue.declared.by_key.values(), key=lambda n: -n.position):
        event = said_by.event
        if isinstance(event, e.CampaignDeclared) and event.campaign == campaign:
            name, role, on = signed(held.house, event)
            if event.evidence:
                return f"by {name}, {role}, on {on} [{said_by.position}]"
            return f"{name}, {role}, says {event.purpose}, without evidence [{said_by.position}]"
    return None


def signed(house: House, event: e.Event) -> tuple[str, str, str]:
    """Name, role and day of whoever answers for a fact."""
    kept = house.payload(event)
    day = f"{event.recorded_at:%Y-%m-%d}" if event.recorded_at else "an unknown day"
    return _text(kept, "name") or "nobody named", _text(kept, "role") or "no role named", _text(kept, "on") or day


# --- objections ----------------------------------------------------------------------------------


def stops(held: Held) -> Iterator[WhyStop]:
    """Every stop, oldest effect first: received, recorded, effective, and what was sent in between."""
    undone = Dossier(held.group).undone
    found = [held.by_position[n.position] for n in held.entries if is_stop(n.event)]
    for entry in sorted(found, key=lambda n: (n.event.earliest, n.position)):
        event = entry.event
        recorded = event.recorded_at
        if recorded is None:
            continue
        covered = [n for n in held.sendings if _covered(entry, n)]
        kept = {} if event.stream in held.joined else held.house.payload(event)
        yield WhyStop(
            what=describe(event),
            recorded=recorded,
            position=entry.position,
            received_from=event.occurred_from,
            received_to=event.occurred_to,
            precision=event.precision,
            held_since=held_since(event),
            effective=None if event.earliest == BEGINNING else event.earliest,
            scope=scope_of(event),
            via=event.via,
            words=next((str(kept[name]) for name in _WORDS if kept.get(name)), None),
            taken_back=entry.position in undone,
            between=tuple(send_of(held, n) for n in covered if n.event.latest < recorded),
            after=tuple(send_of(held, n) for n in covered if n.event.latest >= recorded),
        )


def _covered(stop: Entry, sending: Entry) -> bool:
    """Whether an e-mail went out, or may have, after a stop that speaks of it; not classified counts as marketing."""
    sent = sending.event
    assert isinstance(sent, e.EmailSent)  # noqa: S101 - `Held.sendings`
    if sent.occurred_from is None or sent.latest < stop.event.earliest:
        return False
    purposes = MARKETING_PURPOSES if sent.purpose is None else (sent.purpose,)
    return any(Dossier.covers(stop, purpose, "email", sent.address) for purpose in purposes)
