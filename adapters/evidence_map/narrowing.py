"""A map by which a subscription type means less lifts stops: whom that concerns, before anything is adopted.

Whoever left the type stopped the purposes that it meant. With fewer, some of them could be written to again, though
they have said nothing. It means fewer where its stanza names fewer, stands there no more, or speaks of another type,
and where another type is declared of which it said nothing. Nobody changes that in passing, nor who is a minor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from adapters.adopting import people_of
from adapters.evidence_map.adopting import replaced_by
from adapters.evidence_map.reading import EvidenceMap
from adapters.wiring import House, now
from ledger import catalogue as catalogues
from ledger import events as e
from ledger.contact import Contact, Entry
from ledger.declared import Declared, stopped_by_leaving
from projections.simulate import differences


class Narrowed(NamedTuple):
    """What a map lets mean less, and how many people could be written to again for it.

    types   the subscription types; minors: whether people are taken for minors no more
    """

    types: tuple[str, ...]
    people: int
    minors: bool = False

    def as_text(self) -> str:
        """For the person who is to decide."""
        types = ", ".join(self.types)
        left = [f"left {'it' if len(self.types) == 1 else 'one of them'}"] if types else []
        said = (
            [f"The map says that fewer purposes are meant by the subscription type {types} than before."]
            if types
            else []
        )
        if self.minors:
            left.append("ticked that they are minors")
            said.append("The map no longer speaks of a box by which people say that they are minors.")
        people = "1 person" if self.people == 1 else f"{self.people:,} people"
        return (
            f"{' '.join(said)} {people} who {' or '.join(left)} could be written to again, "
            "although they have not opted in anew."
        )


def narrowed_by(house: House, evidence_map: EvidenceMap) -> Narrowed | None:
    """What a map narrows, where that lifts somebody's stop; None: it lifts nobody's.

    The first map that declares types, and a type's own first declaration, say what leaving it meant, and lift nothing.
    """
    catalogue, position = house.catalogue, house.ledger.log.last_position()
    after = catalogue
    for number, event in enumerate(_about_stops(house, evidence_map), start=1):
        after = catalogues.evolve(after, Entry(position + number, position + number, event))
    was, will = catalogue.declared, after.declared
    if was.types == will.types and was.minors <= will.minors:
        return None
    concerned: dict[str, tuple[frozenset[str], bool]] = {}

    def people() -> Iterator[tuple[Contact, ...]]:
        for group in people_of(house):
            kinds = frozenset(kind for one in group for kind in _left(one) if _is_narrower(kind, was, will))
            minor = any(_said_minor(one, was) and not _said_minor(one, will) for one in group)
            if kinds or minor:
                concerned[group[0].contact] = kinds, minor
                yield group

    changes = differences(people(), house.policy, house.policy, catalogue, now(), after)
    lifted = [concerned[contact] for contact in {change.contact for change in changes if change.gains}]
    types = tuple(sorted({kind for kinds, _ in lifted for kind in kinds}))
    return Narrowed(types, len(lifted), any(minor for _, minor in lifted)) if lifted else None


def _about_stops(house: House, evidence_map: EvidenceMap) -> Iterator[e.Declaration]:
    """What the map declares anew of types and minors, and withdraws: nothing else lifts a stop."""
    anew, gone = replaced_by(house, evidence_map)
    for entry in gone:
        if isinstance(entry.event, e.TypeDeclared | e.MinorDeclared):
            yield msgspec.structs.replace(entry.event, withdrawn=True, evidence=())
    in_force = house.catalogue.declared.by_key
    for fact in anew:
        said = fact.event
        if isinstance(said, e.TypeDeclared | e.MinorDeclared):
            yield said
        elif isinstance(said, e.Declaration) and said.key in in_force:
            before = in_force[said.key].event
            if isinstance(before, e.TypeDeclared | e.MinorDeclared):
                yield msgspec.structs.replace(before, withdrawn=True, evidence=())


def _left(contact: Contact) -> Iterator[str]:
    return (stop.event.subscription_type for stop in contact.stops if isinstance(stop.event, e.TypeOptedOut))


def _is_narrower(kind: str, was: Declared, will: Declared) -> bool:
    """Whether leaving a type stops something else than before, and not because it is declared for the first time."""
    is_first = not was.types or (kind not in was.types and kind in will.types)
    return not is_first and stopped_by_leaving(kind, was) != stopped_by_leaving(kind, will)


def _said_minor(contact: Contact, declared: Declared) -> bool:
    answers = (entry.event for entry in contact.answers)
    return any(
        isinstance(one, e.BoxAnswered) and one.ticked and (one.form, one.box) in declared.minors for one in answers
    )
