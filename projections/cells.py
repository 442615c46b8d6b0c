"""Which questions a contact's facts raise: the cells its status has a row for."""

from __future__ import annotations

from functools import lru_cache

from ledger import events as e
from ledger.contact import Contact

SIMILAR = ("marketing.similar", "email")
"""What a CRM asks of everybody."""
SALE = (SIMILAR, ("service.invoice", "email"))
"""What a contract raises: similar offers, and the mail the contract needs."""
DONATION = (*SALE, ("marketing.charitable", "email"))


Cell = tuple[str, str, str]
"""(purpose, channel, address); no address, empty: the contact has none, or the fact names none."""


def cells_of(contact: Contact) -> list[Cell]:
    """The cells of one contact, sorted. Sparse; absent means that nothing could allow it.

    - Every address a fact names has (marketing.similar, email); a contact without any has it without.
    - An opt-in names its purposes by its channels at its address. A family (`marketing.*`), `*` and an
      empty list name `marketing.similar` and `email`: they cover more, and name nothing else.
    - A contract or an enquiry raises `SALE`, support of a cause `DONATION`, at its address; without
      one, at every address.
    - A stop, a claim, a sending or a flag names nothing: it bears on cells that other facts name.
    """
    addresses = {entry.event.address for name in _FACTS for entry in getattr(contact, name) if entry.event.address} or {
        ""
    }
    found = {(*SIMILAR, address) for address in addresses}
    for _, _, event in contact.opt_ins:
        if isinstance(event, e.OptedIn):
            found.update([(*pair, event.address or "") for pair in _named(event.purposes, event.channels)])
    for entries, raised in (
        (contact.contracts, SALE),
        (contact.enquiries, SALE),
        (contact.support, DONATION),
    ):
        for _, _, event in entries:
            at = addresses if event.address is None else (event.address,)
            found.update([(*pair, address) for pair in raised for address in at])
    return sorted(found)


_FACTS = tuple(
    name
    for name in Contact.__struct_fields__
    if name not in ("contact", "version", "position", "recorded_at", "scattered", "stop_links")
)
"""All but what names another contact's address beside this one's record."""


@lru_cache(maxsize=4_096)
def _named(purposes: tuple[str, ...], channels: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """What an opt-in's scope names."""
    return tuple(
        (SIMILAR[0] if purpose.endswith("*") else purpose, SIMILAR[1] if channel.endswith("*") else channel)
        for purpose in purposes or ("*",)
        for channel in channels or ("*",)
    )
