"""What is to be explained: a question with its answer, and the condition that decides it, as values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from ledger.contact import Entry
from ledger.policy.question import Decision, Question, Trial
from ledger.policy.rules import Policy
from ledger.terms import BEGINNING

Kind = Literal[
    "proven",
    "stopped",
    "stop_time_unknown",
    "overlap",
    "erased",
    "under_review",
    "minor",
    "address_unlinked",
    "address_may_be_reassigned",
    "unknown_purpose",
    "unknown_channel",
    "message",
    "withdrawn_declaration",
    "recorded_later",
    "begins_later",
    "not_in_force",
    "no_longer_in_force",
    "lapsed",
    "unmet",
    "missing",
    "claimed",
    "not_accepted",
    "nothing",
]
IN_TIME: dict[str, str] = {
    "recorded_later": "on_record_by_then",
    "begins_later": "begun_by_then",
    "not_in_force": "rule_in_force",
    "no_longer_in_force": "rule_in_force",
    "lapsed": "not_lapsed",
}
"""The condition of time that failed, for each way in which a fact that meets every need is out of its time."""


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The condition that decides an answer.

    law          code of the jurisdiction whose rules decide
    allowed_by   codes of the other jurisdictions asked, whose rules alone would allow it
    rule         id of the rule that came nearest, or that allows it
    fact         position of the fact it is about: the stop, the opt-in, the contract, the claim
    since        when that condition came about: recorded, begun, in force, ended, withdrawn
    period       the ISO period that ran out; `chosen`: its number is this rule set's own choice
    counted_from what the period ran from: the fact itself, its end, the last contact that counts, or one mail alone
    last         position of the last contact from which the period ran; None: from the fact itself
    unmet        names of needs that what is on record contradicts
    missing      names of needs that nothing shows, and the condition of time that failed
    declaration  position of a declaration that no longer counts, and with which it would be allowed
    later        of a stop: why the opt-in that came after it does not lift it
    """

    kind: Kind
    law: str | None = None
    allowed_by: tuple[str, ...] = ()
    rule: str | None = None
    fact: int | None = None
    since: datetime | None = None
    period: str | None = None
    counted_from: Literal["fact", "end", "contact", "one_mail"] = "fact"
    chosen: bool = False
    last: int | None = None
    unmet: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    declaration: int | None = None
    later: Cause | None = None


class Matter(NamedTuple):
    """All that is needed to find a cause: the question, its answer, the trials, and the facts by position.

    owner    id of the contact whose grants count
    judged   answers the same question with something changed
    standing the stops that had come and that no later opt-in has turned
    former   declarations that no longer count, the newest first; read only where nothing forbids
    """

    question: Question
    decision: Decision
    trials: Sequence[Trial]
    facts: Mapping[int, Entry]
    policy: Policy
    owner: str
    judged: Callable[[Question], Decision]
    standing: Callable[[], Sequence[Entry]]
    former: Iterable[Former] = ()


class Former(NamedTuple):
    """A declaration that no longer counts; `ended`: when; `judged`: the answer if it still did, and where it rests."""

    position: int
    ended: datetime
    judged: Callable[[Question], tuple[Decision, frozenset[int]]]


def first_fact(trial: Trial | None) -> int | None:
    """The position of the fact that a trial is about; None: it is about none."""
    return trial.evidence[0] if trial is not None and trial.evidence else None


def latest_fact(matter: Matter, positions: Sequence[int]) -> int | None:
    """The position of the fact that happened last; those of an unknown day come first."""
    return max(positions, key=lambda position: (time_of(matter, position), position), default=None)


def time_of(matter: Matter, position: int) -> datetime:
    """The first moment at which a fact may have happened."""
    entry = matter.facts.get(position)
    return BEGINNING if entry is None else entry.event.earliest
