"""What sources show of people, one after the other, and what is allowed at each address in the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from ledger.vault import Registration
from projections.audit import Auditor, Record
from tests.ledgers import open_house

NOW = datetime.now(UTC)
A, B, C = "a@x.example", "b@x.example", "t@fußball.de"
SPELLED = "t@fussball.de"
FORM, BOX = "form-1", "under_16"
DECLARED: tuple[e.Declaration, ...] = (
    e.MinorDeclared(stream=LEDGER_STREAM, source="map", key="minors", form=FORM, box=BOX),
    e.SaleDeclared(
        stream=LEDGER_STREAM,
        source="map",
        key="sales",
        kind="purchase",
        seller="own",
        collected_from_person=True,
        refusal_offered=True,
        refusals_recorded=True,
        evidence=("ab" * 32,),
    ),
)


class Deed(NamedTuple):
    """A source shows a record with an address, and perhaps what somebody said or did on that day.

    `moved_to`: the person of the address takes up this one, by the system's own word.
    """

    email: str | None
    record: str | None
    said: str
    day: int
    primary: bool = True
    moved_to: str | None = None


SAYS: dict[str, tuple[type[e.Event], dict[str, Any]]] = {
    "no": (e.OptedOut, {}),
    "no here": (e.OptedOut, {"address_only": True}),
    "yes": (
        e.OptedIn,
        {
            "act": "unticked_box",
            "purposes": ("marketing.similar",),
            "channels": ("email",),
            "to": ("own",),
            "informed": True,
            "specific": True,
            "proof": "individual",
            "address_verified": True,
            "verifies_channel": "email",
        },
    ),
    "sale": (e.DealWon, {"deal": "deal-1"}),
    "subscribed": (
        e.ContractStarted,
        {
            "kind": "subscription",
            "seller": "own",
            "collected_from_person": True,
            "refusal_offered": True,
            "refused": False,
        },
    ),
    "ended": (e.ContractEnded, {"kind": "subscription"}),
    "minor": (e.RecipientDescribed, {"minor": True}),
    "minor's box": (e.BoxAnswered, {"form": FORM, "box": BOX, "ticked": True}),
    "DE": (e.CountryEvidenced, {"hints": (e.CountryHint(country="DE", kind="declared"),)}),
    "US": (e.CountryEvidenced, {"hints": (e.CountryHint(country="US", kind="declared"),)}),
    "CA": (e.CountryEvidenced, {"hints": (e.CountryHint(country="CA", kind="declared"),)}),
    "bounced": (e.Bounced, {"kind": "hard"}),
    "clicked": (e.Clicked, {}),
}
"""What a source may say of a person."""


def event_of(deed: Deed, contact: str, address: str | None, record: str | None) -> e.Event | None:
    if not deed.said:
        return None
    kind, fields = SAYS[deed.said]
    return kind(
        stream=contact,
        source="shop",
        address=address,
        record=record,
        by="data_subject",
        occurred_from=NOW - timedelta(days=deed.day),
        captured_at=NOW - timedelta(days=deed.day),
        captured_by="form_record",
        **fields,
    )


def do(house: House, deed: Deed) -> None:
    if deed.moved_to is not None:
        move(house, deed.email, deed.moved_to)
        return
    (who,) = house.ledger.register_many([Registration(deed.email, "hubspot", deed.record, deed.primary)])
    event = event_of(deed, who.contact, who.address, who.record)
    if event is not None:
        house.ledger.record(Fact(event, f"{deed}"))


def move(house: House, old: str | None, new: str) -> None:
    """As a sender's change of address does."""
    record = f"upemail:{old}:{new}"
    before, after = house.ledger.register_many(
        [Registration(old, "mailchimp", record, primary=False), Registration(new, "mailchimp", record)]
    )
    if before.contact != after.contact:
        for who, other in ((before, after), (after, before)):
            link = e.ContactsLinked(stream=who.contact, source="mailchimp", by="system", other=other.contact)
            house.ledger.record(Fact(link, f"{record}:{who.contact}"))


def answers(house: House, emails: Sequence[str]) -> dict[str, bool]:
    """What the gate says of each address that is known; rows, folds and audit say the same."""
    return {email: bool(allowed) for email, allowed in allowed_at(house, emails).items()}


def allowed_at(house: House, emails: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The marketing purposes that the gate allows at each address that is known; rows, folds and audit agree."""
    found: dict[str, tuple[str, ...]] = {}
    at = datetime.now(UTC) + timedelta(days=1)
    auditor = Auditor(house.policy, house.catalogue, at)
    for email in emails:
        known = house.ledger.vault.find_address(email)
        if known is None:
            continue
        contact, address = known
        ask = tuple(p for p in MARKETING_PURPOSES if house.gate.ask(contact, p, "email", address, at).allowed)
        folded = house.contacts([contact])
        verdict = auditor.verdict(house.group_of(folded, contact), Record(contact, None, address, None, email))
        assert verdict.allowed == bool(ask), (email, verdict)
        found[email] = ask
    return found


def told(deeds: Sequence[Deed], emails: Sequence[str], *, follow: bool) -> dict[str, bool]:
    """What is allowed at all after these deeds; see `purposes_after`."""
    return {email: bool(allowed) for email, allowed in purposes_after(deeds, emails, follow=follow).items()}


def purposes_after(deeds: Sequence[Deed], emails: Sequence[str], *, follow: bool) -> dict[str, tuple[str, ...]]:
    """The answers of a new ledger after these deeds, by rows kept in step or by folds; a rebuild agrees."""
    with TemporaryDirectory() as folder, open_house(Path(folder), {}) as house:
        house.describe_controller("Nordlicht GmbH", "DE", None)
        house.ledger.record_many(Fact(one, one.key) for one in DECLARED)
        for deed in deeds:
            do(house, deed)
            if follow:
                house.runner.follow(once=True)
        found = allowed_at(house, emails)
        house.runner.follow(once=True)
        assert house.runner.replay().equal
        assert allowed_at(house, emails) == found
        return found
