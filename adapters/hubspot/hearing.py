"""What notices come to: a changed property is a fact; anything else is a hint, and the record is read again.

Read again, a record is heard by the history of its properties, each change at its own moment: a stop written down
at the moment of reading would undo an opt-in that came between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from adapters.addresses import own_and_others
from adapters.hubspot.api.shapes import ContactRead
from adapters.hubspot.arrivals import addresses_of, arrivals
from adapters.hubspot.asking import Asking
from adapters.hubspot.changes import SOURCE, SYSTEM, TYPE_PREFIX, WATCHED, Change, Changes
from adapters.hubspot.notices import Notice
from adapters.hubspot.rereading import Reread, address_of
from adapters.receiving import Heard
from adapters.recording import Saying
from adapters.wiring import House
from ledger import events as e
from ledger.codec import instant
from ledger.terms import LEDGER_STREAM
from ledger.vault import RecordRow, Registration

HINTS = frozenset({"creation", "restore", "merge"})
ADDRESSES = ("email", "hs_additional_emails")
_QUIET = frozenset({"associationChange", "deletion", "privacyDeletion", *HINTS})
"""What happens to contacts and says nothing, or is heard by itself."""
_OTHERS = frozenset({"object", "company", "deal", "ticket", "product", "line_item", "conversation"})
"""What HubSpot tells of beside contacts; `object` is of any type that it names."""
_REDACTED = "REDACTED"
_UNKNOWN = "is an event that this program does not know: find out what it means, and if it is a stop, record it by hand"
_NOBODY = (
    "a person was deleted there for privacy whom no address is known of here: find out who it was, and erase by hand"
)
_HIDDEN = "HubSpot hides the value, and the record cannot be read: look there whether it is a stop"
_REFUSED = "HubSpot does not let us read the record that it is about"


class Known(NamedTuple):
    """What is known of the records of a batch: here, and as HubSpot shows them now."""

    here: dict[str, RecordRow]
    there: dict[str, ContactRead]


def records_of(notice: Notice) -> list[str]:
    """The records a notice is about, the one that it leaves first."""
    named = [notice.new_object_id or notice.primary_object_id or notice.object_id, notice.object_id]
    found = [*named, notice.primary_object_id, *notice.merged_object_ids]
    return list(dict.fromkeys(str(one) for one in found if one is not None))


def is_hint(notice: Notice) -> bool:
    """Whether it says that something happened, and not what."""
    if notice.kind != "propertyChange":
        return notice.kind in HINTS
    return notice.property_name in ADDRESSES or (is_watched(notice) and _is_redacted(notice))


def is_of_addresses(notice: Notice) -> bool:
    """Whether a record may have other addresses since: subscriptions are an address's own, and are read as well."""
    return notice.kind in ("merge", "restore") or notice.property_name in ADDRESSES


def is_watched(notice: Notice) -> bool:
    """Whether it is about a property that says something."""
    return notice.kind == "propertyChange" and _names_watched(notice)


def _names_watched(notice: Notice) -> bool:
    name = notice.property_name or ""
    return name in WATCHED or name.startswith(TYPE_PREFIX)


def _is_redacted(notice: Notice) -> bool:
    """Whether the value is kept back. One that is not there at all is not one that was cleared."""
    return notice.property_value is None or (notice.is_sensitive and notice.property_value == _REDACTED)


def may_be_lost(notice: Notice) -> bool:
    """Whether it is none that is known to say nothing: it may be a stop, told in another way than before."""
    if notice.kind == "propertyChange":
        return not (notice.property_name or "").strip()
    if notice.kind is None:
        return _names_watched(notice) or notice.subscription_type.partition(".")[0] not in _OTHERS
    return notice.kind not in _QUIET


class Hearing:
    """Hears one batch, of which everything that must be asked was asked."""

    def __init__(self, house: House, changes: Changes, known: Known, asking: Asking, reread: Reread) -> None:
        self._house, self._changes, self._known, self._asking = house, changes, known, asking
        self._reread = reread

    def hear(self, notice: Notice) -> Heard:
        """What one notice comes to. Raises AwayError where HubSpot must be asked for more, and does not answer."""
        if is_hint(notice):
            return self._hinted(notice)
        if is_watched(notice):
            return Heard(list(self._changed(notice)))
        if notice.kind == "deletion":
            return Heard(list(self._noted(notice, "deleted this record; what is known of the person here stays")))
        if notice.kind == "privacyDeletion":
            return self._erased(notice)
        return Heard(problem=_UNKNOWN if may_be_lost(notice) else None)

    def _changed(self, notice: Notice) -> Iterator[Saying]:
        record = records_of(notice)[0]
        who = self._who(record)
        change = Change(
            record,
            notice.property_name or "",
            notice.property_value or "",
            notice.at,
            notice.change_source or "",
            "" if notice.source_id is None else str(notice.source_id),
        )
        # Known by its record alone, it may turn out to be somebody known by address: of them it is said once more.
        place = "" if who.email else ":record"
        for said in self._changes.facts(change):
            yield Saying(who, said.event, said.source_id + place)

    def _who(self, record: str) -> Registration:
        """Whose a record is: by the address that HubSpot shows, else the one known here, else by itself."""
        there = self._known.there.get(record)
        return Registration((address_of(there) if there else None) or self._address(record), SYSTEM, record)

    def _address(self, record: str) -> str | None:
        here = self._known.here.get(record)
        text = self._house.ledger.vault.address_text(here.address) if here and here.address else None
        return text if isinstance(text, str) else None

    def _hinted(self, notice: Notice) -> Heard:
        sayings: list[Saying] = []
        record = records_of(notice)[0]
        there = self._known.there.get(record)
        if there is not None:
            # asked first: what is put off for want of an answer must find nothing known that was news
            sayings += self._reread.sayings(there, whole=is_of_addresses(notice))
            sayings += self._arrived(record, there)
        elif self._asking.refused:
            return Heard(problem=_REFUSED)
        elif is_watched(notice):
            return Heard(problem=_HIDDEN)
        elif notice.property_name == "email" and not self._asking.possible:
            own, others = own_and_others(notice.property_value or "")
            self._house.ledger.register_many(
                [Registration(one, SYSTEM, record, one == own) for one in (own, *others) if one]
            )
        if notice.kind == "restore":
            sayings += self._noted(notice, "restored this record")
        if notice.kind == "merge":
            sayings += self._noted(
                notice,
                f"merged records {', '.join(sorted(records_of(notice)))} into {record}; "
                "here they are two people, until `consent-ledger merge` says otherwise",
            )
        return Heard(sayings)

    def _arrived(self, record: str, there: ContactRead) -> list[Saying]:
        """Its addresses made known, and what is to be noted of that."""
        emails = addresses_of(there)
        found = arrivals(self._house, [(record, emails)])
        self._house.ledger.register_many([Registration(one, SYSTEM, record, one == there.email) for one in emails])
        return [Saying(Registration(one.email, SYSTEM, record), one.event, one.source_id, one.payload) for one in found]

    def _noted(self, notice: Notice, text: str) -> Iterator[Saying]:
        """A note on everybody known here by one of the records; nobody is made known by it."""
        for record in records_of(notice):
            if record not in self._known.here:
                continue
            event = e.NoteAdded(stream=LEDGER_STREAM, source=SOURCE, by="system", occurred_from=notice.at, via=SYSTEM)
            payload = {"name": "HubSpot", "role": "CRM", "text": f"HubSpot {text}."}
            who = Registration(self._address(record), SYSTEM, record)
            yield Saying(who, event, f"{record}:{notice.kind}:{instant(notice.at)}", payload)

    def _erased(self, notice: Notice) -> Heard:
        found = [(record, email) for record in records_of(notice) for email in self._emails(record)]
        if not found:
            return Heard(problem=_NOBODY)
        return Heard([self._erasure(notice, record, email) for record, email in found])

    def _erasure(self, notice: Notice, record: str, email: str) -> Saying:
        event = e.ErasureRequested(
            stream=LEDGER_STREAM, source=SOURCE, by="officer", via=SYSTEM, occurred_from=notice.at
        )
        mark = self._house.ledger.sid(SOURCE, email).hex()
        return Saying(Registration(email, SYSTEM, record), event, f"{record}:privacyDeletion:{mark}")

    def _emails(self, record: str) -> Iterable[str]:
        """Every address of the person, since HubSpot deletes them all."""
        vault, here = self._house.ledger.vault, self._known.here.get(record)
        texts = [vault.address_text(one) for one in vault.addresses_of(here.contact)] if here else []
        return [one for one in texts if isinstance(one, str)]


def wanted(notices: Sequence[Notice], here: Mapping[str, RecordRow]) -> list[str]:
    """Records that HubSpot must be asked about: hinted at, or of which no address is known here."""
    known = {record for record, row in here.items() if row.address}
    return list(
        dict.fromkeys(
            records_of(one)[0]
            for one in notices
            if records_of(one) and (is_hint(one) or (is_watched(one) and records_of(one)[0] not in known))
        )
    )
