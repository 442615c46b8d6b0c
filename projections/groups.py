"""Who is judged together: contacts merged and not unmerged since, found from the links alone.

*Kin* are contacts that were ever linked, however far: an entry of one can change the row of another,
also the entry that parts them. The *group* is who is linked now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ledger import events as e
from ledger.codec import topic_of
from ledger.contact import Contact

Pair = tuple[str, str]

LINK_TOPICS = (
    topic_of(e.ContactsLinked(stream="", source="", other="")),
    topic_of(e.ContactsUnlinked(stream="", source="", other="")),
)


class Kin(NamedTuple):
    """A contact with its folds: `group` begins with the contact itself, the others by id."""

    group: tuple[Contact, ...]
    newest: Contact


def pair_of(event: e.Event) -> Pair | None:
    """The two contacts a link or its removal names; either side may have said it."""
    if isinstance(event, e.ContactsLinked | e.ContactsUnlinked):
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
    """One contact's group out of the folds of its kin. `newest` is the fold that changed last."""
    if len(folds) == 1:
        alone = folds[contact]
        return Kin((alone,), alone)
    partners = linked_now(folds.values())
    others = reach([contact], lambda one: partners.get(one, ())) - {contact}
    group: Sequence[Contact] = [folds[one] for one in sorted(others) if one in folds]
    return Kin((folds[contact], *group), max(folds.values(), key=lambda fold: fold.position))


def named(contact: Contact) -> set[str]:
    """Everybody the contact was ever linked with, by its own stream."""
    return {other for entry in contact.links if (pair := pair_of(entry.event)) for other in pair} - {contact.contact}
