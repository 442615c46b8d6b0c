"""What a fact changes: the answers about one address before it and after it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from adapters.report.masking import mask_email
from adapters.report.wording import PURPOSES
from adapters.wiring import House
from ledger.terms import MARKETING_PURPOSES
from ledger.vault import Registration


class Effect(NamedTuple):
    """The marketing purposes by e-mail that were allowed before a fact, and those that are allowed after it."""

    before: frozenset[str]
    after: frozenset[str]

    def as_text(self, email: str) -> str:
        """The change for a person: `a…@e….com: marketing was allowed before, and is not allowed now`."""
        was, now = _word(self.before), _word(self.after)
        text = f"{mask_email(email)}: marketing was {was} before, and is {'still ' if was == now else ''}{now} now"
        changed = [f"{PURPOSES[name]} ({_word(name in self.after)})" for name in self._changed]
        return f"{text}: {'; '.join(changed)}" if changed and (self.after or was == now) else text

    @property
    def _changed(self) -> list[str]:
        return [name for name in MARKETING_PURPOSES if (name in self.before) != (name in self.after)]


def _word(allowed: object) -> str:
    return "allowed" if allowed else "not allowed"


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
