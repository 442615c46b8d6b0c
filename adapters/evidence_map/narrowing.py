"""A map that narrows a subscription type lifts stops: whom that concerns, before anything is adopted.

Whoever left the type stopped the purposes that its declaration named. With fewer named, some of them could be written
to again, though they have said nothing. Nobody changes that in passing.
"""

from __future__ import annotations

from typing import NamedTuple

from adapters.adopting import people_of
from adapters.evidence_map.reading import EvidenceMap
from adapters.wiring import House, now
from ledger import catalogue as catalogues
from ledger import events as e
from ledger.contact import Entry
from ledger.terms import any_covers, stopped_purposes
from projections.simulate import differences


class Narrowed(NamedTuple):
    """Subscription types that a map narrows, and how many people could be written to again for it."""

    types: tuple[str, ...]
    people: int

    def as_text(self) -> str:
        """For the person who is to decide."""
        types = ", ".join(self.types)
        who = "1 person who left it" if self.people == 1 else f"{self.people:,} people who left it"
        return (
            f"The map says that fewer purposes are meant by the subscription type {types} than it said before. "
            f"{who} could be written to again, although they have not opted in anew."
        )


def narrowed_by(house: House, evidence_map: EvidenceMap) -> Narrowed | None:
    """The types that a map narrows, where that lifts somebody's stop; None: it lifts nobody's."""
    catalogue = house.catalogue
    in_force = catalogue.declared.by_key
    narrower = [
        fact.event
        for fact in evidence_map.declarations()
        if isinstance(fact.event, e.TypeDeclared)
        and fact.event.key in in_force
        and _is_narrower(fact.event, in_force[fact.event.key].event)
    ]
    if not narrower:
        return None
    after, position = catalogue, house.ledger.log.last_position()
    for number, event in enumerate(narrower, start=1):
        after = catalogues.evolve(after, Entry(position + number, position + number, event))
    changes = differences(people_of(house), house.policy, house.policy, catalogue, now(), after)
    lifted = {change.contact for change in changes if change.gains}
    types = tuple(dict.fromkeys(event.key for event in narrower))
    return Narrowed(types, len(lifted)) if lifted else None


def _is_narrower(new: e.TypeDeclared, old: e.Event) -> bool:
    """Whether it stops less than the declaration before it: no purposes named, and it stops all marketing."""
    before = stopped_purposes(getattr(old, "purposes", ()))
    named = stopped_purposes(new.purposes)
    return not all(any_covers(named, purpose) for purpose in before)
