"""The one program behind every `why`: a question about a person to its answer, with the grounds."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from adapters.identification import Person
from adapters.wiring import House
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Entry
from ledger.policy.question import Question
from projections.explain import Explanation, Linked, explain


def mail_named(house: House, person: Person) -> Entry | None:
    """The dated e-mail that a person's reference names, if it names one."""
    if person.position is None:
        return None
    found = next((n for n in house.entries(person.contact) if n.position == person.position), None)
    is_mail = found is not None and isinstance(found.event, e.EmailSent) and found.event.occurred_from is not None
    return found if is_mail else None


class Explainer:
    """Answers questions about one contact. Each question is answered from the log, by the rule set in force."""

    def __init__(self, house: House, contact: str, known_at: datetime | None) -> None:
        self.house, self.contact, self.known_at = house, contact, known_at
        self.catalogue = house.catalogue_at(known_at)
        self.policy = house.policy_of(house.catalogue.policy)  # whatever was adopted since the program began
        self.linked: Linked = cache(house.runner.family)

    def explain(self, question: Question, catalogue: Catalogue | None = None) -> Explanation:
        """The decision and everything it was made of. `catalogue`: as of another moment than `known_at`."""
        log = self.house.ledger.log
        return explain(log, self.policy, catalogue or self.catalogue, self.contact, question, self.linked)
