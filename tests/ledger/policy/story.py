"""Given events, when asked, then decided: small builders so that a test reads as the law it states."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, fold
from ledger.policy import shipped
from ledger.policy.judge import judge
from ledger.policy.question import Candidate, Decision, Message, Question
from ledger.terms import OWN

ANNA = "11111111-1111-4111-8111-111111111111"
DOUBLE = "22222222-2222-4222-8222-222222222222"
"""A second record of the same person."""
HOME = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
WORK = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
"""Two addresses."""


def day(text: str) -> datetime:
    """A moment from a date, at noon in UTC, or from a full timestamp."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T12:00:00").replace(tzinfo=UTC)


def _at(text: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    moment = None if text is None else day(text)
    said = {k: day(v) if k.endswith(("_at", "_from", "_to", "until")) else v for k, v in fields.items()}
    return {
        "stream": ANNA,
        "source": "test",
        "by": "data_subject",
        "occurred_from": moment,
        "recorded_at": said.get("occurred_to", moment),
    } | said


def opted_in(at: str, **fields: Any) -> e.OptedIn:
    """A complete, proved consent to the newsletter by e-mail."""
    full: dict[str, Any] = {
        "act": "unticked_box",
        "purposes": ("marketing.similar",),
        "channels": ("email",),
        "to": (OWN,),
        "informed": True,
        "specific": True,
        "proof": "individual",
        "address_verified": True,
    }
    return e.OptedIn(**_at(at, full | fields))


def bought(at: str, **fields: Any) -> e.ContractStarted:
    """A purchase that fulfils every condition of the soft opt-in."""
    full: dict[str, Any] = {
        "kind": "purchase",
        "seller": OWN,
        "refusal_offered": True,
        "refused": False,
        "collected_from_person": True,
    }
    return e.ContractStarted(**_at(at, full | fields))


def happened(cls: type[e.Event], at: str | None = None, **fields: Any) -> e.Event:
    """Any other event."""
    return cls(**_at(at, fields))


def opted_out(at: str | None, **fields: Any) -> e.Event:
    """An opt-out of all marketing by every channel."""
    return happened(e.OptedOut, at, **fields)


class Story:
    """Events in log order, and the folds they make."""

    def __init__(self, events: Iterable[e.Event]) -> None:
        self.entries: list[Entry] = []
        versions: dict[str, int] = {}
        for position, event in enumerate(events, 1):
            versions[event.stream] = versions.get(event.stream, 0) + 1
            self.entries.append(Entry(position, versions[event.stream], event))

    def contacts(self, known_at: datetime | None = None) -> tuple[Contact, ...]:
        """Anna and those linked with her, as known at a moment."""
        known = [n for n in self.entries if known_at is None or (n.event.recorded_at or known_at) <= known_at]
        streams = {ANNA: fold(ANNA, [n for n in known if n.event.stream == ANNA])}
        for other in sorted(streams[ANNA].linked):
            streams[other] = fold(other, [n for n in known if n.event.stream == other])
        return tuple(streams.values())

    def asked(
        self,
        at: str,
        *law: str,
        purpose: str = "marketing.similar",
        channel: str = "email",
        address: str | None = None,
        message: Message | None = None,
        known_at: str | None = None,
        law_at: str | None = None,
        catalogue: Catalogue | None = None,
    ) -> Decision:
        """The decision, under the law of one country or of several; none named: the United Kingdom's."""
        question = Question(
            purpose=purpose,
            channel=channel,
            at=day(at),
            address=address,
            jurisdictions=tuple(Candidate(code) for code in law or ("GB",)),
            message=message,
            law_at=day(law_at) if law_at else None,
        )
        contacts = self.contacts(day(known_at) if known_at else None)
        return judge(contacts, question, shipped.policy(), catalogue or Catalogue())


def given(*events: e.Event) -> Story:
    """A history."""
    return Story(events)


def moved(event: e.Event, **fields: Any) -> e.Event:
    """The same event with other fields."""
    return msgspec.structs.replace(event, **fields)
