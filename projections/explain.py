"""One contact's history, folded to the moment asked and judged with a trace: the facts of a `why`.

It reads the log alone, never a row: the same fold and the same `judge` as everywhere, with the cut-offs
of the question applied. Words, names and pages are made of it elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.codec import decode
from ledger.contact import PLACED, Contact, Entry, fold
from ledger.declared import all_as_declared
from ledger.log import Log
from ledger.plausibility import bounded
from ledger.policy.dossier import Dossier
from ledger.policy.judge import Bench, judge
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Candidate, Decision, Question, Trial
from ledger.policy.rules import Policy
from ledger.terms import LEDGER_STREAM
from projections.causes import find_cause
from projections.groups import Kin, kin, named_by
from projections.matter import Cause, Former, Matter
from projections.remedies import Remedy, countries_that_help, remedies_of

Linked = Callable[[str], Iterable[str]]
"""Contacts that others say are linked with one, where its own stream may not (see `views.kin_of`)."""


class Explanation(NamedTuple):
    """The decision and everything it was made of.

    group         the contact first, then who is linked with it
    joined        ids of those of the group of whom only what forbids counts
    entries       of all of these, in log order, as far as they were known, with the times that can be true of them
    cause         the condition that decides the answer
    grounds       the trial that the cause was found by; None: no rule found a fact
    remedies      what alone would make it yes
    countries     codes of the countries that would, were one declared to be the recipient's
    """

    decision: Decision
    trials: tuple[Trial, ...]
    entries: tuple[Entry, ...]
    candidates: tuple[Candidate, ...]
    group: tuple[Contact, ...]
    cause: Cause
    grounds: Trial | None
    joined: frozenset[str] = frozenset()
    remedies: frozenset[Remedy] = frozenset()
    countries: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer says, for machines: the same from the command line, over HTTP and in the file of a page.

    cause          the condition that decides it
    trials         each rule that was tried, and which of its needs were met
    jurisdictions  those that may apply
    considered     positions of the entries it was made of, of this person and of who is linked with them
    """

    contact: str
    address: str | None
    purpose: str
    channel: str
    on: datetime
    decision: Decision
    cause: Cause
    trials: tuple[Trial, ...]
    jurisdictions: tuple[Candidate, ...]
    considered: tuple[int, ...]


def facts_of(contact: str, question: Question, found: Explanation) -> Facts:
    """An answer as it is sent and filed."""
    return Facts(
        contact=contact,
        address=question.address,
        purpose=question.purpose,
        channel=question.channel,
        on=question.at,
        decision=found.decision,
        cause=found.cause,
        trials=found.trials,
        jurisdictions=found.candidates,
        considered=tuple(entry.position for entry in found.entries),
    )


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
    former = _former(log, policy, catalogue, person.group, question.known_at)
    return weigh(person, entries, question, policy, catalogue, former)


def weigh(
    person: Kin,
    entries: Sequence[Entry],
    question: Question,
    policy: Policy,
    catalogue: Catalogue,
    former: Iterable[Former] = (),
) -> Explanation:
    """Judge a person's facts with a trace, and find what decides. `former`: declarations that no longer count."""
    group = person.group
    laws = question.jurisdictions
    if not laws:
        laws = candidates(Dossier(group).country_entries(), catalogue)
        question = msgspec.structs.replace(question, jurisdictions=laws)
    trials: list[Trial] = []
    decision = judge(group, question, policy, catalogue, trials)
    matter = Matter(
        question=question,
        decision=decision,
        trials=trials,
        facts={entry.position: entry for entry in entries} | _as_read(group, catalogue),
        policy=policy,
        owner=group[0].contact,
        judged=lambda other: judge(group, other, policy, catalogue),
        standing=lambda: Bench(group, policy, catalogue).standing(question),
        former=former,
    )
    found = find_cause(matter)
    return Explanation(
        decision=decision,
        trials=tuple(trials),
        entries=tuple(entries),
        candidates=laws,
        group=group,
        cause=found.cause,
        grounds=found.grounds,
        joined=person.joined,
        remedies=remedies_of(group, question, decision, policy, catalogue),
        countries=countries_that_help(group, question, decision, policy, catalogue),
    )


def _as_read(group: Sequence[Contact], catalogue: Catalogue) -> dict[int, Entry]:
    """Facts that rest on a declaration as it lets them be read: a won deal as the contract that it was."""
    contacts, _ = all_as_declared(group, catalogue.declared)
    return {n.position: n for contact in contacts for n in (*contact.opt_ins, *contact.contracts)}


def _former(
    log: Log, policy: Policy, catalogue: Catalogue, group: Sequence[Contact], known_at: datetime | None
) -> Iterator[Former]:
    """Declarations that were withdrawn or replaced by a moment, the newest first, each as if it still counted."""
    owner = group[0]
    if not (owner.answers or owner.activity or owner.deals):
        return
    newest: dict[str, Entry] = {}
    ended: list[tuple[Entry, datetime]] = []
    for entry in _known(log, LEDGER_STREAM, known_at):
        event = entry.event
        if isinstance(event, e.Declaration):
            before = newest.get(event.key)
            if before is not None and not getattr(before.event, "withdrawn", False) and event.recorded_at is not None:
                ended.append((before, event.recorded_at))
            newest[event.key] = entry
    for entry, when in reversed(ended):
        declared = msgspec.structs.replace(catalogue, declared=catalogue.declared.after(entry))
        yield Former(entry.position, when, _judged(Bench(group, policy, declared)))


def _judged(bench: Bench) -> Callable[[Question], tuple[Decision, frozenset[int]]]:
    def judged(question: Question) -> tuple[Decision, frozenset[int]]:
        decision, _ = bench.decide(question)
        return decision, frozenset(bench.resting[p] for p in decision.evidence if p in bench.resting)

    return judged


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
