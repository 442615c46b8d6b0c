"""What a fact changes: the answers about one address before it and after it."""

from __future__ import annotations

from datetime import datetime

from adapters.wiring import House
from ledger.terms import MARKETING_PURPOSES
from ledger.vault import Registration


def person_of(house: House, who: Registration) -> tuple[str, str | None] | None:
    """(contact, address id) of whom a fact names, by address, else by record; None: nobody here."""
    vault = house.ledger.vault
    if who.email is not None:
        return vault.find_address(who.email)
    record = vault.find_record(who.system, who.record_id or "")
    return (record.contact, None) if record is not None else None


def allowed_now(house: House, person: tuple[str, str | None] | None, at: datetime) -> frozenset[str]:
    """The marketing purposes for which e-mail to an address is allowed, counting the log's last entry.

    person  contact and address id; None: nobody here has the address
    """
    if person is None:
        return frozenset()
    contact, address = person
    return frozenset(
        row.purpose
        for row in house.runner.current(contact)
        if row.channel == "email"
        and row.purpose in MARKETING_PURPOSES
        and (address is None or row.address in (None, address))
        and (decision := row.at(at)) is not None
        and decision.allowed
    )
