"""One contact's history, folded to the moment asked and judged with a trace: the facts of a `why`.

It reads the log alone, never a row: the same fold and the same `judge` as everywhere, with the cut-offs
of the question applied. Words, names and pages are made of it elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from ledger.catalogue import Catalogue
from ledger.codec import decode
from ledger.contact import PLACED, Contact, Entry, fold
from ledger.log import Log
from ledger.plausibility import bounded
from ledger.policy.dossier import Dossier
from ledger.policy.judge import judge
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Candidate, Decision, Question, Trial
from ledger.policy.rules import Policy
from projections.groups import Kin, kin, named_by

Linked = Callable[[str], Iterable[str]]
"""Contacts that others say are linked with one, where its own stream may not (see `views.kin_of`)."""


class Explanation(NamedTuple):
    """The decision and everything it was made of.

    group         the contact first, then who is linked with it
    joined        ids of those of the group of whom only what forbids counts
    entries       of all of these, in log order, as far as they were known, with the times that can be true of them
    """

    decision: Decision
    trials: tuple[Trial, ...]
    entries: tuple[Entry, ...]
    candidates: tuple[Candidate, ...]
    group: tuple[Contact, ...]
    joined: frozenset[str] = frozenset()


def explain(
    log: Log,
    policy: Policy,
    catalogue: Catalogue,
    contact: str,
    question: Question,
    linked: Linked | None = None,
) -> Explanation:
    """Answer a question about a contact, with the grounds. `question.jurisdictions` empty: from the facts.

    `catalogue` is the fold as of `question.known_at`; entries recorded later are left out here.
    """
    entries, person = history(log, contact, question.known_at, linked)
    group = person.group
    laws = question.jurisdictions
    if not laws:
        laws = candidates(Dossier(group).country_entries(), catalogue)
        question = msgspec.structs.replace(question, jurisdictions=laws)
    trials: list[Trial] = []
    decision = judge(group, question, policy, catalogue, trials)
    return Explanation(decision, tuple(trials), entries, laws, group, person.joined)


def history(
    log: Log, contact: str, known_at: datetime | None, linked: Linked | None = None
) -> tuple[tuple[Entry, ...], Kin]:
    """The entries of a contact and of its group, known by a moment, and the folds they make."""
    folds: dict[str, Contact] = {}
    read: dict[str, list[Entry]] = {}
    wanted = {contact}
    while wanted:
        for name in wanted:
            read[name] = _known(log, name, known_at)
            folds[name] = fold(name, read[name])
        said = {other for name in wanted for other in named_by(folds[name])}
        if linked is not None:
            said.update(other for name in wanted for other in linked(name))
        wanted = said - folds.keys()
    person = kin(contact, folds)
    if len(person.group) == 1:
        return tuple(read[contact]), person
    found = _placed_in(person.group[0])
    for member in person.group:
        found += _forbidding(member) if member.contact in person.joined else read[member.contact]
    entries = {entry.position: entry for entry in found}
    return tuple(entries[position] for position in sorted(entries)), person


def _placed_in(owner: Contact) -> list[Entry]:
    """What another contact's records said, and what counts for this one."""
    if owner.scattered:
        return []
    return [n for place in PLACED for n in getattr(owner, place) if n.event.stream != owner.contact]


def _forbidding(member: Contact) -> list[Entry]:
    """The entries of a contact of which only what forbids counts: of its history nothing else is shown."""
    return [*member.stops, *member.reviews, *member.corrections, *member.countries, *member.endings]


def _known(log: Log, stream: str, known_at: datetime | None) -> list[Entry]:
    entries = [Entry(position, version, bounded(decode(state))) for position, version, state in log.stream(stream)]
    if known_at is None:
        return entries
    return [n for n in entries if n.event.recorded_at is not None and n.event.recorded_at <= known_at]
