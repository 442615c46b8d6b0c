"""What the ledger answers of some contacts at a moment, for every marketing purpose by e-mail: asked, never kept.

Asked of the log itself when it is needed: whatever said that a contact has changed may be old, or come twice. A
kept row names only the cells that some fact names; a stop is looked for in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from adapters.hubspot.sync.desired import Answer, Standing
from adapters.wiring import House
from ledger import events as e
from ledger.contact import Contact, Entry, fold
from ledger.policy.judge import Bench
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Decision, Question
from ledger.terms import MARKETING_PURPOSES
from projections.cells import cells_of
from projections.folding import entries_of
from projections.groups import kin, pair_of, reach
from projections.status import OPEN_REASONS, Setting


class Asked(NamedTuple):
    """What holds for all contacts at a moment. `types`: purposes by declared subscription type."""

    setting: Setting
    types: Mapping[str, tuple[str, ...]]
    at: datetime


def asked(house: House, at: datetime) -> Asked:
    """By the declarations and the rule set in force now."""
    catalogue = house.catalogue
    return Asked(Setting(house.policy_of(catalogue.policy), catalogue), catalogue.declared.types, at)


def standings(house: House, contacts: Iterable[str], about: Asked) -> dict[str, Standing]:
    """Of each that has entries. Who is linked with whom is read with them."""
    wanted = set(contacts)
    entries: dict[str, list[Entry]] = {}
    head = house.ledger.log.last_position()
    missing = set(wanted)
    while missing:
        entries |= {contact: [] for contact in missing} | entries_of(house.ledger.log, missing, head)
        missing = {one for contact in missing for one in _linked(entries[contact])} - entries.keys()
    folds = {contact: fold(contact, found) for contact, found in entries.items() if found}
    return {contact: _standing(contact, folds, entries, about) for contact in wanted if contact in folds}


def _linked(entries: Iterable[Entry]) -> set[str]:
    return {one for entry in entries for one in pair_of(entry.event) or ()}


def _standing(contact: str, folds: Mapping[str, Contact], entries: Mapping[str, list[Entry]], about: Asked) -> Standing:
    owner = folds[contact]
    family = {contact}
    if owner.links or owner.stop_links:
        family = reach(family, lambda one: _linked(entries.get(one, ())))
    group = kin(contact, {one: folds[one] for one in family if one in folds}).group
    bench = Bench(group, about.setting.policy, about.setting.catalogue)
    laws = candidates(bench.dossier.country_entries(), about.setting.catalogue)
    named = {(purpose, address) for purpose, channel, address in cells_of(bench.dossier.owner) if channel == "email"}
    first = entries[contact][0].position
    addresses = {}
    for address in _addresses(folds[contact]):
        answers = {}
        for purpose in MARKETING_PURPOSES:
            question = Question(purpose=purpose, channel="email", at=about.at, address=address, jurisdictions=laws)
            decision, stopped = bench.answer(question)
            answers[purpose] = _answer(decision, stopped, (purpose, address) in named, first)
        addresses[address] = answers
    return Standing(contact, first, addresses, _shown(owner))


def _shown(contact: Contact) -> dict[str, datetime]:
    """By record, the day of the newest export that showed whether it opted out."""
    found: dict[str, datetime] = {}
    for event in (n.event for n in contact.flags):
        if isinstance(event, e.MarketingStatusObserved) and event.record and event.opt_outs_on:
            found[event.record] = max(event.opt_outs_on, found.get(event.record, event.opt_outs_on))
    return found


def _addresses(contact: Contact) -> list[str]:
    """Those that are its own now."""
    linked = {n.event.address: isinstance(n.event, e.AddressLinked) for n in contact.addresses if n.event.address}
    return [address for address, own in linked.items() if own]


def _answer(given: Decision, stopped: bool, named: bool, first: int) -> Answer:
    against = (one.position for one in given.against if one.position is not None)
    position = given.evidence[0] if given.evidence else next(against, first)
    is_open = named and not given.allowed and (given.uncertain or given.reason in OPEN_REASONS)
    return Answer(given.allowed, given.basis, given.reason, stopped, is_open, position)
