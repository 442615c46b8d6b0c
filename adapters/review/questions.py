"""The questions of an audit, collected decision by decision: who is asked about, and what could settle it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from adapters.report import wording
from adapters.report.masking import mask_email, printable
from adapters.review.words import FAMILIES, SCHEMA
from ledger.policy.rules import Policy, Rule
from ledger.terms import MARKETING_PURPOSES, Basis
from projections.verdicts import QUESTIONS, REASONS, Verdict

Stamp = Callable[[bytes, bytes], str]
"""A ledger's keyed hash of a content, about a thing: see `Ledger.stamp`."""

LISTED = 200
"""Up to so many contacts, a question lists every one, each with an answer of its own if wanted."""
EXAMPLES = 10


class Example(NamedTuple):
    """One record, as it may be shown: the address masked."""

    reference: str
    record_id: str
    address: str
    claimed: str
    countries: str


_POSITION = 0xFFFF_FFFF


class Group:
    """The contacts of one question. `acceptable`: those whose claim some rule of their country could accept."""

    def __init__(self, question: str) -> None:
        self.question = question
        self.contacts = self.marketing = self.acceptable = 0
        self._references = array("Q")
        self.countries: Counter[str] = Counter()
        self.bases: set[str] = set()
        self.shown: list[Example] = []

    @property
    def listed(self) -> bool:
        """Whether every contact is shown."""
        return self.contacts <= LISTED

    @property
    def examples(self) -> list[Example]:
        """All of them where they are few, else the first ones."""
        return self.shown if self.listed else self.shown[:EXAMPLES]

    @property
    def references(self) -> list[str]:
        """Of every contact, once."""
        return [f"CL-{packed >> 32:08x}-{packed & _POSITION}" for packed in dict.fromkeys(self._references)]

    def answered_already(self, sender_country: str | None) -> bool:
        """Whether the answer can only be a stop, so that a signature is all that is missing.

        Not while the sender's country is unknown: then the strictest rules were added, and it is they that refuse.
        """
        return self.question == "no_rule" and not self.acceptable and sender_country is not None

    def see(self, verdict: Verdict) -> None:
        """Take one record in."""
        self.contacts += 1
        self.marketing += verdict.marketing is True
        self._references.append(_packed(verdict.reference))
        self.countries.update(verdict.jurisdictions)
        if verdict.basis is not None:
            self.acceptable += 1
            self.bases.add(verdict.basis)
        if len(self.shown) < LISTED:
            claim = REASONS.get(verdict.reason, verdict.reason)
            self.shown.append(
                Example(
                    reference=verdict.reference,
                    record_id=printable(verdict.record_id or ""),
                    address=printable(mask_email(verdict.email)),
                    claimed=f"{claim} (would be: {wording.basis(verdict.basis)})" if verdict.basis else claim,
                    countries=", ".join(verdict.jurisdictions),
                )
            )

    def rules(self, policy: Policy, at: datetime) -> list[tuple[Rule, list[str]]]:
        """Rules of the countries seen that could accept what is claimed, each with those countries."""
        bases = {*self.bases, *FAMILIES.get(self.question, ())}
        found: dict[str, tuple[Rule, list[str]]] = {}
        for code in sorted(self.countries):
            for rule in policy.regime(code).bases:
                if rule.basis in bases and rule.in_force(at) and _is_for_mail(rule):
                    found.setdefault(rule.id, (rule, []))[1].append(code)
        order = list(Basis)
        return sorted(found.values(), key=lambda one: (order.index(one[0].basis or Basis.NOT_MARKETING), one[0].id))


class Questions:
    """Fed with every decision of an audit; holds at most as many groups as there are questions."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}

    def see(self, verdict: Verdict) -> None:
        """Take one decision in; one that nobody is asked about changes nothing."""
        if verdict.question is not None:
            if verdict.question not in self._groups:
                self._groups[verdict.question] = Group(verdict.question)
            self._groups[verdict.question].see(verdict)

    @property
    def groups(self) -> list[Group]:
        """The groups in the order of `QUESTIONS`."""
        return [self._groups[name] for name in QUESTIONS if name in self._groups]

    @property
    def members(self) -> Iterator[tuple[str, str]]:
        """Every (question, reference), once."""
        return ((group.question, reference) for group in self.groups for reference in group.references)


def _packed(reference: str) -> int:
    """`CL-<8 hex digits>-<position>` in 64 bits: an audit may ask about a hundred thousand contacts."""
    _, contact, position = reference.split("-")
    return int(contact, 16) << 32 | int(position)


def _is_for_mail(rule: Rule) -> bool:
    return any(rule.applies_to(purpose, "email") for purpose in MARKETING_PURPOSES)


def membership_seal(stamp: Stamp, at: str, position: int, members: Iterable[tuple[str, str]]) -> str:
    """The ledger's own mark over what a workbook is of: nobody else can make one that fits other contacts or times."""
    head = f"{SCHEMA}\n{at}\n{position}\n"
    return stamp("".join([head, *(f"{question} {reference}\n" for question, reference in members)]).encode(), b"review")
