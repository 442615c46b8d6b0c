"""Another rule set over the same history: who gains, who loses. Nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ledger.catalogue import Catalogue
from ledger.contact import Contact
from ledger.policy.judge import Bench, segments
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Question
from ledger.policy.rules import Policy
from ledger.terms import MARKETING_PURPOSES


class Change(msgspec.Struct, frozen=True):
    """One contact's address and purpose whose answer differs. `gains`: from not allowed to allowed."""

    contact: str
    purpose: str
    gains: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


def differences(
    people: Iterable[tuple[Contact, ...]],
    before: Policy,
    after: Policy,
    catalogue: Catalogue,
    at: datetime,
    declared: Catalogue | None = None,
) -> Iterable[Change]:
    """Every changed answer to "marketing by e-mail, at `at`?"; each group begins with the owner.

    `declared`: what holds for all afterwards, where that changes too
    """
    for group in people:
        owner = group[0]
        old, new = Bench(group, before, catalogue), Bench(group, after, declared or catalogue)
        laws = candidates(old.dossier.country_entries(), catalogue)
        for address in dict.fromkeys(entry.event.address for entry in owner.addresses):
            for purpose in MARKETING_PURPOSES:
                question = Question(purpose=purpose, channel="email", at=at, address=address, jurisdictions=laws)
                was, will = segments(old, question, at)[0].decision, segments(new, question, at)[0].decision
                if was.allowed != will.allowed:
                    yield Change(owner.contact, purpose, will.allowed, was.rules, will.rules)
