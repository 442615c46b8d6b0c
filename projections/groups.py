"""Who is judged together: contacts merged and not unmerged since, and whose stops a stop link brings along.

*Kin* are contacts that were ever linked, in either way and however far: an entry of one can change the row of
another, also the entry that parts them. The *group* is who is linked now. Who is in it by a stop link alone is
there with what forbids and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from ledger import events as e
from ledger.codec import topic_of
from ledger.contact import Contact, placed, stop_links_of, stops_alone

Pair = tuple[str, str]
Read = Callable[[Collection[str]], Mapping[str, Contact]]
"""Reads the folds of contacts by their ids; one of whom nothing is known may be left out."""

_MERGES = (e.ContactsLinked, e.ContactsUnlinked)
_STOP_LINKS = (e.StopsLinked, e.StopsUnlinked)
LINK_TOPICS = tuple(topic_of(kind(stream="", source="", other="")) for kind in (*_MERGES, *_STOP_LINKS))


class Kin(NamedTuple):
    """A contact with its folds.

    group   the contact itself, then who is one person with it by id, then who counts by what forbids alone, by id
    newest  the fold that changed last, of all that were ever linked
    joined  the ids of those of the group who only forbid
    """

    group: tuple[Contact, ...]
    newest: Contact
    joined: frozenset[str] = frozenset()


def pair_of(event: e.Event) -> Pair | None:
    """The two contacts a link or its removal names; either side may have said it."""
    if isinstance(event, _MERGES + _STOP_LINKS) and event.other != event.stream:
        return (event.stream, event.other)
    return None


def neighbours(pairs: Iterable[Pair]) -> dict[str, set[str]]:
    """Each contact's partners, both ways."""
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


def reach(start: Iterable[str], partners: Callable[[str], Iterable[str]]) -> set[str]:
    """Everybody that can be reached, the start included."""
    found = set(start)
    waiting = list(found)
    while waiting:
        for other in partners(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def linked_now(contacts: Iterable[Contact]) -> dict[str, set[str]]:
    """Partners by the last word on each pair, whichever of the two streams holds it."""
    words: dict[Pair, tuple[int, bool]] = {}
    for contact in contacts:
        for entry in contact.links:
            pair = pair_of(entry.event)
            if pair is not None:
                key = (min(pair), max(pair))
                word = (entry.position, isinstance(entry.event, e.ContactsLinked))
                words[key] = max(words.get(key, word), word)
    return neighbours(pair for pair, (_, on) in words.items() if on)


def kin(contact: str, folds: Mapping[str, Contact]) -> Kin:
    """One contact's group out of the folds of its kin."""
    if len(folds) == 1:
        alone = folds[contact]
        return Kin((placed(alone, ()),), alone)
    merged, links = linked_now(folds.values()), stop_links_of(folds.values())
    persons = reach([contact], lambda one: merged.get(one, ())) & folds.keys()
    met = neighbours((link.one, link.other) for link in links if link.record is not None)
    tied = reach([contact], lambda one: met.get(one, ())) & folds.keys() - {contact}
    joined = frozenset[str]()
    if links:
        stops = neighbours((link.one, link.other) for link in links)
        everybody = reach([contact], lambda one: merged.get(one, set()) | stops.get(one, set()))
        joined = frozenset(everybody & folds.keys() - persons)
    group = (
        placed(folds[contact], [folds[one] for one in sorted(tied)]),
        *[folds[one] for one in sorted(persons - {contact})],
        *[stops_alone(folds[one]) for one in sorted(joined)],
    )
    return Kin(group, max(folds.values(), key=lambda fold: fold.position), joined)


def kin_among(contact: Contact, read: Read) -> Kin:
    """One contact's group, out of the folds that `family_among` reads."""
    return kin(contact.contact, family_among(contact, read))


def family_among(contact: Contact, read: Read) -> dict[str, Contact]:
    """The folds of a contact's kin, itself among them, read as they come to be named by one another."""
    folds = {contact.contact: contact}
    wanted = named_by(contact)
    while wanted := wanted - folds.keys():
        found = read(sorted(wanted))
        folds |= {one: found.get(one) or Contact(one) for one in wanted}
        wanted = {other for one in wanted for other in named_by(folds[one])}
    return folds


def named_by(contact: Contact) -> set[str]:
    """Everybody the contact was ever linked with, by its own stream."""
    pairs = (pair_of(entry.event) for entry in (*contact.links, *contact.stop_links))
    return {other for pair in pairs if pair is not None for other in pair}
